"""What `lpr predict` writes while it works: `predictions.jsonl`, `predictions.csv` and `run.json`.

A record, a line of the JSONL, is written as soon as an image or a frame of a video is done, so that whatever ends the
work, even `kill -9`, loses no more than the one in work. Until the end, the names of the files begin with
`unfinished-`; `--resume` goes on with them.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from lpr.errors import UserError
from lpr.files import replaced
from lpr.inference.inputs import Source, Stream
from lpr.inference.plates import Plate
from lpr.inference.tracker import Track

JSONL, CSV, RUN = "predictions.jsonl", "predictions.csv", "run.json"
UNFINISHED = "unfinished-"
_ERRORS = "backslashreplace"  # names of files may have bytes that are no UTF-8

# The columns of `data=table`, and more: corrected by hand, the table can be trained on.
COLUMNS = (
    *("image", "frame", "width", "height", "xmin", "ymin", "xmax", "ymax"),
    *("confidence", "text", "text_confidence", "track", "crop", "time"),
)

Record = dict[str, Any]


def printable(source: Source) -> str:
    """The path, or the stream's address, as text that can be encoded in UTF-8, whatever bytes it has."""
    return str(source).encode("utf-8", "backslashreplace").decode()


def is_done(source: Source, done: Collection[str]) -> bool:
    """Whether an input is among those of `Results.done`."""
    return _identity(_named(source)) in done


def _named(source: Source) -> Record:
    """An input by its name, and by what tells it from others of the same name."""
    record: Record = {"image": printable(source)}
    return record | _without_none({"fingerprint": source.fingerprint if isinstance(source, Stream) else None})


def _identity(record: Record) -> str:
    """What only the records of the same input have."""
    return str(record.get("fingerprint", record["image"]))


def image_record(
    source: Source,
    width: int,
    height: int,
    plates: Sequence[Plate],
    annotated: str | None,
    unread: int = 0,
    crops: Sequence[str] = (),
) -> Record:
    """An image with its plates.

    Args:
        annotated: the file in which the plates are drawn, relative to the output folder.
        unread: how many boxes were left out because nothing was read in them.
        crops: the files of the plates' parts of the image, likewise, one each; or none.
    """
    record = _named(source) | {"width": width, "height": height, "annotated": annotated}
    return _without_none(record) | _plates(plates, unread, crops)


def frame_record(
    source: Source,
    number: int,
    width: int,
    height: int,
    plates: Sequence[Plate],
    unread: int = 0,
    crops: Sequence[str] = (),
    time: datetime | None = None,
) -> Record:
    """A frame of a video with its plates; arguments as those of `image_record`.

    Args:
        time: when it came, of a live stream.
    """
    record = _named(source) | {"frame": number, "width": width, "height": height}
    record["time"] = time and time.isoformat(timespec="milliseconds")
    return _without_none(record) | _plates(plates, unread, crops)


def _plates(plates: Sequence[Plate], unread: int, crops: Sequence[str]) -> Record:
    found = [plate.to_dict() for plate in plates]
    for plate, crop in zip(found, crops, strict=False):
        plate["crop"] = crop
    return _without_none({"unread": unread or None}) | {"plates": found}


def video_record(
    source: Source,
    frames: int,
    frames_per_second: float,
    tracks: Sequence[Track],
    annotated: str | None,
    error: str | None,
    skipped: int | None = None,
) -> Record:
    """The end of a video: its tracks, and why the rest of it could not be read, if so.

    Args:
        skipped: frames of a live stream that were not processed.
    """
    found = [track.to_dict() for track in tracks]
    record: Record = {"frames": frames, "skipped": skipped, "frames_per_second": frames_per_second}
    record |= {"annotated": annotated, "error": error}
    return _named(source) | _without_none(record) | {"tracks": found}


def error_record(source: Source, error: str) -> Record:
    """An input that could not be read."""
    return _named(source) | {"error": error}


@dataclass
class Counts:
    """Of all records.

    Attributes:
        images: images and frames that were processed.
        plates: that were found in them.
        read: plates that have a text.
        unread: boxes that were left out because nothing was read in them.
        unreadable: inputs that could not be read, or not to their end.
    """

    images: int = 0
    plates: int = 0
    read: int = 0
    unread: int = 0
    unreadable: int = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        plates = record.get("plates")
        self.images += plates is not None
        self.plates += len(plates or ())
        self.read += sum(bool(plate.get("text")) for plate in plates or ())
        self.unread += record.get("unread", 0)
        self.unreadable += "error" in record


