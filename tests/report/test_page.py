import html
import json
import re
import shutil
from pathlib import Path

import composed
import numpy as np
import pandas as pd
import pytest
from browser import check_page, needs_browser
from PIL import Image

from lpr.data.tables import write_table
from lpr.metrics.detection_metrics import METRICS as DETECTION_METRICS
from lpr.metrics.recognition_metrics import CER, PLATE_ACC
from lpr.report.detection_figures import draw_history, draw_iou_histogram
from lpr.report.page import write_page

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
        "ocr": {"seconds": 3.2, "median_ms_per_plate": 63.2, "p95_ms_per_plate": 121.9, "threads": 2},
    },
}


def score(value: float, n: int = 6) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": n}


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def make_project(root: Path, text: str = "MH12AB1234", name: str = "synthetic") -> Path:
    """The outputs of the stages before the report: six test plates of one source, of which the last is not found."""
    detections, recognitions = [], []
    (root / "data/images").mkdir(parents=True)
    for index in range(6):
        image = f"{name}-{index}.jpg"
        Image.new("RGB", (320, 240), (40 * index, 90, 120)).save(root / "data/images" / image)
        row = {"image": image, "source": name, "split": "test", "plate": 0, "text": text}
        corners = {"top_x": 80.0, "top_y": 100.0, "bottom_x": 200.0, "bottom_y": 130.0}
        predicted = {f"predicted_{corner}": value + 8 * index for corner, value in corners.items()}
        detections.append(row | corners | predicted | {"iou": round(0.9 - index * 0.18, 2)})
        for boxes in ("true", "predicted"):
            predicted_text = "MH12AB1234" if boxes == "true" else "MH12A8"
            edits = 4 if text else None
            result = {"boxes": boxes, "predicted_text": predicted_text, "confidence": 0.9, "edits": edits}
            recognitions.append(row | result)
    frame = pd.DataFrame(detections)
    write_table(frame, root / "reports/detections.csv")
    write_table(pd.DataFrame(recognitions), root / "reports/recognitions.csv")
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
    on_true = {"plate_acc": score(0.714), "plate_acc_folded": score(0.72), "cer": score(0.15)} if text else {}
    on_predicted = {"plate_acc": score(0.416), "plate_acc_folded": score(0.42), "cer": score(0.35)} if text else {}
    both = {"true": {"plates": 6, **on_true}, "predicted": {"plates": 6, **on_predicted}}
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


