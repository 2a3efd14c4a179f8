"""`lpr data check`: what a set of annotated images holds, before anything is trained on it.

Nothing is copied but what the page shows: images are read one after another, where they are.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.config import OneSplit
from lpr.config.messages import validate
from lpr.data.annotations import SAME_PLATE, Annotations
from lpr.data.originals import Original, visit_originals
from lpr.data.placement import is_resized, place_boxes
from lpr.data.similarity import Fingerprints, fingerprint, near_duplicate_pairs
from lpr.data.split import Images, images_to_split, split_known_images
from lpr.data.tables import write_table
from lpr.data.urls import is_http, last_part
from lpr.datasets.findings import Findings, Pair
from lpr.datasets.page import write_page
from lpr.datasets.reading import DataSet, Options, defaults, opened
from lpr.errors import UserError
from lpr.pipeline.split import in_words

INCOMPLETE = 3
"""Exit status where something of a set is missing or rejected."""

_WIDTH = 120  # characters of a line of the text
_LISTED = 5  # of what there is most of, in the text
_ROWS = 20  # of a table, in the text
_PAIRS = 12  # of near-duplicates and of frames that are shown
_QUANTILES = {"min": 0.0, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "max": 1.0}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def run(path: str, options: Options, group_by: str | None, output: Path) -> int:
    """Print what the set holds, and write it as a page, with the tables rejects.csv and failures.csv beside it.

    Args:
        path: of the annotations, a file or a folder.
        options: how they are read.
        group_by: `split.group_by` of the grouped split whose leakage is counted.
        output: folder of the page.

    Returns:
        The exit status: 0, or 3 where something is rejected, or an image is missing or cannot be read.

    Raises:
        UserError: the annotations cannot be read, nothing in them can be used, or an option is wrong.
    """
    split = validate(OneSplit, defaults("split") | {"group_by": group_by}, "the options", "split")
    with opened([path], options) as sets:
        (data_set,) = sets.sets
        plates = data_set.annotations.plates
        listed = plates[~plates["ignored"]]  # an image has a row that is not, with a plate or without
        images, failures, found = visit_originals(listed, sets.data, sets.folder, _fingerprint)
        available = listed[listed["image"].isin(images["image"])]
        known = images_to_split(available, Fingerprints.of(found), sets.data.sources)
        findings = _findings(data_set, images, failures, known, split)
        page = output / "index.html"
        write_page(data_set, sets, findings, page)
    write_table(findings.rejects, output / "rejects.csv")
    write_table(findings.failures, output / "failures.csv")
    print(_as_text(findings, output))
    print(f"\n{page} shows plots and samples")
    return INCOMPLETE if len(findings.rejects) or len(findings.failures) else 0


def _fingerprint(original: Original) -> tuple[np.ndarray, np.ndarray]:
    return fingerprint(original.image)


def _findings(
    data_set: DataSet, images: pd.DataFrame, failures: pd.DataFrame, known: Images, split: OneSplit
) -> Findings:
    annotations = data_set.annotations
    joined = annotations.plates.merge(images.drop(columns="source"), on="image")
    placed = place_boxes(annotations.plates, images)
    near, near_count, apart_count = _near_duplicates(known, split.hash_distance_threshold)
    facts = {
        "format": f"{data_set.format}: {data_set.path}",
        "images": _images(annotations, joined, images, failures),
        "image sizes": _sizes(images),
        **_plates(annotations, placed),
        "texts": _texts(annotations),
        "duplicates": _duplicates(annotations, images, known, near, near_count, apart_count),
        **_split(known, split),
        "rejected": _rejected(annotations.rejects),
    }
    notes = [note.removeprefix(f"source {data_set.name}: ") for note in data_set.notes]
    facts["notes"] = "\n".join(note for note in notes if not note.startswith(f"{data_set.path} is of the format"))
    pairs = [_pair(known, "near-duplicates", first, second) for first, second in near]
    pairs += [_pair(known, "neighbouring frames", first, second) for first, second in known.frames[:_PAIRS].tolist()]
    facts = {name: words for name, words in facts.items() if words}
    return Findings(facts, annotations.rejects, failures, placed, images, pairs)


def _pair(known: Images, kind: str, first: int, second: int) -> Pair:
    names, urls = known.table["image"], known.table["url"]
    return Pair(kind, (names[first], names[second]), (urls[first], urls[second]))


def _images(annotations: Annotations, joined: pd.DataFrame, images: pd.DataFrame, failures: pd.DataFrame) -> str:
    resized = joined.loc[is_resized(joined), "image"].nunique()
    kinds = Counter(images["format"]).most_common()
    parts = [
        f"{annotations.counts['images']} listed",
        f"{len(images)} found",
        f"{int((~failures['found'].astype(bool)).sum())} missing",
        f"{int(failures['found'].astype(bool).sum())} unreadable",
        f"{resized} of another size than said",
        f"{int((images['orientation'] != 1).sum())} turned by EXIF",
    ]
    return ", ".join(parts) + "".join(f"; {name} {count}" for name, count in kinds)


def _sizes(images: pd.DataFrame) -> str:
    sizes = Counter(f"{width}×{height}" for width, height in zip(images["width"], images["height"], strict=True))
    if len(sizes) <= _LISTED:
        return most_frequent(sizes) or "unknown"
    return (
        f"{len(sizes)} sizes, most often {most_frequent(sizes)}\n"
        f"width px: {_quantiles(images['width'])}\nheight px: {_quantiles(images['height'])}"
    )


def _plates(annotations: Annotations, placed: pd.DataFrame) -> dict[str, str]:
    """Labels, and what is known of the boxes; of those whose images are not there, by the annotated size."""
    counts = annotations.counts
    labels = Counter(
        detail.label or "without a label"
        for detail, top in zip(annotations.details, annotations.plates["top_x"], strict=True)
        if not np.isnan(top)
    )
    others = Counter(annotations.other_labels)
    boxes = (placed if len(placed) else annotations.plates).dropna(subset=BOX_COLUMNS)
    boxes = boxes[~boxes["ignored"]]
    an_image = Counter(boxes.groupby("image").size())
    left, top, right, bottom = boxes[BOX_COLUMNS].to_numpy(float).T
    return {
        "labels": f"taken as plates: {most_frequent(labels)}"
        + (f"\nleft out: {most_frequent(others)}" if others else ""),
        "plates": f"{counts['plates']}, and {counts['ignored']} ignored boxes\n"
        + ", ".join(f"{number} in {count} images" for number, count in sorted(an_image.items())[:_LISTED])
        + (f", up to {max(an_image)}" if len(an_image) > _LISTED else "")
        + f"; {counts['without_plates']} images without"
        + (f"\ncorners in another order: {counts['swapped']}" if counts["swapped"] else ""),
        "plate sizes": f"width px: {_quantiles(right - left)}\nheight px: {_quantiles(bottom - top)}\n"
        f"width / height: {_quantiles((right - left) / (bottom - top))}",
    }


def _texts(annotations: Annotations) -> str:
    counts = annotations.counts
    texts = annotations.plates.loc[~annotations.plates["ignored"], "text"]
    known = texts[texts != ""]
    if known.empty:
        return "none"
    lengths = Counter(f"{length} characters" for length in known.str.len())
    words = f"{len(known)} of {counts['plates']} plates, {known.nunique()} different"
    words += f"; most often of {most_frequent(lengths)}"
    if annotations.other_characters:
        scripts = Counter[str]()
        for character, count in annotations.other_characters.items():
            scripts[unicodedata.name(character, "unknown").partition(" ")[0].capitalize()] += count
        words += (
            f"\n{counts['texts_beyond_latin']} have characters other than A–Z and 0–9, which the OCR engines that come "
            f"with lpr do not recognize: {most_frequent(annotations.other_characters)} ({', '.join(scripts)})"
        )
    return words


def _near_duplicates(known: Images, distance: int) -> tuple[list[tuple[int, int]], int, int]:
    """The first pairs of near-duplicates, how many there are, and how many more show plates known to be different."""
    shown: list[tuple[int, int]] = []
    count = apart = 0
    for pairs in near_duplicate_pairs(known.fingerprints.hashes, distance):
        different = known.texts.different(pairs)
        count += int((~different).sum())
        apart += int(different.sum())
        if len(shown) < _PAIRS:
            shown += [(first, second) for first, second in pairs[~different][: _PAIRS - len(shown)].tolist()]
    return shown, count, apart


def _duplicates(
    annotations: Annotations,
    images: pd.DataFrame,
    known: Images,
    near: list[tuple[int, int]],
    near_count: int,
    apart_count: int,
) -> str:
    urls = known.table["url"].map(_short)
    twice = int(annotations.rejects["reason"].str.startswith(SAME_PLATE).sum())
    copies = images.groupby("sha256").indices.values()
    same = [indices for indices in copies if len(indices) > 1]
    lines = [f"plates listed twice: {twice}", f"images that are copies of others: {sum(map(len, same)) - len(same)}"]
    if same:
        lines[-1] += f", such as {urls[same[0][1]]} of {urls[same[0][0]]}"
    lines.append(f"pairs of near-duplicates: {near_count}")
    if near:
        lines[-1] += f", such as {urls[near[0][0]]} and {urls[near[0][1]]}"
    if apart_count:
        lines.append(f"pairs of similar images with different plates, as before one fixed camera: {apart_count}")
    return "\n".join(lines)


def _split(known: Images, split: OneSplit) -> dict[str, str]:
    """What `split=grouped` would leak."""
    if not len(known):
        return {}
    try:
        _, counts, suspicion = split_known_images(known, split)
    except UserError as error:
        return {"split": f"split=grouped is refused: {error}"}
    lines = [f"{counts['groups']} groups of {len(known)} images"]
    if split.group_by is not None:
        lines.append(f"split.group_by={split.group_by}: {in_words(counts['group_by'])}")
    lines.append(f"split=grouped leaks: {in_words(counts['leakage'])}")
    lines.append(f"split=random would leak: {in_words(counts['leakage_of_random_split'])}")
    return {"split": "\n".join(lines), "videos": suspicion or _videos(counts["suspected_videos"])}


def _videos(suspected: Any) -> str:
    return in_words(suspected) if suspected["videos"] else "no frames of videos suspected"


def _rejected(rejects: pd.DataFrame) -> str:
    """How many, and of which kinds: reasons that differ in numbers alone are one."""
    kinds = Counter(_NUMBER.sub("N", reason) for reason in rejects["reason"])
    return f"{len(rejects)}" + "".join(f"\n{count} × {kind}" for kind, count in kinds.most_common(_LISTED))


def _short(url: str) -> str:
    """A path; of a URL, its last part."""
    return f"…/{last_part(url)}" if is_http(url) else url


def most_frequent(counts: Mapping[str, int]) -> str:
    """The most frequent few."""
    listed = sorted(counts.items(), key=lambda item: -item[1])
    more = f", and {len(listed) - _LISTED} others" if len(listed) > _LISTED else ""
    return ", ".join(f"{name} ({count}×)" for name, count in listed[:_LISTED]) + more


def _quantiles(values: Sequence[float] | np.ndarray | pd.Series) -> str:
    if not len(values):
        return "none"
    found = np.quantile(np.asarray(values, float), list(_QUANTILES.values()))
    if found[0] == found[-1]:
        return f"all {found[0]:.4g}"
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(_QUANTILES, found.round(2), strict=True))


def _as_text(findings: Findings, output: Path) -> str:
    width = max(map(len, findings.facts)) + 2
    lines = [
        f"{name if number == 0 else '':<{width}}{line}"
        for name, words in findings.facts.items()
        for number, line in enumerate(
            piece
            for line in words.split("\n")
            for piece in textwrap.wrap(line, _WIDTH - width, break_long_words=False, break_on_hyphens=False)
        )
    ]
    if listed := list_unusable(findings.rejects, findings.failures, output):
        lines += ["", listed]
    return "\n".join(lines)


def list_unusable(rejects: pd.DataFrame, failures: pd.DataFrame, folder: Path) -> str:
    """The first rows of both tables, for the terminal; "" where they are empty.

    Args:
        rejects: `Findings.rejects`.
        failures: `Findings.failures`.
        folder: that has all rows, as rejects.csv and failures.csv.
    """
    from tabulate import tabulate

    lines = []
    for name, title, table, columns in (
        ("rejects", "rejected", rejects, ["line", "url", "reason"]),
        ("failures", "not available", failures, ["url", "reason"]),
    ):
        if len(table):
            rows = table[columns].head(_ROWS).to_numpy().tolist()
            lines += [f"{title}:", tabulate(rows, columns, "plain", disable_numparse=True)]
        if len(table) > _ROWS:
            lines.append(f"… and {len(table) - _ROWS} more: {folder / name}.csv")
    return "\n".join(lines)
