"""Checking a whole configuration: every section by its schema, plug-ins by their own, and whether they fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lpr.config import AnyDetector, AnyOcr, AnySource, Config, Section
from lpr.config.messages import InvalidConfigError, validate
from lpr.data import formats
from lpr.detection import families
from lpr.errors import UserError
from lpr.metrics import table as metrics
from lpr.ocr import engines


def check(values: Any, where: str) -> Config:
    """The configuration that plain containers hold.

    Args:
        where: the file or command that they come from; begins the message.

    Raises:
        InvalidConfigError: one line a problem: key, value, what is allowed, and the nearest valid key for a typo.
    """
    config = validate(Config, values, where)
    try:
        family, engine = families.load(config.detector.name), engines.load(config.ocr.name)
        metrics.load(config.metrics)
        modules = [formats.load(source.format) for source in config.data.sources]
    except UserError as error:
        raise InvalidConfigError(f"{where}:\n  {error}", misfit=False) from None
    validate(family.Settings, values["detector"], where, "detector")
    validate(engine.Settings, values["ocr"], where, "ocr")
    for number, module in enumerate(modules):
        validate(module.Settings, values["data"]["sources"][number], where, f"data.sources[{number}]")
    if problems := list(_misfits(config, family, engine)):
        raise InvalidConfigError(f"{where}:\n  " + "\n  ".join(problems), misfit=True)
    return config


def settings_of(section: type[Section], values: Mapping[str, Any]) -> type[Section]:
    """The schema of a section with these values: of a plug-in, its own `Settings`; else the section as it is."""
    if section is AnyDetector:
        return families.load(values["name"]).Settings
    if section is AnyOcr:
        return engines.load(values["name"]).Settings
    if section is AnySource:
        return formats.load(values["format"]).Settings
    return section


def _misfits(config: Config, family: families.Family, engine: engines.EngineModule) -> Iterator[str]:
    """One message for each other section that the detector's family or the OCR engine cannot be trained or run with."""
    for key, known in (("augment", family.AUGMENTS), ("inference", family.INFERENCES)):
        chosen = getattr(config, key).name
        if chosen not in known:
            yield f"{key}={chosen} does not fit detector={config.detector.name}, which takes {key}={' or '.join(known)}"
    if config.target == "recognizer" and "weights" not in engine.Settings.model_fields:
        yield f"target=recognizer trains the network of ocr=recognizer; ocr={config.ocr.name} has none"
