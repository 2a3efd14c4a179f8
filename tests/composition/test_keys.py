"""The keys as the schema describes them: every one has a description, and types and ranges are in words."""

from collections.abc import Iterator

import pytest

from lpr.composition.keys import MISSING, keys_of, section_of, summary
from lpr.config import AnyDetector, AnyOcr, AnySource, Config, Detector, Section, Stretch, plugins
from lpr.config.messages import models_at
from lpr.data import formats
from lpr.detection import families
from lpr.detection.families import centernet, regression
from lpr.ocr import engines
from lpr.ocr.engines import cascade


def sections(section: type[Section]) -> Iterator[type[Section]]:
    """A section and all that may stand in it."""
    yield section
    for name in section.model_fields:
        for below in models_at(section, [name]):
            yield from sections(below)


def plug_ins() -> list[type[Section]]:
    return [
        module.load(name).Settings
        for module, package in (
            (families, "lpr.detection.families"),
            (engines, "lpr.ocr.engines"),
            (formats, "lpr.data.formats"),
        )
        for name in plugins.names(package)
    ]


SECTIONS = list(dict.fromkeys([*sections(Config), *plug_ins()]))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: f"{section.__module__}.{section.__name__}")
def test_every_section_and_every_key_has_a_description(section: type[Section]) -> None:
    assert summary(section).endswith(".")
    assert [name for name, key in keys_of(section).items() if not key.description] == []


def test_sections_of_the_configuration_and_of_all_plug_ins_are_among_them() -> None:
    assert {Config, AnyDetector, AnyOcr, AnySource, Stretch, centernet.Settings, cascade.Settings} <= set(SECTIONS)


def test_types_and_ranges_are_in_words() -> None:
    words = {}
    for path in ("train.epochs", "train.steps_per_epoch", "optimizer.beta_1", "train.precision", "ocr.grammars"):
        section, name = path.split(".")
        (model,) = models_at(Config, [section])
        words[path] = (keys_of(model)[name].kind, keys_of(model)[name].allowed)
    assert words["ocr.grammars"][0] == "mapping of names to texts or null"
    assert "india" in words.pop("ocr.grammars")[1]
    assert words == {
        "train.epochs": ("whole number", "at least 1"),
        "train.steps_per_epoch": ("whole number or null", "at least 1"),
        "optimizer.beta_1": ("number", "at least 0, below 1"),
        "train.precision": ("text", "auto, float32 or mixed_bfloat16"),
    }
    known = keys_of(centernet.Settings)
    assert (known["image_size_px"].kind, known["image_size_px"].allowed) == (
        "whole number",
        "64 to 2048, a multiple of 32",
    )
    assert (known["stage_depths"].kind, known["stage_depths"].allowed) == (
        "list of whole numbers",
        "4 values, each 1 to 8",
    )
    assert keys_of(regression.Settings)["dense"].allowed == "each at least 1"
    assert keys_of(AnySource)["annotations"].kind == "path or null"


def test_a_plug_in_that_narrows_a_key_inherits_its_description() -> None:
    base = keys_of(Detector)["image_size_px"]
    own = keys_of(regression.Settings)["image_size_px"]
    assert own.description == base.description
    assert own.allowed != base.allowed


def test_defaults_are_the_schemas() -> None:
    assert keys_of(AnySource)["role"].default == "both"
    assert keys_of(Stretch)["image_size_px"].default is MISSING


def test_a_section_is_chosen_by_its_values() -> None:
    augments = keys_of(Config)["augment"].sections
    assert section_of(augments, {"name": "standard"}).__name__ == "StandardAugment"
    assert section_of(augments, {"name": "random_crops"}).__name__ == "RandomCrops"
    assert section_of(keys_of(Config)["detector"].sections, {"name": "regression"}) is regression.Settings
