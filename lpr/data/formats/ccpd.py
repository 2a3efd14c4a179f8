"""CCPD (github.com/detectRecog/CCPD): a folder of images whose names hold box, corners and text of their one plate.

`025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15.jpg`: area, tilt, the box's two
corners, the plate's corners from its bottom right clockwise, the indices of its characters, brightness, blurriness.
Images in `ccpd_np/` show no plate.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_place
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.labelled_images import LabelledImage, images_below, write_labelled_images, written_image_root
from lpr.data.plate_labels import label_polygon
from lpr.errors import UserError

NAMES_ARE_URLS = False
_POINT = r"\d+&\d+"
_NAME = re.compile(rf"[\d.]+-\d+_\d+-{_POINT}_{_POINT}-({_POINT}(?:_{_POINT}){{3}})-(\d+(?:_\d+)+)-\d+-\d+")
_WITHOUT_PLATES = "ccpd_np"
# As CCPD publishes them; O, at the end of each, stands for no character.
_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学O"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZO"
_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"


class Settings(Source):
    """Images of CCPD."""

    format: Literal["ccpd"]
    annotations: str = Field(description="path of the folder of images, which may be in subfolders")


def recognizes(content: Content) -> bool:
    """Whether it is a folder of such images."""
    return any(_NAME.match(Path(name).stem) for name in content.images)


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line an image, sorted by their paths."""
    place = local_place(source.annotations, source.name)
    if not place.is_dir():
        raise UserError(f"source {source.name}: {place} is a file; CCPD is a folder of images")
    write_labelled_images(map(_image, images_below(place)), source, folder, [place], data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """The folder itself."""
    return written_image_root(folder)


def _image(name: str) -> LabelledImage:
    path = Path(name)
    if _WITHOUT_PLATES in path.parts:
        return LabelledImage([name])
    found = _NAME.fullmatch(path.stem)
    if found is None:
        return LabelledImage([name], unusable="a name that is none of CCPD")
    text = _text([int(index) for index in found[2].split("_")])
    if text is None:
        return LabelledImage([name], unusable=f"a name with indices of characters that CCPD lacks: {found[2]}")
    points = [(float(x), float(y)) for x, y in (point.split("&") for point in found[1].split("_"))]
    plate: PlateLabel = label_polygon(points[2:] + points[:2], attributes={"text": text})
    return LabelledImage([name], [plate])


def _text(indices: list[int]) -> str | None:
    """The characters that the indices stand for; None where there is no such index."""
    tables = [_PROVINCES, _LETTERS, *[_CHARACTERS] * (len(indices) - 2)]
    if any(index >= len(table) for index, table in zip(indices, tables, strict=False)):
        return None
    characters = [table[index] for index, table in zip(indices, tables, strict=False) if index < len(table) - 1]
    return "".join(characters)
