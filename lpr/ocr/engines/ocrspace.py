"""The ocr.space service: one POST a plate, answers kept so that none is asked for twice.

Its API (https://ocr.space/ocrapi) as it behaves: errors come with HTTP 200 too, their messages are a list or a string,
and the rate limit is an HTTP 403 whose body is a bare JSON string.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import requests
from PIL import Image
from pydantic import BaseModel, Field, ValidationError
from tqdm import tqdm

from lpr.config import Ocr
from lpr.errors import UserError
from lpr.ocr.engines.base import UNREAD, OcrEngine, PlateText
from lpr.plates.text import normalize

KEY = "OCR_SPACE_API_KEY"
MAX_JPEG_BYTES = 740_000  # the free key's limit is 1 MB, and base64 adds a third
QUALITIES = (95, 85, 70)  # tried before the image is halved
BACK_OFF_S = 0.5  # before the second try; doubled after every other

_RATE_LIMIT = re.compile(r"maximum (\d+) number of times within (\d+) seconds")
_PARSED = 1  # FileParseExitCode
_READ, _PARTLY_READ, _BAD_PARAMETER = 1, 2, 99  # OCRExitCode; 3 and 4 are failures of the one image


class Settings(Ocr):
    """The ocr.space service; its key comes from the environment variable OCR_SPACE_API_KEY."""

    name: Literal["ocrspace"]
    endpoint: str
    engine: Literal[1, 2, 3]
    language: str
    scale: bool
    timeout_s: Annotated[float, Field(gt=0)]
    attempts: Annotated[int, Field(ge=1, le=20)]
    max_wait_s: Annotated[float, Field(ge=0, description="longest sum of waits on the rate limit")]


def create(settings: Settings, cache: Path) -> OcrEngine:
    """The reader, with its answers in the folder `cache`."""
    return OcrSpace(settings, cache)


class _Result(BaseModel):
    FileParseExitCode: int
    ParsedText: str | None = None
    ErrorMessage: list[str] | str | None = None


class _Answer(BaseModel):
    OCRExitCode: int
    IsErroredOnProcessing: bool = False
    ErrorMessage: list[str] | str | None = None
    ParsedResults: list[_Result] | None = None

    @property
    def message(self) -> str:
        """The error, of the whole or of its parts, in the service's words."""
        said = [self.ErrorMessage, *(result.ErrorMessage for result in self.ParsedResults or [])]
        lines = [message if isinstance(message, str) else " ".join(message) for message in said if message]
        return " ".join(lines) or f"OCRExitCode {self.OCRExitCode}"

    @property
    def text(self) -> str | None:
        """What was read, perhaps nothing; None where the service failed."""
        parsed = [result for result in self.ParsedResults or [] if result.FileParseExitCode == _PARSED]
        if self.IsErroredOnProcessing or self.OCRExitCode not in (_READ, _PARTLY_READ) or not parsed:
            return None
        return "\n".join(result.ParsedText or "" for result in parsed)


