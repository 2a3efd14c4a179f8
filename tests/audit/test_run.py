"""`lpr audit` on synthetic images with known errors of their labels."""

import hashlib
import html
import io
import json
import re
import shutil
from contextlib import chdir, redirect_stdout
from pathlib import Path

import composed
import numpy as np
import pandas as pd
import pytest
from browser import check_page, needs_browser
from clones import Clone
from PIL import Image, ImageDraw

from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.cli.main import main as cli
from lpr.config import PARAMS
from lpr.data.tables import write_table
from lpr.metrics.detection import PREDICTION_COLUMNS

WIDTH, HEIGHT = 400, 300
PLATE = (150, 120, 250, 150)
ELSEWHERE = (20, 240, 100, 264)
HOSTILE = """"><script>window.hacked = 1</script>{{ 7 * 7 }}"""

# Image → its labels, and the predictions with their confidences.
SCENES = {
    "good": ([PLATE], [((152, 121, 251, 151), 0.8)]),
    "inexact": ([PLATE], [((120, 100, 260, 190), 0.2)]),  # below the threshold of confidence
    "noise": ([PLATE], [(PLATE, 0.8), (ELSEWHERE, 0.6)]),  # below the median confidence on labels
    "missing": ([PLATE], [(PLATE, 0.8), (ELSEWHERE, 0.85)]),
    "empty": ([], [(PLATE, 0.9)]),
    "unmatched": ([PLATE], [(ELSEWHERE, 0.6)]),
    "faint": ([PLATE], [(PLATE, 0.07)]),
    "sliver": ([(150, 120, 250, 122)], [(PLATE, 0.8)]),
    "swapped": ([(250, 150, 150, 120)], [(PLATE, 0.75)]),
    "huge": ([(10, 10, 390, 290)], [((180, 130, 200, 140), 0.4)]),  # the prediction is a letter within the plate
    "close": ([(10, 10, 390, 290)], [((12, 12, 380, 280), 0.8)]),  # as large, and the detector agrees
    "twice": ([PLATE, (148, 118, 254, 153)], [(PLATE, 0.8)]),
    "loose": ([(90, 118, 252, 184)], [(PLATE, 0.8)]),
    "tight": ([(150, 120, 196, 150)], [(PLATE, 0.8)]),
    "shifted": ([(202, 112, 302, 142)], [(PLATE, 0.8)]),
    "narrow": ([(175, 105, 225, 165)], [(PLATE, 0.8)]),  # of the same area, but upright
}


def draw(path: Path, seed: int) -> None:
    """A unique image: coarse blocks of random grey, with a plate."""
    blocks = np.random.default_rng(seed).integers(30, 220, (12, 16), np.uint8)
    image = Image.fromarray(blocks).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).convert("RGB")
    ImageDraw.Draw(image).rectangle(PLATE, "#f0f0e0", "black")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=90)


class Project:
    """The outputs of the stages that an audit reads, image by image."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plates: list[dict] = []
        self.predictions: list[dict] = []
        self.images: dict[str, dict] = {}

    def add(self, name, labels, predictions=(), source="cars", split="test", text="", like=None) -> None:
        image = f"{name}.jpg"
        if like:
            shutil.copy(self.root / f"data/images/{like}.jpg", self.root / "data/images" / image)
        else:
            draw(self.root / "data/images" / image, int.from_bytes(hashlib.md5(name.encode()).digest()[:4]))
        row = {"image": image, "source": source}
        self.images[image] = row | {"width": WIDTH, "height": HEIGHT, "split": split}
        for label in labels or [[np.nan] * 4]:
            own = dict.fromkeys(ORIGINAL_BOX_COLUMNS, np.nan)
            size = {"url": f"place/{name}.png", "image_width": WIDTH, "image_height": HEIGHT}
            self.plates.append(
                {**row, **size, **dict(zip(BOX_COLUMNS, label, strict=True)), "text": text, "ignored": False, **own}
            )
        for rank, (box, confidence) in enumerate(sorted(predictions, key=lambda found: -found[1])):
            found = {"split": split, "rank": rank, "confidence": confidence}
            self.predictions.append({**row, **found, **dict(zip(PREDICTED_BOX_COLUMNS, box, strict=True))})

    def write(self, *overrides: str) -> None:
        params = composed.params("experiment=best", "data=table", "data.annotations=boxes.csv", *overrides)
        (self.root / PARAMS).write_text(params)
        stored = {"stored_width": WIDTH, "stored_height": HEIGHT, "orientation": 1}
        images = pd.DataFrame(self.images.values())
        write_table(pd.DataFrame(self.plates), self.root / "data/plates.csv")
        write_table(images.drop(columns="split").assign(**stored), self.root / "data/images.csv")
        write_table(images[["image", "source", "split"]], self.root / "data/split.csv")
        predictions = pd.DataFrame(self.predictions, columns=PREDICTION_COLUMNS)
        write_table(predictions, self.root / "reports/predictions.csv")


def audited(root: Path = Path()) -> pd.DataFrame:
    table = pd.read_csv(root / "reports/audit/audit.csv")
    return table.set_index(table["image"].str.removesuffix(".jpg"))


def page_text(root: Path = Path()) -> str:
    """The text of the page, in one line."""
    body = re.sub(r"(?s)<style>.*?</style>", "", (root / "reports/audit/index.html").read_text())
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def make_scenes(root: Path) -> Path:
    made = Project(root)
    for name, (labels, predictions) in SCENES.items():
        made.add(name, labels, predictions)
    made.write()
    return root


@pytest.fixture
def scenes(project: Path) -> Path:
    return make_scenes(project)


@pytest.fixture(scope="module")
def audited_scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the scenes after `lpr audit`, and what it printed."""
    root = make_scenes(tmp_path_factory.mktemp("scenes"))
    with chdir(root), redirect_stdout(io.StringIO()) as printed:
        assert cli(["audit"]) == 0
    return root, printed.getvalue()


