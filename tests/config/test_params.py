"""`params.yaml` as stages read it, and the configuration of a run with absolute paths."""

from pathlib import Path

import pytest
import yaml

from lpr import config
from lpr.composition.compose import compose
from lpr.composition.params import write_params
from lpr.config.params import recorded_overrides, with_absolute_paths, with_absolute_weights, write_composed
from lpr.errors import UserError


def test_params_broken_by_hand_is_refused_by_key(project: Path) -> None:
    write_params([])
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(
        text.replace("hash_distance_threshold: 6", "hash_distance_threshold: 6\n  colour_space: rgb")
    )
    with pytest.raises(UserError, match=r"split\.colour_space: there is no such key"):
        config.load()


@pytest.mark.parametrize(("content", "words"), [(None, "lpr params"), ("a: [", "is not YAML")])
def test_a_missing_or_broken_file_is_refused_with_the_command_to_run(
    project: Path, content: str | None, words: str
) -> None:
    if content is not None:
        Path("params.yaml").write_text(content)
    with pytest.raises(UserError, match=words):
        config.load()


def test_the_overrides_are_in_the_first_line(project: Path) -> None:
    write_params(["experiment=original", "data.root=a folder"])
    assert recorded_overrides() == ["experiment=original", "data.root=a folder"]
    composed = config.load()
    write_composed(composed, Path("params.yaml"))
    assert recorded_overrides() is None
    assert config.load() == composed
    assert yaml.safe_load(Path("params.yaml").read_text()) == composed.as_dict()


def test_with_absolute_paths_makes_local_paths_absolute_and_leaves_urls(in_root: Path) -> None:
    url = "https://localhost/images"
    given = ["data=table", "data.annotations=sets/plates.csv", f"data.image_root={url}", "data.boxes='~/boxes.csv'"]
    (source,) = with_absolute_paths(compose(given), Path("/root/of/it")).data.sources
    assert source.annotations == "/root/of/it/sets/plates.csv"
    assert source.image_root == url
    assert source.texts is None
    assert source.boxes == str(Path("~/boxes.csv").expanduser())


def test_with_absolute_weights_makes_given_weights_absolute(in_root: Path) -> None:
    made = with_absolute_weights(compose(["ocr.weights=mine.onnx"]), Path("/root/of/it"))
    assert made.as_dict()["ocr"]["weights"] == made.weights["ocr"] == "/root/of/it/mine.onnx"
    made = with_absolute_weights(compose(["train.init_weights=first.keras"]), Path("/root/of/it"))
    assert made.train.init_weights == made.weights["init"] == "/root/of/it/first.keras"
    shipped = compose([])
    assert with_absolute_weights(shipped, Path("/root/of/it")) == shipped


def test_with_absolute_weights_leaves_those_that_the_experiment_itself_trains(in_root: Path) -> None:
    trained = compose(["experiment=recognizer"])
    assert with_absolute_weights(trained, Path("/root/of/it")).as_dict()["ocr"]["weights"] == "models/recognizer.onnx"
