from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageColor

from lpr.report.detection_figures import (
    choose_cases,
    choose_rows,
    draw_boxes,
    draw_contact_sheet,
    draw_history,
    draw_iou_histogram,
)


def detections(count: int, images: Path | None = None) -> pd.DataFrame:
    """`count` plates, IoU falling from 1 to 0 with the number in the name; saved in `images` where given."""
    rows = []
    for index in range(count):
        image = f"{index:02}.jpg"
        if images is not None:
            images.mkdir(exist_ok=True)
            Image.new("RGB", (160, 120), (5 * index, 90, 120)).save(images / image)
        rows.append(
            {
                "image": image,
                "source": ("synthetic", "real")[index % 2],
                "split": ("train", "validation", "test")[index % 3],
                "plate": 0,
                "text": "MH12$AB$1234" if index % 2 else "",
                **dict(zip(("top_x", "top_y", "bottom_x", "bottom_y"), (40.0, 50.0, 100.0, 70.0), strict=True)),
                "predicted_top_x": 45.0,
                "predicted_top_y": 52.0,
                "predicted_bottom_x": 110.0,
                "predicted_bottom_y": 75.0,
                "iou": 1 - index / max(1, count - 1),
            }
        )
    return pd.DataFrame(rows)


def history(epochs: int, validation: bool) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    frame = pd.DataFrame({"epoch": epoch, "loss": 0.1 / epoch, "learning_rate": 1e-3, "mean_iou": 1 - 1 / (epoch + 1)})
    return frame.assign(val_loss=0.2 / epoch, val_mean_iou=0.5) if validation else frame


def has(image: Image.Image, x: int, y: int, colour: str) -> bool:
    return image.getpixel((x, y)) == ImageColor.getrgb(colour)


@pytest.mark.parametrize(
    ("which", "images"),
    [
        ("worst", ["09.jpg", "08.jpg", "07.jpg"]),
        ("best", ["00.jpg", "01.jpg", "02.jpg"]),
        ("median", ["06.jpg", "05.jpg", "04.jpg"]),
    ],
)
def test_rows_are_chosen_by_iou_extreme_first(which, images):
    assert choose_rows(detections(10), which, 3)["image"].tolist() == images


def test_more_rows_than_there_are_gives_all():
    for which in ("worst", "median", "best"):
        assert len(choose_rows(detections(4), which, 24)) == 4


def test_equal_ious_are_ordered_by_image_whatever_the_order_of_rows():
    frame = detections(6).assign(iou=0.5)
    chosen = [choose_rows(rows, "worst", 3)["image"].tolist() for rows in (frame, frame.iloc[::-1])]
    assert chosen[0] == chosen[1] == ["00.jpg", "01.jpg", "02.jpg"]


def test_no_row_is_chosen_twice():
    for frame in (detections(9), detections(9).assign(iou=0.5)):
        chosen = choose_cases(frame, worst=4, median=2, best=2)
        assert {which: len(rows) for which, rows in chosen.items()} == {"worst": 3, "median": 2, "best": 2}
        assert pd.concat(chosen.values())["image"].is_unique


def test_few_rows_are_all_chosen_worst_first():
    chosen = choose_cases(detections(7), worst=4, median=2, best=2)
    assert list(chosen) == ["worst"]
    assert chosen["worst"]["image"].tolist() == [f"0{index}.jpg" for index in range(6, -1, -1)]


def test_boxes_differ_by_colour_and_by_dashes():
    drawn = draw_boxes(Image.new("RGB", (400, 300)), (100, 100, 200, 150), (120, 200, 220, 250), width=400)
    true = [has(drawn, x, 100, "#00c48c") for x in range(105, 195)]
    predicted = [has(drawn, x, 200, "#ff9d00") for x in range(125, 215)]
    assert all(true)
    assert any(predicted)
    assert not all(predicted)


def test_boxes_scale_with_the_image_which_is_never_enlarged():
    image = Image.new("RGB", (400, 300))
    half = draw_boxes(image, (100, 100, 200, 150), (0, 0, 10, 10), width=200)
    assert half.size == (200, 150)
    assert has(half, 75, 50, "#00c48c")
    assert draw_boxes(image, (1, 1, 2, 2), (1, 1, 2, 2), width=4000).size == (400, 300)


@pytest.mark.parametrize("box", [(float("nan"),) * 4, (-1e9, -1e9, 1e9, 1e9), (90.0, 90.0, 10.0, 10.0), (5.0,) * 4])
def test_invalid_boxes_are_clipped_or_skipped(box):
    assert draw_boxes(Image.new("RGB", (100, 100)), (10, 10, 50, 50), box, width=100).size == (100, 100)


def test_the_same_tables_give_the_same_bytes(tmp_path):
    frame = detections(8, tmp_path / "images")
    for name in ("once", "twice"):
        draw_history(history(5, validation=True), tmp_path / name / "history.png")
        draw_iou_histogram(frame, tmp_path / name / "iou.png")
        draw_contact_sheet(frame, tmp_path / "images", tmp_path / name / "sheet.png", "worst")
    for image in ("history.png", "iou.png", "sheet.png"):
        once, twice = (tmp_path / name / image for name in ("once", "twice"))
        assert once.read_bytes() == twice.read_bytes()
        with Image.open(once) as drawn:
            assert "Software" not in drawn.info
            assert drawn.width > 500


def test_a_contact_sheet_holds_24_images(tmp_path):
    frame = detections(26, tmp_path / "images")
    draw_contact_sheet(frame, tmp_path / "images", tmp_path / "all.png", "best")
    draw_contact_sheet(frame.head(24), tmp_path / "images", tmp_path / "some.png", "best")
    assert (tmp_path / "all.png").read_bytes() == (tmp_path / "some.png").read_bytes()


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_history_without_validation_has_curves(tmp_path, epochs):
    draw_history(history(epochs, validation=False), tmp_path / "history.png")
    draw_history(history(epochs, validation=True), tmp_path / "both.png")
    assert (tmp_path / "history.png").read_bytes() != (tmp_path / "both.png").read_bytes()


def test_no_detections_give_empty_figures(tmp_path):
    draw_iou_histogram(detections(3).head(0), tmp_path / "iou.png")
    draw_contact_sheet(detections(3).head(0), tmp_path, tmp_path / "sheet.png", "worst")
    assert (tmp_path / "iou.png").is_file()
    assert (tmp_path / "sheet.png").is_file()
