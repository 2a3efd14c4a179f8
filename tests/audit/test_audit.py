"""`lpr audit` on drawn images whose labels are wrong in ways that are known."""

import hashlib
import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import check_page, needs_browser
from clones import Clone
from PIL import Image, ImageDraw

from lpr import config
from lpr.boxes import BOX_COLUMNS, ORIGINAL_BOX_COLUMNS, PREDICTED_BOX_COLUMNS
from lpr.cli.main import main as cli
from lpr.composition.params import write_params
from lpr.data.tables import write_table
from lpr.metrics.detection import PREDICTION_COLUMNS

WIDTH, HEIGHT = 400, 300
PLATE = (150, 120, 250, 150)
ELSEWHERE = (20, 240, 100, 264)
HOSTILE = """"><script>window.hacked = 1</script>{{ 7 * 7 }}"""

# Image → its labels, and the predictions with their confidences.
SCENES = {
    "good": ([PLATE], [((152, 121, 251, 151), 0.8)]),
    "unsure": ([PLATE], [((120, 100, 260, 190), 0.2)]),  # too unsure of its place to blame the label
    "noise": ([PLATE], [(PLATE, 0.8), (ELSEWHERE, 0.6)]),  # less sure than those on labels
    "missing": ([PLATE], [(PLATE, 0.8), (ELSEWHERE, 0.85)]),
    "empty": ([], [(PLATE, 0.9)]),
    "unseen": ([PLATE], [(ELSEWHERE, 0.6)]),
    "faint": ([PLATE], [(PLATE, 0.07)]),
    "sliver": ([(150, 120, 250, 122)], [(PLATE, 0.8)]),
    "swapped": ([(250, 150, 150, 120)], [(PLATE, 0.75)]),
    "huge": ([(10, 10, 390, 290)], [((180, 130, 200, 140), 0.4)]),  # the detector sees a letter in it
    "close": ([(10, 10, 390, 290)], [((12, 12, 380, 280), 0.8)]),  # as huge, and the detector agrees
    "twice": ([PLATE, (148, 118, 254, 153)], [(PLATE, 0.8)]),
    "loose": ([(90, 118, 252, 184)], [(PLATE, 0.8)]),
    "tight": ([(150, 120, 196, 150)], [(PLATE, 0.8)]),
    "shifted": ([(202, 112, 302, 142)], [(PLATE, 0.8)]),
    "narrow": ([(175, 105, 225, 165)], [(PLATE, 0.8)]),  # as large, but upright
}


def draw(path: Path, seed: int) -> None:
    """A image like no other: coarse blocks of random grey, with a plate."""
    blocks = np.random.default_rng(seed).integers(30, 220, (12, 16), np.uint8)
    image = Image.fromarray(blocks).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).convert("RGB")
    ImageDraw.Draw(image).rectangle(PLATE, "#f0f0e0", "black")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=90)


class Project:
    """What the stages before an audit leave in a folder, image by image."""

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
            self.plates.append({**row, **size, **dict(zip(BOX_COLUMNS, label, strict=True)), "text": text, **own})
        for rank, (box, confidence) in enumerate(sorted(predictions, key=lambda found: -found[1])):
            found = {"split": split, "rank": rank, "confidence": confidence}
            self.predictions.append({**row, **found, **dict(zip(PREDICTED_BOX_COLUMNS, box, strict=True))})

    def write(self, *overrides: str) -> None:
        here = ["experiment=best", "data=table", "data.annotations=boxes.csv", *overrides]
        write_params(here, self.root / config.PARAMS)
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


def words(root: Path = Path()) -> str:
    """What a reader sees of the page, in one line."""
    body = re.sub(r"(?s)<style>.*?</style>", "", (root / "reports/audit/index.html").read_text())
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def scenes(project: Path) -> Path:
    made = Project(project)
    for name, (labels, predictions) in SCENES.items():
        made.add(name, labels, predictions)
    made.write()
    return project


