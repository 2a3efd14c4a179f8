"""Explaining one key or section of the configuration: `lpr params --explain KEY`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from lpr.composition.compose import compose_values, files_of, groups, options, purpose
from lpr.composition.keys import MISSING, Key, keys_of, section_of, summary
from lpr.config import CONF, Config, Section
from lpr.config.messages import flatten, nearest
from lpr.errors import UserError


@dataclass(frozen=True)
class _Place:
    """What is at a path of the configuration.

    Attributes:
        key: the innermost key of the path that the schema has.
        section: the section that is there; None for a value.
        value: as composed.
    """

    key: Key
    section: type[Section] | None
    value: Any


def explain(key: str, overrides: list[str]) -> str:
    """What a key means, its type and allowed values, its value and default, and the files of conf/ that set it.

    Args:
        key: dotted, such as `train.epochs` or `data.sources.0.annotations`; or a section, such as `train`.
        overrides: as `lpr params` takes them; the value is that of the configuration that they make.

    Raises:
        UserError: there is no such key; the message has the nearest one.
    """
    values = compose_values(overrides, CONF)
    place = _find(key, values)
    if place is None and key in groups():
        return "\n".join([f"{key}: a group of options", *_options(key)])
    if place is None:
        raise UserError(_unknown(key, values))
    return "\n".join(_explain_section(key, place, overrides) if place.section else _explain_key(key, place, overrides))


def _explain_key(key: str, place: _Place, overrides: list[str]) -> Iterator[str]:
    set_in = list(_settings(key, overrides))
    in_groups = [value for file, value in set_in if not file.startswith((f"{CONF}/experiment/", "override"))]
    default = in_groups[-1] if in_groups else place.key.default
    yield f"{key}: {place.key.description}"
    yield f"  type     {place.key.kind}"
    yield f"  allowed  {place.key.allowed or 'any'}"
    yield f"  value    {one_line(place.value)}"
    yield f"  default  {one_line(default)}"
    yield from _listing("set in", [_short(file, value) for file, value in set_in] or ["no file: the default"])


def _explain_section(key: str, place: _Place, overrides: list[str]) -> Iterator[str]:
    assert place.section is not None
    yield f"{key}: {summary(place.section)}"
    if group := {name.replace("/", "."): name for name in groups()}.get(key):
        chosen = [file.stem for file, section in files_of(overrides) if section == key and file.parent == CONF / group]
        yield f"  option   {chosen[-1]}"
        yield from _options(group)
    yield from _listing("set in", list(dict.fromkeys(file for file, _ in _settings(key, overrides))))
    known = keys_of(place.section)
    plain = [
        f"{name}={one_line(place.value.get(name, one.default))}" for name, one in known.items() if not one.sections
    ]
    yield from _listing("keys", plain + [f"{name}: {one.kind}" for name, one in known.items() if one.sections])


def _options(group: str) -> Iterator[str]:
    names = groups()[group]
    width = max(map(len, names))
    yield from _listing("options", [f"{name:{width}}  {purpose(CONF / group / f'{name}.yaml')}" for name in names])


def _listing(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {'' if number else title:8} {line}"


def _find(key: str, values: Any) -> _Place | None:
    """What is at a path; None where there is nothing."""
    place = _Place(Key("section", "", summary(Config), MISSING, (Config,)), Config, values)
    rest = key.split(".")
    while rest:
        if isinstance(place.value, list):
            entries = {str(number): entry for number, entry in enumerate(place.value)}
            if rest[0] not in entries:
                return None
            place = _entry(place.key, entries[rest.pop(0)])
        elif place.section:
            inner = keys_of(place.section).get(rest[0])
            if inner is None:
                return None
            value = place.value.get(rest.pop(0), None if inner.default is MISSING else inner.default)
            place = _Place(inner, None, value) if inner.is_mapping else _entry(inner, value)
        elif isinstance(place.value, dict) and (name := _first_name(rest, place.value)):
            del rest[: name.count(".") + 1]
            place = _entry(place.key, place.value[name])
        else:
            return None
    return place


def _first_name(path: list[str], mapping: dict[str, Any]) -> str | None:
    """The name in a mapping, perhaps with dots, that a path begins with."""
    beginnings = (".".join(path[:count]) for count in range(len(path), 0, -1))
    return next((name for name in beginnings if name in mapping), None)


def _entry(key: Key, value: Any) -> _Place:
    is_section = bool(key.sections) and isinstance(value, dict)
    return _Place(key, section_of(key.sections, value) if is_section else None, value)


def _settings(key: str, overrides: list[str]) -> Iterator[tuple[str, Any]]:
    """The files, and overrides, that set a key or something in it, with the values that they give; later ones win."""
    found: list[tuple[str, Any]] = []
    for file, section in files_of(overrides):
        path = _below(key, section)
        content = yaml.safe_load(file.read_text())
        if path is None or not isinstance(content, dict):
            continue
        value, in_list = _at(content, path)
        if in_list:  # a list replaces what was there, as a whole
            found.clear()
        if value is not MISSING:
            found.append((str(file), value))
    for override in overrides:
        name, _, value = override.lstrip("+~").partition("=")
        if "/" not in name and not (CONF / name).is_dir() and (f"{key}.".startswith(f"{name}.") or _below(name, key)):
            found.append((f"override {override}", yaml.safe_load(value)))
    yield from found


def _below(key: str, section: str) -> str | None:
    """The path of a key within a section, empty for the section itself; None where it is not in it."""
    if not section or key == section:
        return key.removeprefix(section)
    return key.removeprefix(f"{section}.") if key.startswith(f"{section}.") else None


def _at(content: Any, path: str) -> tuple[Any, bool]:
    """What a file has at a path, or `MISSING`; and whether the way there leads through a list."""
    if not path:
        return {name: value for name, value in content.items() if name != "defaults"} or MISSING, False
    rest, in_list = path.split("."), False
    while rest:
        if isinstance(content, list):
            in_list = True
            content = {str(number): entry for number, entry in enumerate(content)}
        name = _first_name(rest, content) if isinstance(content, dict) else None
        if name is None:
            return MISSING, in_list
        del rest[: name.count(".") + 1]
        content = content[name]
    return content, in_list


def _unknown(key: str, values: dict[str, Any]) -> str:
    group, _, rest = key.partition(".")
    if rest and group in groups() and group in values:
        having = [name for name, option in options(group).items() if _at(option, rest)[0] is not MISSING]
        if having:
            return f"{key} is a key of {' or '.join(f'{group}={name}' for name in having)}: add it to the command"
    parent = key.rpartition(".")[0]
    place = _find(parent, values) if parent else None
    beside = [f"{parent}.{name}" for name in keys_of(place.section)] if place and place.section else []
    near = nearest(key, beside) or nearest(key, [*values, *flatten(values), *groups()]) or beside or sorted(values)
    return f"there is no key {key!r}; did you mean {' or '.join(map(repr, near))}?"


def _short(file: str, value: Any) -> str:
    line = f"{file}: {one_line(value)}"
    return line if len(line) <= 120 else file


def one_line(value: Any) -> str:
    """A value as YAML on one line; `none` for `MISSING`."""
    if value is MISSING:
        return "none"
    line: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True)
    return line.removesuffix("\n").removesuffix("...").removesuffix("\n")
