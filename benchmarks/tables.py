"""Write the tables of README.md, docs/*.md and the detector's card from docs/results/*.json.

    python benchmarks/tables.py

In a page, a table stands between `<!-- results: NAME -->` and `<!-- end -->`. `NAME: column, column` chooses the
columns and their order. Pages are changed only between these lines.

A column is a key of the rows. Text is shown as it is, a metric as `value [low, high]`, `value ±deviation`, or a value
alone, where no interval was measured. Where the metrics of a row have different n, each shows its own.

`docs/results/headline.json` has no figures of its own: a metric there is a reference, `{"from": NAME, "where": LABELS,
"column": KEY}`, to that of the one row of another file which has these labels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from checkout import ROOT

RESULTS = ROOT / "docs" / "results"
CARD = ROOT / "lpr" / "detection" / "weights" / "README.md"
PAGES = [ROOT / "README.md", CARD, *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"(<!-- results: ([a-z0-9_]+)(?:: ([^\n]+?))? -->\n).*?(<!-- end -->)", re.DOTALL)
_NO_BREAK = "\N{NO-BREAK SPACE}"


def main() -> None:
    for page in PAGES:
        before = page.read_text()
        after = filled(before)
        if after != before:
            page.write_text(after)
            print(f"wrote {page.relative_to(ROOT)}")


def filled(page: str) -> str:
    """The page with all its tables written anew."""
    return _BLOCK.sub(lambda found: found[1] + table(found[2], found[3]) + found[4], page)


def load(name: str) -> dict[str, Any]:
    """A results file, with its references replaced by what they refer to."""
    document: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    for row in document["rows"]:
        for column, cell in row.items():
            if isinstance(cell, dict) and "from" in cell:
                rows = load(cell["from"])["rows"]
                (found,) = (one for one in rows if cell["where"].items() <= one.items())
                row[column] = found[cell["column"]]
    return document


def table(name: str, columns: str | None = None) -> str:
    """The table of a results file in Markdown, and below it how it was measured."""
    document = load(name)
    shown = markdown(document["rows"], columns.split(", ") if columns else None)
    return f"\n{shown}\n{provenance(name, document)}\n"


def markdown(rows: Sequence[dict[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Rows of labels and metrics as a Markdown table; without `columns`, all, in the order in which rows bring them."""
    chosen = columns or list(dict.fromkeys(key for row in rows for key in row))
    labels = [column for column in chosen if not any(isinstance(row.get(column), dict) for row in rows)]
    metrics = [column for column in chosen if column not in labels]
    counted = [{row[column]["n"] for column in metrics if column in row and "n" in row[column]} for row in rows]
    one_n = any(counted) and all(len(n) <= 1 for n in counted)
    heads = [*labels, *(["n"] if one_n else []), *metrics]
    lines = [heads, ["---"] * len(heads)]
    for row, n in zip(rows, counted, strict=True):
        texts = [str(row.get(column, "")) for column in labels]
        if one_n:
            texts.append(str(*n))
        lines.append([*texts, *(cell(row.get(column), with_n=not one_n) for column in metrics)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(figure: dict[str, Any] | None, with_n: bool) -> str:
    """A metric as a cell shows it."""
    if figure is None:
        return ""
    unit = figure.get("unit")
    signed = "+" if figure.get("signed") else ""

    def number(value: float) -> str:
        return f"{value:{signed}.{figure.get('digits', 2 if unit else 3)}f}".replace("-", "−")

    text = number(figure["value"]) + (f"{_NO_BREAK}{unit}" if unit else "")
    if "low" in figure:
        text += f" [{number(figure['low'])},{_NO_BREAK}{number(figure['high'])}]"
    if "deviation" in figure:
        text += f" ±{figure['deviation']:.3f}"
    if "p" in figure:
        text += f", p={figure['p']:g}"
    if with_n and "n" in figure:
        text += f" (n={figure['n']})"
    return text


def provenance(name: str, document: dict[str, Any]) -> str:
    """What stands below a table: data, command, interval, machine, commit, the file, and the notes as a list."""
    figures = [value for row in document["rows"] for value in row.values() if isinstance(value, dict)]
    told = [document["data"]] if document.get("data") else []
    if document.get("command"):
        told.append(f"`{document['command']}`")
    if any("low" in figure for figure in figures):
        told.append(f"brackets: {document['interval']}")
    if any("deviation" in figure for figure in figures):
        told.append("±: standard deviation")
    if at := document.get("machine"):
        bf16 = {True: "with bf16", False: "without bf16"}.get(at["bf16"], "")
        told.append(" ".join(filter(None, (at["cpu"] and f"{at['cpu']},", f"{at['cores']} cores", bf16))))
    if document.get("commit"):
        told.append(f"commit {document['commit']}")
    told.append(f"`docs/results/{name}.json`")
    notes = "".join(f"- {note}\n" for note in document["notes"])
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}.\n" + (f"\n{notes}" if notes else "")


if __name__ == "__main__":
    main()
