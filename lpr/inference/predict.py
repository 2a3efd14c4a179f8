"""`lpr predict`: the plates of images and videos, their texts, and what is written of them. Imports no TensorFlow."""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import groupby, takewhile
from pathlib import Path
from threading import Event
from typing import Any, TypeAlias

from PIL import Image
from tqdm import tqdm

from lpr.cores import usable_cores
from lpr.detection.onnx_detector import OnnxDetector, load_onnx_detector
from lpr.errors import UserError
from lpr.files import free_stem
from lpr.hashes import file_md5
from lpr.inference.alpr import ALPR
from lpr.inference.drawing import VideoFile, draw_plates, save_image
from lpr.inference.exports import YOLO, check_folder, export
from lpr.inference.inputs import (
    Inputs,
    Source,
    Stream,
    Unreadable,
    decode_image,
    find_inputs,
    is_video,
    open_video,
    read_image,
)
from lpr.inference.parallel import map_in_order
from lpr.inference.plates import Plate
from lpr.inference.results import (
    CSV,
    JSONL,
    Record,
    Results,
    error_record,
    frame_record,
    image_record,
    is_done,
    printable,
    video_record,
)
from lpr.inference.streams import LiveVideo, fetch_image, open_stream
from lpr.inference.tracker import Tracks
from lpr.paths import DETECTOR, DETECTOR_ONNX, SHIPPED_DETECTOR
from lpr.standard_output import discard_standard_output

# Folders in that of the output: of the images and videos with plates drawn on them, and of the plates' crops.
ANNOTATED, CROPS = "annotated", "crops"
MapImages: TypeAlias = Callable[[Iterable[Source]], Iterator[Record]]
"""Processes images; returns their records in the images' order."""
SOME_UNREAD = 3  # exit code
_NAMED = 3  # of the files that were left out
_MAX_STEM_BYTES = 200  # of an output's name, which most file systems limit to 255


