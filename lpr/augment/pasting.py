"""Synthetic plates pasted into images, over the real ones or elsewhere; and hard negatives: lettering that is no plate.

What is pasted takes on the light, the blur and the noise of its place, so that these do not give it away. Coordinates
are pixels; the middle of the first is at (½, ½).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from lpr.synthesis.hard_negatives import draw_hard_negatives
from lpr.synthesis.painting import Colour, pick
from lpr.synthesis.paste_pool import draw_paste_plates
from lpr.synthesis.plate_bands import Box
from lpr.synthesis.plate_blanks import Patch

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of RGB, ITU-R BT.601
_SAMPLING_BLUR_PX = 0.85  # of sharp edges by the sampling alone, as `_blur_of` measures it
_MIN_WIDTH_PX = 20.0  # of an extra plate: smaller ones cannot be told from other bright or dark spots
_MAX_EXTRA_WIDTH = 0.75  # of an extra plate, as a share of the widest that fits


@dataclass(frozen=True)
class PastePool:
    """What is pasted: plates, and lettering that is no plate."""

    plates: Sequence[Patch]
    hard_negatives: Sequence[Patch]

    @classmethod
    def synthesize(cls, size: int, seed: int) -> PastePool:
        """A pool of `size` synthetic plates and half as many hard negatives."""
        return cls(draw_paste_plates(size, seed), draw_hard_negatives(-(-size // 2), seed))


@dataclass(frozen=True)
class _Appearance:
    """How objects appear at a place of an image.

    Attributes:
        white, black: the colours that white and black have there, RGB, float32 (3,) in 0–255.
        blur: standard deviation of the blur, pixels.
        noise: standard deviation of the noise, in levels of 0–255.
    """

    white: np.ndarray
    black: np.ndarray
    blur: float
    noise: float


def paste(
    image: np.ndarray,
    boxes: np.ndarray,
    pool: PastePool,
    random: Generator,
    *,
    p_over: float,
    p_extra: float,
    p_hard_negative: float,
    border: Colour | None = None,
    turn_deg: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Paste at random.

    Args:
        image: uint8 (h, w, 3) RGB; it is not changed.
        boxes: of its plates, pixels, float (n, 4), or (n, 5) with the weight of each, which is 1 for what is pasted.
        pool: what is pasted.
        random: the source of all random numbers.
        p_over: probability for each plate that another one is pasted over it.
        p_extra: probability of one more plate.
        p_hard_negative: probability of lettering that is no plate.
        border: the colour beside the image, such as that of a letterbox; nothing is pasted across the edge.
        turn_deg: by how much the image has been turned, clockwise; `boxes` are around the plates as they are now.

    Returns:
        The new image, and its boxes, (n or n + 1, 4 or 5), each around the corners of its plate.
    """
    image, boxes = image.copy(), boxes.astype(np.float64)
    blur = min((_blur_of(image, box[:4]) for box in boxes), default=np.inf)
    ones = np.ones(boxes.shape[1] - 4)
    for index in range(len(boxes)):
        if random.random() < p_over:
            over = _paste_over(image, boxes[:, :4], index, pool.plates, random, border, turn_deg)
            if over is not None:
                boxes[index] = [*over, *ones]
    for probability, patches in ((p_extra, pool.plates), (p_hard_negative, pool.hard_negatives)):
        if random.random() >= probability:
            continue
        patch = pick(random, patches)
        corners = _free_place(image, boxes[:, :4], patch, random, border, turn_deg)
        if corners is None:
            continue
        _render(image, patch, corners, _appearance_around(image, corners, blur), random)
        if patches is pool.plates:
            boxes = np.concatenate([boxes, [[*_bounding_box(corners), *ones]]])
    return image, boxes


# ------------------------------------------------------------------------------------------------------------- places


