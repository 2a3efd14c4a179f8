"""OCR of the plates of a table of detections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ocrspace_server as service
import pandas as pd
import pytest
from PIL import Image
from plate_images import plate

from lpr.data.tables import read_table, write_table
from lpr.errors import UserError
from lpr.ocr.crops import crop
from lpr.ocr.engines import ocrspace, rapidocr
from lpr.ocr.recognition import recognize_plates

RAPIDOCR = rapidocr.Settings(
    name="rapidocr",
    splits=["test"],
    margin=0.1,
    side_px=480,
    grammars=None,
    low_confidence_threshold=0.5,
    min_line_height=0.5,
    threads=None,
)
NOWHERE = (None, None, None, None)


def detection(image: str, plate: int, text: str, true: Any, predicted: Any, split: str = "test") -> dict[str, Any]:
    sides = ("top_x", "top_y", "bottom_x", "bottom_y")
    row = {"image": image, "source": "synthetic", "split": split, "plate": plate, "text": text}
    row |= dict(zip(sides, true, strict=True))
    return row | {f"predicted_{side}": value for side, value in zip(sides, predicted, strict=True)} | {"iou": 0.5}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """a.jpg with two plates, at (40, 50, 640, 166) and (40, 250, 640, 366), and b.jpg with one at (0, 0, 600, 116)."""
    street = Image.new("RGB", (700, 400), "grey")
    street.paste(plate("MH 12 DE 1433"), (40, 50))
    street.paste(plate("KA 05 MJ 8827"), (40, 250))
    (tmp_path / "images").mkdir()
    street.save(tmp_path / "images/a.jpg", quality=95)
    plate("TN 09 BC 4471").save(tmp_path / "images/b.jpg", quality=95)
    return tmp_path / "images"


FIRST, SECOND, WHOLE = (40, 50, 640, 166), (40, 250, 640, 366), (0, 0, 600, 116)
DETECTIONS = pd.DataFrame(
    [
        detection("a.jpg", 0, "MH12DE1433", FIRST, (35.5, 45.2, 650.1, 175.9)),
        detection("a.jpg", 1, "KA05MJ8827", SECOND, NOWHERE),
        detection("c.jpg", 0, "XX00XX0000", WHOLE, WHOLE, split="train"),
        detection("b.jpg", 0, "", WHOLE, (100, 60, 100, 60)),
    ]
)


def test_plates_of_the_chosen_splits_are_read_in_both_boxes(
    images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recognitions, timings = recognize_plates(DETECTIONS, images, RAPIDOCR, tmp_path / "unused")
    write_table(recognitions, tmp_path / "recognitions.csv")
    rows = [line.split(",") for line in (tmp_path / "recognitions.csv").read_text().splitlines()]
    assert rows[0] == [
        "image",
        "source",
        "split",
        "plate",
        "boxes",
        "text",
        "text_before_grammar",
        "predicted_text",
        "confidence",
        "low_confidence",
        "edits",
    ]
    assert [row[:6] + row[7:8] + row[10:] for row in rows[1:]] == [
        ["a.jpg", "synthetic", "test", "0", "true", "MH12DE1433", "MH12DE1433", "0"],
        ["a.jpg", "synthetic", "test", "0", "predicted", "MH12DE1433", "MH12DE1433", "0"],
        ["a.jpg", "synthetic", "test", "1", "true", "KA05MJ8827", "KA05MJ8827", "0"],
        ["a.jpg", "synthetic", "test", "1", "predicted", "KA05MJ8827", "", "10"],
        ["b.jpg", "synthetic", "test", "0", "true", "", "TN09BC4471", ""],
        ["b.jpg", "synthetic", "test", "0", "predicted", "", "", ""],
    ]
    assert (recognitions["confidence"] > 0).tolist() == [True, True, True, False, True, False]
    assert recognitions["low_confidence"].tolist() == [False, False, False, True, False, True]
    assert timings.crops == 4
    assert timings.median_ms_per_plate is not None
    assert timings.p95_ms_per_plate is not None
    assert 0 < timings.median_ms_per_plate <= timings.p95_ms_per_plate
    progress = capfd.readouterr().err
    assert "3/3" in progress
    assert "plate" in progress


def test_the_same_bytes_twice_from_the_written_table(images: Path, tmp_path: Path) -> None:
    write_table(DETECTIONS, tmp_path / "detections.csv")
    for name in ("one.csv", "two.csv"):
        recognitions, _ = recognize_plates(
            read_table(tmp_path / "detections.csv"), images, RAPIDOCR, tmp_path / "unused"
        )
        write_table(recognitions, tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_no_plate_in_the_chosen_splits(images: Path, tmp_path: Path) -> None:
    config = RAPIDOCR.model_copy(update={"splits": ["validation"]})
    recognitions, timings = recognize_plates(DETECTIONS, images, config, tmp_path / "unused")
    assert len(recognitions) == 0
    assert (timings.crops, timings.median_ms_per_plate, timings.p95_ms_per_plate) == (0, None, None)


def test_a_missing_image(images: Path, tmp_path: Path) -> None:
    config = RAPIDOCR.model_copy(update={"splits": ["train"]})
    with pytest.raises(UserError, match=r"c\.jpg is missing"):
        recognize_plates(DETECTIONS, images, config, tmp_path / "unused")


def test_a_remote_engine_continues_after_an_interruption(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCR_SPACE_API_KEY", service.KEY)
    with service.OcrSpaceServer() as server:
        config = ocrspace.Settings(
            name="ocrspace",
            splits=["test"],
            margin=0.1,
            grammars=None,
            low_confidence_threshold=0.5,
            endpoint=server.url,
            engine=2,
            language="eng",
            scale=True,
            timeout_s=5.0,
            attempts=1,
            max_wait_s=0.0,
        )
        server.replies.extend([service.success("MH 12"), service.success("MH 13"), service.rate_limited(2, 3600)])
        with pytest.raises(UserError, match="2 requests in 3600 s"):
            recognize_plates(DETECTIONS, images, config, tmp_path / "cache")
        recognitions, _ = recognize_plates(DETECTIONS, images, config, tmp_path / "cache")
        assert recognitions["predicted_text"].tolist() == ["MH12", "MH13", "MH12DE1433", "", "MH12DE1433", ""]
        assert [request.status for request in server.requests] == [200, 200, 403, 200, 200]
        recognize_plates(DETECTIONS, images, config, tmp_path / "cache")
        assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((10, 20, 60, 40), (54, 24)),
        ((10.4, 20.4, 59.6, 39.6), (54, 24)),
        ((-30, -10, 200, 300), (116, 96)),
        ((50, 50, 50, 50), (1, 1)),
        ((60, 40, 10, 20), (1, 1)),
        ((500, 500, 600, 600), (1, 1)),
    ],
    ids=["inside", "fractions", "beyond", "no area", "swapped", "outside"],
)
def test_crop(box: tuple[float, ...], size: tuple[int, int]) -> None:
    assert crop(Image.new("RGB", (100, 80)), box, 0.1).size == size


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_margin_of_a_crop_beyond_the_image_repeats_its_edge(mode: str) -> None:
    image = Image.linear_gradient("L").resize((40, 20)).convert(mode)
    image.paste("white", (0, 0, 1, 20))
    found = crop(image, (0, 0, 40, 20), 0.2)
    assert found.size == (48, 28)
    assert found.crop((4, 4, 44, 24)).tobytes() == image.tobytes()
    assert {found.getpixel((x, 14)) for x in range(5)} == {image.getpixel((0, 10))}
    assert {found.getpixel((20, y)) for y in range(23, 28)} == {image.getpixel((16, 19))}


def test_a_grammar_is_for_the_plates_of_its_source(images: Path, tmp_path: Path) -> None:
    both = (40, 50, 640, 366)  # two registrations, which match no pattern
    rows = pd.DataFrame([detection("a.jpg", 0, "MH12DE1433", both, both)] * 2).assign(source=["synthetic", "other"])
    config = RAPIDOCR.model_copy(update={"grammars": {"synthetic": "india"}})
    recognitions, _ = recognize_plates(rows, images, config, tmp_path / "unused")
    assert recognitions["text_before_grammar"].tolist() == ["MH12DE1433KA05MJ8827"] * 4
    texts = dict(recognitions.groupby("source")["predicted_text"].agg(set))
    assert texts["other"] == {"MH12DE1433KA05MJ8827"}
    assert texts["synthetic"] < {"MH12DE1433", "KA05MJ8827"}
