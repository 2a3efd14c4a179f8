"""`lpr compare` of experiments in folders, in Git, and in DVC's cache."""

import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from clones import TINY, Clone

from lpr.data.tables import read_table, write_table
from lpr.experiment import compare
from lpr.experiment.results import load

DETECTIONS = "reports/detections.csv"
CACHED = "data/split.csv", "reports/predictions.csv", DETECTIONS, "reports/recognitions.csv"


def copy_run(clone: Clone, name: str) -> Path:
    """A finished run with the results of the workspace, as `lpr experiment` lays it out."""
    folder = clone.folder / "experiments" / name
    for path in (*CACHED, "params.yaml", "metrics/detection.json"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clone.folder / path, folder / path)
    (folder / ".hydra").mkdir()
    (folder / "finished.json").write_text('{"seconds": 60.0}')
    return folder


def change(folder: Path, **columns: object) -> None:
    """Other values in the table of detections; a split in those of images and predictions, too."""
    for path in CACHED[:3] if "split" in columns else (DETECTIONS,):
        table = read_table(folder / path)
        values = {name: value(table) if callable(value) else value for name, value in columns.items()}
        write_table(table.assign(**values), folder / path)


@pytest.fixture
def workspace(tiny_run: Clone, tmp_path: Path) -> Clone:
    """A copy of the tiny run with a run folder `experiments/right`, all of whose boxes are right."""
    clone = tiny_run.copy(tmp_path / "clone", "models", ".lpr", "cache")
    run = copy_run(clone, "right")
    corners = ("top_x", "top_y", "bottom_x", "bottom_y")
    change(run, iou=1.0, **{f"predicted_{name}": lambda table, name=name: table[name] for name in corners})
    params = yaml.safe_load((run / "params.yaml").read_text())
    params["detector"]["filters"] = 99
    (run / "params.yaml").write_text(yaml.safe_dump(params))
    return clone


def test_the_workspace_against_a_run(workspace: Clone) -> None:
    printed = workspace.lpr_in_process("compare", ".", "experiments/right").stdout
    folder = workspace.folder / "experiments/comparisons/workspace_vs_experiments-right"
    assert re.search(r"experiments/right: detector.filters \d+ → 99\n", printed)
    assert "left out" not in printed
    table = pd.read_csv(folder / "comparison.csv").set_index("metric")
    plates = read_table(workspace.folder / DETECTIONS).query("split == 'test'")
    assert table.loc["mean_iou", "baseline"] == pytest.approx(plates["iou"].mean())
    assert table.loc["mean_iou", "other"] == 1
    assert table.loc["mean_iou", "n"] == len(plates)
    assert re.search(rf"mean_iou +{len(plates)} +\d\.\d{{3}} +1\.000 +\+\d\.\d{{3}} \[", printed)
    assert (folder / "comparison.png").stat().st_size > 10_000
    for path in ("comparison.csv", "comparison.png", "index.html"):
        assert f"{folder.relative_to(workspace.folder)}/{path}" in printed


def test_the_page_shows_the_disagreements_and_asks_for_nothing_but_itself(workspace: Clone) -> None:
    workspace.lpr_in_process("compare", ".", "experiments/right", "--output", "page")
    page = (workspace.folder / "page/index.html").read_text()
    plates = read_table(workspace.folder / DETECTIONS).query("split == 'test'")
    assert page.count("<figure>") == page.count('"data:image/jpeg') == min(12, len(plates))
    least = plates.sort_values("iou").iloc[0]
    assert f"+{1 - least['iou']:.2f}" in page
    assert "not in DVC's cache" not in page
    addresses = re.findall(r"""(?:src|href|action|data|srcset)=["']([^"']*)""", page)
    assert {address[:5] for address in addresses} == {"data:"}
    assert not re.search(r"https?://|url\(|@import|<script", page)


def test_an_experiment_that_finds_nothing_is_worse_and_has_its_page(workspace: Clone) -> None:
    corners = (f"predicted_{name}" for name in ("top_x", "top_y", "bottom_x", "bottom_y"))
    change(copy_run(workspace, "blind"), iou=0.0, confidence=float("nan"), **dict.fromkeys(corners, float("nan")))
    workspace.lpr_in_process("compare", "experiments/right", "experiments/blind", "--output", "page")
    table = pd.read_csv(workspace.folder / "page/comparison.csv").set_index("metric")
    assert table.loc["mean_iou", ["baseline", "other"]].tolist() == [1, 0]
    assert "higher IoU: experiments/right" in (workspace.folder / "page/index.html").read_text()


