"""`lpr compare` on experiments in folders, in Git, and in DVC's cache."""

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

CACHED = "reports/detections.csv", "reports/recognitions.csv"


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
    """Other values in the table of detections."""
    table = read_table(folder / CACHED[0])
    values = {name: value(table) if callable(value) else value for name, value in columns.items()}
    write_table(table.assign(**values), folder / CACHED[0])


@pytest.fixture
def workspace(tiny_run: Clone, tmp_path: Path) -> Clone:
    """A copy of the tiny run with a run folder `experiments/right`, all of whose boxes are right."""
    clone = tiny_run.copy(tmp_path / "clone", "models", ".lpr")
    run = copy_run(clone, "right")
    corners = ("top_x", "top_y", "bottom_x", "bottom_y")
    change(run, iou=1.0, **{f"predicted_{name}": lambda table, name=name: table[name] for name in corners})
    params = yaml.safe_load((run / "params.yaml").read_text())
    params["detector"]["filters"] = 99
    (run / "params.yaml").write_text(yaml.safe_dump(params))
    return clone


def test_the_workspace_against_a_run(workspace: Clone) -> None:
    said = workspace.lpr("compare", ".", "experiments/right").stdout
    folder = workspace.folder / "experiments/comparisons/workspace_vs_experiments-right"
    assert re.search(r"experiments/right: detector.filters \d+ → 99\n", said)
    assert "left out" not in said
    table = pd.read_csv(folder / "comparison.csv").set_index("metric")
    plates = read_table(workspace.folder / CACHED[0]).query("split == 'test'")
    assert table.loc["mean_iou", "baseline"] == pytest.approx(plates["iou"].mean())
    assert table.loc["mean_iou", "other"] == 1
    assert table.loc["mean_iou", "plates"] == len(plates)
    assert re.search(rf"mean_iou +{len(plates)} +\d\.\d{{3}} +1\.000 +\+\d\.\d{{3}} \[", said)
    assert (folder / "comparison.png").stat().st_size > 10_000
    for path in ("comparison.csv", "comparison.png", "index.html"):
        assert f"{folder.relative_to(workspace.folder)}/{path}" in said


def test_the_page_shows_the_disagreements_and_asks_for_nothing_but_itself(workspace: Clone) -> None:
    workspace.lpr("compare", ".", "experiments/right", "--output", "page")
    page = (workspace.folder / "page/index.html").read_text()
    plates = read_table(workspace.folder / CACHED[0]).query("split == 'test'")
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
    workspace.lpr("compare", "experiments/right", "experiments/blind", "--output", "page")
    table = pd.read_csv(workspace.folder / "page/comparison.csv").set_index("metric")
    assert table.loc["mean_iou", ["baseline", "other"]].tolist() == [1, 0]
    assert "the box of experiments/right is better" in (workspace.folder / "page/index.html").read_text()


def test_what_only_one_tested_is_left_out_and_told(workspace: Clone) -> None:
    images = read_table(workspace.folder / CACHED[0]).query("split == 'test'")["image"].unique()
    run = workspace.folder / "experiments/right"
    change(run, split=lambda table: table["split"].where(table["image"] != images[0], "train"))
    said = workspace.lpr("compare", ".", "experiments/right").stdout
    assert f"left out: 1 of {len(images)} test images" in said
    assert "which only workspace tested" in said
    assert "which only experiments/right tested" not in said


def test_other_test_images_and_other_truth_are_refused(workspace: Clone) -> None:
    run = workspace.folder / "experiments/right"
    change(run, top_x=lambda table: table["top_x"] - 1)
    relabelled = workspace.lpr("compare", ".", "experiments/right", check=False)
    assert relabelled.returncode == 1
    assert "of the same images by other true boxes or texts" in relabelled.stderr
    change(run, split=lambda table: table["split"].map({"test": "train", "train": "test", "validation": "train"}))
    other = workspace.lpr("compare", ".", "experiments/right", check=False)
    assert other.returncode == 1
    assert "tested none of the same images" in other.stderr
    assert not (workspace.folder / "experiments/comparisons").exists()


