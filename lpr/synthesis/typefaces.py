"""Typefaces of lettered plates: openly licensed ones of the extra `fonts`, and those that Matplotlib brings.

Each family of Google Fonts comes as a package of its own, `fontpkg-FAMILY`, with its licence (SIL OFL 1.1, some Apache
2.0) beside the files. The files are found without importing anything.
"""

from __future__ import annotations

import functools
import importlib.util
import string
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lpr.errors import UserError

LETTERS_AND_DIGITS = string.ascii_uppercase + string.digits
"""The characters of a plate's text."""
CAP_PX = 72
"""Height of an H in a glyph's mask, pixels."""


@dataclass(frozen=True)
class Typeface:
    """One weight and width of a family.

    Attributes:
        package: that has the file, as it is imported.
        file: inside of the package.
        axes: of a variable font: weight, and width where it has one.
    """

    package: str
    file: str
    axes: tuple[int, ...] = ()

    def glyph(self, character: str) -> Glyph:
        """One character.

        Raises:
            UserError: the package is missing.
        """
        return _glyph(self, character)


@dataclass(frozen=True)
class Glyph:
    """A character of a typeface.

    Attributes:
        mask: uint8 (h, w), 255 in the ink, cropped to it; an H is `CAP_PX` high.
        foot: how far the ink reaches below the base line, pixels; negative where it ends above.
        bearings: gaps that the typeface has at the left and at the right, pixels.
    """

    mask: np.ndarray
    foot: float
    bearings: tuple[float, float]


def _family(name: str, *faces: str | tuple[int, ...], file: str = "") -> tuple[Typeface, ...]:
    """The faces of a package `fontpkg-name`: weights by name, of single files, or axes, of the variable font `file`."""
    package = f"fontpkg_{name}"
    return tuple(
        Typeface(package, f"files/{file}.ttf", face)
        if isinstance(face, tuple)
        else Typeface(package, f"files/{face}.ttf")
        for face in faces
    )


PLATE_FACES: tuple[Typeface, ...] = (
    *_family("anton", "Anton-Regular"),
    *_family("archivo", (500, 62), (700, 62), (600, 80), (700, 100), (600, 125), file="Archivo[wdth,wght]"),
    *_family("arimo", (400,), (550,), (700,), file="Arimo[wght]"),
    *_family(
        "barlow_condensed",
        *(f"BarlowCondensed-{weight}" for weight in ("Regular", "Medium", "SemiBold", "Bold", "ExtraBold")),
    ),
    *_family("bebas_neue", "BebasNeue-Regular"),
    *_family("chakra_petch", *(f"ChakraPetch-{weight}" for weight in ("Medium", "SemiBold", "Bold"))),
    *_family("dosis", (500,), (650,), (800,), file="Dosis[wght]"),
    *_family("encode_sans", (600, 75), (800, 75), (500, 100), (700, 125), file="EncodeSans[wdth,wght]"),
    *_family("exo_2", (500,), (700,), file="Exo2[wght]"),
    *_family("fjalla_one", "FjallaOne-Regular"),
    *_family("inconsolata", (600, 75), (800, 75), (600, 100), (800, 100), file="Inconsolata[wdth,wght]"),
    *_family("jost", (500,), (700,), file="Jost[wght]"),
    *_family("lexend", (500,), (700,), file="Lexend[wght]"),
    *_family("nunito", (600,), (800,), (1000,), file="Nunito[wght]"),
    *_family("oswald", (400,), (500,), (600,), (700,), file="Oswald[wght]"),
    *_family("overpass", (500,), (700,), (900,), file="Overpass[wght]"),
    *_family("play", "Play-Regular", "Play-Bold"),
    *_family("pt_sans_narrow", "PT_Sans-Narrow-Web-Regular", "PT_Sans-Narrow-Web-Bold"),
    *_family("rajdhani", *(f"Rajdhani-{weight}" for weight in ("Medium", "SemiBold", "Bold"))),
    *_family("roboto_condensed", (400,), (550,), (700,), (900,), file="RobotoCondensed[wght]"),
    *_family("roboto_mono", (500,), (700,), file="RobotoMono[wght]"),
    *_family("rubik", (500,), (700,), file="Rubik[wght]"),
    *_family(
        "saira_condensed", *(f"SairaCondensed-{weight}" for weight in ("Medium", "SemiBold", "Bold", "ExtraBold"))
    ),
    *_family("share_tech", "ShareTech-Regular"),
    *_family("space_mono", "SpaceMono-Bold"),
    *_family("teko", (400,), (600,), (700,), file="Teko[wght]"),
    *_family("titillium_web", *(f"TitilliumWeb-{weight}" for weight in ("SemiBold", "Bold", "Black"))),
    *_family("varela_round", "VarelaRound-Regular"),
    *(Typeface("matplotlib", f"mpl-data/fonts/ttf/{name}.ttf") for name in ("DejaVuSans-Bold", "DejaVuSansMono-Bold")),
)
"""Typefaces as of presses and printers."""

PAINTED_FACES: tuple[Typeface, ...] = (
    *_family("kalam", "Kalam-Bold"),
    *_family("orbitron", (500,), (700,), file="Orbitron[wght]"),
    *_family("permanent_marker", "PermanentMarker-Regular"),
    *_family("roboto_slab", (500,), (700,), (900,), file="RobotoSlab[wght]"),
    *_family("russo_one", "RussoOne-Regular"),
    *(
        Typeface("matplotlib", f"mpl-data/fonts/ttf/{name}.ttf")
        for name in ("DejaVuSerif-Bold", "STIXGeneralBol", "DejaVuSans-BoldOblique", "cmb10", "cmss10")
    ),
)
"""Typefaces as of sign painters, and of ornamental plates."""


@functools.cache
def _glyph(face: Typeface, character: str) -> Glyph:
    font = _font(face)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(character, anchor="ls"))
    mask = Image.new("L", (right - left + 4, bottom - top + 4), 0)
    ImageDraw.Draw(mask).text((2 - left, 2 - top), character, fill=255, font=font, anchor="ls")
    box = mask.getbbox()
    assert box is not None
    ink = left + box[0] - 2, top + box[1] - 2, left + box[2] - 2, top + box[3] - 2
    return Glyph(np.asarray(mask.crop(box)), ink[3], (ink[0], font.getlength(character) - ink[2]))


@functools.cache
def _font(face: Typeface) -> ImageFont.FreeTypeFont:
    """The typeface in a size whose H is `CAP_PX` high."""
    path = _path(face)
    font = _at_size(face, path, 100)
    _, top, _, bottom = font.getbbox("H", anchor="ls")
    return _at_size(face, path, round(100 * CAP_PX / (bottom - top)))


def _at_size(face: Typeface, path: Path, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    if face.axes:
        font.set_variation_by_axes(list(face.axes))
    return font


def _path(face: Typeface) -> Path:
    spec = importlib.util.find_spec(face.package)  # found, not imported
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"the typefaces of the package {face.package.replace('_', '-')} are not installed: run `make setup`, which "
            "brings the extra `fonts`"
        )
    return Path(spec.submodule_search_locations[0]) / face.file