def _paste_over(
    image: np.ndarray,
    boxes: np.ndarray,
    index: int,
    plates: Sequence[Patch],
    random: Generator,
    border: Colour | None,
    turn_deg: float,
) -> np.ndarray | None:
    """Paste a plate of a similar shape, or of any, over that of a box, and erase what remains visible of it.

    Returns:
        The new plate's box; None where there is no room for it.
    """
    box, (height, width) = boxes[index], image.shape[:2]
    old_width, old_height = _sides(box, turn_deg)
    old_aspect = old_width / old_height
    # Of one or of three, the plate of the nearest aspect ratio: were it always of three, images of plates in one line
    # would hardly ever show plates in two. Foreshortened, as if seen from the side, where it is too wide.
    candidates = [pick(random, plates) for _ in range(random.choice([1, 3]))]
    patch = min(candidates, key=lambda patch: abs(np.log(_aspect(patch) / old_aspect)))
    aspect = _aspect(patch)
    aspect *= float(np.clip(old_aspect / aspect, 0.75, 1.1) * np.exp(random.normal(0, 0.05)))
    new_width = float(np.sqrt(old_width * old_height * aspect)) * random.uniform(0.95, 1.2)
    covering = max(old_width, old_height * aspect) * 1.05
    if covering < 1.4 * new_width:
        new_width = covering
    new_width = min(new_width, 0.98 * width, 0.98 * height * aspect)
    centre = (box[:2] + box[2:]) / 2
    corners = _corners(centre, new_width, new_width / aspect, random, turn_deg, tilt_deg=2.5)
    corners -= np.minimum(corners.min(axis=0), 0) + np.maximum(corners.max(axis=0) - (width, height), 0)
    if not _is_free(image, _bounding_box(corners), np.delete(boxes, index, axis=0), border):
        return None
    appearance = _appearance_of_plate(image, box)
    outline = corners.astype(np.float32)
    old = _turned(_rectangle(old_width, old_height), turn_deg) + centre
    if patch.see_through or any(cv2.pointPolygonTest(outline, (x, y), measureDist=False) < 0 for x, y in old.tolist()):
        _erase(image, old, old_height, appearance.noise, random)
    _render(image, patch, corners, appearance, random)
    return _bounding_box(corners)


def _aspect(patch: Patch) -> float:
    left, top, right, bottom = patch.box
    return (right - left) / (bottom - top)


def _free_place(
    image: np.ndarray, boxes: np.ndarray, patch: Patch, random: Generator, border: Colour | None, turn_deg: float
) -> np.ndarray | None:
    """Corners (4, 2) of a random place, of random size, without a plate; None where none is found in 8 tries."""
    height, width = image.shape[:2]
    aspect = _aspect(patch)
    widest = min(width, height * aspect) * _MAX_EXTRA_WIDTH
    if widest < _MIN_WIDTH_PX:
        return None
    for _ in range(8):
        wide = float(np.exp(random.uniform(np.log(_MIN_WIDTH_PX), np.log(widest))))
        half = 0.6 * np.array([wide, wide / aspect]) + 3
        centre = random.uniform(half, np.maximum((width, height) - half, half))
        corners = _corners(centre, wide, wide / aspect, random, turn_deg, tilt_deg=3.5)
        if _is_free(image, _bounding_box(corners), boxes, border):
            return corners
    return None


def _is_free(image: np.ndarray, box: np.ndarray, boxes: np.ndarray, border: Colour | None) -> bool:
    """Whether the box is in the image, apart from the other boxes, and not across the edge to `border`."""
    height, width = image.shape[:2]
    if box.min() < -1e-6 or box[2] > width + 1e-6 or box[3] > height + 1e-6:
        return False
    if ((boxes[:, :2] < box[2:] + 4).all(axis=1) & (boxes[:, 2:] > box[:2] - 4).all(axis=1)).any():
        return False
    if border is None:
        return True
    left, top, right, bottom = _pixel_bounds(box, image.shape, 0)
    place = image[top:bottom, left:right]
    rim = np.concatenate([place[0], place[-1], place[:, 0], place[:, -1]])
    return bool((rim == border).all(axis=1).mean() < 0.03)


def _sides(box: np.ndarray, turn_deg: float) -> tuple[float, float]:
    """Width and height of the rectangle that the box is around, turned by so much: a side is at least 1 pixel."""
    sides = np.maximum(box[2:] - box[:2], 1)
    angle = np.deg2rad(abs(turn_deg))
    across, along = np.cos(angle), np.sin(angle)
    # Of width w and height h, the box is w cos + h sin wide and w sin + h cos high.
    inner = (across * sides - along * sides[::-1]) / max(across**2 - along**2, 1e-6)
    width, height = np.clip(inner, np.maximum(0.4 * sides, 1), sides).tolist()
    return width, height


def _rectangle(width: float, height: float) -> np.ndarray:
    """Corners of a rectangle around (0, 0): (4, 2), clockwise."""
    return np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2


