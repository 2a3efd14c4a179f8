"""Random crops of a image: what a camera elsewhere might have taken of it. In OpenCV, on one core, a image at a time.

A view is a function of the image and of a random generator alone, so that the same seed gives the same views.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lpr.config import RandomCrops
from lpr.resampling import BORDER, resampled

if TYPE_CHECKING:
    from lpr.augment.pasting import PastePool


def letterbox(image: np.ndarray, size: int) -> np.ndarray:
    """The whole image in the upper left of a square, grey beside it: uint8 (size, size, 3)."""
    scale = size / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    square = np.full((size, size, 3), BORDER, np.uint8)
    shrunk = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square[:height, :width] = shrunk
    return square


def random_crop(
    image: np.ndarray,
    boxes: np.ndarray,
    size: int,
    views: RandomCrops,
    random: np.random.Generator,
    bank: PastePool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """One random view.

    Args:
        image: uint8 (h, w, 3).
        boxes: of its plates, pixels, float (m, 4).
        size: side of the view, pixels.
        views: how far views stray.
        random: where the chance comes from.
        bank: what is pasted; None for nothing.

    Returns:
        uint8 (size, size, 3), and the boxes in it, as fractions (k, 4), a pasted plate's last; plates that lie outside
        by more than 40 % are greyed out rather than kept by half.
    """
    matrix = _geometry(image.shape[:2], boxes, size, views, random)
    boxes = _moved(boxes, matrix)
    view = resampled(image, matrix, size, size)
    inside = np.clip(boxes, 0, size)
    kept = _areas(inside) >= 0.6 * np.maximum(_areas(boxes), 1e-6)
    for left, top, right, bottom in inside[~kept].round().astype(int):
        view[top:bottom, left:right] = BORDER
    seen = inside[kept]
    if bank is not None:  # after the geometry, so that boxes hug what is pasted
        from lpr.augment.pasting import paste

        odds = {"replace": views.p_paste_over, "add": views.p_paste_extra, "distract": views.p_hard_negative}
        view, seen = paste(view, seen, bank, random, **odds, nowhere=BORDER)
    view = _colours(view, views, random)
    view = _camera(view, views, random)
    return view, (seen / size).astype(np.float32)


def random_mosaic(
    images: Sequence[tuple[np.ndarray, np.ndarray]],
    size: int,
    views: RandomCrops,
    random: np.random.Generator,
    bank: PastePool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Random crops of four images, each with its boxes, as quarters of one view (Bochkovskiy et al. 2020, "YOLOv4").

    Returns:
        As `random_crop`.
    """
    half = size // 2
    mosaic = np.empty((size, size, 3), np.uint8)
    boxes = []
    for number, (image, plates) in enumerate(images):
        row, column = divmod(number, 2)
        quarter, seen = random_crop(image, plates, half, views, random, bank)
        mosaic[row * half : (row + 1) * half, column * half : (column + 1) * half] = quarter
        boxes.append((seen + np.array([column, row, column, row], np.float32)) / 2)
    return mosaic, np.concatenate(boxes)


