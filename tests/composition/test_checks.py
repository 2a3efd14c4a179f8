"""Checks of a whole configuration: plug-ins by their own schema, and whether the sections fit together."""

from pathlib import Path

import pytest

from lpr.composition.checks import check, settings_of
from lpr.composition.compose import compose, compose_values
from lpr.config import CONF, AnyDetector, AnyOcr, AnySource, Loss
from lpr.config.messages import InvalidConfigError
from lpr.data.formats import table
from lpr.detection.families import centernet
from lpr.errors import UserError
from lpr.ocr.engines import cascade


@pytest.mark.parametrize(
    "overrides", [["detector=centernet", "experiment=none"], ["augment=random_crops"]], ids=["family", "augment"]
)
def test_augment_of_another_family_is_refused(in_root: Path, overrides: list[str]) -> None:
    with pytest.raises(
        InvalidConfigError, match=r"augment=\w+ does not fit detector=\w+, which takes augment="
    ) as error:
        compose(overrides)
    assert error.value.misfit


@pytest.mark.parametrize(
    "overrides",
    [["detector=centernet", "augment=random_crops", "experiment=none"], ["inference=multiscale"]],
    ids=["family", "inference"],
)
def test_inference_of_another_family_is_refused(in_root: Path, overrides: list[str]) -> None:
    with pytest.raises(InvalidConfigError, match=r"inference=\w+ does not fit detector=\w+, which takes inference="):
        compose(overrides)


def test_the_message_lists_all_that_does_not_fit(in_root: Path) -> None:
    with pytest.raises(UserError) as refusal:
        compose(["detector=centernet", "experiment=none"])
    assert "augment=standard does not fit detector=centernet, which takes augment=random_crops" in str(refusal.value)
    assert "inference=stretch does not fit detector=centernet, which takes inference=multiscale" in str(refusal.value)


def test_a_value_out_of_range_is_no_misfit(in_root: Path) -> None:
    values = compose_values([], CONF)
    values["detector"]["convs"] = 0
    with pytest.raises(InvalidConfigError, match=r"^here:\n  detector\.convs=0") as error:
        check(values, "here")
    assert not error.value.misfit


def test_plug_ins_are_described_by_their_own_settings() -> None:
    assert settings_of(AnyDetector, {"name": "centernet"}) is centernet.Settings
    assert settings_of(AnyOcr, {"name": "cascade"}) is cascade.Settings
    assert settings_of(AnySource, {"format": "table"}) is table.Settings
    assert settings_of(Loss, {"name": "mse"}) is Loss
