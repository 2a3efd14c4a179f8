"""`lpr predict`: where the plates of images and videos are, and what stands on them. Imports no TensorFlow."""

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
from lpr.inference.results import Outcome, write_csv, write_json
from lpr.inference.tracker import Tracker, tracks
from lpr.paths import SCRATCH

ANNOTATED = "annotated"  # the folder of the drawn images, in that of the output
SOME_UNREAD, INTERRUPTED = 3, 130  # exit codes
_OUT_OF_SIGHT_S = 0.5  # for so long a plate of a video may be missed, and still be the same
_SAVED_AS = {"csv": "predictions.csv", "json": "predictions.json", "images": f"{ANNOTATED}/"}


def run(
    names: Sequence[str],
    model: Path,
    reader: str | None,
    grammar: str | None,
    output: Path,
    confidence: float | None,
    save: Sequence[str],
) -> int:
    """Look at everything that the names stand for, and write what was found.

    Args:
        names: files, folders and patterns.
        model: the exported detector.
        reader: its name; "none": plates are not read; None: the one of `params.yaml` here, else `cascade`.
        grammar: of the plates, one of `lpr.plates.countries.GRAMMARS`; None: they may say anything.
        output: the folder that the results go to.
        confidence: from which a plate counts as found; None: as the detector was exported.
        save: of "csv", "json", "images".

    Returns:
        0; or `SOME_UNREAD` where an input could not be read; or `INTERRUPTED`.

    Raises:
        UserError: the detector or the reader cannot be had; no input could be read; the output cannot be written.
    """
    detector = _load(model)
    confidence = detector.metadata.inference.confidence_threshold if confidence is None else confidence
    reader, read = _create_reader(reader, grammar)
    paths = find_inputs(names)
    targets = _targets(paths, output) if "images" in save else {}
    about = {"model": str(model), "exported": detector.metadata.model_dump(), "confidence": confidence}
    about |= {"reader": reader, "grammar": grammar}
    started, outcomes = time.monotonic(), [Outcome(path) for path in paths]
    interrupted = False
    try:
        (output / (ANNOTATED if targets else "")).mkdir(parents=True, exist_ok=True)
        try:
            _look_at_all(outcomes, _Finder(detector, confidence, read), targets)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            # What was found so far is kept, whatever ended the work.
            if "csv" in save:
                write_csv(outcomes, output / "predictions.csv")
            if "json" in save:
                write_json(outcomes, about, output / "predictions.json")
    except OSError as error:
        raise UserError(f"{error.filename or output} cannot be written: {error.strerror}") from None

    unread = sum(outcome.error is not None for outcome in outcomes)
    if unread == len(outcomes) and not any(outcome.images for outcome in outcomes):
        raise UserError(f"none of the {unread} inputs could be read" if unread > 1 else "nothing could be read")
    print(_summary(outcomes, time.monotonic() - started, reader))
    print(f"{output}/: {', '.join(_SAVED_AS[what] for what in _SAVED_AS if what in save)}")
    if interrupted:
        print("lpr predict: interrupted; what was found is kept", file=sys.stderr)
        return INTERRUPTED
    return SOME_UNREAD if unread else 0


_Read = Callable[[Image.Image, Plate], Plate]


@dataclass(frozen=True)
class _Finder:
    """Finds the plates of one image after another, and reads them."""

    detector: OnnxDetector
    confidence: float
    read: _Read

    def __call__(self, pixels: np.ndarray, image: Image.Image) -> list[Plate]:
        """The plates of a image, the most confident first; `image` is the same image as `pixels`."""
        found = self.detector.detect(pixels)
        return [
            self.read(image, Plate((box[0], box[1], box[2], box[3]), sure))
            for box, sure in zip(found.boxes.tolist(), found.confidences.tolist(), strict=True)
            if sure >= self.confidence and np.isfinite(box).all()
        ]


def _create_reader(name: str | None, grammar: str | None) -> tuple[str, _Read]:
    """The reader's name, and what puts a text to a plate of a image."""
    if name == "none":
        return name, lambda _, plate: plate
    from lpr.ocr import engines
    from lpr.ocr.engines.base import UNREAD
    from lpr.ocr.grammar import choose
    from lpr.ocr.recognition import SMALLEST_PX, crop
    from lpr.plates.countries import GRAMMARS

    config = engines.load_settings(name)
    reader = engines.create(config, SCRATCH / config.name)

    def read(image: Image.Image, plate: Plate) -> Plate:
        part = crop(image, plate.box, config.margin)
        reading = reader.read(part) if min(part.size) >= SMALLEST_PX else UNREAD
        reading = choose(reading, GRAMMARS[grammar]) if grammar else reading
        return replace(plate, text=reading.text, text_confidence=reading.confidence)

    return config.name, read


