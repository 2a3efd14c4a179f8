"""The tesseract program, called once a plate."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

from PIL import Image

from lpr.config import TesseractReader
from lpr.errors import UserError
from lpr.plate_text import normalize
from lpr.reader.base import UNREAD, PlateText, Reader

MAX_WIDTH_PX = 32767  # tesseract refuses wider pictures


def create(config: TesseractReader, cache: Path) -> Reader:  # noqa: ARG001
    """The reader; nothing is cached, since nothing is remote."""
    return Tesseract(config)


class Tesseract:
    """Scales a plate to `height_px` and joins the words that tesseract finds.

    It may find any character: with a whitelist of A–Z and 0–9 it gave right readings the confidence 0.

    Raises:
        UserError: the program or the language's data is not installed, or the program fails.
    """

    def __init__(self, config: TesseractReader) -> None:
        program = shutil.which("tesseract")
        if program is None:
            raise UserError("reader=tesseract needs the tesseract program: apt install tesseract-ocr")
        self._height_px = config.height_px
        self._command = [
            *(program, "stdin", "stdout", "-l", config.language, "--psm", str(config.page_segmentation_mode)),
            *("--dpi", "300", "tsv"),
        ]
        installed = subprocess.run([program, "--list-langs"], capture_output=True, text=True).stdout.split()
        missing = [language for language in config.language.split("+") if language not in installed]
        if missing:
            raise UserError(
                f"reader.language={config.language}: tesseract has no data for {', '.join(missing)}: "
                f"apt install {' '.join(f'tesseract-ocr-{language}' for language in missing)}"
            )

    def read(self, picture: Image.Image) -> PlateText:
        width = min(max(1, round(picture.width * self._height_px / picture.height)), MAX_WIDTH_PX)
        png = io.BytesIO()
        picture.resize((width, self._height_px), Image.Resampling.BICUBIC).save(png, "PNG")
        # More threads make one small picture slower.
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        done = subprocess.run(self._command, input=png.getvalue(), capture_output=True, env=environment)
        if done.returncode != 0:
            raise UserError(f"tesseract failed: {done.stderr.decode(errors='replace').strip()}")
        table = csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t", quoting=csv.QUOTE_NONE)
        # Rows of pages, blocks and lines have the confidence -1; a word's is in percent.
        words = [(normalize(row["text"]), float(row["conf"]) / 100) for row in table if float(row["conf"]) >= 0]
        text = "".join(word for word, _ in words)
        if not text:
            return UNREAD
        return PlateText(text, sum(len(word) * confidence for word, confidence in words) / len(text))
