"""Checking a whole configuration: every section by its schema, plug-ins by their own, and whether they fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lpr.config import AnyDetector, AnyOcr, AnySource, Config, Section, Source, path_keys
from lpr.config.messages import InvalidConfigError, validate
from lpr.data import formats
from lpr.detection import families
from lpr.errors import UserError
from lpr.metrics import table as metrics
from lpr.ocr import engines
from lpr.paths import RECOGNIZER_ONNX, SCRATCH


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


def check_files(config: Config, root: Path = Path()) -> None:
    """Check the files and folders that the configuration names, before anything runs: that they are there.

    Weights of an OCR engine are opened: the engine runs last, when a detector has been trained for hours.

    Args:
        root: from which relative paths are.

    Raises:
        UserError: one line a problem: key, path and what is wrong.
    """
    problems = list(_missing(config, root))
    engine = engines.load(config.ocr.name).Settings
    weights = {key: path for key in path_keys(engine) if (path := getattr(config.ocr, key, None)) is not None}
    # A recognizer that is trained here writes its weights itself, and DVC makes those of its own pipeline.
    if config.target != "recognizer" and weights and RECOGNIZER_ONNX not in map(Path, weights.values()):
        absent = {key: path for key, path in weights.items() if not (root / path).exists()}
        problems += [f"ocr.{key}={path}: there is no such file" for key, path in absent.items()]
        if not absent:
            try:
                named = {key: str(root / path) for key, path in weights.items()}
                engines.create(config.ocr.model_copy(update=named), SCRATCH)
            except UserError as error:
                problems.append(str(error))
    if problems:
        raise UserError("\n  ".join([*problems, *_about_copies(config)]))


def _missing(config: Config, root: Path) -> Iterator[str]:
    """One message for each file that the data or a training start from, and that is not there."""
    named: dict[str, str | None] = {}
    for number, source in enumerate(config.data.sources):
        for key in path_keys(Source):
            path = getattr(source, key)
            own = path is not None and getattr(config.data, key, None) == path
            named[f"data.{key}" if own else f"data.sources.{number}.{key}"] = path
    for network, settings in (("detector", config.train), ("recognizer", config.recognizer)):
        if config.target == network:
            section = "train" if network == "detector" else "recognizer"
            named[f"{section}.init_weights"] = settings.init_weights
    for key, path in named.items():
        if path is not None and "://" not in path and not (root / Path(path).expanduser()).exists():
            yield f"{key}={path}: there is no such file or folder"


def _about_copies(config: Config) -> Iterator[str]:
    """What to do about missing files in a copy of the project, in which DVC runs a queued experiment."""
    place = Path.cwd().as_posix()
    original, copies, _ = place.partition("/.dvc/tmp/exps/")
    if copies:
        yield (
            "queued experiments run in a copy of what Git tracks: name other files by absolute paths, such as "
            f"--set-param data.annotations={original}/{config.data.annotations or 'FILE'}"
        )


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
