"""Rears and fronts of vehicles, each a list of flat shapes, and the place of the plate.

Millimetres: x to the right, y up from the road, z away from the viewer; the end with the plate is at z = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image

from lpr.synthesis.indian_plates import LONG, SMALL, SQUARE
from lpr.synthesis.painting import (
    BLACK,
    PAINTS,
    PAPERS,
    SIGN_FONTS,
    SLOGANS,
    Camera,
    Colour,
    Size,
    Stops,
    choose_colour,
    choose_phone,
    fill,
    lettering,
    palette,
    paste_warped,
    phrases,
    pick,
    readable_on,
    shades,
    signed_area,
)

WHITES = palette("e8e8e6 ecebe6 bcc0c4 d8dadc")
BODIES = palette("80848a 484c52 1c1d20 141418 96181c b6241e 223a78 1e6096 60422c aa9676 e2b21e ce6c1c 24543a")
INKS = palette("f0ece2 f0c828 c83228")
DARK, AMBER, RED = palette("18191b ec8c28 c4161a")
CHROME = palette("f4f6f8 787c82 d6dade")
LAMP = palette("e1e8ee 808890 ced4da")
TYRE = palette("2e2e2f 141415")

BADGES = phrases("SPRINT|i20|CITY|NOVA|WAGON X|XUV 500|TURBO|1.5 TD|DZR|VXi|CRDi|ZX")
STICKERS = phrases("TAXI|CNG|PRESS|JAI HIND|BABY ON BOARD|RACING|4x4|DOCTOR|NEW")
TOWNS = phrases("MYSURU|PUNE|CHENNAI|AGRA|SHIMLA|JAIPUR|KOCHI|EXPRESS 45|PUBLIC CARRIER")


@dataclass(frozen=True)
class _Shape:
    points: np.ndarray  # (n, 3) millimetres
    stops: Stops
    alpha: float = 1
    one_sided: bool = False  # visible only where its corners run clockwise


@dataclass(frozen=True)
class _TextPanel:
    points: np.ndarray  # (4, 3) millimetres
    art: Image.Image


class Vehicle:
    """Shapes in the order in which they are painted, and the place of the plate.

    Args:
        rng: chooses the lettering's fonts.
        plate_at: x, y of the plate's middle, millimetres.
        plate_mm: the plate's width and height.
        length: of the vehicle, millimetres.
    """

    def __init__(self, rng: Generator, plate_at: tuple[float, float], plate_mm: Size, length: float) -> None:
        self.plate_mm, self.length = plate_mm, length
        self.plate_corners = _upright(*plate_at, *plate_mm, 0)
        self.parts: list[_Shape | _TextPanel] = []
        self._rng = rng

    def panel(
        self, points: Sequence[tuple[float, float]], stops: Stops, radius: float = 0, z: float = 0, alpha: float = 1
    ) -> None:
        """A flat polygon that faces the viewer."""
        flat = _rounded(np.array(points, float), radius) if radius else np.array(points, float)
        self.parts.append(_Shape(np.column_stack([flat, np.full(len(flat), z)]), stops, alpha))

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        stops: Stops,
        radius: float = 0,
        z: float = 0,
        alpha: float = 1,
    ) -> None:
        """An upright rectangle that faces the viewer."""
        self.panel([(x0, y1), (x1, y1), (x1, y0), (x0, y0)], stops, radius, z, alpha)

    def disc(self, x: float, y: float, rx: float, ry: float, stops: Stops, z: float = 0, alpha: float = 1) -> None:
        """An ellipse that faces the viewer."""
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        self.panel(list(zip(x + rx * np.cos(turn), y + ry * np.sin(turn), strict=True)), stops, 0, z, alpha)

    def side(self, x: float, points: Sequence[tuple[float, float]], stops: Stops) -> None:
        """A polygon of (z, y), clockwise as seen from the right, on the side at `x`; visible from that side alone."""
        flat = np.array([(x, y, z) for z, y in points], float)
        self.parts.append(_Shape(flat if x > 0 else flat[::-1], stops, one_sided=True))

    def wheel(self, x: float, z: float, radius: float) -> None:
        """A wheel on the side at `x`."""
        turn = np.linspace(2 * np.pi, 0, 24, endpoint=False)
        for share, stops in ((1.0, TYRE), (0.62, palette("96989b 5a5c5f"))):
            around = zip(z + share * radius * np.cos(turn), radius + share * radius * np.sin(turn), strict=True)
            self.side(x, list(around), stops)

    def prism(self, right: Sequence[tuple[float, float]], z: float, away: float, colour: Colour) -> None:
        """The sides of a body from z to `away`; its cross-section is `right`, from top to bottom, and its mirror."""
        outline = _mirrored(right)
        for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
            face = np.array([(x0, y0, z), (x0, y0, away), (x1, y1, away), (x1, y1, z)], float)
            stops = shades(colour, 1.08, 0.95) if abs(x1 - x0) > abs(y1 - y0) else shades(colour, 0.85, 0.74, 0.5)
            self.parts.append(_Shape(face, stops, one_sided=True))

    def text(self, words: str, x: float, y: float, height: float, ink: Colour, room: float, z: float = 0) -> None:
        """Lettering with its middle at (x, y), at most `room` wide."""
        mask = lettering(words, pick(self._rng, SIGN_FONTS))
        mask = mask.resize((max(1, mask.width * 32 // mask.height), 32), Image.Resampling.BOX)
        art = Image.new("RGBA", mask.size, ink)
        art.putalpha(mask)
        corners = _upright(x, y, min(room, height * mask.width / mask.height), height, z)
        self.parts.append(_TextPanel(corners, art))

    def stickers(self, half: float, low: float, high: float, z: float = 0) -> None:
        """Small bright rectangles and lettering between two heights: lettering that is no plate."""
        rng = self._rng
        for _ in range(int(rng.integers(0, 4))):
            x, y, width = rng.uniform(-0.7, 0.7) * half, rng.uniform(low, high), rng.uniform(100, 340)
            height, ink = width * rng.uniform(0.22, 0.7), choose_colour(rng, INKS)
            if rng.random() < 0.65:
                paper = choose_colour(rng, PAPERS)
                ink = readable_on(paper)
                self.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, [paper], 12, z)
            if rng.random() < 0.85:
                words = pick(rng, (*SLOGANS, *BADGES, *STICKERS, choose_phone(rng)))
                self.text(words, x, y, height * 0.55, ink, width * 0.9, z)

    def bounds(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest x, y of all its shapes, pixels, including those that face away from the camera."""
        points = np.concatenate([camera(part.points) for part in self.parts])
        return points.min(axis=0), points.max(axis=0)

    def paint(self, image: Image.Image, camera: Camera, offset: np.ndarray) -> None:
        """Paint the vehicle, moved by `offset` (x, y, z in millimetres), over its shadow; the plate is left out."""
        half = max(float(part.points[:, 0].max()) for part in self.parts)
        shadow = np.array([(-half, 0, -200), (-half, 0, self.length), (half, 0, self.length), (half, 0, -200)])
        fill(image, camera(shadow + offset), [BLACK], 0.75, soft=0.02 * image.width)
        for part in self.parts:
            polygon = camera(part.points + offset)
            if isinstance(part, _TextPanel):
                paste_warped(image, part.art, polygon)
            elif not part.one_sided or signed_area(polygon) > 0:
                fill(image, polygon, part.stops, part.alpha)