def written(root: Path) -> str:
    write_page(composed.config(), root, PROVENANCE, root / "reports/index.html")
    return (root / "reports/index.html").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    """The text of a page, in one line."""
    body = re.sub(r"(?s)<style>.*?</style>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    return written(make_project(tmp_path_factory.mktemp("project")))


def test_the_headline_scores_come_with_interval_and_count(page):
    text = text_of(page).partition("Detection")[0]
    assert "mean IoU mean_iou 0.51 95 %: 0.41 – 0.61, n=6" in text
    assert "plates found recall@0.5 0.61 95 %: 0.51 – 0.71, n=6" in text
    headline = PLATE_ACC.headline
    assert f"{headline}, true boxes plate_acc: OCR alone 0.71 95 %: 0.61 – 0.81, n=6" in text
    assert f"{headline}, predicted boxes plate_acc: end to end 0.42 95 %: 0.32 – 0.52, n=6" in text


def test_every_score_is_in_a_table_and_explained(page):
    text = text_of(page)
    assert "synthetic test 0.512 0.412 – 0.612 · n=6" in text
    assert "0.150 0.050 – 0.250 · n=6" in text
    assert "0.234 0.134 – 0.334 · n=6 1.250 1.150 – 1.350 · n=6" in text
    for metric in DETECTION_METRICS:
        assert (f"{metric.name} {metric.meaning}" in text) == (metric.name != "AP50")  # which has no score here
    assert f"cer {CER.meaning}" in text
    assert "it does not measure where the plate is" in text
    assert "intervals over n plates; those of AP50:95, false_positives_per_image, keras_accuracy over n" in text


def test_the_worst_case_comes_first_and_none_twice(page):
    gallery = text_of(page).partition("Below each image")[2]
    ious = re.findall(r"IoU (0\.\d\d)", gallery.partition("Training")[0])
    assert ious[0] == "0.00"
    assert sorted(ious) == ["0.00", "0.18", "0.36", "0.54", "0.72", "0.90"]


def test_predicted_texts_are_shown_for_both_boxes(page):
    text = text_of(page)
    assert "true box MH12AB1234 ✓" in text
    assert "predicted box MH12A8 ✗" in text


def test_counts_rejects_and_leakage_are_shown(page):
    text = text_of(page)
    assert "synthetic lines 9 plates 6 rejected 2 swapped 1" in text
    assert "annotation is null" in text
    assert "HTTP 404" in text
    assert "leakage of random split near duplicate pairs 11 test images leaked 7" in text
    assert "formats JPEG 5 GIF 1" in text


def test_the_config_and_the_provenance_are_shown(page):
    text = text_of(page)
    assert "learning_rate 0.002" in text
    assert "dense 128, 64" in text
    assert "git revision " + "f00dfeed" * 5 in text
    assert "data/plates.csv " + "a" * 32 in text
    assert "train restored from DVC's cache: not timed here" in text
    assert "took 63 ms a plate (median), 122 ms at the 95th percentile, on 2 threads" in text
    assert "l5dmr4b5" in text


def test_the_page_requests_no_other_file(page):
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
    assert "{{ 7 * 7 }}" in text_of(page)


def test_without_true_texts_predicted_ones_are_listed_and_not_scored(tmp_path):
    text = text_of(written(make_project(tmp_path, text="")))
    assert "no score: the true texts are unknown" in text
    assert "text unknown" in text
    assert "true box MH12AB1234 predicted box MH12A8" in text
    assert "✗" not in text
    assert "synthetic-0.jpg synthetic test – MH12AB1234 MH12A8" in text


def test_missing_parts_are_left_out(tmp_path):
    (tmp_path / "reports").mkdir()
    write_page(composed.config(), tmp_path, {}, tmp_path / "reports/index.html")
    text = text_of((tmp_path / "reports/index.html").read_text())
    assert "There are no scores yet." in text
    assert "Images that" not in text


def test_a_source_without_test_images_shows_what_it_has(tmp_path):
    make_project(tmp_path)
    for table in ("detections", "recognitions"):
        path = tmp_path / f"reports/{table}.csv"
        path.write_text(path.read_text().replace(",test,", ",train,"))
    found = json.loads((tmp_path / "metrics/detection.json").read_text())
    write_json(tmp_path / "metrics/detection.json", {"synthetic": {"train": found["synthetic"]["test"]}})
    text = text_of(written(tmp_path))
    assert "synthetic, train images (it has no test images)" in text
    assert "no score: OCR did not run on this split" in text


def test_boxes_off_the_image_or_not_a_number_do_not_stop_it(tmp_path):
    make_project(tmp_path)
    path = tmp_path / "reports/detections.csv"
    frame = pd.read_csv(path)
    frame.loc[0, [column for column in frame if column.startswith("predicted_")]] = float("nan")
    frame.loc[1, [column for column in frame if column.startswith("predicted_")]] = -500.0
    write_table(frame, path)
    text = text_of(written(tmp_path))
    assert text.count("no box predicted box") == text.count("outside the image predicted box") == 1


def test_a_source_without_plates_shows_its_false_positives(tmp_path):
    make_project(tmp_path)
    found = json.loads((tmp_path / "metrics/detection.json").read_text())
    write_json(
        tmp_path / "metrics/detection.json", found | {"empty": {"test": {"false_positives_per_image": score(0.375)}}}
    )
    text = text_of(written(tmp_path))
    assert "empty, test images mean IoU mean_iou – no score: no plates" in text
    assert "empty test – – – – 0.375 0.275 – 0.475 · n=6" in text


def test_scores_by_override_and_by_original_boxes_are_explained_rows_of_the_table(tmp_path):
    make_project(tmp_path)
    found = json.loads((tmp_path / "metrics/detection.json").read_text())
    margins = {"left": 0.052, "top": 0.214, "right": 0.073, "bottom": 0.304, "plates": 143}
    found["synthetic_override_boxes"] = {"test": {"mean_iou": score(0.777, 4)}}
    found["synthetic_original_boxes"] = {"margins": margins, "test": {"mean_iou": score(0.666)}}
    write_json(tmp_path / "metrics/detection.json", found)
    text = text_of(written(tmp_path))
    headlines, _, table = text.partition("Detection")
    assert "_boxes" not in headlines  # each plate once
    assert "synthetic_override_boxes test 0.777 0.677 – 0.877 · n=4" in table
    assert "synthetic_original_boxes test 0.666 0.566 – 0.766 · n=6" in table
    assert "synthetic_original_boxes margins" not in table
    assert "left 0.052 and right 0.073 of its width, top 0.214 and bottom 0.304 of its height" in table
    assert "the 143 training plates that have both boxes" in table
    del found["synthetic_original_boxes"]
    write_json(tmp_path / "metrics/detection.json", found)
    assert "synthetic_original_boxes" not in text_of(written(tmp_path))


def test_the_page_stays_small_whatever_the_set(tmp_path):
    """3,000 plates of 60 sources, in images of noise that are narrow and 4,000 pixels high; and 3,000 failures."""
    make_project(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (4000, 500, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "data/images/high.jpg")
    row = pd.read_csv(tmp_path / "reports/detections.csv").iloc[[0]].assign(image="high.jpg")
    frame = pd.concat([row] * 3000, ignore_index=True)
    frame["plate"], frame["source"] = range(3000), [f"camera{number % 60}" for number in range(3000)]
    write_table(frame, tmp_path / "reports/detections.csv")
    failures = [{"source": "camera0", "reason": "404", "attempts": 3, "url": f"https://a/{n}.jpg"} for n in range(3000)]
    write_table(pd.DataFrame(failures), tmp_path / "data/failures.csv")
    page = written(tmp_path)
    assert len(page.encode()) < 20e6
    assert "camera59" in page


def test_with_real_images_the_page_stays_small(real_data, tmp_path):
    make_project(tmp_path)
    images = sorted((real_data / "openalpr_eu/images").iterdir())
    frame = pd.read_csv(tmp_path / "reports/detections.csv")
    frame = pd.concat([frame.iloc[[0]]] * len(images), ignore_index=True)
    for index, image in enumerate(images):
        shutil.copy(image, tmp_path / "data/images" / image.name)
        frame.loc[index, "image"] = image.name
    write_table(frame, tmp_path / "reports/detections.csv")
    assert 1_000_000 < len(written(tmp_path).encode()) < 5_000_000


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory) -> Path:
    """The folder of a page with long names and texts that are no plain text."""
    root = make_project(tmp_path_factory.mktemp("hostile"), text=HOSTILE, name="n" * 40)
    written(root)
    return root / "reports"


@needs_browser
@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_it_whole(hostile_page, tmp_path, width):
    assert check_page(hostile_page, width, tmp_path)["images"] == 2 + 6 * 3
