"""The configuration contract: what composes, what is refused and in which words, and when params.yaml is stale."""

from pathlib import Path

import pytest
import yaml
from clones import ROOT

from lpr import config
from lpr.composition.compose import compose
from lpr.composition.params import check_fresh, write_params
from lpr.errors import UserError


def test_default_is_the_seed_network_with_mse_adam_and_batches_of_32(in_root: Path) -> None:
    composed = compose([])
    assert (composed.detector.convs, composed.detector.pools, composed.detector.filters) == (8, 4, 16)
    assert (composed.loss.name, composed.optimizer.name, composed.train.batch_size) == ("mse", "adam", 32)
    assert composed.split.test == pytest.approx(0.2)


def test_experiment_seed_is_the_origin(in_root: Path) -> None:
    composed = compose(["experiment=original"])
    assert composed.detector.image_size_px == 224
    assert (composed.detector.convs, composed.detector.pools, len(composed.detector.dense)) == (8, 4, 2)
    assert (composed.split.train, composed.split.validation, composed.split.test) == (0.8, 0.0, 0.2)
    assert (composed.train.epochs, composed.augment.name, composed.detector.batch_norm) == (30, "none", False)
    assert composed.train.schedule == "constant"


def test_seed_reaches_everything_random(in_root: Path) -> None:
    composed = compose(["seed=7"])
    assert (composed.split.seed, composed.train.seed, composed.data.sources[0].seed) == (7, 7, 7)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "conf/experiment").glob("*.yaml")))
def test_every_experiment_composes(in_root: Path, name: str) -> None:
    compose([f"experiment={name}"])


GROUPS = ["split", "detector", "augment", "optimizer", "loss", "train", "inference", "reader", "tracking"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_every_group_composes(in_root: Path, group: str) -> None:
    family = ["detector=centernet", "augment=random_crops", "inference=multiscale"]
    for option in Path("conf", group).glob("*.yaml"):
        chosen = f"{group}={option.stem}"
        others = [other for other in family if not other.startswith(group)] if chosen in family else []
        compose([chosen, "experiment=none", *others])


def test_what_is_for_the_centre_detector_alone(in_root: Path) -> None:
    for overrides in (["detector=centernet", "experiment=none"], ["augment=random_crops"]):
        with pytest.raises(UserError, match="augment=random_crops is for detector=centernet"):
            compose(overrides)
    for overrides in (["detector=centernet", "augment=random_crops", "experiment=none"], ["inference=multiscale"]):
        with pytest.raises(UserError, match="inference=stretch is for detector=regression"):
            compose(overrides)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("detector.convz=3", ["detector.convz", "detector.convs"]),
        ("+detector.conv=3", ["detector.conv", "'convs'"]),
        ("epochs=3", ["epochs", "train.epochs"]),
        ("optimiser.learning_rate=1", ["optimizer.learning_rate"]),
        ("detector.convs=many", ["detector.convs", "'many'", "integer"]),
        ("train.epochs=0", ["train.epochs=0", "greater than or equal to 1"]),
        ("train.batch_size=1.5", ["train.batch_size", "1.5", "integer"]),
        ("ocr.margin=2", ["ocr.margin=2", "less than or equal to 1"]),
        ("detector.activation=rely", ["detector.activation='rely'", "'relu'"]),
        ("detector.dense=[a]", ["detector.dense[0]", "integer"]),
        ("detector=resnet", ["detector=resnet", "seed6"]),
        ("detector.pools=9", ["detector.pools=9", "detector.convs=8"]),
        ("detector.image_size_px=16 detector.convs=5 detector.pools=5", ["detector.image_size_px=16", "at most 4"]),
        ("split.train=0.5", ["split.train", "must be 1"]),
        ("split=grouped split.validation=0 split.train=0.8 train.early_stopping_patience=3", ["split.validation"]),
        ("train.warmup_epochs=2 train.schedule=constant", ["  train.warmup_epochs", "cosine"]),
        ("recognizer.train.epochs=1", ["recognizer.train.warmup_epochs=1", "epochs=1"]),
        ("data=dataturks", ["data.annotations=PATH_OR_URL"]),
        ("data=real_images", ["data.root=FOLDER"]),
        ("data.annotations=plates.json", ["data.annotations", "data=dataturks"]),
        ("data.sources.0.name=my_original_boxes", ["data.sources", "'my_original_boxes'", "end it otherwise"]),
        ("ocr.grammars={drawn:indai}", ["ocr.grammars.drawn='indai'", "did you mean 'india'?"]),
        ("train.epochs=[", ["train.epochs=["]),
        ("experiment=null", ["experiment=null", "must be a string"]),
    ],
)
def test_a_mistake_is_refused_by_name(in_root: Path, override: str, words: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        compose(override.split())
    for word in words:
        assert word in str(refusal.value)


def test_params_holds_the_composed_values_and_how_they_came_about(project: Path) -> None:
    write_params(["experiment=original", "optimizer.learning_rate=3e-4"])
    text = Path("params.yaml").read_text()
    assert text.splitlines()[0].endswith("lpr params experiment=original optimizer.learning_rate=3e-4")
    assert yaml.safe_load(text)["optimizer"]["learning_rate"] == 3e-4
    assert config.load() == compose(["experiment=original", "optimizer.learning_rate=3e-4"])
    assert check_fresh() == config.load()


def test_an_edit_of_conf_makes_params_stale_and_says_what_to_type(project: Path) -> None:
    write_params(["experiment=original"])
    adam = Path("conf/optimizer/adam.yaml")
    adam.write_text(adam.read_text().replace("learning_rate: 0.001", "learning_rate: 0.002"))
    with pytest.raises(UserError) as refusal:
        check_fresh()
    assert "optimizer.learning_rate: 0.001 in params.yaml, 0.002 in conf/" in str(refusal.value)
    assert "`lpr params experiment=original`" in str(refusal.value)
    write_params(["experiment=original"])
    check_fresh()


def test_an_edit_that_changes_no_value_is_no_offence(project: Path) -> None:
    write_params([])
    adam = Path("conf/optimizer/adam.yaml")
    adam.write_text(adam.read_text() + "# a remark\n")
    check_fresh()


def test_an_edit_of_params_by_hand_is_refused(project: Path) -> None:
    write_params([])
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("epochs:", "epochs: 7  # was:", 1))
    with pytest.raises(UserError, match=r"train\.epochs: 7 in params\.yaml"):
        check_fresh()


def test_params_broken_by_hand_is_refused_by_key(project: Path) -> None:
    write_params([])
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("convs: 8", "convs: 8\n  colour_space: rgb"))
    with pytest.raises(UserError, match=r"detector\.colour_space: there is no such key"):
        config.load()


def test_missing_params_says_what_to_type(project: Path) -> None:
    with pytest.raises(UserError, match="lpr params"):
        config.load()


def test_outside_the_project_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="folder of the project"):
        compose([])