def _turned(corners: np.ndarray, degrees: float) -> np.ndarray:
    """Corners (4, 2), clockwise around (0, 0)."""
    angle = np.deg2rad(degrees)
    return corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _corners(
    centre: np.ndarray, width: float, height: float, random: Generator, turn_deg: float, tilt_deg: float
) -> np.ndarray:
    """Corners of a randomly rotated, slightly sheared rectangle in slight perspective: (4, 2), clockwise.

    Args:
        turn_deg, tilt_deg: mean and standard deviation of the rotation, clockwise.
    """
    corners = _rectangle(width, height)
    yaw, pitch = random.normal(0, 0.03, 2)
    corners[:, 1] *= 1 + yaw * np.array([-1, 1, 1, -1])
    corners[:, 0] *= 1 + pitch * np.array([-1, -1, 1, 1]) * height / width
    corners[:, 1] += corners[:, 0] * random.normal(0, 0.03)  # shear, as seen from the side and from above
    return _turned(corners, random.normal(turn_deg, tilt_deg)) + centre


def _bounding_box(corners: np.ndarray) -> np.ndarray:
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _pixel_bounds(box: np.ndarray, shape: tuple[int, ...], margin: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the whole pixels that have the box and a margin in them, at least 3 a side."""
    left, top = (box[:2] - margin).tolist()
    right, bottom = (box[2:] + margin).tolist()
    height, width = shape[:2]
    x, y = max(min(int(left), width - 3), 0), max(min(int(top), height - 3), 0)
    return x, y, min(max(int(np.ceil(right)), x + 3), width), min(max(int(np.ceil(bottom)), y + 3), height)


# -------------------------------------------------------------------------------------------------------- appearance


def _appearance_of_plate(image: np.ndarray, box: np.ndarray) -> _Appearance:
    """That of the plate in the box: its lightest and darkest pixels are taken for white and black."""
    left, top, right, bottom = _pixel_bounds(box, image.shape, 0)
    region = image[top:bottom, left:right]
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY)
    low, high = _levels(grey, 0.04, 0.92)
    white = region[grey >= high].mean(axis=0, dtype=np.float32)
    level = max(float(white @ _LUMA), 60.0)
    # A yellow or red plate does not mean yellow or red light.
    white = np.clip(white, level / 1.08, level * 1.08)
    black = np.full(3, min(0.6 * low, 0.3 * level), np.float32)
    return _Appearance(white, black, _blur_of(image, box), _noise_of(image, box))


def _appearance_around(image: np.ndarray, corners: np.ndarray, blur: float) -> _Appearance:
    """That of the place within and around the corners; its blur is at most `blur`, that of the sharpest plate here."""
    box = _bounding_box(corners)
    left, top, right, bottom = _pixel_bounds(box, image.shape, 8 + float(box[3] - box[1]))
    region = image[top:bottom, left:right]
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY)
    low, middle, high = _levels(grey, 0.03, 0.5, 0.95)
    (overall,) = _levels(np.ascontiguousarray(image[::4, ::4, 1]), 0.9)
    level = float(np.clip(0.45 * high + 0.5 * overall + 0.25 * middle, 80, 250))
    mean = region.reshape(-1, 3).mean(axis=0)
    tint = np.clip(mean / max(float(mean @ _LUMA), 1), 0.95, 1.05)
    black = np.full(3, min(0.6 * low, 0.12 * level), np.float32)
    blur = min(blur, _blur_of(image, box, 8), 1.6)
    return _Appearance((level * tint).astype(np.float32), black, blur, _noise_of(image, box))


def _levels(grey: np.ndarray, *shares: float) -> list[float]:
    """Quantiles of the pixels, uint8 (h, w): the levels below which these shares of them are."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().cumsum()
    return [float(level) for level in np.searchsorted(counts, np.array(shares) * counts[-1])]


def _blur_of(image: np.ndarray, box: np.ndarray, margin: float = 0) -> float:
    """Standard deviation, pixels, of the Gaussian by which the steepest edges in the box are blurred.

    A step of height c, blurred by σ, has the slope c / (σ √(2π)).
    """
    left, top, right, bottom = _pixel_bounds(box, image.shape, margin)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    low, high = _levels(grey, 0.03, 0.97)
    (across,) = _levels(cv2.absdiff(grey[:, 2:], grey[:, :-2]), 0.99)
    (down,) = _levels(cv2.absdiff(grey[2:], grey[:-2]), 0.99)
    slope = max(across, down) / 2
    if high - low < 15 or slope < 1:
        return 1.2
    return float(np.clip((high - low) / (slope * np.sqrt(2 * np.pi)), 0.4, 4.0))


def _noise_of(image: np.ndarray, box: np.ndarray) -> float:
    """Standard deviation of the noise around the box: Immerkær (1996), with the median, which edges hardly change."""
    left, top, right, bottom = _pixel_bounds(box, image.shape, 12)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    (middle,) = _levels(cv2.convertScaleAbs(cv2.filter2D(grey, cv2.CV_16S, kernel)), 0.5)
    return middle / 6 / 0.6745


# ---------------------------------------------------------------------------------------------------------- rendering


def _erase(image: np.ndarray, corners: np.ndarray, height_px: float, noise: float, random: Generator) -> None:
    """Fill a rectangle of that height with the colours around it, weighted by distance, and with noise."""
    margin = 2 + 0.06 * height_px
    left, top, right, bottom = _pixel_bounds(_bounding_box(corners), image.shape, margin)
    place = image[top:bottom, left:right]
    height, width = place.shape[:2]
    x, y = np.arange(width, dtype=np.float32)[None] + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5
    # The pixels just outside of each side, the axis that they are averaged along, and the distances to them.
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
    filled = _with_noise(filled.astype(np.uint8), noise, random)
    inside = cv2.fillConvexPoly(
        np.zeros((height, width), np.uint8), (corners - (left, top)).round().astype(np.int32), 1
    )
    near = cv2.dilate(inside, np.ones((3, 3), np.uint8), iterations=int(np.ceil(margin))).astype(bool)
    place[near] = filled[near]


def _render(image: np.ndarray, patch: Patch, corners: np.ndarray, appearance: _Appearance, random: Generator) -> None:
    """Draw the patch into the image, its box on the corners, in this appearance, with a shadow under it."""
    pixels, box = _reduced(patch, float(np.linalg.norm(corners[1] - corners[0])))
    left, top, right, bottom = box
    source = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32)).astype(np.float64)
    rows, columns = pixels.shape[:2]
    rim = np.array([[[0, 0], [columns, 0], [columns, rows], [0, rows]]], float)
    outline = cv2.perspectiveTransform(rim, matrix)[0]
    depth = random.uniform(0.02, 0.07) * float(np.linalg.norm(corners[3] - corners[0]))
    x0, y0, x1, y1 = _pixel_bounds(_bounding_box(outline), image.shape, 3 + 2 * appearance.blur + 2 * depth)
    size = x1 - x0, y1 - y0
    # In OpenCV's coordinates, whole numbers are the middles of pixels.
    matrix = (
        np.array([[1, 0, -x0 - 0.5], [0, 1, -y0 - 0.5], [0, 0, 1]]) @ matrix @ [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]
    )

    light = appearance.black + (appearance.white - appearance.black) * np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    lit = cv2.LUT(np.ascontiguousarray(pixels[..., :3]), np.clip(light, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    layer = cv2.warpPerspective(lit, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(pixels[..., 3].astype(np.float32) / 255, matrix, size, flags=cv2.INTER_LINEAR)
    blur = float(np.sqrt(max((appearance.blur * random.uniform(0.9, 1.3)) ** 2 - _SAMPLING_BLUR_PX**2, 0)))
    if blur > 0.25:
        layer, alpha = cv2.GaussianBlur(layer, (0, 0), blur), cv2.GaussianBlur(alpha, (0, 0), blur)

    shift = np.array([[1, 0, depth * random.uniform(-0.4, 0.4)], [0, 1, depth]])
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, size), (0, 0), 0.6 + depth) * random.uniform(0.2, 0.6)
    place = image[y0:y1, x0:x1]
    shaded = cv2.blendLinear(np.zeros_like(place), np.ascontiguousarray(place), shadow, 1 - shadow)
    image[y0:y1, x0:x1] = cv2.blendLinear(_with_noise(layer, appearance.noise, random), shaded, alpha, 1 - alpha)


def _reduced(patch: Patch, width: float) -> tuple[np.ndarray, Box]:
    """The patch's pixels, shrunk if they are much finer than a box of this width needs, and its box in them."""
    ratio = (patch.box[2] - patch.box[0]) / (1.5 * width)
    if ratio < 1.2:
        return patch.pixels, patch.box
    rows, columns = patch.pixels.shape[:2]
    size = max(2, round(columns / ratio)), max(2, round(rows / ratio))
    x, y = size[0] / columns, size[1] / rows
    left, top, right, bottom = patch.box
    return cv2.resize(patch.pixels, size, interpolation=cv2.INTER_AREA), (left * x, top * y, right * x, bottom * y)


def _with_noise(pixels: np.ndarray, sigma: float, random: Generator) -> np.ndarray:
    """With grey noise of that standard deviation; unchanged if it is less than ½."""
    if sigma < 0.5:
        return pixels
    noise = (random.standard_normal(pixels.shape[:2], dtype=np.float32) * sigma).astype(np.int16)
    return cv2.add(pixels, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
