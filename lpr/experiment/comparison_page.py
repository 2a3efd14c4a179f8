"""The page and the image of a comparison: by how much experiments differ, and on which images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from lpr.boxes import PREDICTED_BOX_COLUMNS
from lpr.metrics.comparison import LEVEL, PLATE_IDENTITY, Difference
from lpr.report.canvas import INK, LINE_COLOURS, new_figure, plain, save, tidy
from lpr.report.detection_figures import boxes_of, draw_disagreement
from lpr.report.page import Table, jpeg, png, template

if TYPE_CHECKING:
    from lpr.experiment.results import Result

_CARDS = 12  # each way, of each experiment and test set
_MOST_CARDS = 240  # of a page, which so stays below 20 MB
_IMAGE_PX = 480
_SUFFIXES = ("_baseline", "_other")


def draw_differences(differences: Mapping[str, Sequence[Difference]], baseline: str, path: Path) -> None:
    """Each score's difference to the baseline with its interval, as PNG: a panel per test set, a colour per experiment.

    Where lower is better, a difference is drawn with the opposite sign, so that better is always to the right.
    Marks are filled where the corrected p-value is below `LEVEL`.
    """
    metrics = {one.metric: one.higher_is_better for part in differences.values() for one in part}
    rows = {metric: row for row, metric in enumerate(metrics)}
    sources = list(dict.fromkeys(one.source for part in differences.values() for one in part))
    height = 0.45 + 0.16 * len(differences)
    figure = new_figure(8.6, 0.6 + len(sources) * (0.8 + height * len(metrics)) + 0.25 * len(differences))
    for panel, source in zip(figure.subplots(len(sources), 1, squeeze=False).flat, sources, strict=True):
        for index, (name, part) in enumerate(differences.items()):
            ones = [one for one in part if one.source == source]
            places = [rows[one.metric] + 0.7 * ((index + 0.5) / len(differences) - 0.5) for one in ones]
            colour = LINE_COLOURS[index % len(LINE_COLOURS)]
            for one, place in zip(ones, places, strict=True):
                score = one.difference
                sign = 1 if one.higher_is_better else -1
                ends = [sign * score.low, sign * score.high]
                panel.plot(ends, [place, place], color=colour, linewidth=2, solid_capstyle="butt")
                face = colour if one.p_corrected < LEVEL else "white"
                panel.plot(sign * score.value, place, "o", color=colour, markerfacecolor=face, markersize=7)
            panel.plot([], [], "o-", color=colour, label=plain(name))
        panel.axvline(0, color=INK, linewidth=1)
        panel.set_yticks(range(len(metrics)), [name if higher else f"− {name}" for name, higher in metrics.items()])
        panel.set_ylim(len(metrics) - 0.5, -0.5)
        panel.set_title(plain(source), loc="left", fontsize=11, fontweight="bold", color=INK)
        panel.set_xlabel(
            plain(f"difference to {baseline}: better →   (filled: p < {LEVEL:g}, corrected; −: lower is better)")
        )
        tidy(panel)
    figure.legend(*panel.get_legend_handles_labels(), loc="outside upper left", frameon=False)
    save(figure, path)


def write_comparison(
    baseline: Result, others: Sequence[Result], tables: Sequence[Table], paragraphs: Sequence[str], folder: Path
) -> None:
    """Write `index.html`: tables, the image, and the images on which the experiments disagree most.

    Args:
        baseline: what the others are compared with.
        others: the other experiments.
        tables: the differences.
        paragraphs: what is compared, and what the tables mean.
        folder: holds `comparison.png`; the page goes there, too.
    """
    count = 2 * len(others) * max(1, baseline.detections["source"].nunique())
    cards = min(_CARDS, _MOST_CARDS // max(1, count))
    page = template("comparison.html.j2").render(
        title=f"{' and '.join(other.name for other in others)} against {baseline.name}",
        baseline=baseline.name,
        paragraphs=paragraphs,
        tables=tables,
        figure=png(folder / "comparison.png"),
        galleries=[gallery for other in others for gallery in _galleries(baseline, other, cards)],
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def _galleries(baseline: Result, other: Result, cards: int) -> Iterator[dict[str, Any]]:
    """For each test set: where the other's IoU exceeds the baseline's most, and the reverse; none without detectors.

    Args:
        cards: at most so many images each way.
    """
    if not all("iou" in one.detections for one in (baseline, other)):
        return
    columns = [*PLATE_IDENTITY, *PREDICTED_BOX_COLUMNS, "iou"]
    both = baseline.detections[columns].merge(other.detections[columns], on=PLATE_IDENTITY, suffixes=_SUFFIXES)
    both["gain"] = both["iou_other"] - both["iou_baseline"]
    ranked = both.sort_values(["gain", "image", "plate"])
    texts = [_recognized_texts(one) for one in (baseline, other)]
    for source, part in ranked.groupby("source", sort=True):
        better, worse = part[part["gain"] > 0].iloc[::-1], part[part["gain"] < 0]
        for which, rows in ((other.name, better), (baseline.name, worse)):
            yield {
                "source": source,
                "other": other.name,
                "better": which,
                "total": len(rows),
                "cards": [_card(row, baseline, other, texts) for row in rows.head(cards).to_dict("records")],
            }


def _card(row: dict[Any, Any], baseline: Result, other: Result, texts: Sequence[dict[Any, str]]) -> dict[str, Any]:
    place = baseline.image(row["image"]) or other.image(row["image"])
    encoded = None
    if place:
        predicted = [dict(zip(PREDICTED_BOX_COLUMNS, _box(row, suffix), strict=True)) for suffix in _SUFFIXES]
        (true, first), (_, second) = (boxes_of(row | box) for box in predicted)
        with Image.open(place) as image:
            encoded = jpeg(draw_disagreement(image, true, first, second, _IMAGE_PX))
    key = (row["image"], row["plate"])
    lines = [
        {
            "which": which,
            "name": one.name,
            "iou": row[f"iou_{which}"],
            "text": recognized.get(key),
            "correct": recognized[key] == row["text"] if key in recognized and row["text"] else None,
        }
        for which, one, recognized in zip(("baseline", "other"), (baseline, other), texts, strict=True)
    ]
    return {"name": row["image"], "text": row["text"], "gain": row["gain"], "image": encoded, "lines": lines}


def _box(row: dict[Any, Any], suffix: str) -> list[float]:
    return [row[f"{column}{suffix}"] for column in PREDICTED_BOX_COLUMNS]


def _recognized_texts(result: Result) -> dict[Any, str]:
    """(image, plate) → the text recognized on the predicted box."""
    if result.recognitions is None:
        return {}
    rows = result.recognitions[result.recognitions["boxes"] == "predicted"]
    return dict(zip(zip(rows["image"], rows["plate"], strict=True), rows["predicted_text"], strict=True))