def test_what_cannot_be_compared_is_said_at_once(workspace: Clone) -> None:
    failed, killed = copy_run(workspace, "failed"), copy_run(workspace, "killed")
    (failed / "failure.txt").write_text("at most 5 pools\n")
    (killed / "finished.json").unlink()
    done = workspace.lpr("compare", "nowhere", "experiments/failed", "experiments/killed", check=False)
    assert done.returncode == 1
    assert "nowhere is no experiment's folder, Git revision or DVC experiment" in done.stderr
    assert "experiments/failed failed, and cannot be compared: at most 5 pools" in done.stderr
    assert "experiments/killed is not finished" in done.stderr
    assert "Name a second experiment" in workspace.lpr("compare", "HEAD", check=False).stderr


def test_a_workspace_that_mixes_experiments_is_refused(workspace: Clone) -> None:
    change(workspace.folder, iou=0.5)
    assert "is not the one of dvc.lock" in workspace.lpr("compare", ".", "HEAD", check=False).stderr
    params = (workspace.folder / "params.yaml").read_text()
    (workspace.folder / "params.yaml").write_text(re.sub(r"(?m)^  epochs: \d+", "  epochs: 77", params))
    done = workspace.lpr("compare", ".", "HEAD", check=False)
    assert "its results were made before train changed in params.yaml" in done.stderr


def test_a_dvc_experiment_against_a_revision_and_from_the_cache_or_a_remote(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.dvc("remote", "add", "--default", "store", str(tmp_path / "store"))
    clone.commit("a remote")
    settings = [*TINY, "ocr.margin=0.2"]
    clone.dvc("exp", "run", "--name", "wide", *(f"--set-param={override}" for override in settings))
    clone.run("git", "checkout", "--quiet", ".")
    said = clone.lpr("compare", "HEAD", "wide").stdout
    assert re.search(r"wide: ocr.margin [\d.]+ → 0.2\n", said)
    assert "wide" in clone.lpr("compare").stdout
    page = (clone.folder / "experiments/comparisons/HEAD_vs_wide/index.html").read_text()
    assert "Where they disagree most" in page

    # All that `dvc push` and `dvc exp push` would have sent, without the minutes of sending the images.
    shutil.copytree(clone.folder / ".dvc/cache", tmp_path / "store")
    shutil.rmtree(clone.folder / ".dvc/cache")
    missing = clone.lpr("compare", "HEAD", "wide", check=False)
    assert missing.returncode == 1
    commands = re.findall(r"^.*?(\w+): not in DVC's cache: (.*?)\. To fetch: (.*)$", missing.stderr, re.MULTILINE)
    assert [(name, files) for name, files, _ in commands] == [
        ("HEAD", "reports/detections.csv, reports/recognitions.csv"),
        ("wide", "reports/detections.csv, reports/recognitions.csv"),
    ]
    before = clone.run("git", "status", "--porcelain").stdout
    for *_, command in commands:
        assert command.startswith(("dvc fetch ", "dvc exp pull "))
        clone.dvc(*command.split()[1:])
    assert clone.lpr("compare", "HEAD", "wide").stdout == said
    assert clone.run("git", "status", "--porcelain").stdout == before
    monkeypatch.chdir(clone.folder)
    assert load("wide", Path()).config["reader"]["margin"] == 0.2


def test_without_names_it_lists_what_there_is(workspace: Clone) -> None:
    copy_run(workspace, "sweep/0")
    (workspace.folder / "experiments/sweep/multirun.yaml").write_text("")
    path = workspace.folder / "metrics/detection.json"
    scores = json.loads(path.read_text())
    path.write_text(
        json.dumps(scores | {"synthetic_original_boxes": {"margins": {"left": 0.1}, **scores["synthetic"]}})
    )
    lines = workspace.lpr("compare").stdout.splitlines()
    shown = {line[2:].split("  ")[0].strip(): line for line in lines if re.match("  [^ ]", line)}
    assert {"HEAD, master", "experiments/right", "experiments/sweep", ". (the workspace)"} == set(shown)
    assert re.search(r"synthetic 0\.\d{3} / [01]\.\d{3}", shown["HEAD, master"])
    assert shown[". (the workspace)"].count("synthetic") == 1  # each plate once
    assert "jobs with scores: 1" in shown["experiments/sweep"]
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
