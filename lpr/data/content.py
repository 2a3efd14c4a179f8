"""What a file or folder of annotations holds, as far as that tells its format."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from lpr.data.csv_files import decode_text, read_csv_file
from lpr.data.labelled_images import files_below, image_suffixes
from lpr.errors import UserError

_LISTED = 8  # keys, columns and kinds of files in a description


class Content:
    """What a file or folder holds; each property is read when it is first asked for.

    Attributes:
        path: of the file or folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._firsts: dict[str, Content] = {}

    @cached_property
    def value(self) -> Any:
        """The first JSON value of a file, or the YAML of a .yaml; None for other files and for folders."""
        if self.path.suffix.lower() in (".yaml", ".yml"):
            try:
                return yaml.safe_load(self.text)
            except Exception:  # invalid dates, tags and numbers make its constructors raise exceptions of many kinds
                return None
        start = self.text.lstrip()
        if not start.startswith(("{", "[")):
            return None
        try:
            return json.JSONDecoder().raw_decode(start)[0]
        except (ValueError, RecursionError):
            return None

    @property
    def keys(self) -> set[str]:
        """Of the JSON or YAML object that a file holds; of the first object, where it holds an array of them."""
        value = self.value[0] if isinstance(self.value, list) and self.value else self.value
        return set(map(str, value)) if isinstance(value, dict) else set()

    @property
    def is_array(self) -> bool:
        """Whether it is a file with a JSON array."""
        return isinstance(self.value, list)

    @cached_property
    def root(self) -> str:
        """The name of the root element of an XML file; "" for others."""
        if not self.text.lstrip().startswith("<"):
            return ""
        try:
            with self.path.open("rb") as file:
                return str(next(ElementTree.iterparse(file, ["start"]))[1].tag)
        except (ElementTree.ParseError, StopIteration, OSError, ValueError, LookupError):
            return ""

    @cached_property
    def columns(self) -> list[str]:
        """The header of a CSV file; empty for what is none."""
        if not self.text or self.value is not None or self.root:
            return []
        try:
            return read_csv_file(self.path).columns
        except UserError:
            return []

    @cached_property
    def files(self) -> list[str]:
        """The paths below a folder of all its files; empty for a file."""
        return list(files_below(self.path)) if self.path.is_dir() else []

    @property
    def images(self) -> list[str]:
        """The paths below a folder of its images."""
        return [name for name in self.files if name.lower().endswith(image_suffixes())]

    def first(self, suffix: str) -> Content:
        """The first file of a folder with that suffix, if it has one; for a file, itself."""
        if not self.path.is_dir():
            return self
        if suffix not in self._firsts:
            name = next((name for name in self.files if name.lower().endswith(suffix)), "")
            self._firsts[suffix] = Content(self.path / name)
        return self._firsts[suffix]

    @cached_property
    def text(self) -> str:
        """The text of a file; "" for a folder, and for what is no text."""
        try:
            text = decode_text(self.path.read_bytes()) if self.path.is_file() else ""
        except OSError:
            return ""
        return "" if "\0" in text else text

    def describe(self) -> str:
        """What it is, for a message."""
        if self.path.is_dir():
            kinds = Counter(Path(name).suffix.lower() or "without a suffix" for name in self.files)
            listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_LISTED))
            inside = [self.first(kind) for kind in (".xml", ".json") if kind in kinds]
            shown = "".join(f"; {each.path.name} is {each.describe()}" for each in inside)
            return f"a folder with {listed or 'no files'}{shown}"
        if self.path.read_bytes()[:2] == b"PK":
            return "a ZIP archive: unpack it, and name what is in it"
        if self.keys:
            what = "a JSON array of objects" if self.is_array else "an object"
            return f"{what} with the keys {_some(sorted(self.keys))}"
        if self.value is not None:
            return "JSON without an object"
        if self.root:
            return f"XML whose root is <{self.root}>"
        if self.columns:
            return f"a table with the columns {_some(self.columns)}"
        return "no text" if not self.text.strip() else "text that is no JSON, XML or table"


def _some(names: list[str]) -> str:
    """The first few names, each cut where it is long."""
    short = [re.sub(r"\s+", " ", name)[:40] for name in names[:_LISTED]]
    return ", ".join(short) + (", …" if len(names) > _LISTED else "")