def test_an_experiment_from_before_a_key_existed_is_compared_by_its_default(workspace: Clone) -> None:
    path = workspace.folder / "experiments/right/params.yaml"
    params = yaml.safe_load(path.read_text())
    threshold = params["ocr"].pop("low_confidence_threshold")
    del params["metrics"]
    path.write_text(yaml.safe_dump(params))
    printed = workspace.lpr_in_process("compare", ".", "experiments/right").stdout
    notes = [line for line in printed.splitlines() if "has no key" in line]
    assert (
        f"experiments/right has no key ocr.low_confidence_threshold: it is compared as if it were {threshold}" in notes
    )
    assert [line.split(":")[0] for line in notes if "metrics" in line] == [
        f"experiments/right has no key metrics.{kind}" for kind in ("detection", "recognition")
    ]
    assert re.search(r"(?m)^experiments/right: detector.filters \d+ → 99$", printed)
    assert re.search(r"mean_iou +\d+ ", printed)


def test_a_metric_of_ones_own_is_compared_with_those_of_the_package(
    workspace: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.folder / "own_metrics.py").write_text(
        "from lpr.metrics.base import RatioMetric\n"
        "METRIC = RatioMetric(name='miss_rate', meaning='share of plates with an IoU below 0.9', unit='plate',\n"
        "    numerators=lambda cases: cases.plates['iou'] < 0.9, higher_is_better=False)\n"
    )
    monkeypatch.syspath_prepend(workspace.folder)
    path = workspace.folder / "experiments/right/params.yaml"
    params = yaml.safe_load(path.read_text())
    params["metrics"]["detection"].append("own_metrics")
    path.write_text(yaml.safe_dump(params))
    printed = workspace.lpr_in_process("compare", ".", "experiments/right", "--output", "own").stdout
    table = pd.read_csv(workspace.folder / "own/comparison.csv").set_index("metric")
    wrong = (read_table(workspace.folder / DETECTIONS).query("split == 'test'")["iou"] < 0.9).mean()
    assert table.loc["miss_rate", ["baseline", "other", "difference"]].tolist() == pytest.approx([wrong, 0, -wrong])
    assert table.loc["miss_rate", "verdict"] != "worse"
    assert "Lower is better of false_positives_per_image, miss_rate, true/cer, predicted/cer." in printed
    assert {"false_positives_per_image", "true/cer", "predicted/cer"} <= set(table.index)


def test_what_only_one_tested_is_left_out_and_named(workspace: Clone) -> None:
    images = read_table(workspace.folder / DETECTIONS).query("split == 'test'")["image"].unique()
    run = workspace.folder / "experiments/right"
    change(run, split=lambda table: table["split"].where(table["image"] != images[0], "train"))
    printed = workspace.lpr_in_process("compare", ".", "experiments/right").stdout
    assert f"left out: 1 of {len(images)} test images" in printed
    assert "which only workspace tested" in printed
    assert "which only experiments/right tested" not in printed


def test_other_test_images_and_other_truth_are_refused(workspace: Clone) -> None:
    run = workspace.folder / "experiments/right"
    change(run, top_x=lambda table: table["top_x"] - 1)
    relabelled = workspace.lpr_in_process("compare", ".", "experiments/right", check=False)
    assert relabelled.returncode == 1
    assert "of the same images by other true boxes or texts" in relabelled.stderr
    change(run, split=lambda table: table["split"].map({"test": "train", "train": "test", "validation": "train"}))
    other = workspace.lpr_in_process("compare", ".", "experiments/right", check=False)
    assert other.returncode == 1
    assert "tested none of the same images" in other.stderr
    assert not (workspace.folder / "experiments/comparisons").exists()


def test_all_that_cannot_be_compared_is_named_in_one_message(workspace: Clone) -> None:
    failed, killed = copy_run(workspace, "failed"), copy_run(workspace, "killed")
    (failed / "failure.txt").write_text("at most 5 pools\n")
    (killed / "finished.json").unlink()
    done = workspace.lpr_in_process("compare", "nowhere", "experiments/failed", "experiments/killed", check=False)
    assert done.returncode == 1
    assert "nowhere is no experiment's folder, Git revision or DVC experiment" in done.stderr
    assert "experiments/failed failed, and cannot be compared: at most 5 pools" in done.stderr
    assert "experiments/killed is not finished" in done.stderr
    assert "Name a second experiment" in workspace.lpr_in_process("compare", "HEAD", check=False).stderr