def choose_vehicle(rng: Generator) -> Vehicle:
    """A car's rear or front, mostly; else an autorickshaw, a lorry, a bus or a motorcycle."""
    kinds = (_car_rear, _car_front, _auto_rear, _lorry_rear, _bus_front, _bike_rear)
    return pick(rng, kinds, (0.35, 0.27, 0.1, 0.11, 0.08, 0.09))(rng)


@dataclass(frozen=True)
class _CarShape:
    """A car's measures in millimetres; `half` is half its width, `belt` the lower edge of its windows."""

    half: float
    roof: float
    belt: float
    floor: float
    colour: Colour


def _choose_car(rng: Generator) -> _CarShape:
    tall = rng.random() < 0.42
    roof = rng.uniform(1400, 1500) + tall * rng.uniform(180, 330)
    colour = choose_colour(rng, WHITES if rng.random() < 0.35 else BODIES)
    return _CarShape(
        rng.uniform(800, 920), roof, roof * rng.uniform(0.6, 0.66), rng.uniform(170, 220) + 60 * tall, colour
    )


def _car(rng: Generator, shape: _CarShape, plate_y: float, rear: bool) -> Vehicle:
    """What both ends of a car have in common: its sides, wheels, roof and glass."""
    half, roof, belt, floor, colour = shape.half, shape.roof, shape.belt, shape.floor, shape.colour
    plate_x = rng.uniform(-180, 180) if rng.random() < 0.06 else 0.0
    length = rng.uniform(3300, 4300)
    car = Vehicle(rng, (plate_x, plate_y), LONG if rng.random() < 0.92 else SQUARE, length)
    roof_half = half * rng.uniform(0.7, 0.8)
    pane = 0 if rear else 620  # where the rear window or the windscreen stands
    start, end = (0, length * 0.62) if rear else (length * 0.25, length * 0.97)
    car.prism([(half, belt), (half, floor)], pane and 600, length, colour)
    car.prism([(roof_half, roof), (half * 0.96, belt)], start, end, colour)
    for sign in (-1, 1):
        low, top = belt + 30, roof - 130
        window = [(start + 180, low), (start + 260, top), (end - 500, top), (end - 150, low)]
        car.side(sign * half * 0.93, window, palette("5a6874 1e2226"))
        if not rear:
            wing = [(40, floor), (40, belt * 0.84), (620, belt), (620, floor)]
            car.side(sign * half, wing, shades(colour, 0.9, 0.74, 0.5))
        for z in (length * 0.19, length * 0.8):
            car.wheel(sign * half, z, 310)
        car.box(sign * half * 0.97, 0, sign * (half * 0.97 - 210), floor + 160, TYRE, 40, 100)
    car.panel(_mirrored([(roof_half, roof), (half * 0.96, belt - 40)]), shades(colour, 1.15, 0.9, 0.8), 160, pane)
    car.panel(_mirrored([(roof_half * 0.86, roof - 75), (half * 0.86, belt + 25)]), _glass(rng), 90, pane)
    if rng.random() < 0.5:  # a reflection
        x = rng.uniform(-0.5, 0.3) * half
        streak = [(x, roof - 90), (x + 260, roof - 90), (x + 120, belt + 40), (x - 220, belt + 40)]
        car.panel(streak, [(235, 240, 245)], 0, pane, rng.uniform(0.08, 0.25))
    return car


