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
class Pattern:
    """The characters of a registration.

    Attributes:
        symbols: one a character: @ is one of A–Z, # a digit, % any other letter, and another character itself.
        gaps: indices of the characters before which a gap, a hyphen or a seal stands; None: the pattern does not tell.
    """

    symbols: str
    gaps: frozenset[int] | None

    @property
    def first_letters(self) -> int:
        """The number of letters at the start, up to the first gap."""
        letters = len(self.symbols) - len(self.symbols.lstrip("@"))
        return min(letters, *self.gaps) if self.gaps else letters


@dataclass(frozen=True)
class Country:
    """The registrations of a country.

    Attributes:
        patterns: alternatives, the most frequent first.
        prefixes: the codes that the letters at a pattern's start may be; letters of a number of which there is no code
            may be any.
        unused_letters: letters that are in no registration, but for its prefix.
        other_lettering: texts that plates carry beside the registration.
    """

    patterns: tuple[Pattern, ...]
    prefixes: tuple[str, ...] = ()
    unused_letters: str = ""
    other_lettering: tuple[str, ...] = ()


def _country(patterns: str, prefixes: str = "", unused_letters: str = "", other_lettering: str = "") -> Country:
    """A country, from patterns with ranges: `@2 #1-4@1` is two letters, a gap, one to four digits, a letter.

    Patterns are separated by commas; one without any space does not tell where there are gaps.
    """
    expanded = itertools.chain.from_iterable(_expand(pattern.strip()) for pattern in patterns.split(","))
    return Country(
        tuple(map(_pattern, dict.fromkeys(expanded))),
        tuple(prefixes.split()),
        unused_letters,
        tuple(other_lettering.split()),
    )


def _expand(pattern: str) -> Iterator[str]:
    """The patterns that one with ranges stands for, the longest first."""
    parts = [
        [literal] if literal else [symbol * count for count in range(int(most or least), int(least) - 1, -1)]
        for symbol, least, most, literal in _TOKEN.findall(pattern)
    ]
    return map("".join, itertools.product(*parts))


def _pattern(text: str) -> Pattern:
    groups = text.split(" ")
    gaps = frozenset(itertools.accumulate(map(len, groups[:-1]))) if len(groups) > 1 else None
    return Pattern("".join(groups), gaps)


