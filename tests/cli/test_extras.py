"""What lpr imports is of its base dependencies, or a missing package is explained."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest
from clones import ROOT

from lpr.cli import extras

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_imported_package_is_of_the_base_or_of_an_extra() -> None:
    base = {normalized(re.split("[>=<;]", entry)[0]) for entry in PROJECT["dependencies"]}
    of_base = {
        module for module, packages in packages_distributions().items() if base & {normalized(one) for one in packages}
    }
    of_extras = {module for modules in extras.MODULES.values() for module in modules}
    assert imported() - of_base == of_extras


def test_the_extras_exist() -> None:
    named = {extra for extras_ in extras.MODULES for extra in extras_.split(",")}
    assert named <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("module", ["lpr.nothing", "my_plugin_needs_this", "numpy"])
def test_a_module_of_no_extra_is_not_explained(module: str) -> None:
    assert extras.explain(ModuleNotFoundError(name=module)) is None


def imported() -> set[str]:
    """The top-level modules that the code of lpr imports, but for its own, those of Python, and Pydantic's core."""
    names = {name for path in (ROOT / "lpr").rglob("*.py") for name in _imports(ast.parse(path.read_text()))}
    return names - sys.stdlib_module_names - {"lpr", "pydantic_core"}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def normalized(package: str) -> str:
    return re.sub("[-_.]+", "-", package).lower()
