"""Grammars: patterns of the registrations of countries, and the codes with which they begin; and regions of the world.

Series of civil vehicles in use, without personalised, diplomatic and military ones: India by the Central Motor
Vehicles Rules, 1989, rule 50, and the Bharat series of 2021; the others by Wikipedia's articles "Vehicle registration
plates of …".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"([@#])(\d)(?:-(\d))?|(.)")


@dataclass(frozen=True)
class Country:
    """The registrations of a country.

    Attributes:
        patterns: alternatives, the most frequent first: @ is a letter, # a digit, any other character itself.
        prefixes: the codes that the letters at a pattern's start may be; empty where they may be any letters.
        other_lettering: texts that plates carry beside the registration.
    """

    patterns: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    other_lettering: tuple[str, ...] = ()


def _country(patterns: str, prefixes: str = "", other_lettering: str = "") -> Country:
    """A country, from patterns with ranges, such as `@2#1-4@1`: two letters, one to four digits, a letter."""
    expanded = itertools.chain.from_iterable(map(_expand, patterns.split()))
    return Country(tuple(dict.fromkeys(expanded)), tuple(prefixes.split()), tuple(other_lettering.split()))


def _expand(pattern: str) -> Iterator[str]:
    """The patterns that one with ranges stands for, the longest first."""
    parts = [
        [literal] if literal else [symbol * count for count in range(int(most or least), int(least) - 1, -1)]
        for symbol, least, most, literal in _TOKEN.findall(pattern)
    ]
    return map("".join, itertools.product(*parts))


_EUROPE = {
    "albania": _country("@2#3@2"),
    "austria": _country(
        "@1#3-5@1 @1#2-4@2 @1#2-3@3 @2#2-4@1 @2#2-3@2 @2#1-2@3",
        "AM B BA BL BM BN BR BZ DL DO E EF EU FB FE FF FK FR G GB GD GF GM GR GS GU HA HB HE HF HL HO I IL IM JE JO JU "
        "JW K KB KF KG KI KL KO KR KS KU L LA LB LE LF LI LL LN LZ MA MD ME MI MT MU MZ ND NK OP OW P PE PL RA RE RI "
        "RO S SB SD SE SL SO SP SR SV SZ TA TU UU VB VI VK VL VO W WB WE WL WN WO WT WU WY WZ ZE ZT ZW",
    ),
    "belarus": _country("#4@2#1"),
    "belgium": _country("#1@3#3 @3#3 #3@3"),
    "bosnia": _country("@1#2@1#3"),
    "britain": _country("@2#2@3 @1#1-3@3 @3#1-3@1 @3#4"),
    "bulgaria": _country(
        "@1-2#4@2",
        "A B BH BP BT C CA CB CC CH CM CO CT E EB EH H K KH M OB P PA PB PK PP T TX X Y",
    ),
    "croatia": _country(
        "@2#3-4@1-2",
        "BJ BM CK DA DE DJ DU GS IM KA KC KR KT KZ MA NA NG OG OS PU PZ RI SB SI SK SL ST VK VT VU VZ ZD ZG ZU",
    ),
    "cyprus": _country("@3#3"),
    "czechia": _country("#1@1#5 #1@2#4 @3#4 @2#4"),
    "denmark": _country("@2#5"),
    "estonia": _country("#2-3@3"),
    "finland": _country("@3#1-3"),
    "france": _country("@2#3@2 #1-4@1-3#2"),
    "georgia": _country("@2#3@2"),
    "germany": _country("@2-4#1-4 @5#1-3 @2-3#1-4H @4#1-3H @2-3#1-4E @4#1-3E"),
    "greece": _country("@3#4"),
    "hungary": _country("@3-4#3"),
    "iceland": _country("@2#3 @3#2"),
    "ireland": _country("#2-3@1-2#1-6"),
    "italy": _country("@2#3@2 @2#6"),
    "kosovo": _country("#5@2"),
    "latvia": _country("@2#1-4"),
    "liechtenstein": _country("FL#1-5"),
    "lithuania": _country("@3#3"),
    "luxembourg": _country("@2#4 #4-5"),
    "malta": _country("@3#3"),
    "moldova": _country("@3#3"),
    "montenegro": _country("@4#3"),
    "netherlands": _country(
        "@1#3@2 #1@3#2 #2@3#1 @2#3@1 #2@4 @4#2 @2#2@2 #2@2#2 #4@2 @2#4 @3#2@1 @1#2@3 #1@2#3 #3@2#1"
    ),
    "north_macedonia": _country("@2#4@2"),
    "norway": _country("@2#4-5"),
    "poland": _country(
        "@2#5 @2#4@1 @2#3@2 @2#1@1#3 @2#1@2#2 @4#3 @3#2@2 @3#1@1#2 @3#2@1#1 @3#1@2#1 @5#2 @3#4-5 @3#4@1 @3#3@1-2"
    ),
    "portugal": _country("@2#4 #4@2 #2@2#2 @2#2@2"),
    "romania": _country(
        "@2#2@3 B#2-3@3",
        "AB AG AR BC BH BN BR BT BV BZ CJ CL CS CT CV DB DJ GJ GL GR HD HR IF IL IS MH MM MS NT OT PH SB SJ SM SV TL "
        "TM TR VL VN VS",
    ),
    "russia": _country("@1#3@2#2-3"),
    "serbia": _country("@2#3-5@2"),
    "slovakia": _country("@2#3@2"),
    "slovenia": _country("@4#3 @2#3@2 @2#2@3 @3#4"),
    "spain": _country("#4@3"),
    "sweden": _country("@3#3 @3#2@1"),
    "switzerland": _country("@2#1-6", "AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH"),
    "turkey": _country("#2@1#4-5 #2@2#3-4 #2@3#2-3"),
    "ukraine": _country("@2#4@2"),
}

_STATES = (
    "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK "
    "UP WB"
)
_OTHERS = {
    "argentina": _country("@3#3 @2#3@2"),
    "brazil": _country("@3#4 @3#1@1#2"),
    # Without the province: the city's letter, then digits with up to two letters among them; electric vehicles' longer.
    "china": _country(
        "@1#5 @2#4 @1#1@1#3 @1#2@1#2 @1#3@1#1 @1#4@1 @3#3 @2#1@1#2 @2#2@1#1 @2#3@1 @1#1@2#2 @1#1@1#1@1#1 @1#1@1#2@1 "
        "@1#2@2#1 @1#2@1#1@1 @1#3@2 @2#5 @3#4 @1#5@1"
    ),
    # State, district, series, number. A district of one digit has no series of three letters: MH20BN3525, read as
    # MH2OBN3525, would match as it is.
    "india": _country(
        "@2#2@0-3#4 @2#1@1-2#4 @2#2@1-3#3 @2#1@1-2#3 @2#2@1-3#2 @2#1@1-2#2 @2#2@1-3#1 @2#1@1-2#1 DL#1@3#4 #2BH#4@1-2 "
        "@2#2@1-2TEMP#4",
        _STATES,
        other_lettering="IND INDIA",
    ),
    "indonesia": _country("@1-2#1-4@0-3"),
}

GRAMMARS: dict[str, tuple[Country, ...]] = {name: (country,) for name, country in (_EUROPE | _OTHERS).items()}
GRAMMARS["europe"] = tuple(_EUROPE.values())
GRAMMARS["mercosur"] = _OTHERS["brazil"], _OTHERS["argentina"]
"""Name in `ocr.grammars` → its alternatives: one country, or all of Europe's, or of the Mercosur's."""

AUTO = "auto"
"""Name in `ocr.grammars` of the grammar of the region that an engine is sure of, if it is of any."""
GRAMMAR_NAMES = (AUTO, *sorted(GRAMMARS))

REGIONS = ("elsewhere", "europe", "india", "indonesia", "mercosur", "north_america", "china")
"""Where a plate is from, as the recognizer tells; those that are no name of `GRAMMARS` have none."""


def region_of(grammar: str | None) -> str:
    """The one of `REGIONS` in which a grammar of `GRAMMARS` is used; "" of None."""
    if grammar in _EUROPE:
        return "europe"
    return {"brazil": "mercosur", "argentina": "mercosur", None: ""}.get(grammar, str(grammar))