def _car_rear(rng: Generator) -> Vehicle:
    shape = _choose_car(rng)
    half, belt, floor, colour = shape.half, shape.belt, shape.floor, shape.colour
    high = rng.random() < 0.65
    car = _car(rng, shape, rng.uniform(0.72, 0.78) * belt if high else floor + rng.uniform(200, 330), rear=True)
    car.stickers(half * 0.8, belt + 120, shape.roof - 180)
    if rng.random() < 0.6:  # wiper
        car.panel([(-12, belt + 40), (12, belt + 40), (rng.uniform(280, 460), belt + 200)], [BLACK])
    car.box(-160, shape.roof - 70, 160, shape.roof - 40, shades(RED, 0.8), 10)
    body = [(half * 0.93, belt + 40), (half, belt - 160), (half * 1.01, floor + 120), (half * 0.95, floor)]
    car.panel(_mirrored(body), shades(colour, 1.25, 1.02, 1.12, 0.93, 0.88, 0.7, 0.52), 90)
    seam, tail = shades(colour, 0.45), floor + rng.uniform(330, 430)
    car.box(-half * 0.98, tail, half * 0.98, tail + 9, seam)
    if rng.random() < 0.5:
        car.box(-half * 0.97, floor, half * 0.97, floor + rng.uniform(90, 240), shades(DARK, 1.6, 0.8), 40)
    upright = rng.random() < 0.5
    lamp = (rng.uniform(130, 200), rng.uniform(300, 460)) if upright else (rng.uniform(260, 420), rng.uniform(130, 200))
    skew = rng.uniform(0, 60)
    for sign in (-1, 1):
        outer, inner, top = sign * half * 0.985, sign * (half * 0.985 - lamp[0]), belt - 20
        car.box(sign * half * 0.7, tail, sign * (half * 0.7 + 7), belt - 10, seam)
        outline = [(outer, top), (inner + sign * skew, top), (inner, top - lamp[1]), (outer, top - lamp[1] * 1.05)]
        car.panel(outline, shades(RED, 1.25, 0.9, 0.6), 45)
        for share, tint in ((0.48, (232, 214, 206)), (0.25, AMBER)):
            y = top - lamp[1] * share
            car.box(
                outer - sign * lamp[0] * 0.2, y, inner + sign * lamp[0] * 0.2, y - lamp[1] * 0.2, [tint], 20, 0, 0.8
            )
        car.box(sign * half * 0.85, floor + 110, sign * half * 0.6, floor + 150, shades(RED, 0.9), 15)
    (left, top), (right, bottom) = car.plate_corners[0, :2].tolist(), car.plate_corners[2, :2].tolist()
    car.box(left - 90, bottom - 40, right + 90, top + 45, shades(colour, 0.55, 0.75), 50)
    if rng.random() < 0.6:  # a handle
        stops = CHROME if rng.random() < 0.6 else shades(colour, 1.2, 0.8)
        car.box(left - 80, top + 40, right + 80, top + rng.uniform(75, 110), stops, 18)
    badge = max(top + 150, belt - 110)
    car.disc(0, badge, 62, 50, CHROME)
    car.disc(0, badge, 44, 33, shades(colour, 0.6))
    ink = (220, 222, 226) if sum(colour) < 420 else (70, 72, 76)
    for sign in (-1, 1):
        if rng.random() < 0.7:
            car.text(pick(rng, BADGES), sign * half * 0.52, belt - 230, rng.uniform(40, 75), ink, 280)
    if rng.random() < 0.3:
        car.stickers(half * 0.8, floor + 60, belt - 260)
    return car


