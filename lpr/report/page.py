"""The report: `reports/index.html`, one self-contained page without network access, scripts or other files."""

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
from lpr.config.target import target_of
from lpr.data.tables import read_table
from lpr.files import replaced
from lpr.metrics.detection import MARGINS
from lpr.metrics.table import MetricTable
from lpr.metrics.table import load as load_metrics
from lpr.paths import (
    DETECTION_FIGURES,
    DETECTIONS,
    FAILURES,
    IMAGE_CACHE,
    METRICS,
    RECOGNITION_FIGURES,
    RECOGNITIONS,
    REJECTS,
)
from lpr.report.detection_figures import Box, Which, boxes_of, choose_cases, draw_boxes

if TYPE_CHECKING:
    from jinja2 import Template

_CASES: dict[Which, str] = {
    "worst": "Worst: lowest IoU first",
    "median": "Typical: around the median IoU",
    "best": "Best: highest IoU first",
}
_RECOGNITION_FIGURES = {
    "worst": "Worst results on true boxes: true text, predicted text and confidence",
    "confusions": "Confusion matrix of the characters, on true boxes",
    "reliability": "Reliability diagram: accuracy by confidence, on true boxes",
}
SPLIT_PREFERENCE = ("test", "validation", "train")
"""The splits, the one whose scores generalise best first."""
_CARDS = 48  # in the gallery; some 40 KB each
_MOST_CARDS = 160  # of many sources
_MAX_ROWS = 200  # of a table of a CSV file
_IMAGE_PX = 480
_CROP_PX = 180


@dataclass(frozen=True)
class Table:
    """A table of text: the first column names the row."""

    title: str
    columns: list[str]
    rows: list[list[Any]]
    hidden: int = 0  # rows left out


def write_page(config: Config, root: Path, provenance: dict[str, Any], path: Path) -> None:
    """Write the page of one experiment; parts whose files are missing are left out.

    Args:
        config: of the experiment.
        root: the project's root, holding `data/`, `metrics/` and `reports/`.
        provenance: of `lpr.tracking.provenance.collect`.
        path: of the page.
    """
    sources = [source.name for source in config.data.sources]
    counts = {name: _read_json(root / METRICS / f"{name}.json") for name in ("annotate", "download", "split")}
    counts["training"] = _read_json(root / target_of(config).metrics)
    detection, recognition = (_read_json(root / METRICS / f"{name}.json") for name in ("detection", "recognition"))
    metrics = load_metrics(config.metrics)
    page = template("page.html.j2").render(
        config=config,
        choices=_choices(config),
        sections=_sections(config),
        headlines=_headlines(metrics, detection, recognition),
        counts={name: list(_count_tables("", values, sources)) for name, values in counts.items()},
        rejects=_listing(root / REJECTS, ["source", "line", "reason", "url"]),
        failures=_listing(root / FAILURES, ["source", "reason", "attempts", "url"]),
        detection=_score_table(_detection_rows(detection)),
        by_label=_by_label(detection),
        recognition=_score_table(_recognition_rows(recognition)),
        meanings=_meanings(metrics),
        per_image=[metric.name for metric in metrics.detection if metric.unit == "image"],
        figures={name: png(root / DETECTION_FIGURES / f"{name}.png") for name in ("history", "iou_histogram")},
        recognition_figures={name: png(root / RECOGNITION_FIGURES / f"{name}.png") for name in _RECOGNITION_FIGURES},
        recognition_titles=_RECOGNITION_FIGURES,
        cases=_CASES,
        gallery=_gallery(config, root),
        recognitions=_recognitions_table(root),
        provenance=provenance,
        ocr_timing=_ocr_timing(provenance),
    )
    with replaced(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def template(name: str) -> Template:
    """A Jinja template of this folder, with the filters of all pages."""
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


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}


def _choices(config: Config) -> list[tuple[str, str]]:
    """The chosen option of each group of the configuration."""
    return [(key, part["name"]) for key, part in config.as_dict().items() if isinstance(part, dict) and "name" in part]