def test_each_wrong_label_is_found_and_no_other(scenes: Path, capsys) -> None:
    assert cli.main(["audit"]) == 0
    assert audited()["kind"].to_dict() == {
        "empty": "missing",
        "missing": "missing",
        **dict.fromkeys(["sliver", "swapped", "unseen", "faint", "huge", "twice"], "doubtful"),
        "loose": "loose",
        "tight": "tight",
        **dict.fromkeys(["shifted", "narrow"], "shifted"),
    }
    printed = capsys.readouterr().out
    assert re.search(r"cars +2 +6 +1 +1 +2 +0\n", printed)
    assert "12 findings of 16 labels: reports/audit/index.html, reports/audit/audit.csv" in printed


def test_the_csv_says_what_where_how_much_and_why(scenes: Path) -> None:
    cli.main(["audit"])
    table = audited()
    loose = table.loc["loose"]
    assert (loose["source"], loose["split"]) == ("cars", "test")
    assert list(loose[BOX_COLUMNS]) == [90, 118, 252, 184]
    assert list(loose[PREDICTED_BOX_COLUMNS]) == list(PLATE)
    assert loose["plate"] == 0
    assert loose["confidence"] == 0.8
    assert loose["iou"] == pytest.approx(3000 / (162 * 66), abs=1e-6)
    assert loose["severity"] == pytest.approx(0.8 * (1 - loose["iou"]), abs=1e-6)
    assert loose["url"] == "place/loose.png"
    area = "of the plate that is seen"
    assert loose["reason"] == f"3.6 × the area {area}: reaches beyond it by 60 px at the left, 34 px at the bottom"
    assert table.loc["tight", "reason"] == f"0.46 × the area {area}: leaves out 54 px at the right"
    assert table.loc["shifted", "reason"] == "about as large as the plate that is seen, but moved 52 px right"
    assert table.loc["narrow", "reason"].endswith("but 0.5 × as wide and 2 × as high")
    assert table.loc["missing", "reason"] == "a plate is seen, 80 × 24 px, and no label is there"
    assert list(table.loc["missing", PREDICTED_BOX_COLUMNS]) == list(ELSEWHERE)
    assert table.loc["missing", BOX_COLUMNS].isna().all()
    assert table.loc["missing", "severity"] == 0.85
    assert "the image is said to show no plate" in table.loc["empty", "reason"]
    assert table.loc["unseen", ["severity", "iou"]].tolist() == [1, 0]
    assert table.loc["faint", "severity"] == pytest.approx(0.93)
    assert table.loc["huge", "reason"] == "little is seen in its 380 × 280 px, 89 % of the image"
    assert table.loc["twice", "plate"] == 1
    assert "a second label" in table.loc["twice", "reason"]
    assert (table.groupby("kind")["severity"].apply(list).map(lambda one: one == sorted(one, reverse=True))).all()


def test_the_page_counts_explains_and_shows_the_worst_first(scenes: Path) -> None:
    cli.main(["audit"])
    seen = words()
    assert "missing 2 doubtful 6 loose 1 tight 1 shifted 2 duplicate 0" in seen
    assert "cars 16 test 16" in seen
    assert "is sure: its confidence, which is the severity, is at least 0.80" in seen
    assert "with an IoU below 0.5, and the label has at least 1.5 × its area" in seen
    assert "trained on" not in seen
    assert seen.index("empty.jpg") < seen.index("missing.jpg") < seen.index("unseen.jpg") < seen.index("faint.jpg")
    assert "Images that are there twice duplicate: 0 None." in seen


@pytest.mark.parametrize("labels", [[PLATE], []])
def test_where_nothing_is_wrong_nothing_is_listed(project: Path, capsys, labels: list) -> None:
    made = Project(project)
    made.add("only", labels, [(label, 0.9) for label in labels])
    made.write()
    assert cli.main(["audit"]) == 0
    assert audited().empty
    assert f"0 findings of {len(labels)} labels" in capsys.readouterr().out
    assert "missing 0 doubtful 0 loose 0 tight 0 shifted 0 duplicate 0" in words()
    assert ("so that none is sure" in words()) == (not labels)


