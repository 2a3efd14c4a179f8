"""What a module of lpr reaches, computed from its source: files, and keys of the configuration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from clones import ROOT

_NAME = re.compile(r"lpr(\.\w+)+\.?")


@cache
def reached(module: str) -> frozenset[Path]:
    """The files, relative to the project's root, that running `module` may read: code, and what lies beside it.

    Code is reached by imports, wherever they stand, and by names of modules in strings, such as "lpr.ocr.engines".
    Modules with nothing but a docstring are left out, and so is the package's own `__init__`, which has nothing but
    names of `lpr.inference` for those who ask for them.
    """
    code = _code(module) - {Path("lpr", "__init__.py")}
    beside = {file for folder in {path.parent for path in code} for file in _data(folder)}
    return frozenset(path for path in code if not all(map(_is_docstring, _parsed(path).body))) | beside


@cache
def keys(module: str) -> frozenset[str]:
    """The keys of the configuration, such as `data.sources` or `ocr`, that the module's `run` may read; "" is all.

    They are what is read of parameters that are annotated `Config`, in all functions that `run` may call: those of the
    reached code whose names it mentions, and so on.
    """
    functions: dict[str, list[_Function]] = {}
    for path in _code(module):
        for one in _functions(path):
            functions.setdefault(one.name, []).append(one)
    takes_config = {name for name, several in functions.items() if any(one.takes_config for one in several)}
    (file,) = list(_files(module))[-1:]
    waiting = [one for one in _functions(file) if one.name == "run"]
    found: set[str] = set()
    followed: set[str] = set()
    while waiting:
        function = waiting.pop()
        found |= function.keys
        if function.gives_config_to - takes_config:
            found.add("")
        for name in function.mentions - followed:
            followed.add(name)
            waiting += functions.get(name, [])
    return frozenset(found)


def _code(module: str) -> set[Path]:
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        for path in _files(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting += _imports(path)
    return found


def _data(folder: Path) -> Iterator[Path]:
    """What is no code in a package: templates, weights; those of the packages in it are theirs."""
    for place in (ROOT / folder).iterdir():
        if place.is_dir() and not (place / "__init__.py").exists():
            yield from (file.relative_to(ROOT) for file in place.rglob("*") if file.suffix not in {".py", ".pyc"})
        elif place.is_file() and place.suffix != ".py":
            yield place.relative_to(ROOT)


def _files(module: str) -> Iterator[Path]:
    """The file of a module after those of its packages; of a name that ends with a dot, all modules of the package."""
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
def _parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_names(_parsed(path)))


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


@dataclass
class _Function:
    """What a function, with those in it, does with parameters that are annotated `Config`."""

    name: str
    takes_config: bool
    keys: set[str] = field(default_factory=set)  # that it reads
    gives_config_to: set[str] = field(default_factory=set)  # functions that it passes the whole to
    mentions: set[str] = field(default_factory=set)  # names and attributes


@cache
def _functions(path: Path) -> tuple[_Function, ...]:
    nodes = [node for node in ast.walk(_parsed(path)) if isinstance(node, ast.FunctionDef)]
    return tuple(_function(node) for node in nodes)


def _function(node: ast.FunctionDef) -> _Function:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    # Name → the key of what it holds.
    held = {one.arg: "" for one in arguments if one.annotation and ast.unparse(one.annotation) in _CONFIG}
    function = _Function(node.name, bool(held))
    for statement in node.body:
        _read(statement, held, function)
    return function


_CONFIG = {"Config", "config.Config"}


def _read(node: ast.AST, held: dict[str, str], function: _Function) -> None:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _key(node.value, held) is not None:
        held[node.targets[0].id] = str(_key(node.value, held))  # it counts what is read of that name
        return
    if (key := _key(node, held)) is not None:
        function.keys.add(key)
        return
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        whole = [one for one in given if _key(one, held) == ""]
        if whole:
            function.gives_config_to.add(called)
        for child in [node.func, *(one for one in given if one not in whole)]:
            _read(child, held, function)
        return
    if isinstance(node, ast.Name | ast.Attribute):
        function.mentions.add(node.id if isinstance(node, ast.Name) else node.attr)
    for child in ast.iter_child_nodes(node):
        _read(child, held, function)


def _key(node: ast.AST, held: dict[str, str]) -> str | None:
    """The key of the configuration that an expression is; None where it is none."""
    if isinstance(node, ast.Name):
        return held.get(node.id)
    if isinstance(node, ast.Attribute) and (section := _key(node.value, held)) is not None:
        if node.attr in {"as_dict", "model_dump"}:
            return section
        return f"{section}.{node.attr}".lstrip(".")
    return None
