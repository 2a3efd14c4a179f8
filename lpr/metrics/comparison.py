"""Paired comparison of experiments: the terms of each metric per case, their differences, and how significant they are.

Functions of tables alone: `lpr.experiment.compare` reads and writes the files.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from lpr.boxes import BOX_COLUMNS
from lpr.metrics.base import DetectionCases, Metric, RecognitionCases, Unit
from lpr.metrics.statistics import Score, groups_needed, holm, mcnemar, paired_difference, ratio_score, sign_flip
from lpr.metrics.table import BUILT_IN

PLATE_IDENTITY = ["source", "image", "plate", *BOX_COLUMNS, "text"]
"""By which a plate of two experiments is the same: where it is, and the truth that it is scored by."""
LEVEL = 0.05  # of error, two-sided, of each verdict after correction
_IMAGE_IDENTITY = ["source", "image", "truth"]
_TERMS = ["numerator", "denominator"]
_MOST_IMAGES = 100_000  # beyond what anyone will annotate


@dataclass(frozen=True)
class CaseScores:
    """A metric's terms for each test case of one experiment.

    Attributes:
        unit: what a case is.
        higher_is_better: the metric's direction.
        cases: a row a case: what identifies it (`source` and `image` among that), `numerator` and `denominator`.
    """

    unit: Unit
    higher_is_better: bool
    cases: pd.DataFrame

    @property
    def identity(self) -> list[str]:
        """The columns by which a case of two experiments is the same."""
        return PLATE_IDENTITY if self.unit == "plate" else _IMAGE_IDENTITY

    def score(self, source: str) -> Score | None:
        """The metric over the cases of one source; None where it has none."""
        cases = self.cases[self.cases["source"] == source]
        return ratio_score(cases["numerator"].to_numpy(), cases["denominator"].to_numpy())


@dataclass(frozen=True)
class Difference:
    """By how much one experiment's score exceeds the baseline's, over the cases that both have.

    `difference.n` counts cases, `images` the images that they are in; p is of the null hypothesis that both are equally
    good, `p_corrected` the same for all the experiments that are compared with this baseline (Holm).
    """

    source: str
    metric: str
    unit: Unit
    higher_is_better: bool
    baseline: float
    other: float
    difference: Score
    images: int
    p: float
    p_corrected: float
    verdict: str


def detection_case_scores(
    cases: DetectionCases, metrics: Sequence[Metric[DetectionCases]] = BUILT_IN.detection
) -> dict[str, CaseScores]:
    """The terms of every metric that experiments are compared by, by its name.

    Args:
        cases: of one split, of any sources.
    """
    return _case_scores(cases, cases.plates, cases.images, metrics)


def recognition_case_scores(
    plates: pd.DataFrame,
    recognitions: pd.DataFrame,
    metrics: Sequence[Metric[RecognitionCases]] = BUILT_IN.recognition,
) -> dict[str, CaseScores]:
    """The same of recognized texts, by `true/NAME` and `predicted/NAME`, after the boxes that they were recognized on.

    Args:
        plates: a row a plate of one split, `PLATE_IDENTITY` among its columns.
        recognitions: rows of `reports/recognitions.csv`, of any split.
    """
    keys = ["image", "plate"]
    others = [column for column in recognitions if column in keys or column not in (*PLATE_IDENTITY, "split")]
    rows = plates[PLATE_IDENTITY].merge(recognitions[others], on=keys)
    images = plates[["image", "source"]].drop_duplicates("image")
    by_boxes = {
        boxes: _case_scores(RecognitionCases(part), part, images, metrics)
        for boxes in ("true", "predicted")
        if len(part := rows[rows["boxes"] == boxes])
    }
    return {
        f"{boxes}/{metric.name}": scores[metric.name]
        for metric in metrics
        for boxes, scores in by_boxes.items()
        if metric.name in scores
    }


def average_repetitions(repetitions: Sequence[Mapping[str, CaseScores]]) -> dict[str, CaseScores]:
    """Repetitions of one experiment (seeds, the folds of a k-fold) as one.

    Each case has the mean of its terms over the repetitions in which it was tested. A case of other truth, such as a
    synthetic scene of the same name drawn from another seed, stays apart.
    """
    averaged: dict[str, CaseScores] = {}
    for metric in dict.fromkeys(name for one in repetitions for name in one):
        parts = [one[metric] for one in repetitions if metric in one]
        together = pd.concat([part.cases for part in parts], ignore_index=True)
        cases = together.groupby(parts[0].identity, sort=False, as_index=False)[_TERMS].mean()
        averaged[metric] = CaseScores(parts[0].unit, parts[0].higher_is_better, cases)
    return averaged


def compare(baseline: Mapping[str, CaseScores], others: Sequence[Mapping[str, CaseScores]]) -> list[list[Difference]]:
    """How each of the others differs from the baseline, by source and metric, over the cases that both have.

    The interval is the paired bootstrap over images. p is McNemar's exact one where cases are right or wrong; for IoUs,
    counts, and means over repetitions, it is of the sign-flip permutation test over images. Cases that are not scored
    in both (no true text, no text recognized) are left out.

    Args:
        baseline: an experiment's scores, as the functions of this module make them.
        others: the others'. Their p-values are corrected together (Holm), source by source and metric by metric.
    """
    found: list[list[Difference]] = [[] for _ in others]
    sources = dict.fromkeys(source for scores in baseline.values() for source in scores.cases["source"])
    paired = {
        metric: {
            index: scores.cases.merge(other[metric].cases, on=scores.identity, suffixes=("_baseline", "_other"))
            for index, other in enumerate(others)
            if metric in other
        }
        for metric, scores in baseline.items()
    }
    for source, (metric, scores) in product(sources, baseline.items()):
        tests = {
            index: _PairedTest(known, scores.higher_is_better)
            for index, pairs in paired[metric].items()
            if len(known := pairs[pairs["source"] == source])
        }
        corrected = holm([test.p for test in tests.values()])
        for (index, test), p in zip(tests.items(), corrected, strict=True):
            difference = paired_difference(test.differences, test.images, test.weights)
            assert difference is not None, "no case is scored in both"
            found[index].append(
                Difference(
                    source=str(source),
                    metric=metric,
                    unit=scores.unit,
                    higher_is_better=scores.higher_is_better,
                    baseline=test.score("baseline"),
                    other=test.score("other"),
                    difference=difference,
                    images=len(np.unique(test.images)),
                    p=test.p,
                    p_corrected=p,
                    verdict=test.verdict(p, LEVEL / len(tests)),
                )
            )
    return found


class _PairedTest:
    """Two experiments by one metric, over the cases that both have.

    Attributes:
        differences: float (n,), of the numerators of each case.
        weights: float (n,), the denominators.
        images: str (n,), the image that each is in.
        p: of the null hypothesis that both are equally good.
    """

    def __init__(self, pairs: pd.DataFrame, higher_is_better: bool) -> None:
        # Means over repetitions carry rounding errors, which are no differences.
        self.differences = (pairs["numerator_other"] - pairs["numerator_baseline"]).round(9).to_numpy()
        self.weights = pairs["denominator_baseline"].to_numpy()
        self.images = pairs["image"].to_numpy()
        different = self.differences != 0
        right_or_wrong = np.isin(self.differences, (-1, 0, 1)).all()
        # Plates of one image are not independent of each other, as McNemar's test takes cases to be.
        independent = len(np.unique(self.images[different])) == different.sum()
        self.p = (
            mcnemar(self.differences) if right_or_wrong and independent else sign_flip(self.differences, self.images)
        )
        self._pairs, self._higher_is_better = pairs, higher_is_better

    def score(self, which: str) -> float:
        """The metric of `baseline` or `other`."""
        return float(self._pairs[f"numerator_{which}"].sum() / self._pairs[f"denominator_{which}"].sum())

    def verdict(self, p_corrected: float, level: float) -> str:
        """In words; `level` is the one that the smallest of the p-values must reach."""
        count = len(np.unique(self.images))
        if count < 2:
            return "too few images"
        if p_corrected < LEVEL:
            return "better" if (self.differences.mean() > 0) == self._higher_is_better else "worse"
        needed = max(groups_needed(self.differences, self.images, level, weights=self.weights), count + 1)
        if needed > _MOST_IMAGES:
            return "no difference shown: needs more images than feasible"
        return f"no difference shown: needs about {_rounded_up(needed)} images"


def _case_scores(
    cases: DetectionCases | RecognitionCases,
    plates: pd.DataFrame,
    images: pd.DataFrame,
    metrics: Sequence[Metric],
) -> dict[str, CaseScores]:
    truth = _truth_of_images(plates)
    by_image = images.set_index("image", drop=False)
    by_image = by_image.assign(truth=by_image["image"].map(truth).fillna(""))
    found = {}
    for metric in metrics:
        terms = metric.per_case(cases)
        if terms is not None:
            identity = plates[PLATE_IDENTITY] if metric.unit == "plate" else by_image[_IMAGE_IDENTITY]
            rows = identity.loc[terms.index].reset_index(drop=True)
            scores = pd.concat([rows, terms[_TERMS].reset_index(drop=True)], axis=1)
            found[metric.name] = CaseScores(metric.unit, metric.higher_is_better, scores)
    return found


def _truth_of_images(plates: pd.DataFrame) -> dict[Hashable, str]:
    """The boxes and texts of the plates of each image that has any, as one string."""
    truth: dict[Hashable, list[tuple[float | str, ...]]] = {}
    numbers = plates[["plate", *BOX_COLUMNS]].to_numpy(float).tolist()
    for image, number, text in zip(plates["image"], numbers, plates["text"], strict=True):
        truth.setdefault(image, []).append((*number, text))
    return {image: repr(sorted(of_image)) for image, of_image in truth.items()}


def _rounded_up(number: float) -> int:
    """To two digits: more would pretend to be exact."""
    step = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step
