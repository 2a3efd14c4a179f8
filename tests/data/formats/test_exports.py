"""Exports that labelling tools wrote themselves (`exports/README.md`): the same images, boxes and texts from each."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from annotation_sources import obtained, source
from tool_exports import images

from lpr.boxes import BOX_COLUMNS
from lpr.config import Data

EXPORTS = Path(__file__).parent / "exports"
SIZES = {"street.jpg": (320, 200), "gate 2.jpg": (200, 100), "empty.jpg": (160, 120)}
UPRIGHT, HALF, IGNORED = [20, 30, 100, 60], [10.5, 20.25, 60.5, 40.25], [120, 60, 170, 80]
HULL, NOT_TURNED = [197.48, 110.16, 282.52, 159.84], [200, 120, 280, 150]
TEXTS = ["MH12DE1433", "KA05MH1234", "A111AA77"]  # the last is Cyrillic, and the same plate in Latin letters


class Export(NamedTuple):
    """What an export is expected to hold.

    Attributes:
        path: below `exports`.
        format: that it is recognised as.
        texts: of the plates; empty where the tool writes none.
        turned: the box of the turned plate, as the tool writes it.
        ignored: whether the tool says that a plate is to be ignored.
        empty: whether it lists the image without labels.
        within_px: largest difference of a coordinate.
    """

    path: str
    format: str
    texts: tuple[str, ...] = ()
    turned: list[float] = HULL
    ignored: bool = False
    empty: bool = True
    within_px: float = 0.02


CASES = [
    Export("label_studio_sdk/json.json", "label_studio", (*TEXTS,), ignored=True),
    Export("label_studio_sdk/json_min.json", "label_studio", ("", *TEXTS[1:])),
    Export("label_studio_sdk/csv.csv", "label_studio", ("", *TEXTS[1:])),
    Export("label_studio_sdk/tsv.tsv", "label_studio", ("", *TEXTS[1:])),
    Export("label_studio_sdk/coco.json", "coco", turned=[192.82, 110.16, 282.52, 152.08]),
    Export("label_studio_sdk/voc", "voc", turned=[205.25, 110.16, 285.25, 140.16], empty=False, within_px=1),
    Export("label_studio_sdk/yolo", "yolo", turned=[205.25, 110.16, 285.25, 140.16]),
    Export("label_studio_sdk/yolo_obb", "yolo"),
    Export("datumaro/coco_instances", "coco", (*TEXTS,), ignored=True),
    Export("datumaro/voc_detection", "voc", (*TEXTS,), ignored=True, empty=False),
    Export("datumaro/yolo", "yolo", turned=NOT_TURNED),
    Export("datumaro/yolo_ultralytics", "yolo", turned=NOT_TURNED),
    Export("datumaro/cvat", "cvat", (*TEXTS,), ignored=True, turned=NOT_TURNED),
    Export("datumaro/cvat_polygon", "cvat", (*TEXTS,), ignored=True),
    Export("datumaro/label_me", "voc", (*TEXTS,), ignored=True, turned=NOT_TURNED),
    Export("globox/coco.json", "coco"),
    Export("globox/cvat.xml", "cvat"),
    Export("globox/labelme", "labelme"),
    Export("globox/voc", "voc"),
    Export("globox/via.json", "via"),
    Export("labelme", "labelme", (*TEXTS,), ignored=True),
    Export("supervision/coco", "coco"),
    Export("supervision/voc", "voc", within_px=1.5),
    Export("supervision/yolo", "yolo"),
    Export("pylabel/coco.json", "coco", empty=False),
    Export("pylabel/voc", "voc", empty=False, within_px=1),
    Export("pylabel/yolo", "yolo"),
    Export("pascal_voc_writer", "voc", ignored=True),
]


@pytest.mark.parametrize("export", CASES, ids=lambda export: export.path)
def test_boxes_and_texts_are_those_that_the_tool_wrote(
    tmp_path: Path, data: Data, export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path / "images", SIZES)
    path = EXPORTS / export.path
    found = obtained(source("auto", path, image_root=tmp_path / "images"), tmp_path / "out", data)
    printed = capsys.readouterr().out
    assert f" is of the format {export.format}\n" in printed
    assert found.rejects.empty
    assert found.other_labels == {"car": 1}

    plates = found.plates[found.plates["top_x"].notna()].sort_values(["url", "top_x"])
    assert plates["url"].tolist() == ["gate 2.jpg"] * 2 + ["street.jpg"] * 2
    expected = [HALF, IGNORED, UPRIGHT, export.turned]
    assert plates[BOX_COLUMNS].to_numpy().tolist() == [pytest.approx(box, abs=export.within_px) for box in expected]
    assert plates["ignored"].tolist() == [False, export.ignored, False, False]
    texts = export.texts or ("", "", "")
    assert plates["text"].tolist() == [texts[0], "", *texts[1:]]
    assert found.plates["url"][found.plates["top_x"].isna()].tolist() == ["empty.jpg"] * export.empty
    assert ("2 texts and choices are left out" in printed) == (export.texts[:1] == ("",))


@pytest.mark.parametrize(
    ("path", "format_", "more"),
    [
        (
            "globox/openimage.csv",
            "table",
            {
                "columns": {"image": "ImageID", "label": "LabelName"}
                | {"xmin": "XMin", "ymin": "YMin", "xmax": "XMax", "ymax": "YMax"}
            },
        ),
        ("globox/yolo5", "yolo", {}),
    ],
)
def test_what_no_format_tells_is_said_by_settings(
    tmp_path: Path, data: Data, path: str, format_: str, more: dict[str, Any]
) -> None:
    """Names of columns and of classes: this YOLO has no list of them."""
    from lpr.config import AnySource
    from lpr.data.annotations import read_annotations
    from lpr.data.sources import obtain

    images(tmp_path / "images", SIZES)
    values = {"name": "mine", "format": format_, "annotations": str(EXPORTS / path)}
    mine = AnySource.model_validate(values | {"image_root": str(tmp_path / "images"), **more})
    obtain(mine, tmp_path / "out", data)
    found = read_annotations(tmp_path / "out" / "annotations.json", "mine", ["plate", "class 0"])
    plates = found.plates[found.plates["top_x"].notna()].sort_values(["url", "top_x"])
    expected = [HALF, IGNORED, UPRIGHT, HULL]
    assert plates[BOX_COLUMNS].to_numpy().tolist() == [pytest.approx(box, abs=0.02) for box in expected]
    assert found.rejects.empty
