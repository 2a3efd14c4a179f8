"""RapidOCR: PaddleOCR's line detection and recognition on ONNX Runtime, with the models that its wheel brings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, cmp_to_key
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from lpr.config import Ocr
from lpr.nn.onnx_file import open_onnx
from lpr.ocr.confusables import resolve_line
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText, TextLine
from lpr.ocr.layout import PlacedLine, reading_order, registration_lines
from lpr.plates.text import CHARACTERS, normalize_latin

if TYPE_CHECKING:
    import onnxruntime

_MIN_SCORE = 0.6  # of a line; seals and screws taken for letters score less
# Largest ratio of height to width of a line. RapidOCR turns higher ones before recognition: these are names of makers.
_MAX_ASPECT = 1.5
_MAX_ASPECT_OF_LETTER = 2.2  # of a line of one letter, as on plates of Indonesia


@dataclass(frozen=True)
class RecognizedLine:
    """What the recognition network makes of an image of one line.

    Attributes:
        text: its A–Z and 0–9; empty where there is none.
        confidence: the mean over the characters, in 0–1.
        steps: float (steps, 37) in 0–1, from left to right: the probabilities of none of `CHARACTERS`, and of each.
    """

    text: str
    confidence: float
    steps: np.ndarray


class RapidOcrKeys(Ocr):
    """The keys of engines that use RapidOCR."""

    side_px: Annotated[int, Field(ge=32, le=2048)] = Field(
        description="longest side of the image for RapidOCR's line detection, pixels; smaller plates are enlarged to it"
    )
    min_line_height: Annotated[float, Field(ge=0, le=1)] = Field(
        description="least height of a line of the registration, as a fraction of the tallest line's; lower lines are "
        "other lettering"
    )
    threads: Annotated[int, Field(ge=1)] | None = Field(description="threads of ONNX Runtime; null: one a core")


class Settings(RapidOcrKeys):
    """RapidOCR: PaddleOCR's models on ONNX Runtime; they come in its wheel."""

    name: Literal["rapidocr"]


def create(settings: Settings, cache: Path) -> OcrEngine:  # noqa: ARG001
    """The engine; nothing is cached, since nothing is remote."""
    return RapidOcr(settings)