_EUROPE = {
    "albania": _country("@2 #3 @2"),
    "austria": _country(
        "@1#3-5@1, @1#2-4@2, @1#2-3@3, @2#2-4@1, @2#2-3@2, @2#1-2@3",
        "AM B BA BL BM BN BR BZ DL DO E EF EU FB FE FF FK FR G GB GD GF GM GR GS GU HA HB HE HF HL HO I IL IM JE JO JU "
        "JW K KB KF KG KI KL KO KR KS KU L LA LB LE LF LI LL LN LZ MA MD ME MI MT MU MZ ND NK OP OW P PE PL RA RE RI "
        "RO S SB SD SE SL SO SP SR SV SZ TA TU UU VB VI VK VL VO W WB WE WL WN WO WT WU WY WZ ZE ZT ZW",
        unused_letters="Q",
    ),
    "belarus": _country("#4 @2 #1"),
    "belgium": _country("#1 @3 #3, @3 #3, #3 @3"),
    "bosnia": _country("@1#2 @1 #3"),
    "britain": _country("@2#2 @3, @1#1-3 @3, @3 #1-3@1", unused_letters="I"),
    "bulgaria": _country(
        "@1-2 #4 @2",
        "A B BH BP BT C CA CB CC CH CM CO CT E EB EH H K KH M OB P PA PB PK PP T TX X Y",
    ),
    "croatia": _country(
        "@2 #3-4 @1-2",
        "BJ BM CK DA DE DJ DU GS IM KA KC KR KT KZ MA NA NG OG OS PU PZ RI SB SI SK SL ST VK VT VU VZ ZD ZG ZU",
    ),
    "cyprus": _country("@3 #3"),
    "czechia": _country("#1@1#1 #4, #1@2 #4, @3 #2 #2, @2 #2 #2", unused_letters="GOQW"),
    "denmark": _country("@2 #2 #3", unused_letters="IOQW"),
    "estonia": _country("#2-3 @3"),
    "finland": _country("@3 #1-3"),
    "france": _country("@2 #3 @2, #1-4 @1-3 #2", unused_letters="IOU"),
    "georgia": _country("@2 #3 @2"),
    "germany": _country("@1-3 @1-2 #1-4, @1-3 @1-2 #1-3H, @1-3 @1-2 #1-3E"),
    "greece": _country("@3 #4"),
    "hungary": _country("@3 #3, @2 @2 #3"),
    "iceland": _country("@2#3, @3#2"),
    "ireland": _country("#2-3 @1-2 #1-6"),
    "italy": _country("@2 #3@2, @2 #6", unused_letters="IOQU"),
    "kosovo": _country("#2 #3 @2"),
    "latvia": _country("@2 #1-4"),
    "liechtenstein": _country("FL #1-5"),
    "lithuania": _country("@3 #3"),
    "luxembourg": _country("@2 #4, #4-5"),
    "malta": _country("@3 #3"),
    "moldova": _country("@3 #3"),
    "montenegro": _country("@2 @2#3", "AN BA BD BP BR CT DG GS HN KO KL MK NK PG PL PT PV RO SN TV TZ UL ZB"),
    "netherlands": _country(
        "@1 #3 @2, #1 @3 #2, #2 @3 #1, @2 #3 @1, #2 @2 @2, @2 @2 #2, @2 #2 @2, #2 @2 #2, #2 #2 @2, @2 #2 #2, "
        "@3 #2 @1, @1 #2 @3, #1 @2 #3, #3 @2 #1",
        unused_letters="AEIOUQ",
    ),
    "north_macedonia": _country("@2 #4 @2"),
    "northern_ireland": _country("@3 #4"),
    "norway": _country("@2 #4-5"),
    "poland": _country(
        "@2 #5, @2 #4@1, @2 #3@2, @2 #1@1#3, @2 #1@2#2, @3 @1#3, @3 #2@2, @3 #1@1#2, @3 #2@1#1, @3 #1@2#1, @3 @2#2, "
        "@3 #4-5, @3 #4@1, @3 #3@1-2",
        "BI BL BS CB CG CT CW DB DJ DL DW DX ED EL EP ES FG FZ GA GD GS KK KN KR KT LB LC LU LZ NE NO OP PA PK PL PN "
        "PO PY PZ RK RP RT RZ SB SC SD SG SH SI SJ SK SL SM SO SR ST SW SY SZ TK WA WB WD WE WF WH WI WJ WK WN WO WP "
        "WR WS WT WU WW WX WY ZK ZS ZZ",
        unused_letters="BDIOZ",
    ),
    "portugal": _country("@2 #2 #2, #2 #2 @2, #2 @2 #2, @2 #2 @2"),
    "romania": _country(
        "@2 #2 @3, B #2-3 @3",
        "AB AG AR BC BH BN BR BT BV BZ CJ CL CS CT CV DB DJ GJ GL GR HD HR IF IL IS MH MM MS NT OT PH SB SJ SM SV TL "
        "TM TR VL VN VS",
        unused_letters="Q",
    ),
    "russia": _country("@1#3@2 #2-3"),
    "serbia": _country("@2 #3-5 @2"),
    "slovakia": _country("@2 #3@2"),
    "slovenia": _country("@4#3, @2#3@2, @2#2@3, @3#4", "CE GO KK KP KR LJ MB MS NM PO SG"),
    "spain": _country("#4 @3", unused_letters="AEIOUQ"),
    "sweden": _country("@3 #3, @3 #2@1", unused_letters="IQV"),
    "switzerland": _country("@2 #1-6", "AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH"),
    "turkey": _country("#2 @1 #4-5, #2 @2 #3-4, #2 @3 #2-3", unused_letters="QWX"),
    "ukraine": _country("@2 #4 @2"),
}

