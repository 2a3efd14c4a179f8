"""What `conf/` interpolates beyond plain values.

A Hydra plugin folder, so that DVC's own composition (`dvc exp run`, option `hydra.plugins_path` in `.dvc/config`)
knows the same resolvers as `lpr params`.
"""

from typing import Any

from omegaconf import ListConfig, OmegaConf

# A dependency that every source has anyhow: what DVC watches in the place of a file that is not local.
_SOURCE_CODE = "lpr/data/sources.py"
_SHIPPED_WEIGHTS = "lpr/recognizer/weights"


def _local_files(sources: Any) -> ListConfig:
    """For every source its local files, one entry a source, for the `foreach` of dvc.yaml.

    DVC cannot watch null, and would fail without a network on a URL: both are replaced.
    """
    files = [
        {"name": str(source.get("name"))}
        | {
            key: _SOURCE_CODE if (path := source.get(key)) is None or "://" in str(path) else str(path)
            for key in ("where", "texts", "boxes")
        }
        for source in sources
    ]
    return OmegaConf.create(files)


def _reader_weights(reader: Any) -> str:
    """The file or folder that a reader's network comes from; where it has none, that of the project's own."""
    return str(reader.get("weights") or _SHIPPED_WEIGHTS)


OmegaConf.register_new_resolver("local_files", _local_files, replace=True)
OmegaConf.register_new_resolver("reader_weights", _reader_weights, replace=True)
