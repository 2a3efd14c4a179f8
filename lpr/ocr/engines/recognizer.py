"""The recognizer: the project's own network, on ONNX Runtime, which finds the characters of a plate.

`lpr.ocr.recognizer` has the network, its training and what becomes of its output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from PIL import Image
from pydantic import Field, ValidationError, model_validator

from lpr.config import LocalPath, Ocr
from lpr.errors import UserError
from lpr.metrics.calibration import calibrate
from lpr.nn.onnx_file import open_onnx
from lpr.ocr.confusables import resolve_groups
from lpr.ocr.engines.base import NO_TEXT, PlateText, TextLine
from lpr.ocr.recognizer.decoding import Characters, decode
from lpr.ocr.recognizer.fusion import weighted_boxes_fusion
from lpr.ocr.recognizer.input_shapes import nearest_shape, resize, shape_of_lines
from lpr.ocr.recognizer.layout import (
    Layout,
    find_layout,
    group_sizes,
    level_lines,
    rotation,
    shear,
    without_dates,
)
from lpr.ocr.recognizer.metadata import RecognizerMetadata
from lpr.paths import SHIPPED_RECOGNIZER

_MAX_SLOPE = 0.08  # of lines that need no levelling
_STEEP_SLOPE = 0.15  # of lines that are levelled however confident their text is
_MIN_CHARACTERS = 3  # whose slope is worth measuring
# Around the characters of a levelled plate, horizontal and vertical, of their height; wide, for one that was missed.
_LEVEL_MARGINS = 0.6, 0.45
# … of one that is read again.
_CLOSE_MARGINS = 0.9, 0.45


class PlateCharacters(NamedTuple):
    """The characters of a plate and their lines.

    Attributes:
        image: uint8 (h, w, 3) RGB: the plate, levelled where that gave more confident characters.
        characters: those that were found; boxes in pixels of the image.
        layout: the lines of the registration.
        most_confidence: that its text has: where a first reading was in doubt, one of a part of the image is no surer,
            since the part may lack a line.
    """

    image: np.ndarray
    characters: Characters
    layout: Layout
    most_confidence: float = 1.0

    @property
    def group_sizes(self) -> list[list[int]]:
        """For each line, the numbers of characters before each wide gap."""
        return [group_sizes(self.characters.boxes[line]) for line in self.layout.lines]


class RecognizerKeys(Ocr):
    """The keys of engines that use the recognizer."""

    weights: Annotated[str | None, LocalPath()] = Field(
        description="an .onnx file of `lpr export-recognizer`; null: the weights that come with the package"
    )
    tta_margins: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1, max_length=8)] = Field(
        description="margins of the crops whose characters are fused (test-time augmentation), as fractions of the "
        "box's height; none is over `margin`"
    )
    tta_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        description="confidence of the first crop's text from which no other crop is used"
    )
    threads: Annotated[int, Field(ge=1)] | None = Field(description="threads of ONNX Runtime; null: one a core")

    @model_validator(mode="after")
    def _margins_are_inside(self) -> Self:
        if max(self.tta_margins) > self.margin:
            raise ValueError(
                f"ocr.tta_margins={self.tta_margins}: none may be over ocr.margin={self.margin:g}, which is cropped"
            )
        return self


class Settings(RecognizerKeys):
    """The recognizer, the project's own network."""

    name: Literal["recognizer"]


def create(settings: RecognizerKeys, cache: Path) -> RecognizerEngine:  # noqa: ARG001
    """The engine, with the weights that the configuration names; nothing is cached, since nothing is remote."""
    weights = Path(settings.weights) if settings.weights else SHIPPED_RECOGNIZER
    return RecognizerEngine(weights, settings.threads, settings.margin, settings.tta_margins, settings.tta_threshold)


