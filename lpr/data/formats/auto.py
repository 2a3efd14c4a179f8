"""Whatever format the annotations are in: it is recognised by their content, and what it is called is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from pydantic import Field

from lpr.config import Data, Source, plugins
from lpr.data import formats
from lpr.data.annotation_files import local_place
from lpr.data.content import Content
from lpr.data.formats.base import Recognizable
from lpr.errors import UserError

NAMES_ARE_URLS = False
_RECOGNIZED = "format.txt"  # in the source's folder: the name of the format
_SUFFIXES = (".json", ".xml", ".csv", ".tsv", ".yaml", ".yml")  # of files that are looked for in a folder


class Settings(Source):
    """Annotations of any format that is recognised by its content."""

    format: Literal["auto"]
    annotations: str = Field(description="path of the annotations, a file or a folder")


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write what the format that is recognised writes."""
    place = local_place(source.annotations, source.name)
    path, name = _recognize(place, source.name)
    print(f"source {source.name}: {path} is of the format {name}")
    (folder / _RECOGNIZED).write_text(name)
    module = formats.load(name)
    module.write_annotations(_settings(source, module, name, path), folder, data)


def image_root(source: Settings, folder: Path) -> Path | None:
    """Where the format that was recognised expects the images."""
    name = recognized(folder)
    module = formats.load(name)
    return module.image_root(_settings(source, module, name, Path(source.annotations)), folder)


def recognized(folder: Path) -> str:
    """The name of the format, in the folder that `write_annotations` wrote to."""
    return (folder / _RECOGNIZED).read_text()


def _settings(source: Settings, module: formats.Format, name: str, path: Path) -> Source:
    return module.Settings.model_validate(source.model_dump() | {"format": name, "annotations": str(path)})


def _recognize(place: Path, source: str) -> tuple[Path, str]:
    """The path of the annotations, in a folder perhaps the only file of a known format, and the format's name."""
    content = Content(place)
    found = [(place, name) for name in _formats_of(content)]
    if not found and place.is_dir():
        files = [place / name for name in content.files if name.lower().endswith(_SUFFIXES)]
        found = [(file, name) for file in files for name in _formats_of(Content(file))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{path} ({name})" for path, name in found[:8])
        other = f"name the format: data.format={found[0][1]}"
        if len({name for _, name in found}) == 1:
            other = "make one set of all: `lpr data merge FILE FILE … --output FOLDER`"
        raise UserError(f"source {source}: {place} may be any of {listed}; set data.annotations to one, or {other}")
    names = ", ".join(_recognizable())
    raise UserError(
        f"source {source}: the format of {place} is not recognised: it is {content.describe()}. The formats are "
        f"{names}. A table with columns of other names is read by data=table data.columns='{{image: NAME, xmin: NAME, "
        "…}'; other formats can be added: docs/extending.md"
    )


def _formats_of(content: Content) -> list[str]:
    """The names of the formats that recognise it."""
    return [name for name, module in _recognizable().items() if module.recognizes(content)]


def _recognizable() -> dict[str, Recognizable]:
    """The formats that recognise annotations, by their names."""
    modules = {name: formats.load(name) for name in plugins.names("lpr.data.formats")}
    return {name: cast(Recognizable, module) for name, module in modules.items() if hasattr(module, "recognizes")}
