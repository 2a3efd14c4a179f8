"""A table of plate layouts of many countries: proportions, colours, lines, bands.

They vary as real plates do; none follows its country's law exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpr.synthesis.painting import phrases


@dataclass(frozen=True)
class Layout:
    """What the plates of one kind have in common.

    Attributes:
        share: weight of the layout when one is chosen at random.
        aspect: smallest and largest width / height.
        colours: alternatives of paper/ink, RRGGBB.
        lines: alternatives, each with its lines from top to bottom and " / " between; a line is its share of the height
            in percent, and a pattern of `lpr.synthesis.glyphs.text_line` in which {name} is one of those `WORDS`.
        bands: alternatives of `lpr.synthesis.plate_bands.BANDS`, each with its words; "" for none.
        p_scenery: probability of an image or a gradient behind the letters.
        p_border: probability of a line around.
        region: one of `lpr.plates.countries.REGIONS`; "" where such plates are of several.
    """

    share: float
    aspect: tuple[float, float]
    colours: str
    lines: tuple[str, ...]
    bands: tuple[str, ...] = ("",)
    p_scenery: float = 0.0
    p_border: float = 0.4
    region: str = "elsewhere"


WORDS = {
    "state": phrases(
        "ARDENNIA|NORTH WALDEN|CASCADA|NEW KENT|VERONA|OKALINA|MONTARA|TEJAS|SUNLAND|GREAT LAKES|Arcadia|Columbia|"
        "Westmark|Lone Pine|Virelia|Old Dominion|MAINLAND|PACIFICA"
    ),
    "slogan": phrases(
        "THE SUNNY STATE|Land of Lakes|LIVE FREE|Gateway to the West|The Orchard State|GARDEN STATE|FIRST IN FLIGHT|"
        "Wild & Wonderful|10,000 RIVERS|www.cascada.gov|Explore!|THE EDUCATION STATE|ON THE MOVE|PEACE AND PLENTY"
    ),
    "month": phrases("JAN|APR 24|09·27|SEP 2023|12-19|2 25|07·26"),
    "place": phrases("SP-SAO PEDRO|RJ-ITABORA|MG-OURO|BA-SALINAS|RS-CAXIAS|PR-ARAPO"),
    "nation": phrases("BRASIL|ARGENTINA|URUGUAY|PARAGUAY|REPUBLICA|BOLIVIA|CHILE|PERU|KENYA|GHANA"),
    "emirate": phrases("DUBAI|OMAN|QATAR|KUWAIT|A.D|SHJ|BAHRAIN|U.A.E|IRAQ"),
    "eu": phrases(
        "D|F|I|E|B|A|P|S|H|L|NL|PL|CZ|SK|RO|BG|GB|IRL|DK|FIN|GR|EST|LT|LV|UA|N|CH|SRB|TR|IND|RUS|IL|KOR|MA|ZA"
    ),
}

_ANY_COLOUR = (
    "b41c22/f4f4f2 1c3c9c/f2f2f2 1c6a3a/f2f2f2 e87820/141416 78c8e6/141416 c8ccd0/8c1c22 e8f0c8/24305e "
    "141416/f0f0ee 18181a/f2c428 24262a/d8dade"
)

LAYOUTS: dict[str, Layout] = {
    "eu": Layout(
        10,
        (4.2, 5.4),
        "f2f2ee/141418 f2f2ee/141418 f4c81e/16161a eef0f0/12203c",
        ("78 @@ ### @@", "78 @ @@ ####", "78 @@·@@ ###", "80 #### @@@", "76 @@@-###"),
        ("eu:{eu}", "eu:{eu}", "both ends:{eu}", ""),
        region="europe",
    ),
    "eu two lines": Layout(
        5,
        (1.15, 1.75),
        "f2f2ee/141418 f2f2ee/141418 f4c81e/16161a",
        ("40 @@ ## / 40 @@@", "40 @@@ / 40 ####", "38 @@·@ / 42 ####"),
        ("corner:{eu}", "", "eu:{eu}"),
        region="europe",
    ),
    "uk": Layout(
        5,
        (4.3, 4.9),
        "f2f2ee/141418 f6c414/121214 f6c414/121214 161618/d6d6d2",
        ("72 @@## @@@", "72 @### @@@", "66 @@## @@@ / 10 {slogan}"),
        ("", "", "eu:GB", "flag:UK"),
        region="europe",
    ),
    "india long": Layout(
        6,
        (4.0, 4.9),
        "ececea/121214 ececea/121214 f4c414/121214 16803e/f2f4ee ba1a20/f4f0ec 18181a/f6c828",
        ("70 @@ ## @@ ####", "70 @@-##-@-####", "66 @@##@@####"),
        ("", "flag:IND", "emblem:IND", "emblem:IND"),
        region="india",
    ),
    "india square": Layout(
        6,
        (1.5, 2.1),
        "ececea/121214 ececea/121214 f4c414/121214 16803e/f2f4ee 18181a/f6c828",
        ("38 @@ ## / 40 @@ ####", "38 @@ ## @ / 44 ####", "36 @@-##-@@ / 40 ###"),
        ("", "", "emblem:IND"),
        region="india",
    ),
    "us": Layout(
        9,
        (1.9, 2.1),
        "f0f0f0/1c2c6e f4f4ee/141418 e8eef6/8c1c22 f2ecd8/1e5a34 fafafa/24305e 1c2c5e/f0e6b4 f6d45a/1a1a1a",
        (
            "15 {state} / 50 @@@ #### / 11 {slogan}",
            "18 {state} / 52 #@@@###",
            "16 {state} / 54 @@@·### / 10 {slogan}",
            "10 {month} / 56 @@ ##### / 14 {state}",
        ),
        p_scenery=0.6,
        p_border=0.3,
        region="north_america",
    ),
    "mexico": Layout(
        2,
        (1.9, 2.2),
        "f2f2f2/141416 f2f2f0/7a1420",
        ("14 {state} / 50 @@@-##-## / 10 DELANTERA", "16 {state} / 52 @@-##-###"),
        ("top:·", "", "above and below:"),
        p_scenery=0.3,
        region="north_america",
    ),
    "brazil grey": Layout(
        4,
        (2.6, 3.2),
        "a6a8aa/141416 b4b6b6/121214 9c1c20/eeeeee f0f0f0/8c1a1e",
        ("13 {place} / 60 @@@ ####", "13 {place} / 60 @@@·####"),
        p_border=0.6,
        region="mercosur",
    ),
    "brazil square": Layout(
        1.5, (1.1, 1.3), "a6a8aa/141416 9c1c20/eeeeee", ("10 {place} / 36 @@@ / 36 ####",), region="mercosur"
    ),
    "mercosur": Layout(
        4,
        (2.9, 3.3),
        "f2f2ee/141418 f2f2ee/141418 f2f2f2/a01c22 f2f2f2/1c3c8c",
        ("80 @@@#@##", "80 @@ ### @@", "80 @@@ ####"),
        ("top:{nation}",),
        p_border=0.6,
        region="mercosur",
    ),
    "mercosur square": Layout(
        1.5,
        (1.05, 1.3),
        "f2f2ee/141418 f2f2f2/1c3c8c",
        ("42 @@@ / 42 #@##",),
        ("top:{nation}",),
        region="mercosur",
    ),
    "indonesia": Layout(
        5,
        (2.6, 3.4),
        "16171a/e8e8e6 141416/eeeeea f0f0ee/141416 c01c24/f2f2f2 f2c41c/141416",
        ("58 @ #### @@@ / 22 ##·##", "60 @@ #### @@ / 20 ##-##", "60 @ ### @"),
        p_border=0.7,
        region="indonesia",
    ),
    "bangladesh": Layout(
        5,
        (1.7, 2.4),
        "f2f2ee/141418 eaeeea/101214 1c7a48/f0f4ee",
        ("34 বববব বববব-ব / 44 ##-####", "36 ববব ববব ব / 46 বব-বববব"),
    ),
    "devanagari": Layout(1, (2.0, 4.4), "b41c22/f2f0ee ececea/141418", ("62 বব বব বব",)),
    "nepal": Layout(1, (1.5, 2.2), "b41c22/f2f0ee 18181a/f2f0ee", ("40 বব ব ব / 42 বববব",)),
    "gulf long": Layout(
        4,
        (3.8, 5.2),
        "f2f2ee/141418 eceeee/101216 e6c832/141416",
        ("70 @  {emirate}  #####", "70 #####", "66 ٠٠٠٠ ععع", "60 ع  #####", "42 ٠٠٠٠ ع ع / 40 #### @ @"),
        ("", "right cell:·", "right cell:ك س م", "left cell:{emirate}"),
        p_border=0.7,
    ),
    "gulf short": Layout(
        4,
        (1.6, 2.3),
        "f2f2ee/141418 e4c22c/141416 eceeee/101216",
        ("24 {emirate} / 52 # #####", "40 ٠٠٠٠  ععع / 40 ####  @@@", "50 ٠٠٠٠٠ / 26 ####"),
        ("", "right cell:·", "top:قطر", "grid:ع @ @"),
        p_border=0.8,
    ),
    "egypt": Layout(
        2,
        (1.8, 2.4),
        "f2f2ee/141418",
        ("60 ٠٠٠  عع", "60 ٠٠٠٠  ع"),
        ("top:EGYPT مصر", "coloured top:مصر EGYPT"),
        p_border=0.8,
    ),
    "iran": Layout(
        2, (4.2, 5.0), "f2f2ee/141418 f2c41c/141416", ("70 ۰۰ ع ۰۰۰ | ۰۰",), ("emblem:IR", "eu:IR"), p_border=0.8
    ),
    "thai": Layout(
        4,
        (2.1, 2.5),
        "f2f2ee/141418 f2f2ee/1c6e3a f2f2ee/1c3a8c e8c61e/141416",
        ("52 #กก #### / 24 กกกกกกก", "54 ກກ ### / 20 ກກກກກກກ"),
        p_scenery=0.2,
        p_border=0.7,
    ),
    "thai motorbike": Layout(
        1.5, (0.95, 1.3), "f2f2ee/141418", ("30 #กก / 16 กกกกกก / 34 ###", "28 ກກກ / 18 ກກກກກ / 34 ##"), p_border=0.7
    ),
    "china": Layout(
        5,
        (2.9, 3.4),
        "1a3c9c/f2f4f6 1a46a4/f4f4f4 7ac88c/141416 e6c31c/141416 141416/f0f0f0 f0f0f0/141416",
        ("68 漢@·#####", "68 漢@ #@#@#", "68 漢@####漢"),
        p_scenery=0.1,
        p_border=0.7,
        region="china",
    ),
    "china two lines": Layout(
        1.5, (1.5, 2.1), "e6c31c/141416 1a3c9c/f2f4f6", ("30 漢·@ / 50 #####",), p_border=0.7, region="china"
    ),
    "japan": Layout(
        5,
        (1.9, 2.1),
        "f2f2ee/1c5a34 f2f2ee/1c5a34 f2d21e/16161a 1c5a38/f2f2f0 16161a/f2d21e",
        ("26 漢漢 ### / 50 あ ##-##", "26 漢漢漢 ## / 50 あ ·#-##"),
        p_scenery=0.1,
        p_border=0.3,
    ),
    "korea": Layout(
        4,
        (4.2, 5.0),
        "f2f2ee/141418 eef2f2/121216 f2c81e/141416 bed8ee/141416",
        ("72 ##한 ####", "72 ###한 ####", "70 한한##한####"),
        ("", "emblem:KOR"),
    ),
    "korea two lines": Layout(
        2, (1.9, 2.1), "1c5c3c/f0f2ee f2f2ee/141418 f2c81e/16161a", ("30 한한 ## / 48 한 ####", "30 ## 한 / 50 ####")
    ),
    "australia": Layout(
        4,
        (2.6, 3.0),
        "f2c81e/141416 f2f2f0/1c2c7c f2f2f0/7c1c28 141416/f0f0ee f2f2f0/141416 1c2c5c/f2f2f0",
        ("62 @@@·### / 14 {state} - {slogan}", "62 ###·@@@ / 14 {state}", "70 @@@ ##@"),
        p_border=0.6,
    ),
    "asia plain": Layout(
        5,
        (3.4, 4.8),
        "161618/ececec 161618/ececec 141416/f2f2f2 f2f2f0/141416 f4c81e/141416",
        ("66 @@@ ####", "66 @@ #### @", "66 @ ## ##", "62 ##-## @"),
        p_border=0.25,
    ),
    "asia plain two lines": Layout(
        5,
        (1.2, 2.0),
        "161618/ececec 141416/f2f2f2 f2f2f0/141416 f4c81e/141416 b41c22/f2f2f2 1c3c9c/f2f2f0",
        ("38 @@@ / 42 ####", "38 ##-@# / 42 ###·##", "40 @ ### / 40 @@", "28 @@ / 30 ## / 28 ###"),
        p_border=0.5,
    ),
    "philippines": Layout(
        2,
        (2.4, 3.0),
        "f2f2ee/141418 f2f2f0/1c6434",
        ("66 @@@ #### / 14 {state}", "14 {slogan} / 62 @@@ ###"),
        p_scenery=0.5,
    ),
    "russia": Layout(
        3,
        (4.3, 4.9),
        "f2f2ee/141418 f4c81e/16161a 1c3c9c/f2f2f2",
        ("70 Я ### ЯЯ", "70 @ ### @@", "70 ЯЯ ####", "70 ა ### აა"),
        ("right cell:## RUS", "right cell:###", "", "flag:UA"),
        p_border=0.8,
        region="europe",
    ),
    "greece": Layout(1, (4.3, 4.9), "f2f2ee/141418", ("74 ΛΛΛ-####",), ("eu:GR",), region="europe"),
    "israel": Layout(
        2,
        (3.6, 4.9),
        "f6ca1a/16161a f6ca1a/16161a 1c1c20/f2f2f2",
        ("70 ##-###-##", "70 ###-##-###", "70 א-#####"),
        ("emblem:IL", ""),
    ),
    "africa": Layout(
        3,
        (2.8, 4.6),
        "f2f2ee/141418 f4c81e/141416 f2f2f0/1c3c8c f2f2f0/1c6a3a f0f0f0/8c1c22",
        ("16 {nation} / 58 @@@-###@@", "68 @@ ## @@ @@", "64 @@@ ### @", "60 @@ ####-## / 16 {state}"),
        ("", "", "emblem:{eu}"),
        p_scenery=0.3,
    ),
    "old": Layout(
        2,
        (3.6, 5.5),
        "131315/c8c8c4 181a1c/b8b8b4 1c2c4c/d8d8d0 7c1c20/e0dcd0 224432/dcdccc",
        ("70 @@@ ###", "70 ##·@@·##", "70 @-#####"),
        region="",
    ),
    "motorbike": Layout(
        3,
        (0.9, 1.35),
        "f2f2ee/141418 f4c81e/141416 161618/ececec f2f2f0/b41c22 f2f2f0/1c3c9c",
        ("30 @@ / 50 ####", "26 @@@ / 26 ### / 26 @@", "16 {state} / 40 ###@ / 20 ##", "40 @## / 40 @@@"),
        ("", "", "corner:{eu}", "top:{state}"),
        region="",
    ),
    "us motorbike": Layout(
        2,
        (1.6, 1.9),
        "f0f0f0/1c2c6e f4f4ee/141418 e8eef6/8c1c22 f6d45a/1a1a1a",
        ("18 {state} / 54 @####", "16 {state} / 46 ##@## / 12 {month}", "22 CYCLE / 56 #####"),
        p_scenery=0.5,
        region="north_america",
    ),
    "any long": Layout(
        3,
        (2.8, 5.5),
        _ANY_COLOUR,
        (
            "70 @## @##",
            "62 {nation}",
            "66 #@#@#@#",
            "64 @ ###### @",
            "70 #-@-####",
            "20 {state} / 54 @@ ### @",
            "56 @# #### @ / 22 ##·##",
        ),
        ("", "", "top:{nation}", "right cell:{eu}", "left cell:·", "flag:{eu}", "eu:{eu}", "above and below:"),
        p_scenery=0.3,
    ),
    "any short": Layout(
        3,
        (1.0, 2.2),
        _ANY_COLOUR,
        (
            "40 @#@ / 40 @#@#",
            "50 @ #### @@ / 24 ##·##",
            "20 {state} / 30 @@@ / 36 ###",
            "44 ####",
            "26 @@ ## / 26 ### / 26 @#",
            "16 {slogan} / 50 @####",
        ),
        ("", "", "top:{nation}", "right cell:{eu}", "left cell:·", "corner:{eu}", "above and below:"),
        p_scenery=0.3,
    ),
    "paper": Layout(
        1.5,
        (1.4, 2.2),
        "fafaf6/101010 f6f4ea/101020",
        ("10 TEMPORARY {state} / 42 @###### / 14 EXPIRES ##/##/20## / 8 #@@@@##@##@######",),
        p_border=0.5,
    ),
    "special": Layout(
        2,
        (2.0, 5.2),
        "b41c22/f4f4f2 1c3c9c/f2f2f2 1c6a3a/f2f2f2 e87820/141416 78c8e6/141416 6c2c7c/f2f2f2 c8ccd0/8c1c22",
        ("66 CD ###", "66 ## @@ ###", "64 @#-####", "18 {nation} / 54 ##-@@-##"),
        ("", "", "right cell:·", "left cell:·"),
    ),
}
