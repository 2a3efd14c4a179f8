"""`lpr data check`, `lpr data convert`, `lpr data merge`: sets of annotated images, apart from experiments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

from lpr.cli.verbs import add_verb
from lpr.paths import DATA_CHECK

_TARGETS = ("coco", "yolo", "csv")
_OPTIONS = {
    "format": ("NAME", "of the annotations; default: recognised by their content"),
    "image_root": ("FOLDER", "or base URL of the images; default: where the format expects them"),
    "columns": ("MAPPING", "what a table calls its columns: '{image: file, xmin: left}'"),
    "plate_labels": ("LABELS", "of plates: 'plate,number plate'; default: those whose name says so"),
    "texts": ("FILE", "CSV of plate texts"),
    "boxes": ("FILE", "CSV of boxes that replace those of the annotations"),
}
_STATUS = (
    "exit status: 0 all is fine; 1 nothing can be read; 2 wrong usage; 3 something is rejected or missing, and is "
    "listed with its reason."
)


def add_verbs(verbs: Any) -> None:
    """Add them."""
    data = add_verb(
        verbs,
        "data",
        "lpr.datasets.check",
        _check,
        help="check, convert and merge sets of annotated images",
        description="Say what a set of annotated images holds, write it in another format, or make one of several. "
        "Nothing of the sets is changed, and no project is needed.",
        example="lpr data check plates/data.yaml\n"
        "lpr data convert annotations.xml --to coco --output coco\n"
        "lpr data merge gate/ street.csv --output all",
    )
    actions = data.add_subparsers(dest="action", required=True, metavar="check|convert|merge")

    check = add_verb(
        actions,
        "check",
        "lpr.datasets.check",
        _check,
        help="say what a set holds, as text and as a page with plots and samples",
        description="Say what a set of annotated images holds, before anything is trained on it: images, labels, "
        "texts, sizes of plates, duplicates, what a split would leak, and what would be rejected. Into the output "
        "folder go index.html, rejects.csv and failures.csv.",
        example="lpr data check plates/data.yaml\nlpr data check boxes.csv --image-root photos --group-by folder",
        notes=_STATUS,
    )
    check.add_argument("path", metavar="PATH", help="of the annotations, a file or a folder")
    _add_options(check)
    check.add_argument("--group-by", metavar="HOW", help="split.group_by: folder, or a regular expression")
    check.add_argument("--output", type=Path, default=DATA_CHECK, metavar="FOLDER", help="default: %(default)s")

    convert = add_verb(
        actions,
        "convert",
        "lpr.datasets.convert",
        lambda module, options: module.convert(options.path, _options(options), options.to, options.output),
        help="write a set as COCO, YOLO or a CSV, with its images",
        description="Write a set in another format, with copies of its images; what the format cannot hold is counted.",
        example="lpr data convert annotations.xml --to coco --output coco",
        notes=_STATUS,
    )
    convert.add_argument("path", metavar="PATH", help="of the annotations, a file or a folder")
    _add_options(convert)
    _add_target(convert, required=True)

    merge = add_verb(
        actions,
        "merge",
        "lpr.datasets.convert",
        lambda module, options: module.merge(options.paths, _options(options), options.to, options.output),
        help="make one set of several, of whatever formats",
        description="Make one set of several. The images of each are in a folder of its name, so that those of one "
        "name stay two and split.group_by=folder keeps those of a folder together; identical images are written once. "
        "The options are for all sets.",
        example="lpr data merge gate/ street.csv --output all",
        notes=_STATUS,
    )
    merge.add_argument("paths", nargs="+", metavar="PATH", help="of annotations, files or folders")
    _add_options(merge)
    _add_target(merge, required=False)


def _add_options(parser: ArgumentParser) -> None:
    for key, (value, meaning) in _OPTIONS.items():
        parser.add_argument(f"--{key.replace('_', '-')}", metavar=value, help=f"{meaning} (data.{key})")


def _add_target(parser: ArgumentParser, required: bool) -> None:
    default = "" if required else "; default: csv"
    parser.add_argument(
        "--to", choices=_TARGETS, required=required, default="csv", metavar="FORMAT", help=f"%(choices)s{default}"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="that is written; a new one")


def _options(options: Namespace) -> Any:
    from lpr.datasets.reading import Options

    return Options(**{key: getattr(options, key) for key in _OPTIONS})


def _check(module: ModuleType, options: Namespace) -> int:
    status: int = module.run(options.path, _options(options), options.group_by, options.output)
    return status
