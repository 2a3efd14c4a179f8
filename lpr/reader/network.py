"""The project's own reader: a network on ONNX Runtime that finds a plate's characters (`lpr.recognizer`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from pydantic import ValidationError

from lpr.config import CascadeReader, NetworkReader
from lpr.errors import UserError
from lpr.onnx_file import open_onnx
from lpr.plate_text import CHARACTERS
from lpr.reader.base import UNREAD, PlateText, TextLine
from lpr.reader.groups import settled
from lpr.recognizer.calibration import calibrated
from lpr.recognizer.decoding import Characters, Layout, decode, group_sizes, lay_out, undated
from lpr.recognizer.facts import Facts
from lpr.recognizer.shapes import nearest_shape
from lpr.recognizer.voting import vote

SHIPPED = Path(__file__).parent.parent / "recognizer" / "weights" / "reader.onnx"
"""Trained on drawn plates and nothing else; README.md beside it says how, and how well it reads."""
_LEVEL = 0.08  # slope of lines up to which a plate is level enough
_FEW = 3  # characters, with less of which lines have no slope to speak of
_AROUND = 0.3, 0.3  # of a levelled plate's characters: beside them, above and below; shares of their height


class Sight(NamedTuple):
    """What was seen of a plate.

    Attributes:
        picture: uint8 (h, w, 3) RGB; the plate levelled, where that was better.
        characters: what was found in it; boxes in its pixels.
        layout: the lines in which those of the registration stand.
    """

    picture: np.ndarray
    characters: Characters
    layout: Layout

    @property
    def group_sizes(self) -> list[list[int]]:
        """Of each line: how many characters stand together before each gap."""
        return [group_sizes(self.characters.boxes[line]) for line in self.layout.lines]


def create(config: NetworkReader | CascadeReader, cache: Path) -> Network:  # noqa: ARG001
    """The reader, with the weights that the configuration names; nothing is cached, since nothing is remote."""
    weights = Path(config.weights) if config.weights else SHIPPED
    return Network(weights, config.threads, config.margin, config.looks, config.enough)


class Network:
    """Looks at a plate, in several cut-outs where one is not enough, and joins the characters found line by line.

    Args:
        weights: an `.onnx` that `lpr export-reader` wrote.
        threads: that it works with; None: one a core.
        margin: around the plate's box in the pictures that it reads, as a fraction of the box's height.
        looks: margins of the cut-outs, none of them larger.
        enough: confidence of the first look from which no other is taken.

    Raises:
        UserError: ONNX Runtime is not installed; the file is missing, no ONNX, or none of `lpr export-reader`.
    """

    def __init__(
        self,
        weights: Path,
        threads: int | None,
        margin: float = 0.0,
        looks: Sequence[float] = (0.0,),
        enough: float = 1.0,
    ) -> None:
        self._session, said = open_onnx(weights, "make reader", threads)
        try:
            self._facts = Facts.model_validate_json(said or "")
        except ValidationError:
            raise UserError(
                f"reader.weights={weights} is no reader that this version's `lpr export-reader` wrote"
            ) from None
        self._input = self._session.get_inputs()[0].name
        self._margin, self._looks, self._enough = margin, looks, enough

    def read(self, picture: Image.Image) -> PlateText:
        return self.text(self.see(np.asarray(picture)))

    def text(self, sight: Sight) -> PlateText:
        """What stands there, line by line."""
        found, read = sight.characters, sight.layout.lines
        if not read:
            return UNREAD
        sure = self._sure(found)
        lines = [
            _line(found.chances[line], float(sure[line].min()), sizes)
            for line, sizes in zip(read, sight.group_sizes, strict=True)
        ]
        whole = self._whole(sure[np.concatenate(read)])
        return PlateText("".join(line.text for line in lines), whole, tuple(lines))

    def _sure(self, found: Characters) -> np.ndarray:
        """The confidence of each character, (k,) in 0–1."""
        return calibrated(found.confidences * found.chances.max(axis=1, initial=0), self._facts.character)

    def _whole(self, sure: np.ndarray) -> float:
        """The confidence of a plate whose characters have these."""
        return float(calibrated(np.array([np.prod(sure)]), self._facts.plate)[0]) if len(sure) else 0.0

    def see(self, picture: np.ndarray) -> Sight:
        """The characters of a plate's registration, uint8 (h, w, 3) RGB.

        A plate that leans is looked at again, levelled, and the surer of both is taken.
        """
        sight = self._look(picture)
        found, slope = sight.characters, sight.layout.slope
        if len(found.boxes) >= _FEW and abs(slope) > _LEVEL and self._whole(self._sure(found)) < self._enough:
            level = self._look(levelled(picture, found.boxes, slope, _AROUND))
            sure = level.characters.confidences
            if len(sure) and sure.mean() > found.confidences.mean():
                sight = level
        return sight._replace(layout=undated(sight.characters, sight.layout))

    def _look(self, picture: np.ndarray) -> Sight:
        found = self.find(picture)
        return Sight(picture, found, lay_out(found.boxes))

    def find(self, picture: np.ndarray) -> Characters:
        """What the looks at a plate agree on, or the first of them, if it is enough; boxes in pixels of the picture."""
        looks = self._cut_outs(picture, self._looks[:1])
        if self._looks[1:] and self._whole(self._sure(looks[0])) < self._enough:
            looks += self._cut_outs(picture, self._looks[1:])
        return vote(looks)

    def _cut_outs(self, picture: np.ndarray, margins: Sequence[float]) -> list[Characters]:
        """What is found in the cut-outs of these margins; boxes in pixels of the picture."""
        rows, columns = picture.shape[:2]
        shape = nearest_shape(self._facts.shapes, columns, rows)
        trims = [round((self._margin - margin) * rows / (1 + 2 * self._margin)) for margin in margins]
        trims = [min(trim, (min(rows, columns) - 1) // 2) for trim in trims]
        parts = [picture[trim : rows - trim, trim : columns - trim] for trim in trims]
        shown = np.stack([_stretch(part, *shape) for part in parts])
        outputs = self._session.run(None, {self._input: shown})[0]
        return [
            Characters(look.boxes * _scale(part, *shape) + trim, look.confidences, look.chances)
            for look, part, trim in zip(decode(outputs, self._facts.stride), parts, trims, strict=True)
        ]


def _line(chances: np.ndarray, confidence: float, sizes: Sequence[int]) -> TextLine:
    """The text of characters (k, 36), in groups of these sizes."""
    text = settled("".join(CHARACTERS[place] for place in chances.argmax(axis=1)), sizes)
    # What stands in for the likeliest looks like it, and is as likely.
    candidates = (
        dict(zip(CHARACTERS, likely.tolist(), strict=True)) | {character: float(likely.max())}
        for character, likely in zip(text, chances, strict=True)
    )
    return TextLine(text, confidence, candidates=tuple(candidates))


def levelled(picture: np.ndarray, boxes: np.ndarray, slope: float, around: tuple[float, float]) -> np.ndarray:
    """The part of a picture that holds characters (k, 4), sheared so that lines of this slope are level.

    Args:
        around: how much more of it, on each side, and above and below; shares of the characters' height.
    """
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    upright = boxes - slope * (boxes[:, [0]] + boxes[:, [2]]) / 2 * [0, 1, 0, 1]
    margins = np.array(around) * height
    left, top = upright[:, :2].min(axis=0) - margins
    right, bottom = upright[:, 2:].max(axis=0) + margins
    matrix = np.array([[1, 0, -left], [-slope, 1, -top]])
    size = max(1, round(right - left)), max(1, round(bottom - top))
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _scale(part: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels of a cut-out to one as the network is shown it: x, y, x, y."""
    return np.array([part.shape[1] / width, part.shape[0] / height] * 2)


def _stretch(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A cut-out as the network is shown it, uint8 (height, width, 3)."""
    smaller = picture.shape[0] > height or picture.shape[1] > width
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
