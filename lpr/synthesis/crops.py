"""Crops of synthetic plates, as of a detector's box in an image: on a vehicle, in perspective, in any light."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator

from lpr.config import PlateCrops
from lpr.synthesis.lettered_plates import LetteredPlate
from lpr.synthesis.painting import palette, pick

cv2.setNumThreads(1)  # crops are drawn in parallel

_PAINTS = np.array(
    palette(
        "101114 16181c 24262a 3a3c40 5c6064 84888c b0b4b8 d8dadc f0f0ee 8c1418 b42420 d83a28 1c2c6c 2456a0 5c8cc0 "
        "1c4c34 6c7c4c c8b088 e0c030 e88020 5c3420 383028"
    ),
    np.float32,
)
_MAX_CUT_OFF = 0.1  # largest fraction of a character's width or height outside the crop
_INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_NEAREST)


def draw_crop(
    plate: LetteredPlate, height: int, width: int, rng: Generator, settings: PlateCrops
) -> tuple[np.ndarray, np.ndarray]:
    """A random crop of a plate, stretched to `height` × `width`, whatever its proportions.

    Returns:
        The crop, uint8 (height, width, 3), RGB; and the boxes of the plate's characters in it, float32 (n, 4): left,
        top, right, bottom, pixels, clipped to it. At most a tenth of a character's width or height is cut off.
    """
    if rng.random() < settings.p_warp:
        plate = _warped(plate, rng)
    matrix, size, boxes = _choose_camera_and_box(plate, rng, settings)
    degraded = rng.random() < settings.p_degraded
    image = _on_vehicle(plate, matrix, size, rng)
    _relight(image, rng, settings, degraded)
    letter = float(np.median(boxes[:, 3] - boxes[:, 1]))
    crop = _stretched(_captured(image, letter, rng, settings, degraded), height, width, rng)
    boxes = boxes * ([width / size[0], height / size[1]] * 2)
    boxes = np.clip(boxes, 0, [width, height] * 2).astype(np.float32)
    return _at_image_edge(crop, boxes, rng) if rng.random() < settings.p_image_edge else crop, boxes


def draw_background_crop(height: int, width: int, rng: Generator, settings: PlateCrops) -> np.ndarray:
    """A crop without a plate, as of a detector's false positive: part of a vehicle; uint8 (height, width, 3), RGB."""
    least, most = settings.letter_height_range_px
    letter = rng.uniform(least, most)
    rows = letter * rng.uniform(1.2, 2.5)
    size = max(8, round(rows * width / height * rng.uniform(0.7, 1.4))), max(4, round(rows))
    degraded = rng.random() < settings.p_degraded
    image = _background(size, rng)
    _relight(image, rng, settings, degraded)
    return _stretched(_captured(image, letter, rng, settings, degraded), height, width, rng)


def _at_image_edge(crop: np.ndarray, boxes: np.ndarray, rng: Generator) -> np.ndarray:
    """The crop as of a plate at the image's edge, which is repeated beyond it, as `lpr.ocr.crops.crop` does."""
    height, width = crop.shape[:2]
    shares = rng.uniform(0, 1, 4) * rng.integers(0, 2, 4)  # of what is around the characters; at some sides nothing
    around = np.concatenate([boxes[:, :2].min(axis=0), [width, height] - boxes[:, 2:].max(axis=0)])
    first_x, first_y, after_x, after_y = np.floor(around * shares).astype(int).tolist()
    part = crop[first_y : height - after_y, first_x : width - after_x]
    return np.pad(part, [(first_y, after_y), (first_x, after_x), (0, 0)], "edge")


def _stretched(pixels: np.ndarray, height: int, width: int, rng: Generator) -> np.ndarray:
    shrinks = pixels.shape[0] > height and pixels.shape[1] > width
    interpolation = cv2.INTER_AREA if shrinks else pick(rng, _INTERPOLATIONS[:4])
    return cv2.resize(pixels, (width, height), interpolation=interpolation)


# --------------------------------------------------------------------------------------------------------------- camera


