"""What an annotation format is: a module that has what `Format` names.

It is a module of this folder, `format: NAME`, or one of your own that Python can import, `format: my_package.NAME`.
All that it has to do is to write annotation JSON, for which `lpr.data.annotations` has a function; the images are
fetched, checked and cached by the rest of the project. A format whose labels are boxes in pixels:

    NAMES_ARE_URLS = False


    class Settings(Source):
        format: Literal["coco"]
        annotations: str = Field(description="the JSON of instances: a path")


    def write_annotations(source: Settings, folder: Path, data: Data) -> None:
        labels = json.loads(local_file(source.annotations, source.name).read_bytes())
        boxes: dict[int, list[PlateLabel]] = {image["id"]: [] for image in labels["images"]}
        for label in labels["annotations"]:
            left, top, width, height = label["bbox"]
            boxes[label["image_id"]].append(PlateLabel((left, top, left + width, top + height)))
        lines = [
            annotation_line(image["file_name"], image["width"], image["height"], boxes[image["id"]])
            for image in labels["images"]
        ]
        (folder / ANNOTATIONS).write_text("".join(f"{line}\\n" for line in lines), encoding="utf-8")


    def image_root(source: Settings, folder: Path) -> Path:
        return Path(source.annotations).expanduser().parent / "images"

with `ANNOTATIONS`, `PlateLabel` and `annotation_line` of `lpr.data.annotations`, and `local_file` of
`lpr.data.annotation_files`, which also reads JSON. Of annotations at a URL, `source.annotations` is a copy here. The
formats of this folder do the same by less: `lpr.data.labelled_images` finds the images and their sizes,
`lpr.data.plate_labels` makes labels of turned boxes and polygons, `lpr.data.csv_files` reads tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lpr.config import Data, Source

if TYPE_CHECKING:
    from lpr.data.content import Content


class Format(Protocol):
    """An annotation format, as a module.

    Attributes:
        Settings: schema of an entry of `data.sources` of this format: the keys of `Source` and those of its own. A key
            that the format cannot do without, such as `annotations: str`, is declared again without a default. DVC
            tracks the files and folders that keys of `Source` name, and no others.
        NAMES_ARE_URLS: True where `annotation_line` is given the URLs of images: they are fetched from there, or, with
            an `image_root`, taken from there by the ends of their paths. False where it is given paths below the
            image root.
    """

    Settings: type[Source]
    NAMES_ARE_URLS: bool

    def write_annotations(self, source: Any, folder: Path, data: Data) -> None:
        """Write annotation JSON to `folder / ANNOTATIONS`, and any files that the source brings, such as images.

        `lpr annotate` reports what is unusable by its line number. So where the user's file has a line a record, line i
        of the JSON should be of its line i, with an empty line for a header, and bad records should be passed on.

        Args:
            source: an instance of `Settings`.
            folder: of this source alone; exists and is empty.
            data: limits and repetitions for what is fetched.

        Raises:
            UserError: the annotations are not there, or are of another format.
        """
        ...

    def image_root(self, source: Any, folder: Path) -> Path | None:
        """The folder of the images where `image_root` of the source is null.

        Args:
            source: an instance of `Settings`.
            folder: that `write_annotations` wrote to.

        Returns:
            The folder; None where each image is fetched from its own URL.
        """
        ...


class Recognizable(Format, Protocol):
    """A format that `format: auto` finds by what a file or folder holds: a module of this folder."""

    def recognizes(self, content: Content) -> bool:
        """Whether annotations are in this format, and in no other: told by what only this one has."""
        ...
