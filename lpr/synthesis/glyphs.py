"""Lines of plate lettering in many scripts, as masks: from fonts where there are any, else made of random strokes."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.random import Generator

from lpr.synthesis.painting import lettering

FACES = (
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSans.ttf",
    "cmss10.ttf",
    None,
    "DejaVuSerif-Bold.ttf",
    "STIXGeneralBol.ttf",
    "pen",
)
"""Faces of Latin letters: as in `lpr.synthesis.painting.SIGN_FONTS`, and one drawn with a round pen."""
FACE_SHARES = (0.24, 0.14, 0.12, 0.12, 0.14, 0.02, 0.02, 0.2)

_EM = 72  # height of a letter, pixels
# A character that stands for any one of its script → those that there are in the font.
_SCRIPTS = {
    "@": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "#": "0123456789",
    "ع": "ابحدرسصطعقكلمنهوى",
    "٠": "٠١٢٣٤٥٦٧٨٩",
    "۰": "۰۱۲۳۴۵۶۷۸۹",
    "Я": "АБВГДЕЖИКЛМНПРСТУФХЦЧШЭЮЯ",
    "Λ": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΠΡΣΤΥΦΧΨΩ",
    "ა": "აბგდევზთიკლმნოპრსტ",
    "א": "אבגדהזחטילמנסעפקרשת",
    "ກ": "ກຂຄງຈຊຍດຕຖທນບປຜຝພຟມຢຣລວສຫອຮ",
}
_STROKE_SCRIPTS = "漢あ한বก"
"""Placeholders of scripts that no installed font has: random shapes stand in for their characters."""


def text_line(pattern: str, face: str | None, rng: Generator) -> np.ndarray:
    """A random line of lettering: uint8 (h, w), 255 in the letters, cropped to their outer edges.

    Args:
        pattern: @ stands for any letter, # for any digit, 漢 for a shape like a Chinese character, and so on through
            `_SCRIPTS` and `_STROKE_SCRIPTS`; any other character for itself. At least one must leave a mark.
        face: of Latin letters, one of `FACES`.
    """
    runs: list[np.ndarray] = []
    run = ""
    for character in pattern:
        if character in _STROKE_SCRIPTS:
            runs += [_write_run(run, face, rng), _shape(character, rng)]
            run = ""
        else:
            some = _SCRIPTS.get(character, character)
            run += some[int(rng.integers(len(some)))] if len(some) > 1 else some
    runs.append(_write_run(run, face, rng))
    return _side_by_side([mask for mask in runs if mask.size])


def _side_by_side(masks: list[np.ndarray]) -> np.ndarray:
    height = max(mask.shape[0] for mask in masks)
    padded = []
    for mask in masks:
        spare = height - mask.shape[0]
        padded.append(np.pad(mask, [(spare // 2, spare - spare // 2), (4, 4)]))
    line = np.concatenate(padded, axis=1)
    return line[:, 4:-4] if line.shape[1] > 12 else line


def _write_run(run: str, face: str | None, rng: Generator) -> np.ndarray:
    """Lettering by a font; a run of spaces alone is a gap."""
    if not run.strip():
        return np.zeros((1, len(run) * _EM // 3), np.uint8)
    before, after = (len(run) - len(run.lstrip()), len(run) - len(run.rstrip()))
    if face == "pen" and run.isascii():
        mask = _write_with_pen(run.strip(), int(rng.integers(5, 11)), int(rng.integers(2)))
    else:
        latin = face if run.isascii() and face != "pen" else FACES[int(rng.integers(2))]
        stroke = int(rng.integers(2, 5)) if latin in ("DejaVuSans.ttf", "cmss10.ttf", None) else int(rng.integers(2))
        mask = np.asarray(lettering(run.strip(), latin, stroke))
    if not run.isascii():  # their letters differ in height: a run is as high as a letter, whatever it holds
        mask = _resized(mask, _EM)
    return np.pad(mask, [(0, 0), (before * _EM // 3, after * _EM // 3)])


def _resized(mask: np.ndarray, height: int) -> np.ndarray:
    return cv2.resize(mask, (max(1, round(mask.shape[1] * height / mask.shape[0])), height))


def _write_with_pen(text: str, thickness: int, kind: int) -> np.ndarray:
    """Lettering by OpenCV's stroke font: round ends, strokes of one width, as on pressed plates."""
    font, scale = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)[kind], _EM / 22
    (width, height), base = cv2.getTextSize(text, font, scale, thickness)
    mask = np.zeros((height + base + 2 * thickness, width + 2 * thickness), np.uint8)
    cv2.putText(mask, text, (thickness, height + thickness), font, scale, 255, thickness, cv2.LINE_AA)
    return _cropped(mask)


