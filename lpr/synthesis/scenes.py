"""Synthetic street scenes: a vehicle's rear or front with an Indian plate on it, before a street or a wall.

A pinhole camera projects the vehicle's shapes, so that perspective, tilt and the plate's true corners come from one
place. What lies behind is painted in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import uniform_filter1d

from lpr.synthesis.indian_plates import LONG, choose_indian_plate, draw_indian_plate
from lpr.synthesis.painting import (
    BLACK,
    PAINTS,
    PAPERS,
    SIGN_FONTS,
    SLOGANS,
    Camera,
    Colour,
    Size,
    choose_colour,
    choose_phone,
    fill,
    gradient,
    lettering,
    palette,
    paste_warped,
    phrases,
    pick,
    readable_on,
    shades,
    smooth_noise,
)
from lpr.synthesis.vehicles import Vehicle, choose_vehicle

WALLS = palette("c4b296 d6cebe aa826e 96a0aa dcbe8c bac8b0 c8bAa0 a8aaac b07054 788ca0")
GREENS = palette("3a5428 4c6830 30482c 64743c")
GROUNDS = palette("68686a 525256 8c8478 96805f 787674 5e5c5a")
SHUTTERS = palette("464a50 3c5a6e 784632 282422")
SKIES = tuple(palette(pair) for pair in ("6096d2 c4d8e8", "bec6ce dee0e0", "788caa eec496", "a0bedc ececE6"))

SHOPS = phrases(
    "SRI SAI TRADERS|HOTEL ANNAPURNA|MEDICALS|TEA STALL|XEROX|MOBILE REPAIR|BAKERY|STD ISD PCO|SWEETS & SNACKS|"
    "TYRE WORKS|A1 TAILORS|CITY BANK ATM|NEW FASHION|NO PARKING|TO LET|JEWELLERS|GYM 24X7|KIRANA STORE|PAINTS"
)


@dataclass(frozen=True)
class ScenePlate:
    """A plate in an image.

    Attributes:
        text: A–Z and 0–9, top line first.
        corners: float array of shape (4, 2): x, y in pixels; top left, top right, bottom right, bottom left.
    """

    text: str
    corners: np.ndarray

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The tight upright box: top_x, top_y, bottom_x, bottom_y in pixels."""
        (left, top), (right, bottom) = self.corners.min(axis=0).tolist(), self.corners.max(axis=0).tolist()
        return left, top, right, bottom

    @property
    def area(self) -> float:
        """Of the box, px²."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


@dataclass(frozen=True)
class Scene:
    """A synthetic image (RGB) and the plates in it, the largest first."""

    image: Image.Image
    plates: tuple[ScenePlate, ...]


def draw_scene(rng: Generator) -> Scene:
    """Draw one scene: 320 to 900 px a side, one plate wholly inside it, sometimes a second and smaller one."""
    width, height = _choose_size(rng)
    vehicle = choose_vehicle(rng)
    camera = _choose_camera(rng, vehicle, width, height)
    image = _draw_background(rng, camera, width, height)
    second = _draw_second(rng, image, camera, vehicle) if rng.random() < 0.32 else None
    main = _draw_vehicle(rng, image, camera, vehicle, np.zeros(3))
    line_px = float(np.linalg.norm(main.corners[0] - main.corners[3])) / (1.3 if vehicle.plate_mm == LONG else 2.6)
    image = _expose(rng, _light(rng, image, main), line_px)
    plates = [main] if second is None else [main, second]
    return Scene(image, tuple(sorted(plates, key=lambda plate: plate.area, reverse=True)))


# --------------------------------------------------------------------------------------------- camera and background


def _choose_size(rng: Generator) -> Size:
    long_side = round(rng.uniform(480, 900))
    short_side = max(320, round(long_side / pick(rng, (4 / 3, 3 / 2, 16 / 9, 1.15), (0.45, 0.25, 0.18, 0.12))))
    return (short_side, long_side) if rng.random() < 0.2 else (long_side, short_side)


def _choose_camera(rng: Generator, vehicle: Vehicle, width: int, height: int) -> Camera:
    """A camera that shows the whole plate, mostly 12 to 45 % of the image's width and at least 70 px wide."""
    share = math.exp(rng.uniform(math.log(0.12), math.log(0.45)))
    if vehicle.plate_mm != LONG:  # nearly as tall as wide
        share = min(share * 0.9, 0.36)
    focal = width * rng.uniform(0.95, 2.2)
    distance = focal * vehicle.plate_mm[0] / max(share * width, 70)
    target = vehicle.plate_corners.mean(axis=0)
    yaw = np.clip(rng.normal(0, 17), -36, 36)
    eye = rng.uniform(900, 1900)  # above the road
    pitch = np.clip(math.degrees(math.atan2(eye - target[1], distance)), -4, 17)
    roll = np.clip(rng.normal(0, 2.4), -8, 8)
    turn = math.radians(yaw), math.radians(pitch), math.radians(roll)
    at = np.array((rng.uniform(0.2, 0.8) * width, rng.uniform(0.3, 0.9) * height))
    corners = Camera(target, tuple(at), focal, distance, turn)(vehicle.plate_corners)
    # Moved so that the plate is 4 px inside the image.
    at += np.maximum(4 - corners.min(axis=0), 0) - np.maximum(corners.max(axis=0) - (width - 4, height - 4), 0)
    return Camera(target, tuple(at.tolist()), focal, distance, turn)


