"""TensorFlow's threads can be set once a process: here for all tests of the folders whose conftest.py takes this."""

import pytest

from lpr.nn.runtime import Hardware, prepare_tensorflow


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    prepare_tensorflow(Hardware("float32", 1), 0)
