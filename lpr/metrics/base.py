"""What a metric is: an object that has what `Metric` names.

The ones that come with the package are in `detection_metrics.py` and `recognition_metrics.py`; one of your own is an
object in a module of yours, which `metrics.detection` or `metrics.recognition` of the configuration names. Most are an
instance of `RatioMetric`, which needs one function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, runtime_checkable

from lpr.metrics.matching import Matches, match_predictions
from lpr.metrics.statistics import Score, ratio_score

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["plate", "image"]
Cases = TypeVar("Cases")
_Cases = TypeVar("_Cases", contravariant=True)


@dataclass(frozen=True)
class DetectionCases:
    """What a detector found in a set of images.

    Attributes:
        plates: a row a true plate, as in `reports/detections.csv`: image, source, split, plate, text, the true box, the
            predicted box that fits it best and its confidence (NaN where none is), and their iou (0–1). Boxes are in
            pixels.
        predictions: a row a predicted box of any confidence, as in `reports/predictions.csv`: image, rank (0: the most
            confident of its image), confidence, and the box in pixels.
        images: a row an image, those without plates included: image, source, split; when a detector is evaluated, but
            not when experiments are compared, also width and height in pixels.
        confidence_threshold: from which a prediction counts as a plate. `plates` knows of no prediction below it.
    """

    plates: pd.DataFrame
    predictions: pd.DataFrame
    images: pd.DataFrame
    confidence_threshold: float

    def of(self, images: pd.DataFrame) -> DetectionCases:
        """The cases of these rows of `images` alone."""
        plates, predictions = (rows[rows["image"].isin(images["image"])] for rows in (self.plates, self.predictions))
        return DetectionCases(plates, predictions, images, self.confidence_threshold)

    @cached_property
    def matches(self) -> Matches:
        """Which predictions match a plate, as COCO matches them; there must be a plate."""
        return match_predictions(self.plates, self.predictions, self.images["image"].tolist())

    @property
    def confident(self) -> pd.DataFrame:
        """The predictions that count as plates."""
        return self.predictions[self.predictions["confidence"] >= self.confidence_threshold]


@dataclass(frozen=True)
class RecognitionCases:
    """The texts that an OCR engine recognized on one kind of boxes, true or predicted.

    Attributes:
        plates: a row a plate, as in `reports/recognitions.csv`: image, plate, text (the true one; empty where it is
            unknown), text_before_grammar, predicted_text, confidence (0–1).
    """

    plates: pd.DataFrame

    @property
    def known(self) -> pd.DataFrame:
        """The plates whose true text is known."""
        return self.plates[self.plates["text"] != ""]


@runtime_checkable
class Metric(Protocol[_Cases]):
    """A metric of detection (`DetectionCases`) or of recognition (`RecognitionCases`).

    Attributes:
        name: the key in `metrics/*.json`, in tables, figures and on pages; without `/`.
        meaning: what it measures, one sentence, as the report explains it.
        unit: what is a case of it, which `n` counts and the bootstrap resamples.
        higher_is_better: the direction; False where lower values are better.
        headline: its short title where it is one of the few that lists, sweeps and the head of the report show; else
            None.
    """

    name: str
    meaning: str
    unit: Unit
    higher_is_better: bool
    headline: str | None

    def score(self, cases: _Cases) -> Score | None:
        """The value with its 95 % bootstrap interval and the number of cases; None where there is nothing to score.

        Args:
            cases: of one source and split; for recognition, on one kind of boxes.
        """
        ...

    def per_case(self, cases: _Cases) -> pd.DataFrame | None:
        """What two experiments are compared by, paired: for each case a `numerator` and a `denominator`, floats.

        The metric is the sum of the numerators over the sum of the denominators. Denominators depend on the truth
        alone, so that they are the same for two experiments. Cases that cannot be scored are left out.

        Args:
            cases: of one split and any number of sources.

        Returns:
            A table by the index of `cases.plates` where a case is a plate, by the name of the image where it is an
            image; None where experiments are not compared by this metric.
        """
        ...


@dataclass
class RatioMetric(Generic[Cases]):
    """A metric that is the mean of a value per case, or the sum of numerators over the sum of denominators.

    Attributes:
        numerators: a value per case, indexed as `Metric.per_case` says.
        denominators: of the same cases; None: 1 each, so that the metric is the mean of the numerators.
        compared: whether experiments are compared by it.
    """

    name: str
    meaning: str
    unit: Unit
    numerators: Callable[[Cases], pd.Series]
    denominators: Callable[[Cases], pd.Series] | None = None
    higher_is_better: bool = True
    headline: str | None = None
    compared: bool = True

    def score(self, cases: Cases) -> Score | None:
        """By the percentile bootstrap over cases."""
        terms = self.terms(cases)
        return ratio_score(terms["numerator"].to_numpy(), terms["denominator"].to_numpy())

    def per_case(self, cases: Cases) -> pd.DataFrame | None:
        """The terms of each case; None where experiments are not compared by it."""
        return self.terms(cases) if self.compared else None

    def terms(self, cases: Cases) -> pd.DataFrame:
        """`numerator` and `denominator` of each case."""
        numerators = self.numerators(cases).astype(float)
        denominators = self.denominators(cases).astype(float) if self.denominators else 1.0
        return numerators.to_frame("numerator").assign(denominator=denominators)
