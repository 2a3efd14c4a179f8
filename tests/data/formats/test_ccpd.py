"""CCPD: what the names of its images say."""

import json
from pathlib import Path

from annotation_sources import corners, obtained, source
from tool_exports import ccpd, images

from lpr.config import Data

NAME = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-{}-37-15.jpg"


def test_the_example_of_its_authors(tmp_path: Path, data: Data) -> None:
    found = obtained(source("ccpd", ccpd(tmp_path / "set")), tmp_path / "out", data)
    row = found.plates.iloc[0]
    assert [row["top_x"], row["top_y"], row["bottom_x"], row["bottom_y"]] == [154, 383, 386, 473]
    assert corners(tmp_path / "out") == [[154, 383], [363, 402], [386, 473], [177, 454]]
    lines = (tmp_path / "out" / "annotations.json").read_text().splitlines()
    assert json.loads(lines[0])["annotation"][0]["notes"] == "皖AY339S"
    assert (row["image_width"], row["image_height"]) == (720, 1160)
    assert found.plates["top_x"].isna().tolist() == [False, True]


def test_plates_of_eight_characters_and_indices_that_there_are_not(tmp_path: Path, data: Data) -> None:
    green, wrong = NAME.format("0_0_3_24_24_25_26_33"), NAME.format("0_0_22_27_27_33_99")
    images(tmp_path / "set", {green: (720, 1160), wrong: (720, 1160), "IMG_1.jpg": (720, 1160)})
    found = obtained(source("ccpd", tmp_path / "set"), tmp_path / "out", data)
    line = json.loads((tmp_path / "out" / "annotations.json").read_text().splitlines()[1])
    assert (line["content"], line["annotation"][0]["notes"]) == (green, "皖AD00129")
    assert found.counts["plates"] == 1
    assert found.rejects["reason"].tolist() == [
        "a name with indices of characters that CCPD lacks: 0_0_22_27_27_33_99",
        "a name that is none of CCPD",
    ]