def test_the_rest_of_many_findings_is_in_the_csv_alone(project: Path) -> None:
    made = Project(project)
    made.add("good", [PLATE], [(PLATE, 0.9)])
    for number in range(30):
        made.add(f"unseen{number}", [PLATE])
    made.write()
    assert cli.main(["audit"]) == 0
    assert len(audited()) == 30
    assert "the 24 worst of 30; the rest is in audit.csv" in words()
    assert (project / "reports/audit/index.html").read_text().count("data:image/jpeg") == 24


def test_twins_on_two_sides_and_with_other_labels_are_found(project: Path) -> None:
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
    assert cli.main(["audit"]) == 0
    table = audited()
    assert (table["kind"] == "duplicate").all()
    pairs = {(row.image, row.other_image): (row.severity, row.reason) for row in table.itertuples()}
    assert pairs == {
        ("trained.jpg", "tested.jpg"): (1, "the same image: one is in train, the other in test"),
        ("trained.jpg", "other-view.jpg"): (
            1,
            "the plate MH12AB1234 is in another image, too: one is in train, the other in test",
        ),
        ("one.jpg", "one-of-two.jpg"): (1, "the same image: labels: 1 here, 2 there"),
        ("here.jpg", "there.jpg"): (1, "the same image: the boxes have an IoU of 0.00"),
        ("read.jpg", "misread.jpg"): (1, "the same image: the texts are DL1AA1111 here, DL1AA1117 there"),
    }
    seen = words()
    assert "1 more pairs of near-duplicates do no harm" in seen
    assert (project / "reports/audit/index.html").read_text().count("data:image/jpeg") == 10


def test_what_a_detector_was_trained_on_is_said_to_be_milder_evidence(project: Path) -> None:
    made = Project(project)
    made.add("good", [PLATE], [(PLATE, 0.9)])
    made.add("known", [PLATE], split="train")
    made.write("data.sources.0.role=both", "split=random", "train.epochs=7")
    assert cli.main(["audit"]) == 0
    assert audited().loc["known", "split"] == "train"
    seen = words()
    assert "1 of the 2 images are judged by a detector that was trained on them" in seen
    assert (
        "lpr experiment -m experiment=best data=table data.annotations=boxes.csv train.epochs=7 "
        "split=kfold split.folds=5 split.fold=0,1,2,3,4 hydra.sweep.dir=experiments/audit lpr audit experiments/audit"
    ) in seen


def make_job(sweep: Path, name: str, sides: dict[str, str], confidences: dict[str, float], *overrides: str) -> None:
    """A finished job of a sweep."""
    made = Project(sweep / name)
    for image, split in sides.items():
        made.add(image, [PLATE], [(PLATE, confidences[image])] if confidences[image] else [], split=split)
    made.write()
    (sweep / name / ".hydra").mkdir()
    fold = [f"split.fold={name}", *overrides]
    (sweep / name / ".hydra/overrides.yaml").write_text("".join(f"- {override}\n" for override in fold))
    (sweep / name / "finished.json").write_text(json.dumps({"objective": 0.5}))


@pytest.fixture
def sweep(project: Path) -> Path:
    """Two folds: either sees nothing in the image that it did not train on, and everything in the other."""
    folder = project / "experiments/folds"
    make_job(folder, "0", {"a": "test", "b": "train", "c": "train"}, {"a": 0.0, "b": 0.9, "c": 0.8})
    make_job(folder, "1", {"a": "train", "b": "test", "c": "validation"}, {"a": 0.9, "b": 0.0, "c": 0.0})
    (folder / "multirun.yaml").write_text("")
    return folder


def test_in_a_sweep_of_folds_each_image_is_judged_by_the_one_that_tested_it(sweep: Path, capsys) -> None:
    assert cli.main(["audit", "experiments/folds"]) == 0
    table = audited(sweep)
    assert table["split"].to_dict() == {"a": "test", "b": "test", "c": "validation"}
    assert (table["kind"] == "doubtful").all()
    assert "cars 1 validation, 2 test 3" in words(sweep)
    assert "trained on" not in words(sweep)