class OcrSpace:
    """Asks ocr.space for what no earlier run was told.

    Answers are kept by the image's JPEG bytes and the settings; failures are not, and are asked for again. The
    service gives no confidence, so it is 1 where it read anything and 0 where not. The key is taken from the
    environment when it is needed, is sent in a header to `endpoint` alone, and is kept nowhere.
    """

    def __init__(self, config: Settings, cache: Path) -> None:
        self._config = config
        self._cache = cache
        self._waited_s = 0.0
        self._settings = {
            "language": config.language,
            "OCREngine": str(config.engine),
            "scale": _as_text(config.scale),
            "detectOrientation": _as_text(False),
            "isOverlayRequired": _as_text(False),
            "filetype": "JPG",
        }

    def read(self, image: Image.Image) -> PlateText:
        """What the service reads; `UNREAD`, after a warning on stderr, where it fails on this image.

        Raises:
            UserError: the key is missing or refused, the quota is used up, a setting is not allowed, or the service
                cannot be reached. What was read before stays in the cache.
        """
        jpeg = _as_jpeg(image)
        kept = self._cache / f"{self._digest(jpeg)}.json"
        if kept.is_file():
            raw = str(json.loads(kept.read_text())["text"])
        else:
            answer = self._ask(jpeg)
            if answer.text is None:
                _warn(f"ocr.space could not read a plate: {_without_key(answer.message)}")
                return UNREAD
            raw = answer.text
            _write_whole(kept, json.dumps({"text": raw, **self._settings}, indent=1) + "\n")
        text = normalize(raw)
        return PlateText(text, 1.0) if text else UNREAD

    def _digest(self, jpeg: bytes) -> str:
        settings = json.dumps({"endpoint": self._config.endpoint, **self._settings}, sort_keys=True)
        return hashlib.sha256(settings.encode() + b"\n" + jpeg).hexdigest()

    def _ask(self, jpeg: bytes) -> _Answer:
        """The service's answer to a image, tried again where the way there or the service itself is broken."""
        trouble = ""
        for attempt in range(self._config.attempts):
            if attempt:
                time.sleep(BACK_OFF_S * 2 ** (attempt - 1))
            try:
                response = self._post(jpeg)
            except requests.Timeout:
                trouble = f"no answer within {self._config.timeout_s:g} s"
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                trouble = f"the connection failed ({type(error).__name__})"
            except requests.RequestException as error:
                raise UserError(
                    f"ocr.endpoint={self._config.endpoint} cannot be asked: {_without_key(str(error))}"
                ) from None
            else:
                if response.status_code >= 500:
                    trouble = f"HTTP {response.status_code}"
                    continue
                if response.status_code != 200:
                    raise UserError(
                        f"ocr.space refused: HTTP {response.status_code}, {_without_key(_said(response))!r}. "
                        f"Check the key in {KEY} and ocr.endpoint"
                    )
                try:
                    answer = _Answer.model_validate_json(response.content)
                except ValidationError:
                    trouble = f"an answer that is not ocr.space's: {_without_key(_said(response))!r}"
                    continue
                self._check_settings(answer)
                return answer
        raise UserError(
            f"ocr.space failed {self._config.attempts} times: {trouble}. What was read so far is kept in "
            f"{self._cache}: run again later"
        )

    def _check_settings(self, answer: _Answer) -> None:
        """Refuse what would fail for every other image too."""
        if re.search(r"api ?key", answer.message, re.IGNORECASE):
            raise UserError(f"ocr.space refused the key in {KEY}: {_without_key(answer.message)}")
        if answer.OCRExitCode == _BAD_PARAMETER:
            raise UserError(f"ocr.space refused reader.*: {_without_key(answer.message)}")

    def _post(self, jpeg: bytes) -> requests.Response:
        """One request, sent again after each wait that the rate limit asks for."""
        encoded = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
        while True:
            response = requests.post(
                self._config.endpoint,
                headers={"apikey": _key()},
                data={"base64Image": encoded, **self._settings},
                timeout=self._config.timeout_s,
                allow_redirects=False,  # the key is for this address alone
            )
            limit = _RATE_LIMIT.search(_said(response))
            if limit is None:
                return response
            requests_allowed, seconds = int(limit[1]), float(limit[2])
            if self._waited_s + seconds > self._config.max_wait_s:
                raise UserError(
                    f"ocr.space allows {requests_allowed} requests in {seconds:g} s, and they are used up. Waiting is "
                    f"bounded by ocr.max_wait_s={self._config.max_wait_s:g}. What was read so far is kept in "
                    f"{self._cache}: run again later, or raise ocr.max_wait_s"
                )
            _warn(f"ocr.space allows {requests_allowed} requests in {seconds:g} s: waiting {seconds:g} s")
            time.sleep(seconds)
            self._waited_s += seconds


def _warn(message: str) -> None:
    tqdm.write(message, file=sys.stderr)


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise UserError(f"ocr=ocrspace needs a key: get one at https://ocr.space/ocrapi/freekey, then `export {KEY}=…`")
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{KEY} holds characters that no key has: copy the key again")
    return key


def _without_key(message: str) -> str:
    """The service's own words, should it ever repeat the key."""
    return message.replace(_key(), "…")


def _said(response: requests.Response) -> str:
    """The error message in an answer of whatever form, or the start of the answer."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    if isinstance(body, dict):
        body = body.get("ErrorMessage") or ""
    return (" ".join(map(str, body)) if isinstance(body, list) else str(body))[:200]


def _as_jpeg(image: Image.Image) -> bytes:
    """The image at the best quality, and if need be half, quarter… the size, that the service takes."""
    while True:
        for quality in QUALITIES:
            jpeg = io.BytesIO()
            image.save(jpeg, "JPEG", quality=quality)
            if jpeg.tell() <= MAX_JPEG_BYTES:
                return jpeg.getvalue()
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))


def _as_text(flag: bool) -> str:
    return "true" if flag else "false"


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is there either whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(text)
    unfinished.replace(path)
