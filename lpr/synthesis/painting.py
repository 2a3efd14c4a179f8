"""What scenes and plates are painted with: colours, words, lettering, a camera, filled polygons, warped images."""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont

T = TypeVar("T")
Colour = tuple[int, int, int]
"""RGB, 0–255."""
Size = tuple[int, int]
"""Width and height."""
Stops = Sequence[Colour]
"""Colours of a gradient, evenly spaced from the top of a shape to its bottom."""


def palette(colours: str) -> tuple[Colour, ...]:
    """Colours written as RRGGBB with spaces between."""
    return tuple(ImageColor.getrgb(f"#{colour}")[:3] for colour in colours.split())


def phrases(words: str) -> tuple[str, ...]:
    """Phrases written with "|" between."""
    return tuple(words.split("|"))


PAINTS = palette("ce2e26 eebe24 225ca8 1e804c e4781e eeece4 6e2c78 282c34")
PAPERS = palette("eeece4 f0c828 ce3228 285aaa f0f0f0 eebe24")
BLACK: Colour = (12, 12, 13)

SLOGANS = phrases(
    "HORN OK PLEASE|USE DIPPER AT NIGHT|KEEP DISTANCE|STOP|SCHOOL BUS|ON GOVT DUTY|MERA BHARAT MAHAN|"
    "BLOW HORN|GOODS CARRIER|TOURIST|ALL INDIA PERMIT|NO ENTRY|WAIT FOR SIDE|SPEED 40 KM|POWER BRAKE"
)

# Fonts as of presses and sign painters; None is Pillow's own.
PLATE_FONTS = ("DejaVuSans-Bold.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSans.ttf", "cmss10.ttf", None)
SIGN_FONTS = (*PLATE_FONTS, "DejaVuSerif-Bold.ttf", "STIXGeneralBol.ttf", "DejaVuSans-BoldOblique.ttf", "cmb10.ttf")

_FONT_PX = 96


# ------------------------------------------------------------------------------------------------------------ choices


