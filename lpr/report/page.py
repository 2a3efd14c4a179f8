"""The report: `reports/index.html`, one page that needs no network, no script and no other file."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image

from lpr.config import ORIGINAL_BOXES, OVERRIDE_BOXES, Config
from lpr.data.tables import read_table
from lpr.report.detection_figures import Box, Which, boxes_of, choose_cases, draw_boxes

if TYPE_CHECKING:
    from jinja2 import Template

# What a name in metrics/*.json means, in the words of the page.
MEANINGS = {
    "mean_iou": "overlap of the predicted with the true box, mean over plates: 1 is exact, 0 is beside it",
    "recall@0.5": "share of plates found with an IoU of at least 0.5",
    "recall@0.7": "share of plates found with an IoU of at least 0.7",
    "AP50": "average precision over images: how many plates are found, and how few boxes are none, at an IoU of 0.5",
    "AP50:95": "the same, mean over IoUs of 0.5, 0.55, …, 0.95: boxes that fit closely score more",
    "false_positives_per_image": "predicted boxes a image with an IoU below 0.5 to every true plate; lower is better",
    "keras_accuracy": "share of plates whose largest predicted coordinate is also the largest true one; see below",
    "plate_acc": "share of plates read exactly",
    "plate_acc_folded": "the same, where O counts as 0 and I as 1",
    "cer": "character error rate: wrong, missing and surplus characters over true ones; lower is better",
}
_HEADLINES = (
    ("mean_iou", None, "mean IoU", "overlap with the true box"),
    ("recall@0.5", None, "plates found", "recall@0.5: IoU of at least 0.5"),
    ("plate_acc", "true", "read in true boxes", "plate_acc: the reader alone"),
    ("plate_acc", "predicted", "read in predicted boxes", "plate_acc: end to end"),
)
_CASES: dict[Which, str] = {
    "worst": "Worst: least overlap first",
    "median": "Typical: around the median overlap",
    "best": "Best: most overlap first",
}
_SPLITS = ("test", "validation", "train")  # in the order of what they prove
_CARDS = 48  # in the gallery; some 40 KB each
_MOST_ROWS = 200  # of a listing; the rest is in its CSV
_IMAGE_PX = 480
_CROP_PX = 180


@dataclass(frozen=True)
class Table:
    """A table of text: the first column names the row."""

    title: str
    columns: list[str]
    rows: list[list[Any]]
    hidden: int = 0  # rows left out


_READING_FIGURES = {
    "worst": "The worst readings on true boxes: the text, what was read and how sure of it the reader was",
    "confusions": "Which characters were read as which, on true boxes",
    "reliability": "How many of the readings of about the same confidence are right, on true boxes",
}


def write_page(config: Config, root: Path, provenance: dict[str, Any], path: Path) -> None:
    """Write the page of one experiment; parts whose files are not there are left out.

    Args:
        config: of the experiment.
        root: the project's root, holding `data/`, `metrics/` and `reports/`.
        provenance: as `lpr.tracking.provenance.collect` gathers it.
        path: where the page goes.
    """
    sources = [source.name for source in config.data.sources]
    metrics = {name: _metrics(root, name) for name in ("annotate", "download", "split")}
    metrics["training"] = _metrics(root, "recognizer_training" if config.target == "recognizer" else "training")
    detection, reading = _metrics(root, "detection"), _metrics(root, "reading")
    page = template("page.html.j2").render(
        config=config,
        choices=_choices(config),
        sections=_sections(config),
        headlines=_headlines(detection, reading),
        counts={name: list(_count_tables("", counts, sources)) for name, counts in metrics.items()},
        rejects=_listing(root / "data/rejects.csv", ["source", "line", "reason", "url"]),
        failures=_listing(root / "data/failures.csv", ["source", "reason", "attempts", "url"]),
        detection=_score_table(_detection_rows(detection)),
        by_label=_by_label(detection),
        reading=_score_table(_reading_rows(reading)),
        meanings=MEANINGS,
        figures={name: png(root / f"reports/detection_figures/{name}.png") for name in ("history", "iou_histogram")},
        recognition_figures={name: png(root / f"reports/recognition_figures/{name}.png") for name in _READING_FIGURES},
        reading_titles=_READING_FIGURES,
        cases=_CASES,
        gallery=_gallery(config, root),
        readings=_readings(root),
        provenance=provenance,
        reader_timing=_reader_timing(provenance),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def template(name: str) -> Template:
    """A template of this folder, with the filters that all pages share."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"text": _text, "words": _words, "percent": _percent}
    return environment.get_template(name)