def _choose_camera_and_box(
    plate: LetteredPlate, rng: Generator, settings: PlateCrops
) -> tuple[np.ndarray, tuple[int, int], np.ndarray]:
    """A random camera, and a random box as of a detector.

    Returns:
        The matrix (3, 3) from the plate's pixels to the crop's, with centres of pixels at + ½; the crop's width and
        height; and the characters' boxes (n, 4) in it, pixels.
    """
    left, top, right, bottom = plate.box
    letter = float(np.median(plate.characters[:, 3] - plate.characters[:, 1]))
    least, most = (math.log(height) for height in settings.letter_height_range_px)
    scale = math.exp(least + (most - least) * rng.triangular(0, 0.45, 1)) / letter
    matrix = np.diag([scale, scale, 1.0]) @ _perspective(plate, rng, settings)
    outline = _projected(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float), matrix)
    edges = np.concatenate([outline.min(axis=0), outline.max(axis=0)])
    characters = _projected_boxes(plate.characters, matrix)
    sides = np.tile(edges[2:] - edges[:2], 2)
    margins = (
        rng.uniform(-0.03, 0.12, 4)
        if rng.random() >= settings.p_loose_box
        else rng.uniform(-0.03, settings.max_margin, 4)
    )
    edges += np.array([-1, -1, 1, 1]) * margins * sides
    inner = (characters[:, 2:] - characters[:, :2]) * _MAX_CUT_OFF * 0.8
    edges[:2] = np.floor(np.minimum(edges[:2], (characters[:, :2] + inner).min(axis=0)))
    edges[2:] = np.ceil(np.maximum(edges[2:], (characters[:, 2:] - inner).max(axis=0)))
    moved = np.array([[1, 0, -edges[0]], [0, 1, -edges[1]], [0, 0, 1]]) @ matrix
    size = int(edges[2] - edges[0]), int(edges[3] - edges[1])
    return moved, size, characters - np.tile(edges[:2], 2)


def _perspective(plate: LetteredPlate, rng: Generator, settings: PlateCrops) -> np.ndarray:
    """The perspective of a camera directed at the plate's middle: matrix (3, 3) of its pixels; the size is kept."""
    left, top, right, bottom = plate.box
    yaw, pitch = (
        math.radians(float(np.clip(rng.normal(0, 0.35 * most), -most, most)))
        for most in (settings.max_yaw_deg, settings.max_pitch_deg)
    )
    roll = math.radians(
        rng.uniform(-settings.max_roll_deg, settings.max_roll_deg)
        if rng.random() < settings.p_rotate
        else float(np.clip(rng.normal(0, 3), -5, 5))
    )
    distance = rng.uniform(2, 8) * (right - left)
    (a, b), (c, d), (e, f) = ((math.cos(angle), math.sin(angle)) for angle in (yaw, pitch, roll))
    turn = (
        np.array([[e, -f, 0], [f, e, 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, c, -d], [0, d, c]])
        @ np.array([[a, 0, b], [0, 1, 0], [-b, 0, a]])
    )
    to_middle = np.array([[1, 0, -(left + right) / 2], [0, 1, -(top + bottom) / 2], [0, 0, 1]])
    onto = np.array([[*turn[0, :2], 0], [*turn[1, :2], 0], [*(turn[2, :2] / distance), 1]])
    return onto @ to_middle


