"""What `conf/` interpolates beyond plain values.

A Hydra plugin folder, so that DVC's own composition (`dvc exp run`, option `hydra.plugins_path` in `.dvc/config`)
knows the same resolvers as `lpr params`.
"""

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


def _ocr_weights(reader: Any) -> str:
    """The file or folder that a reader's network comes from; where it has none, that of the project's own."""
    return str(reader.get("weights") or _SHIPPED_WEIGHTS)


def _plugin_file(name: str, package: str) -> str:
    """What DVC watches of a plug-in: the file of one's own, which a name with a dot in it is; else the package's folder."""
    own = f"{str(name).replace('.', '/')}.py"
    return own if "." in str(name) and Path(own).is_file() else package


OmegaConf.register_new_resolver("plugin_file", _plugin_file, replace=True)
OmegaConf.register_new_resolver("local_files", _local_files, replace=True)
OmegaConf.register_new_resolver("ocr_weights", _ocr_weights, replace=True)