def _car_front(rng: Generator) -> Vehicle:
    shape = _choose_car(rng)
    half, belt, floor, colour = shape.half, shape.belt, shape.floor, shape.colour
    car = _car(rng, shape, floor + rng.uniform(190, 310), rear=False)
    if rng.random() < 0.4:
        car.stickers(half * 0.7, shape.roof - 220, shape.roof - 130, 620)
    bonnet = belt * rng.uniform(0.82, 0.9)
    slope = [(-half * 0.92, belt + 20, 640), (half * 0.92, belt + 20, 640), (half, bonnet, 40), (-half, bonnet, 40)]
    for sign in (-1, 1):  # mirrors
        car.box(sign * half * 0.95, belt + 60, sign * (half + 190), belt + 190, shades(colour, 1.1, 0.6), 50, 700)
    car.parts.append(_Shape(np.array(slope), shades(colour, 0.8, 1.1, 1.3, 1.05)))
    face = [(half * 0.97, bonnet + 30), (half * 1.01, bonnet - 220), (half, floor + 40), (half * 0.92, floor)]
    car.panel(_mirrored(face), shades(colour, 1.2, 1.0, 1.06, 0.9, 0.7, 0.5), 110)
    car.box(-half * 0.8, bonnet - 6, half * 0.8, bonnet + 6, shades(colour, 0.5))
    top, wide, high = bonnet - 30, half * rng.uniform(0.38, 0.62), rng.uniform(90, 190)
    frame = CHROME if rng.random() < 0.5 else shades(DARK, 1.4)
    car.box(-wide - 18, top - high - 16, wide + 18, top + 6, frame, 50)
    car.box(-wide, top - high, wide, top - 10, shades(DARK, 1.0, 0.6), 40)
    bars, bar_stops = int(rng.integers(2, 5)), CHROME if rng.random() < 0.6 else palette("464849")
    if rng.random() < 0.3:
        for x in np.linspace(-wide, wide, 3 * bars + 1)[1:-1].tolist():
            car.box(x - 8, top - high + 10, x + 8, top - 20, bar_stops)
    else:
        for y in np.linspace(top - high, top, bars + 1)[1:-1].tolist():
            car.box(-wide + 15, y - 7, wide - 15, y + 7, bar_stops)
    car.disc(0, top - high * 0.45, 68, 58, CHROME)
    car.disc(0, top - high * 0.45, 46, 38, shades(DARK, 1.2))
    lit, lamp_wide, lamp_high = rng.random() < 0.2, rng.uniform(280, 400), rng.uniform(120, 200)
    bulb = palette("fffffa fffae2") if lit else palette("5a6068 e6ecf2")
    for sign in (-1, 1):
        outer, inner = sign * half * 0.98, sign * (half * 0.98 - lamp_wide)
        corner = (inner + sign * 30, top - lamp_high)
        car.panel([(outer, top + 20), (inner, top - 20), corner, (outer, top - lamp_high * 0.8)], LAMP, 50)
        for share in (0.35, 0.68):
            car.disc(outer - sign * lamp_wide * share, top - lamp_high * 0.45, 52, 48, bulb)
        if lit:
            for reach in (160, 250):
                car.disc(outer - sign * lamp_wide * 0.5, top - lamp_high * 0.4, reach, reach, bulb[:1], -20, 0.2)
        car.disc(sign * half * 0.76, floor + 170, 75, 60, shades(DARK, 1.3))
        car.disc(sign * half * 0.76, floor + 170, 48, 44, LAMP)
    intake = floor + rng.uniform(180, 300)
    car.box(-half * 0.6, floor + 50, half * 0.6, intake, shades(DARK, 0.9, 0.5), 45)
    for y in np.linspace(floor + 50, intake, 5)[1:-1].tolist():
        car.box(-half * 0.58, y, half * 0.58, y + 10, shades(DARK, 2.2))
    return car