def test_one_experiment_is_audited_by_its_folder(sweep: Path) -> None:
    assert cli.main(["audit", "experiments/folds/0"]) == 0
    assert audited(sweep / "0")["kind"].to_dict() == {"a": "doubtful"}


def test_unfinished_jobs_are_left_out_and_different_ones_refused(sweep: Path, capsys) -> None:
    make_job(sweep, "2", {"d": "test", "a": "train"}, {"d": 0.0, "a": 0.9}, "loss=mse")
    assert cli.main(["audit", "experiments/folds"]) == 1
    assert "holds different experiments (loss differ)" in capsys.readouterr().err
    (sweep / "2/finished.json").unlink()
    assert cli.main(["audit", "experiments/folds"]) == 0
    assert "left out, since they did not finish: 2" in capsys.readouterr().err
    assert cli.main(["audit", "experiments/folds/2"]) == 1
    assert "experiments/folds/2 has not finished" in capsys.readouterr().err
    for name in "01":
        (sweep / name / "finished.json").unlink()
    assert cli.main(["audit", "experiments/folds"]) == 1
    assert "no job of experiments/folds has finished" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["data/plates.csv", "data/split.csv", "reports/predictions.csv"])
def test_what_is_missing_is_named_with_what_makes_it(scenes: Path, capsys, missing: str) -> None:
    (scenes / missing).unlink()
    assert cli.main(["audit"]) == 1
    assert capsys.readouterr().err == f"lpr audit: {missing} is missing: `dvc repro` makes it\n"


def test_images_that_are_not_there_and_predictions_of_another_split_are_refused(scenes: Path, capsys) -> None:
    split = (scenes / "data/split.csv").read_text()
    (scenes / "data/split.csv").write_text(split.replace("good.jpg,cars,test", "good.jpg,cars,train"))
    assert cli.main(["audit"]) == 1
    assert "reports/predictions.csv is not of the images and sides in data/split.csv" in capsys.readouterr().err
    (scenes / "data/split.csv").write_text(split)
    (scenes / "data/images/good.jpg").unlink()
    assert cli.main(["audit"]) == 1
    assert "data/images lacks 1 of the images in data/split.csv, such as good.jpg: `dvc" in capsys.readouterr().err
    assert cli.main(["audit", "nowhere"]) == 1
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert cli.main(["audit", "data"]) == 1
    assert "data is the folder of no project, experiment or sweep" in capsys.readouterr().err


def test_a_detector_that_always_sees_one_plate_cannot_tell_of_missing_labels(clone: Clone) -> None:
    done = clone.lpr("audit")
    assert "detector=regression sees one plate in every image" in done.stdout
    table = pd.read_csv(clone.folder / "reports/audit/audit.csv")
    assert not (table["kind"] == "missing").any()
    assert "Not looked for" in words(clone.folder)
    assert clone.run("git", "status", "--short").stdout == ""


@needs_browser
@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_the_page_whole(project: Path, tmp_path: Path, width: int) -> None:
    made = Project(project)
    for name, (labels, predictions) in SCENES.items():
        made.add(f"{name}-{'n' * 60}", labels, predictions, source="s" * 40, text=HOSTILE, split="train")
    made.add("copy", [ELSEWHERE], [(ELSEWHERE, 0.9)], like=f"good-{'n' * 60}", text=HOSTILE)
    made.write()
    assert cli.main(["audit"]) == 0
    page = project / "reports/audit/index.html"
    assert "<script" not in page.read_text()
    shown = len(pd.read_csv(project / "reports/audit/audit.csv"))
    duplicates = int((pd.read_csv(project / "reports/audit/audit.csv")["kind"] == "duplicate").sum())
    assert duplicates > 0
    assert check_page(page.parent, width, tmp_path)["images"] == shown + duplicates