def _sections(config: Config) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Each section of the configuration with its flattened keys; single values, such as the seed, come first."""
    composed = ("inputs", "weights", "code")  # from other keys, so that DVC watches the files these name
    values = {key: value for key, value in config.as_dict().items() if key not in composed}
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


def _meanings(metrics: MetricTable) -> dict[str, str]:
    """What each metric measures, by its name."""
    detection = {metric.name: metric.meaning for metric in metrics.detection}
    return detection | {metric.name: metric.meaning for metric in metrics.recognition}


def _headlines(metrics: MetricTable, detection: dict[str, Any], recognition: dict[str, Any]) -> list[dict[str, Any]]:
    """The headline scores of each source, on the first of its splits by `SPLIT_PREFERENCE`."""
    headlines = []
    for source, splits in detection.items():
        if source.endswith((OVERRIDE_BOXES, ORIGINAL_BOXES)):
            continue
        split = next(name for name in SPLIT_PREFERENCE if name in splits)
        tiles = [
            {"name": metric.headline, "note": metric.name, "score": splits[split].get(metric.name), "why": "no plates"}
            for metric in metrics.detection
            if metric.headline
        ]
        for boxes, note in (("true", "OCR alone"), ("predicted", "end to end")):
            scores = recognition.get(source, {}).get(split, {}).get(boxes, {})
            tiles += [
                {
                    "name": f"{metric.headline}, {boxes} boxes",
                    "note": f"{metric.name}: {note}",
                    "score": scores.get(metric.name),
                    "why": "the true texts are unknown" if scores else "OCR did not run on this split",
                }
                for metric in metrics.recognition
                if metric.headline
            ]
        headlines.append({"source": source, "split": split, "tiles": tiles})
    return headlines


def _detection_rows(detection: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    for source, splits in detection.items():
        for split in _ordered(splits):
            if split != MARGINS:
                yield [source, split], splits[split]


def _by_label(detection: dict[str, Any]) -> list[dict[str, Any]]:
    """The sources that are also scored by override or by original boxes alone, with the margins of the latter."""
    return [
        {"source": source, "margins": detection.get(f"{source}{ORIGINAL_BOXES}", {}).get(MARGINS)}
        for source in detection
        if f"{source}{OVERRIDE_BOXES}" in detection or f"{source}{ORIGINAL_BOXES}" in detection
    ]


def _recognition_rows(recognition: dict[str, Any]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    for source, splits in recognition.items():
        for split in _ordered(splits):
            for boxes in ("true", "predicted"):
                if boxes in splits[split]:
                    yield [source, split, f"{boxes} boxes"], splits[split][boxes]


def _ordered(splits: Mapping[str, Any]) -> list[str]:
    known = [name for name in SPLIT_PREFERENCE if name in splits]
    return known + [name for name in splits if name not in known]


def _score_table(rows: Iterable[tuple[list[str], dict[str, Any]]]) -> dict[str, Any]:
    """Rows of scores, with a column for each metric or count that any of them has."""
    listed = list(rows)
    columns = list(dict.fromkeys(metric for _, scores in listed for metric in scores))
    return {"columns": columns, "rows": [(names, [scores.get(c) for c in columns]) for names, scores in listed]}


def _count_tables(title: str, counts: Mapping[str, Any], sources: Collection[str]) -> Iterator[Table]:
    """Nested counts as tables, whatever their keys: siblings that hold only numbers share one."""

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
    rows = frame.head(_MAX_ROWS)[columns].to_numpy(object).tolist()
    return Table(path.name, columns, rows, max(0, len(frame) - _MAX_ROWS))


def _recognitions_table(root: Path) -> Table | None:
    """Every plate of `reports/recognitions.csv`: its true text, and those predicted on its true and predicted box."""
    recognitions = _recognitions(root)
    plates = dict.fromkeys((image, plate) for image, plate, _ in recognitions)
    rows = []
    for image, plate in list(plates)[:_MAX_ROWS]:
        true, predicted = recognitions.get((image, plate, "true")), recognitions.get((image, plate, "predicted"))
        known = true or predicted or {}
        texts = [row["predicted_text"] if row else None for row in (true, predicted)]
        rows.append([image, known["source"], known["split"], known["text"], *texts])
    if not rows:
        return None
    columns = ["image", "source", "split", "true text", "predicted text, true box", "predicted text, predicted box"]
    return Table(RECOGNITIONS.name, columns, rows, max(0, len(plates) - _MAX_ROWS))


def _recognitions(root: Path) -> dict[tuple[str, int, str], dict[str, Any]]:
    """The rows of `reports/recognitions.csv` by image, plate and kind of box."""
    path = root / RECOGNITIONS
    rows = read_table(path).to_dict("records") if path.is_file() else []
    return {(row["image"], row["plate"], row["boxes"]): {str(key): value for key, value in row.items()} for row in rows}


def _gallery(config: Config, root: Path) -> list[dict[str, Any]]:
    """Cards of each source's plates, on the first of its splits by `SPLIT_PREFERENCE`: half of them the worst cases."""
    path = root / DETECTIONS
    if not path.is_file():
        return []
    detections, recognitions = read_table(path), _recognitions(root)
    if "iou" not in detections:  # an experiment of target=recognizer has no detector
        return []
    sources = list(dict.fromkeys(detections["source"]))
    each = max(4, _CARDS // max(1, len(sources)))
    each = max(2, min(each, _MOST_CARDS // max(1, len(sources))))
    gallery = []
    for source in sources:
        of_source = detections[detections["source"] == source]
        split = next(name for name in SPLIT_PREFERENCE if (of_source["split"] == name).any())
        rows = of_source[of_source["split"] == split]
        plates = rows.groupby("image").size()
        chosen = choose_cases(rows, worst=each // 2, median=each // 4, best=each // 4)
        cards = {
            which: [
                _card(config, root, row, recognitions, int(plates[row["image"]])) for row in part.to_dict("records")
            ]
            for which, part in chosen.items()
        }
        gallery.append({"source": source, "split": split, "total": len(rows), "cards": cards})
    return gallery


def _card(config: Config, root: Path, row: dict[Any, Any], recognitions: dict[Any, Any], plates: int) -> dict[str, Any]:
    true, predicted = boxes_of(row)
    with Image.open(root / IMAGE_CACHE / row["image"]) as image:
        image.load()
    results = []
    for boxes, box in (("true", true), ("predicted", predicted)):
        text = recognitions.get((row["image"], row["plate"], boxes), {}).get("predicted_text")
        results.append(
            {
                "boxes": boxes,
                "crop": _crop(image, box, config.ocr.margin),
                "no_crop": "outside the image" if all(map(math.isfinite, box)) else "no box",
                "text": text,
                "correct": text == row["text"] if text is not None and row["text"] else None,
            }
        )
    return {
        "name": row["image"],
        "plate": f"plate {row['plate'] + 1} of {plates}" if plates > 1 else "",
        "iou": row["iou"],
        "text": row["text"],
        "image": jpeg(draw_boxes(image, true, predicted, _IMAGE_PX)),
        "results": results,
    }


def _crop(image: Image.Image, box: Box, margin: float) -> str | None:
    """The box with the margin of OCR, as a data URI; None where the box lies outside the image."""
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


def _ocr_timing(provenance: dict[str, Any]) -> dict[str, Any] | None:
    timing = provenance.get("timings", {}).get("ocr")
    return timing if isinstance(timing, dict) and "median_ms_per_plate" in timing else None


def _text(value: Any) -> str:
    """A value as text."""
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
    """A position on a scale from 0 to 1, as CSS."""
    return f"{100 * min(1.0, max(0.0, fraction)):.1f}%"