def _auto_rear(rng: Generator) -> Vehicle:
    """An autorickshaw: three wheels and a canvas hood."""
    half, roof, belt, floor = rng.uniform(600, 680), rng.uniform(1650, 1750), rng.uniform(800, 900), 260.0
    plate_mm = pick(rng, (SQUARE, LONG, SMALL), (0.3, 0.55, 0.15))
    auto = Vehicle(rng, (rng.uniform(-60, 60), rng.uniform(430, 560)), plate_mm, 2500)
    body = choose_colour(rng, palette("e2b41e 1e6e3c e2b41e 1e5a96"))
    hood = choose_colour(rng, palette("1e1e20 e2b41e 1e5036"))
    dome = [(half * 0.7, roof), (half * 0.93, roof - 90), (half * 0.97, belt)]
    auto.prism([(half, belt), (half, floor)], 30, 2300, body)
    auto.prism(dome, 30, 2000, hood)
    for sign in (-1, 1):
        auto.side(sign * half, [(650, 520), (650, 1450), (1500, 1450), (1500, 520)], palette("1e2022 141618"))
        auto.wheel(sign * half * 0.95, 350, 230)
        auto.box(sign * half * 0.95, 0, sign * (half * 0.95 - 110), floor + 150, TYRE, 30, 80)
    auto.panel(_mirrored(dome), shades(hood, 1.3, 1.0, 0.85), 70)
    pane = rng.uniform(0.4, 0.6) * half
    auto.box(-pane, belt + 330, pane, roof - 210, _glass(rng), 40)
    ink = choose_colour(rng, INKS[:2]) if sum(hood) < 390 else BLACK
    auto.text(pick(rng, SLOGANS), 0, roof - 130, 80, ink, half * 1.2)
    auto.text(choose_phone(rng), 0, belt + 210, 80, ink, half * 1.1)
    tub = [(half * 0.98, belt + 60), (half, belt - 120), (half * 0.96, floor)]
    auto.panel(_mirrored(tub), shades(body, 1.2, 1.0, 1.06, 0.9, 0.65), 60)
    for slot in range(int(rng.integers(0, 7))):
        auto.box(-half * 0.4, belt - 50 - slot * 26, half * 0.4, belt - 60 - slot * 26, shades(body, 0.35))
    for sign in (-1, 1):
        auto.box(sign * half * 0.92, belt - 70, sign * half * 0.72, belt - 250, shades(RED, 1.1, 0.7), 25)
        auto.box(sign * half * 0.92, belt - 260, sign * half * 0.72, belt - 330, [AMBER], 20)
    if rng.random() < 0.6:
        stops = CHROME if rng.random() < 0.5 else shades(DARK, 1.8, 0.8)
        auto.box(-half * 1.02, floor - 20, half * 1.02, floor + 45, stops, 20)
    auto.stickers(half * 0.8, belt - 60, belt + 150)
    return auto