def run(
    names: Sequence[str],
    model: Path | None,
    ocr: str | None,
    country: str,
    output: Path,
    confidence: float | None,
    save: Sequence[str],
    resume: bool,
    formats: Sequence[str],
    unread: str,
    workers: int | None,
    on: str,
    recursive: bool,
) -> int:
    """Detect and read the plates of all inputs, and write the results.

    Args:
        names: files, folders, patterns, URLs, and numbers of cameras.
        model: the exported detector; None: the one that ships with lpr.
        ocr: name of the OCR engine; "none": texts stay empty; None: that of `params.yaml` here, else `cascade`.
        country: whose registrations the texts are, one of `lpr.plates.countries.COUNTRY_NAMES`.
        output: the folder of the results.
        confidence: threshold from which a plate counts as detected; None: as the detector was exported.
        save: of "csv", "images", "crops".
        resume: go on with the results of an earlier run in the output folder, which was killed or interrupted.
        formats: of `lpr.inference.exports.WRITERS`, in which the images' plates are written, too.
        unread: what becomes of boxes in which nothing was read: one of `lpr.inference.alpr.UNREAD`.
        workers: how many images are processed at a time; None: one a core.
        on: "threads" of this process, or "ray": the images, not the videos, by all machines of a Ray cluster, which
            share the current folder, the inputs and the output.
        recursive: whether the subfolders of folders are looked into.

    Returns:
        0; or `SOME_UNREAD` where an input could not be read; or `Stop.exit_code` after an interruption.

    Raises:
        UserError: the detector or the OCR engine cannot be loaded; no input could be read; the output cannot be
            written, or the run to go on with had other settings.
    """
    threads = workers if workers and on == "threads" else usable_cores()
    detector = _load(model, max(1, usable_cores() // threads))
    alpr = ALPR(detector, ocr, country, confidence, unread, threads)
    inputs = find_inputs(names, recursive, output)
    paths = inputs.paths
    check_outputs(paths, output, save, formats)
    if on == "ray":
        from lpr.inference.ray_actors import mapping_by_ray  # before there are results: the extra may be missing
    about: dict[str, Any] = {"detector": str(model or "shipped"), "exported": detector.metadata.model_dump()}
    about |= {"confidence": alpr.confidence_threshold, "ocr": alpr.ocr_name, "country": country}
    about |= {"unread": unread}
    started = time.monotonic()
    try:
        with _first_interrupt() as stop, Results(output, about, "csv" in save, resume) as results:
            waiting = [path for path in paths if not is_done(path, results.done)]
            if results.done:
                print(f"going on: {len(paths) - len(waiting)} of {len(paths)} inputs are done already")
            earlier = results.counts.images
            images = Images(output, save, choose_targets(waiting, output, results.images))
            mapping: AbstractContextManager[MapImages] = nullcontext(partial(map_by_threads, alpr, images))
            if on == "ray":
                settings = model, ocr, country, confidence, unread
                mapping = mapping_by_ray(partial(_process_elsewhere, Path.cwd(), images, *settings), workers)
            try:
                with mapping as map_images:
                    process_inputs(waiting, alpr, images, map_images, results, stop)
            except KeyboardInterrupt:
                stop.set()
        exported = export(formats, output / JSONL)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{error.filename or output} cannot be written: {error.strerror}") from None

    counts = results.counts
    if counts.unreadable == len(paths) and not counts.images:
        raise UserError(f"none of the {len(paths)} inputs could be read" if len(paths) > 1 else "nothing could be read")
    read = "" if alpr.ocr_name == "none" else f" ({counts.read} read)"
    rate = (counts.images - earlier) / (time.monotonic() - started)
    plates = f"plates: {counts.plates}{read}"
    print(f"images: {counts.images}, {plates}, unreadable: {counts.unreadable}; {rate:.1f} images/s")
    named = {"csv": CSV, "images": f"{ANNOTATED}/", "crops": f"{CROPS}/"}
    print(f"{output}/: {', '.join([JSONL, *(name for what, name in named.items() if what in save), *exported])}")
    if counts.unread:
        print(f"boxes left out because nothing was read in them: {counts.unread}; `--unread keep` lists them")
    _print_left_out(inputs)
    if stop.is_set():
        print("lpr predict: interrupted; what was found is kept, and `--resume` goes on", file=sys.stderr)
        return stop.exit_code
    return SOME_UNREAD if counts.unreadable else 0


@dataclass(frozen=True)
class Images:
    """The images and videos that are written.

    Attributes:
        output: the folder of the results.
        save: of "images" (with the plates drawn on them) and "crops" (of the plates).
        targets: input → its annotated image or video, whose name is no other's, whether .jpg or .mp4 for a stream.
    """

    output: Path
    save: Collection[str]
    targets: Mapping[Source, Path]

    def annotated(self, source: Source, suffix: str) -> tuple[Path, str] | tuple[None, None]:
        """The annotated file of an input, and its name relative to the output folder; None where it is not wanted."""
        if "images" not in self.save:
            return None, None
        target = self.targets[source].with_suffix(suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target, f"{ANNOTATED}/{target.name}"

    def save_crops(self, source: Source, plates: Sequence[Plate], frame: int | None = None) -> list[str]:
        """Write the crops of the plates of an image, or of a frame; returns their names, relative to the output folder.

        Those of `car.jpg` are `crops/car-1.jpg`, …; those of the frame 25 of `drive.mp4` are `crops/drive/25-1.jpg`, ….
        """
        if "crops" not in self.save:
            return []
        start = f"{CROPS}/{self.targets[source].stem}" + ("" if frame is None else f"/{frame}")
        names = []
        for number, plate in enumerate(plates, start=1):
            if plate.crop:
                names.append(f"{start}-{number}.jpg")
                (self.output / names[-1]).parent.mkdir(parents=True, exist_ok=True)
                save_image(plate.crop, self.output / names[-1])
        return names


class Stop(Event):
    """Set where the work is to end.

    Attributes:
        exit_code: 128 and the number of the signal that asked for it, as shells have it.
    """

    exit_code = 128 + signal.SIGINT


@contextmanager
def _first_interrupt() -> Iterator[Stop]:
    """What the first Ctrl-C or SIGTERM sets: what is in work is to be finished. The second one ends the work at once.

    Signals that are ignored stay so, such as Ctrl-C in a shell's background.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handled = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]

    def set_event(number: int, _: object) -> None:
        stop.exit_code = 128 + number
        stop.set()
        for each in handled:
            signal.signal(each, signal.default_int_handler)

    for number in handled:
        signal.signal(number, set_event)
    try:
        yield stop
    finally:
        for number in handled:
            signal.signal(number, before[number])


def process_inputs(
    paths: Sequence[Source], alpr: ALPR, images: Images, map_images: MapImages, results: Results, stop: Event
) -> None:
    """Write the records of each input, and its images, until `stop`."""
    with tqdm(total=sum(map(_count, paths)), desc="predict", unit="image", disable=None) as bar:
        for are_videos, group in groupby(takewhile(lambda _: not stop.is_set(), paths), is_video):
            process_video = partial(_process_video, alpr, images, results, bar.update, stop)
            for record in map(partial(_readable, process_video), group) if are_videos else map_images(group):
                results.add(record)
                _print(record)
                bar.update("frames" not in record)


def map_by_threads(alpr: ALPR, images: Images, paths: Iterable[Source]) -> Iterator[Record]:
    """The records of images in their order, by threads of this process."""
    return map_in_order(_image_processor(alpr, images), paths, alpr.workers)


def _process_elsewhere(folder: Path, images: Images, *settings: Any) -> Callable[[Source], Record]:
    """What processes an image in another process, perhaps on another machine.

    Args:
        folder: the current folder here, to which paths are relative.
        settings: the first arguments of `ALPR`.

    Raises:
        UserError: the folder is not there.
    """
    try:
        os.chdir(folder)
    except OSError:
        raise UserError(
            f"{folder} is not there on {platform.node()}: --on ray needs a folder that all machines share"
        ) from None
    return _image_processor(ALPR(*settings), images)


def _image_processor(alpr: ALPR, images: Images) -> Callable[[Source], Record]:
    return partial(_readable, partial(_process_image, alpr, images))


def _readable(process: Callable[[Source], Record], source: Source) -> Record:
    """The record of an input, or why there is none."""
    try:
        return process(source)
    except Unreadable as error:
        return error_record(source, str(error))


def _process_image(alpr: ALPR, images: Images, source: Source, content: bytes | None = None) -> Record:
    """The record of an image: of a file, in object storage, or of the bytes of one."""
    if content is None and isinstance(source, Stream):
        content = fetch_image(source)
    pixels = read_image(Path(str(source))) if content is None else decode_image(content)
    image = Image.fromarray(pixels)
    found = alpr.find(pixels, image)
    plates = alpr.kept(found)
    target, annotated = images.annotated(source, ".jpg")
    if target:
        save_image(draw_plates(image, plates), target)
    crops = images.save_crops(source, plates)
    return image_record(source, *image.size, plates, annotated, len(found) - len(plates), crops)


def _process_video(
    alpr: ALPR, images: Images, results: Results, done: Callable[[], object], stop: Event, source: Source
) -> Record:
    """Writes the frames' records; returns that of the end. A stream that is an image is processed as such.

    Raises:
        KeyboardInterrupt: `stop` was set before the end of a video; a live stream ends then.
    """
    if isinstance(source, Stream) and (content := fetch_image(source)) is not None:
        return _process_image(alpr, images, source, content)
    tracks, frames, error, written = Tracks(), 0, None, None
    say = partial(tqdm.write, file=sys.stderr)
    opened = (
        open_stream(source, stop, say=lambda what: say(f"lpr predict: {what}"))
        if isinstance(source, Stream)
        else open_video(source)
    )
    with opened as video, ExitStack() as stack:
        live, file = isinstance(video, LiveVideo), None
        if live:
            say(f"lpr predict: {source}: live; Ctrl-C or SIGTERM ends it")
        try:
            for frame in alpr.frames(video):
                if stop.is_set() and not live:
                    raise KeyboardInterrupt
                size, crops = frame.image.size, images.save_crops(source, frame.plates, frame.number)
                results.add(frame_record(source, frame.number, *size, frame.plates, frame.unread, crops, frame.time))
                frames += 1
                tracks.add(frame.plates)
                target, annotated = images.annotated(source, ".mp4")
                if target and file is None and error is None:
                    try:
                        file = stack.enter_context(VideoFile(target, video.frames_per_second, *size))
                        written = annotated
                    except UserError as reason:
                        error = str(reason)
                if file:
                    file.add(draw_plates(frame.image, frame.plates))
                done()
        except Unreadable as reason:
            error = str(reason)
    skipped = video.skipped if isinstance(video, LiveVideo) else None
    return video_record(source, frames, video.frames_per_second, tracks.summaries(), written, error, skipped)


def _load(model: Path | None, threads: int) -> OnnxDetector:
    """The detector; says on standard error where it is not the one that was trained here last.

    Args:
        threads: of ONNX Runtime.
    """
    if model is None:
        if DETECTOR.is_file():
            print(f"lpr predict: by the shipped detector; --detector {DETECTOR_ONNX} names yours", file=sys.stderr)
        return load_onnx_detector(SHIPPED_DETECTOR, threads)
    trained = model.parent / f"{model.stem}.keras"
    if not model.is_file() and trained.is_file():
        raise UserError(f"{model} is missing, but {trained} is there: `lpr export` writes it")
    detector = load_onnx_detector(model, threads)
    if trained.is_file() and file_md5(trained) != detector.metadata.keras_md5:
        print(
            f"lpr predict: {model} was exported from another {trained} than the one there now: `lpr export`",
            file=sys.stderr,
        )
    return detector


def _print_left_out(inputs: Inputs) -> None:
    """Say what was not looked at in folders."""
    for one, several, paths, remedy in (
        ("file that is no image or video", "files that are no images or videos", inputs.left_out, ""),
        ("subfolder", "subfolders", inputs.subfolders, "; `--recursive` looks into subfolders"),
    ):
        if paths:
            named = ", ".join(map(printable, paths[:_NAMED])) + (", …" if len(paths) > _NAMED else "")
            print(f"not looked at: {len(paths)} {one if len(paths) == 1 else several} ({named}){remedy}")


def check_outputs(paths: Sequence[Source], output: Path, save: Collection[str], formats: Sequence[str]) -> None:
    """Check that no image of the user's would be overwritten.

    Args:
        save: of "images" and "crops": what is written.
        formats: of the exports.

    Raises:
        UserError: inputs, or images of a data set, are where others would be written.
    """
    inputs = [place for path in paths if isinstance(path, Path) for place in (path.absolute(), _resolved(path))]
    for what, folder in (("images", ANNOTATED), ("crops", CROPS), ("yolo", YOLO)):
        places = {(output / folder).absolute(), _resolved(output / folder)}
        if what in (*save, *formats) and any(not places.isdisjoint(path.parents) for path in inputs):
            raise UserError(f"{what} would be written to {output / folder}, which has inputs: choose another --output")
    check_folder(formats, output)


def _resolved(path: Path) -> Path:
    """The path without links; unlike `Path.resolve`, of links that go round in a circle, too."""
    return Path(os.path.realpath(path))


def choose_targets(paths: Sequence[Source], output: Path, written: Collection[str] = ()) -> dict[Source, Path]:
    """The file for the annotated image or video of each input: its name, numbered where several have it.

    Args:
        written: annotated images and crops that are there already, relative to the output folder.
    """
    targets: dict[Source, Path] = {}
    taken = {_stem_of_written(name) + suffix for name in written for suffix in (".jpg", ".mp4")}
    for path in paths:
        suffixes = [".jpg", ".mp4"] if isinstance(path, Stream) else [".mp4" if is_video(path) else ".jpg"]
        targets[path] = output / ANNOTATED / (free_stem(_cut(path.stem), suffixes, taken) + suffixes[0])
    return targets


def _stem_of_written(name: str) -> str:
    """Of `annotated/car.jpg`, `crops/car-1.jpg` and `crops/car/25-1.jpg`: `car`."""
    folder, first, *rest = Path(name).parts
    if rest:
        return first
    stem = Path(first).stem
    return stem.rpartition("-")[0] if folder == CROPS else stem


def _cut(stem: str) -> str:
    """The name without its end where it is so long that a number and a suffix might not fit."""
    content = os.fsencode(stem)
    return stem if len(content) <= _MAX_STEM_BYTES else content[:_MAX_STEM_BYTES].decode("utf-8", "ignore") or "_"


def _count(source: Source) -> int:
    """How many images or frames an input has, as far as is known before it is decoded."""
    if not is_video(source):
        return 1
    if isinstance(source, Stream):
        return 0
    try:
        with open_video(source) as video:
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
        counts += f", {record['skipped']} frames skipped" if "skipped" in record else ""
        _say(f"{name}: {counts}{texts and ': '}{texts}")
    elif "plates" in record:
        plates = [f"{plate.get('text') or 'plate'} {plate['confidence']:.2f}" for plate in record["plates"]]
        _say(f"{name}: {', '.join(plates) or 'no plate'}")


def _say(line: str) -> None:
    """Print a line beside the progress bar. Where nobody reads any more, the work goes on: its results are files."""
    try:
        tqdm.write(line)
    except BrokenPipeError:
        discard_standard_output()
