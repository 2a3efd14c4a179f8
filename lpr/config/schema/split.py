"""Which images train, validate and test."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lpr.config.schema.base import Fraction, Section, Seed


class _Shares(Section):
    """Which images train, validate and test."""

    train: Fraction
    validation: Fraction
    test: Fraction
    seed: Seed
    hash_distance: Annotated[int, Field(ge=0, le=64, description="bits in which perceptual hashes of one group differ")]

    @model_validator(mode="after")
    def _fractions_sum_to_one(self) -> _Shares:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"split.train + split.validation + split.test must be 1, not {total:g}")
        if self.train == 0:
            raise ValueError("split.train is 0: there would be nothing to train on")
        return self


class OneSplit(_Shares):
    """One split, by groups or image by image."""

    name: Literal["grouped", "random"]


class KFoldSplit(_Shares):
    """One of several grouped splits that together test every image once.

    `train` and `validation` share out what the fold leaves; `test` says nothing here, and is there so that an
    experiment that sets it goes with any split.
    """

    name: Literal["kfold"]
    folds: Annotated[int, Field(ge=2, le=100)]
    fold: Annotated[int, Field(ge=0, description="which fold is tested, from 0")]

    @model_validator(mode="after")
    def _fold_is_one_of_them(self) -> KFoldSplit:
        if self.fold >= self.folds:
            raise ValueError(f"split.fold={self.fold}: split.folds={self.folds} are numbered 0 to {self.folds - 1}")
        return self


Split = Annotated[OneSplit | KFoldSplit, Field(discriminator="name")]
