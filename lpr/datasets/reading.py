"""Data sets that a user names by their paths, read as the stages `source` and `annotate` read them."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lpr.composition.compose import compose_values
from lpr.config import Data, Source
from lpr.config.messages import validate
from lpr.data.annotations import ANNOTATIONS, Annotations, read_annotations
from lpr.data.formats import auto
from lpr.data.sources import obtain
from lpr.errors import UserError
from lpr.files import free_stem
from lpr.paths import conf_folder

_OF_ANY_SET = ("annotations", "labels", "images")  # names of folders that say nothing
_TOO_LONG = 32  # of a source's name; a number may follow


class Options(NamedTuple):
    """How sets are read: the keys of `data` of the same names, as text; None where they are not given."""

    format: str | None = None
    image_root: str | None = None
    columns: str | None = None
    plate_labels: str | None = None
    texts: str | None = None
    boxes: str | None = None


@dataclass(frozen=True)
class DataSet:
    """A set of annotated images.

    Attributes:
        path: of its annotations, as the user wrote it.
        name: of the source that it is.
        format: of the annotations.
        annotations: its plates and what was rejected.
        notes: what was printed while it was read.
    """

    path: str
    name: str
    format: str
    annotations: Annotations
    notes: list[str]


@dataclass(frozen=True)
class DataSets:
    """Sets, and what their images are found by.

    Attributes:
        data: the configuration, with a source a set.
        folder: `folder/NAME` is what the format of source NAME wrote; gone when the sets are closed.
        sets: in the order of their paths.
    """

    data: Data
    folder: Path
    sets: list[DataSet]


def defaults(section: str) -> dict[str, Any]:
    """A section of the configuration as conf/ has it."""
    values: dict[str, Any] = _composed(conf_folder().absolute())[section]
    return values


@cache
def _composed(conf: Path) -> dict[str, Any]:
    return compose_values([], conf)


@contextmanager
def opened(paths: Sequence[str], options: Options) -> Iterator[DataSets]:
    """The sets at these paths; nothing is written but in a temporary folder.

    Raises:
        UserError: a path or option is wrong, or nothing of a set can be used.
    """
    data = _configuration(paths, options)
    with tempfile.TemporaryDirectory(prefix="lpr-data-") as temporary:
        folder = Path(temporary)
        sets = [_read(source, folder / source.name, data) for source in data.sources]
        yield DataSets(data, folder, sets)


def _configuration(paths: Sequence[str], options: Options) -> Data:
    """The section `data` of conf/ with a source a path."""
    columns = _value(options.columns)
    format_ = options.format or ("table" if columns else "auto")
    taken: set[str] = set()
    files = {"image_root": options.image_root, "texts": options.texts, "boxes": options.boxes}
    sources = [
        {"name": free_stem(_name(path), [""], taken), "format": format_, "annotations": path}
        | files
        | ({"columns": columns} if columns else {})
        for path in paths
    ]
    labels = _value(options.plate_labels)
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",")]
    values = defaults("data")
    return validate(Data, values | {"sources": sources, "plate_labels": labels}, "the options", "data")


def _value(text: str | None) -> Any:
    """What an option's text says, in YAML, as it is written for a key of the configuration."""
    try:
        return None if text is None else yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"{text!r} is neither a list such as [plate, 'number plate'] nor {{image: file}}") from None


def _name(path: str) -> str:
    """A source's name: that of the folder, or of the folder that the file is in, or of one above with a better name."""
    place = Path(path).expanduser().resolve()
    folders = [place, *place.parents] if place.is_dir() else place.parents
    name = next(folder.name for folder in folders if folder.name.lower() not in _OF_ANY_SET)
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:_TOO_LONG].rstrip("-") or "set"


def _read(source: Source, folder: Path, data: Data) -> DataSet:
    with redirect_stdout(io.StringIO()) as printed:
        obtain(source, folder, data)
    format_ = auto.recognized(folder) if source.format == "auto" else source.format
    annotations = read_annotations(folder / ANNOTATIONS, source.name, data.plate_labels)
    return DataSet(str(source.annotations), source.name, format_, annotations, printed.getvalue().splitlines())