def test_each_wrong_label_is_found_and_no_other(audited_scenes: tuple[Path, str]) -> None:
    root, printed = audited_scenes
    assert audited(root)["kind"].to_dict() == {
        "empty": "missing",
        "missing": "missing",
        **dict.fromkeys(["sliver", "swapped", "unmatched", "faint", "huge", "twice"], "spurious"),
        "loose": "loose",
        "tight": "tight",
        **dict.fromkeys(["shifted", "narrow"], "shifted"),
    }
    assert re.search(r"cars +2 +6 +1 +1 +2 +0\n", printed)
    assert "12 findings of 16 labels: reports/audit/index.html, reports/audit/audit.csv" in printed


def test_the_csv_has_boxes_severity_and_reason_of_each_finding(audited_scenes: tuple[Path, str]) -> None:
    table = audited(audited_scenes[0])
    loose = table.loc["loose"]
    assert (loose["source"], loose["split"]) == ("cars", "test")
    assert list(loose[BOX_COLUMNS]) == [90, 118, 252, 184]
    assert list(loose[PREDICTED_BOX_COLUMNS]) == list(PLATE)
    assert loose["plate"] == 0
    assert loose["confidence"] == 0.8
    assert loose["iou"] == pytest.approx(3000 / (162 * 66), abs=1e-6)
    assert loose["severity"] == pytest.approx(0.8 * (1 - loose["iou"]), abs=1e-6)
    assert loose["url"] == "place/loose.png"
    area = "the area of the prediction"
    assert loose["reason"] == f"3.6 × {area}: extends beyond it by 60 px at the left, 34 px at the bottom"
    assert table.loc["tight", "reason"] == f"0.46 × {area}: leaves out 54 px at the right"
    assert table.loc["shifted", "reason"] == "about as large as the prediction, but shifted 52 px right"
    assert table.loc["narrow", "reason"].endswith("but 0.5 × as wide and 2 × as high")
    assert table.loc["missing", "reason"] == "a plate is predicted, 80 × 24 px, where there is no label"
    assert list(table.loc["missing", PREDICTED_BOX_COLUMNS]) == list(ELSEWHERE)
    assert table.loc["missing", BOX_COLUMNS].isna().all()
    assert table.loc["missing", "severity"] == 0.85
    assert "in an image labelled as having none" in table.loc["empty", "reason"]
    assert table.loc["unmatched", ["severity", "iou"]].tolist() == [1, 0]
    assert table.loc["faint", "severity"] == pytest.approx(0.93)
    assert table.loc["huge", "reason"] == (
        "no prediction of more than 0.40 confidence overlaps this label of 380 × 280 px, 89 % of the image"
    )
    assert table.loc["twice", "plate"] == 1
    assert "a second label" in table.loc["twice", "reason"]
    assert (table.groupby("kind")["severity"].apply(list).map(lambda one: one == sorted(one, reverse=True))).all()


def test_the_page_counts_explains_and_shows_the_worst_first(audited_scenes: tuple[Path, str]) -> None:
    text = page_text(audited_scenes[0])
    assert "missing 2 spurious 6 loose 1 tight 1 shifted 2 duplicate 0" in text
    assert "cars 16 test 16" in text
    assert "with a confidence of at least 0.80, the median of the predictions that agree with a label" in text
    assert "with an IoU below 0.5, and the label has at least 1.5 × its area" in text
    assert "trained on" not in text
    assert text.index("empty.jpg") < text.index("missing.jpg") < text.index("unmatched.jpg") < text.index("faint.jpg")
    assert "Duplicate images duplicate: 0 None." in text


