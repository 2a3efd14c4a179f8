"""YOLO's labels (docs.ultralytics.com/datasets/detect), of Ultralytics, Roboflow, CVAT, Label Studio and LabelImg.

A .txt an image, in `labels/` for one in `images/`, or beside it, with a line a box: a class and fractions of the
image's sides, which are centre, width and height, or the corners of a turned box or polygon. An image without a .txt
shows no plate. There are no texts: `data.texts` gives them.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from lpr.config import Data, Source
from lpr.data.annotation_files import local_place
from lpr.data.annotations import PlateLabel
from lpr.data.content import Content
from lpr.data.csv_files import decode_text, number
from lpr.data.labelled_images import (
    LabelledImage,
    files_below,
    image_size,
    images_below,
    write_labelled_images,
    written_image_root,
)
from lpr.data.plate_labels import label_box, label_polygon, unusable_label
from lpr.data.urls import is_url
from lpr.errors import UserError

NAMES_ARE_URLS = False
_SPLITS = ("train", "val", "valid", "test")
_CLASS_LISTS = ("classes.txt", "labels/classes.txt", "obj.names", "_darknet.labels")
_LOOKED_AT = 20  # .txt files that are not empty, by which labels are told from other text


class Settings(Source):
    """Images with YOLO's labels."""

    format: Literal["yolo"]
    annotations: str = Field(description="path of the data.yaml, or of a folder with labels and images")


def recognizes(content: Content) -> bool:
    """Whether it is such a data.yaml, or a folder with one or with a .txt of YOLO for one of its images."""
    path = content.path
    if not path.is_dir():
        return path.suffix.lower() in (".yaml", ".yml") and "names" in content.keys and bool(content.keys & {*_SPLITS})
    if _data_yaml(path) is not None:
        return True
    texts = [name for name in content.files if name.endswith(".txt") and name not in _CLASS_LISTS]
    stems = {Path(name).stem for name in content.images}
    labels = [path / name for name in texts if not stems or Path(name).stem in stems]
    return any(map(_is_labels, itertools.islice((file for file in labels if file.stat().st_size), _LOOKED_AT)))


def write_annotations(source: Settings, folder: Path, data: Data) -> None:
    """Write a line an image, in the order of their paths, and then one a .txt that belongs to none."""
    dataset = _read_dataset(local_place(source.annotations, source.name), source)
    images = [place / name for place in dataset.images for name in images_below(place)]
    if not images:
        raise UserError(
            f"source {source.name}: there are no images in {', '.join(map(str, dataset.images))}; YOLO's labels are "
            "fractions of them; set data.image_root, or `image_root` of this entry of data.sources"
        )
    labels = _by_name(images, [_label_file(image, dataset) for image in images], dataset)
    if without := labels.count(None):
        print(f"source {source.name}: {without} of {len(images)} images have no .txt: they are taken to show no plate")
    files, root = _files_and_root(images, dataset, source)
    listed = [
        _image(file.relative_to(root).as_posix(), image_size(file), label, dataset)
        for file, label in zip(files, labels, strict=True)
    ]
    used = {label.resolve() for label in labels if label is not None}
    for name in files_below(dataset.root):
        file = dataset.root / name
        if name.endswith(".txt") and file.resolve() not in used and name not in _CLASS_LISTS and _is_labels(file):
            listed.append(LabelledImage([name], unusable="labels of an image that is not there"))
    write_labelled_images(listed, source.model_copy(update={"image_root": str(root)}), folder, [], data)


def image_root(source: Settings, folder: Path) -> Path | None:  # noqa: ARG001
    """The folder that all images are in, themselves or in its subfolders."""
    return written_image_root(folder)


@dataclass(frozen=True)
class _Dataset:
    """Where a data set's files are, and what is in them.

    Attributes:
        root: its folder.
        images: folders of images.
        classes: number → name.
        keypoints: whether those follow each box.
    """

    root: Path
    images: list[Path]
    classes: dict[int, str]
    keypoints: bool


def _read_dataset(place: Path, source: Settings) -> _Dataset:
    file = place if place.is_file() else _data_yaml(place)
    root = place if place.is_dir() else place.parent
    content = _read_yaml(file) if file is not None else {}
    classes = _class_names(content.get("names")) or _listed_classes(root)
    images = [root / "images"] if (root / "images").is_dir() else [root]
    if source.image_root is not None:
        if is_url(source.image_root):
            raise UserError(
                f"source {source.name}: YOLO's labels are fractions of the images, so these must be in a folder: "
                "data.image_root is a URL"
            )
        images = [Path(source.image_root).expanduser()]
    elif file is not None:
        images = _split_folders(content, file, source.name) or images
    if len({place.is_absolute() for place in images}) > 1:
        images = [place.absolute() for place in images]
    return _Dataset(root, images, classes, "kpt_shape" in content)


def _files_and_root(images: list[Path], dataset: _Dataset, source: Settings) -> tuple[list[Path], Path]:
    """The files that images are, where links lead to, and the folder that all are in."""
    links = [image for image in images if image.is_symlink()]
    if not links:
        return images, Path(os.path.commonpath(dataset.images))
    print(f"source {source.name}: {len(links)} images are links, such as {links[0]} to {links[0].resolve()}")
    files = [image.resolve() for image in images]
    return files, Path(os.path.commonpath([file.parent for file in files]))