def _cropped(mask: np.ndarray) -> np.ndarray:
    left, top, width, height = cv2.boundingRect(mask)
    return mask[top : top + height, left : left + width]


# --------------------------------------------------------------------------- shapes like the letters of other scripts


def _shape(script: str, rng: Generator) -> np.ndarray:
    """One of 64 shapes of a script, which are cached."""
    return _cached_shape(script, int(rng.integers(64)))


@functools.cache
def _cached_shape(script: str, index: int) -> np.ndarray:
    rng = np.random.default_rng([ord(script), index])
    draw = {"漢": _han, "あ": _kana, "한": _hangul, "ব": _bengali, "ก": _thai}[script]
    canvas = np.zeros((_EM + 16, _EM + 16), np.uint8)
    thickness = int(rng.integers(5, 9))
    for stroke in draw(rng):
        points = (np.asarray(stroke) * _EM + 8).round().astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA)
    mask = _cropped(canvas)
    # Chinese and Korean characters fill a square, whatever their strokes; kana stand small beside digits.
    return (
        cv2.resize(mask, (_EM - 4, _EM))
        if script in "漢한"
        else _resized(mask, _EM * 2 // 3 if script == "あ" else _EM)
    )


Stroke = list[tuple[float, float]]


def _han(rng: Generator) -> list[Stroke]:
    """One part, or two side by side or one above the other: bars, posts, boxes, and legs that spread."""

    def part(left: float, top: float, right: float, bottom: float) -> list[Stroke]:
        def at(x: float, y: float) -> tuple[float, float]:
            return left + x * (right - left), top + y * (bottom - top)

        strokes: list[Stroke] = []
        bars = int(rng.integers(1, 4))
        kind = rng.random()
        if kind < 0.35:
            strokes.append([at(0.1, 0.1), at(0.9, 0.1), at(0.9, 0.9), at(0.1, 0.9), at(0.1, 0.1)])
            strokes += [[at(0.1, y), at(0.9, y)] for y in np.linspace(0.1, 0.9, bars + 2)[1:-1]]
            if rng.random() < 0.5:
                strokes.append([at(0.5, 0.1), at(0.5, 0.9)])
        else:
            strokes += [[at(rng.uniform(0, 0.2), y), at(rng.uniform(0.8, 1), y)] for y in np.linspace(0.15, 0.75, bars)]
            strokes.append([at(0.5, 0), at(0.5, rng.uniform(0.7, 1))])
            if kind < 0.8:
                strokes += [[at(0.5, 0.45), at(0.35, 0.8), at(0.05, 1)], [at(0.5, 0.45), at(0.65, 0.8), at(0.95, 1)]]
        return strokes

    layout, cut = rng.random(), rng.uniform(0.35, 0.6)
    if layout < 0.45:
        return part(0, 0, cut - 0.04, 1) + part(cut + 0.04, 0, 1, 1)
    if layout < 0.8:
        return part(0.05, 0, 0.95, cut - 0.04) + part(0, cut + 0.04, 1, 1)
    return part(0, 0, 1, 1)


def _kana(rng: Generator) -> list[Stroke]:
    """A bar, a post, and a loose loop."""
    start = rng.uniform(0, 2 * np.pi)
    angles = start + np.linspace(0, rng.uniform(3.5, 5.8), 14)
    middle, radius = rng.uniform(0.45, 0.6, 2), rng.uniform(0.22, 0.4, 2)
    loop = [(float(x), float(y)) for x, y in middle + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)]
    bar, post = rng.uniform(0.12, 0.35), rng.uniform(0.3, 0.6)
    strokes: list[Stroke] = [loop, [(0.1, bar), (0.9, bar - 0.06)]]
    if rng.random() < 0.6:
        strokes.append([(post, 0), (post - 0.05, 0.5), (post + 0.05, 0.95)])
    return strokes


