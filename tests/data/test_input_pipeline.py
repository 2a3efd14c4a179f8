"""Batches: the images, in an order and with changes that depend on seed and step alone."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lpr.augment.random_crops import fit
from lpr.composition.compose import compose
from lpr.config import RandomCrops, StandardAugment
from lpr.data.input_pipeline import Examples, FittedImages, decode_images, random_crop_batches, training_batches

SIDE = 64


def augment(**changes: float) -> StandardAugment:
    neutral = {"p_flip": 0.0, "scale_jitter": 1.0, "max_shift": 0.0, "max_rotation_deg": 0.0}
    neutral |= {"brightness": 0.0, "contrast": 0.0, "colour": 0.0}
    return StandardAugment.model_validate({"name": "standard", **neutral, **changes})


def painted(count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Dark images with a bright box each, and the boxes as fractions."""
    images, boxes = np.full((count, SIDE, SIDE, 3), 20, np.uint8), np.empty((count, 4), np.float32)
    generator = np.random.default_rng(0)
    for number in range(count):
        x, y = generator.integers(8, 28, 2)
        images[number, y : y + 12, x : x + 24] = 200 + number
        boxes[number] = np.array([x, y, x + 24, y + 12]) / SIDE
    return images, boxes


def batches(
    steps: range, change: StandardAugment, per_epoch: int = 3, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    images, boxes = painted()
    dataset = training_batches(Examples(images, boxes), 4, per_epoch, steps, change, seed)
    return [(p.numpy(), b.numpy()) for p, b in dataset]


def test_every_image_comes_once_an_epoch_with_its_own_box() -> None:
    _, boxes = painted()
    for epoch in (0, 1):
        found = batches(range(3 * epoch, 3 * epoch + 3), augment())
        assert [len(p) for p, _ in found] == [4, 4, 2]
        numbers = [round(float(p.max()) * 255) - 200 for batch, _ in found for p in batch]
        assert sorted(numbers) == list(range(10))
        np.testing.assert_allclose(np.concatenate([b for _, b in found]), boxes[numbers])


def test_epochs_differ_in_order_and_seeds_too() -> None:
    first, second = (np.concatenate([b for _, b in batches(range(s, s + 3), augment())]) for s in (0, 3))
    other = np.concatenate([b for _, b in batches(range(3), augment(), seed=1)])
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_later_start_gives_the_same_batches() -> None:
    change = augment(
        p_flip=0.5, scale_jitter=1.3, max_shift=0.2, max_rotation_deg=5, brightness=0.2, contrast=0.2, colour=0.1
    )
    whole, rest = batches(range(9), change), batches(range(5, 9), change)
    for (p, b), (q, c) in zip(whole[5:], rest, strict=True):
        np.testing.assert_array_equal(p, q)
        np.testing.assert_array_equal(b, c)


def test_more_steps_than_images_repeat_images() -> None:
    found = batches(range(5), augment(), per_epoch=5)
    assert [len(p) for p, _ in found] == [4] * 5


@pytest.mark.parametrize(
    "change",
    [
        {"p_flip": 1.0},
        {"scale_jitter": 1.5},
        {"max_shift": 0.3},
        {"p_flip": 0.5, "scale_jitter": 1.5, "max_shift": 0.3},
    ],
    ids=lambda change: "+".join(change),
)
def test_the_box_moves_with_its_plate(change: dict[str, Any]) -> None:
    moved = 0
    _, originals = painted()
    for images, boxes in batches(range(30), augment(**change)):
        for image, box in zip(images, boxes, strict=True):
            rows, columns = np.nonzero(image[..., 0] > 0.43)
            found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIDE
            np.testing.assert_allclose(found, box, atol=1.5 / SIDE)
            moved += not np.isclose(originals, box, atol=1e-3).all(axis=1).any()
    assert moved > 50


def test_a_rotated_plate_lies_in_its_box() -> None:
    for images, boxes in batches(range(10), augment(max_rotation_deg=15)):
        for image, box in zip(images, boxes, strict=True):
            rows, columns = np.nonzero(image[..., 0] > 0.43)
            found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIDE
            assert (found[:2] >= box[:2] - 1.5 / SIDE).all()
            assert (found[2:] <= box[2:] + 1.5 / SIDE).all()


def test_colours_change_and_stay_in_range() -> None:
    plain, changed = batches(range(3), augment()), batches(range(3), augment(brightness=0.5, contrast=0.5, colour=0.3))
    for (p, b), (q, c) in zip(plain, changed, strict=True):
        assert not np.allclose(p, q, atol=0.05)
        assert q.min() >= 0
        assert q.max() <= 1
        np.testing.assert_array_equal(b, c)


def test_images_in_memory_and_on_disk_are_the_same(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        image = Image.fromarray(np.random.default_rng(number).integers(0, 256, (90, 160, 3), dtype=np.uint8))
        image.save(tmp_path / f"{number}.jpg")
        paths.append(tmp_path / f"{number}.jpg")
    big = decode_images([*paths] * 200, 32, 1, tmp_path / "scratch")
    small = decode_images(paths, 32, 1, tmp_path / "unused")
    assert isinstance(big[0], np.memmap)
    assert not isinstance(small[0], np.memmap)
    np.testing.assert_array_equal(big[:3], small)
    assert not [*(tmp_path / "scratch").iterdir()], "the file has no name, so that nothing is left of it"


def test_small_images_are_kept_in_their_own_size_and_large_ones_fitted(tmp_path: Path) -> None:
    sizes, decoded = [(40, 30), (160, 90), (64, 64), (50, 301)], []
    for number, size in enumerate(sizes):
        image = Image.fromarray(np.random.default_rng(number).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
        image.save(tmp_path / f"{number}.png")
        decoded.append(np.asarray(image))
    paths, sides = [tmp_path / f"{number}.png" for number in range(4)], np.array(sizes)[:, ::-1]
    for max_memory_mb in (1, 0):
        images = FittedImages(paths, sides, 64, max_memory_mb, tmp_path / "scratch")
        assert isinstance(images.kept[0], np.memmap) is (max_memory_mb == 0)
        assert [image.shape[:2] for image in images.kept] == [(30, 40), (36, 64), (64, 64), (64, 11)]
        for image, original in zip(images, decoded, strict=True):
            np.testing.assert_array_equal(image, fit(original, 64))


def test_an_epoch_has_each_source_as_often_as_its_weight() -> None:
    images = np.zeros((30, 4, 4, 3), np.uint8)
    boxes = np.arange(30, dtype=np.float32)[:, None] / 100 * np.ones((1, 4), np.float32)
    weights = np.repeat([1.0, 2.5, 0.5], 10)
    weighted = Examples(images, boxes, weights=weights)
    assert weighted.samples_per_epoch == 40
    counts = np.zeros(30)
    for _, corners in training_batches(weighted, 8, 5, range(20), augment(), 0):
        indices = (np.asarray(corners)[:, 0] * 100).round().astype(int)
        np.add.at(counts, indices, 1)
    assert counts[:10].tolist() == [4.0] * 10  # four epochs, once each
    assert counts[10:20].sum() == 100
    assert set(counts[10:20]) <= {8.0, 9.0, 10.0, 11.0, 12.0}
    assert counts[20:].sum() == 20


def test_pasted_plates_have_room_beside_the_real_ones(in_root: Path) -> None:
    config = compose(
        ["experiment=best", "augment.p_paste_extra=1", "augment.p_mosaic=0", "augment.paste_pool_size=8"]
    ).augment
    assert isinstance(config, RandomCrops)
    images, boxes = painted(4)
    examples = Examples(images.repeat(2, axis=1).repeat(2, axis=2), boxes[:, None])
    found = [[b.numpy() for b in batch] for batch in random_crop_batches(examples, 64, config, 4, 1, range(4), 0)]
    again = [[b.numpy() for b in batch] for batch in random_crop_batches(examples, 64, config, 4, 1, range(4), 0)]
    for (p, b), (q, c) in zip(found, again, strict=True):
        np.testing.assert_array_equal(p, q)
        np.testing.assert_array_equal(b, c)
    plates = np.concatenate([b for _, b in found])
    assert plates.shape == (16, 2, 5)
    assert (plates[:, 1, 2] > plates[:, 1, 0]).sum() > 6


def test_mosaics_have_the_plates_of_four_images(in_root: Path) -> None:
    config = compose(["experiment=best", "augment.p_mosaic=1", "augment.paste_pool_size=8"]).augment
    assert isinstance(config, RandomCrops)
    images, boxes = painted(4)
    examples = Examples(images.repeat(2, axis=1).repeat(2, axis=2), boxes[:, None])
    found = list(random_crop_batches(examples, 64, config, 4, 1, range(4), 0))
    again = list(random_crop_batches(examples, 64, config, 4, 1, range(4), 0))
    for (p, b), (q, c) in zip(found, again, strict=True):
        np.testing.assert_array_equal(p, q)
        np.testing.assert_array_equal(b, c)
    plates = np.concatenate([b for _, b in found])
    assert plates.shape == (16, 8, 5)
    assert ((plates[..., 2] > plates[..., 0]).sum(axis=1) > 1).sum() > 8


def test_images_for_which_the_disk_has_no_space_are_an_error_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    """A disk of 10,000 bytes, of which four images of 64 × 64 pixels need 49,152."""
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "one.png")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            decode_images([tmp_path / "one.png"] * 4, SIDE, 0, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
