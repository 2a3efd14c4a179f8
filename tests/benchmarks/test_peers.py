"""The peers' inputs, how their outputs are decoded, and how they are scored; without the peers themselves."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from clones import ROOT

from lpr.boxes import ORIGINAL_BOX_COLUMNS, Detections
from lpr.data.plates import read_split
from lpr.data.tables import write_table
from lpr.paths import IMAGES_CSV, PLATES, SPLIT


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("peers")


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two images of 200 × 100 px with a plate each, and one without; the second is of the train split."""
    monkeypatch.chdir(tmp_path)
    names = ["one.jpg", "two.jpg", "none.jpg"]
    boxes = {"top_x": [20, 100, None], "top_y": [10, 50, None], "bottom_x": [60, 180, None], "bottom_y": [30, 90, None]}
    original = dict.fromkeys(ORIGINAL_BOX_COLUMNS)
    shared = {"image": names, "source": "street"}
    write_table(
        pd.DataFrame(
            {**shared, "image_width": 200, "image_height": 100, **boxes, "text": "", "ignored": False, **original}
        ),
        PLATES,
    )
    size = {"width": 200, "height": 100, "stored_width": 200, "stored_height": 100, "orientation": 1}
    write_table(pd.DataFrame({**shared, **size}), IMAGES_CSV)
    write_table(pd.DataFrame({**shared, "split": ["test", "train", "test"]}), SPLIT)
    return tmp_path


def test_labels_are_fractions_of_the_image(peers: ModuleType, split: Path) -> None:
    rows = read_split()
    assert peers.write_dataset(rows[rows["split"] == "train"], split / "train") == 1
    assert peers.write_dataset(rows[rows["split"] == "test"], split / "test") == 2
    assert (split / "train" / "labels" / "two.txt").read_text() == "0 0.7 0.7 0.4 0.4\n"
    assert (split / "test" / "labels" / "none.txt").read_text() == ""
    assert sorted(path.name for path in (split / "test" / "images").iterdir()) == ["none.jpg", "one.jpg"]


class Bright:
    """A network in yolo11n's shapes that finds what is bright, twice, and another place with little confidence."""

    def run(self, _: None, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.shape = given["images"].shape
        rows, columns = np.nonzero(given["images"][0].min(axis=0) > 0.9)
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        box = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
        return [np.array([[*box, 0.6], [*box, 0.9], [8, 8, 4, 4, 0.1]], np.float32).T[None]]


@pytest.mark.parametrize(("square", "shape"), [(True, (1, 3, 128, 128)), (False, (1, 3, 64, 128))])
def test_boxes_are_in_pixels_of_the_image(peers: ModuleType, square: bool, shape: tuple) -> None:
    image = np.zeros((200, 400, 3), np.uint8)
    image[120:160, 100:260] = 255
    network = Bright()
    found = peers.detect_by_yolo(image, network, 128, 0.05, square)
    assert network.shape == shape
    np.testing.assert_allclose(found.boxes[0], [100, 120, 260, 160], atol=400 / 128)
    np.testing.assert_allclose(found.confidences, [0.9, 0.1])
    assert len(peers.detect_by_yolo(image, network, 128, 0.25, square).confidences) == 1


def test_only_confident_predictions_of_the_test_split_count(
    peers: ModuleType, split: Path, capsys: pytest.CaptureFixture
) -> None:
    images = read_split().drop_duplicates("image")
    exact = [np.array([[20, 10, 60, 30]]), np.array([[100, 50, 180, 90]]), np.empty((0, 4))]
    for name, confidence in (("confident", 0.9), ("doubtful", 0.2)):
        found = [Detections(boxes, np.full(len(boxes), confidence)) for boxes in exact]
        peers.write_predictions(images, found, split / name)
    capsys.readouterr()
    peers.score([(name, Path(name) / "predictions.csv", 0.25) for name in ("confident", "doubtful")])
    printed = capsys.readouterr().out
    assert "street: 1 plates in 2 images" in printed
    assert re.search(r"mean_iou +\| confident +\| 1\.000", printed)
    assert re.search(r"mean_iou +\| doubtful +\| 0\.000", printed)
    assert re.search(r"AP50 +\| doubtful +\| 1\.000", printed), "for AP, every prediction counts"
    assert re.search(r"doubtful − confident +\| mean_iou +\| street +\| -1\.000", printed)