def _hangul(rng: Generator) -> list[Stroke]:
    """A consonant (box, corner, ring), a vowel at its right or under it, and sometimes a consonant at the bottom."""

    def consonant(left: float, top: float, right: float, bottom: float) -> list[Stroke]:
        kind = int(rng.integers(5))
        if kind == 0:
            return [[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]]
        if kind == 1:
            return [[(left, top), (right, top), (right, bottom)]]
        if kind == 2:
            return [[(left, top), (left, bottom), (right, bottom)]]
        if kind == 3:
            angles = np.linspace(0, 2 * np.pi, 16)
            x, y = (left + right) / 2, (top + bottom) / 2
            return [
                [(x + (right - left) / 2 * float(np.cos(a)), y + (bottom - top) / 2 * float(np.sin(a))) for a in angles]
            ]
        return [[((left + right) / 2, top), (left, bottom)], [((left + right) / 2, top), (right, bottom)]]

    foot = rng.random() < 0.5
    low = 0.55 if foot else 0.95
    strokes: list[Stroke]
    if rng.random() < 0.6:
        strokes = [*consonant(0.05, 0.1, 0.55, low - 0.05), [(0.8, 0), (0.8, low)]]
        strokes.append([(0.8, low / 2), (0.98, low / 2)] if rng.random() < 0.5 else [(0.64, low / 2), (0.8, low / 2)])
    else:
        strokes = [*consonant(0.2, 0.02, 0.8, low - 0.3), [(0, low - 0.08), (1, low - 0.08)]]
        strokes.append([(0.5, low - 0.25), (0.5, low - 0.08)])
    return strokes + (consonant(0.2, 0.7, 0.8, 1) if foot else [])


def _bengali(rng: Generator) -> list[Stroke]:
    """A head line, a post hanging from it, and a bent stroke beside that."""
    knots = [(0.6, 0.2), *zip(rng.uniform(0, 0.55, 3).tolist(), np.sort(rng.uniform(0.25, 1, 3)).tolist(), strict=True)]
    strokes: list[Stroke] = [[(0, 0.04), (0.85, 0.04)], [*knots, (0.6, rng.uniform(0.5, 0.9))]]
    if rng.random() < 0.75:
        strokes.append([(0.66, 0.04), (0.66, 1)])
    return strokes


def _thai(rng: Generator) -> list[Stroke]:
    """A small ring where the pen sets in, then up, over and down."""
    angles = np.linspace(0, 2 * np.pi, 10)
    side, y = (0.12, float(rng.choice([0.2, 0.8])))
    ring = [(side + 0.09 * float(np.cos(a)), y + 0.09 * float(np.sin(a))) for a in angles]
    dip = rng.uniform(0.05, 0.4)
    body = [(0.2, y), (0.2, 0.95) if y < 0.5 else (0.2, 0.2), (0.42, dip), (0.68, 0.1), (0.68, 0.95)]
    strokes: list[Stroke] = [ring, body]
    if rng.random() < 0.3:
        strokes.append([(0.68, 0.5), (0.9, 0.3)])
    return strokes
