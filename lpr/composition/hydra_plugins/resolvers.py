"""What `conf/` interpolates beyond plain values.

A Hydra plugin folder, so that DVC's own composition (`dvc exp run`, option `hydra.plugins_path` in `.dvc/config`)
knows the same resolvers as `lpr params`.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from omegaconf import ListConfig, OmegaConf

# What DVC watches in the place of a file that is not there or not local.
_NO_FILE = "data/no_file"
_FILES = ("annotations", "texts", "boxes")
_IMAGE_FOLDERS = ("images", "JPEGImages")
_LISTS = (".yaml", ".yml")  # of files that are elsewhere in the folder
_SHIPPED_WEIGHTS = "lpr/ocr/recognizer/weights"


def local_files(sources: Any) -> list[dict[str, str]]:
    """For every source its local files, and the folder of its images, for the `foreach` of dvc.yaml.

    DVC cannot watch null, and would fail without a network on a URL: both are replaced.
    """
    return [
        {"name": str(source.get("name"))}
        | {key: _local(source.get(key)) or _NO_FILE for key in _FILES}
        | {"images": _image_folder(source.get("image_root"), source.get("annotations")) or _NO_FILE}
        for source in sources
    ]


def _local_files(sources: Any) -> ListConfig:
    _check_cache_path()
    return OmegaConf.create(local_files(sources))


def _check_cache_path() -> None:
    """Refuse `dvc exp run --queue` and `--temp` where DVC would fail to set up the experiment, and never say so.

    DVC writes the path of its cache into the copy that the experiment runs in, and can write ASCII alone.

    Raises:
        ValueError: the path of the cache has other characters.
    """
    if sys.argv[1:3] != ["exp", "run"] or not {"--queue", "--temp"} & {*sys.argv}:
        return
    from dvc.config import Config

    settings = os.path.abspath(".dvc")
    cache = str(Config(settings, validate=False)["cache"].get("dir") or os.path.join(settings, "cache"))
    if not cache.isascii():
        raise ValueError(
            f"DVC cannot run experiments in copies (--queue, --temp) with its cache in {cache}, which is not ASCII: "
            "choose another place by `dvc cache dir --local FOLDER`, or run them without a copy: `dvc exp run`, or "
            "`lpr experiment -m`"
        )


def _local(path: Any) -> str | None:
    """The path of a file that a key names; None where it names none, or a URL."""
    return None if path is None or "://" in str(path) else os.path.expanduser(str(path))


def _image_folder(image_root: Any, annotations: Any) -> str | None:
    """The folder in which a source's images are: the one that is given, or where most formats expect them.

    That is a folder beside the annotation file, or the file's own, where images lie in it. None: it is not known
    without reading the annotations; or it holds what the stages write, on which none of them can depend.
    """
    places: list[str] = []
    if image_root is not None:
        places += [root] if (root := _local(image_root)) else []
    elif file := _local(annotations):
        beside = os.path.dirname(file.rstrip("/")) or "."
        places += [os.path.normpath(os.path.join(beside, name)) for name in _IMAGE_FOLDERS]
        places += [beside] if file.lower().endswith(_LISTS) or _has_images(beside) else []
    found = next((place for place in places if os.path.isdir(place)), None)
    return found if found is not None and not _holds_products(found) else None


def _has_images(folder: str) -> bool:
    from lpr.data.labelled_images import image_suffixes  # here, since it takes a while

    try:
        return any(name.lower().endswith(image_suffixes()) for name in os.listdir(folder))
    except OSError:
        return False


def _holds_products(folder: str) -> bool:
    """Whether it holds the folder that the stages write to, or is in it."""
    place, products = Path(os.path.realpath(folder)), Path(os.path.realpath("data"))
    return products.is_relative_to(place) or any(
        place.is_relative_to(products / name) for name in ("images", "sources")
    )


def _ocr_weights(ocr: Any) -> str:
    """The weights that an OCR engine is given; else the folder of those that come with the package."""
    return str(ocr.get("weights") or _SHIPPED_WEIGHTS)


def _init_weights(path: Any) -> str:
    """The weights that a training starts from; an empty file where it starts from random ones."""
    return str(path or _NO_FILE)


def _plugin_file(name: Any, package: str) -> str:
    return _own_code([name], package)


def _metric_files(metrics: Any) -> str:
    return _own_code(
        [str(entry).partition(":")[0] for entry in (*metrics.detection, *metrics.recognition)], "lpr/metrics"
    )


def _format_files(sources: Any) -> str:
    return _own_code([source.get("format") for source in sources], "lpr/data")


def _own_code(names: Iterable[Any], package: str) -> str:
    """What DVC watches of plug-ins of one's own, which names with a dot are: their file, or the folder that all are in.

    Where none is a file here, it is the folder `package`, from which the others come.
    """
    files = [f"{str(name).replace('.', '/')}.py" for name in names if "." in str(name)]
    own = sorted({file for file in files if Path(file).is_file()})
    if own and not (common := os.path.commonpath(own)):
        raise ValueError(
            f"DVC watches one file or folder of your own in the place of {package}; these share none: {own}"
        )
    return common if own else package


OmegaConf.register_new_resolver("format_files", _format_files, replace=True)
OmegaConf.register_new_resolver("metric_files", _metric_files, replace=True)
OmegaConf.register_new_resolver("plugin_file", _plugin_file, replace=True)
OmegaConf.register_new_resolver("init_weights", _init_weights, replace=True)
OmegaConf.register_new_resolver("local_files", _local_files, replace=True)
OmegaConf.register_new_resolver("ocr_weights", _ocr_weights, replace=True)
