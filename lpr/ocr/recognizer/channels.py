"""The channels of the network's output: the logit of a centre, four distances, a logit a character and one a region."""

from typing import Any

FIRST_CHARACTER = 5


def characters_and_regions(outputs: Any, characters: int) -> tuple[Any, Any]:
    """The logits of an alphabet of so many characters, and those of the regions, of outputs (..., channels)."""
    first_region = FIRST_CHARACTER + characters
    return outputs[..., FIRST_CHARACTER:first_region], outputs[..., first_region:]
