"""RapidOCR: PaddleOCR's line detection and recognition on ONNX Runtime, with the models that its wheel brings."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from omegaconf import flag_override
from PIL import Image
from pydantic import Field

from lpr.config import Ocr
from lpr.errors import UserError
from lpr.nn.onnx_file import open_onnx
from lpr.ocr.engines.base import UNREAD, OcrEngine, PlateText, TextLine
from lpr.ocr.groups import like_with_like
from lpr.ocr.recognizer.decoding import DATE_HEIGHT, DATE_WIDTH

if TYPE_CHECKING:
    import onnxruntime

MIN_SCORE = 0.6  # of a line. Seals and screws read as letters lie below it
UPRIGHT = 1.5  # lines this much higher than wide are turned by RapidOCR before reading: a maker's name, not a plate's
LETTER = 2.2  # of a letter that stands alone, as on plates of Indonesia: so much higher than wide it may be
NAME_LETTERS, REST = 4, 3  # a line of so many letters is a name, where the others have digits, and so many characters
MARK_WIDTH, MARK_HEIGHT = 0.25, 0.75  # of the widest and of the tallest line; what is below both is a mark
ALIKE = 0.7  # of the higher one's height, what the lower one of two lines in a stack has
BESIDE = 0.9  # of half their widths, how far the middles of two lines that stand beside each other are apart
HIGH = 1.3  # of the tallest line's height, what a stack beside it has at most
LETTER_HEIGHT = 0.6  # in place of the second, of a letter that stands alone


class RapidOcrKeys(Ocr):
    """The keys of engines that use RapidOCR."""

    side_px: Annotated[int, Field(ge=32, le=2048, description="longest side that line detection looks at")]
    min_line_height: Annotated[float, Field(ge=0, le=1, description="of the tallest line; lower lines are lettering")]
    threads: Annotated[int, Field(ge=1)] | None


class Settings(RapidOcrKeys):
    """RapidOCR: PaddleOCR's models on ONNX Runtime; they come in its wheel."""

    name: Literal["rapidocr"]


def create(settings: Settings, cache: Path) -> OcrEngine:  # noqa: ARG001
    """The reader; nothing is cached, since nothing is remote."""
    return RapidOcr(settings)


@dataclass(frozen=True)
class _Line:
    """A line of text: its centre and size in pixels along the plate's own axes."""

    x: float
    y: float
    width: float
    height: float
    text: str
    confidence: float


class RapidOcr:
    """Finds the lines of text in a image, drops other lettering and joins the rest in reading order.

    Images are enlarged to `side_px` first: on images of Dataturks that lifted two-line plates from 0.65 to
    0.82 exact. Recognition of the whole image is tried only where no line is found, or a single character: choosing
    by confidence between it and the lines, or by how much of it they have, lost more plates than it won.

    Raises:
        UserError: RapidOCR or ONNX Runtime is not installed.
    """

    def __init__(self, config: RapidOcrKeys) -> None:
        try:
            from rapidocr import RapidOCR

            import_module("onnxruntime")  # which RapidOCR itself imports only when it first reads
        except ImportError as error:
            raise UserError(f"ocr={config.name} needs RapidOCR ({error}): pip install 'lpr[ocr]'") from None

        self._config = config
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": MIN_SCORE,
                # "max" bounds the longest side; the default, "min", blows a wide crop up to thousands of pixels.
                "Det.limit_type": "max",
                "Det.limit_side_len": config.side_px,
            }
        )
        # Opened by RapidOCR, the networks' threads would keep the cores busy after each call: a third of its time.
        settings = self._engine.cfg
        with flag_override(settings, "allow_objects", True):
            for part in (settings.Det, settings.Rec):
                part.session = _open(Path(settings.Global.model_root_dir), part, config.threads)
        self.read(Image.new("RGB", (64, 32)))  # loads both models, so that no plate waits for them

    def read(self, image: Image.Image) -> PlateText:
        scale = max(1.0, self._config.side_px / max(image.size))
        enlarged = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
        # Every flag is named in both calls, because the engine keeps those of the last one.
        found = self._engine(enlarged, use_det=True, use_cls=False, use_rec=True)
        lines = [] if found.boxes is None else _lines(np.asarray(found.boxes, float), found.txts, found.scores)
        lines.sort(key=functools.cmp_to_key(_reading_order))
        kept = _registration(lines, self._config.min_line_height)
        if sum(len(line.text) for line in kept) < 2:
            whole = self.recognize(enlarged)
            return PlateText(whole.text, whole.confidence) if whole.text else UNREAD
        return PlateText(
            "".join(line.text for line in kept),
            float(np.average([line.confidence for line in kept], weights=[len(line.text) for line in kept])),
            tuple(TextLine(line.text, line.confidence) for line in lines),
        )

    def recognize(self, line: Image.Image) -> TextLine:
        """What the recognition alone reads in a image of one line; an empty text where that is nothing."""
        found = self._engine(line, use_det=False, use_cls=False, use_rec=True)
        return TextLine(like_with_like(found.txts[0]), float(found.scores[0])) if found.txts else TextLine("", 0.0)


