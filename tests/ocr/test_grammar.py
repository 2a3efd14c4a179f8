"""What a grammar makes of recognized lines."""

import pytest

from lpr.ocr.engines.base import NO_TEXT, PlateText, TextLine
from lpr.ocr.engines.rapidocr import Settings
from lpr.ocr.grammar import apply_grammar, apply_grammar_named
from lpr.plates.countries import GRAMMARS

INDIA = GRAMMARS["india"]


def recognized(*lines: tuple[str, float], text: str | None = None) -> PlateText:
    whole = "".join(line for line, _ in lines) if text is None else text
    return PlateText(whole, min(confidence for _, confidence in lines), tuple(TextLine(*line) for line in lines))


@pytest.mark.parametrize(
    "text",
    [
        "MH12DE1433",
        "DL3CAB1234",
        "DL8CX4850",
        "KA05M7",
        "KL7BZ99",
        "GJ1KF1111",
        "22BH6517A",
        "22BH6517AB",
        "HR26DK8337",
        "KL381234",
        "HR99BJTEMP6662",
    ],
)
def test_a_text_that_matches_stays_as_it_is(text: str) -> None:
    assert apply_grammar(recognized((text, 0.7)), INDIA) == PlateText(text, 0.7)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("MH2OBN3525", "MH20BN3525"), ("DLBCAB12S4", "DL8CAB1254"), ("MH12DE14E3", "MH12DE14E3")],
)
def test_characters_of_similar_shape_are_exchanged_where_a_pattern_demands_it(wrong: str, right: str) -> None:
    chosen = apply_grammar(recognized((wrong, 0.9)), INDIA)
    assert chosen.text == right
    assert (chosen.confidence < 0.9) == (wrong != right)


def test_an_unknown_state_does_not_match() -> None:
    assert apply_grammar(recognized(("XX12D31433", 0.9)), INDIA).text == "XX12D31433"


def line(text: str, **candidates: dict[str, float]) -> PlateText:
    """A line with candidates, of probability 0.6 as recognized, and others for characters at indices (`at2=…`)."""
    probabilities = tuple({one: 0.6} | candidates.get(f"at{place}", {}) for place, one in enumerate(text))
    return PlateText(text, 0.8, (TextLine(text, 0.8, candidates=probabilities),))


def test_of_an_engines_candidates_the_most_likely_that_match_are_taken() -> None:
    wrong = line("MH12BE14T3", at8={"7": 0.3, "1": 0.1}, at4={"D": 0.3})
    chosen = apply_grammar(wrong, INDIA)
    assert chosen.text == "MH12BE1473"
    assert chosen.confidence == pytest.approx(0.8 * 0.3 / 0.6)


def test_a_province_is_no_letter_of_a_pattern() -> None:
    """京A12B45 is no A12845 with one letter more, though the engine has a candidate for it."""
    assert apply_grammar(line("京A12B45", at4={"8": 0.3}), GRAMMARS["china"]).text == "京A12B45"
    assert apply_grammar(line("京A12B45", at0={"8": 0.3}), INDIA).text == "京A12B45"


def test_a_state_is_chosen_by_both_letters_together() -> None:
    """KJ is no state; of HJ, KL and other candidates, KL is the most likely."""
    assert apply_grammar(line("KJ12AB1234", at0={"H": 0.1}, at1={"L": 0.2, "A": 0.05}), INDIA).text == "KL12AB1234"


def test_of_equally_likely_states_the_one_that_was_read_stays() -> None:
    assert apply_grammar(line("HP19PQ6501", at1={"R": 0.6}), INDIA).text == "HP19PQ6501"


def test_a_very_unlikely_character_is_no_candidate() -> None:
    assert apply_grammar(line("MH12DE14T3", at8={"7": 0.001}), INDIA).text == "MH12DE14T3"


def test_other_lettering_is_left_out_and_small_lettering_taken_in() -> None:
    """ANGEL is no part of the registration; the engine had left out MH20EU as other lettering, since it is small."""
    lines = ("MH2OEU", 0.9), ("9991", 1.0), ("ANGEL", 0.97)
    chosen = apply_grammar(recognized(*lines, text="9991ANGEL"), INDIA)
    assert chosen.text == "MH20EU9991"
    assert chosen.confidence < 0.9
    assert apply_grammar(recognized(("MH14", 1.0), ("IND", 1.0), ("GN9239", 0.9)), INDIA).text == "MH14GN9239"
    assert (
        apply_grammar(recognized(("WAGON", 1.0), ("R", 1.0), ("HR99EXTEMP6037", 0.9)), INDIA).text == "HR99EXTEMP6037"
    )


def test_as_many_characters_as_possible_stay() -> None:
    """MH124433 would need no exchange, but leaves out a line."""
    assert apply_grammar(recognized(("MH12", 0.9), ("0E", 0.9), ("4433", 0.9)), INDIA).text == "MH12OE4433"


def test_a_text_that_cannot_match_stays_and_no_confidence_rises() -> None:
    for text in (recognized(("WOB2ZK295", 0.8)), NO_TEXT, PlateText("HELLO", 0.4)):
        assert apply_grammar(text, INDIA) == text
    unlikely = PlateText("MH20BN3525", 0.2, (TextLine("MH2OBN3525", 0.9),))
    assert apply_grammar(unlikely, INDIA) == PlateText("MH20BN3525", 0.2)


