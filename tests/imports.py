"""What code a module of lpr reaches: by its imports, wherever they stand, and by module names in its strings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from clones import ROOT

_NAME = re.compile(r"lpr(\.\w+)+\.?")


def reached(module: str) -> set[Path]:
    """The files, relative to the project's root, that running `module` may read: code, and what lies beside it."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        for path in _files(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting += _imports(path)
    return found | {file for folder in {path.parent for path in found} for file in _data(folder)}


def _data(folder: Path) -> Iterator[Path]:
    """What is no code in a package: templates, weights; those of the packages in it are theirs."""
    for place in (ROOT / folder).iterdir():
        if place.is_dir() and not (place / "__init__.py").exists():
            yield from (file.relative_to(ROOT) for file in place.rglob("*") if file.suffix not in {".py", ".pyc"})
        elif place.is_file() and place.suffix != ".py":
            yield place.relative_to(ROOT)


def _files(module: str) -> Iterator[Path]:
    """The file of a module with the packages that it is in; of a name that ends with a dot, all modules of the package."""
    parts = module.rstrip(".").split(".")
    for count in range(1, len(parts) + 1):
        place = Path(*parts[:count])
        if (ROOT / place / "__init__.py").is_file():
            yield place / "__init__.py"
        elif (ROOT / place.with_suffix(".py")).is_file():
            yield place.with_suffix(".py")
    if module.endswith("."):
        yield from (path.relative_to(ROOT) for path in sorted((ROOT / Path(*parts)).glob("*.py")))


@cache
def _imports(path: Path) -> tuple[str, ...]:
    tree = ast.parse((ROOT / path).read_text())
    return tuple(_names(tree))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.startswith("lpr"))
    elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lpr":
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
        # A name that is put together, or that of a package of plug-ins: any of its modules.
        package = (ROOT / node.value.rstrip(".").replace(".", "/")).is_dir()
        yield node.value.rstrip(".") + "." * package
    for child in ast.iter_child_nodes(node):
        yield from _names(child)
