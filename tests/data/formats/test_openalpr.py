"""OpenALPR's benchmarks: a .txt beside each image."""

from pathlib import Path

from annotation_sources import labels, obtained, source
from tool_exports import images

from lpr.config import Data


def test_lines_become_boxes_and_bad_ones_are_rejected(tmp_path: Path, data: Data) -> None:
    images(tmp_path / "set", {"eu/eu1.jpg": (200, 100), "eu/eu2.jpg": (200, 100)})
    (tmp_path / "set" / "eu" / "eu1.txt").write_text(
        "eu1.jpg\t20\t10\t40\t20\tM5XSX\neu1.jpg\t100\t50\t40\t20\tÜ12 34\n"
    )
    (tmp_path / "set" / "eu" / "eu2.txt").write_text("eu2.jpg\t20\t10\n")
    (tmp_path / "set" / "eu" / "eu3.txt").write_text("eu3.jpg\t20\t10\t40\t20\tM5XSX\n")
    found = obtained(source("auto", tmp_path / "set"), tmp_path / "out", data)
    assert [row for row in labels(tmp_path / "out") if row[0] == "eu/eu1.jpg"] == [
        ("eu/eu1.jpg", [20, 10, 60, 30], "number_plate", "M5XSX", False),
        ("eu/eu1.jpg", [100, 50, 140, 70], "number_plate", "Ü12 34", False),
    ]
    assert found.rejects["line"].tolist() == [2, 3]
    assert "a line of 3 cells between tabs" in found.rejects["reason"][0]
    assert "eu3.jpg cannot be opened" in found.rejects["reason"][1]