def _draw_background(rng: Generator, camera: Camera, width: int, height: int) -> Image.Image:
    """A street or a wall and the ground before it, a little out of focus."""
    walled = rng.random() < 0.38
    foot = float(camera(np.array([[0, 0, rng.uniform(4500, 7500)]]))[0, 1]) if walled else camera.horizon_px
    edge = round(float(np.clip(foot, 0.06 * height, 0.95 * height)))
    image = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(image)
    (_paint_wall if walled else _paint_street)(rng, image, pen, edge)
    ground = shades(choose_colour(rng, GROUNDS), 1.1, 0.98, 0.86)
    image.paste(gradient(ground, (width, height - edge)), (0, edge))
    if not walled:
        _paint_markings(rng, pen, camera, edge)
    small = np.asarray(image.reduce(pick(rng, (2, 3, 4))), np.float32)
    rows, columns = small.shape[:2]
    grain = rng.standard_normal((rows, columns), dtype=np.float32) * rng.uniform(1, 5)
    grain += smooth_noise(rng, rows, columns, 60, 45) * rng.uniform(1, 6) + smooth_noise(rng, rows, columns, 9, 7) * 6
    blurred = Image.fromarray(np.clip(small + grain[..., None], 0, 255).astype(np.uint8))
    return blurred.resize((width, height), Image.Resampling.BICUBIC)


def _paint_street(rng: Generator, image: Image.Image, pen: ImageDraw.ImageDraw, edge: int) -> None:
    """Sky, buildings with shop signs, trees and poles, down to `edge`."""
    width, base = image.width, edge + 4
    image.paste(gradient(pick(rng, SKIES), (width, base)), (0, 0))
    x = -rng.uniform(0, 0.2) * width
    while x < width:
        wide, kind = rng.uniform(0.12, 0.4) * width, rng.random()
        if kind < 0.6:
            _paint_building(rng, image, pen, (x, base - rng.uniform(0.4, 1.3) * max(base, 0.2 * width), x + wide, base))
        elif kind < 0.92:
            _paint_tree(rng, pen, x + wide / 2, base, wide * rng.uniform(0.4, 0.8))
        x += wide * rng.uniform(0.7, 1.05)
    for _ in range(int(rng.integers(0, 3))):
        x, thick = rng.uniform(0, width), rng.uniform(2, 7)
        pen.rectangle((x, 0, x + thick, base), fill=shades((120, 118, 112), rng.uniform(0.5, 1.3))[0])


