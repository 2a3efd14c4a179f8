"""Grammars: the patterns of registrations."""

from lpr.plates.countries import GRAMMARS, REGIONS, region_of


def test_ranges_are_expanded_the_longest_first() -> None:
    (india,) = GRAMMARS["india"]
    assert [pattern for pattern in india.patterns if "BH" in pattern] == ["##BH####@@", "##BH####@"]
    assert india.patterns[:4] == ("@@##@@@####", "@@##@@####", "@@##@####", "@@######")


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
    assert region_of("brazil") == region_of("argentina") == "mercosur"
    assert region_of(None) == ""


def test_a_chinese_registration_has_a_letter_and_at_most_two_more() -> None:
    (china,) = GRAMMARS["china"]
    assert {"@#####", "@@####", "@#@##@", "@@@###"} <= set(china.patterns)
    assert all(pattern.startswith("@") for pattern in china.patterns)
    assert all(pattern.count("@") <= 3 for pattern in china.patterns)
