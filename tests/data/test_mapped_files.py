"""Arrays in files are those in memory, and batches of images in files those of images in memory."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lpr.composition.compose import compose
from lpr.data import mapped_files
from lpr.data.mapped_files import allocate
from lpr.detection import families

SHAPES = [(10, 7, 3), (4, 4, 3), (30, 20, 3), (1, 1, 3), (9, 9, 3)]


def deleted_files(folder: Path) -> set[str]:
    """The mapped files of this process that were in the folder."""
    return set(re.findall(rf"(\S+) +{re.escape(str(folder))}/\S+ \(deleted\)", Path("/proc/self/maps").read_text()))


@pytest.mark.parametrize(("file_size", "files"), [(2**30, 1), (600, 3), (1, 5)])
def test_files_are_of_bounded_size_and_arrays_apart(
    file_size: int, files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 210, 48, 1800, 3 and 243 bytes: an array that is larger than a file may be has its own."""
    monkeypatch.setattr(mapped_files, "FILE_SIZE", file_size)
    arrays = allocate(SHAPES, 0, tmp_path)
    assert [array.shape for array in arrays] == SHAPES
    for number, array in enumerate(arrays):
        array[:] = number
    assert [np.unique(array).tolist() for array in arrays] == [[0], [1], [2], [3], [4]]
    assert len(deleted_files(tmp_path)) == files
    del array, arrays
    assert deleted_files(tmp_path) == set()


def test_what_fits_is_in_memory(tmp_path: Path) -> None:
    assert not any(isinstance(array, np.memmap) for array in allocate(SHAPES, 1, tmp_path / "unused"))
    assert not (tmp_path / "unused").exists()
    assert allocate([], 0, tmp_path) == []


FAMILIES = {
    "regression": ["detector.image_size_px=224", "augment=standard"],
    "centernet": ["experiment=best", "augment.paste_pool_size=8", "augment.stored_size_px=320"],
}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_images_in_files_give_the_batches_of_images_in_memory(
    family: str, tmp_path: Path, in_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_files, "FILE_SIZE", 2**20)
    generator, rows = np.random.default_rng(0), []
    for number in range(15):
        width, height = generator.integers(100, 500, 2).tolist()
        Image.fromarray(generator.integers(0, 256, (height, width, 3), np.uint8)).save(tmp_path / f"{number}.png")
        box = {"top_x": 20, "top_y": 30, "bottom_x": 80, "bottom_y": 50}
        image = {"image": f"{number}.png", "source": "street", "width": width, "height": height}
        rows.append({**image, "plate": 1, "text": "", **box})
    plates = pd.DataFrame(rows)
    ignored = plates[3:4].assign(top_x=5, bottom_x=25)
    module, found = families.load(family), []
    for memory in (1, 4096):
        config = compose([*FAMILIES[family], f"train.max_memory_mb={memory}", "train.batch_size=4"])
        examples = module.load_examples(plates, ignored, tmp_path, config, tmp_path / f"files_{memory}")
        assert (len(deleted_files(tmp_path / f"files_{memory}")) > 1) is (memory == 1)
        batches = [
            *module.training_batches(examples, config, 3, range(7)),
            *module.validation_batches(examples, config),
        ]
        found.append([part.numpy() for batch in batches for part in batch])
    assert len(found[0]) == 22
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, theirs)
