"""Drawn plates pasted onto images: over the real ones, or elsewhere; and lettering that is no plate.

What is pasted takes on the light, the sharpness and the grain of its place, so that no cut-out gives it away.
Coordinates are pixels, from the upper left corner of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from lpr.synthesis.painting import pick
from lpr.synthesis.plate_art import Colour
from lpr.synthesis.plate_bands import Box
from lpr.synthesis.plate_bank import Art, draw_pool
from lpr.synthesis.sign_bank import draw_signs

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # of RGB, ITU-R BT.601
# Blur (standard deviation, px) of sharp edges by the sampling alone, as `_blur_of` measures it.
_SHARP = 0.85
_NARROWEST = 12.0  # width of an added plate, px


@dataclass(frozen=True)
class PastePool:
    """What there is to paste."""

    plates: Sequence[Art]
    signs: Sequence[Art]

    @classmethod
    def drawn(cls, size: int, seed: int) -> PastePool:
        """`size` plates and half as many signs."""
        return cls(draw_pool(size, seed), draw_signs(-(-size // 2), seed))


@dataclass(frozen=True)
class _Look:
    """How things look at a place: what white and black become (RGB), blur (standard deviation, px), and grain."""

    white: np.ndarray
    black: np.ndarray
    blur: float
    grain: float


def paste(
    image: np.ndarray,
    boxes: np.ndarray,
    bank: PastePool,
    random: Generator,
    *,
    replace: float,
    add: float,
    distract: float,
    nowhere: Colour | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Paste at random.

    Args:
        image: uint8 (h, w, 3), RGB; it is not changed.
        boxes: of its plates, pixels, float (n, 4).
        bank: what is pasted.
        random: where the chance comes from.
        replace: probability for each plate that a drawn one takes its place.
        add: probability of one more drawn plate.
        distract: probability of lettering that is no plate.
        nowhere: the colour of what is no part of the image, such as a letterbox; nothing is pasted across it.

    Returns:
        The new image, and its boxes (n or n + 1, 4), each around the corners of its plate.
    """
    image, boxes = image.copy(), boxes.astype(np.float64)
    blur = min((_blur_of(image, box) for box in boxes), default=np.inf)
    for index in range(len(boxes)):
        if random.random() < replace:
            boxes[index] = _replace(image, boxes, index, bank.plates, random, nowhere)
    for likely, stock in ((add, bank.plates), (distract, bank.signs)):
        if random.random() >= likely:
            continue
        art = pick(random, stock)
        corners = _free_place(image, boxes, art, random, nowhere)
        if corners is None:
            continue
        _lay(image, art, corners, _look_around(image, corners, blur), random)
        if stock is bank.plates:
            boxes = np.concatenate([boxes, [_around(corners)]])
    return image, boxes


# ------------------------------------------------------------------------------------------------------------- places


def _replace(
    image: np.ndarray, boxes: np.ndarray, index: int, plates: Sequence[Art], random: Generator, nowhere: Colour | None
) -> np.ndarray:
    """Lay a plate of a similar shape over that of the boxes, and take away what still shows of it.

    Returns:
        The new plate's box; the old one, where there is no room for a new plate.
    """
    box, (height, width) = boxes[index], image.shape[:2]
    old_width, old_height = np.maximum(box[2:] - box[:2], 1).tolist()
    old_aspect = old_width / old_height
    # Of three, the plate whose shape is the nearest; narrower than it is, where it could be seen from the side.
    art = min((pick(random, plates) for _ in range(3)), key=lambda art: abs(np.log(_aspect(art) / old_aspect)))
    aspect = _aspect(art)
    aspect *= float(np.clip(old_aspect / aspect, 0.75, 1.1) * np.exp(random.normal(0, 0.05)))
    new_width = float(np.sqrt(old_width * old_height * aspect)) * random.uniform(0.95, 1.2)
    covering = max(old_width, old_height * aspect) * 1.05
    if covering < 1.4 * new_width:
        new_width = covering
    new_width = min(new_width, 0.98 * width, 0.98 * height * aspect)
    corners = _corners((box[:2] + box[2:]) / 2, new_width, new_width / aspect, random, tilt=2.5)
    corners -= np.minimum(corners.min(axis=0), 0) + np.maximum(corners.max(axis=0) - (width, height), 0)
    if not _is_free(image, _around(corners), np.delete(boxes, index, axis=0), nowhere):
        return box
    look = _look_of_plate(image, box)
    outline = corners.astype(np.float32)
    old = [(float(x), float(y)) for x in box[[0, 2]] for y in box[[1, 3]]]
    if any(cv2.pointPolygonTest(outline, point, measureDist=False) < 0 for point in old):
        _erase(image, box, look.grain, random)
    _lay(image, art, corners, look, random)
    return _around(corners)