@pytest.mark.parametrize("labels", [[PLATE], []])
def test_where_nothing_is_wrong_nothing_is_listed(project: Path, capsys, labels: list) -> None:
    made = Project(project)
    made.add("only", labels, [(label, 0.9) for label in labels])
    made.write()
    assert cli(["audit"]) == 0
    assert audited().empty
    assert f"0 findings of {len(labels)} labels" in capsys.readouterr().out
    assert "missing 0 spurious 0 loose 0 tight 0 shifted 0 duplicate 0" in page_text()
    assert ("no threshold of confidence is known" in page_text()) == (not labels)


def test_the_rest_of_many_findings_is_in_the_csv_alone(project: Path) -> None:
    made = Project(project)
    made.add("good", [PLATE], [(PLATE, 0.9)])
    for number in range(30):
        made.add(f"unmatched{number}", [PLATE])
    made.write()
    assert cli(["audit"]) == 0
    assert len(audited()) == 30
    assert "the 24 most severe of 30; all are in audit.csv" in page_text()
    assert (project / "reports/audit/index.html").read_text().count("data:image/jpeg") == 24


def test_duplicates_in_different_splits_or_with_other_labels_are_found(project: Path) -> None:
    made = Project(project)
    found = [(PLATE, 0.9)]
    made.add("trained", [PLATE], found, split="train", text="MH12AB1234")
    made.add("tested", [PLATE], found, like="trained", text="MH12AB1234")
    made.add("other-view", [PLATE], found, text="MH12AB1234")
    made.add("harmless", [PLATE], found, text="KA01AA0001")
    made.add("as-harmless", [PLATE], found, like="harmless", text="KA01AA0001")
    made.add("one", [PLATE], found)
    made.add("one-of-two", [PLATE, ELSEWHERE], [*found, (ELSEWHERE, 0.9)], like="one", source="bikes")
    made.add("here", [PLATE], found)
    made.add("there", [ELSEWHERE], [(ELSEWHERE, 0.9)], like="here", source="bikes")
    made.add("read", [PLATE], found, text="DL1AA1111")
    made.add("misread", [PLATE], found, like="read", text="DL1AA1117")
    made.write()
    assert cli(["audit"]) == 0
    table = audited()
    assert (table["kind"] == "duplicate").all()
    pairs = {(row.image, row.other_image): (row.severity, row.reason) for row in table.itertuples()}
    assert pairs == {
        ("trained.jpg", "tested.jpg"): (1, "the same image: one is in train, the other in test"),
        ("trained.jpg", "other-view.jpg"): (
            1,
            "the plate MH12AB1234 is in another image: one is in train, the other in test",
        ),
        ("one.jpg", "one-of-two.jpg"): (1, "the same image: labels: 1 here, 2 there"),
        ("here.jpg", "there.jpg"): (1, "the same image: the boxes have an IoU of 0.00"),
        ("read.jpg", "misread.jpg"): (1, "the same image: the texts are DL1AA1111 here, DL1AA1117 there"),
    }
    text = page_text()
    assert "1 more pairs of near-duplicates are harmless" in text
    assert (project / "reports/audit/index.html").read_text().count("data:image/jpeg") == 10


def test_images_that_the_detector_was_trained_on_are_counted_with_a_command_to_avoid_it(project: Path) -> None:
    made = Project(project)
    made.add("good", [PLATE], [(PLATE, 0.9)])
    made.add("known", [PLATE], split="train")
    made.write("data.sources.0.role=both", "split=random", "train.epochs=7")
    assert cli(["audit"]) == 0
    assert audited().loc["known", "split"] == "train"
    text = page_text()
    assert "The predictions for 1 of the 2 images are those of a detector that was trained on them" in text
    assert (
        "lpr experiment -m experiment=best data=table data.annotations=boxes.csv train.epochs=7 "
        "split=kfold split.folds=5 split.fold=0,1,2,3,4 hydra.sweep.dir=experiments/audit lpr audit experiments/audit"
    ) in text


def make_job(sweep: Path, name: str, splits: dict[str, str], confidences: dict[str, float], *overrides: str) -> None:
    """A finished job of a sweep."""
    made = Project(sweep / name)
    for image, split in splits.items():
        made.add(image, [PLATE], [(PLATE, confidences[image])] if confidences[image] else [], split=split)
    made.write()
    (sweep / name / ".hydra").mkdir()
    fold = [f"split.fold={name}", *overrides]
    (sweep / name / ".hydra/overrides.yaml").write_text("".join(f"- {override}\n" for override in fold))
    (sweep / name / "finished.json").write_text(json.dumps({"objective": 0.5}))


