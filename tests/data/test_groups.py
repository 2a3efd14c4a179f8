"""Groups by texts and by names: what is counted without being listed is what listing would give."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lpr.data.groups import PlateTexts, connected, named_groups

SPLITS = np.array(["train", "validation", "test", ""], object)


def images_with_texts(seed: int) -> tuple[pd.Series, list[set[str]], pd.DataFrame]:
    """40 images with 0 to 3 of 12 texts each, one text of many; some plates have no known text."""
    rng = np.random.default_rng(seed)
    texts = [set(rng.choice([*"ABCDEFGHIJKL", "A", "A"], rng.integers(0, 4)).tolist()) for _ in range(40)]
    rows = [(f"{n}.jpg", text) for n, each in enumerate(texts) for text in sorted(each) or [""]]
    rows += [(f"{n}.jpg", "") for n in range(0, 40, 7)]
    return pd.Series([f"{n}.jpg" for n in range(40)]), texts, pd.DataFrame(rows, columns=["image", "text"])


@pytest.mark.parametrize("seed", range(5))
def test_pairs_of_one_text_are_counted_as_if_listed(seed: int) -> None:
    images, of_image, plates = images_with_texts(seed)
    splits = SPLITS[np.random.default_rng(seed).integers(0, 4, 40)]
    texts = PlateTexts(plates, images)
    pairs = [(a, b) for a, b in itertools.combinations(range(40), 2) if of_image[a] & of_image[b]]
    apart = [(a, b) for a, b in pairs if splits[a] != splits[b] and splits[a] and splits[b]]
    assert texts.count_apart(splits) == len(apart) > 0
    assert set(texts.images_apart(splits)) == {image for pair in apart for image in pair}
    same = connected(40, [np.array(pairs)])
    assert (connected(40, [texts.chains()]) == same).all()
    assert len(texts.chains()) < sum(map(len, of_image))


def test_plates_are_different_where_all_are_known_and_none_is_common() -> None:
    images, of_image, plates = images_with_texts(0)
    pairs = np.array(list(itertools.combinations(range(40), 2)))
    found = PlateTexts(plates, images).different(pairs)
    known = [bool(of_image[n]) and n % 7 > 0 for n in range(40)]
    assert found.tolist() == [known[a] and known[b] and not of_image[a] & of_image[b] for a, b in pairs]


def test_groups_are_numbered_as_they_appear_however_their_pairs_come() -> None:
    pairs = np.array([(5, 2), (2, 4), (0, 1)])
    for blocks in ([pairs], [pairs[:1], pairs[1:]], list(pairs[:, None])):
        assert connected(6, blocks).tolist() == [0, 0, 1, 2, 1, 1]
    assert connected(3, []).tolist() == [0, 1, 2]
    assert connected(0, []).tolist() == []


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        ("folder", [0, 0, 1, 2, 3, 4]),
        (r"cam(\w)", [0, 0, 1, 1, 1, 2]),
        (r"cam\w", [0, 0, 1, 1, 1, 2]),
        (r"(\d+)\.jpg", [0, 1, 0, 2, 2, 0]),
        (r"(x)?nowhere", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_names_make_groups(group_by: str | None, groups: list[int]) -> None:
    urls = pd.Series(["camA/1.jpg", "camA/2.jpg", "camB/1.jpg", "http://host/camB/3.jpg", "camB/3.jpg", "1.jpg"])
    sources = pd.Series(["one", "one", "one", "one", "two", "one"])
    pairs, member = named_groups(urls, sources, group_by)
    assert connected(6, [pairs]).tolist() == groups
    assert len(pairs) == 6 - len(set(groups))
    assert member.any() == (group_by is not None and "nowhere" not in group_by)