def _projected(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(points[None], matrix)[0]


def _projected_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The upright boxes (n, 4) around projected boxes (n, 4)."""
    corners = _projected(boxes.astype(float)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 2), matrix)
    corners = corners.reshape(-1, 4, 2)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


# -------------------------------------------------------------------------------------------------------------- vehicle


def _warped(plate: LetteredPlate, rng: Generator) -> LetteredPlate:
    """The plate bent like a bumper: its ends are lower or higher than its middle by up to a tenth of its height."""
    height, width = plate.pixels.shape[:2]
    left, top, right, bottom = plate.box
    depth = rng.uniform(-0.1, 0.1) * (bottom - top)
    spare = math.ceil(abs(depth))

    def moved(x: np.ndarray) -> np.ndarray:
        return spare + depth * (2 * x / width - 1) ** 2

    x = np.arange(width, dtype=np.float32)
    y = np.arange(height + 2 * spare, dtype=np.float32)[:, None] - moved(x + 0.5).astype(np.float32)
    maps = np.broadcast_to(x, y.shape), y
    colours = cv2.remap(plate.pixels[..., :3], *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(np.ascontiguousarray(plate.pixels[..., 3]), *maps, cv2.INTER_LINEAR)
    ends = moved(plate.characters[:, [0, 2]])
    characters = plate.characters.copy()
    characters[:, 1] += ends.min(axis=1)
    characters[:, 3] += ends.max(axis=1)
    box = left, top + min(spare, spare + depth), right, bottom + max(spare, spare + depth)
    return replace(plate, pixels=np.dstack([colours, cover]), box=box, characters=characters)


def _on_vehicle(plate: LetteredPlate, matrix: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    """The crop before light and camera, float32 (h, w, 3): the plate on a part of a vehicle."""
    image = _background(size, rng)
    art = plate.pixels
    # Shrunk first where the plate is much finer than the crop: linear interpolation would skip pixels.
    finer = 1 / math.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    if finer > 1.4:
        shrunk = max(1, round(art.shape[1] / finer * 1.2)), max(1, round(art.shape[0] / finer * 1.2))
        matrix = matrix @ np.diag([art.shape[1] / shrunk[0], art.shape[0] / shrunk[1], 1.0])
        art = cv2.resize(art, shrunk, interpolation=cv2.INTER_AREA)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV has centres of pixels at whole numbers
    matrix = np.linalg.inv(half) @ matrix @ half
    # Colours are repeated beyond the edge, so that no black is interpolated into it.
    colours = cv2.warpPerspective(art[..., :3], matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpPerspective(np.ascontiguousarray(art[..., 3]), matrix, size, flags=cv2.INTER_LINEAR)
    alpha = cover.astype(np.float32) / 255
    if rng.random() < 0.6:  # the plate's shadow
        reach = max(1.0, 0.06 * size[1])
        x, y = rng.uniform(-1, 1) * reach, rng.uniform(-0.2, 1.5) * reach
        cast = cv2.warpAffine(alpha, np.array([[1, 0, x], [0, 1, y]]), size)
        image *= 1 - (rng.uniform(0.2, 0.7) * cv2.GaussianBlur(cast, (0, 0), reach * 0.5))[..., None]
    image += alpha[..., None] * (colours.astype(np.float32) - image)
    return image


def _background(size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Paint, with edges, gaps, ribs and lamps: float32 (h, w, 3)."""
    width, height = size
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    coarse = paint * rng.uniform(0.5, 1.4, (int(rng.integers(2, 5)), int(rng.integers(1, 3)), 1)).astype(np.float32)
    image = cv2.resize(np.ascontiguousarray(coarse), size, interpolation=cv2.INTER_LINEAR)
    image = image.reshape(height, width, 3)
    kind = rng.random()
    if kind < 0.2:  # ribs of a grille
        pitch, angle = rng.uniform(0.05, 0.25) * height, rng.normal(0, 0.1) + (np.pi / 2 if rng.random() < 0.3 else 0)
        across = np.arange(width)[None] * math.sin(angle) + np.arange(height)[:, None] * math.cos(angle)
        ribs = np.clip(0.5 + rng.uniform(0.6, 2) * np.sin(across * (2 * np.pi / max(pitch, 3))), 0, 1)
        image *= (1 - rng.uniform(0.3, 0.9) * ribs)[..., None].astype(np.float32)
    elif kind < 0.4:  # a rough surface, or what is far away
        rows, columns = int(rng.integers(3, 14)), int(rng.integers(3, 24))
        grain = rng.normal(0, rng.uniform(5, 40), (rows, columns, 1)) + rng.normal(0, 5, (rows, columns, 3))
        cv2.add(image, cv2.resize(np.asarray(grain, np.float32), size, interpolation=cv2.INTER_CUBIC), image)
    for _ in range(int(rng.integers(0, 5))):
        _draw_part(image, rng)
    return np.clip(image, 0, 255, out=image)


def _draw_part(image: np.ndarray, rng: Generator) -> None:
    """Draw an edge, a gap or a panel, mostly parallel to the plate."""
    height, width = image.shape[:2]
    colour = (_PAINTS[int(rng.integers(len(_PAINTS)))] * rng.uniform(0.5, 1.2)).tolist()
    slope = math.tan(rng.normal(0, 0.12)) * width
    if rng.random() < 0.6:
        y, thick = rng.uniform(-0.1, 1.1) * height, max(1, round(rng.uniform(0.01, 0.12) * height))
        line = (0, round(y)), (width, round(y + slope))
        cv2.line(image, *line, colour, thick, cv2.LINE_AA)
    elif rng.random() < 0.6:
        y, end = rng.uniform(0, 1) * height, height if rng.random() < 0.6 else 0
        corners = np.array([[0, y], [width, y + slope], [width, end], [0, end]])
        cv2.fillConvexPoly(image, corners.round().astype(np.int32), colour, cv2.LINE_AA)
    else:
        middle = (rng.uniform(0, 1, 2) * (width, height)).astype(int).tolist()
        radii = np.ceil(rng.uniform(0.05, 0.4, 2) * height).astype(int).tolist()
        cv2.ellipse(image, middle, radii, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)


# ----------------------------------------------------------------------------------------------------- light and sensor


def _relight(image: np.ndarray, rng: Generator, settings: PlateCrops, degraded: bool) -> None:
    """Shadows, glare, night, exposure and colour, in place."""
    height, width = image.shape[:2]
    if rng.random() < settings.p_shadow:
        edge = _ramp(height, width, rng) * rng.uniform(3, 25)
        image *= (1 - rng.uniform(0.2, 0.65) / (1 + np.exp(-np.clip(edge, -30, 30))))[..., None]
    if rng.random() < settings.p_glare:
        x, y = rng.uniform(0, 1) * width, rng.uniform(-0.2, 1.2) * height
        wide, high = rng.uniform(0.08, 0.6) * width, rng.uniform(0.15, 0.8) * height
        across = np.exp(-(((np.arange(width, dtype=np.float32) - x) / wide) ** 2))
        down = np.exp(-(((np.arange(height, dtype=np.float32) - y) / high) ** 2))
        glow = np.outer(down, across)[..., None] * np.float32(rng.uniform(40, 220 if degraded else 130))
        image += glow * np.array([1, rng.uniform(0.85, 1), rng.uniform(0.6, 1)], np.float32)
    np.clip(image, 0, 255, out=image)
    strength = 1.0 if degraded else 0.5
    if rng.random() < settings.p_night:
        image *= np.array([1, rng.uniform(0.8, 1), rng.uniform(0.6, 1)], np.float32)
    if rng.random() < settings.p_light:
        cv2.pow(image / 255, math.exp(rng.normal(0, 0.4 * strength)), image)
        black = abs(rng.normal(0, 45 * strength))  # brightness that black becomes
        white = 255 * math.exp(-abs(rng.normal(0, 0.45 * strength))) if rng.random() < 0.8 else rng.uniform(255, 320)
        image *= max(white - black, 50)
        image += min(black, 200)
    if rng.random() < settings.p_colour:
        image *= np.exp(rng.normal(0, 0.09 * strength, 3)).astype(np.float32)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
        image += (grey - image) * np.float32(rng.uniform(-0.3, 0.7))
    if rng.random() < settings.p_grey:
        image[:] = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    np.clip(image, 0, 255, out=image)


def _ramp(height: int, width: int, rng: Generator) -> np.ndarray:
    """A plane through the image in any direction: float32 (height, width), 0 along a line, about -1 to 1."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-0.5, 0.5, width, dtype=np.float32), np.linspace(-0.5, 0.5, height, dtype=np.float32)
    return (
        np.float32(math.cos(angle)) * x + np.float32(math.sin(angle)) * y[:, None] + np.float32(rng.uniform(-0.5, 0.5))
    )


def _captured(image: np.ndarray, letter: float, rng: Generator, settings: PlateCrops, degraded: bool) -> np.ndarray:
    """The image as captured and stored: blurred, noisy, resized, sharpened, compressed; uint8, of another size.

    Args:
        letter: height of a letter, pixels.
        degraded: more of all that.
    """
    height, width = image.shape[:2]
    if rng.random() < settings.p_blur:
        image = _blurred(image, letter, rng, degraded)
    if rng.random() < settings.p_noise:
        sigma = abs(rng.normal(0, 9 if degraded else 4))
        grain = rng.standard_normal((height, width, 1 if rng.random() < 0.5 else 3), dtype=np.float32)
        image = image + grain * np.float32(sigma)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < settings.p_resize:
        factor = max(rng.uniform(0.4 if degraded else 0.7, 1.5), min(1, settings.letter_height_range_px[0] / letter))
        size = max(8, round(width * factor)), max(4, round(height * factor))
        shrinking = cv2.INTER_AREA if rng.random() < 0.7 else pick(rng, _INTERPOLATIONS)
        pixels = cv2.resize(pixels, size, interpolation=shrinking if factor < 1 else pick(rng, _INTERPOLATIONS))
    if rng.random() < settings.p_sharpen:
        soft, strength = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.6, 1.5)), rng.uniform(0.3, 1.5)
        pixels = cv2.addWeighted(pixels, 1 + strength, soft, -strength, 0)
    if rng.random() < settings.p_jpeg:
        quality = int(rng.uniform(20, 60) if degraded else rng.uniform(45, 96))
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return pixels


def _blurred(image: np.ndarray, letter: float, rng: Generator, degraded: bool) -> np.ndarray:
    """Defocus or motion blur, in proportion to the letters, since that decides how legible they stay."""
    sigma = abs(rng.normal(0, 0.035 if degraded else 0.016)) * letter
    if rng.random() < 0.7 or sigma < 0.5:
        return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.2))
    length = max(3, round(3 * sigma) | 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.normal(0, 0.5) + (np.pi / 2 if rng.random() < 0.3 else 0)
    reach = np.array([math.cos(angle), math.sin(angle)]) * length / 2
    middle = length // 2
    first, last = (middle - reach).round().astype(int).tolist(), (middle + reach).round().astype(int).tolist()
    cv2.line(kernel, first, last, 1.0, 1, cv2.LINE_AA)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
