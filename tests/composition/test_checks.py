"""Checks of a whole configuration: plug-ins by their own schema, and whether the sections fit together."""

from pathlib import Path

import pytest

from lpr.composition.checks import check, check_files, settings_of
from lpr.composition.compose import compose, compose_values
from lpr.config import CONF, AnyDetector, AnyOcr, AnySource, Loss
from lpr.config.messages import InvalidConfigError
from lpr.data.formats import table
from lpr.detection.families import centernet
from lpr.errors import UserError
from lpr.ocr.engines import cascade
from lpr.paths import SHIPPED_RECOGNIZER


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


def test_files_that_are_not_there_are_named_with_their_keys(in_root: Path, tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    config = compose(
        [
            *["experiment=none", "data=table", f"data.annotations={tmp_path}/there.csv", "data.image_root=pics"],
            *["data.texts=texts.csv", "train.init_weights=nothing.keras", "ocr=recognizer", "ocr.weights=mine.onnx"],
        ]
    )
    with pytest.raises(UserError) as refusal:
        check_files(config)
    assert str(refusal.value).splitlines() == [
        "data.image_root=pics: there is no such file or folder",
        "  data.texts=texts.csv: there is no such file or folder",
        "  train.init_weights=nothing.keras: there is no such file or folder",
        "  ocr.weights=mine.onnx: there is no such file",
    ]


def test_weights_that_are_none_of_the_engines_are_refused(in_root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_text("not a network")
    with pytest.raises(UserError, match=r"mine\.onnx cannot be loaded"):
        check_files(compose(["ocr=recognizer", f"ocr.weights={tmp_path}/mine.onnx"]))


def test_files_that_are_there_or_are_made_on_the_way_are_accepted(in_root: Path) -> None:
    check_files(compose([]))
    check_files(compose(["ocr=recognizer", "ocr.weights=recognizer.onnx"]), SHIPPED_RECOGNIZER.parent)
    check_files(compose(["data=dataturks", "data.annotations=https://localhost/plates.json"]))
    check_files(compose(["experiment=recognizer"]))
    check_files(compose(["ocr=recognizer", "ocr.weights=models/recognizer.onnx"]))


def test_a_copy_for_a_queued_experiment_says_that_paths_must_be_absolute(
    in_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose(["experiment=none", "data=table", "data.annotations=photos/boxes.csv"])
    copy = tmp_path / ".dvc/tmp/exps/tmp1"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    with pytest.raises(UserError, match=f"absolute paths, such as .*annotations={tmp_path}/photos/boxes.csv"):
        check_files(config)
