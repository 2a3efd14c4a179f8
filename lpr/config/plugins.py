"""Plug-ins: the modules that `format`, `detector.name` and `ocr.name` of the configuration name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from lpr.config.messages import nearest
from lpr.errors import UserError


def names(package: str) -> list[str]:
    """The plug-ins in a package such as `lpr.ocr.engines`: its modules except `base`. None of them is imported."""
    return [module.name for module in pkgutil.iter_modules(import_module(package).__path__) if module.name != "base"]


def load(package: str, name: str, key: str) -> ModuleType:
    """The module `name` of `package`; or, if the name has a dot, the module of that path, from outside the package.

    Args:
        package: the plug-ins that come with lpr, such as `lpr.ocr.engines`.
        name: as the configuration has it.
        key: the key of the configuration that has the name; begins the message.

    Raises:
        UserError: there is no such module.
    """
    path = name if "." in name else f"{package}.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # a module that the plug-in imports is missing
        known = names(package)
        near = nearest(name, known) or known
        raise UserError(
            f"{key}={name}: there is no module {path}; did you mean {' or '.join(map(repr, near))}? A plug-in of your "
            f"own is named by its path, such as my_package.{name.rpartition('.')[2]}"
        ) from None
