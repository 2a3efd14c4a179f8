"""`lpr predict`: the plates of images and videos, their texts, and what is written of them. Imports no TensorFlow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.inference.drawing import VideoFile, draw_plates, save_image
from lpr.inference.inputs import Unreadable, find_inputs, is_video, open_video, read_image
from lpr.inference.plates import Plate
from lpr.inference.results import InputResult, write_csv, write_json
from lpr.inference.tracker import Tracker, summarize_tracks
from lpr.paths import SCRATCH

ANNOTATED = "annotated"  # the folder of the images and videos with plates drawn on them, in that of the output
SOME_UNREAD, INTERRUPTED = 3, 130  # exit codes
_MAX_GAP_S = 0.5  # for which a plate of a video may be missed and still keep its track
_SAVED_AS = {"csv": "predictions.csv", "json": "predictions.json", "images": f"{ANNOTATED}/"}


def run(
    names: Sequence[str],
    model: Path,
    ocr: str | None,
    grammar: str | None,
    output: Path,
    confidence: float | None,
    save: Sequence[str],
) -> int:
    """Detect and read the plates of all inputs, and write the results.

    Args:
        names: files, folders and patterns.
        model: the exported detector.
        ocr: name of the OCR engine; "none": texts stay empty; None: that of `params.yaml` here, else `cascade`.
        grammar: of the texts, one of `lpr.plates.countries.GRAMMARS`; None: any text is valid.
        output: the folder of the results.
        confidence: threshold from which a plate counts as detected; None: as the detector was exported.
        save: of "csv", "json", "images".

    Returns:
        0; or `SOME_UNREAD` where an input could not be read; or `INTERRUPTED`.

    Raises:
        UserError: the detector or the OCR engine cannot be loaded; no input could be read; the output cannot be
            written.
    """
    detector = _load(model)
    confidence = detector.metadata.inference.confidence_threshold if confidence is None else confidence
    ocr, recognize = _create_engine(ocr, grammar)
    paths = find_inputs(names)
    targets = _targets(paths, output) if "images" in save else {}
    about = {"detector": str(model), "exported": detector.metadata.model_dump(), "confidence": confidence}
    about |= {"ocr": ocr, "grammar": grammar}
    started, results = time.monotonic(), [InputResult(path) for path in paths]
    interrupted = False
    try:
        (output / (ANNOTATED if targets else "")).mkdir(parents=True, exist_ok=True)
        try:
            _process_inputs(results, _PlateReader(detector, confidence, recognize), targets)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            # What was found so far is kept, whatever ended the work.
            if "csv" in save:
                write_csv(results, output / "predictions.csv")
            if "json" in save:
                write_json(results, about, output / "predictions.json")
    except OSError as error:
        raise UserError(f"{error.filename or output} cannot be written: {error.strerror}") from None

    unread = sum(result.error is not None for result in results)
    if unread == len(results) and not any(result.images for result in results):
        raise UserError(f"none of the {unread} inputs could be read" if unread > 1 else "nothing could be read")
    print(_summary(results, time.monotonic() - started, ocr))
    print(f"{output}/: {', '.join(_SAVED_AS[what] for what in _SAVED_AS if what in save)}")
    if interrupted:
        print("lpr predict: interrupted; what was found is kept", file=sys.stderr)
        return INTERRUPTED
    return SOME_UNREAD if unread else 0


_Recognize = Callable[[Image.Image, Plate], Plate]


@dataclass(frozen=True)
class _PlateReader:
    """Detects the plates of an image, and recognizes their texts."""

    detector: OnnxDetector
    confidence: float
    recognize: _Recognize

    def __call__(self, pixels: np.ndarray, image: Image.Image) -> list[Plate]:
        """The plates of an image, the most confident first; `image` is the same image as `pixels`."""
        found = self.detector.detect(pixels)
        return [
            self.recognize(image, Plate((box[0], box[1], box[2], box[3]), confidence))
            for box, confidence in zip(found.boxes.tolist(), found.confidences.tolist(), strict=True)
            if confidence >= self.confidence and np.isfinite(box).all()
        ]


def _create_engine(name: str | None, grammar: str | None) -> tuple[str, _Recognize]:
    """The OCR engine's name, and a function that gives a plate of an image its text."""
    if name == "none":
        return name, lambda _, plate: plate
    from lpr.ocr import engines
    from lpr.ocr.engines.base import NO_TEXT
    from lpr.ocr.grammar import apply_grammar
    from lpr.ocr.recognition import MIN_CROP_PX, crop
    from lpr.plates.countries import GRAMMARS

    config = engines.load_settings(name)
    engine = engines.create(config, SCRATCH / config.name)

    def recognize(image: Image.Image, plate: Plate) -> Plate:
        part = crop(image, plate.box, config.margin)
        found = engine.read(part) if min(part.size) >= MIN_CROP_PX else NO_TEXT
        found = apply_grammar(found, GRAMMARS[grammar]) if grammar else found
        return replace(plate, text=found.text, text_confidence=found.confidence)

    return config.name, recognize