_STATES = (
    "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK "
    "UP WB"
)
_MERCOSUR = {
    "argentina": _country("@3 #3, @2 #3 @2"),
    "brazil": _country("@3 #4, @3#1@1#2"),
}
_NORTH_AMERICA = {
    "canada": _country("@4#3, @1#2@3, @3#4, @2#3@1, @3#3, #3@3"),
    "mexico": _country("@3#3@1, @3#4, @1#2@3, @2#5, @1#3@3"),
    "usa": _country(
        "@3#4, #1@3#3, @3#3, #3@3, @4#2, @1#2@3, @2#5, #1@2#4, #1@3#2, @3#2@1, @1#3@2, @2#1@1#1@1, #2@1#3, #3@1#2, "
        "#1@2#3, #1@1#5, #1@1#4, @1#6, #4@3, #4@2, #2@2#2, #3@2#1, @2#4, #5-7"
    ),
}
# The city's letter, then digits with up to two letters among them; electric vehicles' are longer.
_CHINA = (
    "@1#5, @2#4, @1#1@1#3, @1#2@1#2, @1#3@1#1, @1#4@1, @3#3, @2#1@1#2, @2#2@1#1, @2#3@1, @1#1@2#2, @1#1@1#1@1#1, "
    "@1#1@1#2@1, @1#2@2#1, @1#2@1#1@1, @1#3@2, @2#5, @3#4, @1#5@1"
)
_OTHERS = {
    # With or without the province, which not every recognizer knows.
    "china": _country(f"{_CHINA}, %{_CHINA.replace(', ', ', %')}"),
    # State, district, series, number. A district of one digit has no series of three letters: MH20BN3525, read as
    # MH2OBN3525, would match as it is.
    "india": _country(
        "@2#2@0-3#4, @2#1@1-2#4, @2#2@1-3#3, @2#1@1-2#3, @2#2@1-3#2, @2#1@1-2#2, @2#2@1-3#1, @2#1@1-2#1, DL#1@3#4, "
        "#2BH#4@1-2, @2#2@1-2TEMP#4",
        _STATES,
        other_lettering="IND INDIA",
    ),
    "indonesia": _country("@1-2 #1-4 @0-3"),
}

_REGIONS = {"europe": _EUROPE, "mercosur": _MERCOSUR, "north_america": _NORTH_AMERICA}

GRAMMARS: dict[str, tuple[Country, ...]] = {
    name: (country,) for name, country in (_EUROPE | _MERCOSUR | _NORTH_AMERICA | _OTHERS).items()
} | {region: tuple(countries.values()) for region, countries in _REGIONS.items()}
"""Name in `ocr.grammars` → its alternatives: one country, or all of a region's."""

AUTO = "auto"
"""Name in `ocr.grammars` of the grammar of a plate's region, where one is likelier than all others together."""
GRAMMAR_NAMES = (AUTO, *sorted(GRAMMARS))
NO_GRAMMAR = "none"
COUNTRY_NAMES = (*GRAMMAR_NAMES, NO_GRAMMAR)
"""What `country` of `lpr.ALPR` may be; `NO_GRAMMAR`: any text."""

REGIONS = ("elsewhere", "europe", "india", "indonesia", "mercosur", "north_america", "china")
"""Where a plate is from, as the recognizer tells; those that are no name of `GRAMMARS` have none."""


def region_of(grammar: str | None) -> str:
    """The one of `REGIONS` in which a grammar of `GRAMMARS` is used; "" of None."""
    return next((region for region, countries in _REGIONS.items() if grammar in countries), grammar or "")
