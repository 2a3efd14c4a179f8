"""`lpr predict`: the plates of images and videos, their texts, and what is written of them. Imports no TensorFlow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.inference.alpr import ALPR
from lpr.inference.drawing import VideoFile, draw_plates, save_image
from lpr.inference.exports import export
from lpr.inference.inputs import Unreadable, find_inputs, is_video, open_video, read_image
from lpr.inference.plates import Plate
from lpr.inference.results import (
    CSV,
    JSONL,
    Record,
    Results,
    error_record,
    frame_record,
    free_name,
    image_record,
    printable,
    video_record,
)
from lpr.inference.tracker import summarize_tracks
from lpr.paths import DETECTOR, DETECTOR_ONNX, SHIPPED_DETECTOR

ANNOTATED = "annotated"  # the folder of the images and videos with plates drawn on them, in that of the output
SOME_UNREAD, INTERRUPTED = 3, 130  # exit codes


def run(
    names: Sequence[str],
    model: Path | None,
    ocr: str | None,
    country: str | None,
    output: Path,
    confidence: float | None,
    save: Sequence[str],
    resume: bool,
    formats: Sequence[str],
) -> int:
    """Detect and read the plates of all inputs, and write the results.

    Args:
        names: files, folders and patterns.
        model: the exported detector; None: the one that ships with lpr.
        ocr: name of the OCR engine; "none": texts stay empty; None: that of `params.yaml` here, else `cascade`.
        country: whose registrations the texts are, one of `lpr.plates.countries.GRAMMARS`; None: any text.
        output: the folder of the results.
        confidence: threshold from which a plate counts as detected; None: as the detector was exported.
        save: of "csv", "images".
        resume: go on with the results of an earlier run in the output folder, which was killed or interrupted.
        formats: of `lpr.inference.exports.WRITERS`, in which the images' plates are written, too.

    Returns:
        0; or `SOME_UNREAD` where an input could not be read; or `INTERRUPTED`.

    Raises:
        UserError: the detector or the OCR engine cannot be loaded; no input could be read; the output cannot be
            written, or the run to go on with had other settings.
    """
    detector = _load(model)
    alpr = ALPR(detector, ocr, country, confidence)
    paths = find_inputs(names)
    targets = _targets(paths, output) if "images" in save else {}
    about: dict[str, Any] = {"detector": str(model or "shipped"), "exported": detector.metadata.model_dump()}
    about |= {"confidence": alpr.confidence_threshold, "ocr": alpr.ocr_name, "country": country}
    started, interrupted = time.monotonic(), False
    try:
        with Results(output, about, "csv" in save, resume) as results:
            waiting = [path for path in paths if printable(path) not in results.done]
            if results.done:
                print(f"going on: {len(paths) - len(waiting)} of {len(paths)} inputs are done already")
            earlier = results.counts.images
            try:
                _process_inputs(waiting, alpr, targets, results)
            except KeyboardInterrupt:
                interrupted = True
        exported = export(formats, output / JSONL)
    except OSError as error:
        raise UserError(f"{error.filename or output} cannot be written: {error.strerror}") from None

    counts = results.counts
    if counts.unreadable == len(paths) and not counts.images:
        raise UserError(f"none of the {len(paths)} inputs could be read" if len(paths) > 1 else "nothing could be read")
    read = "" if alpr.ocr_name == "none" else f" ({counts.read} read)"
    rate = (counts.images - earlier) / (time.monotonic() - started)
    plates = f"plates: {counts.plates}{read}"
    print(f"images: {counts.images}, {plates}, unreadable: {counts.unreadable}; {rate:.1f} images/s")
    written = [JSONL, *([CSV] if "csv" in save else []), *([f"{ANNOTATED}/"] if targets else []), *exported]
    print(f"{output}/: {', '.join(written)}")
    if interrupted:
        print("lpr predict: interrupted; what was found is kept, and `--resume` goes on", file=sys.stderr)
        return INTERRUPTED
    return SOME_UNREAD if counts.unreadable else 0


def _process_inputs(paths: Sequence[Path], alpr: ALPR, targets: dict[Path, Path], results: Results) -> None:
    """Write the records of each input, and draw its plates into its target."""
    for folder in {target.parent for target in targets.values()}:
        folder.mkdir(parents=True, exist_ok=True)
    with tqdm(total=sum(map(_count, paths)), desc="predict", unit="image", disable=None) as bar:
        for path in paths:
            target = targets.get(path)
            try:
                if is_video(path):
                    record = _process_video(path, alpr, target, results, bar.update)
                else:
                    record = _process_image(path, alpr, target)
                    bar.update()
            except Unreadable as error:
                record = error_record(path, str(error))
            results.add(record)
            _print(record)


def _process_image(path: Path, alpr: ALPR, target: Path | None) -> Record:
    pixels = read_image(path)
    image = Image.fromarray(pixels)
    plates = alpr.find(pixels, image)
    if target:
        save_image(draw_plates(image, plates), target)
    return image_record(path, *image.size, plates, f"{ANNOTATED}/{target.name}" if target else None)


def _process_video(path: Path, alpr: ALPR, target: Path | None, results: Results, done: Callable[[], object]) -> Record:
    """Writes the frames' records; returns that of the end."""
    plates: list[Plate] = []
    frames, error, annotated = 0, None, None
    with open_video(path) as video, ExitStack() as stack:
        file = None
        try:
            for frame in alpr.frames(video):
                results.add(frame_record(path, frame.number, *frame.image.size, frame.plates))
                frames += 1
                # For the tracks; crops and candidates of a long video would fill the memory.
                plates += [replace(plate, crop=None, candidates=()) for plate in frame.plates]
                if target:
                    file = file or stack.enter_context(VideoFile(target, video.frames_per_second, *frame.image.size))
                    annotated = f"{ANNOTATED}/{target.name}"
                    file.add(draw_plates(frame.image, frame.plates))
                done()
        except Unreadable as reason:
            error = str(reason)
    return video_record(path, frames, video.frames_per_second, summarize_tracks(plates), annotated, error)


def _load(model: Path | None) -> OnnxDetector:
    """The detector; says on standard error where it is not the one that was trained here last."""
    if model is None:
        if DETECTOR.is_file():
            print(f"lpr predict: by the shipped detector; --detector {DETECTOR_ONNX} names yours", file=sys.stderr)
        return load_onnx_detector(SHIPPED_DETECTOR)
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
        targets[path] = output / ANNOTATED / free_name(path.stem, ".mp4" if is_video(path) else ".jpg", taken)
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


def _print(record: Record) -> None:
    """A line an input: its plates on standard output, or on standard error why it could not be read."""
    name = record["image"]
    if "error" in record:
        tqdm.write(f"lpr predict: {name}: {record['error']}", file=sys.stderr)
    if record.get("frames"):
        tracks = record["tracks"]
        texts = ", ".join(f"{track['text']} {track['confidence']:.2f}" for track in tracks if track["text"])
        counts = f"{record['frames']} frames, {sum(track['plates'] for track in tracks)} plates on {len(tracks)} tracks"
        tqdm.write(f"{name}: {counts}{texts and ': '}{texts}")
    elif "plates" in record:
        plates = [f"{plate.get('text') or 'plate'} {plate['confidence']:.2f}" for plate in record["plates"]]
        tqdm.write(f"{name}: {', '.join(plates) or 'no plate'}")
