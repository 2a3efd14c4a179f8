"""Images that seem to be frames of one video, by their names and edges: suspected, and so said rather than grouped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

SIMILAR = 0.7
"""Similarity of edges from which two images with consecutive numbers are suspected.

Less than `lpr.data.similarity.SAME_SCENE`, since names say something, too: of Kaggle's 301 consecutive cars, which are
all different, no two reach it, the most similar have 0.62; of made-up frames a second apart, 57 of 58.
"""

# Roboflow appends a hash to each name; other names may end with an extension, which may hold a digit (.jp2).
_COUNTS = re.compile(r"(?P<before>.*?)(?P<number>\d+(?:\.\d+)?)(?P<after>\D*?)(?:\.rf\.\w+)?(?:\.[A-Za-z]\w*)?")
_VIDEO_FILE = re.compile(r"[._](3gp|avi|flv|m4v|mkv|mov|mp4|mpe?g|mts|ts|webm|wmv)(?![A-Za-z0-9])", re.IGNORECASE)

# From one group a video to groups of at most 1000, 100 and 10 consecutive numbers, where a video is too large a part.
GROUPINGS = (
    r"(.*?)\d+\D*$",
    r"(.*?)\d+\D*\.rf\.",
    r"(.*?)\d+\.\d+\D*$",
    r"(.*?)\d{1,3}\D*$",
    r"(.*?)\d{1,3}\D*\.rf\.",
    r"(.*?)\d{1,2}\D*$",
    r"(.*?)\d{1,2}\D*\.rf\.",
    r"(.*?)\d\D*$",
    r"(.*?)\d\D*\.rf\.",
)
"""Regular expressions for `split.group_by` that keep frames of one video together, the largest groups first."""


def suspected_frames(urls: Sequence[str], sources: Sequence[str], edges: np.ndarray) -> np.ndarray:
    """Pairs of images that seem to be neighbouring frames of one video, int (k, 2).

    Their names differ in a number or a time alone, no image has one in between, and they either name the video's file,
    as `rec1.mp4#t=12.jpg` does, or have similar edges.

    Args:
        urls: of n images, or their paths.
        sources: of the images.
        edges: float32 (n, 256), `lpr.data.similarity.edge_descriptor` of each.
    """
    series: dict[tuple[str, str, str], list[tuple[float, int]]] = {}
    for image, (url, source) in enumerate(zip(urls, sources, strict=True)):
        if match := _COUNTS.fullmatch(url):
            series.setdefault((source, match["before"], match["after"]), []).append((float(match["number"]), image))
    return np.array(list(_neighbours(series, edges)), int).reshape(-1, 2)


def _neighbours(
    series: dict[tuple[str, str, str], list[tuple[float, int]]], edges: np.ndarray
) -> Iterator[tuple[int, int]]:
    for (_, before, _), images in series.items():
        named = _VIDEO_FILE.search(before.rpartition("/")[2]) is not None
        ordered = [image for _, image in sorted(images)]
        for first, second in pairwise(ordered):
            if named or edges[first] @ edges[second] >= SIMILAR:
                yield first, second
