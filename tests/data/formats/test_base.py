"""A format from outside the package: one module, written by `lpr.data.formats.base` alone, whose example works."""

import json
import textwrap
from pathlib import Path

import pytest
from annotation_sources import obtained, source
from PIL import Image

from lpr.config import Data
from lpr.data.formats import base
from lpr.data.image_cache import download

YOLO = '''
"""YOLO: a .txt beside each image, a line a plate: class, centre x, centre y, width, height; fractions."""

from pathlib import Path

from PIL import Image

from lpr.config import Source
from lpr.data.annotations import ANNOTATIONS, PlateLabel, annotation_line

NAMES_ARE_URLS = False


class Settings(Source):
    annotations: str
    suffix: str = ".png"


def write_annotations(source, folder, data):
    lines = []
    for path in sorted(Path(source.annotations).glob(f"*{source.suffix}")):
        width, height = Image.open(path).size
        plates = []
        for line in path.with_suffix(".txt").read_text().splitlines():
            x, y, w, h = map(float, line.split()[1:])
            box = (x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height
            plates.append(PlateLabel(box))
        lines.append(annotation_line(path.name, width, height, plates) + "\\n")
    (folder / ANNOTATIONS).write_text("".join(lines))


def image_root(source, folder):
    return Path(source.annotations)
'''


def test_a_format_from_outside_is_a_module_that_the_configuration_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Data
) -> None:
    (tmp_path / "my_formats").mkdir()
    (tmp_path / "my_formats" / "yolo.py").write_text(YOLO)
    monkeypatch.syspath_prepend(tmp_path)
    images = tmp_path / "cars"
    images.mkdir()
    for name, label in (("a", "0 0.5 0.5 0.5 0.2\n0 0.1 0.1 0.1 0.1\n"), ("b", "")):
        Image.new("RGB", (200, 100)).save(images / f"{name}.png")
        (images / f"{name}.txt").write_text(label)
    mine = source("my_formats.yolo", images)

    found = obtained(mine, tmp_path / "sources" / "mine", data)
    boxes = found.plates[["top_x", "top_y", "bottom_x", "bottom_y"]]
    assert boxes[:2].to_numpy().tolist() == [[50, 40, 150, 60], [10, 5, 30, 15]]
    assert boxes.iloc[2].isna().all()

    tables = tmp_path / "images.csv", tmp_path / "failures.csv"
    counts = download(
        found.plates, data.model_copy(update={"sources": [mine]}), tmp_path / "sources", tmp_path / "cache", *tables
    )
    assert (counts["images"], counts["failed"], counts["format_png"]) == (2, 0, 2)


def test_the_example_is_a_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Data) -> None:
    assert base.__doc__ is not None
    example = base.__doc__.partition("boxes in pixels:\n\n")[2].partition("\nwith `ANNOTATIONS`")[0]
    imports = """
        import json
        from pathlib import Path
        from typing import Literal
        from pydantic import Field
        from lpr.config import Data, Source
        from lpr.data.annotation_files import local_file
        from lpr.data.annotations import ANNOTATIONS, PlateLabel, annotation_line
    """
    code = textwrap.dedent(imports) + textwrap.dedent(example).replace('Literal["coco"]', "str")
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "coco.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    labels = {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 200, "height": 100},
            {"id": 9, "file_name": "b.jpg", "width": 300, "height": 200},
        ],
        "annotations": [{"image_id": 9, "bbox": [30, 40, 60, 20]}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    plates = obtained(source("my.coco", tmp_path / "labels.json"), tmp_path / "out", data).plates
    assert plates["url"].tolist() == ["a.jpg", "b.jpg"]
    assert plates.loc[1, ["top_x", "top_y", "bottom_x", "bottom_y"]].tolist() == [30, 40, 90, 60]
    assert (plates.loc[0, "image_width"], plates["top_x"].isna().tolist()) == (200, [True, False])
