"""Configurations from before a key existed."""

from __future__ import annotations

import copy
from pathlib import Path

from lpr.composition.compose import compose, compose_values
from lpr.config import CONF
from lpr.experiment.defaults import with_defaults


def test_a_missing_key_has_the_default_of_the_named_option(in_root: Path) -> None:
    """`stem_channels` is a key of `detector=centernet` alone, which is not the default detector."""
    whole = compose(["experiment=best"]).as_dict()
    assert with_defaults(whole)[1] == {}
    old = copy.deepcopy(whole)
    del old["metrics"], old["detector"]["stem_channels"], old["inference"]["confidence_threshold"], old["target"]
    config, added = with_defaults(old)
    default = compose_values(["detector=centernet", "inference=multiscale"], CONF)
    assert added == {
        "target": "detector",
        "detector.stem_channels": default["detector"]["stem_channels"],
        "inference.confidence_threshold": default["inference"]["confidence_threshold"],
        "metrics.detection": default["metrics"]["detection"],
        "metrics.recognition": default["metrics"]["recognition"],
    }
    assert config["detector"]["stem_channels"] == default["detector"]["stem_channels"]
    assert "stem_channels" not in old["detector"]


def test_mappings_and_sections_of_plugins_are_left_as_they_are(in_root: Path) -> None:
    old = compose([]).as_dict()
    old["detector"] = {"name": "my_package.my_family", "image_size_px": 32}
    old["ocr"]["grammars"] = {"mine": "brazil"}
    old["data"]["sources"][0].pop("role", None)
    config, added = with_defaults(old)
    assert added == {}
    assert config == old


def test_what_no_score_depends_on_is_not_added(in_root: Path) -> None:
    old = compose([]).as_dict()
    del old["tracking"], old["tuner"]
    assert with_defaults(old)[1] == {}