def _look_at_all(outcomes: Sequence[Outcome], finder: _Finder, targets: dict[Path, Path]) -> None:
    """Fill in what came of each input, and draw it into its target."""
    total = sum(_count(outcome.path) for outcome in outcomes)
    with tqdm(total=total, desc="predict", unit="image", disable=None) as bar:
        for outcome in outcomes:
            look_at = _look_at_video if is_video(outcome.path) else _look_at_image
            try:
                look_at(outcome, finder, targets.get(outcome.path), bar.update)
            except Unreadable as error:
                outcome.error = str(error)
            _tell(outcome)


def _look_at_image(outcome: Outcome, finder: _Finder, target: Path | None, done: Callable[[], object]) -> None:
    pixels = read_image(outcome.path)
    image = Image.fromarray(pixels)
    outcome.plates = finder(pixels, image)
    outcome.images, (outcome.width, outcome.height) = 1, image.size
    if target:
        save_image(draw_plates(image, outcome.plates), target)
        outcome.annotated = f"{ANNOTATED}/{target.name}"
    done()


def _look_at_video(outcome: Outcome, finder: _Finder, target: Path | None, done: Callable[[], object]) -> None:
    with open_video(outcome.path) as video, ExitStack() as stack:
        outcome.width, outcome.height, outcome.frames_per_second = video.width, video.height, video.frames_per_second
        file, tracker = None, Tracker(patience=round(_OUT_OF_SIGHT_S * video.frames_per_second))
        for number, frame in enumerate(video.frames()):
            image = Image.fromarray(frame)
            plates = tracker.follow(finder(frame, image), number)
            outcome.plates += plates
            outcome.images += 1
            if target:
                file = file or stack.enter_context(VideoFile(target, video.frames_per_second, *image.size))
                outcome.annotated = f"{ANNOTATED}/{target.name}"
                file.add(draw_plates(image, plates))
            done()


def _load(model: Path) -> OnnxDetector:
    """The detector; a word on standard error where it is not the one that was trained last."""
    trained = model.with_suffix(".keras")
    if not model.is_file() and trained.is_file():
        raise UserError(f"{model} is missing, but {trained} is there: `lpr export` makes the one of the other")
    detector = load_onnx_detector(model)
    if trained.is_file() and file_md5(trained) != detector.metadata.keras_md5:
        print(f"lpr predict: {model} is of another {trained} than lies there now: `lpr export`", file=sys.stderr)
    return detector


def _targets(paths: Sequence[Path], output: Path) -> dict[Path, Path]:
    """Where the drawn image or video of each input goes: its name, numbered where several have it.

    Raises:
        UserError: that is an input itself.
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
    """How many images there are to look at, as far as can be told beforehand."""
    if not is_video(path):
        return 1
    try:
        with open_video(path) as video:
            return video.announced
    except Unreadable:
        return 0


def _tell(outcome: Outcome) -> None:
    """A line an input: what was found, on standard output, or why nothing could be, on standard error."""
    if outcome.error:
        tqdm.write(f"lpr predict: {outcome.name}: {outcome.error}", file=sys.stderr)
    if outcome.frames_per_second is not None and outcome.images:
        followed = tracks(outcome.plates)
        texts = ", ".join(f"{track.text} {track.confidence:.2f}" for track in followed if track.text)
        counts = f"{outcome.images} frames, {len(outcome.plates)} plates on {len(followed)} tracks"
        tqdm.write(f"{outcome.name}: {counts}{texts and ': '}{texts}")
    elif outcome.images:
        plates = [f"{plate.text or 'plate'} {plate.confidence:.2f}" for plate in outcome.plates]
        tqdm.write(f"{outcome.name}: {', '.join(plates) or 'no plate'}")


def _summary(outcomes: Sequence[Outcome], seconds: float, reader: str) -> str:
    images = sum(outcome.images for outcome in outcomes)
    plates = [plate for outcome in outcomes for plate in outcome.plates]
    read = f" ({sum(bool(plate.text) for plate in plates)} read)" if reader != "none" else ""
    unread = sum(outcome.error is not None for outcome in outcomes)
    return f"images: {images}, plates: {len(plates)}{read}, unreadable: {unread}; {images / seconds:.1f} images/s"