def test_a_workspace_that_mixes_experiments_is_refused(workspace: Clone) -> None:
    change(workspace.folder, iou=0.5)
    assert "is not the one of dvc.lock" in workspace.lpr_in_process("compare", ".", "HEAD", check=False).stderr
    params = (workspace.folder / "params.yaml").read_text()
    (workspace.folder / "params.yaml").write_text(re.sub(r"(?m)^  epochs: \d+", "  epochs: 77", params))
    done = workspace.lpr_in_process("compare", ".", "HEAD", check=False)
    assert "its results were made before train changed in params.yaml" in done.stderr


@pytest.mark.slow
def test_a_dvc_experiment_against_a_revision_and_from_the_cache_or_a_remote(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.dvc("remote", "add", "--default", "store", str(tmp_path / "store"))
    clone.commit("a remote")
    settings = [*TINY, "ocr.margin=0.2"]
    clone.dvc("exp", "run", "--name", "wide", *(f"--set-param={override}" for override in settings), "ocr")
    clone.run("git", "checkout", "--quiet", ".")
    printed = clone.lpr_in_process("compare", "HEAD", "wide").stdout
    assert re.search(r"wide: ocr.margin [\d.]+ → 0.2\n", printed)
    assert "wide" in clone.lpr_in_process("compare").stdout
    page = (clone.folder / "experiments/comparisons/HEAD_vs_wide/index.html").read_text()
    assert "Largest differences" in page

    # All that `dvc push` and `dvc exp push` would have sent, without the minutes of sending the images.
    shutil.copytree(clone.folder / ".dvc/cache", tmp_path / "store")
    shutil.rmtree(clone.folder / ".dvc/cache")
    missing = clone.lpr_in_process("compare", "HEAD", "wide", check=False)
    assert missing.returncode == 1
    commands = re.findall(r"^.*?(\w+): not in DVC's cache: (.*?)\. To fetch: (.*)$", missing.stderr, re.MULTILINE)
    assert [(name, files) for name, files, _ in commands] == [
        ("HEAD", ", ".join(CACHED)),
        ("wide", ", ".join(CACHED)),
    ]
    before = clone.run("git", "status", "--porcelain").stdout
    for *_, command in commands:
        assert command.startswith(("dvc fetch ", "dvc exp pull "))
        clone.dvc(*command.split()[1:])
    assert clone.lpr_in_process("compare", "HEAD", "wide").stdout == printed
    assert clone.run("git", "status", "--porcelain").stdout == before
    monkeypatch.chdir(clone.folder)
    assert load("wide", Path()).config["ocr"]["margin"] == 0.2


def test_without_names_it_lists_what_there_is(workspace: Clone) -> None:
    copy_run(workspace, "sweep/0")
    (workspace.folder / "experiments/sweep/multirun.yaml").write_text("")
    copy_run(workspace, "gate/may/loss=mse/0")
    (workspace.folder / "experiments/gate/may/multirun.yaml").write_text("")
    copy_run(workspace, "gate/alone")
    path = workspace.folder / "metrics/detection.json"
    scores = json.loads(path.read_text())
    path.write_text(
        json.dumps(scores | {"synthetic_original_boxes": {"margins": {"left": 0.1}, **scores["synthetic"]}})
    )
    lines = workspace.lpr_in_process("compare").stdout.splitlines()
    shown = {line[2:].split("  ")[0].strip(): line for line in lines if re.match("  [^ ]", line)}
    listed = {"right", "sweep", "gate/may", "gate/alone"}
    assert {"HEAD, master", ". (the workspace)", *(f"experiments/{name}" for name in listed)} == set(shown)
    assert re.search(r"synthetic 0\.\d{3} / [01]\.\d{3}", shown["HEAD, master"])
    assert shown[". (the workspace)"].count("synthetic") == 1  # each plate once
    assert all("jobs with scores: 1" in shown[f"experiments/{sweep}"] for sweep in ("sweep", "gate/may"))
    assert max(map(len, lines)) <= 120


def test_the_list_starts_without_heavy_libraries(workspace: Clone) -> None:
    code = "import sys; from lpr.cli.main import main; main(['compare']); print(sorted(sys.modules), file=sys.stderr)"
    done = workspace.run(sys.executable, "-c", code)
    loaded = set(re.findall(r"'(\w+)'", done.stderr))
    assert "lpr" in loaded
    assert not loaded & {"tensorflow", "keras", "pandas", "scipy", "matplotlib", "dvc", "hydra", "wandb"}


def test_outside_a_repository_there_is_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    compare.run([], None, None)
    assert "nothing has been run yet" in capsys.readouterr().out
