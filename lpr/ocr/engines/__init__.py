"""The OCR engines, a module each; `ocr.name` of the configuration names one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from lpr.config import CONF, PARAMS, Ocr, plugins
from lpr.config.messages import validate
from lpr.config.params import read
from lpr.errors import UserError
from lpr.ocr.engines.base import EngineModule, OcrEngine

__all__ = ["EngineModule", "OcrEngine", "create", "load", "load_settings", "names"]

_PACKAGE = "lpr.ocr.engines"


def names() -> list[str]:
    """The engines that come with the package; none is imported."""
    return plugins.names(_PACKAGE)


def load(name: str) -> EngineModule:
    """The module of that name: one of this folder, or, with a dot in the name, one's own.

    Raises:
        UserError: there is none.
    """
    return cast(EngineModule, plugins.load(_PACKAGE, name, "ocr.name"))


def create(config: Ocr, cache: Path) -> OcrEngine:
    """The engine that a section `ocr` of the configuration names; a remote one keeps its answers in the folder `cache`.

    Raises:
        UserError: the settings break the engine's schema, or what it needs is not installed.
    """
    module = load(config.name)
    return module.create(validate(module.Settings, config.model_dump(), "the configuration", "ocr"), cache)


def load_settings(name: str | None = None, params: Path = PARAMS) -> Ocr:
    """The settings of an engine outside of an experiment.

    They are those of `params.yaml` here, if there is one and it has that engine; else those of its option in `conf/`,
    here or, outside of a project, of lpr's own.

    Args:
        name: of the engine; None: the one of `params.yaml`, else cascade.

    Raises:
        UserError: the settings break the schema, or there is no such option.
    """
    chosen = read(params) if params.is_file() else {}
    settings, where = chosen.get("ocr") if isinstance(chosen, dict) else None, params
    if not isinstance(settings, dict) or name not in (None, settings.get("name")):
        conf = CONF if CONF.is_dir() else Path(__file__).parents[3] / CONF
        where = conf / "ocr" / f"{name or 'cascade'}.yaml"
        if not where.is_file():
            raise UserError(f"{where}, which has the settings of ocr={name}, is missing: run lpr from its checkout")
        settings = read(where)
    named = validate(Ocr, settings, str(where), "ocr")
    return validate(load(named.name).Settings, settings, str(where), "ocr")
