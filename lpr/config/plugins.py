"""Plug-ins: the modules that `format`, `detector.name` and `ocr.name` of the configuration name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from lpr.config.messages import nearest
from lpr.errors import UserError


def names(package: str) -> list[str]:
    """The plug-ins in a package such as `lpr.ocr.engines`: its modules except `base`. None of them is imported."""
    return [module.name for module in pkgutil.iter_modules(import_module(package).__path__) if module.name != "base"]


def find(path: str) -> ModuleType | None:
    """The module of that path, imported; None where there is none. What the module itself fails to import is raised."""
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise
        return None


def load(package: str, name: str, key: str, protocol: type[Any]) -> ModuleType:
    """The module `name` of `package`; or, if the name has a dot, the module of that path, from outside the package.

    Args:
        package: the plug-ins that come with lpr, such as `lpr.ocr.engines`.
        name: as the configuration has it.
        key: the key of the configuration that has the name; begins the message.
        protocol: what the module must have, a `Protocol` of attributes and functions.

    Raises:
        UserError: there is no such module, or it lacks something.
    """
    path = name if "." in name else f"{package}.{name}"
    module = find(path)
    if module is None:
        known = names(package)
        near = nearest(name, known) or known
        raise UserError(
            f"{key}={name}: there is no module {path}; did you mean {' or '.join(map(repr, near))}? A plug-in of your "
            f"own is named by its path, such as my_package.{name.rpartition('.')[2]}"
        )
    functions = [member for member in vars(protocol) if not member.startswith("_")]
    if missing := [member for member in (*protocol.__annotations__, *functions) if not hasattr(module, member)]:
        raise UserError(
            f"{key}={name}: {module.__file__} has no {', '.join(missing)}, which {protocol.__module__} describes"
        )
    return module
