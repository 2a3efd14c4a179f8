"""`lpr pseudo-label`: what becomes a label, what is ignored, what stays as background."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finder import SETTINGS, box, build_finder, draw, trained_project
from PIL import Image
from plate_images import plate

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS
from lpr.cli.main import main as cli
from lpr.data.tables import write_table
from lpr.detection.export import export
from lpr.experiment.pseudo_labels import pseudo_labels
from lpr.inference.plates import Plate
from lpr.nn.runtime import Hardware, prepare_tensorflow
from lpr.paths import DETECTOR, IMAGE_CACHE, IMAGES_CSV, MODELS, PLATES, PSEUDO_LABELS, SPLIT

LABEL = np.array([[100.0, 100.0, 200.0, 130.0]])
AWAY = (300.0, 100.0, 400.0, 130.0)


def found(box: tuple[float, float, float, float], confidence: float, text: str = "", sure: float = 0.0) -> Plate:
    return Plate(box, confidence, text, sure)


@pytest.mark.parametrize(
    ("plate", "outcome"),
    [
        (found(AWAY, 0.9, "KA01AB1234", 0.9), "added"),
        (found(AWAY, 0.9), "ignored"),  # surely something, but nobody can read it
        (found(AWAY, 0.9, "TEXACO", 0.9), "ignored"),  # lettering without a digit
        (found(AWAY, 0.1, "KA01AB1234", 0.9), "ignored"),
        (found(AWAY, 0.1), "background"),
        (found((300.0, 100.0, 320.0, 106.0), 0.1), "ignored"),  # too small to be read
    ],
)
def test_a_detection_beside_the_labels(plate: Plate, outcome: str) -> None:
    labels = pseudo_labels(LABEL, ["MH12DE1433"], [plate], refine=False)
    assert labels.counts == {"kept": 1, "refined": 0} | dict.fromkeys(("added", "ignored", "background"), 0) | {
        outcome: 1
    }
    assert labels.boxes.tolist() == [*LABEL.tolist(), *([list(plate.box)] if outcome == "added" else [])]
    assert labels.texts == ["MH12DE1433", *([""] if outcome == "added" else [])]
    assert labels.ignored.tolist() == ([list(plate.box)] if outcome == "ignored" else [])


def test_a_loose_label_takes_the_sides_of_a_confident_detection_on_it() -> None:
    tight = (105.0, 102.0, 195.0, 128.0)
    for refine, confidence, expected in ((True, 0.9, tight), (True, 0.1, LABEL[0]), (False, 0.9, LABEL[0])):
        labels = pseudo_labels(LABEL, [""], [found(tight, confidence)], refine=refine)
        assert labels.boxes.tolist() == [list(expected)]
        assert not len(labels.ignored)


@pytest.fixture
def project(in_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two images of one plate each, of which one trains and one validates; in both, another has no label."""
    (tmp_path / "conf").symlink_to(in_root / "conf")
    monkeypatch.chdir(tmp_path)
    prepare_tensorflow(Hardware("float32", 1), 0)
    config = trained_project(build_finder(), SETTINGS)
    export(DETECTOR, config, [draw((2, 3))], MODELS)
    IMAGE_CACHE.mkdir(parents=True)
    rows = []
    for number, split in enumerate(("train", "validation")):
        name = f"{split}.jpg"
        Image.fromarray(street()).save(IMAGE_CACHE / name, quality=95)
        place = dict(zip(BOX_COLUMNS, box((2, 3), 6), strict=True)) | dict.fromkeys(ORIGINAL_BOX_COLUMNS, np.nan)
        size = {"image_width": 960, "image_height": 576}
        rows.append(
            {
                "image": name,
                "source": "streets",
                "url": name,
                **size,
                **place,
                "text": f"KA01AB000{number}",
                "ignored": False,
            }
        )
    plates = pd.DataFrame(rows)
    write_table(plates, PLATES)
    sizes = {"width": 960, "height": 576, "stored_width": 960, "stored_height": 576, "orientation": 1}
    write_table(plates[["image", "source"]].assign(**sizes), IMAGES_CSV)
    write_table(plates[["image", "source"]].assign(split=["train", "validation"]), SPLIT)
    return tmp_path


def street() -> np.ndarray:
    """Two plates, as large as the detector's times six, that can be read."""
    image = draw((2, 3), (12, 7), scale=6)
    lettered = np.asarray(plate("KA 01", "AB 1234", size=96, width=560).convert("RGB").resize((240, 144)))
    for place in ((2, 3), (12, 7)):
        left, top, right, bottom = (round(side) for side in box(place, 6))
        image[top:bottom, left:right] = np.maximum(lettered, 60)
    return image


def test_plates_without_a_label_get_one_in_training_images_and_are_ignored_in_those_held_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "unlabelled").mkdir()
    Image.fromarray(street()).save(project / "unlabelled" / "third.png")
    assert cli(["pseudo-label", "unlabelled"]) == 0
    printed = capsys.readouterr().out
    assert "streets: 1 images, 1 kept, 1 added" in printed.replace("  ", " ")
    tables = {
        place: pd.read_csv(PSEUDO_LABELS / place / "annotations.csv", keep_default_na=False)
        for place in ("train/streets", "train/unlabelled", "held_out/streets")
    }
    corners = {place: table[["xmin", "ymin", "xmax", "ymax"]].to_numpy(float) for place, table in tables.items()}
    labelled, other = box((2, 3), 6), box((12, 7), 6)
    np.testing.assert_allclose(corners["train/streets"], [labelled, other], atol=8)
    np.testing.assert_allclose(sorted(corners["train/unlabelled"].tolist()), [labelled, other], atol=8)
    np.testing.assert_allclose(corners["held_out/streets"], [labelled, other], atol=8)
    assert tables["held_out/streets"]["ignored"].tolist() == [0, 1]
    assert tables["train/streets"]["text"].tolist() == ["KA01AB0000", ""]
    assert tables["train/streets"]["ignored"].tolist() == [0, 0]
    assert cli(["pseudo-label", "unlabelled"]) == 1
    assert "is there already" in capsys.readouterr().err