def _aspect(art: Art) -> float:
    left, top, right, bottom = art.box
    return (right - left) / (bottom - top)


def _free_place(
    image: np.ndarray, boxes: np.ndarray, art: Art, random: Generator, nowhere: Colour | None
) -> np.ndarray | None:
    """Corners (4, 2) of a place of random size that no plate is at; None where no such place is found soon."""
    height, width = image.shape[:2]
    aspect = _aspect(art)
    widest = min(width, height * aspect) / 3
    if widest < _NARROWEST:
        return None
    for _ in range(8):
        wide = float(np.exp(random.uniform(np.log(_NARROWEST), np.log(widest))))
        half = 0.6 * np.array([wide, wide / aspect]) + 3
        centre = random.uniform(half, np.maximum((width, height) - half, half))
        corners = _corners(centre, wide, wide / aspect, random, tilt=3.5)
        if _is_free(image, _around(corners), boxes, nowhere):
            return corners
    return None


def _is_free(image: np.ndarray, box: np.ndarray, boxes: np.ndarray, nowhere: Colour | None) -> bool:
    """Whether the box lies in the image, off the other boxes, and not across the edge of `nowhere`."""
    height, width = image.shape[:2]
    if box.min() < -1e-6 or box[2] > width + 1e-6 or box[3] > height + 1e-6:
        return False
    if ((boxes[:, :2] < box[2:] + 4).all(axis=1) & (boxes[:, 2:] > box[:2] - 4).all(axis=1)).any():
        return False
    if nowhere is None:
        return True
    left, top, right, bottom = _whole(box, image.shape, 0)
    place = image[top:bottom, left:right]
    rim = np.concatenate([place[0], place[-1], place[:, 0], place[:, -1]])
    return bool((rim == nowhere).all(axis=1).mean() < 0.03)


def _corners(centre: np.ndarray, width: float, height: float, random: Generator, tilt: float) -> np.ndarray:
    """Of a rectangle turned by some `tilt` degrees, a little sheared, in a little perspective: (4, 2), clockwise."""
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    near, above = random.normal(0, 0.03, 2)
    corners[:, 1] *= 1 + near * np.array([-1, 1, 1, -1])
    corners[:, 0] *= 1 + above * np.array([-1, -1, 1, 1]) * height / width
    corners[:, 1] += corners[:, 0] * random.normal(0, 0.03)  # as seen from the side and from above
    angle = np.deg2rad(random.normal(0, tilt))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return corners @ turn + centre


def _around(corners: np.ndarray) -> np.ndarray:
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _whole(box: np.ndarray, shape: tuple[int, ...], margin: float) -> tuple[int, int, int, int]:
    """Whole pixels that hold the box and a margin, inside the image, at least 3 a side."""
    left, top = (box[:2] - margin).tolist()
    right, bottom = (box[2:] + margin).tolist()
    height, width = shape[:2]
    x, y = max(min(int(left), width - 3), 0), max(min(int(top), height - 3), 0)
    return x, y, min(max(int(np.ceil(right)), x + 3), width), min(max(int(np.ceil(bottom)), y + 3), height)


