"""`lpr predict`: the plates of images and videos, by an exported detector."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from lpr.cli.verbs import add_verb
from lpr.paths import DETECTOR_ONNX, conf_folder
from lpr.plates.countries import AUTO, COUNTRY_NAMES

_SAVED = ("csv", "images", "crops")
_UNREAD = ("drop", "keep")
_ON = ("threads", "ray")
_FORMATS = ("coco", "labelstudio", "yolo")


def add_verbs(verbs: Any) -> None:
    """Add it."""
    predict = add_verb(
        verbs,
        "predict",
        "lpr.inference.predict",
        _predict,
        help="detect and read the plates of images, videos and streams",
        description="Detect the plates of images and videos, by the detector that ships with lpr or by another, "
        "and read them. "
        "Into the output folder go predictions.jsonl (a line an image or frame, each written as soon as it is done; "
        "the consensus of the frames of a video; the reason for each input that could not be read), predictions.csv (a "
        "row a plate, pixels; a table that data=table takes), annotated/ (the images and videos with the plates "
        "drawn on them) and, if asked for, crops/ (an image of each plate).",
        example="lpr predict street.jpg drive.mp4 photos/\n"
        "lpr predict 'photos/*.jpg' --ocr rapidocr --country india --save csv --format coco\n"
        "lpr predict rtsp://user:password@camera/stream --save csv,crops",
        notes="exit status: 0 all inputs were read, whether or not they show plates; 1 none could be, or there is no "
        "detector or OCR engine; 2 wrong usage; 3 some inputs could not be read, the others were; 130 or 143 "
        "interrupted by Ctrl-C or SIGTERM, what was found is kept, and --resume goes on.",
    )
    predict.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="images, videos, folders, patterns such as '*.jpg', rtsp and http URLs of streams, videos and images, s3 "
        "and gs URLs of images, and, with a slash at the end, of folders of them, the number of a camera",
    )
    predict.add_argument("--recursive", action="store_true", help="look into the subfolders of folders, too")
    add_recognition_arguments(predict)
    predict.add_argument(
        "--output", type=Path, default=Path("predictions"), metavar="FOLDER", help="default: %(default)s"
    )
    predict.add_argument(
        "--save",
        type=partial(_chosen, _SAVED),
        default=_SAVED[:2],
        metavar="WHAT",
        help=f"of {','.join(_SAVED)}; default: {','.join(_SAVED[:2])}",
    )
    predict.add_argument(
        "--format",
        type=partial(_chosen, _FORMATS),
        default=(),
        metavar="FORMAT",
        help=f"of {','.join(_FORMATS)}: write the plates of the images in these formats, too, to correct them",
    )
    predict.add_argument(
        "--unread",
        choices=_UNREAD,
        default=_UNREAD[0],
        help="boxes in which the OCR engine read nothing with confidence: %(choices)s; default: %(default)s, which "
        "counts them",
    )
    predict.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="images, or frames, that are processed at a time; default: one a core",
    )
    predict.add_argument(
        "--on",
        choices=_ON,
        default=_ON[0],
        help="%(choices)s; ray: images are processed by all machines of the Ray cluster that RAY_ADDRESS names, which "
        "share the current folder, inputs and output; without one, by the cores of this one; default: %(default)s",
    )
    predict.add_argument(
        "--resume", action="store_true", help="go on with the output of the same command, killed or interrupted"
    )


def add_recognition_arguments(parser: ArgumentParser) -> None:
    """Add those that choose how plates are found and read: --detector, --ocr, --country, --confidence."""
    parser.add_argument(
        "--detector",
        type=Path,
        metavar="FILE",
        help=f"such as {DETECTOR_ONNX} of `lpr export`; default: the shipped one",
    )
    parser.add_argument(
        "--ocr",
        choices=[*sorted(path.stem for path in (conf_folder() / "ocr").glob("*.yaml")), "none"],
        metavar="ENGINE",
        help="%(choices)s; default: that of params.yaml here, else cascade; none leaves the texts empty",
    )
    parser.add_argument(
        "--country",
        choices=COUNTRY_NAMES,
        default=AUTO,
        metavar="COUNTRY",
        help="whose registrations the texts are: %(choices)s; default: %(default)s, of the region that the recognizer "
        "tells for each plate; none: any text",
    )
    parser.add_argument(
        "--confidence", type=_fraction, metavar="C", help="threshold of a plate's confidence, 0–1; default: as exported"
    )


def _predict(module: ModuleType, options: Namespace) -> int:
    status: int = module.run(
        options.inputs,
        options.detector,
        options.ocr,
        options.country,
        options.output,
        options.confidence,
        options.save,
        options.resume,
        options.format,
        options.unread,
        options.workers,
        options.on,
        options.recursive,
    )
    return status


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _chosen(choices: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The choices that are named, separated by commas."""
    chosen = tuple(text.split(","))
    if unknown := [what for what in chosen if what not in choices]:
        raise ArgumentTypeError(f"there is no {unknown[0]!r}; choose of {','.join(choices)}")
    return chosen
