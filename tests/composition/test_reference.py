"""docs/configuration.md is what conf/ and the schema generate, and has every option and key."""

from pathlib import Path

import pytest
from clones import ROOT

from lpr.composition.compose import groups
from lpr.composition.keys import keys_of
from lpr.composition.reference import REFERENCE, reference
from lpr.config import Config
from lpr.detection.families import centernet
from lpr.ocr.engines import cascade


@pytest.fixture(scope="module")
def page() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return reference()


def test_the_committed_page_is_up_to_date(page: str) -> None:
    assert (ROOT / REFERENCE).read_text() == page, "write it again: python -m lpr.composition.reference"


def test_it_has_every_group_and_option(page: str, in_root: Path) -> None:
    for group, options in groups().items():
        assert f"`{group}`\n" in page
        for option in options:
            assert f"| `{option}` | " in page


@pytest.mark.parametrize("section", [Config, centernet.Settings, cascade.Settings])
def test_it_has_the_keys_of_sections_and_plug_ins(page: str, section: type) -> None:
    for name, key in keys_of(section).items():
        assert f"| `{name}` | " in page or f"## `{name}`" in page or key.is_constant


def test_it_has_the_default_of_each_option_where_they_differ(page: str) -> None:
    assert "| `learning_rate` | number | above 0, at most 10 | adam: `0.001`, sgd: `0.01` | " in page
    assert "| `seed` | whole number | at least 0, below 2147483648 | `${seed}` | " in page