class Results:
    """The files of one run, written record by record.

    Args:
        folder: of the output; made where there is none.
        about: what the results depend on, for `run.json`: the detector, the OCR engine, the threshold.
        table: whether `predictions.csv` is written, too.
        resume: go on with the results of an earlier run in this folder, if there are any.

    Raises:
        UserError: the earlier run had another detector, OCR engine or setting, or its files are damaged; or it was
            killed, and is not to go on.

    Attributes:
        counts: of all records.
        done: the identities of inputs that the earlier run has finished: `is_done`.
        images: what the earlier run wrote of them, annotated images and crops, relative to the folder.
    """

    def __init__(self, folder: Path, about: dict[str, Any], table: bool, resume: bool) -> None:
        self.counts, self.done, self.images = Counts(), set[str](), set[str]()
        self._folder, self._names = folder, (RUN, *([CSV] if table else []), JSONL)
        folder.mkdir(parents=True, exist_ok=True)
        if not resume and self._unfinished(JSONL).is_file():
            raise UserError(f"{self._unfinished(JSONL)} is of a killed run: go on with --resume, or remove it")
        earlier = _finished_inputs(folder, about) if resume else []
        self._replace(RUN, json.dumps(about, indent=2) + "\n")
        self._replace(JSONL, "".join(map(_line, earlier)))
        self._jsonl: TextIO = self._unfinished(JSONL).open("a", encoding="utf-8", errors=_ERRORS)
        self._csv: TextIO | None = None
        if table:
            self._csv = self._unfinished(CSV).open("w", newline="", encoding="utf-8", errors=_ERRORS)
            csv.writer(self._csv, lineterminator="\n").writerow(COLUMNS)
        for record in earlier:
            self.done.add(_identity(record))
            self.images |= _images(record)
            self._count_and_tabulate(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the files their names, whatever ended the work."""
        for file in (self._jsonl, self._csv):
            if file:
                file.close()
        for name in self._names:
            os.replace(self._unfinished(name), self._folder / name)

    def add(self, record: Record) -> None:
        """Write a record to the disk."""
        self._jsonl.write(_line(record))
        self._jsonl.flush()
        self._count_and_tabulate(record)

    def _count_and_tabulate(self, record: Record) -> None:
        self.counts.add(record)
        if self._csv:
            csv.writer(self._csv, lineterminator="\n").writerows(_rows(record))
            self._csv.flush()

    def _replace(self, name: str, content: str) -> None:
        """Write an unfinished file at once, so that a kill or a full disk leaves what was there before."""
        with replaced(self._unfinished(name)) as path:
            path.write_text(content, encoding="utf-8", errors=_ERRORS)

    def _unfinished(self, name: str) -> Path:
        return self._folder / f"{UNFINISHED}{name}"


def _line(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _finished_inputs(folder: Path, about: dict[str, Any]) -> list[Record]:
    """The records of an earlier run, of a killed one if there is one, but for inputs that were in work at its end.

    What was read of a live stream (its frames have a time) stays: it does not come again.
    """
    jsonl, run = (_latest(folder, name) for name in (JSONL, RUN))
    if jsonl is None:
        return []
    before = _parsed(run.read_text(encoding="utf-8", errors=_ERRORS), str(run)) if run else {}
    if changed := [key for key in about if before.get(key) != about[key]]:
        raise UserError(
            f"{jsonl} was written with another {' and '.join(changed)}: choose another --output, or start anew without "
            "--resume"
        )
    records: list[Record] = []
    with jsonl.open(encoding="utf-8", errors=_ERRORS, newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith("\n"):  # else it was being written
                records.append(_parsed(line, f"{jsonl}, line {number},"))
    ended = {_identity(record) for record in records if "frame" not in record}
    return [record for record in records if _identity(record) in ended or "time" in record]


def _parsed(text: str, where: str) -> Record:
    """A JSON object of an earlier run.

    Raises:
        UserError: it is none, as after a power loss.
    """
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise UserError(f"{where} is damaged: repair it, or start anew without --resume")
    return record


def _images(record: Record) -> set[str]:
    """The annotated image or video and the crops of a record."""
    crops = {plate["crop"] for plate in record.get("plates", ()) if "crop" in plate}
    return crops | ({record["annotated"]} if "annotated" in record else set())


def _latest(folder: Path, name: str) -> Path | None:
    """The file of a killed run, else of a finished one; None where there is neither."""
    return next((path for path in (folder / f"{UNFINISHED}{name}", folder / name) if path.is_file()), None)


def _rows(record: Record) -> Iterator[tuple[Any, ...]]:
    """A row a plate; an image without plates has a row without a box; what could not be read has none."""
    size = record.get("width"), record.get("height")
    for plate in record.get("plates", ()):
        text = plate.get("text", ""), plate.get("text_confidence")
        ends = *text, plate.get("track"), plate.get("crop"), record.get("time")
        yield record["image"], plate.get("frame"), *size, *plate["box"], plate["confidence"], *ends
    if record.get("plates") == [] and "frame" not in record:
        yield record["image"], None, *size, *[None] * 10


def _without_none(entry: Record) -> Record:
    return {key: value for key, value in entry.items() if value is not None}