# -------------------------------------------------------------------------------------------------------------- looks


def _look_of_plate(image: np.ndarray, box: np.ndarray) -> _Look:
    """From the plate in the box: its lightest and its darkest are taken for what white and black look like there."""
    left, top, right, bottom = _whole(box, image.shape, 0)
    patch = image[top:bottom, left:right]
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    low, high = _levels(grey, 0.04, 0.92)
    white = patch[grey >= high].mean(axis=0, dtype=np.float32)
    level = max(float(white @ _GREY), 60.0)
    # A yellow or red plate is no yellow or red light.
    white = np.clip(white, level / 1.08, level * 1.08)
    black = np.full(3, min(0.6 * low, 0.3 * level), np.float32)
    return _Look(white, black, _blur_of(image, box), _grain_of(image, box))


def _look_around(image: np.ndarray, corners: np.ndarray, blur: float) -> _Look:
    """From what is to be covered and what is around it; no blurrier than `blur`, which is what is known of the rest."""
    box = _around(corners)
    left, top, right, bottom = _whole(box, image.shape, 8 + float(box[3] - box[1]))
    patch = image[top:bottom, left:right]
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    low, middle, high = _levels(grey, 0.03, 0.5, 0.95)
    (overall,) = _levels(np.ascontiguousarray(image[::4, ::4, 1]), 0.9)
    level = float(np.clip(0.45 * high + 0.5 * overall + 0.25 * middle, 80, 250))
    mean = patch.reshape(-1, 3).mean(axis=0)
    tint = np.clip(mean / max(float(mean @ _GREY), 1), 0.95, 1.05)
    black = np.full(3, min(0.6 * low, 0.12 * level), np.float32)
    blur = min(blur, _blur_of(image, box, 8), 1.6)
    return _Look((level * tint).astype(np.float32), black, blur, _grain_of(image, box))


