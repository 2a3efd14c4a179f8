import html
import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from browser import check_page, needs_browser
from clones import ROOT
from PIL import Image

from lpr.composition.compose import compose
from lpr.data.tables import write_table
from lpr.report.detection_figures import draw_history, draw_iou_histogram
from lpr.report.page import write_page

CONF = ROOT / "conf"
HOSTILE = """"><script>window.hacked = 1</script><img src=x onerror="hacked = 1">'{{ 7 * 7 }}"""
PROVENANCE = {
    "written": "2024-05-01T12:00:00+00:00",
    "git": {"revision": "f00dfeed" * 5, "dirty": True, "changed": ["lpr/nn/saving.py"]},
    "dvc": {"experiment": None, "outputs": {"data/plates.csv": "a" * 32}},
    "wandb": {"id": "l5dmr4b5", "mode": "offline", "folder": "wandb/offline-run-l5dmr4b5"},
    "hardware": {"system": "Linux", "cpu": "A processor", "cores": 2, "memory_gb": 16.0},
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
    "timings": {
        "train": "restored from DVC's cache: not timed here",
        "read": {"seconds": 3.2, "median_ms_per_plate": 63.2, "p95_ms_per_plate": 121.9, "threads": 2},
    },
}


def score(value: float, n: int = 6) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": n}


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def make_project(root: Path, text: str = "MH12AB1234", name: str = "drawn") -> Path:
    """What the stages before the report leave behind: six test plates of one source, of which the last is missed."""
    detections, readings = [], []
    (root / "data/images").mkdir(parents=True)
    for index in range(6):
        image = f"{name}-{index}.jpg"
        Image.new("RGB", (320, 240), (40 * index, 90, 120)).save(root / "data/images" / image)
        row = {"image": image, "source": name, "split": "test", "plate": 0, "text": text}
        corners = {"top_x": 80.0, "top_y": 100.0, "bottom_x": 200.0, "bottom_y": 130.0}
        predicted = {f"predicted_{corner}": value + 8 * index for corner, value in corners.items()}
        detections.append(row | corners | predicted | {"iou": round(0.9 - index * 0.18, 2)})
        for boxes in ("true", "predicted"):
            reading = "MH12AB1234" if boxes == "true" else "MH12A8"
            readings.append(row | {"boxes": boxes, "reading": reading, "confidence": 0.9, "edits": 4 if text else None})
    frame = pd.DataFrame(detections)
    write_table(frame, root / "reports/detections.csv")
    write_table(pd.DataFrame(readings), root / "reports/recognitions.csv")
    draw_iou_histogram(frame, root / "reports/detection_figures/iou_histogram.png")
    history = pd.DataFrame({"epoch": [1, 2], "loss": [0.2, 0.1], "mean_iou": [0.1, 0.4]})
    draw_history(history, root / "reports/detection_figures/history.png")
    found = {
        "mean_iou": score(0.512),
        "recall@0.5": score(0.613),
        "recall@0.7": score(0.3),
        "AP50:95": score(0.234),
        "false_positives_per_image": score(1.25),
        "keras_accuracy": score(0.8),
    }
    write_json(root / "metrics/detection.json", {name: {"test": found}})
    read = {"plate_acc": score(0.714), "plate_acc_folded": score(0.72), "cer": score(0.15)} if text else {}
    lost = {"plate_acc": score(0.416), "plate_acc_folded": score(0.42), "cer": score(0.35)} if text else {}
    both = {"true": {"plates": 6, **read}, "predicted": {"plates": 6, **lost}}
    write_json(root / "metrics/recognition.json", {name: {"test": both}})
    write_json(root / "metrics/annotate.json", {name: {"lines": 9, "plates": 6, "rejected": 2, "swapped": 1}})
    write_json(root / "metrics/download.json", {"images": 6, "failed": 1, "formats": {"JPEG": 5, "GIF": 1}})
    leakage = {"near_duplicate_pairs": 11, "test_images_leaked": 7}
    split = {"images": {name: {"train": 0, "test": 6}}, "groups": 5, "leakage_of_random_split": leakage}
    write_json(root / "metrics/split.json", split)
    write_json(root / "metrics/training.json", {"epochs": 2, "best_epoch": 2, "parameters": 1234567})
    rejects = [{"source": name, "line": 4, "url": HOSTILE, "reason": "annotation is null"}]
    write_table(pd.DataFrame(rejects), root / "data/rejects.csv")
    failures = {"image": "x.jpg", "source": name, "url": "u", "fetched": "f", "reason": "HTTP 404", "attempts": 4}
    write_table(pd.DataFrame([failures]), root / "data/failures.csv")
    return root