def jpeg(image: Image.Image) -> str:
    """The image as a data URI."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def png(path: Path) -> str | None:
    """The figure as a data URI; None where there is no such file."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode() if path.is_file() else None


def _metrics(root: Path, name: str) -> dict[str, Any]:
    path = root / "metrics" / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _choices(config: Config) -> list[tuple[str, str]]:
    """The option taken of each group that has named options."""
    return [(key, part["name"]) for key, part in config.as_dict().items() if isinstance(part, dict) and "name" in part]


def _sections(config: Config) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Each section of the config with its flattened keys; single values, such as the seed, come first."""
    values = config.as_dict()
    del values["inputs"], values["weights"]
    single = [(key, value) for key, value in values.items() if not isinstance(value, dict)]
    return [
        ("experiment", single),
        *((key, list(_flat(part))) for key, part in values.items() if isinstance(part, dict)),
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for index, item in enumerate(value):
                yield from _flat(item, f"{prefix}{key}[{index}].")
        else:
            yield f"{prefix}{key}", value


def _headlines(detection: dict[str, Any], reading: dict[str, Any]) -> list[dict[str, Any]]:
    """The four scores of each source, on the split that proves most of those it has."""
    headlines = []
    for source, splits in detection.items():
        if source.endswith((OVERRIDE_BOXES, ORIGINAL_BOXES)):
            continue
        split = next(name for name in _SPLITS if name in splits)
        tiles = []
        for metric, boxes, name, note in _HEADLINES:
            scores = reading.get(source, {}).get(split, {}).get(boxes, {}) if boxes else splits[split]
            unscored = "its texts are unknown" if boxes else "no plate to find"
            why = unscored if scores else "not read"
            tiles.append({"name": name, "note": note, "score": scores.get(metric), "why": why})
        headlines.append({"source": source, "split": split, "tiles": tiles})
    return headlines


def _detection_rows(detection: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    for source, splits in detection.items():
        for split in _ordered(splits):
            if split != "margins":
                yield [source, split], splits[split]


def _by_label(detection: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each source that is scored by one kind of label alone, too: its name, and the margins of its own boxes."""
    return [
        {"source": source, "margins": detection.get(f"{source}{ORIGINAL_BOXES}", {}).get("margins")}
        for source in detection
        if f"{source}{OVERRIDE_BOXES}" in detection or f"{source}{ORIGINAL_BOXES}" in detection
    ]