def _geometry(
    shape: tuple[int, ...], boxes: np.ndarray, size: int, views: RandomCrops, random: np.random.Generator
) -> np.ndarray:
    """The 3 × 3 matrix from the image's pixels to the view's."""
    height, width = shape[:2]
    fit = size / max(height, width)
    if len(boxes) and random.random() >= views.p_full_image:
        seen = boxes[random.integers(len(boxes))]
        if random.random() < views.p_background:
            seen = seen + np.tile(random.uniform(-seen[:2], np.maximum([width, height] - seen[2:], -seen[:2])), 2)
        low, high = np.log(views.plate_width_range)
        scale = float(np.exp(random.uniform(low, high))) * size / max(seen[2] - seen[0], 1)
        scale = min(max(scale, 0.7 * fit), views.max_upscale)
    else:
        seen = np.array([width / 2, height / 2, width / 2, height / 2])
        scale = fit * random.uniform(1 / views.scale_jitter, views.scale_jitter)
    # The window goes anywhere where it holds the plate, as far as it can on the image.
    window = size / scale
    ends = np.array([width, height]) - window
    first = np.maximum(seen[2:] - window, np.minimum(ends, 0))
    last = np.minimum(seen[:2], np.maximum(ends, 0))
    first, last = np.minimum(first, last), np.maximum(first, last)
    middle = random.uniform(first, last) + window / 2
    aspect = np.exp(random.uniform(-1, 1) * np.log(views.aspect_jitter) / 2)
    angle = np.deg2rad(random.uniform(-views.max_rotation_deg, views.max_rotation_deg))
    cosine, sine = np.cos(angle), np.sin(angle)
    stretch = np.diag([scale * aspect, scale / aspect])
    if random.random() < views.p_flip:
        stretch[0, 0] *= -1
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ stretch
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = size / 2 - linear @ middle
    if views.max_perspective:
        tilt = np.eye(3)
        tilt[2, :2] = random.uniform(-1, 1, 2) * views.max_perspective / size
        centre = np.eye(3)
        centre[:2, 2] = -size / 2
        matrix = np.linalg.inv(centre) @ tilt @ centre @ matrix
    return matrix


def _moved(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Upright boxes around the four moved corners of each, as annotators draw them around a tilted plate."""
    if not len(boxes):
        return np.zeros((0, 4))
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2).astype(np.float64)
    moved = cv2.perspectiveTransform(corners, matrix).reshape(-1, 4, 2)
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


def _colours(view: np.ndarray, views: RandomCrops, random: np.random.Generator) -> np.ndarray:
    """Exposure, contrast, gamma, white balance, and now and then no colour at all."""
    ramp = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(random.uniform(-1, 1) * views.gamma)
    gain = 1 + random.uniform(-1, 1) * views.contrast
    offset = random.uniform(-1, 1) * views.brightness
    balance = 1 + random.uniform(-1, 1, 3) * views.colour
    curves = [(((ramp**gamma - 0.5) * gain + 0.5 + offset) * channel).clip(0, 1) * 255 for channel in balance]
    view = cv2.LUT(view, np.stack(curves, axis=-1).astype(np.uint8).reshape(1, 256, 3))
    if random.random() < views.p_grey:
        view = cv2.cvtColor(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if random.random() < views.p_shadow:
        view = _shadow(view, random)
    return view


def _shadow(view: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A straight edge, darker on one side."""
    size = view.shape[0]
    angle, place = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.8) * size
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) - place
    edge = 1 / (1 + np.exp(-(np.cos(angle) * columns + np.sin(angle) * rows) / random.uniform(1, 8)))
    return (view * (1 - random.uniform(0.2, 0.7) * edge[..., None])).astype(np.uint8)


def _camera(view: np.ndarray, views: RandomCrops, random: np.random.Generator) -> np.ndarray:
    """Blur, noise and compression."""
    if random.random() < views.p_blur:
        length = int(random.integers(1, 4)) * 2 + 1
        if random.random() < 0.5:
            line = np.zeros((length, length), np.float32)
            line[length // 2] = 1
            turn = cv2.getRotationMatrix2D((length // 2, length // 2), random.uniform(0, 180), 1)
            moved = cv2.warpAffine(line, turn, (length, length))
            view = cv2.filter2D(view, -1, np.divide(moved, max(float(moved.sum()), 1e-6), dtype=np.float32))
        else:
            view = cv2.GaussianBlur(view, (length, length), 0)
    if random.random() < views.p_noise:
        spread = random.uniform(2, 16)
        view = np.clip(view + random.normal(0, spread, view.shape).astype(np.float32), 0, 255).astype(np.uint8)
    if random.random() < views.p_jpeg:
        encoded = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 80))])[1]
        view = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return view
