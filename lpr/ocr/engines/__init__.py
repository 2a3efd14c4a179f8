"""The OCR engines, a module each; `ocr.name` of the configuration names one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from lpr.config import PARAMS, AnyOcr, Ocr, plugins
from lpr.config.messages import validate
from lpr.config.params import read
from lpr.errors import UserError
from lpr.ocr.engines.base import EngineModule, OcrEngine
from lpr.paths import conf_folder

__all__ = ["EngineModule", "OcrEngine", "create", "load", "load_settings", "names"]

_PACKAGE = "lpr.ocr.engines"
_DEFAULT = "cascade"


def names() -> list[str]:
    """The names of the engines that come with the package; none of them is imported."""
    return plugins.names(_PACKAGE)


def load(name: str) -> EngineModule:
    """The module of that name: one of this folder or, with a dot in the name, one's own.

    Raises:
        UserError: there is no such module, or it is no engine.
    """
    return cast(EngineModule, plugins.load(_PACKAGE, name, "ocr.name", EngineModule))


def create(config: Ocr, cache: Path) -> OcrEngine:
    """The engine that the section `ocr` of the configuration names.

    Args:
        config: the section, with the keys of the engine.
        cache: a folder for results that are expensive to get again, such as those of a remote engine.

    Raises:
        UserError: the settings break the engine's schema, or what it needs is not installed.
    """
    module = load(config.name)
    return module.create(validate(module.Settings, config.model_dump(), "the configuration", "ocr"), cache)


def load_settings(name: str | None = None, params: Path = PARAMS) -> Ocr:
    """The settings of an engine outside of an experiment: an instance of its `Settings`.

    They come from `params.yaml` in the working directory, if that has this engine; else from the engine's option in
    `lpr.paths.conf_folder()`.

    Args:
        name: of the engine; None: that of `params.yaml`, else `cascade`.
        params: the file to use as `params.yaml`.

    Raises:
        UserError: the settings break the schema, or there is no such option.
    """
    chosen = read(params) if params.is_file() else {}
    settings, where = chosen.get("ocr") if isinstance(chosen, dict) else None, params
    if not isinstance(settings, dict) or name not in (None, settings.get("name")):
        where = conf_folder() / "ocr" / f"{name or _DEFAULT}.yaml"
        if not where.is_file():
            raise UserError(f"{where}, which would have the settings of ocr={name or _DEFAULT}, is missing")
        settings = read(where)
    named = validate(AnyOcr, settings, str(where), "ocr")
    return validate(load(named.name).Settings, settings, str(where), "ocr")
