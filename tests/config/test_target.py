"""What an experiment trains: which sections its scores depend on."""

from importlib import import_module
from pathlib import Path

import pytest

from lpr.composition.compose import compose
from lpr.config import UNSCORED, Config
from lpr.config.target import NETWORKS, scored, target_of, training_of


def test_sections_that_scores_do_or_do_not_depend_on_are_sections() -> None:
    assert set(UNSCORED) | NETWORKS <= Config.model_fields.keys()


@pytest.mark.parametrize(("experiment", "epochs"), [("default", 50), ("recognizer", 48)])
def test_target_names_the_training_and_its_stages(in_root: Path, experiment: str, epochs: int) -> None:
    composed = compose([f"experiment={experiment}"])
    target = target_of(composed)
    assert training_of(composed).epochs == epochs
    for stage in target.training + target.scoring:
        assert callable(import_module(f"lpr.pipeline.{stage}").run)


def test_scores_of_a_detector_depend_on_its_sections_and_not_on_how_it_is_tracked() -> None:
    values = dict.fromkeys(Config.model_fields, 0) | {"target": "detector"}
    assert scored(values).keys() == Config.model_fields.keys() - set(UNSCORED)


def test_scores_of_a_recognizer_depend_on_its_section() -> None:
    values = dict.fromkeys(Config.model_fields, 0) | {"target": "recognizer"}
    assert "recognizer" in scored(values)
    assert "tracking" not in scored(values)


def test_a_configuration_from_before_there_was_a_target_trained_the_detector() -> None:
    assert scored({"detector": 0, "recognizer": 0}) == {"detector": 0}