def _data_yaml(folder: Path) -> Path | None:
    """The file in a folder that describes the data set: data.yaml, or another .yaml with `names`."""
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")], key=lambda file: (file.stem != "data", file.name))
    return next((file for file in files if "names" in Content(file).keys), None)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(decode_text(file.read_bytes()))
    except Exception as error:  # as in `lpr.data.content`
        raise UserError(f"{file}: no YAML: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: no data.yaml of YOLO, which has the keys train, val and names")
    return content


def _split_folders(content: dict[str, Any], file: Path, source: str) -> list[Path]:
    """The folders of images that a data.yaml names and that exist, found as Ultralytics finds them.

    What it names besides, such as lists of images, is printed.
    """
    base = file.parent / str(content.get("path") or "")
    base = base if os.path.isdir(base) else file.parent
    entries = [(key, entry.replace("\\", "/")) for key in _SPLITS for entry in _as_list(content.get(key))]
    folders = []
    for key, entry in entries:
        # Roboflow writes ../train/images for the folder train/images beside the file.
        paths = base / entry, base / entry.removeprefix("../"), file.parent / entry
        if found := next(filter(os.path.isdir, paths), None):
            folders.append(Path(os.path.normpath(found)))
        else:
            print(f"source {source}: {key}: {entry} of {file.name} is no folder that is there, and is not used")
    return list(dict.fromkeys(folders))


def _as_list(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value]) if item]


def _class_names(names: Any) -> dict[int, str]:
    if isinstance(names, list):
        return dict(enumerate(map(str, names)))
    items = names.items() if isinstance(names, dict) else ()
    return {int(key): str(name) for key, name in items if str(key).isdecimal()}


def _listed_classes(root: Path) -> dict[int, str]:
    """The classes of a text file with a name a line; empty where there is none."""
    for name in _CLASS_LISTS:
        if (root / name).is_file():
            lines = decode_text((root / name).read_bytes()).splitlines()
            return {index: line.strip() for index, line in enumerate(lines) if line.strip()}
    return {}


def _label_file(image: Path, dataset: _Dataset) -> Path | None:
    """The .txt of an image; None where it has none."""
    name = image.with_suffix(".txt")
    candidates = [name]
    if "images" in name.parts:
        last = len(name.parts) - 1 - name.parts[::-1].index("images")
        candidates.insert(0, Path(*name.parts[:last], "labels", *name.parts[last + 1 :]))
    for place in dataset.images:
        if name.is_relative_to(place):
            candidates += [dataset.root / "labels" / name.relative_to(place), dataset.root / name.relative_to(place)]
    return next((file for file in candidates if file.is_file()), None)


def _by_name(images: list[Path], labels: list[Path | None], dataset: _Dataset) -> list[Path | None]:
    """The .txt of each image; where it has none in its place, the only one of its name, if that is not another's."""
    used = {label.resolve() for label in labels if label is not None}
    others: dict[str, list[Path]] = defaultdict(list)
    for name in files_below(dataset.root) if None in labels else ():
        file = dataset.root / name
        if name.endswith(".txt") and file.resolve() not in used:
            others[file.stem].append(file)
    without = Counter(image.stem for image, label in zip(images, labels, strict=True) if label is None)
    return [
        others[image.stem][0] if label is None and len(others[image.stem]) == without[image.stem] == 1 else label
        for image, label in zip(images, labels, strict=True)
    ]


def _image(name: str, size: tuple[float, float], label: Path | None, dataset: _Dataset) -> LabelledImage:
    plates = list(_plates(label, size, dataset)) if label is not None else []
    return LabelledImage([name], plates, *size)


def _plates(file: Path, size: tuple[float, float], dataset: _Dataset) -> Iterator[PlateLabel]:
    width, height = size
    for line, text in enumerate(decode_text(file.read_bytes()).splitlines(), start=1):
        if not text.strip():
            continue
        index, *words = text.split()
        numbers = [number(word) for word in (words[:4] if dataset.keypoints else words)]
        if not index.isdecimal() or len(numbers) < 4 or (len(numbers) > 5 and len(numbers) % 2):
            yield unusable_label(f"{file}:{line}: no line of YOLO's labels: {text[:60]!r}")
            continue
        label = dataset.classes.get(int(index), f"class {index}")
        if len(numbers) in (4, 5):  # a fifth is the confidence of a prediction
            x, y, w, h = numbers[0] * width, numbers[1] * height, numbers[2] * width, numbers[3] * height
            yield label_box((x - w / 2, y - h / 2, x + w / 2, y + h / 2), label)
        else:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            yield label_polygon([(x * width, y * height) for x, y in pairs], label)


def _is_labels(file: Path) -> bool:
    """Whether the first line of a file is one of YOLO's labels."""
    lines = decode_text(file.read_bytes()).strip().splitlines()
    words = lines[0].split() if lines else []
    return len(words) >= 5 and words[0].isdecimal() and all(number(word) == number(word) for word in words)