def written(root: Path, *overrides: str) -> str:
    write_page(compose(list(overrides), CONF), root, PROVENANCE, root / "reports/index.html")
    return (root / "reports/index.html").read_text(encoding="utf-8")


def words(page: str) -> str:
    """What a reader sees of a page, in one line."""
    body = re.sub(r"(?s)<style>.*?</style>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    return written(make_project(tmp_path_factory.mktemp("project")))


def test_the_headline_scores_come_with_interval_and_count(page):
    seen = words(page).partition("Where the plate is")[0]
    assert "mean IoU overlap with the true box 0.51 95 %: 0.41 – 0.61, n=6" in seen
    assert "plates found recall@0.5: IoU of at least 0.5 0.61 95 %: 0.51 – 0.71, n=6" in seen
    assert "read in true boxes plate_acc: the reader alone 0.71 95 %: 0.61 – 0.81, n=6" in seen
    assert "read in predicted boxes plate_acc: end to end 0.42 95 %: 0.32 – 0.52, n=6" in seen


def test_every_score_is_in_a_table_and_explained(page):
    seen = words(page)
    assert "drawn test 0.512 0.412 – 0.612 · n=6" in seen
    assert "0.150 0.050 – 0.250 · n=6" in seen
    assert "0.234 0.134 – 0.334 · n=6 1.250 1.150 – 1.350 · n=6" in seen
    assert "false_positives_per_image predicted boxes a image with an IoU below 0.5 to every true plate" in seen
    assert "cer character error rate" in seen
    assert "keras_accuracy says nothing about localisation" in seen


def test_the_worst_case_comes_first_and_none_twice(page):
    gallery = words(page).partition("Below each image")[2]
    ious = re.findall(r"IoU (0\.\d\d)", gallery.partition("Training")[0])
    assert ious[0] == "0.00"
    assert sorted(ious) == ["0.00", "0.18", "0.36", "0.54", "0.72", "0.90"]


def test_texts_are_shown_beside_what_was_read(page):
    seen = words(page)
    assert "true box MH12AB1234 ✓" in seen
    assert "predicted box MH12A8 ✗" in seen


def test_counts_rejects_and_leakage_are_shown(page):
    seen = words(page)
    assert "drawn lines 9 plates 6 rejected 2 swapped 1" in seen
    assert "annotation is null" in seen
    assert "HTTP 404" in seen
    assert "leakage of random split near duplicate pairs 11 test images leaked 7" in seen
    assert "formats JPEG 5 GIF 1" in seen


def test_the_config_and_the_provenance_are_shown(page):
    seen = words(page)
    assert "learning_rate 0.002" in seen
    assert "dense 128, 64" in seen
    assert "git revision " + "f00dfeed" * 5 in seen
    assert "data/plates.csv " + "a" * 32 in seen
    assert "train restored from DVC's cache: not timed here" in seen
    assert "took 63 ms a plate (median), 122 ms at the 95th percentile, on 2 threads" in seen
    assert "l5dmr4b5" in seen


def test_the_page_asks_for_nothing_but_itself(page):
    addresses = re.findall(r"""(?:src|href|action|data|srcset)=["']([^"']*)""", page)
    assert len(addresses) > 20
    assert {address[:5] for address in addresses if not address.startswith("#")} == {"data:"}
    assert "url(" not in page
    assert "@import" not in page
    assert "<script" not in page


def test_the_same_project_gives_the_same_page(tmp_path):
    make_project(tmp_path)
    assert written(tmp_path) == written(tmp_path)


def test_hostile_texts_are_shown_as_they_are(tmp_path):
    page = written(make_project(tmp_path, text=HOSTILE))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "{{ 7 * 7 }}" in words(page)


def test_without_texts_readings_are_listed_and_not_scored(tmp_path):
    seen = words(written(make_project(tmp_path, text="")))
    assert "no score: its texts are unknown" in seen
    assert "text unknown" in seen
    assert "true box MH12AB1234 predicted box MH12A8" in seen
    assert "✗" not in seen
    assert "drawn-0.jpg drawn test – MH12AB1234 MH12A8" in seen


def test_missing_parts_are_left_out(tmp_path):
    (tmp_path / "reports").mkdir()
    write_page(compose([], CONF), tmp_path, {}, tmp_path / "reports/index.html")
    seen = words((tmp_path / "reports/index.html").read_text())
    assert "Nothing has been scored yet." in seen
    assert "Images that" not in seen


def test_a_source_without_test_images_shows_what_it_has(tmp_path):
    make_project(tmp_path)
    for table in ("detections", "readings"):
        path = tmp_path / f"reports/{table}.csv"
        path.write_text(path.read_text().replace(",test,", ",train,"))
    found = json.loads((tmp_path / "metrics/detection.json").read_text())
    write_json(tmp_path / "metrics/detection.json", {"drawn": {"train": found["drawn"]["test"]}})
    seen = words(written(tmp_path))
    assert "drawn, train images (it has no test images)" in seen
    assert "no score: not read" in seen


def test_boxes_off_the_image_or_not_a_number_do_not_stop_it(tmp_path):
    make_project(tmp_path)
    path = tmp_path / "reports/detections.csv"
    frame = pd.read_csv(path)
    frame.loc[0, [column for column in frame if column.startswith("predicted_")]] = float("nan")
    frame.loc[1, [column for column in frame if column.startswith("predicted_")]] = -500.0
    write_table(frame, path)
    seen = words(written(tmp_path))
    assert seen.count("no box predicted box") == seen.count("outside predicted box") == 1


def test_a_source_without_plates_shows_its_false_plates(tmp_path):
    make_project(tmp_path)
    found = json.loads((tmp_path / "metrics/detection.json").read_text())
    write_json(
        tmp_path / "metrics/detection.json", found | {"empty": {"test": {"false_positives_per_image": score(0.375)}}}
    )
    seen = words(written(tmp_path))
    assert "empty, test images mean IoU overlap with the true box – no score: no plate to find" in seen
    assert "empty test – – – – 0.375 0.275 – 0.475 · n=6" in seen


def test_scores_by_either_label_are_rows_of_the_table_that_say_what_they_are(tmp_path):
    make_project(tmp_path)
    found = json.loads((tmp_path / "metrics/detection.json").read_text())
    margins = {"left": 0.052, "top": 0.214, "right": 0.073, "bottom": 0.304, "plates": 143}
    found["drawn_override_boxes"] = {"test": {"mean_iou": score(0.777, 4)}}
    found["drawn_original_boxes"] = {"margins": margins, "test": {"mean_iou": score(0.666)}}
    write_json(tmp_path / "metrics/detection.json", found)
    seen = words(written(tmp_path))
    headlines, _, table = seen.partition("Where the plate is")
    assert "_boxes" not in headlines  # each plate once
    assert "drawn_override_boxes test 0.777 0.677 – 0.877 · n=4" in table
    assert "drawn_original_boxes test 0.666 0.566 – 0.766 · n=6" in table
    assert "drawn_original_boxes margins" not in table
    assert "left 0.052 and right 0.073 of its width, top 0.214 and bottom 0.304 of its height" in table
    assert "the two labels of 143 training plates" in table
    del found["drawn_original_boxes"]
    write_json(tmp_path / "metrics/detection.json", found)
    assert "drawn_original_boxes" not in words(written(tmp_path))


@pytest.mark.skipif("LPR_DATA" not in os.environ, reason="the images are not here: LPR_DATA names their folder")
def test_with_photographs_the_page_stays_small(tmp_path):
    make_project(tmp_path)
    images = sorted(Path(os.environ["LPR_DATA"], "openalpr_eu/images").iterdir())
    frame = pd.read_csv(tmp_path / "reports/detections.csv")
    frame = pd.concat([frame.iloc[[0]]] * len(images), ignore_index=True)
    for index, image in enumerate(images):
        shutil.copy(image, tmp_path / "data/images" / image.name)
        frame.loc[index, "image"] = image.name
    write_table(frame, tmp_path / "reports/detections.csv")
    assert 1_000_000 < len(written(tmp_path).encode()) < 5_000_000


@needs_browser
@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_it_whole(tmp_path, width):
    root = make_project(tmp_path / "project", text=HOSTILE, name="n" * 40)
    written(root)
    assert check_page(root / "reports", width, tmp_path)["images"] == 2 + 6 * 3