def _open(models: Path, part: Any, threads: int | None) -> onnxruntime.InferenceSession:
    """The network of a part of RapidOCR's settings, from the folder of those that its wheel brings."""
    from rapidocr.inference_engine.base import FileInfo, InferSession

    of = FileInfo(part.engine_type, part.ocr_version, part.task_type, part.lang_type, part.model_type)
    file = Path(InferSession.get_model_url(of)["model_dir"]).name
    return open_onnx(models / file, "pip install --force-reinstall rapidocr", threads)[0]


def _lines(boxes: np.ndarray, texts: tuple[str, ...], scores: tuple[float, ...]) -> list[_Line]:
    """Lines from (n, 4, 2) corners in pixels, clockwise from the top left; those without text or on end left out."""
    along, down = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 0]
    widths, heights = np.hypot(*along.T), np.hypot(*down.T)
    # The plate's axes are those of its widest line, so that rows of a tilted plate stay rows.
    right, downwards = along[widths.argmax()]
    tilt = math.atan2(downwards, right)
    axes = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    centres = boxes.mean(axis=1) @ axes
    return [
        _Line(x, y, width, height, line, score)
        for (x, y), width, height, text, score in zip(centres, widths, heights, texts, scores, strict=True)
        if (line := like_with_like(text)) and height <= (UPRIGHT if len(line) > 1 else LETTER) * width
    ]


def _registration(lines: list[_Line], min_height: float) -> list[_Line]:
    """The lines without names of states, makers and dealers, small lettering (`min_height`), marks and dates."""
    if not lines:
        return []
    numbered = [line for line in lines if not (line.text.isalpha() and len(line.text) >= NAME_LETTERS)]
    rest = "".join(line.text for line in numbered)
    if len(rest) >= REST and any(map(str.isdigit, rest)):
        lines = numbered
    main, widest = max(lines, key=lambda line: line.height), max(line.width for line in lines)
    return [
        line
        for line in lines
        if _is_stacked(line, main, lines)
        or (
            line.height >= min_height * main.height
            and not _is_mark(line, main.height, widest)
            and not _is_date(line, main, widest)
        )
    ]


def _is_mark(line: _Line, tallest: float, widest: float) -> bool:
    """Whether it is small beside the others, such as IND."""
    least = MARK_HEIGHT if len(line.text) > 1 else LETTER_HEIGHT
    return line.height < least * tallest and line.width < MARK_WIDTH * widest


def _is_stacked(line: _Line, main: _Line, lines: list[_Line]) -> bool:
    """Whether it and another, one over the other, stand beside the tallest line, as high as both."""
    return any(
        (line.y - main.y) * (other.y - main.y) < 0
        and abs(line.x - other.x) < max(line.width, other.width) / 2
        and min(line.height, other.height) > ALIKE * max(line.height, other.height)
        and all(
            abs(one.x - main.x) > (one.width + main.width) * BESIDE / 2
            and abs(one.y - main.y) + one.height / 2 < main.height * HIGH / 2
            for one in (line, other)
        )
        for other in lines
    )


def _is_date(line: _Line, main: _Line, widest: float) -> bool:
    """Whether it is digits alone under the tallest line, lower and narrower: until when the plate is valid."""
    small = line.height < DATE_HEIGHT * main.height and line.width < DATE_WIDTH * widest
    return small and line.text.isdigit() and line.y - line.height / 2 > main.y


def _reading_order(one: _Line, other: _Line) -> int:
    """Negative where `one` comes first: left to right where two overlap by half the lower's height, else downwards."""
    top = max(one.y - one.height / 2, other.y - other.height / 2)
    bottom = min(one.y + one.height / 2, other.y + other.height / 2)
    beside = bottom - top > min(one.height, other.height) / 2
    return int(np.sign(one.x - other.x if beside else one.y - other.y))
