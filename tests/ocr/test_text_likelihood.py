"""Which text is the likeliest, given the characters that one network found and what another made of each line."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from lpr.ocr.engines.base import PlateText, TextLine
from lpr.ocr.text_likelihood import candidates_log_likelihood, ctc_log_likelihoods, joint_candidates, likeliest
from lpr.plates.text import CHARACTERS


def found(*lines: str, **candidates: dict[str, float]) -> PlateText:
    """A text with candidates: those of the named characters, and of the others the character alone."""
    texts = (
        TextLine(line, 0.9, candidates=tuple(candidates.get(character, {character: 1.0}) for character in line))
        for line in lines
    )
    return PlateText("".join(lines), 0.9, tuple(texts))


def steps(*rows: dict[str, float]) -> np.ndarray:
    """The steps of a line, of the probabilities of some characters each; the rest is of none."""
    line = np.zeros((len(rows), len(CHARACTERS) + 1))
    for step, row in zip(line, rows, strict=True):
        for character, probability in row.items():
            step[CHARACTERS.index(character) + 1] = probability
        step[0] = 1 - step.sum()
    return line


def read_as(text: str) -> np.ndarray:
    """The steps of a line in which this text was read without doubt."""
    return steps(*(row for character in text for row in ({character: 1.0}, {})))


def test_the_probability_of_a_text_by_steps_is_that_of_all_paths_that_give_it() -> None:
    rows = [{"A": 0.6, "B": 0.3}, {"A": 0.5}, {"B": 0.4, "A": 0.2}, {"A": 0.7, "B": 0.1}]
    paths: defaultdict[str, float] = defaultdict(float)
    for path in itertools.product(" AB", repeat=len(rows)):
        text = "".join(one for one, _ in itertools.groupby(path)).replace(" ", "")
        paths[text] += math.prod(
            row.get(one, 0.0) if one != " " else 1 - sum(row.values()) for one, row in zip(path, rows, strict=True)
        )
    assert sum(paths.values()) == pytest.approx(1)
    for texts in ([""], ["A", "B"], ["AB", "BA", "AA"], ["ABA"], ["BABA"]):
        assert np.exp(ctc_log_likelihoods([steps(*rows)], texts)) == pytest.approx(
            [paths[text] for text in texts], rel=0.01
        )


def test_a_character_at_the_end_of_a_line_and_the_same_at_the_start_of_the_next_are_two() -> None:
    lines = [steps({"A": 1.0}), steps({"A": 1.0})]
    assert np.exp(ctc_log_likelihoods(lines, ["AA"])) == pytest.approx([1], abs=0.01)
    assert np.exp(ctc_log_likelihoods([np.concatenate(lines)], ["AA"])) < 0.01
    assert np.exp(ctc_log_likelihoods(lines, ["A"])) < 0.01


def test_the_probability_of_a_text_by_candidates_is_the_product_over_its_characters() -> None:
    own = found("QB", "1Q", Q={"Q": 0.8, "O": 0.2})
    assert math.exp(candidates_log_likelihood(own, "QB1Q")) == pytest.approx(0.8**2)
    assert math.exp(candidates_log_likelihood(own, "OB1Q")) == pytest.approx(0.2 * 0.8)
    assert math.exp(candidates_log_likelihood(own, "8B1Q")) < 0.01
    one_too_few, one_too_many = (math.exp(candidates_log_likelihood(own, text)) for text in ("QBQ", "QB1Q7"))
    assert 0.01 < one_too_few < 0.8**2
    assert 0.01 < one_too_many < 0.8**2


def test_the_text_is_taken_of_which_both_networks_together_are_the_likeliest() -> None:
    own = found("QWN1", Q={"Q": 0.8, "O": 0.2})
    for text, probability in (("QWN1", 0.4), ("OWN1", 0.9)):
        line = steps({"O": probability, "Q": 1 - probability}, {}, {"W": 1.0}, {}, {"N": 1.0}, {}, {"1": 1.0}, {})
        expected = {"Q": 0.8 * (1 - probability), "O": 0.2 * probability}
        chosen, sure = likeliest(["QWN1", "OWN1"], own, [line])
        assert chosen == text
        assert sure == pytest.approx(expected[text[0]] / sum(expected.values()), rel=0.01)


def test_a_letter_that_was_not_found_is_added_where_the_line_is_read_with_it() -> None:
    assert likeliest(["BC1", "ABC1"], found("BC1"), [read_as("ABC1")])[0] == "ABC1"
    assert likeliest(["ABC1", "BC1"], found("ABC1"), [read_as("BC1")])[0] == "BC1"


def test_without_any_step_the_candidates_decide() -> None:
    assert likeliest(["AB1", "AB7"], found("AB1"), [np.zeros((0, len(CHARACTERS) + 1))])[0] == "AB1"
    assert likeliest(["AB1", "AB1"], found("AB1"), [read_as("AB1")]) == ("AB1", 1.0)


def test_candidates_of_a_character_are_the_product_of_both_networks() -> None:
    own = found("QB1", Q={"Q": 0.8, "O": 0.2})
    line = steps({"O": 0.6, "Q": 0.4}, {}, {"B": 0.9, "8": 0.1}, {}, {"1": 0.7, "I": 0.3}, {})
    first, second, third = joint_candidates("QB1", own, [line])
    assert first["Q"] == pytest.approx(0.8 * 0.4 / (0.8 * 0.4 + 0.2 * 0.6), rel=0.02)
    assert first["Q"] + first["O"] == pytest.approx(1, abs=0.01)
    assert max(second, key=second.__getitem__) == "B"
    assert second["8"] < 0.01  # the recognizer has no doubt
    assert sum(third.values()) == pytest.approx(1)


def test_a_character_that_was_not_found_has_the_candidates_of_the_steps_alone() -> None:
    line = steps({"A": 0.6, "4": 0.4}, {}, {"B": 1.0}, {}, {"1": 1.0}, {})
    first, *_ = joint_candidates("AB1", found("B1"), [line])
    assert first["A"] == pytest.approx(0.6, abs=0.01)
    assert first["4"] == pytest.approx(0.4, abs=0.01)
