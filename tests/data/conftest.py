"""What the tests of data share."""

from pathlib import Path

import pytest

from lpr.composition.compose import compose
from lpr.config import Data


@pytest.fixture
def data(in_root: Path) -> Data:
    return compose([]).data
