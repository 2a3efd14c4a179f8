"""What attributes of labelled boxes say."""

from typing import Any

import pytest

from lpr.data.attributes import read_attributes


@pytest.mark.parametrize(
    ("attributes", "text", "ignored"),
    [
        ({}, "", False),
        ({"text": " KA 05 "}, "KA 05", False),
        ({"Licence-Plate Number": "KA05", "color": "white"}, "KA05", False),
        ({"номер": "А111АА77"}, "А111АА77", False),
        ({"plate": "yes", "text": "KA05"}, "KA05", False),
        ({"text": ["KA05", "KA06"]}, "KA05", False),
        ({"number": 1234}, "1234", False),
        ({"plate": True}, "", False),
        ({"plate": "true"}, "", False),
        ({"difficult": "1", "truncated": "1", "occluded": "1", "pose": "Left"}, "", True),
        ({"difficult": "0", "truncated": "1"}, "", False),
        ({"ignored": "1.0"}, "", True),
        ({"iscrowd": 1}, "", True),
        ({"Ignore": True, "text": "KA05"}, "KA05", True),
        ({"quality": "Blurred"}, "", True),
        ({"text": "unreadable"}, "", True),
        ({"flags": {"illegible": True}}, "", True),
        ({"flags": {"illegible": False}}, "", False),
        ({"readable": "no"}, "", True),
        ({"readable": "yes"}, "", False),
        ({"choices": ["night", "not readable"]}, "", True),
        ({"text": None, "difficult": None}, "", False),
    ],
)
def test_texts_and_flags(attributes: dict[str, Any], text: str, ignored: bool) -> None:
    assert read_attributes(attributes) == (text, ignored)
