"""Near-duplicates by an index are those of all pairs; edges tell scenes whatever their colours."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageOps

from lpr.data.similarity import SAME_SCENE, edge_descriptor, near_duplicate_pairs, same_scene_pairs


def hashes(count: int, clusters: int = 0, flipped: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(count)
    if not clusters:
        return rng.random((count, 64)) < 0.5
    centres = rng.random((clusters, 64)) < 0.5
    return centres[rng.integers(0, clusters, count)] ^ (rng.random((count, 64)) < flipped)


def by_comparing_all(bits: np.ndarray, distance: int) -> set[tuple[int, int]]:
    near = (bits[:, None] != bits[None]).sum(axis=2) <= distance
    return {(a, b) for a, b in np.argwhere(np.triu(near, k=1)).tolist()}


@pytest.mark.parametrize("distance", [0, 1, 6, 10, 24, 64])
@pytest.mark.parametrize("kind", ["random", "clustered", "one cluster", "equal", "one", "none"])
def test_the_pairs_are_those_of_comparing_all_with_all(kind: str, distance: int) -> None:
    bits = {
        "random": hashes(300),
        "clustered": np.concatenate([hashes(100), hashes(200, clusters=12)]),
        "one cluster": hashes(200, clusters=1),
        "equal": np.repeat(hashes(1), 30, axis=0),
        "one": hashes(1),
        "none": hashes(0),
    }[kind]
    found = [(a, b) for pairs in near_duplicate_pairs(bits, distance) for a, b in pairs.tolist()]
    assert len(found) == len(set(found))
    assert set(found) == by_comparing_all(bits, distance)


@pytest.mark.parametrize("bits", [hashes(20_000), hashes(3_000, clusters=1, flipped=0.02)], ids=["random", "one scene"])
def test_the_memory_does_not_grow_with_the_number_of_pairs(bits: np.ndarray) -> None:
    tracemalloc.start()
    try:
        for _ in near_duplicate_pairs(bits, 6):
            pass
        assert tracemalloc.get_traced_memory()[1] < 30e6  # bytes; all pairs of 20,000 would be 5e9
    finally:
        tracemalloc.stop()


def image(number: int) -> Image.Image:
    coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((128, 128), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "change",
    [
        ImageOps.invert,
        ImageOps.grayscale,
        lambda each: each.point(lambda value: value // 2),
        lambda each: each.resize((70, 90)),
    ],
    ids=["negative", "grey", "dark", "another size"],
)
def test_a_changed_copy_is_of_the_same_scene_and_other_images_are_not(change: object) -> None:
    edges = np.array([edge_descriptor(each) for n in range(12) for each in (image(n), change(image(n)))])  # type: ignore[operator]
    originals, copies = np.arange(0, 24, 2), np.arange(1, 24, 2)
    found = np.concatenate(list(same_scene_pairs(edges, originals, copies)))
    assert sorted(found.tolist()) == [[n, n + 1] for n in originals]
    assert not list(same_scene_pairs(edges, originals[:6], originals[6:]))


@pytest.mark.parametrize("common", [0.3, 3.0], ids=["scenes", "one camera"])
def test_no_pair_is_missed_for_its_first_components(common: float) -> None:
    """3,000 descriptors, a third of which are near another; those of one camera are all near one another."""
    random = np.random.default_rng(0)
    edges = common * random.normal(size=256) + random.normal(size=(3000, 256)) * np.linspace(1.5, 0.1, 256)
    edges[1::3] = edges[::3] + 0.3 * random.normal(size=(1000, 256))
    edges = (edges / np.linalg.norm(edges, axis=1, keepdims=True)).astype(np.float32)
    first, second = np.arange(0, 3000, 2), np.arange(1, 3000, 2)
    found = np.concatenate(list(same_scene_pairs(edges, first, second)))
    row, column = np.nonzero(edges[first] @ edges[second].T >= SAME_SCENE)
    expected = np.stack([first[row], second[column]], axis=1)
    assert len(expected) > 100
    np.testing.assert_array_equal(found[np.lexsort(found.T[::-1])], expected)


def test_an_even_image_is_like_no_other() -> None:
    even = edge_descriptor(Image.new("RGB", (32, 32), "white"))
    assert even @ edge_descriptor(image(0)) < SAME_SCENE