def _paint_building(
    rng: Generator, image: Image.Image, pen: ImageDraw.ImageDraw, box: tuple[float, float, float, float]
) -> None:
    left, top, right, base = box
    wall, storey, columns = choose_colour(rng, WALLS), rng.uniform(0.09, 0.16) * image.width, int(rng.integers(2, 6))
    pen.rectangle(box, fill=wall)
    pane = (right - left) / columns
    shutter = base - storey * 0.8
    for y in np.arange(top + storey * 0.2, shutter - storey, storey).tolist():
        for x in (left + pane * (np.arange(columns) + 0.25)).tolist():
            pen.rectangle(
                (x, y, x + pane * 0.5, y + storey * 0.55), fill=shades((74, 86, 98), rng.uniform(0.5, 1.6))[0]
            )
        pen.line((left, y + storey * 0.8, right, y + storey * 0.8), fill=shades(wall, 0.75)[0], width=2)
    pen.rectangle((left + 3, shutter, right - 3, base), fill=choose_colour(rng, SHUTTERS))
    for y in np.arange(shutter, base, 6).tolist():
        pen.line((left + 3, y, right - 3, y), fill=(50, 52, 56))
    _paint_sign(rng, image, left + 2, shutter - storey * 0.45, right - left - 4, storey * rng.uniform(0.3, 0.5))


def _paint_sign(rng: Generator, image: Image.Image, left: float, top: float, width: float, height: float) -> None:
    """A shop's board or a poster: bright, with lettering; left out where it would be too small to see."""
    if width < 12 or height < 6:
        return
    paper = choose_colour(rng, (*PAINTS, *PAPERS))
    board = Image.new("RGB", (round(width), round(height)), paper)
    lines = [pick(rng, (*SHOPS, *SLOGANS)), choose_phone(rng)] if height > 0.3 * width else [pick(rng, SHOPS)]
    row = height / len(lines)
    for index, words in enumerate(lines):
        mask = lettering(words, pick(rng, SIGN_FONTS))
        high = row * 0.6
        wide = min(width * 0.9, high * mask.width / mask.height)
        mask = mask.resize((max(1, round(wide)), max(1, round(high))), Image.Resampling.BILINEAR)
        board.paste(readable_on(paper), (round((width - wide) / 2), round(row * index + (row - high) / 2)), mask)
    image.paste(board, (round(left), round(top)))


def _paint_tree(rng: Generator, pen: ImageDraw.ImageDraw, x: float, base: float, spread: float) -> None:
    crown = base - spread * rng.uniform(0.9, 1.5)
    pen.rectangle((x - spread * 0.06, crown, x + spread * 0.06, base), fill=(82, 64, 46))
    green = choose_colour(rng, GREENS)
    for light in np.linspace(0.55, 1.15, 110).tolist():
        dx, dy, size = *(rng.normal(0, 0.32, 2) * spread), spread * rng.uniform(0.04, 0.14)
        leaves = (x + dx - size, crown + dy - size * 0.8, x + dx + size, crown + dy + size * 0.8)
        pen.ellipse(leaves, fill=shades(green, light + rng.uniform(-0.15, 0.2))[0])


