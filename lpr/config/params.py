"""`params.yaml`: the composed configuration, which DVC tracks and every stage reads."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from lpr.config.messages import validate
from lpr.config.schema.base import path_keys
from lpr.config.schema.data import Source
from lpr.config.schema.experiment import Config
from lpr.errors import UserError

CONF = Path("conf")
PARAMS = Path("params.yaml")
HEADER = "# Composed from conf/, never edited by hand; write it anew with: lpr params "


def load(path: Path = PARAMS) -> Config:
    """The content of `params.yaml`; keys of plug-ins are checked by these, when they are used.

    Raises:
        UserError: the file is missing, is not YAML, or breaks the schema.
    """
    return validate(Config, read(path), str(path))


def recorded_overrides(path: Path = PARAMS) -> list[str] | None:
    """The overrides in the first line of a file that `lpr params` wrote; None for one that `dvc exp run` wrote."""
    first_line = path.read_text().partition("\n")[0]
    return shlex.split(first_line.removeprefix(HEADER)) if first_line.startswith(HEADER) else None


def write_composed(config: Config, path: Path) -> None:
    """Write a configuration without the header that `lpr params` writes: the record of a run."""
    path.write_text(to_yaml(config.as_dict()))


def with_absolute_paths(config: Config, root: Path) -> Config:
    """The same configuration with absolute paths of the sources' files and folders, in place of those from `root`."""
    values = config.as_dict()
    for source in values["data"]["sources"]:
        for key in path_keys(Source):
            if source.get(key) is not None and "://" not in source[key]:
                source[key] = str(root / Path(source[key]).expanduser())
    values["data"]["annotations"] = None
    return Config.model_validate(values)


def with_absolute_weights(config: Config, root: Path) -> Config:
    """The same configuration with absolute paths of the weights that are given: of the recognizer, and to start from.

    An experiment that trains a recognizer keeps the relative path: it writes these weights to its own folder.
    """
    values = config.as_dict()

    def absolute(path: str) -> str:
        return str(root / Path(path).expanduser())

    if values["ocr"].get("weights") and config.target != "recognizer":
        values["ocr"]["weights"] = values["weights"]["ocr"] = absolute(values["ocr"]["weights"])
    if config.train.init_weights:
        values["train"]["init_weights"] = values["weights"]["init"] = absolute(config.train.init_weights)
    if config.recognizer.init_weights:
        values["recognizer"]["init_weights"] = absolute(config.recognizer.init_weights)
    return Config.model_validate(values)


def to_yaml(values: dict[str, Any]) -> str:
    """Plain containers as YAML, formatted as Hydra and DVC format it."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(values))


def read(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        UserError: it is missing or not YAML.
    """
    try:
        return yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} is not in {Path.cwd()}: write it with `lpr params`") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}") from None
