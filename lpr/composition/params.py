"""`params.yaml` written from `conf/`, and held against it."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from pathlib import Path

import yaml

from lpr.composition.checks import check
from lpr.composition.compose import compose_values
from lpr.config import CONF, PARAMS, Config
from lpr.config.messages import flatten
from lpr.config.params import HEADER, read, recorded_overrides, to_yaml
from lpr.errors import UserError
from lpr.hashes import file_md5

_ABSENT = object()


def write_params(overrides: list[str], path: Path = PARAMS, conf: Path = CONF) -> Config:
    """Compose, check and write `params.yaml` as DVC's own Hydra support would; the first line says from what."""
    values = compose_values(overrides, conf)
    config = check(values, shlex.join(["lpr", "params", *overrides]))
    path.write_text(HEADER + shlex.join(overrides) + "\n" + to_yaml(values))
    return config


def check_fresh(path: Path = PARAMS, conf: Path = CONF) -> Config:
    """Refuse a `params.yaml` that is not what `conf/` composes today.

    A file written by `lpr params` names its overrides, and is composed anew and compared. One written by
    `dvc exp run` names none. Inside such a run it was composed a moment ago; outside, it is fresh if `dvc.lock` has
    the same file beside the same `conf/`.

    Raises:
        UserError: the file is stale; the message says which keys differ and what to type.
    """
    config = check(read(path), str(path))
    overrides = recorded_overrides(path)
    if overrides is None:
        if "DVC_EXP_NAME" not in os.environ and not _is_locked(path, conf):
            raise UserError(
                f"{path} was not written by `lpr params`, and is not what the last `dvc exp run` composed from {conf}/ "
                "as it is now: it may hold old values. Compose it anew: `lpr params [KEY=VALUE …]`, then `dvc repro`; "
                "or `dvc exp run -S KEY=VALUE`."
            )
        return config
    new, old = flatten(compose_values(overrides, conf)), flatten(read(path))
    changed = [
        f"{key}: {old.get(key, 'absent')!r} in {path}, {new.get(key, 'absent')!r} in {conf}/"
        for key in sorted(new.keys() | old.keys())
        if new.get(key, _ABSENT) != old.get(key, _ABSENT)
    ]
    if changed:
        raise UserError(
            f"{path} is not what {conf}/ composes:\n  "
            + "\n  ".join(changed)
            + f"\nTo take the values of {conf}/: `{shlex.join(['lpr', 'params', *overrides])}`, then `dvc repro`. "
            f"To change a value for one run, add KEY=VALUE to that command; {path} is never edited by hand."
        )
    return config


def _is_locked(path: Path, conf: Path) -> bool:
    """Whether dvc.lock has this very params.yaml beside this very conf/."""
    lock = path.parent / "dvc.lock"
    if not lock.is_file():
        return False
    stage = yaml.safe_load(lock.read_text())["stages"].get("config", {})
    locked = {dep["path"]: dep["md5"] for dep in stage.get("deps", [])}
    return locked.get(str(path)) == file_md5(path) and locked.get(str(conf)) == _folder_md5(conf)


def _folder_md5(folder: Path) -> str:
    """DVC's hash of a folder: of the JSON list of its files' hashes and relative paths (dvc_data.hashfile.tree)."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files.sort(key=lambda path: path.relative_to(folder).parts)
    entries = [{"md5": file_md5(path), "relpath": path.relative_to(folder).as_posix()} for path in files]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