def _process_inputs(results: Sequence[InputResult], read_plates: _PlateReader, targets: dict[Path, Path]) -> None:
    """Fill in the result of each input, and draw it into its target."""
    total = sum(_count(result.path) for result in results)
    with tqdm(total=total, desc="predict", unit="image", disable=None) as bar:
        for result in results:
            process = _process_video if is_video(result.path) else _process_image
            try:
                process(result, read_plates, targets.get(result.path), bar.update)
            except Unreadable as error:
                result.error = str(error)
            _print_result(result)


def _process_image(
    result: InputResult, read_plates: _PlateReader, target: Path | None, done: Callable[[], object]
) -> None:
    pixels = read_image(result.path)
    image = Image.fromarray(pixels)
    result.plates = read_plates(pixels, image)
    result.images, (result.width, result.height) = 1, image.size
    if target:
        save_image(draw_plates(image, result.plates), target)
        result.annotated = f"{ANNOTATED}/{target.name}"
    done()


def _process_video(
    result: InputResult, read_plates: _PlateReader, target: Path | None, done: Callable[[], object]
) -> None:
    with open_video(result.path) as video, ExitStack() as stack:
        result.width, result.height, result.frames_per_second = video.width, video.height, video.frames_per_second
        file, tracker = None, Tracker(max_gap=round(_MAX_GAP_S * video.frames_per_second))
        for number, frame in enumerate(video.frames()):
            image = Image.fromarray(frame)
            plates = tracker.update(read_plates(frame, image), number)
            result.plates += plates
            result.images += 1
            if target:
                file = file or stack.enter_context(VideoFile(target, video.frames_per_second, *image.size))
                result.annotated = f"{ANNOTATED}/{target.name}"
                file.add(draw_plates(image, plates))
            done()


def _load(model: Path) -> OnnxDetector:
    """The detector; warns on standard error where it is not the one that was trained last."""
    trained = model.with_suffix(".keras")
    if not model.is_file() and trained.is_file():
        raise UserError(f"{model} is missing, but {trained} is there: `lpr export` writes it")
    detector = load_onnx_detector(model)
    if trained.is_file() and file_md5(trained) != detector.metadata.keras_md5:
        print(
            f"lpr predict: {model} was exported from another {trained} than the one there now: `lpr export`",
            file=sys.stderr,
        )
    return detector


def _targets(paths: Sequence[Path], output: Path) -> dict[Path, Path]:
    """The file for the annotated image or video of each input: its name, numbered where several have it.

    Raises:
        UserError: the file is itself an input.
    """
    targets: dict[Path, Path] = {}
    taken: set[str] = set()
    inputs = {path.resolve() for path in paths}
    for path in paths:
        suffix, number = ".mp4" if is_video(path) else ".jpg", 1
        name = f"{path.stem}{suffix}"
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}{suffix}"
        taken.add(name)
        targets[path] = output / ANNOTATED / name
        if targets[path].resolve() in inputs:
            raise UserError(f"{targets[path]} would be overwritten, which is an input: choose another --output")
    return targets


def _count(path: Path) -> int:
    """How many images or frames an input has, as far as is known before it is decoded."""
    if not is_video(path):
        return 1
    try:
        with open_video(path) as video:
            return video.frame_count
    except Unreadable:
        return 0


def _print_result(result: InputResult) -> None:
    """A line an input: its plates on standard output, or on standard error why it could not be read."""
    if result.error:
        tqdm.write(f"lpr predict: {result.name}: {result.error}", file=sys.stderr)
    if result.frames_per_second is not None and result.images:
        tracks = summarize_tracks(result.plates)
        texts = ", ".join(f"{track.text} {track.confidence:.2f}" for track in tracks if track.text)
        counts = f"{result.images} frames, {len(result.plates)} plates on {len(tracks)} tracks"
        tqdm.write(f"{result.name}: {counts}{texts and ': '}{texts}")
    elif result.images:
        plates = [f"{plate.text or 'plate'} {plate.confidence:.2f}" for plate in result.plates]
        tqdm.write(f"{result.name}: {', '.join(plates) or 'no plate'}")


def _summary(results: Sequence[InputResult], seconds: float, ocr: str) -> str:
    images = sum(result.images for result in results)
    plates = [plate for result in results for plate in result.plates]
    read = f" ({sum(bool(plate.text) for plate in plates)} read)" if ocr != "none" else ""
    unread = sum(result.error is not None for result in results)
    return f"images: {images}, plates: {len(plates)}{read}, unreadable: {unread}; {images / seconds:.1f} images/s"
