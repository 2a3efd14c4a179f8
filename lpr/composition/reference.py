"""`docs/configuration.md`: every group, option and key of the configuration, generated from conf/ and the schema.

`python -m lpr.composition.reference` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lpr.composition.compose import groups, options, purpose
from lpr.composition.explain import one_line
from lpr.composition.keys import MISSING, Key, keys_of, section_of, summary
from lpr.config import CONF, AnySource, Config, Section, Source, plugins
from lpr.data import formats

REFERENCE = Path("docs/configuration.md")
_HEADER = """\
<!-- Generated from conf/ and the schema: python -m lpr.composition.reference -->

# Configuration

A configuration is one option of every group of `conf/`, a file each, with overrides: `lpr params GROUP=OPTION
KEY=VALUE …` composes it into `params.yaml`. `lpr params --explain KEY` prints what this page has about a key, with its
value and the files that set it.

A default is what an option's file has; `${…}` is the value of another key. `experiment=default`, which is composed last
where no other experiment is chosen, changes some of them. A key without a default must be set.

Annotation formats, detector families and OCR engines are plug-ins: modules that the configuration names, each with keys
of its own. The name of a module of your own has a dot in it."""


def reference() -> str:
    """The page, in Markdown; conf/ is that of the current folder."""
    return "\n\n".join([_HEADER, *_parts()]) + "\n"


def _parts() -> Iterator[str]:
    keys = keys_of(Config)
    yield "## Keys of the whole experiment"
    yield _table(
        {name: key for name, key in keys.items() if not key.sections},
        {"config": yaml.safe_load((CONF / "config.yaml").read_text())},
    )
    yield "## `experiment`"
    yield "A named set of changes to all other groups."
    yield _options("experiment")
    for name, key in keys.items():
        if key.sections:
            yield f"## `{name}`"
            yield f"{key.description[0].upper()}{key.description[1:].removesuffix('.')}."
            yield _options(name)
            yield from _group(name, key, options(name))


def _group(name: str, key: Key, values: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The keys of a group, those that all its options have first; `values`: option → its values."""
    sections = {option: section_of(key.sections, one) for option, one in values.items()}
    different = list(dict.fromkeys(sections.values()))
    common = next(base for base in different[0].__mro__ if all(issubclass(one, base) for one in different))
    if common is not Section:
        yield from _section(name, common, values)
    for section in different:
        if section is not common and (own := _own_keys(section, common)):
            having = {option: values[option] for option, one in sections.items() if one is section}
            yield f"### {' or '.join(f'`{name}={option}`' for option in having)}"
            yield summary(section)
            yield _table(own, having)
    for inner in groups():
        if inner.startswith(f"{name}/"):
            yield f"### Options of `{inner}`"
            yield _options(inner)


def _section(name: str, section: type[Section], values: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The keys of a section, and those of the sections in it."""
    keys = keys_of(section)
    yield _table(keys, values)
    for key, one in keys.items():
        if one.sections:
            in_each = {} if " of " in one.kind else {option: own[key] for option, own in values.items()}
            yield f"### `{name}.{key}{'.N' if one.kind.startswith('list') else '.KEY' if one.is_mapping else ''}`"
            yield summary(one.sections[0])
            yield _table(keys_of(one.sections[0]), in_each)
        if AnySource in one.sections:
            for known in plugins.names("lpr.data.formats"):
                settings = formats.load(known).Settings
                yield f"### `{name}.{key}.N` of format `{known}`"
                yield summary(settings)
                yield _table(_own_keys(settings, Source), {})


def _own_keys(section: type[Section], common: type[Section]) -> dict[str, Key]:
    """The keys that a section adds to those of the one that it narrows, and those that it narrows."""
    known = common.model_fields
    keys = {name: key for name, key in keys_of(section).items() if name not in known or name in section.__annotations__}
    return {name: key for name, key in keys.items() if not _is_choice(name, key)}


def _is_choice(name: str, key: Key) -> bool:
    """Whether the key only repeats which option or plug-in was chosen."""
    return key.description.startswith("option of the group") or (name in ("name", "format") and key.is_constant)


def _options(group: str) -> str:
    lines = [f"| `{name}` | {_cell(purpose(CONF / group / f'{name}.yaml'))} |" for name in groups()[group]]
    return "\n".join(["| option | for |", "|---|---|", *lines])


def _table(keys: Mapping[str, Key], values: Mapping[str, dict[str, Any]]) -> str:
    lines = ["| key | type | allowed | default | meaning |", "|---|---|---|---|---|"]
    for name, key in keys.items():
        if not _is_choice(name, key):
            cells = key.kind, key.allowed, _default(name, key, values), key.description
            lines.append(f"| `{name}` | {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines)


def _default(name: str, key: Key, values: Mapping[str, dict[str, Any]]) -> str:
    """The value in the options' files: one where all agree, else that of each; where none has it, the schema's."""
    if key.sections and not key.is_mapping:
        return ""
    found = {option: f"`{one_line(own[name])}`" for option, own in values.items() if name in own}
    if not found:
        return "" if key.default is MISSING else f"`{one_line(key.default)}`"
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{option}: {value}" for option, value in found.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    REFERENCE.write_text(reference())