class RecognizerEngine:
    """Finds characters, in several crops of the plate where one is not enough, and joins them line by line.

    `detect` and `text` are a first reading, `detect_closer` and `text` a second. `lpr.ocr.engines.cascade` compares
    both; `read` takes the more confident where the first is in doubt.

    Args:
        weights: an `.onnx` that `lpr export-recognizer` wrote.
        threads: of ONNX Runtime; None: one a core.
        margin: around the plate's box in the images that it is given, as a fraction of the box's height.
        tta_margins: margins of the crops (test-time augmentation), none of them larger than `margin`.
        tta_threshold: confidence of the first crop's text from which no other crop is taken, no plate that slopes a
            little is levelled, and none is read again, cropped to its characters.

    Raises:
        UserError: the file is missing, no ONNX, or none of `lpr export-recognizer`.
    """

    def __init__(
        self,
        weights: Path,
        threads: int | None,
        margin: float = 0.0,
        tta_margins: Sequence[float] = (0.0,),
        tta_threshold: float = 1.0,
    ) -> None:
        self._session, metadata = open_onnx(weights, "make recognizer", threads)
        try:
            self._metadata = RecognizerMetadata.model_validate_json(metadata or "")
        except ValidationError:
            raise UserError(
                f"ocr.weights={weights} is no recognizer that this version's `lpr export-recognizer` wrote"
            ) from None
        self._input = self._session.get_inputs()[0].name
        self._margin, self._tta_margins, self._tta_threshold = margin, tta_margins, tta_threshold

    def read(self, image: Image.Image) -> PlateText:
        """The text of a plate's lines; its confidence is calibrated.

        Where the lines that were found ask for another input shape than the image's aspect ratio did, the plate is read
        in that, too; where the text is in doubt, a crop of its characters is. The most confident text is taken.
        """
        first = self.detect(np.asarray(image))
        found, confidence = first.characters, self._confidence_of(first.characters)
        if not len(found.boxes):
            return NO_TEXT
        plates = [first]
        shape = self._shape_of_lines(found)
        if shape != self._nearest_shape(first.image):
            plates.append(self._detect_once(first.image, shape))
        if confidence < self._tta_threshold:
            plates.append(self._detect_closer(first)._replace(most_confidence=confidence))
        return self.text(self._most_confident(plates))

    def detect(self, image: np.ndarray) -> PlateCharacters:
        """The characters of the registration in an image of a plate, uint8 (h, w, 3) RGB.

        Where lines slope, the plate is levelled by a shear and by a rotation, and processed again; the one of the three
        that is the most confident is taken.
        """
        plates = [self._detect_once(image)]
        found, slope = plates[0].characters, plates[0].layout.slope
        if len(found.boxes) >= _MIN_CHARACTERS and self._needs_levelling(slope, found):
            for matrix in (shear(slope), rotation(slope)):
                plates.append(self._detect_once(level_lines(image, found.boxes, matrix, _LEVEL_MARGINS)))
        return self._most_confident(plates)

    def detect_closer(self, plate: PlateCharacters) -> PlateCharacters:
        """The characters of the registration once more, in the plate cropped to those that were found."""
        return _without_dates(self._detect_closer(plate))

    def _detect_closer(self, plate: PlateCharacters) -> PlateCharacters:
        found = plate.characters
        part = level_lines(plate.image, found.boxes, shear(plate.layout.slope), _CLOSE_MARGINS)
        return self._detect_once(part, self._shape_of_lines(found))

    def _shape_of_lines(self, found: Characters) -> tuple[int, int]:
        return shape_of_lines(self._metadata.shapes, len(find_layout(found.boxes).lines))

    def _most_confident(self, plates: Sequence[PlateCharacters]) -> PlateCharacters:
        """The plate whose characters are the most confident, without lines of dates."""
        return _without_dates(max(plates, key=lambda each: self._confidence_of(each.characters)))

    def _needs_levelling(self, slope: float, found: Characters) -> bool:
        if abs(slope) > _STEEP_SLOPE:
            return True
        return abs(slope) > _MAX_SLOPE and self._confidence_of(found) < self._tta_threshold

    def detect_characters(self, image: np.ndarray, shape: tuple[int, int] | None = None) -> Characters:
        """All characters in an image of a plate, uint8 (h, w, 3) RGB: of its first crop, or of all crops, fused.

        Args:
            image: of the plate.
            shape: of the network's input, height and width; None: the nearest to the image's aspect ratio.
        """
        shape = shape or self._nearest_shape(image)
        crops = self._run(image, self._tta_margins[:1], shape)
        if self._tta_margins[1:] and self._confidence_of(crops[0]) < self._tta_threshold:
            crops += self._run(image, self._tta_margins[1:], shape)
        return weighted_boxes_fusion(crops)

    def _nearest_shape(self, image: np.ndarray) -> tuple[int, int]:
        rows, columns = image.shape[:2]
        return nearest_shape(self._metadata.shapes, columns, rows)

    def text(self, plate: PlateCharacters) -> PlateText:
        """The text of the characters, line by line."""
        found, lines = plate.characters, plate.layout.lines
        if not lines:
            return NO_TEXT
        confidences = self._calibrated(found)
        texts = [
            _text_line(found.probabilities[line], self._metadata.alphabet, float(confidences[line].min()), sizes)
            for line, sizes in zip(lines, plate.group_sizes, strict=True)
        ]
        confidence = min(self._plate_confidence(confidences[np.concatenate(lines)]), plate.most_confidence)
        regions = dict(zip(self._metadata.regions, found.regions.tolist(), strict=True))
        return PlateText("".join(line.text for line in texts), confidence, tuple(texts), regions)

    def _calibrated(self, found: Characters) -> np.ndarray:
        """The calibrated confidence of each character with its likeliest label, (k,) in 0–1."""
        uncalibrated = found.confidences * found.probabilities.max(axis=1, initial=0)
        return calibrate(uncalibrated, self._metadata.character)

    def _confidence_of(self, found: Characters) -> float:
        return self._plate_confidence(self._calibrated(found))

    def _plate_confidence(self, confidences: np.ndarray) -> float:
        """The calibrated confidence of a plate whose characters have these."""
        if not len(confidences):
            return 0.0
        return float(calibrate(np.array([np.prod(confidences)]), self._metadata.plate)[0])

    def _detect_once(self, image: np.ndarray, shape: tuple[int, int] | None = None) -> PlateCharacters:
        found = self.detect_characters(image, shape)
        return PlateCharacters(image, found, find_layout(found.boxes))

    def _run(self, image: np.ndarray, margins: Sequence[float], shape: tuple[int, int]) -> list[Characters]:
        """The characters in a crop for each of the margins, by this input shape; boxes in pixels of the image."""
        rows, columns = image.shape[:2]
        trims = [round((self._margin - margin) * rows / (1 + 2 * self._margin)) for margin in margins]
        trims = [min(trim, (min(rows, columns) - 1) // 2) for trim in trims]
        crops = [image[trim : rows - trim, trim : columns - trim] for trim in trims]
        inputs = np.stack([resize(crop, shape) for crop in crops])
        outputs = self._session.run(None, {self._input: inputs})[0]
        decoded = decode(outputs, self._metadata.stride, len(self._metadata.alphabet))
        return [
            replace(found, boxes=found.boxes * _scale(crop, shape) + trim)
            for found, crop, trim in zip(decoded, crops, trims, strict=True)
        ]


def _without_dates(plate: PlateCharacters) -> PlateCharacters:
    return plate._replace(layout=without_dates(plate.characters, plate.layout))


def _text_line(probabilities: np.ndarray, alphabet: str, confidence: float, sizes: Sequence[int]) -> TextLine:
    """The text of characters with these probabilities (k, n) of the n of the alphabet, in groups of these sizes."""
    text = resolve_groups("".join(alphabet[label] for label in probabilities.argmax(axis=1)), sizes)
    # A character that replaces the likeliest one has the same shape, and gets the same probability.
    candidates = (
        dict(zip(alphabet, row.tolist(), strict=True)) | {character: float(row.max())}
        for character, row in zip(text, probabilities, strict=True)
    )
    return TextLine(text, confidence, candidates=tuple(candidates), group_sizes=tuple(sizes))


def _scale(crop: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels of a crop for one of the network's input: x, y, x, y."""
    return np.array([crop.shape[1] / shape[1], crop.shape[0] / shape[0]] * 2)
