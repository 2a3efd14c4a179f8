"""How `lpr tune` searches, and over which keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lpr.config.schema.base import Count, Positive, Section, Seed


class Dimension(Section):
    """One key of a search space: values to choose among, or a range of whole or of any numbers, both ends included."""

    choice: Annotated[list[Any], Field(min_length=1)] | None = None
    int_: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(None, alias="int")
    float_: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(None, alias="float")
    step: Positive | None = Field(None, description="between two values of a range; sampling=log multiplies by it")
    sampling: Literal["linear", "log"] = "linear"
    when: dict[str, Any] = Field({}, description="other key → the value, or the values, under which this one is tuned")

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Dimension:
        if [self.choice, self.int_, self.float_].count(None) != 2:
            raise ValueError("takes exactly one of choice: […], int: […], float: […]; null takes one back")
        low, high = self.range
        if low >= high:
            raise ValueError(f"[{low:g},{high:g}] is empty: the second end must be greater than the first")
        if self.sampling == "log" and (low <= 0 or self.choice or (self.step or 2) <= 1):
            raise ValueError("sampling=log takes a range above 0, and a step, if any, above 1")
        if self.step and (self.choice or (self.int_ and self.step % 1)):
            raise ValueError("step goes with a range; that of an int is a whole number")
        return self

    @property
    def range(self) -> tuple[float, float]:
        """Both ends; (0, 1) where values are chosen."""
        low, high = self.int_ or self.float_ or (0, 1)
        return low, high


class _Tuner(Section):
    """How `lpr tune` searches, and for what."""

    objective: Literal["val_mean_iou", "val_loss", "char_acc"]
    direction: Literal["max", "min"]
    max_trials: Count | None
    max_consecutive_failures: Count
    workers: Annotated[int, Field(ge=1, le=256, description="processes on this machine")]
    seed: Seed
    space: Annotated[dict[str, Dimension | None], Field(description="key → its values; null leaves a key out")]

    @model_validator(mode="after")
    def _searches_something(self) -> _Tuner:
        if (self.objective == "val_loss") != (self.direction == "min"):
            wanted = "min" if self.objective == "val_loss" else "max"
            raise ValueError(f"tuner.objective={self.objective} goes with tuner.direction={wanted}")
        if not any(self.space.values()):
            raise ValueError("tuner.space is empty: there is nothing to tune")
        return self


class SearchTuner(_Tuner):
    """Keras Tuner's random, Bayesian and grid search."""

    name: Literal["random", "bayesian", "grid"]

    @model_validator(mode="after")
    def _ends(self) -> SearchTuner:
        if self.max_trials is None and self.name != "grid":
            raise ValueError(f"tuner.max_trials=null: tuner={self.name} would never end; only a grid is finite")
        return self


class HyperbandTuner(_Tuner):
    """Keras Tuner's Hyperband (Li et al. 2018): many short trainings, longer ones of the best."""

    name: Literal["hyperband"]
    max_epochs: Annotated[int, Field(ge=2, description="of the longest trainings")]
    factor: Annotated[int, Field(ge=2, description="one in so many goes on, for so many times the epochs")]


Tuner = Annotated[SearchTuner | HyperbandTuner, Field(discriminator="name")]
