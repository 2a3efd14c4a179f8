"""OpenALPR's benchmarks (github.com/openalpr/benchmarks): a .txt beside each image, with a line a plate.

A line is file name, left, top, width and height in pixels, and text, between tabs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_place
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import decode_text, number
from lpr.data.labelled_images import LabelledImage, files_below, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_box, unusable_label
from lpr.errors import UserError

NAMES_ARE_URLS = False


class Settings(Source):
    """Images annotated as in OpenALPR's benchmarks."""

    format: Literal["openalpr"]
    annotations: str = Field(description="path of the folder of images and .txt files, which may be in subfolders")


def recognizes(content: Content) -> bool:
    """Whether it is such a folder."""
    return content.path.is_dir() and any(len(line.split("\t")) == 6 for line in content.first(".txt").text.splitlines())


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line a .txt, sorted by their paths."""
    place = local_place(source.annotations, source.name)
    files = [name for name in files_below(place) if name.endswith(".txt")] if place.is_dir() else []
    if not files:
        raise UserError(f"source {source.name}: {place} is no folder with .txt files, which OpenALPR's benchmarks have")
    write_labelled_images(
        (_image(place, name) for name in files), source, folder, [place, place.parent / "images"], data
    )


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """The folder itself, or `images/` beside it: where the images are."""
    return written_image_root(folder)


def _image(place: Path, name: str) -> LabelledImage:
    file = place / name
    lines = [line.split("\t") for line in decode_text(file.read_bytes()).splitlines() if line.strip()]
    parent = Path(name).parent
    names = [(parent / cells[0].strip()).as_posix() for cells in lines[:1]]
    return LabelledImage([*names, Path(name).with_suffix("").as_posix()], [_plate(file, cells) for cells in lines])


def _plate(file: Path, cells: list[str]) -> PlateLabel:
    if len(cells) < 5:
        return unusable_label(f"{file}: a line of {len(cells)} cells between tabs, where 6 are needed")
    left, top, width, height = map(number, cells[1:5])
    return label_box((left, top, left + width, top + height), attributes={"text": "".join(cells[5:6])})
