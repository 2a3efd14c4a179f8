"""The project's own reader: a network on ONNX Runtime that finds a plate's characters (`lpr.recognizer`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

import cv2
import numpy as np
from PIL import Image
from pydantic import Field, ValidationError, model_validator

from lpr.config import Ocr
from lpr.errors import UserError
from lpr.nn.onnx_file import open_onnx
from lpr.ocr.engines.base import UNREAD, PlateText, TextLine
from lpr.ocr.groups import settled
from lpr.ocr.recognizer.calibration import calibrated
from lpr.ocr.recognizer.decoding import Characters, Layout, decode, group_sizes, lay_out, undated
from lpr.ocr.recognizer.fusion import weighted_boxes_fusion
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.ocr.recognizer.metadata import ModelMetadata
from lpr.plates.text import CHARACTERS

SHIPPED = Path(__file__).parent.parent / "recognizer" / "weights" / "recognizer.onnx"
"""Trained on drawn plates and nothing else; README.md beside it says how, and how well it reads."""
_LEVEL = 0.08  # slope of lines up to which a plate is level enough
_FEW = 3  # characters, with less of which lines have no slope to speak of
_AROUND = 0.3, 0.3  # of a levelled plate's characters: beside them, above and below; shares of their height


class PlateCharacters(NamedTuple):
    """What was seen of a plate.

    Attributes:
        image: uint8 (h, w, 3) RGB; the plate levelled, where that was better.
        characters: what was found in it; boxes in its pixels.
        layout: the lines in which those of the registration stand.
    """

    image: np.ndarray
    characters: Characters
    layout: Layout

    @property
    def group_sizes(self) -> list[list[int]]:
        """Of each line: how many characters stand together before each gap."""
        return [group_sizes(self.characters.boxes[line]) for line in self.layout.lines]


class RecognizerKeys(Ocr):
    """The keys of engines that use the recognizer."""

    weights: str | None = Field(
        description="an .onnx of `lpr export-recognizer`; null: those that come with the package"
    )
    tta_margins: Annotated[
        list[Annotated[float, Field(ge=0, le=1)]],
        Field(min_length=1, max_length=8, description="margins of the crops that are fused; none is over `margin`"),
    ]
    tta_threshold: Annotated[
        float, Field(ge=0, le=1, description="confidence of the first crop from which no other is read")
    ]
    threads: Annotated[int, Field(ge=1)] | None

    @model_validator(mode="after")
    def _margins_are_inside(self) -> Self:
        if max(self.tta_margins) > self.margin:
            raise ValueError(
                f"ocr.tta_margins={self.tta_margins}: none may be over ocr.margin={self.margin:g}, all that is cut out"
            )
        return self


class Settings(RecognizerKeys):
    """The recognizer, the project's own network."""

    name: Literal["recognizer"]


def create(settings: RecognizerKeys, cache: Path) -> RecognizerEngine:  # noqa: ARG001
    """The engine, with the weights that the configuration names; nothing is cached, since nothing is remote."""
    weights = Path(settings.weights) if settings.weights else SHIPPED
    return RecognizerEngine(weights, settings.threads, settings.margin, settings.tta_margins, settings.tta_threshold)


class RecognizerEngine:
    """Looks at a plate, in several cut-outs where one is not enough, and joins the characters found line by line.

    Args:
        weights: an `.onnx` that `lpr export-recognizer` wrote.
        threads: that it works with; None: one a core.
        margin: around the plate's box in the images that it reads, as a fraction of the box's height.
        tta_margins: margins of the cut-outs, none of them larger.
        tta_threshold: confidence of the first look from which no other is taken.

    Raises:
        UserError: ONNX Runtime is not installed; the file is missing, no ONNX, or none of `lpr export-recognizer`.
    """

    def __init__(
        self,
        weights: Path,
        threads: int | None,
        margin: float = 0.0,
        tta_margins: Sequence[float] = (0.0,),
        tta_threshold: float = 1.0,
    ) -> None:
        self._session, said = open_onnx(weights, "make recognizer", threads)
        try:
            self._metadata = ModelMetadata.model_validate_json(said or "")
        except ValidationError:
            raise UserError(
                f"ocr.weights={weights} is no reader that this version's `lpr export-recognizer` wrote"
            ) from None
        self._input = self._session.get_inputs()[0].name
        self._margin, self._tta_margins, self._tta_threshold = margin, tta_margins, tta_threshold

    def read(self, image: Image.Image) -> PlateText:
        return self.text(self.see(np.asarray(image)))

    def text(self, sight: PlateCharacters) -> PlateText:
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
        return calibrated(found.confidences * found.chances.max(axis=1, initial=0), self._metadata.character)

    def _whole(self, sure: np.ndarray) -> float:
        """The confidence of a plate whose characters have these."""
        return float(calibrated(np.array([np.prod(sure)]), self._metadata.plate)[0]) if len(sure) else 0.0

    def see(self, image: np.ndarray) -> PlateCharacters:
        """The characters of a plate's registration, uint8 (h, w, 3) RGB.

        A plate that leans is looked at again, levelled, and the surer of both is taken.
        """
        sight = self._look(image)
        found, slope = sight.characters, sight.layout.slope
        if len(found.boxes) >= _FEW and abs(slope) > _LEVEL and self._whole(self._sure(found)) < self._tta_threshold:
            level = self._look(levelled(image, found.boxes, slope, _AROUND))
            sure = level.characters.confidences
            if len(sure) and sure.mean() > found.confidences.mean():
                sight = level
        return sight._replace(layout=undated(sight.characters, sight.layout))

    def _look(self, image: np.ndarray) -> PlateCharacters:
        found = self.find(image)
        return PlateCharacters(image, found, lay_out(found.boxes))

    def find(self, image: np.ndarray) -> Characters:
        """What the looks at a plate agree on, or the first of them, if it is enough; boxes in pixels of the image."""
        looks = self._cut_outs(image, self._tta_margins[:1])
        if self._tta_margins[1:] and self._whole(self._sure(looks[0])) < self._tta_threshold:
            looks += self._cut_outs(image, self._tta_margins[1:])
        return weighted_boxes_fusion(looks)

    def _cut_outs(self, image: np.ndarray, margins: Sequence[float]) -> list[Characters]:
        """What is found in the cut-outs of these margins; boxes in pixels of the image."""
        rows, columns = image.shape[:2]
        shape = nearest_shape(self._metadata.shapes, columns, rows)
        trims = [round((self._margin - margin) * rows / (1 + 2 * self._margin)) for margin in margins]
        trims = [min(trim, (min(rows, columns) - 1) // 2) for trim in trims]
        parts = [image[trim : rows - trim, trim : columns - trim] for trim in trims]
        shown = np.stack([_stretch(part, *shape) for part in parts])
        outputs = self._session.run(None, {self._input: shown})[0]
        return [
            Characters(look.boxes * _scale(part, *shape) + trim, look.confidences, look.chances)
            for look, part, trim in zip(decode(outputs, self._metadata.stride), parts, trims, strict=True)
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


def levelled(image: np.ndarray, boxes: np.ndarray, slope: float, around: tuple[float, float]) -> np.ndarray:
    """The part of a image that holds characters (k, 4), sheared so that lines of this slope are level.

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
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _scale(part: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels of a cut-out to one as the network is shown it: x, y, x, y."""
    return np.array([part.shape[1] / width, part.shape[0] / height] * 2)


def _stretch(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """A cut-out as the network is shown it, uint8 (height, width, 3)."""
    smaller = image.shape[0] > height or image.shape[1] > width
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