def _lorry_rear(rng: Generator) -> Vehicle:
    half, roof, floor = rng.uniform(1050, 1220), rng.uniform(2300, 3000), rng.uniform(900, 1050)
    plate_at = (pick(rng, (0.0, -0.4, 0.4)) * half, floor - rng.uniform(210, 320))
    lorry = Vehicle(rng, plate_at, pick(rng, (SQUARE, LONG), (0.4, 0.6)), 6500)
    colour = choose_colour(rng, PAINTS)
    for sign in (-1, 1):
        for inner in (0.95, 0.68):
            lorry.box(sign * half * inner, 0, sign * (half * inner - 250), floor - 60, TYRE, 40, 500)
        lorry.wheel(sign * half * 0.97, 1100, 480)
    lorry.box(-half * 0.9, floor - 420, half * 0.9, floor, shades(DARK, 0.8, 0.4), 0, 400)
    lorry.prism([(half, roof), (half, floor)], 0, 6500, colour)
    lorry.box(-half, floor, half, roof, shades(colour, 1.15, 1.0, 0.85), 15)
    kind = rng.random()
    if kind < 0.6:  # painted planks
        for y in np.linspace(floor, roof, int(rng.integers(5, 9)))[1:-1].tolist():
            lorry.box(-half, y - 9, half, y + 9, shades(colour, 0.45))
        for x in (-0.98, -0.36, 0.28, 0.9):
            lorry.box(x * half, floor, (x + 0.07) * half, roof, shades(choose_colour(rng, PAINTS), 1.0, 0.8))
    else:  # doors, or a bus's window
        lorry.box(-9, floor, 9, roof, shades(colour, 0.5))
        if kind > 0.8:
            lorry.box(-half * 0.75, (floor + roof) / 2, half * 0.75, roof - 230, _glass(rng), 80)
    high, y, ink = rng.uniform(110, 230), floor + rng.uniform(0.18, 0.34) * (roof - floor), readable_on(colour)
    if rng.random() < 0.5:
        board = choose_colour(rng, PAPERS)
        lorry.box(-half * 0.75, y - high * 0.8, half * 0.75, y + high * 0.8, [board], 10)
        lorry.text(pick(rng, SLOGANS), 0, y, high, readable_on(board), half * 1.4)
    else:
        lorry.text(pick(rng, SLOGANS), 0, y, high, ink, half * 1.4)
    if rng.random() < 0.6:
        lorry.text(choose_phone(rng), 0, y + high * 1.8, high * 0.6, ink, half * 1.2)
    lorry.stickers(half, floor + 120, roof - 200)
    lorry.box(-half, floor - 130, half, floor, shades(choose_colour(rng, PAINTS), 1.0, 0.7), 8)
    if rng.random() < 0.6:  # reflective tape
        for stripe, x in enumerate(np.linspace(-half, half - 60, 14).tolist()):
            slant = [(x, floor - 20), (x + 90, floor - 20), (x + 50, floor - 110), (x - 40, floor - 110)]
            lorry.panel(slant, [RED if stripe % 2 else (240, 236, 226)])
    lorry.box(-half * 0.95, floor - 480, half * 0.95, floor - 410, shades(DARK, 2.4, 1.0), 10)
    for sign in (-1, 1):
        lorry.box(sign * half * 0.97, floor - 480, sign * half * 0.72, 180, shades(DARK, 1.0, 0.7), 10, -5)
        lorry.box(sign * half * 0.95, floor - 160, sign * half * 0.76, floor - 330, shades(RED, 1.1, 0.6), 20)
        lorry.box(sign * half * 0.75, floor - 160, sign * half * 0.67, floor - 330, [AMBER], 15)
    return lorry


