"""The ocr.space service: one POST request a plate; results are cached, so that no request is sent twice.

Its API (https://ocr.space/ocrapi) as it behaves: errors come with HTTP 200, too, their messages are a list or a string,
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
from lpr.files import write_shared
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText
from lpr.plates.text import normalize_latin

KEY = "OCR_SPACE_API_KEY"
MAX_JPEG_BYTES = 740_000  # the free key's limit is 1 MB, and base64 adds a third
QUALITIES = (95, 85, 70)  # tried before the image is halved
BACK_OFF_S = 0.5  # before the second attempt; doubled before each further one

_RATE_LIMIT = re.compile(r"maximum (\d+) number of times within (\d+) seconds")
_PARSED = 1  # FileParseExitCode
_READ, _PARTLY_READ, _BAD_PARAMETER = 1, 2, 99  # OCRExitCode; 3 and 4 are failures of the one image


class Settings(Ocr):
    """The ocr.space service; its key comes from the environment variable OCR_SPACE_API_KEY."""

    name: Literal["ocrspace"]
    endpoint: str = Field(description="URL that the requests are sent to")
    engine: Literal[1, 2, 3] = Field(description="the service's `OCREngine`")
    language: str = Field(description="the service's code of the language, such as eng")
    scale: bool = Field(description="whether the service enlarges the image")
    timeout_s: Annotated[float, Field(gt=0)] = Field(description="longest wait for a response, seconds")
    attempts: Annotated[int, Field(ge=1, le=20)] = Field(
        description="requests an image, before a broken connection or server error ends the run"
    )
    max_wait_s: Annotated[float, Field(ge=0)] = Field(description="longest sum of the waits on the rate limit, seconds")


def create(settings: Settings, cache: Path) -> OcrEngine:
    """The engine, whose results are cached in the folder `cache`."""
    return OcrSpace(settings, cache)


class _Result(BaseModel):
    FileParseExitCode: int
    ParsedText: str | None = None
    ErrorMessage: list[str] | str | None = None


class _Response(BaseModel):
    OCRExitCode: int
    IsErroredOnProcessing: bool = False
    ErrorMessage: list[str] | str | None = None
    ParsedResults: list[_Result] | None = None

    @property
    def message(self) -> str:
        """The error messages of the response and of its results, joined."""
        messages = [self.ErrorMessage, *(result.ErrorMessage for result in self.ParsedResults or [])]
        lines = [message if isinstance(message, str) else " ".join(message) for message in messages if message]
        return " ".join(lines) or f"OCRExitCode {self.OCRExitCode}"

    @property
    def text(self) -> str | None:
        """The recognized text, which may be empty; None where the service failed."""
        parsed = [result for result in self.ParsedResults or [] if result.FileParseExitCode == _PARSED]
        if self.IsErroredOnProcessing or self.OCRExitCode not in (_READ, _PARTLY_READ) or not parsed:
            return None
        return "\n".join(result.ParsedText or "" for result in parsed)


class OcrSpace:
    """Sends plates to ocr.space that no earlier run has sent.

    Results are cached by the image's JPEG bytes and the settings; failures are not cached. The service returns no
    confidence: it is 1 where there is any text, else 0. The key is taken from the environment when it is needed, is
    sent in a header to `endpoint` alone, and is stored nowhere.
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
        """The text that the service recognizes; `NO_TEXT`, after a warning on stderr, where it fails on this image.

        Raises:
            UserError: the key is missing or refused, the quota is used up, a setting is not allowed, or the service
                cannot be reached. Earlier results stay in the cache.
        """
        jpeg = _as_jpeg(image)
        cached = self._cache / f"{self._digest(jpeg)}.json"
        if cached.is_file():
            raw = str(json.loads(cached.read_text())["text"])
        else:
            response = self._request(jpeg)
            if response.text is None:
                _warn(f"ocr.space could not read a plate: {_without_key(response.message)}")
                return NO_TEXT
            raw = response.text
            cached.parent.mkdir(parents=True, exist_ok=True)
            write_shared(cached, (json.dumps({"text": raw, **self._settings}, indent=1) + "\n").encode())
        text = normalize_latin(raw)
        return PlateText(text, 1.0) if text else NO_TEXT

    def _digest(self, jpeg: bytes) -> str:
        settings = json.dumps({"endpoint": self._config.endpoint, **self._settings}, sort_keys=True)
        return hashlib.sha256(settings.encode() + b"\n" + jpeg).hexdigest()

    def _request(self, jpeg: bytes) -> _Response:
        """The service's response to an image; broken connections, server errors and malformed responses are retried."""
        failure = ""
        for attempt in range(self._config.attempts):
            if attempt:
                time.sleep(BACK_OFF_S * 2 ** (attempt - 1))
            try:
                response = self._post(jpeg)
            except requests.Timeout:
                failure = f"no response within {self._config.timeout_s:g} s"
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                failure = f"the connection failed ({type(error).__name__})"
            except requests.RequestException as error:
                raise UserError(
                    f"ocr.endpoint={self._config.endpoint} cannot be used: {_without_key(str(error))}"
                ) from None
            else:
                if response.status_code >= 500:
                    failure = f"HTTP {response.status_code}"
                    continue
                if response.status_code != 200:
                    raise UserError(
                        f"ocr.space refused: HTTP {response.status_code}, {_without_key(_error_message(response))!r}. "
                        f"Check the key in {KEY} and ocr.endpoint"
                    )
                try:
                    parsed = _Response.model_validate_json(response.content)
                except ValidationError:
                    failure = f"a response that is not ocr.space's: {_without_key(_error_message(response))!r}"
                    continue
                self._check_settings(parsed)
                return parsed
        raise UserError(
            f"ocr.space failed {self._config.attempts} times: {failure}. Results so far are kept in "
            f"{self._cache}: run again later"
        )

    def _check_settings(self, response: _Response) -> None:
        """Raise an error where every other image would fail, too."""
        if re.search(r"api ?key", response.message, re.IGNORECASE):
            raise UserError(f"ocr.space refused the key in {KEY}: {_without_key(response.message)}")
        if response.OCRExitCode == _BAD_PARAMETER:
            raise UserError(f"ocr.space refused ocr.*: {_without_key(response.message)}")

    def _post(self, jpeg: bytes) -> requests.Response:
        """One request, sent again after each wait that the rate limit demands."""
        encoded = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
        while True:
            response = requests.post(
                self._config.endpoint,
                headers={"apikey": _key()},
                data={"base64Image": encoded, **self._settings},
                timeout=self._config.timeout_s,
                allow_redirects=False,  # the key is sent to this address alone
            )
            limit = _RATE_LIMIT.search(_error_message(response))
            if limit is None:
                return response
            requests_allowed, seconds = int(limit[1]), float(limit[2])
            if self._waited_s + seconds > self._config.max_wait_s:
                raise UserError(
                    f"ocr.space allows {requests_allowed} requests in {seconds:g} s, and they are used up. Waiting is "
                    f"bounded by ocr.max_wait_s={self._config.max_wait_s:g}. Results so far are kept in "
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
        raise UserError(f"{KEY} has characters that no key has: copy the key again")
    return key


def _without_key(message: str) -> str:
    """A message of the service with the key, should it contain it, replaced."""
    return message.replace(_key(), "…")


def _error_message(response: requests.Response) -> str:
    """The error message in a response of any form, or the first 200 characters of the response."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    if isinstance(body, dict):
        body = body.get("ErrorMessage") or ""
    return (" ".join(map(str, body)) if isinstance(body, list) else str(body))[:200]


def _as_jpeg(image: Image.Image) -> bytes:
    """The image as JPEG of at most `MAX_JPEG_BYTES`: at the best quality, and at half, quarter… the size if need be."""
    while True:
        for quality in QUALITIES:
            jpeg = io.BytesIO()
            image.save(jpeg, "JPEG", quality=quality)
            if jpeg.tell() <= MAX_JPEG_BYTES:
                return jpeg.getvalue()
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))


def _as_text(flag: bool) -> str:
    return "true" if flag else "false"
