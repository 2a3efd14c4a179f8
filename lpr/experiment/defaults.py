"""The keys that an older experiment's configuration lacks, with their defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lpr.composition.compose import compose_values
from lpr.config import CONF, Config
from lpr.config.messages import flatten, models_at
from lpr.config.target import scored


def with_defaults(config: dict[str, Any], conf: Path = CONF) -> tuple[dict[str, Any], dict[str, Any]]:
    """A configuration of any age with the keys of today's schema, as far as scores depend on them.

    The default of a key is what `conf/` composes with the options that the configuration names, such as
    `detector=centernet`. A section of an option that `conf/` does not have, such as that of a plug-in, stays as it is.

    Returns:
        The configuration, and the added values by their dotted keys.
    """
    named = {group: section.get("name") for group, section in config.items() if isinstance(section, dict)}
    options = sorted(f"{group}={name}" for group, name in named.items() if (conf / group / f"{name}.yaml").is_file())
    return _merged(config, scored(_composed(tuple(options), conf)), ())


def describe_defaults(name: str, defaults: Mapping[str, Any]) -> Iterator[str]:
    """Lines about the keys that an older experiment lacks."""
    for key, value in defaults.items():
        yield f"{name} has no key {key}: it is compared as if it were {value}"


@cache
def _composed(overrides: tuple[str, ...], conf: Path) -> dict[str, Any]:
    return compose_values(list(overrides), conf)


def _same_option(section: dict[str, Any], default: Any) -> bool:
    return isinstance(default, dict) and section.get("name") == default.get("name")


def _merged(
    config: dict[str, Any], defaults: dict[str, Any], path: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    merged, added = dict(config), dict[str, Any]()
    for key, default in defaults.items():
        here, value = (*path, key), config.get(key)
        if key not in config:
            merged[key] = default
            added |= flatten(default, ".".join(here))
        # A mapping that is no section, such as source → grammar, has no keys that all experiments share.
        elif isinstance(value, dict) and _same_option(value, default) and models_at(Config, here):
            merged[key], more = _merged(value, default, here)
            added |= more
    return merged, added