class RapidOcr:
    """Detects the lines of text in an image, drops other lettering and joins the rest in reading order.

    Images are enlarged to `side_px` first: on Dataturks' images that raised the exact texts of two-line plates from
    0.65 to 0.82. Recognition of the whole image is tried only where no line or a single character is detected: to
    choose between it and the lines by confidence, or by how many of the lines' characters it has, lost more plates than
    it won.

    Raises:
        UserError: a model is missing in RapidOCR's wheel.
    """

    def __init__(self, config: RapidOcrKeys) -> None:
        # Here, as it takes a second, and the cascade needs it for some plates only.
        from omegaconf import flag_override
        from rapidocr import RapidOCR

        self._config = config
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": _MIN_SCORE,
                # "max" bounds the longest side; the default, "min", enlarges a wide crop to thousands of pixels.
                "Det.limit_type": "max",
                "Det.limit_side_len": config.side_px,
            }
        )
        # Threads of sessions that RapidOCR opens keep the cores busy after each call, for a third of its time.
        settings = self._engine.cfg
        with flag_override(settings, "allow_objects", True):
            for part in (settings.Det, settings.Rec):
                part.session = _open(Path(settings.Global.model_root_dir), part, config.threads)
        # Both models are loaded by their first call, which no plate's time should include.
        self._engine(np.zeros((48, 320, 3), np.uint8), use_det=False, use_cls=False, use_rec=True)
        self.read(Image.new("RGB", (64, 32)))

    def read(self, image: Image.Image) -> PlateText:
        """The text of the lines that are the registration; its confidence is the mean over the characters."""
        scale = max(1.0, self._config.side_px / max(image.size))
        enlarged = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
        # Both calls name every flag, since the engine keeps those of the last call.
        found = self._engine(enlarged, use_det=True, use_cls=False, use_rec=True)
        lines = [] if found.boxes is None else _lines(np.asarray(found.boxes, float), found.txts, found.scores)
        lines.sort(key=cmp_to_key(reading_order))
        kept = registration_lines(lines, self._config.min_line_height)
        if sum(len(line.text) for line in kept) < 2:
            whole = self.recognize(np.asarray(enlarged))
            return PlateText(whole.text, whole.confidence) if whole.text else NO_TEXT
        return PlateText(
            "".join(line.text for line in kept),
            float(np.average([line.confidence for line in kept], weights=[len(line.text) for line in kept])),
            tuple(TextLine(line.text, line.confidence) for line in lines),
        )

    def recognize(self, line: np.ndarray, widening: float = 1.0) -> RecognizedLine:
        """What the recognition network alone makes of an image of one line, uint8 (h, w, 3) RGB.

        RapidOCR's own call enlarges low images before it scales them to the network's height, which costs characters,
        and keeps the probabilities to itself.

        Args:
            line: the image.
            widening: of the line, as a multiple of the width that belongs to its height.
        """
        import cv2

        network = self._engine.text_rec
        _, height, least_width = network.rec_image_shape
        width = max(1, math.ceil(line.shape[1] / line.shape[0] * height * widening))
        inputs = np.zeros((1, 3, height, max(width, least_width)), np.float32)
        inputs[0, :, :, :width] = cv2.resize(line[:, :, ::-1], (width, height)).transpose(2, 0, 1) / 127.5 - 1
        outputs = network.session(inputs)
        ((text, confidence),) = network.postprocess_op(outputs)[0]
        places, columns = self._vocabulary
        steps = np.zeros((outputs.shape[1], len(CHARACTERS) + 1))
        np.add.at(steps.T, columns, outputs[0].T[places])
        steps[:, 0] = 1 - steps[:, 1:].sum(axis=1)
        return RecognizedLine(resolve_line(text), float(confidence), steps)

    @cached_property
    def _vocabulary(self) -> tuple[np.ndarray, np.ndarray]:
        """The places in the network's vocabulary that stand for one of `CHARACTERS`, and its column of the steps."""
        vocabulary = enumerate(self._engine.text_rec.postprocess_op.character)
        pairs = [(place, normalize_latin(entry)) for place, entry in vocabulary if len(entry) == 1]
        known = [(place, CHARACTERS.index(text) + 1) for place, text in pairs if len(text) == 1]
        places, columns = np.array(known).T
        return places, columns


def _open(models: Path, part: Any, threads: int | None) -> onnxruntime.InferenceSession:
    """The session of one of its networks, as a part of its settings describes it, from the folder of its wheel."""
    from rapidocr.inference_engine.base import FileInfo, InferSession

    wanted = FileInfo(part.engine_type, part.ocr_version, part.task_type, part.lang_type, part.model_type)
    file = Path(InferSession.get_model_url(wanted)["model_dir"]).name
    return open_onnx(models / file, "pip install --force-reinstall rapidocr", threads)[0]


def _lines(boxes: np.ndarray, texts: tuple[str, ...], scores: tuple[float, ...]) -> list[PlacedLine]:
    """Lines from their corners.

    Args:
        boxes: float (n, 4, 2), pixels, clockwise from the top left.
        texts: n of them, as recognized.
        scores: n of them, in 0–1.

    Returns:
        The lines in the same order, without those that are empty or on end.
    """
    along, down = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 0]
    widths, heights = np.hypot(*along.T), np.hypot(*down.T)
    # The plate's axes are those of its widest line, so that rows of a tilted plate stay rows.
    right, downwards = along[widths.argmax()]
    tilt = math.atan2(downwards, right)
    axes = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    centres = boxes.mean(axis=1) @ axes
    return [
        PlacedLine(x, y, width, height, line, score)
        for (x, y), width, height, text, score in zip(centres, widths, heights, texts, scores, strict=True)
        if (line := resolve_line(text)) and height <= (_MAX_ASPECT if len(line) > 1 else _MAX_ASPECT_OF_LETTER) * width
    ]
