"""Validation of values against a schema, with messages for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from lpr.errors import UserError

Model = TypeVar("Model", bound=BaseModel)
_IN_WORDS = {
    "dict_type": "should be a mapping, such as {{name: value}}",
    "list_type": "should be a list, such as [a, b]",
    "too_short": "should have at least {min_length} value",
    "string_type": "should be a text",
}
"""pydantic's type of a problem → its message, where pydantic's own has words of programmers."""


class InvalidConfigError(UserError):
    """A configuration that breaks the schema.

    Attributes:
        misfit: whether every value is allowed by itself, but not with the others, such as more pools than convolutions.
    """

    def __init__(self, message: str, misfit: bool) -> None:
        super().__init__(message)
        self.misfit = misfit


def validate(model: type[Model], values: Any, where: str, key: str = "") -> Model:
    """The values as an instance of the schema.

    Args:
        model: the schema.
        values: plain containers.
        where: the file or command that the values come from; begins the message.
        key: the key of the section, such as `detector`; empty for the whole configuration.

    Raises:
        InvalidConfigError: one line a problem: key, value, what is allowed, and the nearest valid key for a typo.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, model, values, key) for problem in error.errors()]
        misfit = all(problem["type"] == "value_error" for problem in error.errors())
        raise InvalidConfigError(f"{where}:\n  " + "\n  ".join(lines), misfit) from None


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that is most similar to this one, as a list; an empty list where none is similar."""
    return difflib.get_close_matches(name, known, 1, 0.5)


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys; lists are values."""
    if not isinstance(values, dict):
        return {prefix: values}
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def models_at(model: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """The sections allowed at a path of keys and list indices below a section; several for a union, none for values."""
    models = [model]
    for part in path:
        if not isinstance(part, int):
            fields = [
                field for one in models for name, field in one.model_fields.items() if part in (name, field.alias)
            ]
            if fields:  # else the part is a key of a mapping, whose values' sections these are already
                models = [found for field in fields for found in _models_of(field.annotation)]
    return models


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_of(argument)]


def _explain(problem: Any, model: type[BaseModel], values: Any, prefix: str) -> str:
    """The message for one of pydantic's problems."""
    key, path, holder = prefix, [], values
    siblings: dict[Any, Any] = {}
    for part in problem["loc"]:
        # pydantic puts the tag of a union, such as `kfold`, among the keys; the values do not have it.
        inside = holder if isinstance(holder, dict) else dict(enumerate(holder if isinstance(holder, list) else []))
        if part in inside or part is problem["loc"][-1]:
            key += f"[{part}]" if isinstance(part, int) else f".{part}"
            path.append(part)
            siblings, holder = inside, inside.get(part)
    key = key.lstrip(".")
    if problem["type"] == "extra_forbidden":
        fields = [item for one in models_at(model, path[:-1]) for item in one.model_fields.items()]
        known = list(dict.fromkeys(field.alias or name for name, field in fields))
        unused = [name for name in known if name not in siblings]
        if near := nearest(str(path[-1]), known):
            return f"{key}: there is no such key; did you mean {near[0]!r}?"
        return f"{key}: there is no such key; there are {', '.join(map(repr, unused or known))}"
    if problem["type"] == "missing":
        return f"{key}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        if path[-1:] == ["train"]:  # the detector's or the recognizer's
            return f"{key}.{message}"
        return f"{key}: {message}" if "space" in path else message
    if problem["loc"][-1:] == ("[key]",):  # a name of a mapping
        return f"{key.removesuffix('.[key]')}: the name{message.removeprefix('Input')}"
    message = _IN_WORDS.get(problem["type"], message).format(**problem.get("ctx", {}))
    return f"{key}={problem['input']!r}: {message[0].lower()}{message[1:]}"
