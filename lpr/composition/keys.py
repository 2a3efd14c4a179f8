"""The keys of the configuration as the schema describes them: type, allowed values, meaning."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from lpr.composition.checks import settings_of
from lpr.config import Section, path_keys
from lpr.config.messages import models_at

MISSING = object()
"""The default of a key that has none in the schema: conf/ must set it."""
_KINDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}


@dataclass(frozen=True)
class Key:
    """A key of a section.

    Attributes:
        kind: its type in words, such as `whole number or null`.
        allowed: its range or its values in words, such as `0 to 1`; empty where any value of the type is allowed.
        description: its meaning, units, and what null means.
        default: of the schema; `MISSING` where it has none.
        sections: the sections that may be its value, or the values of its list or mapping; none for a plain value.
    """

    kind: str
    allowed: str
    description: str
    default: Any
    sections: tuple[type[Section], ...]

    @property
    def is_constant(self) -> bool:
        """Whether one text alone is allowed."""
        return self.kind == "text" and bool(self.allowed) and " " not in self.allowed

    @property
    def is_mapping(self) -> bool:
        """Whether it maps names that the user chooses to values."""
        return "mapping" in self.kind


def keys_of(section: type[Section]) -> dict[str, Key]:
    """Name → key, for every key of a section, in order."""
    schema = section.model_json_schema()
    found = {}
    for name, field in section.model_fields.items():
        kind, allowed = _in_words(schema["properties"][field.alias or name])
        below = tuple(model for model in models_at(section, [name]) if issubclass(model, Section))
        found[field.alias or name] = Key(
            kind.replace("text", "path") if name in path_keys(section) else kind,
            allowed,
            _description(section, name) or (summary(below[0]) if below else ""),
            MISSING if field.is_required() else field.default,
            below,
        )
    return found


def section_of(candidates: tuple[type[Section], ...], values: Mapping[str, Any]) -> type[Section]:
    """The one of several sections that has these values: the one of their `name`; of a plug-in, its own `Settings`."""
    names = [get_args(field.annotation) if (field := one.model_fields.get("name")) else () for one in candidates]
    fitting = [one for one, known in zip(candidates, names, strict=True) if values.get("name") in known]
    return settings_of((fitting or candidates)[0], values)


def summary(section: type[Section]) -> str:
    """The docstring of a section, in one line; of one for any plug-in, that of the section that plug-ins narrow."""
    described = section.__base__ if section.model_config.get("extra") == "allow" else section
    return " ".join((inspect.getdoc(described) or "").split())


def _description(section: type[Section], name: str) -> str:
    """Of a field; a class that narrows a field without a description of its own inherits that of its base."""
    fields = [base.model_fields.get(name) for base in section.__mro__ if issubclass(base, Section)]
    return next((field.description for field in fields if field and field.description), "")


def _in_words(schema: Mapping[str, Any]) -> tuple[str, str]:
    """Type and allowed values of a JSON schema."""
    if "$ref" in schema or "oneOf" in schema:
        return "section", ""
    if "anyOf" in schema:
        either = [_in_words(one) for one in schema["anyOf"]]
        return " or ".join(kind for kind, _ in either), "".join(allowed for _, allowed in either)
    if "const" in schema or "enum" in schema:
        *others, last = map(str, schema.get("enum", [schema.get("const")]))
        return _KINDS[schema["type"]], f"{', '.join(others)} or {last}" if others else last
    if schema.get("type") == "array":
        kind, allowed = _in_words(schema["items"])
        return f"list of {_plural(kind)}", ", ".join(filter(None, (_length(schema), allowed and f"each {allowed}")))
    if schema.get("type") == "object":
        of = schema["additionalProperties"]
        kind, allowed = _in_words({} if of is True else of)
        return f"mapping of names to {_plural(kind)}", allowed
    return _KINDS.get(schema.get("type", ""), "any value"), _range(schema)


def _plural(kind: str) -> str:
    return re.sub(r"^(any value|whole number|\w+)", r"\1s", kind)


def _length(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if least == most:
        return f"{least} values"
    if most is None:
        return f"at least {least} value{'s' * (least > 1)}" if least else ""
    return f"{least} to {most} values"


def _range(schema: Mapping[str, Any]) -> str:
    words = []
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{_number(schema['minimum'])} to {_number(schema['maximum'])}")
    else:
        bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
        words += [f"{word} {_number(schema[bound])}" for bound, word in bounds.items() if bound in schema]
    if "multipleOf" in schema:
        words.append(f"a multiple of {schema['multipleOf']}")
    if "pattern" in schema:
        words.append(f"matches `{schema['pattern']}`")
    return ", ".join(words)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
