"""Configurations for tests, each composed from the checkout's conf/ once a process."""

import functools
import tempfile
from pathlib import Path

from clones import ROOT

from lpr.composition.params import write_params
from lpr.config import CONF, PARAMS, Config


def config(*overrides: str) -> Config:
    """The checked configuration with these overrides; not to be changed."""
    return _composed(overrides)[0]


def params(*overrides: str) -> str:
    """The content of `params.yaml` that `lpr params` writes with these overrides."""
    return _composed(overrides)[1]


@functools.cache
def _composed(overrides: tuple[str, ...]) -> tuple[Config, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, PARAMS)
        return write_params(list(overrides), path, ROOT / CONF), path.read_text()
