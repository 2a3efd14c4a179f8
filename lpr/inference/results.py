"""The plates of each input, and the files with them: `predictions.csv` and `predictions.json`."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lpr.inference.plates import Plate
from lpr.inference.tracker import summarize_tracks

# The columns of `data=table`, and more: corrected by hand, the table can be trained on.
COLUMNS = (
    *("image", "frame", "width", "height", "xmin", "ymin", "xmax", "ymax"),
    *("confidence", "text", "text_confidence", "track"),
)


@dataclass
class InputResult:
    """The plates of one input, or why it could not be read.

    Attributes:
        path: of the image or video.
        images: how many were processed: 1, or a video's frames; 0 where nothing could be read.
        width, height: pixels.
        frames_per_second: of a video.
        plates: in the order of the frames, the most confident first.
        annotated: the file in which they are drawn, relative to the output folder.
        error: why it, or the rest of it, could not be read; None also where an interruption came first.
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
        """The path as text that can be encoded in UTF-8, whatever bytes it has."""
        return str(self.path).encode("utf-8", "backslashreplace").decode()


def write_csv(results: Sequence[InputResult], path: Path) -> None:
    """A row a plate; an image without plates has a row without a box, one that could not be read has none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for result in results:
            size = result.width, result.height
            for plate in result.plates:
                box = (round(side, 2) for side in plate.box)
                confidence = round(plate.confidence, 4)
                text = plate.text, _rounded(plate.text_confidence)
                writer.writerow((result.name, plate.frame, *size, *box, confidence, *text, plate.track))
            if result.images and not result.plates:
                writer.writerow((result.name, None, *size, *[None] * 8))


def write_json(results: Sequence[InputResult], about: dict[str, Any], path: Path) -> None:
    """`about`, which describes the run, and an entry an input, in their order: its plates, or the error."""
    entries = [_without_none(_entry(result)) for result in results]
    path.write_text(json.dumps(about | {"inputs": entries}, indent=2) + "\n", encoding="utf-8")


def _entry(result: InputResult) -> dict[str, Any]:
    entry: dict[str, Any] = {"image": result.name, "error": result.error}
    if not result.images:
        return entry
    is_video = result.frames_per_second is not None
    return entry | {
        "width": result.width,
        "height": result.height,
        "frames": result.images if is_video else None,
        "frames_per_second": result.frames_per_second,
        "annotated": result.annotated,
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
            for plate in result.plates
        ],
        "tracks": [
            _without_none(asdict(track) | {"confidence": _rounded(track.confidence)})
            for track in summarize_tracks(result.plates)
        ]
        if is_video
        else None,
    }


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def _without_none(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}
