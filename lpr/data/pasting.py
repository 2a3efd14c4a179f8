"""Drawn plates pasted onto photographs: over the real ones, or elsewhere; and lettering that is no plate.

What is pasted takes on the light, the sharpness and the grain of its place, so that no cut-out gives it away. Coordinates
are pixels, whose upper left corners are whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from lpr.data.painting import pick
from lpr.data.plate_bank import Art, draw_bank
from lpr.data.sign_bank import draw_signs

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # of RGB, ITU-R BT.601


@dataclass(frozen=True)
class Bank:
    """What there is to paste."""

    plates: Sequence[Art]
    signs: Sequence[Art]

    @classmethod
    def drawn(cls, size: int, seed: int) -> Bank:
        """`size` plates and half as many signs."""
        return cls(draw_bank(size, seed), draw_signs(size // 2, seed))


@dataclass(frozen=True)
class _Look:
    """How things look at a place: the colours of white and of black (RGB), blur (standard deviation, px), grain."""

    white: np.ndarray
    black: np.ndarray
    blur: float
    grain: float


def paste(
    picture: np.ndarray,
    boxes: np.ndarray,
    bank: Bank,
    random: Generator,
    *,
    replace: float,
    add: float,
    distract: float,
    nowhere: tuple[int, int, int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Paste at random.

    Args:
        picture: uint8 (h, w, 3), RGB; it is not changed.
        boxes: of its plates, pixels, float (n, 4).
        bank: what is pasted.
        random: where the chance comes from.
        replace: probability for each plate that a drawn one takes its place.
        add: probability of one more drawn plate.
        distract: probability of lettering that is no plate.
        nowhere: a colour of which nothing is covered that is wholly or partly in it, such as a letterbox's.

    Returns:
        The new picture, and its boxes (n or n + 1, 4), each around the corners of its plate.
    """
    picture, boxes = picture.copy(), boxes.astype(np.float64)
    for index in range(len(boxes)):
        if random.random() < replace:
            boxes[index] = _replace(picture, boxes[index], bank.plates, random)
    if random.random() < add:
        art = pick(random, bank.plates)
        corners = _free_place(picture, boxes, art, random, nowhere)
        if corners is not None:
            _lay(picture, art, corners, _look_around(picture, corners), random)
            boxes = np.concatenate([boxes, [_around(corners)]])
    if random.random() < distract:
        art = pick(random, bank.signs)
        corners = _free_place(picture, boxes, art, random, nowhere)
        if corners is not None:
            _lay(picture, art, corners, _look_around(picture, corners), random)
    return picture, boxes


# ------------------------------------------------------------------------------------------------------------- places


def _replace(picture: np.ndarray, box: np.ndarray, plates: Sequence[Art], random: Generator) -> np.ndarray:
    """Lay a plate of a similar shape over the one in the box, and take away what still shows of that. The new box."""
    height, width = picture.shape[:2]
    size = np.maximum(box[2:] - box[:2], 1)
    look = _look_of_plate(picture, box)
    # Of three, the plate whose shape is the nearest.
    art = min((pick(random, plates) for _ in range(3)), key=lambda art: abs(np.log(_aspect(art) * size[1] / size[0])))
    aspect = _aspect(art) * np.exp(random.uniform(-0.12, 0.12))
    wide = float(np.sqrt(size.prod() * aspect)) * random.uniform(0.95, 1.2)
    cover = max(size[0], size[1] * aspect) * 1.04
    if cover < 1.35 * wide:
        wide = cover
    wide = min(wide, 0.98 * width, 0.98 * height * aspect)
    corners = _corners((box[:2] + box[2:]) / 2, wide, wide / aspect, random, tilt=1.5)
    corners += np.maximum(-corners.min(axis=0), 0) - np.maximum(corners.max(axis=0) - (width, height), 0)
    inner = cv2.pointPolygonTest
    outline = corners.astype(np.float32)
    if min(inner(outline, (float(x), float(y)), True) for x in box[[0, 2]] for y in box[[1, 3]]) < 0:
        _erase(picture, box, look.grain, random)
    _lay(picture, art, corners, look, random)
    return _around(corners)


def _aspect(art: Art) -> float:
    left, top, right, bottom = art.box
    return (right - left) / (bottom - top)