def _bus_front(rng: Generator) -> Vehicle:
    half, roof, floor, belt = rng.uniform(1100, 1240), rng.uniform(2700, 3100), 330.0, rng.uniform(1250, 1400)
    bus = Vehicle(rng, (0.0, floor + rng.uniform(150, 230)), pick(rng, (LONG, SQUARE), (0.75, 0.25)), 8000)
    colour, band = choose_colour(rng, PAINTS), choose_colour(rng, PAINTS)
    bus.prism([(half, roof), (half, floor)], 40, 8000, colour)
    for sign in (-1, 1):
        for start in range(500, 7500, 1200):
            window = [(start, 1500), (start, 2250), (start + 1050, 2250), (start + 1050, 1500)]
            bus.side(sign * half, window, palette("505e6a 1e2226"))
        bus.wheel(sign * half, 1500, 480)
        bus.box(sign * half * 0.95, 0, sign * (half * 0.95 - 280), floor + 200, TYRE, 30, 300)
        bus.box(sign * (half + 60), 1750, sign * (half + 260), 2150, shades(DARK, 1.4, 0.8), 40, -60)
    bus.box(-half, floor, half, roof, shades(colour, 1.15, 1.0, 0.9, 0.7), 110)
    bus.box(-half * 0.93, belt, half * 0.93, roof - 420, _glass(rng), 120)
    bus.box(-16, belt, 16, roof - 420, shades(DARK, 1.2))
    bus.box(-half * 0.6, roof - 380, half * 0.6, roof - 130, [pick(rng, (BLACK, (240, 236, 226)))], 20)
    bus.text(pick(rng, TOWNS), 0, roof - 255, 150, AMBER, half)
    bus.box(-half, belt - 330, half, belt - 130, shades(band, 1.0, 0.85))
    bus.text(pick(rng, (*SLOGANS, *TOWNS)), 0, belt - 230, 120, readable_on(band), half * 1.2)
    bus.box(-half * 0.5, floor + 370, half * 0.5, belt - 380, shades(DARK, 1.2, 0.7), 40)
    for y in range(int(floor) + 400, int(belt) - 420, 70):
        bus.box(-half * 0.48, y, half * 0.48, y + 22, CHROME)
    for sign in (-1, 1):
        bus.box(sign * half * 0.9, floor + 330, sign * half * 0.6, floor + 540, LAMP, 60)
        bus.disc(sign * half * 0.76, floor + 435, 88, 88, palette("787e86 f0f4f8"))
        bus.box(sign * half * 0.96, floor + 560, sign * half * 0.82, floor + 640, [AMBER], 20)
    bus.box(-half, floor, half, floor + 310, shades(pick(rng, (DARK, band)), 1.4, 0.9), 60)
    bus.stickers(half * 0.8, belt + 120, belt + 300)
    return bus