def test_characters_that_look_alike_are_exchanged_before_similar_ones() -> None:
    """An O of French plates, which they do not use, may be a D; in Slovakia the same is an O."""
    read = TextLine("RK896A0", 0.9, group_sizes=(2, 5))
    plate = PlateText("RK896A0", 0.9, (read,))
    assert apply_grammar(plate, GRAMMARS["europe"]).text == "RK896AO"
    assert apply_grammar(plate, GRAMMARS["france"]).text == "RK896AD"


def test_without_lines_the_text_is_the_only_line() -> None:
    assert apply_grammar(PlateText("MH2OBN3525", 0.8), INDIA).text == "MH20BN3525"


@pytest.mark.parametrize(
    ("country", "matching", "text", "result"),
    [
        ("brazil", "BRA2E19 ABC1234", "BRAZE19", "BRA2E19"),
        ("britain", "BD51SMR K7XYZ ABC123D", "BDS1SMR", "BD51SMR"),
        ("bulgaria", "CB1234AH B5678TX", "D12345H", "D12345H"),  # D is no province
        ("china", "A12345 京A12B45 京AD12345", "京412345", "京A12345"),
        ("czechia", "1A23456 4AX1234", "1A2E4S6", "1A2E4S6"),
        ("france", "AB123CD 1234AB56", "AB1O3CD", "AB103CD"),
        ("germany", "MAB1234 WOBZK295 BO1 HHAB12E", "MAB12S4", "MAB1254"),
        ("indonesia", "B1234XYZ DK1AA", "B123AXYZ", "B1234XYZ"),
        ("netherlands", "12BCD3 BD123C BCDF12", "I2BCD3", "12BCD3"),  # no vowels
        ("northern_ireland", "YBZ4321 AIL1234", "YBZ4E2S", "YBZ4E2S"),
        ("poland", "WX12345 KR1A234 WPI5K20", "W012345", "WO12345"),
        ("romania", "B123ABC CJ12ABC", "CJI2ABC", "CJ12ABC"),
        ("spain", "1234BCD", "I234BCD", "1234BCD"),
        ("switzerland", "ZH123456 GE1", "ZHI23456", "ZH123456"),
        ("usa", "ABC1234 7ABC123 AB12345 LOVELY", "8BO0638", "8BO0638"),
        ("north_america", "ABCD123 8BOL638", "8B0L638", "8BOL638"),
        ("europe", "MAB1234 AB123CD 1A23456 ZH1 WX12345", "1A2345S", "1A23455"),
    ],
)
def test_grammars_of_other_countries(country: str, matching: str, text: str, result: str) -> None:
    for each in matching.split():
        assert apply_grammar(recognized((each, 0.7)), GRAMMARS[country]) == PlateText(each, 0.7)
    assert apply_grammar(recognized((text, 0.7)), GRAMMARS[country]).text == result


@pytest.mark.parametrize(
    ("group_sizes", "text"),
    [((2, 5), "RK260AR"), ((4, 3), "RK26OAR"), ((), "RK26OAR")],
    ids=["Slovak", "British", "unknown"],
)
def test_gaps_tell_which_pattern_it_is(group_sizes: tuple[int, ...], text: str) -> None:
    read = TextLine("RK26OAR", 0.9, group_sizes=group_sizes)
    chosen = apply_grammar(PlateText("RK26OAR", 0.9, (read,)), GRAMMARS["europe"])
    assert chosen.text == text


def test_a_letter_that_a_country_does_not_use_is_a_digit() -> None:
    """Polish numbers have no O, their prefixes have; Spanish ones have no vowels."""
    assert apply_grammar(recognized(("WO1234O", 0.9)), GRAMMARS["poland"]).text == "WO12340"
    assert apply_grammar(recognized(("1234BC0", 0.9)), GRAMMARS["spain"]).text == "1234BCD"


def test_every_grammar_can_be_configured() -> None:
    settings = {
        "name": "rapidocr",
        "splits": ["test"],
        "margin": 0.1,
        "side_px": 480,
        "min_line_height": 0.5,
        "low_confidence_threshold": 0.5,
    }
    for name in GRAMMARS:
        assert Settings.model_validate(settings | {"threads": None, "grammars": {"synthetic": name}}).grammars


def test_of_all_of_europe_a_text_that_matches_any_country_stays() -> None:
    """In Spain it becomes 0234BCD; but O234BCD may be British."""
    assert apply_grammar(recognized(("O234BCD", 0.7)), GRAMMARS["spain"]).text == "0234BCD"
    assert apply_grammar(recognized(("O234BCD", 0.7)), GRAMMARS["europe"]).text == "O234BCD"


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        ({"india": 0.95, "europe": 0.05}, "MH20BN3525"),
        ({"india": 0.45, "europe": 0.4, "china": 0.15}, "MH2OBN3525"),
        ({}, "MH2OBN3525"),
    ],
)
def test_auto_is_the_grammar_of_a_region_likelier_than_all_others(probability: dict[str, float], expected: str) -> None:
    plate = PlateText("MH2OBN3525", 0.8, regions=probability)
    found = apply_grammar_named(plate, "auto")
    assert found.text == expected
    assert found.confidence <= plate.confidence
    assert found.regions == probability


def test_a_region_without_a_grammar_leaves_the_text() -> None:
    plate = PlateText("8BO0638", 0.8, regions={"elsewhere": 0.99})
    assert apply_grammar_named(plate, "auto") == plate
    assert apply_grammar_named(plate, None) == plate
