"""Writing `params.yaml` from `conf/`, and checking that it is up to date."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import yaml

from lpr.composition.checks import check, check_files
from lpr.composition.compose import compose_values
from lpr.config import CONF, PARAMS, Config
from lpr.config.messages import flatten
from lpr.config.params import HEADER, read, recorded_overrides, to_yaml
from lpr.errors import UserError
from lpr.hashes import file_md5

_ABSENT = object()
_MOST_NAMED = 10


def write_params(overrides: list[str], path: Path = PARAMS, conf: Path = CONF) -> Config:
    """Compose, check and write `params.yaml`: the command that writes it in the first line, the rest as DVC has it.

    Raises:
        UserError: a value is refused, or DVC could not read an image folder.
    """
    values = compose_values(overrides, conf)
    config = check(values, shlex.join(["lpr", "params", *overrides]))
    if unreadable := [path for entry in config.inputs for path in _no_files(entry["images"])]:
        named = "\n  ".join(unreadable[:_MOST_NAMED])
        raise UserError(
            f"{len(unreadable)} entries of image folders are broken links or pipes, at which `dvc repro` would end or "
            f"wait for ever; move them elsewhere:\n  {named}"
        )
    path.write_text(HEADER + shlex.join(overrides) + "\n" + to_yaml(values))
    return config


def _no_files(folder: str) -> Iterator[str]:
    """The paths in a folder, if it is one, of what is neither file nor folder."""
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _no_files(entry.path)
            elif not entry.is_file() and not entry.is_dir():
                yield entry.path


def check_fresh(path: Path = PARAMS, conf: Path = CONF) -> Config:
    """Check that `params.yaml` is what `conf/` composes now, and that the files it names are there.

    A file written by `lpr params` has its overrides in the first line: they are composed again and compared. One
    written by `dvc exp run` has none: inside of such a run it was just composed; outside, it is up to date if
    `dvc.lock` has the hashes of this file and of this `conf/`.

    Raises:
        UserError: the file is out of date; the message lists the keys that differ and the command to run. Or a file
            that it names is missing.
    """
    values = read(path)
    config = check(values, str(path))
    check_files(config)
    overrides = recorded_overrides(path)
    if overrides is None:
        if "DVC_EXP_NAME" not in os.environ and not _is_locked(path, conf):
            raise UserError(
                f"{path} was not written by `lpr params`, and is not what the last `dvc exp run` composed from {conf}/ "
                "as it is now: it may hold old values. Compose it again: `lpr params [KEY=VALUE …]`, then `dvc repro`; "
                "or `dvc exp run -S KEY=VALUE`."
            )
        return config
    new, old = flatten(compose_values(overrides, conf)), flatten(values)
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
    """Whether `dvc.lock` has the hashes of this `params.yaml` and of this `conf/`."""
    lock = path.parent / "dvc.lock"
    if not lock.is_file():
        return False
    stage = yaml.safe_load(lock.read_text())["stages"].get("config", {})
    locked = {dep["path"]: dep["md5"] for dep in stage.get("deps", [])}
    return locked.get(str(path)) == file_md5(path) and locked.get(str(conf)) == _folder_md5(conf)


def _folder_md5(folder: Path) -> str:
    """DVC's hash of a folder, as `dvc.lock` has it."""
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.fs.local import LocalFileSystem

    files = LocalFileSystem()
    unused = HashFileDB(files, str(folder))  # nothing is written in a dry run
    return str(build(unused, str(folder.absolute()), files, "md5", dry_run=True)[2].hash_info.value)