def _free_place(
    picture: np.ndarray, boxes: np.ndarray, art: Art, random: Generator, nowhere: tuple[int, int, int] | None
) -> np.ndarray | None:
    """Corners (4, 2) of a place of random size that no plate is at; None where no such place is found soon."""
    height, width = picture.shape[:2]
    aspect = _aspect(art)
    largest = min(width, height * aspect) / 3
    for _ in range(8):
        wide = float(np.exp(random.uniform(np.log(min(12.0, largest)), np.log(largest))))
        high = wide / aspect
        if high < 5:
            continue
        centre = random.uniform((wide * 0.6, high * 0.6), (width - wide * 0.6, height - high * 0.6))
        corners = _corners(centre, wide, high, random, tilt=3.5)
        left, top, right, bottom = _around(corners) + (-4, -4, 4, 4)
        if left < 0 or top < 0 or right > width or bottom > height:
            continue
        apart = (boxes[:, 0] > right) | (boxes[:, 2] < left) | (boxes[:, 1] > bottom) | (boxes[:, 3] < top)
        if not apart.all():
            continue
        if nowhere is not None:
            covered = picture[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
            rim = np.concatenate([covered[0], covered[-1], covered[:, 0], covered[:, -1]])
            if (rim == nowhere).all(axis=1).mean() > 0.02:
                continue
        return corners
    return None


def _corners(centre: np.ndarray, width: float, height: float, random: Generator, tilt: float) -> np.ndarray:
    """Of a rectangle turned by about `tilt` degrees, a little sheared and in a little perspective: (4, 2), clockwise."""
    angle = np.deg2rad(random.normal(0, tilt))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    corners[:, 1] += corners[:, 0] * random.normal(0, 0.02)  # seen from the side
    near, over = random.normal(0, 0.03, 2)
    corners[:, 1] *= 1 + near * np.array([-1, 1, 1, -1])
    corners[:, 0] *= 1 + over * np.array([-1, -1, 1, 1]) * height / width
    return corners @ turn + centre


def _around(corners: np.ndarray) -> np.ndarray:
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


# -------------------------------------------------------------------------------------------------------------- looks


def _look_of_plate(picture: np.ndarray, box: np.ndarray) -> _Look:
    """From the plate in the box: its lightest and darkest are taken for its white and its black."""
    left, top, right, bottom = _whole(box, picture.shape, 0)
    patch = picture[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
    grey = patch @ _GREY
    low, high = np.percentile(grey, (4, 92))
    white, black = patch[grey >= high].mean(axis=0), patch[grey <= low].mean(axis=0)
    # A yellow or red plate is no yellow or red light: a tint of at most an eighth.
    level = max(float(white @ _GREY), 50.0)
    white = np.clip(white, level / 1.12, level * 1.12)
    black = np.full(3, min(float(black @ _GREY), 0.4 * level), np.float32)
    return _Look(white, black, _blur_of(picture, (left, top, right, bottom)), _grain_of(picture, box))


def _look_around(picture: np.ndarray, corners: np.ndarray) -> _Look:
    """From a place that is to be covered and what is around it."""
    box = _around(corners)
    left, top, right, bottom = _whole(box, picture.shape, float(np.ptp(box[[1, 3]])) / 2 + 8)
    patch = picture[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
    grey = patch @ _GREY
    low, middle, high = np.percentile(grey, (3, 50, 97))
    overall = float(np.percentile(picture[::8, ::8] @ _GREY, 90))
    level = float(np.clip(0.45 * high + 0.3 * overall + 0.4 * middle, 60, 250))
    tint = patch.mean(axis=0) / max(float(grey.mean()), 1)
    white = level * np.clip(tint, 0.93, 1.07)
    black = np.full(3, min(float(low), 0.25 * level), np.float32)
    return _Look(
        white.astype(np.float32), black, _blur_of(picture, (left, top, right, bottom)), _grain_of(picture, box)
    )


def _whole(box: np.ndarray, shape: tuple[int, ...], margin: float) -> tuple[int, int, int, int]:
    """Whole pixels that hold the box and a margin, inside the picture, at least 3 a side."""
    left, top = np.floor(np.maximum(box[:2] - margin, 0)).astype(int).tolist()
    right, bottom = np.ceil(np.minimum(box[2:] + margin, (shape[1], shape[0]))).astype(int).tolist()
    left, top = min(left, shape[1] - 3), min(top, shape[0] - 3)
    return left, top, max(right, left + 3), max(bottom, top + 3)


def _blur_of(picture: np.ndarray, place: tuple[int, int, int, int]) -> float:
    """Standard deviation, px, of a Gaussian that makes of a step the steepest slope that there is.

    A step of height c blurred by σ has the slope c / (σ √(2π)).
    """
    left, top, right, bottom = place
    grey = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    across = cv2.absdiff(grey[:, 2:], grey[:, :-2])
    slope = float(np.percentile(across, 98)) / 2 if across.size else 0.0
    low, high = np.percentile(grey, (2, 98))
    if high - low < 12 or slope < 1:
        return 1.0
    return float(np.clip((high - low) / (slope * np.sqrt(2 * np.pi)), 0.4, 4.0))


def _grain_of(picture: np.ndarray, box: np.ndarray) -> float:
    """Standard deviation of the noise around the box, after Immerkær (1996), by the median, which edges leave alone."""
    left, top, right, bottom = _whole(box, picture.shape, 12)
    grey = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_RGB2GRAY).astype(np.float32)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.median(np.abs(cv2.filter2D(grey, -1, kernel)[1:-1, 1:-1]))) / 6 / 0.6745


# ------------------------------------------------------------------------------------------------------------- layers


def _erase(picture: np.ndarray, box: np.ndarray, grain: float, random: Generator) -> None:
    """Fill the box from the pixels around it, the nearer the more."""
    margin = 2 + 0.06 * float((box[3] - box[1]))
    left, top, right, bottom = _whole(box, picture.shape, margin)
    height, width = bottom - top, right - left
    x = (np.arange(width, dtype=np.float32) + 0.5)[None, :, None]
    y = (np.arange(height, dtype=np.float32) + 0.5)[:, None, None]
    total = np.zeros((height, width, 3), np.float32)
    weights = np.zeros((height, width, 1), np.float32)
    rows, columns = slice(top, bottom), slice(left, right)
    sides: list[tuple[np.ndarray, np.ndarray]] = []
    if top > 0:
        sides.append((picture[max(top - 2, 0) : top, columns].mean(axis=0)[None], y))
    if bottom < picture.shape[0]:
        sides.append((picture[bottom : bottom + 2, columns].mean(axis=0)[None], height - y))
    if left > 0:
        sides.append((picture[rows, max(left - 2, 0) : left].mean(axis=1)[:, None], x))
    if right < picture.shape[1]:
        sides.append((picture[rows, right : right + 2].mean(axis=1)[:, None], width - x))
    for colours, distance in sides:
        weight = distance**-1.5
        total += weight * colours.astype(np.float32)
        weights += weight
    if not sides:
        return
    filled = cv2.GaussianBlur(total / weights, (0, 0), 1.0)
    filled += random.normal(0, grain, filled.shape[:2])[..., None].astype(np.float32)
    picture[rows, columns] = np.clip(filled, 0, 255).astype(np.uint8)


def _lay(picture: np.ndarray, art: Art, corners: np.ndarray, look: _Look, random: Generator) -> None:
    """Draw the art so that its box falls on the corners, in that light, with a shadow under it."""
    left, top, right, bottom = art.box
    wide = float(np.linalg.norm(corners[1] - corners[0]))
    shrink = max(1.0, (right - left) / (1.5 * wide))
    pixels = art.pixels
    if shrink > 1.2:  # finer than can be shown: averaged, not sampled
        size = max(2, round(pixels.shape[1] / shrink)), max(2, round(pixels.shape[0] / shrink))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    scale = np.array([pixels.shape[1] / art.pixels.shape[1], pixels.shape[0] / art.pixels.shape[0]])
    source = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) * scale

    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), corners.astype(np.float32)).astype(np.float64)
    rim = np.array([[0, 0], [pixels.shape[1], 0], [pixels.shape[1], pixels.shape[0]], [0, pixels.shape[0]]], float)
    outline = cv2.perspectiveTransform(rim[None], matrix)[0]
    depth = random.uniform(0.02, 0.07) * float(np.linalg.norm(corners[3] - corners[0]))
    margin = 3 + 2 * look.blur + 2 * depth
    x0, y0, x1, y1 = _whole(_around(outline), picture.shape, margin)
    # OpenCV's whole numbers are the middles of pixels.
    middles = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    offset = np.array([[1, 0, -x0 - 0.5], [0, 1, -y0 - 0.5], [0, 0, 1]])
    premultiplied = pixels.astype(np.float32) / 255
    premultiplied[..., :3] *= premultiplied[..., 3:]
    layer = cv2.warpPerspective(premultiplied, offset @ matrix @ middles, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    extra = np.sqrt(max(look.blur**2 - 0.5**2, 0))
    if extra > 0.25:
        layer = cv2.GaussianBlur(layer, (0, 0), extra)

    place = picture[y0:y1, x0:x1].astype(np.float32)
    alpha = layer[..., 3:]
    cast = cv2.warpAffine(alpha, np.array([[1, 0, depth * 0.4], [0, 1, depth]]), (x1 - x0, y1 - y0))
    cast = cv2.GaussianBlur(cast, (0, 0), 0.6 + depth)[..., None]
    place *= 1 - random.uniform(0.2, 0.6) * cast
    lit = layer[..., :3] * (look.white - look.black) + alpha * look.black
    if look.grain > 0.5:
        lit += alpha * random.normal(0, look.grain, alpha.shape[:2])[..., None].astype(np.float32)
    picture[y0:y1, x0:x1] = np.clip(place * (1 - alpha) + lit, 0, 255).astype(np.uint8)
