"""The tables of README and docs/ are those of docs/results/*.json, and these files are whole."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import results  # noqa: E402
import tables  # noqa: E402

FILES = sorted(tables.RESULTS.glob("*.json"))
HEADLINE = "headline"
REQUIRED = {"title", "command", "commit", "date", "machine", "data", "interval", "rows", "notes"}
WITHOUT_COMMAND = {"best_first_version", "label_margins"}  # the text that they are from names none


def figures(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for row in document["rows"] for cell in row.values() if isinstance(cell, dict)]


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_pages_have_the_tables_of_the_files(page: Path) -> None:
    assert tables.filled(page.read_text()) == page.read_text(), "run: python benchmarks/tables.py"


def test_every_file_is_on_a_page() -> None:
    pages = "".join(page.read_text() for page in tables.PAGES)
    assert [path.stem for path in FILES if f"<!-- results: {path.stem}" not in pages] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != HEADLINE], ids=lambda path: path.stem)
def test_a_file_says_how_it_was_measured(path: Path) -> None:
    document = json.loads(path.read_text())
    assert document.keys() - {"transcribed_from"} == REQUIRED
    assert document["title"]
    assert document["data"] or "transcribed_from" in document
    assert document["command"] or path.stem in WITHOUT_COMMAND
    assert document["interval"].removesuffix(" interval") in " ".join(results.INTERVALS)
    if "transcribed_from" not in document:
        assert all(document[key] for key in ("command", "commit", "date", "machine"))
    assert document["machine"] is None or document["machine"].keys() == {"cpu", "cores", "bf16"}


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != HEADLINE], ids=lambda path: path.stem)
def test_intervals_contain_their_values(path: Path) -> None:
    shown = figures(json.loads(path.read_text()))
    assert shown
    for figure in shown:
        assert isinstance(figure["value"], int | float)
        assert ("low" in figure) == ("high" in figure)
        if "low" in figure:
            assert figure["low"] <= figure["value"] <= figure["high"]
        if "n" in figure:
            assert figure["n"] > 0


def test_the_headline_table_has_no_figures_of_its_own() -> None:
    headline = json.loads((tables.RESULTS / f"{HEADLINE}.json").read_text())
    assert all(cell.keys() == {"from", "where", "column"} for cell in figures(headline))
    assert all("value" in cell and "n" in cell for cell in figures(tables.load(HEADLINE)))


def test_a_benchmark_writes_a_file_that_becomes_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks/start.py", "3", "data.root=/a/folder", "--output", "/x/y.json"])
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    rows = [
        {
            "what": "first",
            "score": results.metric(0.5, 0.25, 0.75, 40),
            "time": results.median_of([1.0, 3.0, 2.0], "s"),
        },
        {"what": "second", "score": results.metric(1 / 3)},
    ]
    results.write_results(tmp_path / "made.json", "A title", "some data", rows, notes=["a note"])
    document = json.loads((tmp_path / "made.json").read_text())
    assert document["command"] == "python benchmarks/start.py 3 data.root=folder"
    assert document["machine"]["cores"] >= 1
    assert document["commit"]
    shown = tables.table("made")
    assert "| what | score | time |" in shown
    shown = shown.replace("\N{NO-BREAK SPACE}", " ")
    assert "| first | 0.500 [0.250, 0.750] (n=40) | 2.00 s [1.00, 3.00] (n=3) |" in shown
    assert "| second | 0.333 |  |" in shown
    assert "Some data; `python benchmarks/start.py 3 data.root=folder`; brackets: 95 % bootstrap interval;" in shown
    assert "- a note\n" in shown


def test_results_of_equal_n_have_a_column_of_it() -> None:
    rows = [{"set": "a", "x": results.metric(1.0, n=7), "y": results.metric(2.0, n=7)}, {"set": "b", "x": {"value": 3}}]
    assert tables.markdown(rows).splitlines()[2:] == ["| a | 7 | 1.000 | 2.000 |", "| b |  | 3.000 |  |"]


def test_the_default_run_is_that_of_the_metrics() -> None:
    """What `make repro` left in metrics/ is on the pages: else run `python benchmarks/default_run.py --output …`."""
    scores = json.loads((ROOT / "metrics" / "detection.json").read_text())["synthetic"]["test"]
    rows = json.loads((tables.RESULTS / "default_run.json").read_text())["rows"]
    assert scores["mean_iou"] in [row["mean_iou"] for row in rows]


HEADERS = {"best": "best_folds", "default": "default_run", "original": "original", "original_6conv": "original"}


@pytest.mark.parametrize(("experiment", "name"), HEADERS.items())
def test_headers_of_experiments_have_figures_of_the_files(experiment: str, name: str) -> None:
    text = (ROOT / "conf" / "experiment" / f"{experiment}.yaml").read_text()
    header = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    reached = header[header.index("reached:") :].replace("recall@0.5", "")
    measured = [figure["value"] for figure in figures(tables.load(name))]
    shown = [float(number) for number in re.findall(r"\d\.\d\d", reached)]
    assert shown
    assert [number for number in shown if min(abs(number - value) for value in measured) > 0.0055] == []
