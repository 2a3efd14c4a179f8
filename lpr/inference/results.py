"""What was found, and the tables that say so: `predictions.csv` and `predictions.json`."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lpr.inference.plates import Plate
from lpr.inference.tracker import tracks

# What `data=table` takes as a table of one's own, and more: corrected by hand, it is something to train on.
COLUMNS = (
    *("image", "frame", "width", "height", "xmin", "ymin", "xmax", "ymax"),
    *("confidence", "text", "text_confidence", "track"),
)


@dataclass
class Outcome:
    """What came of one input.

    Attributes:
        path: of the image or video.
        images: how many were looked at: 1, or a video's frames; 0 where nothing could be read.
        width, height: pixels.
        frames_per_second: of a video.
        plates: in the order of the frames, the most confident first.
        annotated: the file that shows them, relative to the output's folder.
        error: why it, or the rest of it, could not be read; None, too, where an interruption came first.
    """

    path: Path
    images: int = 0
    width: int | None = None
    height: int | None = None
    frames_per_second: float | None = None
    plates: list[Plate] = field(default_factory=list)
    annotated: str | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        """The path as text that can be written, whatever bytes it has."""
        return str(self.path).encode("utf-8", "backslashreplace").decode()


def write_csv(outcomes: Sequence[Outcome], path: Path) -> None:
    """A row a plate; what shows no plate has a row without a box, and what could not be read has none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for outcome in outcomes:
            size = outcome.width, outcome.height
            for plate in outcome.plates:
                box = (round(side, 2) for side in plate.box)
                sure = round(plate.confidence, 4)
                text = plate.text, _rounded(plate.text_confidence)
                writer.writerow((outcome.name, plate.frame, *size, *box, sure, *text, plate.track))
            if outcome.images and not outcome.plates:
                writer.writerow((outcome.name, None, *size, *[None] * 8))


def write_json(outcomes: Sequence[Outcome], about: dict[str, Any], path: Path) -> None:
    """`about` the run, and an entry an input, in their order: its plates, or the error."""
    entries = [_without_none(_entry(outcome)) for outcome in outcomes]
    path.write_text(json.dumps(about | {"inputs": entries}, indent=2) + "\n", encoding="utf-8")


def _entry(outcome: Outcome) -> dict[str, Any]:
    entry: dict[str, Any] = {"image": outcome.name, "error": outcome.error}
    if not outcome.images:
        return entry
    is_video = outcome.frames_per_second is not None
    return entry | {
        "width": outcome.width,
        "height": outcome.height,
        "frames": outcome.images if is_video else None,
        "frames_per_second": outcome.frames_per_second,
        "annotated": outcome.annotated,
        "plates": [
            _without_none(
                {
                    "frame": plate.frame,
                    "box": [round(side, 2) for side in plate.box],
                    "confidence": round(plate.confidence, 4),
                    "text": plate.text if plate.text_confidence is not None else None,
                    "text_confidence": _rounded(plate.text_confidence),
                    "track": plate.track,
                }
            )
            for plate in outcome.plates
        ],
        "tracks": [
            _without_none(asdict(track) | {"confidence": _rounded(track.confidence)})
            for track in tracks(outcome.plates)
        ]
        if is_video
        else None,
    }


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def _without_none(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}
