"""`ALPR`: the plates of images and videos, from Python. Imports no TensorFlow.

import lpr

alpr = lpr.ALPR(country="india")
for plate in alpr("car.jpg"):
    print(plate.text, plate.confidence, plate.box)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from operator import contains
from pathlib import Path
from threading import Lock
from typing import Protocol, TypeAlias, cast, overload

import numpy as np
from PIL import Image

from lpr.boxes import Detections
from lpr.cores import usable_cores
from lpr.data.decoding import to_rgb
from lpr.data.unavailable import Unavailable
from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.errors import UserError
from lpr.inference.drawing import draw_plates
from lpr.inference.inputs import Stream, Unreadable, Video, VideoFrame, decode_image, download, open_video, read_image
from lpr.inference.parallel import Pool, map_in_order
from lpr.inference.plates import Plate
from lpr.inference.streams import LiveVideo, open_stream
from lpr.inference.tracker import Tracker
from lpr.ocr import engines
from lpr.ocr.crops import MIN_CROP_PX, crop
from lpr.ocr.engines.base import NO_TEXT, OcrEngine, PlateText
from lpr.ocr.grammar import apply_grammar_named
from lpr.paths import SCRATCH, SHIPPED_DETECTOR
from lpr.plates.countries import AUTO, COUNTRY_NAMES, NO_GRAMMAR

ImageInput: TypeAlias = str | Path | bytes | Image.Image | np.ndarray
"""An image: a path, a URL (http, https, s3, gs), the bytes of a file, a PIL image, or uint8 (h, w, 3) RGB or (h, w)."""

UNREAD = ("drop", "keep")
"""What becomes of boxes in which an OCR engine read nothing."""

READ_FROM = 0.2
"""The share of the threshold from which a box is a plate where a text is read in it: `benchmarks/unread_boxes.py`."""

_MAX_GAP_S = 0.5  # for which a plate of a video may be missed and still keep its track
_MAX_LIVE_GAP_S = 2.0  # likewise of a live stream, of which frames are skipped, and whose frame rate may be wrong
_MARGIN = 0.2  # around the crops for an engine of one's own, as a fraction of the box's height


class Detector(Protocol):
    """Finds the plates of an image."""

    def detect(self, image: np.ndarray) -> Detections:
        """The plates, by falling confidence.

        Args:
            image: uint8 (h, w, 3) RGB.
        """
        ...


@dataclass(frozen=True)
class Frame:
    """A frame of a video with its plates.

    Attributes:
        number: from 0.
        image: RGB.
        plates: with `frame` and `track`.
        unread: how many boxes were left out because nothing was read in them.
        time: when it came, of a live stream; else None.
    """

    number: int
    image: Image.Image
    plates: list[Plate]
    unread: int
    time: datetime | None = None


class ALPR:
    """Finds the plates of images, and reads them.

    One object may be used by several threads. A detector or an OCR engine of one's own is called by one thread at a
    time; of an OCR engine that is named, there are as many as `workers`.

    Args:
        detector: an `.onnx` file of `lpr export`, such as `models/detector.onnx`; an object with `Detector`'s method;
            or None: the detector that ships with lpr.
        ocr: the name of an engine, whose settings are those of `params.yaml` in the current folder if it has this
            engine, else of `conf/ocr/`; None: that of `params.yaml`, else `cascade`; "none": texts stay empty; or an
            object with the method of `lpr.ocr.engines.OcrEngine`.
        country: whose registrations the texts are: one of `lpr.plates.countries.COUNTRY_NAMES`, such as
            "india" or "europe"; "auto": of the region that the recognizer tells, for each plate; "none": any text.
        confidence_threshold: least confidence of a plate, 0–1, a fifth of it where a text is read; None: as the
            detector was exported, or 0.5 for an object of one's own.
        workers: how many images of a list, or frames of a video, are processed at a time, each by its share of the
            cores. One is the fastest for single images; one a core (`lpr.cores.usable_cores()`) for many.
        unread: "drop" leaves out boxes that are `Plate.unread`; "keep" lists them.

    Raises:
        UserError: the detector or the engine cannot be loaded, or there is no such country.
        ValueError: `unread` is neither, there is no worker, or the threshold is not in 0–1.
    """

    def __init__(
        self,
        detector: str | Path | Detector | None = None,
        ocr: str | OcrEngine | None = None,
        country: str = AUTO,
        confidence_threshold: float | None = None,
        unread: str = "drop",
        workers: int = 1,
    ) -> None:
        if unread not in UNREAD:
            raise ValueError(f"unread={unread!r}: choose of {', '.join(UNREAD)}")
        if workers < 1:
            raise ValueError(f"workers={workers}: there is one at least")
        if confidence_threshold is not None and not 0 <= confidence_threshold <= 1:
            raise ValueError(f"confidence_threshold={confidence_threshold}: it is in 0–1")
        self.unread, self.workers = unread, workers
        threads = max(1, usable_cores() // workers)
        self._grammar = _grammar(country)
        if detector is None or isinstance(detector, str | Path):
            detector = load_onnx_detector(Path(detector or SHIPPED_DETECTOR), threads)
        self.detector: Detector = detector
        exported = detector.metadata.inference.confidence_threshold if isinstance(detector, OnnxDetector) else 0.5
        self.confidence_threshold = exported if confidence_threshold is None else confidence_threshold
        self._detector_lock: AbstractContextManager[object] = (
            nullcontext() if isinstance(detector, OnnxDetector) else Lock()
        )
        self.ocr_name, self._engines, self._margin = _engines(ocr, workers, threads)

    def with_country(self, country: str) -> ALPR:
        """The same detector and OCR engine, for texts of this country.

        Raises:
            UserError: there is no such country.
        """
        other = copy(self)  # with the same engines and locks
        other._grammar = _grammar(country)
        return other

    @overload
    def __call__(self, images: ImageInput, bgr: bool = ...) -> list[Plate]: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, images: Sequence[ImageInput], bgr: bool = ...) -> list[list[Plate]]: ...

    def __call__(self, images: ImageInput | Sequence[ImageInput], bgr: bool = False) -> list[Plate] | list[list[Plate]]:
        """The plates of an image, or of each image of a sequence, the most confident first.

        Args:
            images: see `ImageInput`; files are turned upright as their EXIF says.
            bgr: whether arrays have their channels in OpenCV's order, blue first.

        Raises:
            Unreadable: an image is missing, cannot be decoded, or is an array of another shape or type.
        """
        single = isinstance(images, ImageInput) or not isinstance(images, Iterable)
        every = cast("Sequence[ImageInput]", [images] if single else images)

        def plates(image: ImageInput) -> list[Plate]:
            pixels = as_pixels(image, bgr)
            return self.kept(self.find(pixels, Image.fromarray(pixels)))

        found = list(map_in_order(plates, every, self.workers))
        return found[0] if single else found

    def find(self, pixels: np.ndarray, image: Image.Image) -> list[Plate]:
        """What the detector found in an image, the most confident first, each with its `crop`; unread boxes, too.

        Of boxes below the threshold, those from a fifth of it on in which a text is read.

        Args:
            pixels: uint8 (h, w, 3) RGB.
            image: the same image.
        """
        with self._detector_lock:
            found = self.detector.detect(pixels)
        least = self.confidence_threshold * (1 if self._engines is None else READ_FROM)
        plates = [
            self._read(image, Plate((box[0], box[1], box[2], box[3]), confidence))
            for box, confidence in zip(found.boxes.tolist(), found.confidences.tolist(), strict=True)
            if confidence >= least and np.isfinite(box).all()
        ]
        return [plate for plate in plates if plate.read or plate.confidence >= self.confidence_threshold]

    def kept(self, found: Sequence[Plate]) -> list[Plate]:
        """Those of the plates that are to be listed: all, or all that are not unread."""
        return [plate for plate in found if self.unread == "keep" or not plate.unread]

    def draw(self, image: ImageInput, plates: Sequence[Plate], bgr: bool = False) -> Image.Image:
        """A copy of the image, RGB, with each plate framed and its text and confidence beside it.

        Raises:
            Unreadable: as for calling the object.
        """
        return draw_plates(Image.fromarray(as_pixels(image, bgr)), plates)

    def video(self, source: str | Path | int) -> Iterator[Frame]:
        """The frames of a video one after another, with the plates tracked from frame to frame.

        Args:
            source: a file, an RTSP or HTTP URL, or the number of a camera. Of a live stream, the newest frame comes
                whenever one is asked for; others are skipped.

        Raises:
            Unreadable: it cannot be opened, has no frame that can be decoded, or breaks off.
        """
        stream = Stream(source) if isinstance(source, int) else Stream.named(str(source))
        with open_stream(stream) if stream else open_video(str(source)) as video:
            yield from self.frames(video)

    def frames(self, video: Video | LiveVideo) -> Iterator[Frame]:
        """The frames of an open video, as `video` gives them."""

        def find(frame: VideoFrame) -> tuple[VideoFrame, Image.Image, list[Plate]]:
            image = Image.fromarray(frame.pixels)
            return frame, image, self.find(frame.pixels, image)

        max_gap_s = _MAX_LIVE_GAP_S if isinstance(video, LiveVideo) else _MAX_GAP_S
        tracker = Tracker(max_gap=round(max_gap_s * video.frames_per_second))
        for frame, image, found in map_in_order(find, video.frames(), self.workers):
            # Left out after tracking, so that a plate which cannot be read in some frames keeps its track.
            tracked = tracker.update(found, frame.number)
            kept = self.kept(tracked)
            yield Frame(frame.number, image, kept, len(tracked) - len(kept), frame.time)

    def _read(self, image: Image.Image, plate: Plate) -> Plate:
        part = crop(image, plate.box, self._margin)
        if self._engines is None:
            return replace(plate, crop=part)
        found = NO_TEXT
        if min(part.size) >= MIN_CROP_PX:
            with self._engines.one() as engine:
                found = engine.read(part)
        found = apply_grammar_named(found, self._grammar)
        return replace(
            plate,
            text=found.text,
            text_confidence=found.confidence,
            candidates=_candidates(found),
            regions=found.regions,
            crop=part,
        )


def as_pixels(image: ImageInput, bgr: bool = False) -> np.ndarray:
    """An image as uint8 (h, w, 3) RGB.

    Args:
        image: see `ImageInput`.
        bgr: whether an array has blue first.

    Raises:
        Unreadable: it is missing, cannot be decoded, or is an array of another shape or type.
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
            raise Unreadable(
                f"an array of type {image.dtype} and shape {image.shape}; images are uint8 (h, w, 3) or (h, w)"
            )
        if 0 in image.shape:
            raise Unreadable(f"an array of shape {image.shape}, which has no pixel")
        if image.ndim == 2:
            return np.repeat(image[..., None], 3, axis=2)
        return np.ascontiguousarray(image[..., ::-1] if bgr else image)
    if isinstance(image, Image.Image):
        return _pixels_of(image)
    if isinstance(image, bytes):
        return decode_image(image)
    if isinstance(image, str) and image.startswith(("http://", "https://", "s3://", "gs://")):
        return decode_image(download(image))
    if not isinstance(image, str | Path):
        raise Unreadable(
            f"no image, but of type {type(image).__name__}; cv2.imread gives None where it cannot read a file"
        )
    if os.path.isdir(image):
        raise Unreadable(f"{str(image)!r} is a folder; name the images in it")
    return read_image(Path(image))