def _paint_wall(rng: Generator, image: Image.Image, pen: ImageDraw.ImageDraw, edge: int) -> None:
    """A hedge, or a wall, a shutter or a gate with posters on it, close behind the vehicle."""
    width, base = image.width, edge + 2
    kind = pick(rng, ("plaster", "brick", "shutter", "gate", "hedge"), (0.25, 0.25, 0.15, 0.1, 0.25))
    if kind == "hedge":
        green = choose_colour(rng, GREENS)
        image.paste(gradient(shades(green, 0.9, 0.6, 0.45), (width, base)), (0, 0))
        for _ in range(400):
            x, y, size = rng.uniform(0, width), rng.uniform(-10, base), rng.uniform(0.006, 0.03) * width
            leaves = (x - size, y - size * 0.6, x + size, y + size * 0.6)
            pen.ellipse(leaves, fill=shades(green, rng.uniform(0.4, 1.5))[0])
        return
    wall = choose_colour(rng, WALLS)
    image.paste(gradient(shades(wall, 1.0, 0.85), (width, base)), (0, 0))
    line, step = shades(wall, 0.72)[0], width * rng.uniform(0.015, 0.04)
    if kind == "brick":
        for row, y in enumerate(np.arange(0, base, step).tolist()):
            pen.line((0, y, width, y), fill=line, width=2)
            for x in np.arange((row % 2) * step * 1.3, width, step * 2.6).tolist():
                pen.line((x, y, x, min(y + step, base)), fill=line, width=2)
    elif kind == "shutter":
        for y in np.arange(0, base, step).tolist():
            pen.line((0, y, width, y), fill=line, width=max(1, round(step * 0.3)))
    elif kind == "gate":
        for x in np.arange(0, width, step).tolist():
            pen.line((x, 0, x, base), fill=shades(wall, 0.5)[0], width=max(1, round(step * 0.35)))
    for _ in range(int(rng.integers(0, 4))):
        wide = rng.uniform(0.08, 0.35) * width
        left, top = rng.uniform(-0.05, 0.9) * width, rng.uniform(0, 0.8) * base
        _paint_sign(rng, image, left, top, wide, wide * rng.uniform(0.2, 0.9))


def _paint_markings(rng: Generator, pen: ImageDraw.ImageDraw, camera: Camera, edge: int) -> None:
    """Lines on the road, and a kerb of yellow and black stones."""

    def strip(x: float, wide: float, z: float, long: float, colour: Colour) -> None:
        corners = camera(np.array([(x, 0, z), (x, 0, z + long), (x + wide, 0, z + long), (x + wide, 0, z)], float))
        if corners[:, 1].min() >= edge - 2:
            pen.polygon(corners.ravel().tolist(), fill=colour)

    for sign in (-1, 1):
        if rng.random() < 0.7:
            x, dash = sign * rng.uniform(1900, 3500), pick(rng, (2600, 6000))
            paint = pick(rng, palette("e0ded6 e2ba3c"))
            for z in range(-2500, 40000, 6000):
                strip(x, 130, z, dash, paint)
    if rng.random() < 0.4:
        x = pick(rng, (-1, 1)) * rng.uniform(3600, 4800)
        for stone, z in enumerate(range(-2500, 24000, 1000)):
            strip(x, 420, z, 1000, (222, 180, 40) if stone % 2 else (36, 36, 38))


# ------------------------------------------------------------------------------------------------------------ drawing


def _draw_second(rng: Generator, image: Image.Image, camera: Camera, main: Vehicle) -> ScenePlate | None:
    """Draw another vehicle farther away, where the whole of its plate would be visible; None where it would not."""
    other = choose_vehicle(rng)
    main_low, main_high = main.bounds(camera)
    for _ in range(8):
        offset = np.array([pick(rng, (-1, 1)) * rng.uniform(1900, 4200), 0, rng.uniform(0, 8000)])
        plate = camera(other.plate_corners + offset)
        low, high = plate.min(axis=0) - 2, plate.max(axis=0) + 2
        apart = (high < main_low).any() or (low > main_high).any()
        if apart and (low > 0).all() and (high < image.size).all() and high[0] - low[0] > 44:
            return _draw_vehicle(rng, image, camera, other, offset)
    return None