def _levels(grey: np.ndarray, *shares: float) -> list[float]:
    """Below which those shares of the pixels (uint8) are."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().cumsum()
    return [float(level) for level in np.searchsorted(counts, np.array(shares) * counts[-1])]


def _blur_of(image: np.ndarray, box: np.ndarray, margin: float = 0) -> float:
    """Standard deviation, px, of the Gaussian that would make of one step the steepest slopes that there are.

    A step of height c blurred by σ has the slope c / (σ √(2π)).
    """
    left, top, right, bottom = _whole(box, image.shape, margin)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    low, high = _levels(grey, 0.03, 0.97)
    (across,) = _levels(cv2.absdiff(grey[:, 2:], grey[:, :-2]), 0.99)
    (down,) = _levels(cv2.absdiff(grey[2:], grey[:-2]), 0.99)
    slope = max(across, down) / 2
    if high - low < 15 or slope < 1:
        return 1.2
    return float(np.clip((high - low) / (slope * np.sqrt(2 * np.pi)), 0.4, 4.0))


def _grain_of(image: np.ndarray, box: np.ndarray) -> float:
    """Standard deviation of the noise around the box, after Immerkær (1996), by the median, which edges leave alone."""
    left, top, right, bottom = _whole(box, image.shape, 12)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    (middle,) = _levels(cv2.convertScaleAbs(cv2.filter2D(grey, cv2.CV_16S, kernel)), 0.5)
    return middle / 6 / 0.6745


# ------------------------------------------------------------------------------------------------------------- layers


def _erase(image: np.ndarray, box: np.ndarray, grain: float, random: Generator) -> None:
    """Fill the box from the pixels around it, the nearer the more."""
    left, top, right, bottom = _whole(box, image.shape, 2 + 0.06 * float(box[3] - box[1]))
    place = image[top:bottom, left:right]
    height, width = place.shape[:2]
    x, y = np.arange(width, dtype=np.float32)[None] + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5
    # What lies just outside each side, as a row or a column, and how far away that is.
    sides = [
        (image[max(top - 2, 0) : top, left:right], 0, y),
        (image[bottom : bottom + 2, left:right], 0, height - y),
        (image[top:bottom, max(left - 2, 0) : left], 1, x),
        (image[top:bottom, right : right + 2], 1, width - x),
    ]
    total, weights = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for pixels, axis, distance in sides:
        if pixels.size:
            weight = np.broadcast_to(distance**-1.5, (height, width))
            total += cv2.merge([weight] * 3) * pixels.mean(axis=axis, keepdims=True, dtype=np.float32)
            weights += weight
    filled = cv2.GaussianBlur(total / cv2.merge([np.maximum(weights, 1e-6)] * 3), (0, 0), 1.0)
    image[top:bottom, left:right] = _grained(filled.astype(np.uint8), grain, random)


def _lay(image: np.ndarray, art: Art, corners: np.ndarray, look: _Look, random: Generator) -> None:
    """Draw the art so that its box falls on the corners, in that light, with a shadow under it."""
    pixels, box = _sized(art, float(np.linalg.norm(corners[1] - corners[0])))
    left, top, right, bottom = box
    source = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32)).astype(np.float64)
    rows, columns = pixels.shape[:2]
    rim = np.array([[[0, 0], [columns, 0], [columns, rows], [0, rows]]], float)
    outline = cv2.perspectiveTransform(rim, matrix)[0]
    depth = random.uniform(0.02, 0.07) * float(np.linalg.norm(corners[3] - corners[0]))
    x0, y0, x1, y1 = _whole(_around(outline), image.shape, 3 + 2 * look.blur + 2 * depth)
    size = x1 - x0, y1 - y0
    # In OpenCV's coordinates, whole numbers are the middles of pixels.
    matrix = (
        np.array([[1, 0, -x0 - 0.5], [0, 1, -y0 - 0.5], [0, 0, 1]]) @ matrix @ [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]
    )

    light = look.black + (look.white - look.black) * np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    lit = cv2.LUT(np.ascontiguousarray(pixels[..., :3]), np.clip(light, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    layer = cv2.warpPerspective(lit, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(pixels[..., 3].astype(np.float32) / 255, matrix, size, flags=cv2.INTER_LINEAR)
    blur = float(np.sqrt(max((look.blur * random.uniform(0.9, 1.3)) ** 2 - _SHARP**2, 0)))
    if blur > 0.25:
        layer, alpha = cv2.GaussianBlur(layer, (0, 0), blur), cv2.GaussianBlur(alpha, (0, 0), blur)

    shift = np.array([[1, 0, depth * random.uniform(-0.4, 0.4)], [0, 1, depth]])
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, size), (0, 0), 0.6 + depth) * random.uniform(0.2, 0.6)
    place = image[y0:y1, x0:x1]
    shaded = cv2.blendLinear(np.zeros_like(place), np.ascontiguousarray(place), shadow, 1 - shadow)
    image[y0:y1, x0:x1] = cv2.blendLinear(_grained(layer, look.grain, random), shaded, alpha, 1 - alpha)


def _sized(art: Art, width: float) -> tuple[np.ndarray, Box]:
    """The art's pixels, averaged where they are finer than can be shown with a box so wide; and the box in them."""
    shrink = (art.box[2] - art.box[0]) / (1.5 * width)
    if shrink < 1.2:
        return art.pixels, art.box
    rows, columns = art.pixels.shape[:2]
    size = max(2, round(columns / shrink)), max(2, round(rows / shrink))
    x, y = size[0] / columns, size[1] / rows
    left, top, right, bottom = art.box
    return cv2.resize(art.pixels, size, interpolation=cv2.INTER_AREA), (left * x, top * y, right * x, bottom * y)


def _grained(pixels: np.ndarray, spread: float, random: Generator) -> np.ndarray:
    """With grey noise of that standard deviation, where there is any to speak of."""
    if spread < 0.5:
        return pixels
    noise = (random.standard_normal(pixels.shape[:2], dtype=np.float32) * spread).astype(np.int16)
    return cv2.add(pixels, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
