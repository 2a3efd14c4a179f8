"""Which names suggest that images are frames of one video."""

import re

import numpy as np
import pytest

from lpr.data.video_frames import GROUPINGS, SIMILAR, suspected_frames

ALIKE, DIFFERENT = np.ones((9, 4)) / 2, np.eye(9)


def pairs(urls: list[str], edges: np.ndarray) -> list[list[int]]:
    return suspected_frames(urls, ["set"] * len(urls), edges).tolist()


@pytest.mark.parametrize(
    ("urls", "found"),
    [
        (["video_0001.jpg", "video_0002.jpg", "video_0003.jpg"], [[0, 1], [1, 2]]),
        (["t=10.jpg", "t=9.jpg", "t=9.5.jpg"], [[1, 2], [2, 0]]),
        (["http://host/a/7.png?w=5", "http://host/a/8.png?w=5"], []),
        (["http://host/a/7.png", "http://host/b/8.png"], []),
        (["clip-4_jpg.rf.0a1b2c.jpg", "clip-5_jpg.rf.f9e8d7.jpg"], [[0, 1]]),
        (["front12.jpg", "rear13.jpg", "12_left.jpg", "13_right.jpg"], []),
        (["one.jpg", "two.jpg"], []),
    ],
)
def test_similar_images_with_consecutive_numbers_are_suspected(urls: list[str], found: list[list[int]]) -> None:
    assert pairs(urls, ALIKE) == found
    assert pairs(urls, DIFFERENT) == []


def test_the_name_of_a_video_is_enough() -> None:
    assert pairs(["rec1.mp4#t=3.jpg", "rec1.mp4#t=12.jpg", "rec2.mp4#t=4.jpg"], DIFFERENT) == [[0, 1]]
    assert pairs(["ride_MOV-3_jpg.rf.ab1.jpg", "ride_MOV-4_jpg.rf.cd2.jpg"], DIFFERENT) == [[0, 1]]
    assert pairs(["mp4_3.jpg", "mp4_4.jpg"], DIFFERENT) == []


def test_images_of_two_sources_are_never_neighbours() -> None:
    assert suspected_frames(["v1.jpg", "v2.jpg"], ["one", "two"], ALIKE).shape == (0, 2)


def test_images_that_are_less_similar_are_not_suspected() -> None:
    angles = np.arccos([1, SIMILAR + 0.01, SIMILAR - 0.01])
    edges = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert pairs(["v1.jpg", "v2.jpg"], edges[[0, 1]]) == [[0, 1]]
    assert pairs(["v1.jpg", "v2.jpg"], edges[[0, 2]]) == []


@pytest.mark.parametrize(
    ("video", "urls"),
    [
        ("rec1.mp4#t=", ["rec1.mp4#t=7.jpg", "rec1.mp4#t=12.jpg"]),
        ("v-", ["v-3_jpg.rf.a1.jpg", "v-14_jpg.rf.b2.jpg"]),
        ("t=", ["t=9.5.jpg", "t=10.25.jpg"]),
    ],
)
def test_a_proposed_expression_names_the_video(video: str, urls: list[str]) -> None:
    found = [[match and match[1] for url in urls if (match := re.search(each, url))] for each in GROUPINGS]
    assert [video, video] in found
