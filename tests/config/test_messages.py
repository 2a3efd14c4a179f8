"""Values against a schema: one line a problem, by key, with what is allowed and the nearest key for a typo."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from lpr.config import Section
from lpr.config.messages import InvalidConfigError, flatten, models_at, nearest, validate


class Blue(Section):
    name: Literal["blue"]
    depth: int


class Red(Section):
    name: Literal["red"]
    height: int


class Whole(Section):
    number: Annotated[int, Field(ge=1)]
    colour: Annotated[Blue | Red, Field(discriminator="name")]
    listed: list[Blue] = Field([])
    mapped: dict[str, Red] = Field({})

    @model_validator(mode="after")
    def _fits(self) -> "Whole":
        if self.number == 13:
            raise ValueError("number=13 does not fit")
        return self


def refusal(**changes: object) -> InvalidConfigError:
    values = {"number": 1, "colour": {"name": "blue", "depth": 2}} | changes
    with pytest.raises(InvalidConfigError) as error:
        validate(Whole, values, "the file")
    return error.value


def test_valid_values_become_the_schema() -> None:
    assert validate(Whole, {"number": 1, "colour": {"name": "red", "height": 2}}, "the file").colour.name == "red"


def test_each_problem_is_a_line_below_where_the_values_come_from() -> None:
    error = refusal(number=0, colour={"name": "blue", "depth": "x"})
    first, *rest = str(error).splitlines()
    assert first == "the file:"
    assert rest == [
        "  number=0: input should be greater than or equal to 1",
        "  colour.depth='x': input should be a valid integer",
    ]
    assert not error.misfit


def test_the_tag_of_a_union_is_no_part_of_the_key() -> None:
    assert "colour.blue" not in str(refusal(colour={"name": "blue", "depth": "x"}))


def test_an_unknown_key_is_named_with_the_nearest_one_of_its_section() -> None:
    assert "colour.dept: there is no such key; did you mean 'depth'?" in str(
        refusal(colour={"name": "blue", "dept": 2, "depth": 2})
    )
    assert "listed[0].dept: there is no such key; did you mean 'depth'?" in str(
        refusal(listed=[{"name": "blue", "depth": 2, "dept": 2}])
    )


def test_a_missing_key_is_named() -> None:
    assert "colour.depth: is missing" in str(refusal(colour={"name": "blue"}))


def test_values_that_do_not_fit_together_are_a_misfit() -> None:
    error = refusal(number=13)
    assert error.misfit
    assert str(error) == "the file:\n  number=13 does not fit"


def test_the_key_of_a_section_comes_first() -> None:
    with pytest.raises(InvalidConfigError, match=r"colour\.depth: is missing"):
        validate(Blue, {"name": "blue"}, "the file", "colour")


def test_nearest_is_empty_where_nothing_is_near() -> None:
    assert nearest("epoch", ["epochs", "steps"]) == ["epochs"]
    assert nearest("zzz", ["epochs", "steps"]) == []


def test_flatten_joins_keys_by_dots_and_keeps_lists() -> None:
    assert flatten({"a": {"b": [1, {"c": 2}], "d": None}}) == {"a.b": [1, {"c": 2}], "a.d": None}


def test_models_at_a_path_are_those_of_unions_lists_and_mappings() -> None:
    assert models_at(Whole, ["colour"]) == [Blue, Red]
    assert models_at(Whole, ["listed", 0]) == [Blue]
    assert models_at(Whole, ["mapped", "anything"]) == [Red]
    assert models_at(Whole, ["number"]) == []
