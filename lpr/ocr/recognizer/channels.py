"""The channels of the network's output: the logit of a centre, four distances, a logit a character and one a region."""

from lpr.plates.text import CHARACTERS

FIRST_CHARACTER = 5
FIRST_REGION = FIRST_CHARACTER + len(CHARACTERS)
