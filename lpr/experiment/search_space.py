"""The space of a search: keys of the configuration, checked before the first trial, for Keras Tuner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lpr import config
from lpr.composition.checks import check
from lpr.composition.compose import choices, compose
from lpr.config import Config, Dimension
from lpr.config.messages import InvalidConfigError, flatten, nearest
from lpr.config.target import NETWORKS, target_of
from lpr.errors import UserError

if TYPE_CHECKING:
    import keras_tuner

_FIXED = ("tuner", "tracking", "inputs", "weights", "code", "target")  # sections that no trial can change


@dataclass(frozen=True)
class Base:
    """The configuration that is tuned."""

    config: Config
    overrides: list[str] | None  # that compose it from conf/; None where `dvc exp run` did, which records none

    @cached_property
    def choices(self) -> dict[str, str]:
        """Group → option."""
        if self.overrides is not None:
            return choices(self.overrides)
        names = {key: part["name"] for key, part in self.config.as_dict().items() if isinstance(part, dict)}
        known = {group: name for group, name in names.items() if (config.CONF / group / f"{name}.yaml").is_file()}
        return known | {"experiment": "none"}

    def with_values(self, values: Mapping[str, Any]) -> Config:
        """The configuration with other values of some keys, and other options of some groups.

        Raises:
            UserError: the values break the schema.
        """
        if self.overrides is not None:
            kept = [override for override in self.overrides if key_of(override) not in values]
            given = [f"{key}={json.dumps(value)}" for key, value in values.items()]
            return compose(kept + given, where="impossible configuration")
        if groups := [key for key in values if is_group(key)]:
            raise UserError(
                f"{config.PARAMS} was composed by `dvc exp run`, which does not record its overrides: its values can "
                f"be tuned, but not the group {groups[0]!r}. Take it out (tuner.space={{{groups[0]}: null}}), or "
                "compose the file by `lpr params [KEY=VALUE …]`."
            )
        tree = self.config.as_dict()
        for key, value in values.items():
            _place(tree, key, value)
        return check(tree, "impossible configuration")


class Space:
    """The keys that a search gives values to, those that conditions depend on first.

    Raises:
        UserError: a key or a condition names no key of the configuration, or a value breaks its schema.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self.dimensions: dict[str, Dimension] = {}
        self._parents: dict[str, dict[str, list[Any]]] = {}  # key → other tuned keys, and the values that allow it
        wanted = {key: dimension for key, dimension in base.config.tuner.space.items() if dimension}
        waiting = dict(wanted)
        while waiting:
            ready = [key for key, dimension in waiting.items() if not dimension.when.keys() & waiting.keys()]
            if not ready:
                raise UserError(f"tuner.space: the conditions of {' and '.join(waiting)} depend on each other")
            for key in ready:
                self._add(key, waiting.pop(key), wanted)
        if not self.dimensions:
            raise UserError("tuner.space: no condition (when) holds, so there is nothing to tune")

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """The space for Keras Tuner's oracles.

        Choices are JSON texts: Keras Tuner has no lists, and rounds floats that it sends to a worker.
        """
        import keras_tuner

        space = keras_tuner.HyperParameters()
        for key, dimension in self.dimensions.items():
            with ExitStack() as conditions:
                for parent, allowed in self._parents[key].items():
                    texts = allowed if self.dimensions[parent].int_ else [json.dumps(value) for value in allowed]
                    conditions.enter_context(space.conditional_scope(parent, texts))
                if dimension.choice:
                    space.Choice(key, [json.dumps(value) for value in dimension.choice])
                else:
                    kind = space.Int if dimension.int_ else space.Float
                    kind(key, *dimension.range, step=dimension.step, sampling=dimension.sampling)
        return space

    def decode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Key → value of the keys whose conditions hold, from Keras Tuner's values of a trial.

        Floats are rounded to six digits: they can be typed, and single precision, in which Keras Tuner sends them to a
        worker, holds them.
        """
        decoded: dict[str, Any] = {}
        for key, dimension in self.dimensions.items():
            parents = self._parents[key].items()
            if any(parent not in decoded or decoded[parent] not in allowed for parent, allowed in parents):
                continue
            if dimension.choice:
                decoded[key] = json.loads(values[key])
            elif dimension.int_:
                decoded[key] = int(values[key])
            else:
                low, high = dimension.range
                decoded[key] = min(max(float(f"{values[key]:.6g}"), low), high)
        return decoded

    def _add(self, key: str, dimension: Dimension, wanted: dict[str, Dimension]) -> None:
        parents: dict[str, list[Any]] = {}
        for other, value in dimension.when.items():
            allowed = value if isinstance(value, list) else [value]
            if other not in wanted:
                if self._current(other, f"tuner.space.{key}.when") not in allowed:
                    return
            elif other not in self.dimensions:  # its own condition does not hold
                return
            elif self.dimensions[other].float_:
                raise UserError(f"tuner.space.{key}.when: {other} has a range of floats; conditions need exact values")
            elif never := [value for value in allowed if not _reaches(self.dimensions[other], value)]:
                raise UserError(f"tuner.space.{key}.when: {other} is never {never[0]!r} in this space")
            else:
                parents[other] = allowed
        self._parents[key] = parents
        self._check(key, dimension)
        self.dimensions[key] = dimension

    def _current(self, key: str, where: str) -> Any:
        """The value of a key in the base configuration, or its option of a group."""
        if is_group(key):
            return self._base.choices[key]
        return _find(self._base.config.as_dict(), key, where)

    def _context(self, key: str) -> dict[str, Any]:
        """Values of other keys under which this one is tuned."""
        context: dict[str, Any] = {}
        for parent, allowed in self._parents[key].items():
            context |= self._context(parent) | {parent: allowed[0]}
        return context

    def _check(self, key: str, dimension: Dimension) -> None:
        where = f"tuner.space.{key}"
        section, trained = key.partition(".")[0], target_of(self._base.config)
        if section in _FIXED or section in NETWORKS.difference(trained.sections):
            raise UserError(f"{where}: {section} is no section that a trial can change")
        if key == f"{trained.train}.epochs" and self._base.config.tuner.name == "hyperband":
            raise UserError(f"{where}: Hyperband itself chooses the epochs")
        context = self._context(key)
        values = dimension.choice or list(dimension.int_ or dimension.float_ or [])
        if is_group(key):
            for value in values:
                try:
                    self._base.with_values(context | {key: value})
                except UserError as error:
                    raise UserError(f"{where}: {error}") from None
            return
        tree = self._base.with_values(context).as_dict()
        _find(tree, key, where)
        for value in values:
            _place(tree, key, value)
            try:
                check(tree, where)
            except InvalidConfigError as error:
                # A value that only conflicts with others, as more pools than convolutions do, makes a failed trial.
                if not error.misfit:
                    raise


def key_of(override: str) -> str:
    """The key that a Hydra override such as `+train.epochs=5` sets."""
    return override.lstrip("+~").partition("=")[0]


def is_group(key: str) -> bool:
    """Whether the key names a group: a folder of conf/, of which an option is chosen."""
    return (Path(config.CONF) / key).is_dir()


def lookup(tree: Any, key: str) -> Any:
    """The value of a dotted key.

    Raises:
        KeyError: there is none.
    """
    for part in key.split("."):
        if not isinstance(tree, dict):
            raise KeyError(key)
        tree = tree[part]
    return tree


def _find(tree: dict[str, Any], key: str, where: str) -> Any:
    try:
        return lookup(tree, key)
    except KeyError:
        known = [*flatten(tree), *(path.name for path in config.CONF.iterdir() if path.is_dir())]
        near = nearest(key, (name for name in known if not name.startswith("tuner")))
        hint = f"; the nearest is {near[0]!r}" if near else ""
        raise UserError(f"{where}: there is no key {key!r}{hint}") from None


def _place(tree: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        tree = tree[part]
    tree[last] = value


def _reaches(dimension: Dimension, value: Any) -> bool:
    """Whether the value is among the choices, or in the range of whole numbers."""
    if dimension.choice:
        return value in dimension.choice
    low, high = dimension.range
    return isinstance(value, int) and low <= value <= high
