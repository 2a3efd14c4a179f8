"""An annotation format: a text file with a line a plate, such as `car.jpg 640x480 10,20,110,60 KA01AB1234`."""

import json
from pathlib import Path

from lpr.config import Data, Source
from lpr.data.annotation_files import local_file
from lpr.data.annotations import ANNOTATIONS, PlateLabel, annotation_line

NAMES_ARE_URLS = False  # images are named by their paths relative to image_root


class Settings(Source):
    """Keys of an entry of `data.sources` with this format: the common ones, and one of its own."""

    separator: str = " "


def write_annotations(source: Settings, folder: Path, data: Data) -> None:  # noqa: ARG001
    """A JSON line a line of the file, so that line numbers in data/rejects.csv are those of the file."""
    lines = local_file(source.annotations or "", source.name).read_text().splitlines()
    (folder / ANNOTATIONS).write_text("".join(f"{_as_json(line, source.separator)}\n" for line in lines))


def image_root(source: Settings, folder: Path) -> Path:  # noqa: ARG001
    """The images are beside the file."""
    return Path(source.annotations or "").parent


def _as_json(line: str, separator: str) -> str:
    """One image with one plate; another line becomes JSON that `lpr annotate` rejects, with the line's number."""
    try:
        image, size, box, text = line.split(separator)
        width, height = map(int, size.split("x"))
        left, top, right, bottom = map(float, box.split(","))
    except ValueError:
        return json.dumps({"content": line})
    return annotation_line(image, width, height, [PlateLabel((left, top, right, bottom), text)])
