"""How `lpr tune` searches, and over which keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lpr.config.schema.base import Count, Positive, Section, Seed


class Dimension(Section):
    """One key of a search space: values to choose among, or a range of numbers, both ends included."""

    choice: Annotated[list[Any], Field(min_length=1)] | None = Field(None, description="the values to choose among")
    int_: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, alias="int", description="least and largest whole number"
    )
    float_: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(
        None, alias="float", description="least and largest number"
    )
    step: Positive | None = Field(
        None,
        description="difference of neighbouring values of a range, with sampling=log their ratio; null: any value",
    )
    sampling: Literal["linear", "log"] = Field(
        "linear", description="whether values, or their logarithms, are equally likely"
    )
    when: dict[str, Any] = Field(
        {}, description="other key → the value, or the values, of that key under which this one is tuned"
    )

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
    """How `lpr tune` searches, over which keys, and for the best of which score."""

    objective: Literal["val_mean_iou", "val_loss", "char_acc"] = Field(
        description="score of the best epoch by which trials are ranked: val_mean_iou or val_loss of a detector, "
        "char_acc of a recognizer"
    )
    direction: Literal["max", "min"] = Field(description="whether the objective is to be large or small")
    max_trials: Count | None = Field(description="number of trials; null: as many as a finite search has")
    max_consecutive_failures: Count = Field(description="failed trials in a row after which the search ends")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(description="processes on this machine, which share its cores")
    seed: Seed = Field(description="random seed of the search")
    space: dict[str, Dimension | None] = Field(
        description="key of the configuration, or group → the values it may take; null leaves a key out of the search"
    )

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

    name: Literal["random", "bayesian", "grid"] = Field(description="option of the group `tuner`")

    @model_validator(mode="after")
    def _ends(self) -> SearchTuner:
        if self.max_trials is None and self.name != "grid":
            raise ValueError(f"tuner.max_trials=null: tuner={self.name} would never end; only a grid is finite")
        return self


class HyperbandTuner(_Tuner):
    """Keras Tuner's Hyperband (Li et al. 2018): many short trainings, longer ones of the best."""

    name: Literal["hyperband"] = Field(description="option of the group `tuner`")
    max_epochs: Annotated[int, Field(ge=2)] = Field(
        description="epochs of the longest trainings; each trial's epochs replace train.epochs"
    )
    factor: Annotated[int, Field(ge=2)] = Field(
        description="reduction factor: one trial in so many is trained again, for so many times the epochs"
    )


Tuner = Annotated[SearchTuner | HyperbandTuner, Field(discriminator="name")]
