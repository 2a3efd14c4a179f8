"""Composition of conf/ and overrides: what composes, and which mistakes are refused in which words."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from clones import ROOT

from lpr.composition.checks import check
from lpr.composition.compose import choices, compose, compose_values, files_of, groups, options, purpose
from lpr.config import CONF
from lpr.errors import UserError

GROUPS = groups(ROOT / "conf")
# Options of these groups must fit each other; those of the others are independent.
FITTING = {
    "detector": ["regression", "regression_6conv", "centernet"],
    "augment": ["none", "standard", "random_crops"],
    "inference": ["stretch", "stretch", "multiscale"],
}
NEEDS = {
    "annotated": ["data.annotations=plates"],
    "dataturks": ["data.annotations=plates.json"],
    "table": ["data.annotations=plates.csv"],
    "development": ["data.root=sets"],
    "development_and_synthetic": ["data.root=sets"],
    "real_images": ["data.root=sets"],
    "open": ["data.root=sets"],
    "plate_texts": ["data.root=sets"],
}


def test_default_is_the_original_network_with_mse_adam_and_batches_of_32(in_root: Path) -> None:
    composed = compose([])
    assert (composed.detector.convs, composed.detector.pools, composed.detector.filters) == (8, 4, 16)
    assert (composed.loss.name, composed.optimizer.name, composed.train.batch_size) == ("mse", "adam", 32)
    assert composed.split.test == pytest.approx(0.2)


def test_experiment_original_has_the_original_settings(in_root: Path) -> None:
    composed = compose(["experiment=original"])
    assert composed.detector.image_size_px == 224
    assert (composed.detector.convs, composed.detector.pools, len(composed.detector.dense)) == (8, 4, 2)
    assert (composed.split.train, composed.split.validation, composed.split.test) == (0.8, 0.0, 0.2)
    assert (composed.train.epochs, composed.augment.name, composed.detector.batch_norm) == (30, "none", False)
    assert composed.train.schedule == "constant"


def test_experiment_smoke_is_small_whatever_the_data(in_root: Path) -> None:
    own = compose(["experiment=smoke", "data=table", "data.annotations=boxes.csv"])
    assert [(source.format, source.annotations) for source in own.data.sources] == [("table", "boxes.csv")]
    alone = compose(["experiment=smoke"])
    assert [(source.name, source.scenes) for source in alone.data.sources] == [("synthetic", 60)]
    assert own.detector == alone.detector
    assert (own.train.epochs, own.detector.filters) == (2, 4)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("inputs=[]", "inputs=[]: inputs is not to be set; it follows from data.sources"),
        ("weights=foo", "weights is not to be set; it follows from train.init_weights and ocr.weights"),
        ("weights.ocr=foo", "weights.ocr is not to be set"),
        ("ocr.grammars={synthetics: india}", "no 'synthetics'; it has synthetic; did you mean 'synthetic'?"),
        ("+ocr.grammars.foo=india", "data.sources has no 'foo'; it has synthetic"),
    ],
)
def test_an_override_without_an_effect_is_refused(in_root: Path, override: str, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        compose([override])


def test_grammars_of_sources_that_are_there_or_that_an_experiment_names(in_root: Path) -> None:
    assert compose(["ocr.grammars={synthetic: india}"]).ocr.grammars == {"synthetic": "india"}
    own = compose(["experiment=best", "data=table", "data.annotations=boxes.csv", "+ocr.grammars.table=india"])
    assert own.ocr.grammars == {"dataturks": "india", "openalpr_eu": "europe", "table": "india"}


def test_sections_take_their_seed_from_the_seed_of_the_experiment(in_root: Path) -> None:
    composed = compose(["seed=7"])
    assert (composed.split.seed, composed.train.seed, composed.data.sources[0].seed) == (7, 7, 7)


@pytest.mark.parametrize("name", GROUPS["experiment"])
def test_every_experiment_composes(in_root: Path, name: str) -> None:
    data = {"chinese_recognizer": "plate_texts"}.get(name)  # whose source it names
    compose([f"experiment={name}", *([f"data={data}", *NEEDS[data]] if data else [])])


def test_the_chinese_recognizer_tells_31_provinces_apart(in_root: Path) -> None:
    alphabet = compose(["experiment=chinese_recognizer", "data=plate_texts", "data.root=sets"]).recognizer.alphabet
    assert alphabet.startswith(compose([]).recognizer.alphabet)
    assert len(alphabet) == 36 + 31


def test_every_option_of_every_group_composes(in_root: Path) -> None:
    assert all(set(options) == set(GROUPS[group]) for group, options in FITTING.items())
    columns = {group: options for group, options in (GROUPS | FITTING).items() if group != "experiment"}
    for row in range(max(map(len, columns.values()))):  # one option of each group at a time
        chosen = {group: options[row % len(options)] for group, options in columns.items()}
        overrides = [f"{group}={option}" for group, option in chosen.items()]
        composed = compose(["experiment=none", *overrides, *NEEDS.get(chosen["data"], [])])
        assert composed.data.name == chosen["data"]


def test_groups_are_all_folders_of_conf_but_hydras() -> None:
    folders = {file.parent.relative_to(ROOT / "conf").as_posix() for file in (ROOT / "conf").glob("*/**/*.yaml")}
    assert set(GROUPS) == folders - {"hydra"}
    assert "base" not in {option for options in GROUPS.values() for option in options}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ("detector.convz=3", ["detector.convz", "detector.convs"]),
        ("+detector.conv=3", ["detector.conv", "'convs'"]),
        ("epochs=3", ["epochs", "train.epochs"]),
        ("optimiser.learning_rate=1", ["optimizer.learning_rate"]),
        ("detector=resnet", ["detector=resnet", "regression_6conv"]),
        ("tuner.space={train.epochs:null}", ["write ++tuner.space={train.epochs:null}"]),
        ("split=grouped split.validation=0 split.train=0.8 train.early_stopping_patience=3", ["split.validation"]),
        ("split=kfold split.fold=5", ["split.fold=5", "0 to 4"]),
        ("data=dataturks", ["data.annotations=PATH_OR_URL"]),
        ("data=real_images", ["data.root=FOLDER"]),
        ("target=recognizer tuner.objective=char_acc ocr=rapidocr", ["target=recognizer", "ocr=rapidocr"]),
        ("train.epochs=[", ["train.epochs=["]),
        ("train.epochs=3 split.group_by=(a)", ["split.group_by=(a): Hydra cannot read", "'split.group_by=\"(a)\"'"]),
        ("experiment=null", ["experiment=null", "must be one of best, chinese_recognizer, default"]),
    ],
)
def test_a_mistake_in_an_override_is_refused_by_name(in_root: Path, overrides: str, words: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        compose(overrides.split())
    for word in words:
        assert word in str(refusal.value)


@pytest.fixture(scope="module")
def defaults() -> dict[str, Any]:
    """The default configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return compose_values([], CONF)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("ocr.margins", 3, ["ocr.margins: there is no such key", "'margin'"]),
        ("data.sources.0.scene", 3, ["data.sources[0].scene: there is no such key", "'scenes'"]),
        ("detector.convs", "many", ["detector.convs='many'", "integer"]),
        ("train.epochs", 0, ["train.epochs=0", "greater than or equal to 1"]),
        ("train.batch_size", 1.5, ["train.batch_size=1.5", "integer"]),
        ("ocr.margin", 2, ["ocr.margin=2", "less than or equal to 1"]),
        ("detector.activation", "rely", ["detector.activation='rely'", "'relu'"]),
        ("detector.dense", ["a"], ["detector.dense[0]", "integer"]),
        ("detector.name", "regresion", ["detector.name=regresion", "did you mean 'regression'?"]),
        ("ocr.name", "rapidoc", ["ocr.name=rapidoc", "did you mean 'rapidocr'?"]),
        ("data.sources.0.format", "synthetik", ["format=synthetik", "did you mean 'synthetic'?"]),
        ("detector.pools", 9, ["detector.pools=9", "detector.convs=8"]),
        ("detector.image_size_px", 15, ["detector.image_size_px=15"]),
        ("detector", {"image_size_px": 16, "convs": 5, "pools": 5}, ["detector.image_size_px=16", "at most 4"]),
        ("split.train", 0.5, ["split.train", "must be 1"]),
        ("train.schedule", "constant", ["  train.warmup_epochs", "cosine"]),
        ("recognizer.train.epochs", 1, ["recognizer.train.warmup_epochs=1", "epochs=1"]),
        ("train.source_weights", {"scenes": 2.0}, ["train.source_weights", "'scenes'", "it has synthetic"]),
        ("recognizer.real_sources", ["scenes"], ["recognizer.real_sources", "'scenes'", "it has synthetic"]),
        ("data.annotations", "plates.json", ["data.annotations", "data=annotated"]),
        ("data.format", "yolo", ["data.format", "data=annotated"]),
        ("data.columns", {"image": "file"}, ["data.columns", "data=table"]),
        ("data.sources.0.name", "my_original_boxes", ["data.sources", "'my_original_boxes'", "choose another ending"]),
        ("data.sources.0.role", "test", ["data.sources", "nothing to train on"]),
        ("ocr.grammars", {"synthetic": "indai"}, ["ocr.grammars.synthetic='indai'", "did you mean 'india'?"]),
        ("tuner.objective", "val_loss", ["tuner.objective=val_loss", "tuner.direction=min"]),
        ("tuner.objective", "char_acc", ["tuner.objective=char_acc", "target=detector"]),
        ("tuner.max_trials", None, ["tuner.max_trials=null", "only a grid is finite"]),
        ("ocr.tta_margins", [0.5], ["ocr.tta_margins=[0.5]", "ocr.margin=0.16"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(defaults: dict[str, Any], key: str, value: Any, words: list[str]) -> None:
    values = deepcopy(defaults)
    *path, last = [int(part) if part.isdecimal() else part for part in key.split(".")]
    place: Any = values
    for part in path:
        place = place[part]
    place[last] = place[last] | value if isinstance(value, dict) and place.get(last) else value
    with pytest.raises(UserError) as refusal:
        check(values, "the command")
    for word in words:
        assert word in str(refusal.value)


def test_outside_the_project_the_message_says_where_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="folder of the project"):
        compose([])


def test_choices_are_the_options_of_all_groups(in_root: Path) -> None:
    chosen = choices(["experiment=best", "ocr=rapidocr"])
    assert chosen.keys() - {"tuner/space@tuner.space", "optimizer@recognizer.optimizer"} >= {"data", "split", "ocr"}
    assert (chosen["experiment"], chosen["detector"], chosen["ocr"]) == ("best", "centernet", "rapidocr")


def test_files_of_a_composition_come_in_the_order_in_which_they_win(in_root: Path) -> None:
    files = files_of(["experiment=best"])
    assert (Path("conf/optimizer/adam.yaml"), "recognizer.optimizer") in files
    assert (Path("conf/loss/mse.yaml"), "loss") in files
    assert files.index((Path("conf/loss/mse.yaml"), "loss")) < files.index((Path("conf/loss/giou.yaml"), "loss"))
    assert files[-1] == (Path("conf/experiment/best.yaml"), "")


def test_options_of_a_group_have_their_values_without_the_rest_of_the_configuration(in_root: Path) -> None:
    adam, sgd = (options("optimizer")[name] for name in ("adam", "sgd"))
    assert (adam["learning_rate"], sgd["learning_rate"], sgd["beta_2"]) == (0.001, 0.01, adam["beta_2"])
    assert options("split")["kfold"]["seed"] == "${seed}"
    assert "train.batch_size" in options("tuner/space")["default"]


def test_purpose_is_the_first_paragraph_of_an_options_comments(tmp_path: Path) -> None:
    option = tmp_path / "option.yaml"
    option.write_text("# @package _global_\n# For\n# tests.\n#   command:  lpr params\nkey: 1  # why\n# more\n")
    assert purpose(option) == "For tests."


def test_every_option_has_its_purpose_in_its_first_comment(in_root: Path) -> None:
    files = [Path("conf", group, f"{option}.yaml") for group, options in GROUPS.items() for option in options]
    assert [str(file) for file in files if not purpose(file).endswith((".", "`."))] == []
