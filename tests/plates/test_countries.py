"""Grammars: the patterns of registrations."""

from lpr.plates.countries import GRAMMARS, REGIONS, region_of


def test_ranges_are_expanded_the_longest_first() -> None:
    (india,) = GRAMMARS["india"]
    symbols = [pattern.symbols for pattern in india.patterns]
    assert [each for each in symbols if "BH" in each] == ["##BH####@@", "##BH####@"]
    assert symbols[:4] == ["@@##@@@####", "@@##@@####", "@@##@####", "@@######"]


def test_gaps_are_the_spaces_of_a_pattern() -> None:
    (spain,), (russia,), (india,) = GRAMMARS["spain"], GRAMMARS["russia"], GRAMMARS["india"]
    assert [(pattern.symbols, pattern.gaps) for pattern in spain.patterns] == [("####@@@", {4})]
    assert [(pattern.symbols, pattern.gaps) for pattern in russia.patterns] == [
        ("@###@@###", {6}),
        ("@###@@##", {6}),
    ]
    assert {pattern.gaps for pattern in india.patterns} == {None}


def test_letters_at_the_start_end_at_the_first_gap() -> None:
    (germany,), (india,) = GRAMMARS["germany"], GRAMMARS["india"]
    assert {pattern.first_letters for pattern in germany.patterns} == {1, 2, 3}
    assert {pattern.first_letters for pattern in india.patterns} == {0, 2}


def test_a_pattern_stands_once_and_prefixes_are_letters() -> None:
    for countries in GRAMMARS.values():
        for country in countries:
            assert len(set(country.patterns)) == len(country.patterns)
            assert all(prefix.isalpha() and prefix.isupper() for prefix in country.prefixes)


def test_europe_has_every_country_of_europe_once() -> None:
    names = [name for name, countries in GRAMMARS.items() if len(countries) == 1 and countries[0] in GRAMMARS["europe"]]
    assert len(names) == len(GRAMMARS["europe"])
    assert {region_of(name) for name in names} == {"europe"}
    assert not {"india", "brazil", "argentina", "indonesia"} & set(names)


def test_every_grammar_is_of_a_region() -> None:
    assert {region_of(name) for name in GRAMMARS} < set(REGIONS)
    assert region_of("brazil") == region_of("argentina") == region_of("mercosur") == "mercosur"
    assert region_of("usa") == "north_america"
    assert region_of(None) == ""


def test_a_chinese_registration_has_a_letter_and_at_most_two_more_with_or_without_a_province() -> None:
    (china,) = GRAMMARS["china"]
    symbols = {pattern.symbols for pattern in china.patterns}
    assert {"@#####", "@@####", "@#@##@", "@@@###", "%@#####", "%@#@##@"} <= symbols
    assert {each for each in symbols if "%" in each} == {f"%{each}" for each in symbols if "%" not in each}
    assert all(each.lstrip("%").startswith("@") for each in symbols)
    assert all(each.count("@") <= 3 for each in symbols)
