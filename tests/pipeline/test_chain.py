"""The whole chain under real DVC, in a clone: what runs, what does not, what stays the same."""

import functools
import http.server
import json
import subprocess
import threading
from pathlib import Path

import pytest
import yaml
from clones import TINY, Clone
from PIL import Image

STAGES = ["config", "source@0", "annotate", "download", "split", "train", "evaluate", "read", "report"]
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
    reading = json.loads((tiny_run.folder / "metrics" / "recognition.json").read_text())
    assert set(reading["synthetic"]["test"]) == {"true", "predicted"}


def test_a_second_run_does_nothing_and_says_so(tiny_run: Clone) -> None:
    again = tiny_run.dvc("repro")
    assert ran(again) == []
    assert "Data and pipelines are up to date." in again.stdout + again.stderr


def test_another_reader_setting_reruns_only_reading_and_report(clone: Clone) -> None:
    clone.lpr("params", *TINY, "ocr.margin=0.3")
    assert ran(clone.dvc("repro")) == ["config", "read", "report"]


def test_dvc_run_composes_conf_by_itself(clone: Clone) -> None:
    clone.dvc(
        "exp",
        "run",
        *(f"--set-param={override}" for override in [*TINY, "detector=regression_6conv", "train.epochs=1"]),
    )
    params = yaml.safe_load((clone.folder / "params.yaml").read_text())
    assert (params["detector"]["convs"], params["train"]["epochs"]) == (6, 1)
    assert json.loads((clone.folder / "metrics" / "training.json").read_text())["epochs"] == 1
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
    refused = clone.lpr("params", *TINY, "detector.pools=7", check=False)
    assert refused.returncode == 1
    assert "detector.pools=7 is more than detector.convs=8" not in refused.stderr
    assert "detector.image_size_px=32 cannot be: at most 5 pools" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_another_training_downloads_nothing_and_dvc_shows_what_it_changed(clone: Clone) -> None:
    shown = json.loads(clone.dvc("metrics", "show", "--json").stdout)[""]["data"]
    assert "mean_iou" in shown["metrics/detection.json"]["data"]["synthetic"]["test"]
    clone.lpr("params", *TINY, "train.epochs=1", "optimizer.learning_rate=2e-3")
    assert ran(clone.dvc("repro")) == ["config", "train", "evaluate", "read", "report"]
    changed = json.loads(clone.dvc("metrics", "diff", "--json").stdout)
    assert changed["metrics/training.json"]["epochs"] == {"old": 2, "new": 1, "diff": -1}
    clone.dvc("plots", "show")
    assert (clone.folder / "dvc_plots" / "index.html").is_file()


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


def test_two_clones_give_the_same_bytes_and_another_seed_others(tiny_run: Clone, tmp_path: Path) -> None:
    from clones import clone_project

    other = clone_project(tmp_path / "again")
    other.lpr("params", *TINY)
    other.dvc("repro")
    first, second = outputs(tiny_run), outputs(other)
    assert {path for path in first if first[path] != second[path]} <= MOVING
    assert (other.folder / "metrics" / "recognition.json").read_text() == (
        tiny_run.folder / "metrics" / "recognition.json"
    ).read_text()

    other.lpr("params", *TINY, "seed=1")
    other.dvc("repro")
    changed = {path for path, md5 in outputs(other).items() if first[path] != md5}
    alike = {"data/checked.txt", "data/rejects.csv", "data/failures.csv"}  # the first says yes, the others are empty
    counts = {f"metrics/{name}.json" for name in ("annotate", "download", "split", "training")}
    assert changed >= set(first) - alike - counts - MOVING


def test_a_changed_local_json_is_noticed(clone: Clone, tmp_path: Path) -> None:
    """Annotations outside the repository are dependencies, too."""
    drawn = clone.folder / "data" / "sources" / "synthetic"
    annotations = tmp_path / "mine.json"
    lines = (drawn / "annotations.json").read_text().splitlines()
    (tmp_path / "images").mkdir()
    for image in (drawn / "images").iterdir():
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
    clone.lpr("params", *mine, f"data.image_root={tmp_path / 'images'}")
    clone.dvc("repro", "split")
    assert len((clone.folder / "data" / "split.csv").read_text().splitlines()) == 21
    assert ran(clone.dvc("repro", "split")) == []
    annotations.write_text("\n".join(lines) + "\n")
    assert ran(clone.dvc("repro", "split"))[0] == "source@0"
    assert len((clone.folder / "data" / "split.csv").read_text().splitlines()) == 25
    assert len(list((clone.folder / "data" / "images").glob("*.jpg"))) == 24


def test_a_json_by_url_needs_its_server_once(clone: Clone, tmp_path: Path) -> None:
    """Images and annotations over HTTP; afterwards, `dvc repro` needs no network to find that all is done."""
    drawn = clone.folder / "data" / "sources" / "synthetic"
    (tmp_path / "bucket").mkdir()
    for path in (drawn / "annotations.json", *(drawn / "images").iterdir()):
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


def test_sets_train_or_are_tested_and_are_scored_each_by_itself(clone: Clone, tmp_path: Path) -> None:
    here = "{name: here, kind: synthetic, role: train, scenes: 20, seed: 1}"
    there = "{name: there, kind: synthetic, role: test, scenes: 8, seed: 2}"
    (tmp_path / "images").mkdir()
    for number in range(3):
        Image.effect_noise((64, 48), 20 * number).save(tmp_path / "images" / f"{number}.png")
    rows = "".join(f"{number}.png,64,48,,,,\n" for number in range(3))
    (tmp_path / "empty.csv").write_text(f"image,width,height,xmin,ymin,xmax,ymax\n{rows}")
    streets = f"{{name: streets, kind: table, role: both, where: {tmp_path / 'empty.csv'}}}"
    others = [override for override in TINY if "scenes" not in override]
    clone.lpr("params", *others, "train.epochs=1", f"data.sources=[{here},{there},{streets}]")
    clone.dvc("repro")
    detection = json.loads((clone.folder / "metrics" / "detection.json").read_text())
    streets_seen = detection.pop("streets")
    assert {source: set(sides) for source, sides in detection.items()} == {
        "here": {"train", "validation"},
        "there": {"test"},
    }
    # Of images without plates, there is nothing to find; the tiny network sees a plate everywhere.
    assert sum(scores["false_positives_per_image"]["n"] for scores in streets_seen.values()) == 3
    assert {name for scores in streets_seen.values() for name in scores} == {"false_positives_per_image"}
    assert "streets" in (clone.folder / "reports" / "predictions.csv").read_text()
    assert "streets" not in (clone.folder / "reports" / "detections.csv").read_text()
    assert "false_positives_per_image" in (clone.folder / "reports" / "index.html").read_text()
    assert not (clone.folder / "data" / "sources" / "synthetic").exists()


@pytest.mark.parametrize("verb", ["annotate", "download", "split", "train", "evaluate", "read"])
def test_a_stage_without_its_input_says_what_makes_it(project: Path, verb: str) -> None:
    clone = Clone(project)
    clone.environment.pop("PYTHONPATH")
    clone.lpr("params", "tracking=off")
    failed = clone.lpr(verb, check=False)
    assert failed.returncode == 1
    assert "dvc repro" in failed.stderr
    assert "Traceback" not in failed.stderr
