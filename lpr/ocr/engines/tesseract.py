"""The tesseract program, run once a plate."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Literal

from PIL import Image
from pydantic import Field

from lpr.config import Ocr
from lpr.errors import UserError
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText
from lpr.plates.text import normalize_latin

MAX_WIDTH_PX = 32767  # tesseract refuses wider images


class Settings(Ocr):
    """The tesseract program."""

    name: Literal["tesseract"]
    language: str = Field(description="tesseract's names of languages, joined by +, such as eng")
    page_segmentation_mode: Annotated[int, Field(ge=0, le=13)] = Field(
        description="tesseract's `--psm`: 6 is a block of text, 7 a single line"
    )
    height_px: Annotated[int, Field(ge=16, le=1024)] = Field(description="height that crops are scaled to, pixels")


def create(settings: Settings, cache: Path) -> OcrEngine:  # noqa: ARG001
    """The engine; nothing is cached, since nothing is remote."""
    return Tesseract(settings)


class Tesseract:
    """Scales a plate to `height_px` and joins the words that tesseract finds.

    All characters are allowed: with a whitelist of A–Z and 0–9, tesseract gave right texts the confidence 0.

    Raises:
        UserError: the program or the language's data is not installed, or the program fails.
    """

    def __init__(self, config: Settings) -> None:
        program = shutil.which("tesseract")
        if program is None:
            raise UserError("ocr=tesseract needs the tesseract program: apt install tesseract-ocr")
        self._height_px = config.height_px
        self._command = [
            *(program, "stdin", "stdout", "-l", config.language, "--psm", str(config.page_segmentation_mode)),
            *("--dpi", "300", "tsv"),
        ]
        installed = subprocess.run([program, "--list-langs"], capture_output=True, text=True).stdout.split()
        missing = [language for language in config.language.split("+") if language not in installed]
        if missing:
            if folder := os.environ.get("TESSDATA_PREFIX"):
                files = ", ".join(f"{language}.traineddata" for language in missing)
                raise UserError(
                    f"ocr.language={config.language}: the environment variable TESSDATA_PREFIX points to {folder}, "
                    f"where there is no {files}: unset it, or point it to the folder that has it"
                )
            raise UserError(
                f"ocr.language={config.language}: tesseract has no data for {', '.join(missing)}: "
                f"apt install {' '.join(f'tesseract-ocr-{language}' for language in missing)}"
            )

    def read(self, image: Image.Image) -> PlateText:
        """The words of the plate, joined; their confidence is the mean over the characters."""
        width = min(max(1, round(image.width * self._height_px / image.height)), MAX_WIDTH_PX)
        png = io.BytesIO()
        image.resize((width, self._height_px), Image.Resampling.BICUBIC).save(png, "PNG")
        # Several threads are slower on one small image.
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        done = subprocess.run(self._command, input=png.getvalue(), capture_output=True, env=environment)
        if done.returncode != 0:
            raise UserError(f"tesseract failed: {done.stderr.decode(errors='replace').strip()}")
        table = csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t", quoting=csv.QUOTE_NONE)
        # Rows of pages, blocks and lines have the confidence -1; a word's is in percent.
        words = [(normalize_latin(row["text"]), float(row["conf"]) / 100) for row in table if float(row["conf"]) >= 0]
        text = "".join(word for word, _ in words)
        if not text:
            return NO_TEXT
        return PlateText(text, sum(len(word) * confidence for word, confidence in words) / len(text))
