"""Plug-ins: the modules that `format`, `detector.name` and `ocr.name` of the configuration name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from lpr.config.messages import nearest
from lpr.errors import UserError


def names(package: str) -> list[str]:
    """The plug-ins that come with the package, such as `lpr.ocr.engines`: its modules but `base`; none is imported."""
    return [module.name for module in pkgutil.iter_modules(import_module(package).__path__) if module.name != "base"]


def load(package: str, name: str, key: str) -> ModuleType:
    """The module `name` of `package`; or, where the name has a dot, a module of one's own that Python can import.

    Args:
        key: of the configuration, which has the name; for the message.

    Raises:
        UserError: there is no such module.
    """
    path = name if "." in name else f"{package}.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # something else, which the module imports
        known = names(package)
        near = nearest(name, known) or known
        raise UserError(
            f"{key}={name}: there is no module {path}; did you mean {' or '.join(map(repr, near))}? A plug-in of your "
            f"own is named by its path, such as my_package.{name.rpartition('.')[2]}"
        ) from None
