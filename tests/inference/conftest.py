"""What tests of inference share: an exported detector."""

from contextlib import chdir
from pathlib import Path

import pytest
from clones import ROOT
from finder import SETTINGS, build_finder, draw, trained_project

from lpr.detection.export import export
from lpr.nn.runtime import Hardware, prepare_tensorflow
from lpr.paths import DETECTOR, MODELS


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder: its params.yaml, and models/ with the exported detector."""
    prepare_tensorflow(Hardware("float32", 1), 0)
    folder = tmp_path_factory.mktemp("exported")
    (folder / "conf").symlink_to(ROOT / "conf")
    with chdir(folder):
        export(DETECTOR, trained_project(build_finder(), SETTINGS), [draw((2, 3))], MODELS)
    return folder
