"""Grammars: the patterns of registrations."""

from lpr.plates.countries import GRAMMARS


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
    assert not {"india", "brazil", "argentina", "indonesia"} & set(names)