def _draw_vehicle(
    rng: Generator, image: Image.Image, camera: Camera, vehicle: Vehicle, offset: np.ndarray
) -> ScenePlate:
    """Draw a vehicle moved by `offset` (millimetres), its shadow, and a plate on it, slightly rotated."""
    vehicle.paint(image, camera, offset)
    middle = vehicle.plate_corners.mean(axis=0)
    askew = math.radians(rng.normal(0, 0.8))
    turn = np.array([[math.cos(askew), math.sin(askew), 0], [-math.sin(askew), math.cos(askew), 0], [0, 0, 1]])
    placed = (vehicle.plate_corners - middle) @ turn + middle + offset
    corners = camera(placed)
    fill(image, camera(placed + np.array((6, -14, 0))), [BLACK], 0.6, soft=1.5)
    plate = choose_indian_plate(rng, vehicle.plate_mm)
    paste_warped(image, draw_indian_plate(plate, max(64, round(np.ptp(corners[:, 0]) * 1.4)), rng), corners)
    return ScenePlate(plate.text, corners)


# ----------------------------------------------------------------------------------------------------- light and camera


def _light(rng: Generator, image: Image.Image, plate: ScenePlate) -> np.ndarray:
    """The image under uneven light, in shadow or at night: float32 of shape (height, width, 3), about 0 to 255."""
    width, height = image.size
    rows, columns = height // 4, width // 4  # light varies slowly: a coarse field will do
    across, down = np.arange(columns) * 4, np.arange(rows)[:, None] * 4
    light = rng.uniform(0.85, 1.15) * (1 + smooth_noise(rng, rows, columns, 4, 3) * rng.uniform(0.02, 0.1))
    tint = 1 + rng.normal(0, 0.025, 3)
    kind = rng.random()
    if kind < 0.08:  # night, with a lamp at the plate
        x, y = plate.corners.mean(axis=0)
        reach = (plate.box[2] - plate.box[0]) * rng.uniform(0.8, 1.8)
        lamp = np.exp(-(((across - x) / reach) ** 2) - ((down - y) / reach) ** 2)
        light = light * rng.uniform(0.3, 0.45) * (1 + rng.uniform(0.9, 1.6) * lamp)
        tint = tint * (0.9, 0.95, 1.1)
    elif kind < 0.45:  # the edge of a shadow falls across the scene
        angle, (x, y) = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8, 2) * (width, height)
        beyond = (across - x) * math.cos(angle) + (down - y) * math.sin(angle)
        light = light * (1 - rng.uniform(0.2, 0.5) / (1 + np.exp(-beyond / rng.uniform(3, 20))))
    field = Image.fromarray(light.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    pixels = np.asarray(field)[..., None] * tint.astype(np.float32)
    pixels *= np.asarray(image)
    return pixels


def _expose(rng: Generator, pixels: np.ndarray, line_px: float) -> Image.Image:
    """Add motion blur, haze, noise, defocus and a watermark; `line_px`: height of a line of the plate, pixels."""
    height, width = pixels.shape[:2]
    blur = rng.random()
    if blur < 0.3:
        pixels = uniform_filter1d(pixels, max(1, round(rng.uniform(0.06, 0.2) * line_px)), axis=int(rng.random() < 0.7))
    if rng.random() < 0.25:
        haze = rng.uniform(0.04, 0.22)
        pixels += (205 - pixels) * np.float32(haze)
    pixels += rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(0.5, 6))
    image = Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))
    if blur > 0.45:
        image = image.filter(ImageFilter.BoxBlur(rng.uniform(0, 0.085) * line_px))
    if rng.random() < 0.1:  # a watermark
        mask = lettering(pick(rng, ("www.autoworld.in", "TEAM MOTORS", "street pics")), pick(rng, SIGN_FONTS))
        wide = round(rng.uniform(0.2, 0.35) * width)
        mask = mask.resize((wide, max(6, wide * mask.height // mask.width)), Image.Resampling.BILINEAR)
        corner = round(rng.uniform(0.02, 0.6) * width), round(pick(rng, (0.02, 0.92)) * height)
        image.paste((240, 240, 236), corner, mask)
    return image
