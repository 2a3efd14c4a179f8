"""What all sections have in common: closed, strict and frozen; and marks of local paths."""

from typing import Annotated

import pytest
from pydantic import ValidationError

from lpr.config import AnyDetector, AnyOcr, AnySource, Detector, LocalPath, Ocr, Section, Source, path_keys


class Files(Section):
    file: Annotated[str | None, LocalPath()] = None
    name: str = ""


class Narrowed(Files):
    file: str = ""


@pytest.mark.parametrize("values", [{"nam": "x"}, {"name": 3}, {"name": None}], ids=["unknown", "type", "null"])
def test_unknown_keys_and_wrong_types_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Files.model_validate(values)


def test_values_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Files().name = "other"  # type: ignore[misc]


def test_path_keys_are_the_marked_fields_also_where_a_subclass_narrows_them() -> None:
    assert path_keys(Files) == path_keys(Narrowed) == ["file"]
    assert path_keys(Source) == ["annotations", "image_root", "texts", "boxes"]


@pytest.mark.parametrize(("base", "of_any_plug_in"), [(Detector, AnyDetector), (Ocr, AnyOcr), (Source, AnySource)])
def test_what_plug_ins_narrow_is_closed_and_only_the_whole_configuration_is_open(
    base: type[Section], of_any_plug_in: type[Section]
) -> None:
    assert base.model_config["extra"] == "forbid"
    assert of_any_plug_in.model_config["extra"] == "allow"
    assert issubclass(of_any_plug_in, base)