@pytest.fixture
def sweep(project: Path) -> Path:
    """Two folds, whose detectors predict the plates of their training images alone."""
    folder = project / "experiments/folds"
    make_job(folder, "0", {"a": "test", "b": "train", "c": "train"}, {"a": 0.0, "b": 0.9, "c": 0.8})
    make_job(folder, "1", {"a": "train", "b": "test", "c": "validation"}, {"a": 0.9, "b": 0.0, "c": 0.0})
    (folder / "multirun.yaml").write_text("")
    return folder


def test_in_a_sweep_of_folds_the_predictions_are_those_of_test_images(sweep: Path, capsys) -> None:
    assert cli(["audit", "experiments/folds"]) == 0
    table = audited(sweep)
    assert table["split"].to_dict() == {"a": "test", "b": "test", "c": "validation"}
    assert (table["kind"] == "spurious").all()
    assert "cars 1 validation, 2 test 3" in page_text(sweep)
    assert "trained on" not in page_text(sweep)


def test_one_experiment_is_audited_by_its_folder(sweep: Path) -> None:
    assert cli(["audit", "experiments/folds/0"]) == 0
    assert audited(sweep / "0")["kind"].to_dict() == {"a": "spurious"}


def test_unfinished_jobs_are_left_out_and_different_ones_refused(sweep: Path, capsys) -> None:
    make_job(sweep, "2", {"d": "test", "a": "train"}, {"d": 0.0, "a": 0.9}, "loss=mse")
    assert cli(["audit", "experiments/folds"]) == 1
    assert "holds different experiments (loss differ)" in capsys.readouterr().err
    (sweep / "2/finished.json").unlink()
    assert cli(["audit", "experiments/folds"]) == 0
    assert "left out, not finished: 2" in capsys.readouterr().err
    assert cli(["audit", "experiments/folds/2"]) == 1
    assert "experiments/folds/2 has not finished" in capsys.readouterr().err
    for name in "01":
        (sweep / name / "finished.json").unlink()
    assert cli(["audit", "experiments/folds"]) == 1
    assert "no job of experiments/folds has finished" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["data/plates.csv", "data/split.csv", "reports/predictions.csv"])
def test_a_missing_file_is_named_with_the_command_that_makes_it(scenes: Path, capsys, missing: str) -> None:
    (scenes / missing).unlink()
    assert cli(["audit"]) == 1
    assert capsys.readouterr().err == f"lpr audit: {missing} is missing: `dvc repro` makes it\n"


def test_missing_images_and_predictions_of_another_split_are_refused(scenes: Path, capsys) -> None:
    split = (scenes / "data/split.csv").read_text()
    (scenes / "data/split.csv").write_text(split.replace("good.jpg,cars,test", "good.jpg,cars,train"))
    assert cli(["audit"]) == 1
    assert "reports/predictions.csv does not match the images and splits in data/split.csv" in capsys.readouterr().err
    (scenes / "data/split.csv").write_text(split)
    (scenes / "data/images/good.jpg").unlink()
    assert cli(["audit"]) == 1
    assert "data/images lacks 1 of the images in data/split.csv, such as good.jpg: `dvc" in capsys.readouterr().err
    assert cli(["audit", "nowhere"]) == 1
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert cli(["audit", "data"]) == 1
    assert "data is the folder of no project, experiment or sweep" in capsys.readouterr().err


def test_without_confidences_missing_labels_are_not_searched_for(clone: Clone) -> None:
    done = clone.lpr_in_process("audit")
    assert "detector=regression predicts one plate in every image" in done.stdout
    table = pd.read_csv(clone.folder / "reports/audit/audit.csv")
    assert not (table["kind"] == "missing").any()
    assert "Not searched for: this detector" in page_text(clone.folder)
    assert clone.run("git", "status", "--short").stdout == ""


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a page with long names and texts that are no plain text."""
    root = tmp_path_factory.mktemp("hostile")
    made = Project(root)
    for name, (labels, predictions) in SCENES.items():
        made.add(f"{name}-{'n' * 60}", labels, predictions, source="s" * 40, text=HOSTILE, split="train")
    made.add("copy", [ELSEWHERE], [(ELSEWHERE, 0.9)], like=f"good-{'n' * 60}", text=HOSTILE)
    made.write()
    with chdir(root):
        assert cli(["audit"]) == 0
    return root / "reports/audit"


@needs_browser
@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_the_page_whole(hostile_page: Path, tmp_path: Path, width: int) -> None:
    assert "<script" not in (hostile_page / "index.html").read_text()
    kinds = pd.read_csv(hostile_page / "audit.csv")["kind"]
    duplicates = int((kinds == "duplicate").sum())
    assert duplicates > 0
    assert check_page(hostile_page, width, tmp_path)["images"] == len(kinds) + duplicates
