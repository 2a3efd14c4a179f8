"""Random crops of an image, as another camera might have taken them: in OpenCV, on one core, an image at a time.

A crop is a function of the image, the settings and the random generator alone, so that equal seeds give equal crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lpr.config import RandomCrops
from lpr.resampling import BORDER, warp_perspective

if TYPE_CHECKING:
    from lpr.augment.pasting import PastePool

_MAX_TAUGHT_DEG = 10.0  # rotation of a crop from which the sides of its boxes, unless pasted, teach nothing


def letterbox(image: np.ndarray, size: int) -> np.ndarray:
    """The whole image in the upper left of a square, `BORDER` beside it: uint8 (size, size, 3)."""
    fitted = fit(image, size)
    square = np.full((size, size, 3), BORDER, np.uint8)
    square[: fitted.shape[0], : fitted.shape[1]] = fitted
    return square


def fit(image: np.ndarray, size: int) -> np.ndarray:
    """The image, resized so that its longer side is `size` pixels: uint8 (h, w, 3)."""
    scale = size / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return resized(image, height, width)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image with these sides in pixels, uint8 (height, width, 3); itself where it has them already."""
    if image.shape[:2] == (height, width):
        return image
    smaller = max(height, width) < max(image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def random_crop(
    image: np.ndarray,
    boxes: np.ndarray,
    size: int,
    settings: RandomCrops,
    random: np.random.Generator,
    paste_pool: PastePool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """One random crop of an image, augmented, and the plates in it.

    Args:
        image: uint8 (h, w, 3) RGB.
        boxes: of its plates, pixels, float (m, 4), or (m, 5) with the weight of each.
        size: side of the crop, pixels.
        settings: probabilities and ranges.
        random: the source of all random numbers.
        paste_pool: what is pasted; None: nothing.

    Returns:
        crop: uint8 (size, size, 3).
        boxes: float32 (k, 4) or (k, 5), as fractions, that of a pasted plate last, its weight 1; the weights of others
            fall with the rotation. A plate of which more than 40 % lie outside is covered with `BORDER`, since half a
            plate is neither a plate nor background.
    """
    matrix, turn_deg = _crop_matrix(image.shape[:2], boxes[:, :4], size, settings, random)
    corners = _transformed(boxes[:, :4], matrix)
    crop = warp_perspective(image, matrix, size, size)
    clipped = np.clip(corners, 0, size)
    kept = _areas(clipped) >= 0.6 * np.maximum(_areas(corners), 1e-6)
    for left, top, right, bottom in clipped[~kept].round().astype(int):
        crop[top:bottom, left:right] = BORDER
    # A turned box is looser than one around the turned plate: its sides teach less.
    weights = boxes[:, 4:] * max(0.0, 1 - abs(turn_deg) / _MAX_TAUGHT_DEG)
    boxes = np.hstack([clipped, weights])[kept]
    if paste_pool is not None:  # after the geometry, so that boxes are tight around what is pasted
        from lpr.augment.pasting import paste

        crop, boxes = paste(
            crop,
            boxes,
            paste_pool,
            random,
            p_over=settings.p_paste_over,
            p_extra=settings.p_paste_extra,
            p_hard_negative=settings.p_hard_negative,
            border=BORDER,
            turn_deg=turn_deg,
        )
    crop = _recoloured(crop, settings, random)
    crop = _degraded(crop, settings, random)
    boxes[:, :4] /= size
    return crop, boxes.astype(np.float32)


def random_mosaic(
    images: Sequence[tuple[np.ndarray, np.ndarray]],
    size: int,
    settings: RandomCrops,
    random: np.random.Generator,
    paste_pool: PastePool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Random crops of four images as the quarters of one (Bochkovskiy et al. 2020, "YOLOv4", arXiv:2004.10934).

    Args:
        images: four images with their boxes, each as `random_crop` takes them; the rest, too.

    Returns:
        As `random_crop`.
    """
    half = size // 2
    mosaic = np.empty((size, size, 3), np.uint8)
    boxes = []
    for number, (image, plates) in enumerate(images):
        row, column = divmod(number, 2)
        crop, cropped = random_crop(image, plates, half, settings, random, paste_pool)
        mosaic[row * half : (row + 1) * half, column * half : (column + 1) * half] = crop
        cropped[:, :4] = (cropped[:, :4] + np.array([column, row, column, row], np.float32)) / 2
        boxes.append(cropped)
    return mosaic, np.concatenate(boxes)


def _crop_matrix(
    shape: tuple[int, ...], boxes: np.ndarray, size: int, settings: RandomCrops, random: np.random.Generator
) -> tuple[np.ndarray, float]:
    """A random matrix, (3, 3), from the image's pixels to the crop's, and its rotation, degrees clockwise.

    Most photographs are hardly turned: the angle's distribution is a triangle, with its peak at 0.
    """
    height, width = shape[:2]
    fit = size / max(height, width)
    whole = random.random() < settings.p_full_image
    if len(boxes) and not whole:
        target = boxes[random.integers(len(boxes))]
        if random.random() < settings.p_background:
            target = target + np.tile(
                random.uniform(-target[:2], np.maximum([width, height] - target[2:], -target[:2])), 2
            )
        low, high = np.log(settings.plate_width_range)
        scale = float(np.exp(random.uniform(low, high))) * size / max(target[2] - target[0], 1)
        scale = min(max(scale, 0.7 * fit), settings.max_upscale)
    elif whole:
        target = np.array([width / 2, height / 2, width / 2, height / 2])
        scale = fit * random.uniform(1 / settings.scale_jitter, settings.scale_jitter)
    else:  # an image without plates, anywhere and at any scale: most of it teaches what is no plate only close up
        target = np.tile(random.uniform([0, 0], [width, height]), 2)
        scale = float(np.exp(random.uniform(np.log(fit), np.log(max(1.0, fit)))))
    # The window is anywhere that it has the target in it, within the image if possible.
    window = size / scale
    ends = np.array([width, height]) - window
    first = np.maximum(target[2:] - window, np.minimum(ends, 0))
    last = np.minimum(target[:2], np.maximum(ends, 0))
    first, last = np.minimum(first, last), np.maximum(first, last)
    middle = random.uniform(first, last) + window / 2
    aspect = np.exp(random.uniform(-1, 1) * np.log(settings.aspect_jitter) / 2)
    turn_deg = settings.max_rotation_deg * random.triangular(-1, 0, 1)
    angle = np.deg2rad(turn_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    stretch = np.diag([scale * aspect, scale / aspect])
    if random.random() < settings.p_flip:
        stretch[0, 0] *= -1
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ stretch
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = size / 2 - linear @ middle
    if settings.max_perspective:
        tilt = np.eye(3)
        tilt[2, :2] = random.uniform(-1, 1, 2) * settings.max_perspective / size
        centre = np.eye(3)
        centre[:2, 2] = -size / 2
        matrix = np.linalg.inv(centre) @ tilt @ centre @ matrix
    return matrix, turn_deg


def _transformed(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Upright boxes around the transformed corners of each, as annotators draw them around a tilted plate: (m, 4)."""
    if not len(boxes):
        return np.zeros((0, 4))
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2).astype(np.float64)
    moved = cv2.perspectiveTransform(corners, matrix).reshape(-1, 4, 2)
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


def _recoloured(crop: np.ndarray, settings: RandomCrops, random: np.random.Generator) -> np.ndarray:
    """With another exposure, contrast, gamma and white balance, and sometimes without colours or with a shadow."""
    ramp = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(random.uniform(-1, 1) * settings.gamma)
    gain = 1 + random.uniform(-1, 1) * settings.contrast
    offset = random.uniform(-1, 1) * settings.brightness
    balance = 1 + random.uniform(-1, 1, 3) * settings.colour
    curves = [(((ramp**gamma - 0.5) * gain + 0.5 + offset) * channel).clip(0, 1) * 255 for channel in balance]
    crop = cv2.LUT(crop, np.stack(curves, axis=-1).astype(np.uint8).reshape(1, 256, 3))
    if random.random() < settings.p_grey:
        crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if random.random() < settings.p_shadow:
        crop = _shadow(crop, random)
    return crop


def _shadow(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """With a shadow on one side of a straight line."""
    size = crop.shape[0]
    angle, position = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.8) * size
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) - position
    edge = 1 / (1 + np.exp(-(np.cos(angle) * columns + np.sin(angle) * rows) / random.uniform(1, 8)))
    return (crop * (1 - random.uniform(0.2, 0.7) * edge[..., None])).astype(np.uint8)


def _degraded(crop: np.ndarray, settings: RandomCrops, random: np.random.Generator) -> np.ndarray:
    """With the defects of a camera: motion blur or defocus, noise, and JPEG artefacts."""
    if random.random() < settings.p_blur:
        length = int(random.integers(1, 4)) * 2 + 1
        if random.random() < 0.5:
            line = np.zeros((length, length), np.float32)
            line[length // 2] = 1
            rotation = cv2.getRotationMatrix2D((length // 2, length // 2), random.uniform(0, 180), 1)
            kernel = cv2.warpAffine(line, rotation, (length, length))
            crop = cv2.filter2D(crop, -1, np.divide(kernel, max(float(kernel.sum()), 1e-6), dtype=np.float32))
        else:
            crop = cv2.GaussianBlur(crop, (length, length), 0)
    if random.random() < settings.p_noise:
        sigma = random.uniform(2, 16)
        crop = np.clip(crop + random.normal(0, sigma, crop.shape).astype(np.float32), 0, 255).astype(np.uint8)
    if random.random() < settings.p_jpeg:
        encoded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 80))])[1]
        crop = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return crop