def _pixels_of(image: Image.Image) -> np.ndarray:
    """As those of its file; but 32-bit integers, in which Pillow has 16-bit files, are 8-bit where none is over 255.

    Raises:
        Unreadable: it cannot be decoded, or has floating-point pixels.
    """
    try:
        if image.mode == "I" and np.asarray(image).max(initial=0) <= 255:
            return np.asarray(image.convert("RGB"))
        return np.asarray(to_rgb(image))
    except (OSError, ValueError, SyntaxError, Unavailable) as error:
        raise Unreadable(f"a broken image: {error}") from None


def _grammar(country: str) -> str | None:
    if country not in COUNTRY_NAMES:
        raise UserError(f"country={country!r}: there is no such country; choose of {', '.join(COUNTRY_NAMES)}")
    return None if country == NO_GRAMMAR else country


def _candidates(found: PlateText) -> tuple[Mapping[str, float], ...]:
    """Those of each character of the text; () where the engine has none, or not for all of them."""
    every = found.candidates or tuple(chain.from_iterable(line.candidates for line in found.lines))
    fits = len(every) == len(found.text) and all(map(contains, every, found.text))
    return every if fits else ()


def _engines(ocr: str | OcrEngine | None, workers: int, threads: int) -> tuple[str, Pool[OcrEngine] | None, float]:
    """The name of the OCR engine, its instances, and the margin around the boxes that it is given.

    Args:
        workers: instances at most of an engine that is named.
        threads: of the networks of such an engine, if it has any and the settings do not say how many.
    """
    if ocr == "none":
        return ocr, None, 0.0
    if ocr is None or isinstance(ocr, str):
        settings = engines.load_settings(ocr)
        if getattr(settings, "threads", threads) is None:
            settings = settings.model_copy(update={"threads": threads})
        create = partial(engines.create, settings, SCRATCH / settings.name)
        return settings.name, Pool(create(), create, workers), settings.margin
    return type(ocr).__name__, Pool(ocr, lambda: ocr, 1), _MARGIN
