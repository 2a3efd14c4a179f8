"""What `conf/` interpolates beyond plain values.

A Hydra plugin folder, so that DVC's own composition (`dvc exp run`, option `hydra.plugins_path` in `.dvc/config`)
knows the same resolvers as `lpr params`.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from omegaconf import ListConfig, OmegaConf

# What DVC watches in the place of a file that is not there or not local: an empty one.
_NO_FILE = "data/no_file"
_SHIPPED_WEIGHTS = "lpr/ocr/recognizer/weights"


def _local_files(sources: Any) -> ListConfig:
    """For every source its local files, one entry a source, for the `foreach` of dvc.yaml.

    DVC cannot watch null, and would fail without a network on a URL: both are replaced.
    """
    files = [
        {"name": str(source.get("name"))}
        | {
            key: _NO_FILE if (path := source.get(key)) is None or "://" in str(path) else str(path)
            for key in ("annotations", "texts", "boxes")
        }
        for source in sources
    ]
    return OmegaConf.create(files)


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
