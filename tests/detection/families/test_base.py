"""Every family of the package has what the Protocol names, and nothing that decoding does not need is imported."""

import inspect
import subprocess
import sys

import pytest

from lpr.config import Detector, plugins
from lpr.detection import families
from lpr.detection.families.base import Family
from lpr.errors import UserError

NAMES = plugins.names("lpr.detection.families")


@pytest.mark.parametrize("name", NAMES)
def test_a_family_has_what_the_protocol_names(name: str) -> None:
    family = families.load(name)
    assert issubclass(family.Settings, Detector)
    assert family.Settings.model_fields["name"].annotation is not str, "Settings fixes the name"
    for attribute in ("AUGMENTS", "INFERENCES"):
        assert all(isinstance(option, str) for option in getattr(family, attribute))
    assert isinstance(family.HAS_CONFIDENCE, bool)
    members = inspect.getmembers(Family, inspect.isfunction)
    methods = {member: method for member, method in members if not member.startswith("_")}
    assert len(methods) == 8
    for member, method in methods.items():
        assert (
            list(inspect.signature(getattr(family, member)).parameters)
            == list(inspect.signature(method).parameters)[1:]
        )


def test_decoding_imports_neither_tensorflow_nor_pandas() -> None:
    code = (
        "import sys; from lpr.detection import families, onnx_detector; "
        f"[families.load(name) for name in {NAMES}]; "
        "heavy = {'tensorflow', 'keras', 'pandas'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unknown_family_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"detector\.name=centrenet.*did you mean 'centernet'"):
        families.load("centrenet")
