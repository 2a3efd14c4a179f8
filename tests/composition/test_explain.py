"""`lpr params --explain KEY`: meaning, type, range, value, default, and the files that set it."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lpr.composition import explain as module
from lpr.composition.explain import explain
from lpr.errors import UserError

pytestmark = pytest.mark.usefixtures("in_root", "composed_once")


@pytest.fixture(scope="module")
def composed_once() -> Iterator[None]:
    """Each list of overrides is composed once for all tests of this module, which leave conf/ as it is."""

    def once(function: Callable[..., Any]) -> Callable[..., Any]:
        kept = cache(lambda overrides, *rest: function(list(overrides), *rest))
        return lambda overrides, *rest: kept(tuple(overrides), *rest)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("compose_values", "files_of"):
            patch.setattr(module, name, once(getattr(module, name)))
        yield


def lines(key: str, *overrides: str) -> list[str]:
    return [line.strip() for line in explain(key, list(overrides)).splitlines()]


def test_a_key_has_its_meaning_type_range_value_default_and_the_files_that_set_it() -> None:
    first, *rest = lines("train.epochs", "experiment=best", "train.epochs=3")
    assert first.startswith("train.epochs: number of epochs")
    assert rest == [
        "type     whole number",
        "allowed  at least 1",
        "value    3",
        "default  30",
        "set in   conf/train/default.yaml: 30",
        "conf/experiment/best.yaml: 240",
        "override train.epochs=3: 3",
    ]


def test_a_key_of_an_option_is_explained_where_the_option_is_chosen() -> None:
    explained = lines("detector.fpn_channels", "detector=centernet")
    assert "allowed  8 to 512" in explained
    assert "set in   conf/detector/centernet.yaml: 64" in explained
    with pytest.raises(UserError, match=r"^detector\.fpn_channels is a key of detector=centernet: add it"):
        explain("detector.fpn_channels", [])


def test_a_value_of_another_key_is_shown_as_it_is_written() -> None:
    explained = lines("inference.image_size_px")
    assert "value    112" in explained
    assert "default  ${detector.image_size_px}" in explained


def test_a_key_of_a_list_is_named_by_its_place() -> None:
    explained = lines("data.sources.0.annotations", "data=table", "data.annotations=plates.csv")
    assert "value    plates.csv" in explained
    assert "set in   conf/data/table.yaml: ${data.annotations}" in explained


def test_a_key_that_no_file_sets_has_the_default_of_the_schema() -> None:
    explained = lines("data.sources.0.boxes")
    assert explained[-3:] == ["value    null", "default  null", "set in   no file: the default"]


def test_a_key_of_an_option_that_an_experiment_chooses() -> None:
    explained = lines("data.sources.0.scenes", "experiment=smoke")
    assert explained[-1] == "set in   conf/data/smoke.yaml: 60"


def test_a_key_in_a_section_that_another_option_is_put_into() -> None:
    explained = lines("recognizer.optimizer.learning_rate")
    assert explained[-2:] == ["set in   conf/optimizer/adam.yaml: 0.001", "conf/recognizer/default.yaml: 0.003"]


def test_keys_with_dots_in_their_names() -> None:
    assert "value    [4, 10]" in lines("tuner.space.detector.convs.int")
    assert "value    india" in lines("ocr.grammars.dataturks", "experiment=best")


def test_a_section_has_its_options_files_and_keys() -> None:
    explained = lines("detector", "detector=regression_6conv", "detector.convs=5")
    assert explained[1] == "option   regression_6conv"
    assert any(line.startswith("regression_6conv  The smaller variant") for line in explained)
    assert {"conf/detector/regression_6conv.yaml", "conf/experiment/default.yaml"} <= set(explained)
    assert "convs=5" in explained
    assert "pools=3" in explained
    assert "crops: section" in lines("recognizer")


def test_a_section_within_a_list_is_that_of_its_plug_in() -> None:
    explained = lines("data.sources.0")
    assert explained[0] == "data.sources.0: Synthetic street scenes with Indian plates."
    assert "scenes=1600" in explained


@pytest.mark.parametrize("group", ["experiment", "tuner/space"])
def test_a_group_without_a_section_has_its_options(group: str) -> None:
    explained = lines(group)
    assert explained[0] == f"{group}: a group of options"
    assert any(line.startswith(("default ", "options  best", "options  default")) for line in explained)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("train.epoch", "'train.epochs'"),
        ("epochs", "'train.epochs'"),
        ("detectr", "'detector'"),
        ("optimiser.learning_rate", "'optimizer.learning_rate'"),
        ("data.sources.0.annotation", "'data.sources.0.annotations'"),
        ("data.sources.77", "'data.sources'"),
        ("detector.convs.x", "'detector.convs'"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(key: str, nearest: str) -> None:
    with pytest.raises(UserError, match=f"there is no key '{key}'; did you mean {nearest}"):
        explain(key, [])


def test_a_wrong_override_is_refused_as_lpr_params_refuses_it() -> None:
    with pytest.raises(UserError, match=r"train\.epochs"):
        explain("train.epochs", ["train.epoch=3"])


def test_nothing_is_written(project: Path) -> None:
    explain("train.epochs", [])
    assert not Path("params.yaml").exists()