def _bike_rear(rng: Generator) -> Vehicle:
    """A motorcycle or a scooter, often with a rider."""
    bike = Vehicle(rng, (0.0, rng.uniform(520, 620)), SMALL if rng.random() < 0.8 else SQUARE, 1600)
    colour = choose_colour(rng, BODIES)
    bike.box(-65, 0, 65, 620, TYRE, 60, 150)
    for sign in (-1, 1):  # handlebar, mirrors, lamps
        bike.panel([(sign * x, y) for x, y in ((60, 1020), (330, 1060), (330, 1030), (60, 980))], [DARK], 8, 900)
        bike.disc(sign * 350, 1130, 55, 60, palette("5a646e 22262a"), 900)
        bike.box(sign * 385, 1030, sign * 300, 1062, [DARK], 10, 880)
        bike.panel([(sign * 130, 330), (sign * 200, 340), (sign * 230, 480), (sign * 160, 470)], CHROME, 25, 60)
    if rng.random() < 0.55:
        shirt, trousers, helmet = (choose_colour(rng, BODIES) for _ in range(3))
        bike.disc(0, 1690, 125, 150, shades(helmet, 1.25, 0.8), 450)
        bike.panel(_mirrored([(190, 1520), (250, 1380), (210, 900)]), shades(shirt, 1.1, 0.9, 0.7), 90, 450)
        sleeve = ((215, 1450), (290, 1350), (340, 1080), (250, 1080))
        leg = ((90, 930), (260, 900), (270, 560), (200, 330), (130, 330), (150, 620))
        for sign in (-1, 1):
            bike.panel([(sign * x, y) for x, y in sleeve], shades(shirt, 0.95, 0.75), 40, 480)
            bike.panel([(sign * x, y) for x, y in leg], shades(trousers, 0.9, 0.6), 40, 460)
    bike.panel(_mirrored([(140, 900), (170, 800), (90, 740)]), shades(DARK, 1.5, 0.7), 40, 60)
    if rng.random() < 0.45:  # a scooter's body
        tub = [(150, 860), (215, 700), (190, 430), (90, 380)]
        bike.panel(_mirrored(tub), shades(colour, 1.2, 0.95, 1.05, 0.6), 70, 40)
    else:
        bike.panel(_mirrored([(110, 810), (150, 720), (80, 640)]), shades(colour, 1.2, 0.8), 40, 30)
        bike.panel(_mirrored([(85, 700), (110, 420), (70, 330)]), shades(DARK, 1.2, 0.7), 25, 20)
    bike.box(-85, 790, 85, 715, shades(RED, 1.15, 0.7), 25, 10)
    for sign in (-1, 1):
        bike.box(sign * 130, 720, sign * 230, 765, shades(AMBER, 1.0, 0.7), 18, 20)
    bike.box(-30, 500, 30, 720, shades(DARK, 1.3))
    return bike


def _upright(x: float, y: float, width: float, height: float, z: float) -> np.ndarray:
    """Corners (4, 3) of a rectangle that faces the viewer, clockwise from the top left."""
    a, b, c, d = x - width / 2, x + width / 2, y + height / 2, y - height / 2
    return np.array([(a, c, z), (b, c, z), (b, d, z), (a, d, z)], float)


def _rounded(points: np.ndarray, radius: float) -> np.ndarray:
    """The polygon (n, 2) with its corners cut by curves that start at most `radius` from them."""
    back, ahead = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
    ends = [points + edge * np.minimum(0.48, radius / (np.hypot(*edge.T) + 1e-9))[:, None] for edge in (back, ahead)]
    along = np.linspace(0, 1, 5)[None, :, None]
    curve = (
        (1 - along) ** 2 * ends[0][:, None] + 2 * along * (1 - along) * points[:, None] + along**2 * ends[1][:, None]
    )
    return curve.reshape(-1, 2)


def _mirrored(right: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A polygon from its right half, top to bottom."""
    return [*right, *((-x, y) for x, y in reversed(right))]


def _glass(rng: Generator) -> Stops:
    sky = int(rng.integers(60, 190))
    return (sky, sky + 8, sky + 16), (sky // 2, sky // 2 + 4, sky // 2 + 8), (22, 25, 28), (34, 36, 38)