def _reading_rows(reading: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    for source, splits in reading.items():
        for split in _ordered(splits):
            for boxes in ("true", "predicted"):
                if boxes in splits[split]:
                    yield [source, split, f"{boxes} boxes"], splits[split][boxes]


def _ordered(splits: Mapping[str, Any]) -> list[str]:
    return [name for name in _SPLITS if name in splits] + [name for name in splits if name not in _SPLITS]


def _score_table(rows: Iterable[tuple[list[str], dict[str, Any]]]) -> dict[str, Any]:
    """Rows of scores under the metrics that any of them has; plain counts are columns too."""
    listed = list(rows)
    columns = list(dict.fromkeys(metric for _, scores in listed for metric in scores))
    return {"columns": columns, "rows": [(names, [scores.get(c) for c in columns]) for names, scores in listed]}


def _count_tables(title: str, counts: Mapping[str, Any], sources: Collection[str]) -> Iterator[Table]:
    """Nested counts as tables, whatever their keys: siblings that hold only figures share one."""

    def named(key: str) -> str:
        return key if key in sources else _words(key)

    plain = {key: value for key, value in counts.items() if not isinstance(value, dict)}
    nested = {key: value for key, value in counts.items() if isinstance(value, dict)}
    flat = {key: part for key, part in nested.items() if not any(isinstance(value, dict) for value in part.values())}
    if plain:
        yield Table(title, [], [[named(key), value] for key, value in plain.items()])
    if flat:
        frame = pd.DataFrame.from_dict(flat, orient="index", dtype=object)
        if len(frame.columns) > len(frame):
            frame = frame.T
        rows = [[named(str(key)), *values] for key, *values in frame.itertuples()]
        yield Table(title, ["", *map(named, frame.columns)], rows)
    for key in [key for key in nested if key not in flat]:
        yield from _count_tables(f"{title} {named(key)}".strip(), nested[key], sources)


def _listing(path: Path, columns: list[str]) -> Table | None:
    """The first rows of a CSV; None where there is no such file."""
    if not path.is_file():
        return None
    frame = read_table(path)
    rows = frame.head(_MOST_ROWS)[columns].to_numpy(object).tolist()
    return Table(path.name, columns, rows, max(0, len(frame) - _MOST_ROWS))


def _readings(root: Path) -> Table | None:
    """Every plate that was read: what it says, and what was read on the true and on the predicted box."""
    readings = _reading_index(root)
    plates = dict.fromkeys((image, plate) for image, plate, _ in readings)
    rows = []
    for image, plate in list(plates)[:_MOST_ROWS]:
        true, predicted = readings.get((image, plate, "true")), readings.get((image, plate, "predicted"))
        known = true or predicted or {}
        read = [answer["reading"] if answer else None for answer in (true, predicted)]
        rows.append([image, known["source"], known["split"], known["text"], *read])
    if not rows:
        return None
    columns = ["image", "source", "split", "true text", "read on true box", "read on predicted box"]
    return Table("recognitions.csv", columns, rows, max(0, len(plates) - _MOST_ROWS))


def _reading_index(root: Path) -> dict[tuple[str, int, str], dict[str, Any]]:
    path = root / "reports/recognitions.csv"
    rows = read_table(path).to_dict("records") if path.is_file() else []
    return {(row["image"], row["plate"], row["boxes"]): {str(key): value for key, value in row.items()} for row in rows}


def _gallery(config: Config, root: Path) -> list[dict[str, Any]]:
    """Cards of each source's images, on the split that proves most: half of them the worst cases."""
    path = root / "reports/detections.csv"
    if not path.is_file():
        return []
    detections, readings = read_table(path), _reading_index(root)
    if "iou" not in detections:  # a reader's experiment, without a detector
        return []
    sources = list(dict.fromkeys(detections["source"]))
    each = max(4, _CARDS // max(1, len(sources)))
    gallery = []
    for source in sources:
        of_source = detections[detections["source"] == source]
        split = next(name for name in _SPLITS if (of_source["split"] == name).any())
        rows = of_source[of_source["split"] == split]
        plates = rows.groupby("image").size()
        chosen = choose_cases(rows, worst=each // 2, median=each // 4, best=each // 4)
        cards = {
            which: [_card(config, root, row, readings, int(plates[row["image"]])) for row in part.to_dict("records")]
            for which, part in chosen.items()
        }
        gallery.append({"source": source, "split": split, "total": len(rows), "cards": cards})
    return gallery


def _card(config: Config, root: Path, row: dict[Any, Any], readings: dict[Any, Any], plates: int) -> dict[str, Any]:
    true, predicted = boxes_of(row)
    with Image.open(root / "data/images" / row["image"]) as image:
        image.load()
    lines = []
    for boxes, box in (("true", true), ("predicted", predicted)):
        answer = readings.get((row["image"], row["plate"], boxes), {})
        right = answer["reading"] == row["text"] if answer and row["text"] else None
        crop = _crop(image, box, config.ocr.margin)
        where = "outside" if all(map(math.isfinite, box)) else "no box"
        lines.append({"boxes": boxes, "crop": crop, "where": where, "reading": answer.get("reading"), "right": right})
    return {
        "image": row["image"],
        "plate": f"plate {row['plate'] + 1} of {plates}" if plates > 1 else "",
        "iou": row["iou"],
        "text": row["text"],
        "drawn": jpeg(draw_boxes(image, true, predicted, _IMAGE_PX)),
        "lines": lines,
    }


def _crop(image: Image.Image, box: Box, margin: float) -> str | None:
    """The box with the reader's margin, as a data URI; None where nothing of it lies in the image."""
    if not all(map(math.isfinite, box)):
        return None
    left, top, right, bottom = box
    border = margin * (bottom - top)
    inside = (
        max(0, round(left - border)),
        max(0, round(top - border)),
        min(image.width, round(right + border)),
        min(image.height, round(bottom + border)),
    )
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    crop = image.crop(inside).convert("RGB")
    crop.thumbnail((_CROP_PX, _CROP_PX))
    return jpeg(crop)


def _reader_timing(provenance: dict[str, Any]) -> dict[str, Any] | None:
    timing = provenance.get("timings", {}).get("read")
    return timing if isinstance(timing, dict) and "median_ms_per_plate" in timing else None


def _text(value: Any) -> str:
    """A value as the page shows it."""
    if value is None or value == "" or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f") if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{_words(key)} {_text(part)}" for key, part in value.items()) or "–"
    return str(value)


def _words(key: str) -> str:
    return key.replace("_", " ")


def _percent(fraction: float) -> str:
    """A place on a scale from 0 to 1, in CSS."""
    return f"{100 * min(1.0, max(0.0, fraction)):.1f}%"
