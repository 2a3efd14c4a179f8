"""The whole chain under real DVC, in a clone: which stages run, which do not, and whose outputs stay the same."""

import functools
import http.server
import json
import subprocess
import threading
from pathlib import Path

import pandas as pd
import pytest
import yaml
from clones import COMPOSED_BY_DVC, TINY, Clone, clone_project, content
from PIL import Image

from lpr.data.formats.synthetic import IMAGES
from lpr.hashes import file_md5

STAGES = ["config", "source@0", "annotate", "download", "split", "train", "evaluate", "ocr", "report"]
MOVING = {"reports/index.html", "reports/provenance.json"}


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages whose commands a `dvc repro` ran."""
    return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]


def outputs(clone: Clone) -> dict[str, str]:
    """Path → hash of every DVC output."""
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}


def test_one_command_goes_from_json_to_report(tiny_run: Clone) -> None:
    lock = yaml.safe_load((tiny_run.folder / "dvc.lock").read_text())
    assert set(lock["stages"]) == set(STAGES)
    page = (tiny_run.folder / "reports" / "index.html").read_text()
    assert "plate_acc" in page
    detection = json.loads((tiny_run.folder / "metrics" / "detection.json").read_text())
    assert set(detection["synthetic"]) == {"train", "validation", "test"}
    recognition = json.loads((tiny_run.folder / "metrics" / "recognition.json").read_text())
    assert set(recognition["synthetic"]["test"]) == {"true", "predicted"}


def test_dvc_exp_run_composes_what_lpr_params_does(tiny_run: Clone) -> None:
    composed = yaml.safe_load((tiny_run.folder.parent / COMPOSED_BY_DVC).read_text())
    assert composed["detector"]["image_size_px"] == 32
    assert composed == yaml.safe_load((tiny_run.folder / "params.yaml").read_text())


def test_a_second_run_does_nothing_and_says_so(clone: Clone) -> None:
    again = clone.dvc("repro")
    assert ran(again) == []
    assert "Data and pipelines are up to date." in again.stdout + again.stderr


def test_metrics_that_do_not_exist_yet_are_no_complaint(clone: Clone) -> None:
    score = clone.folder / "metrics/training.json"
    score.write_text(json.dumps(json.loads(score.read_text()) | {"epochs": 5}))
    done = clone.dvc("metrics", "diff", "--json")
    assert done.stderr == ""
    assert json.loads(done.stdout)["metrics/training.json"]["epochs"] == {"old": 2, "new": 5, "diff": 3}
    # One of the recognizer is there as soon as the recognizer is trained.
    (clone.folder / "metrics/synthetic_recognition.json").write_text('{"plate_acc": 0.5}')
    assert "synthetic_recognition" in clone.dvc("metrics", "show", "--json").stdout


def test_another_ocr_setting_reruns_only_ocr_and_report(clone: Clone) -> None:
    clone.lpr_in_process("params", *TINY, "ocr.margin=0.3")
    assert ran(clone.dvc("repro")) == ["config", "ocr", "report"]


@pytest.mark.slow
def test_dvc_exp_run_trains_what_changed_and_shows_it(clone: Clone) -> None:
    shown = json.loads(clone.dvc("metrics", "show", "--json").stdout)[""]["data"]
    assert "mean_iou" in shown["metrics/detection.json"]["data"]["synthetic"]["test"]
    changes = ["detector=regression_6conv", "train.epochs=1", "optimizer.learning_rate=2e-3"]
    done = clone.dvc("exp", "run", *(f"--set-param={override}" for override in [*TINY, *changes]))
    # Another training downloads nothing.
    assert ran(done) == ["config", "train", "evaluate", "ocr", "report"]
    params = yaml.safe_load((clone.folder / "params.yaml").read_text())
    assert (params["detector"]["convs"], params["train"]["epochs"]) == (6, 1)
    assert json.loads((clone.folder / "metrics" / "training.json").read_text())["epochs"] == 1
    changed = json.loads(clone.dvc("metrics", "diff", "--json").stdout)
    assert changed["metrics/training.json"]["epochs"] == {"old": 2, "new": 1, "diff": -1}
    clone.dvc("plots", "show")
    assert (clone.folder / "dvc_plots" / "index.html").is_file()
    # What it composed is good for a plain repro, too …
    assert ran(clone.dvc("repro")) == []
    # … until conf/ is edited.
    adam = clone.folder / "conf" / "optimizer" / "adam.yaml"
    adam.write_text(adam.read_text().replace("0.001", "0.002"))
    stopped = clone.dvc("repro", check=False)
    assert stopped.returncode != 0
    assert "lpr params" in stopped.stdout + stopped.stderr


@pytest.mark.slow
def test_a_queued_grid_runs_every_combination(clone: Clone) -> None:
    clone.dvc("exp", "run", "--queue", *(f"--set-param={o}" for o in [*TINY, "detector.filters=2,3", "train.epochs=1"]))
    clone.dvc("exp", "run", "--run-all", "--jobs=1")
    shown = json.loads(clone.dvc("exp", "show", "--json").stdout)
    found = [
        (rev["data"]["params"]["params.yaml"]["data"]["detector"]["filters"], rev["data"]["metrics"])
        for branch in shown
        for experiment in branch.get("experiments") or []
        for rev in experiment["revs"]
    ]
    assert sorted(filters for filters, _ in found) == [2, 3]
    parameters = [metrics["metrics/training.json"]["data"]["parameters"] for _, metrics in found]
    assert len(set(parameters)) == 2


def test_an_edit_of_conf_stops_repro_before_anything_runs_and_says_what_to_type(clone: Clone) -> None:
    adam = clone.folder / "conf" / "optimizer" / "adam.yaml"
    adam.write_text(adam.read_text().replace("0.001", "0.002"))
    stopped = clone.dvc("repro", check=False)
    assert stopped.returncode != 0
    assert ran(stopped) == ["config"]
    assert "optimizer.learning_rate: 0.001 in params.yaml, 0.002 in conf/" in stopped.stderr
    assert "`lpr params experiment=smoke" in stopped.stderr
    assert "Traceback" not in stopped.stdout + stopped.stderr


def test_an_impossible_network_is_refused_before_anything_runs(clone: Clone) -> None:
    refused = clone.lpr_in_process("params", *TINY, "detector.pools=7", check=False)
    assert refused.returncode == 1
    assert "detector.pools=7 is more than detector.convs=8" not in refused.stderr
    assert "detector.image_size_px=32 cannot be: at most 5 pools" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_push_and_pull_give_another_clone_everything_without_a_run(clone: Clone, tmp_path: Path) -> None:
    clone.dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    clone.commit("a remote")
    clone.dvc("push")
    other = Clone(tmp_path / "other")
    clone.run("git", "clone", "--quiet", str(clone.folder), str(other.folder))
    other.dvc("pull")
    assert ran(other.dvc("repro")) == []
    assert (other.folder / "reports" / "detections.csv").read_bytes() == (
        clone.folder / "reports" / "detections.csv"
    ).read_bytes()


@pytest.mark.slow
def test_two_clones_give_the_same_bytes(tiny_run: Clone, tmp_path: Path) -> None:
    other = clone_project(tmp_path / "again")
    other.lpr("params", *TINY)
    other.dvc("repro")
    first, second = outputs(tiny_run), outputs(other)
    assert set(first) == set(second)
    assert {path for path in first if first[path] != second[path]} <= MOVING
    for name in ("split", "training", "detection", "recognition"):
        metrics = Path("metrics") / f"{name}.json"
        assert (other.folder / metrics).read_text() == (tiny_run.folder / metrics).read_text()


@pytest.mark.slow
def test_another_seed_gives_other_bytes_from_the_first_stage_to_the_last(clone: Clone) -> None:
    clone.lpr("experiment", *TINY, "seed=1", "hydra.run.dir=experiments/one")
    folder = clone.folder / "experiments" / "one"
    (prepared,) = (clone.folder / "experiments" / "data").iterdir()  # where it drew its scenes
    alike = {"data/checked.txt", "data/rejects.csv", "data/failures.csv"}  # a constant, and two that are empty
    counts = {f"metrics/{name}.json" for name in ("annotate", "download", "split", "training")}
    for path in set(outputs(clone)) - alike - counts - MOVING:
        other = prepared if path.startswith("data/sources") else folder
        assert content(other / path) != content(clone.folder / path), path


def test_a_changed_local_json_is_noticed(clone: Clone, tmp_path: Path) -> None:
    """Annotations outside the repository are dependencies, too."""
    source = clone.folder / "data" / "sources" / "synthetic"
    annotations = tmp_path / "mine.json"
    lines = (source / "annotations.json").read_text().splitlines()
    (tmp_path / "images").mkdir()
    for image in (source / IMAGES).iterdir():
        (tmp_path / "images" / image.name).write_bytes(image.read_bytes())
    annotations.write_text("\n".join(lines[:20]) + "\n")
    mine = [override for override in TINY if "scenes" not in override]
    mine[0:1] = [
        "experiment=none",
        "detector.filters=4",
        "train.epochs=1",
        "data=dataturks",
        f"data.annotations={annotations}",
    ]
    clone.lpr_in_process("params", *mine, f"data.image_root={tmp_path / 'images'}")
    images = clone.folder / "data" / "images.csv"
    done = clone.dvc("repro", "download")
    assert "WARNING" not in done.stdout + done.stderr, "of files that the configuration does not name, too"
    assert len(images.read_text().splitlines()) == 21
    assert ran(clone.dvc("repro", "download")) == []
    annotations.write_text("\n".join(lines) + "\n")
    assert ran(clone.dvc("repro", "download")) == ["source@0", "annotate", "download"]
    assert len(images.read_text().splitlines()) == 25
    assert len(list((clone.folder / "data" / "images").glob("*.jpg"))) == 24


def test_images_that_come_later_or_are_replaced_are_noticed(clone: Clone, tmp_path: Path) -> None:
    images = tmp_path / "mine" / "images"
    images.mkdir(parents=True)
    rows = ""
    for number in range(12):
        Image.effect_noise((64, 48), 20 * number).save(images / f"{number}.png")
        rows += f"{number}.png,10,20,40,30\n"
    (tmp_path / "mine" / "boxes.csv").write_text(f"image,xmin,ymin,xmax,ymax\n{rows}")
    away = (images / "3.png").rename(tmp_path / "3.png")
    clone.lpr_in_process(
        *["params", "experiment=none", "split=random", "data=table"],
        *[f"data.annotations={tmp_path}/mine/boxes.csv", "data.max_failed_fraction=0.2"],
    )
    clone.dvc("repro", "download")

    def placed() -> dict[str, list[int]]:
        table = pd.read_csv(clone.folder / "data/images.csv")
        return {name.split("-")[1]: size for name, *size in table[["image", "width", "height"]].itertuples(index=False)}

    assert set(placed()) == {str(number) for number in range(12)} - {"3"}

    away.rename(images / "3.png")
    assert ran(clone.dvc("repro", "download"))[:3] == ["source@0", "annotate", "download"]
    assert (len(placed()), placed()["5"]) == (12, [64, 48])

    # Its size is read from its header, by the stage `source`.
    Image.effect_noise((80, 60), 30).save(images / "5.png")
    assert "download" in ran(clone.dvc("repro", "download"))
    assert placed()["5"] == [80, 60]
    plates = pd.read_csv(clone.folder / "data/plates.csv").set_index("image")
    assert plates.filter(like="-5-", axis="index")["image_width"].tolist() == [80]

    (images / "5.png").touch()
    done = clone.dvc("repro", "download")
    assert ran(done) == [], "its content is as before"
    assert "up to date" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_json_by_url_needs_its_server_once(clone: Clone, tmp_path: Path) -> None:
    """Images and annotations over HTTP; afterwards, `dvc repro` needs no network to find that all is done."""
    source = clone.folder / "data" / "sources" / "synthetic"
    (tmp_path / "bucket").mkdir()
    for path in (source / "annotations.json", *(source / IMAGES).iterdir()):
        (tmp_path / "bucket" / path.name).write_bytes(path.read_bytes())
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "bucket"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bucket = f"http://127.0.0.1:{server.server_port}"
        clone.lpr(
            *["params", "experiment=none", "split=random", "data=dataturks"],
            *[f"data.annotations={bucket}/annotations.json", f"data.image_root={bucket}"],
        )
        clone.dvc("repro", "split")
        server.shutdown()
    counted = json.loads((clone.folder / "metrics" / "download.json").read_text())
    assert (counted["images"], counted["failed"]) == (24, 0)
    assert ran(clone.dvc("repro", "split")) == []


@pytest.mark.slow
def test_a_queued_experiment_reads_untracked_files_by_absolute_paths_and_says_so(clone: Clone) -> None:
    (clone.folder / "photos").mkdir()
    (clone.folder / "photos/boxes.csv").write_text("image,width,height,xmin,ymin,xmax,ymax\n1.png,64,48,9,9,30,20\n")
    mine = ["experiment=none", "data=table", "split=random"]

    def queued(annotations: str) -> str:
        overrides = [*mine, f"data.annotations={annotations}"]
        clone.dvc("exp", "run", "--queue", *(f"--set-param={override}" for override in overrides), "annotate")
        done = clone.dvc("exp", "run", "--run-all", "--jobs=1", check=False)
        return done.stdout + done.stderr

    failed = queued("photos/boxes.csv")
    assert "data.annotations=photos/boxes.csv: there is no such file" in failed
    assert f"--set-param data.annotations={clone.folder}/photos/boxes.csv" in failed
    assert "Traceback" not in failed
    assert "table: 1 lines, 1 images, 1 plates" in queued(f"{clone.folder}/photos/boxes.csv")


def test_a_queue_is_refused_where_dvc_would_never_end(tiny_run: Clone, tmp_path: Path) -> None:
    """DVC writes the path of its cache as ASCII, fails in a process of its own, and waits for that."""
    clone = tiny_run.copy(tmp_path / "José" / "clone")
    queue = ["exp", "run", "--queue", *(f"--set-param={override}" for override in TINY), "--set-param=seed=7"]
    refused = clone.dvc(*queue, check=False)
    assert refused.returncode != 0
    assert "`dvc cache dir --local FOLDER`" in refused.stderr
    clone.dvc("cache", "dir", "--local", str(tmp_path / "cache"))
    assert "Queued experiment" in clone.dvc(*queue).stdout


@pytest.mark.slow
@pytest.mark.parametrize("links", ["symlink", "hardlink"])
def test_nothing_is_written_through_links_into_the_cache(clone: Clone, links: str) -> None:
    stages = ["source", "annotate", "download", "split", "train", "evaluate", "ocr", "report"]
    clone.dvc("config", "--local", "cache.type", links)
    clone.dvc("checkout", "--relink")
    split = clone.folder / "data/split.csv"
    assert split.is_symlink() if links == "symlink" else split.stat().st_nlink > 1
    before = {path: content(clone.folder / path) for path in outputs(clone)}
    objects = clone.folder / ".dvc/cache/files/md5"

    def broken() -> list[str]:
        """The objects of the cache whose content is not what they are named by."""
        files = [path for path in objects.glob("*/*") if path.suffix != ".dir"]
        assert len(files) > 20
        return [path.name for path in files if file_md5(path) != path.parent.name + path.name]

    # By hand, so that DVC does not put copies in the place of links first.
    clone.lpr_in_process("params", *TINY, "seed=1")
    for stage in stages:
        clone.lpr_in_process(stage)
    assert broken() == []

    clone.lpr_in_process("params", *TINY, "split.seed=3")
    clone.dvc("repro")
    assert content(split) != before[Path("data/split.csv").as_posix()]
    assert broken() == []

    clone.run("git", "checkout", "--quiet", ".")
    clone.dvc("checkout")
    assert ran(clone.dvc("repro")) == []
    assert {path: content(clone.folder / path) for path in outputs(clone)} == before
    assert broken() == []


@pytest.mark.slow
def test_sets_train_or_are_tested_and_are_scored_each_by_itself(clone: Clone, tmp_path: Path) -> None:
    here = "{name: here, format: synthetic, role: train, scenes: 20, seed: 1}"
    there = "{name: there, format: synthetic, role: test, scenes: 8, seed: 2}"
    (tmp_path / "images").mkdir()
    for number in range(3):
        Image.effect_noise((64, 48), 20 * number).save(tmp_path / "images" / f"{number}.png")
    rows = "".join(f"{number}.png,64,48,,,,\n" for number in range(3))
    (tmp_path / "empty.csv").write_text(f"image,width,height,xmin,ymin,xmax,ymax\n{rows}")
    streets = f"{{name: streets, format: table, role: both, annotations: {tmp_path / 'empty.csv'}}}"
    others = [override for override in TINY if "scenes" not in override]
    settings = [*others, "train.epochs=1", f"data.sources=[{here},{there},{streets}]"]
    clone.lpr("params", *settings)
    clone.dvc("repro", "split")
    assert not (clone.folder / "data" / "sources" / "synthetic").exists()
    done = clone.lpr("experiment", *settings, "hydra.run.dir=experiments/one")
    assert "preparing" not in done.stdout, "its data are those that DVC has just prepared"
    folder = clone.folder / "experiments" / "one"
    detection = json.loads((folder / "metrics" / "detection.json").read_text())
    of_streets = detection.pop("streets")
    assert {source: set(sides) for source, sides in detection.items()} == {
        "here": {"train", "validation"},
        "there": {"test"},
    }
    # Of images without plates, there is nothing to find; the tiny network predicts a plate everywhere.
    assert sum(scores["false_positives_per_image"]["n"] for scores in of_streets.values()) == 3
    assert {name for scores in of_streets.values() for name in scores} == {"false_positives_per_image"}
    assert "streets" in (folder / "reports" / "predictions.csv").read_text()
    assert "streets" not in (folder / "reports" / "detections.csv").read_text()
    assert "false_positives_per_image" in (folder / "reports" / "index.html").read_text()


@pytest.mark.parametrize("verb", ["annotate", "download", "split", "train", "evaluate", "ocr"])
def test_a_stage_without_its_input_says_what_makes_it(project: Path, verb: str) -> None:
    clone = Clone(project)
    clone.lpr_in_process("params", "tracking=off", "train.threads=1")
    failed = clone.lpr_in_process(verb, check=False)
    assert failed.returncode == 1
    assert "dvc repro" in failed.stderr
    assert "Traceback" not in failed.stderr