def pick(rng: Generator, choices: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """One of the choices; `weights` sum to 1, and without them each is as likely."""
    return choices[int(rng.choice(len(choices), p=weights))]


def choose_colour(rng: Generator, colours: Sequence[Colour]) -> Colour:
    """A colour near one of `colours`."""
    shift = rng.integers(-14, 15) + rng.integers(-5, 6, 3)
    red, green, blue = np.clip(np.array(pick(rng, colours)) + shift, 6, 250).tolist()
    return red, green, blue


def shades(colour: Colour, *factors: float) -> tuple[Colour, ...]:
    """The colour times each factor: above 1 lighter, at most 255 a channel."""
    red, green, blue = colour
    return tuple((min(255, int(red * f)), min(255, int(green * f)), min(255, int(blue * f))) for f in factors)


def readable_on(paper: Colour) -> Colour:
    """Dark ink for light paper, light ink for dark."""
    return BLACK if sum(paper) > 390 else (244, 241, 230)


def choose_phone(rng: Generator) -> str:
    """A mobile number of ten digits, the first from 6 to 9 as in India."""
    return f"{pick(rng, '6789')}{rng.integers(10**8, 10**9)}"


# ----------------------------------------------------------------------------------------------- geometry and shapes


class Camera:
    """A pinhole camera directed at a point of the scene.

    Args:
        target: that point, millimetres.
        at_px: where it is projected to in the image.
        focal_px: focal length, pixels.
        distance: from the target, millimetres.
        turn: yaw, pitch, roll in radians; positive yaw shows the vehicle's right side, positive pitch is from above.
    """

    def __init__(
        self,
        target: np.ndarray,
        at_px: tuple[float, float],
        focal_px: float,
        distance: float,
        turn: tuple[float, float, float],
    ) -> None:
        self._target, self._at, self._focal, self._distance = target, at_px, focal_px, distance
        (a, b), (c, d), (e, f) = ((math.cos(angle), math.sin(angle)) for angle in turn)
        yaw, pitch, roll = (
            [[a, 0, b], [0, 1, 0], [-b, 0, a]],
            [[1, 0, 0], [0, c, d], [0, -d, c]],
            [[e, -f, 0], [f, e, 0]],
        )
        self._rotation = np.array([*roll, [0, 0, 1]]) @ np.array(pitch) @ np.array(yaw)
        self.horizon_px = at_px[1] - focal_px * math.tan(turn[1])

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Project points (n, 3) in millimetres to (n, 2) pixels; points behind the camera are moved just before it."""
        x, y, z = self._rotation @ (points - self._target).T
        scale = self._focal / np.maximum(self._distance + z, 0.12 * self._distance)
        return np.stack([self._at[0] + x * scale, self._at[1] - y * scale], axis=1)


def paste_warped(image: Image.Image, art: Image.Image, corners: np.ndarray) -> None:
    """Paste RGBA `art` with its corners at `corners` (4, 2; px; clockwise from the top left); not if it is mirrored."""
    left, top, right, bottom = _visible(image, corners)
    if right <= left or bottom <= top or signed_area(corners) < 1:
        return
    width, height = art.size
    rows, values = [], []
    source = [(0, 0), (width, 0), (width, height), (0, height)]
    for (x, y), (u, v) in zip((corners - (left, top)).tolist(), source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    homography = np.linalg.solve(np.array(rows), np.array(values)).tolist()
    size = (right - left, bottom - top)
    warped = art.transform(size, Image.Transform.PERSPECTIVE, homography, Image.Resampling.BICUBIC)
    image.paste(warped, (left, top), warped)


def fill(image: Image.Image, polygon: np.ndarray, stops: Stops, alpha: float = 1, soft: float = 0) -> None:
    """Fill a polygon (n, 2; px) with colours from its top to its bottom; its edge is smooth, or `soft` px wide."""
    left, top, right, bottom = _visible(image, polygon, 2 * soft)
    if right <= left or bottom <= top:
        return
    size = (right - left, bottom - top)
    mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    ImageDraw.Draw(mask).polygon(((polygon - (left, top)) * 2).ravel().tolist(), fill=round(255 * alpha))
    mask = mask.reduce(2)
    if soft:
        mask = mask.filter(ImageFilter.BoxBlur(soft))
    first, last = float(polygon[:, 1].min()), float(polygon[:, 1].max())
    image.paste(gradient(stops, size, top - first, last - first), (left, top), mask)


def _visible(image: Image.Image, polygon: np.ndarray, margin: float = 0) -> tuple[int, int, int, int]:
    """The part of the polygon's upright box, `margin` px wider, that lies in the image; empty if right <= left."""
    left, top = np.floor(np.maximum(polygon.min(axis=0) - margin, 0)).astype(int).tolist()
    right, bottom = np.ceil(np.minimum(polygon.max(axis=0) + margin, image.size)).astype(int).tolist()
    return left, top, right, bottom


def gradient(stops: Stops, size: Size, start: float = 0, span: float | None = None) -> Image.Image:
    """Colours from top to bottom; the image's first row lies `start` px below the first colour of `span` px."""
    along = (start + np.arange(size[1])) / max(span or size[1], 1e-6)
    at = np.linspace(0, 1, len(stops))
    column = np.stack([np.interp(along, at, channel) for channel in np.array(stops, float).T], axis=1)
    return Image.fromarray(column[:, None].astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


def signed_area(polygon: np.ndarray) -> float:
    """Area of a polygon (n, 2; px) in px², positive when the corners run clockwise on the screen."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


# ----------------------------------------------------------------------------------------------------- lettering, noise


def lettering(text: str, font: str | None, stroke: int = 0) -> Image.Image:
    """A line of text as a mask: mode L, 255 in the letters, cropped to their outer edges.

    Args:
        text: at least one character that leaves a mark.
        font: a file name in `SIGN_FONTS`, or None for Pillow's own.
        stroke: thickens the letters, in pixels of letters about 70 px high.
    """
    face = _font(font)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(text, stroke_width=stroke))
    mask = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=face, stroke_width=stroke)
    return mask


def smooth_noise(rng: Generator, height: int, width: int, columns: int, rows: int) -> np.ndarray:
    """Normal noise on a coarse grid, smoothly enlarged: float32 of shape (height, width), about -2 to 2."""
    coarse = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


@functools.cache
def _font(name: str | None) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if name is None:
        return ImageFont.load_default(_FONT_PX)
    spec = importlib.util.find_spec("matplotlib")  # found, not imported: importing takes a second
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("matplotlib, whose fonts are drawn with, is not installed")
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name
    return ImageFont.truetype(path, _FONT_PX, layout_engine=ImageFont.Layout.BASIC)
