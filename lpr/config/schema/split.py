"""Which images train, validate and test."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lpr.config.schema.base import Fraction, Section, Seed


class _Shares(Section):
    """Which images train, validate and test."""

    train: Fraction = Field(description="share of the images that the networks are trained on")
    validation: Fraction = Field(
        description="share of the images that the best epoch is chosen by; 0: the last epoch's weights are kept"
    )
    test: Fraction = Field(description="share of the images that scores are measured on; the three add up to 1")
    seed: Seed = Field(description="random seed of the split")
    hash_distance_threshold: Annotated[int, Field(ge=0, le=64)] = Field(
        description="largest number of bits, of 64, in which perceptual hashes of near-duplicate images differ"
    )
    group_by: str | None = Field(
        description="what else keeps images together: folder (that of the image, below its root), or a regular "
        "expression that is searched for in the image's URL or path, whose first group, or whole match, names the "
        "images' group; images that it does not match stand for themselves; null: nothing else"
    )

    @field_validator("group_by")
    @classmethod
    def _is_a_regular_expression(cls, group_by: str | None) -> str | None:
        try:
            re.compile(group_by or "")
        except re.error as error:
            raise ValueError(f"split.group_by={group_by}: neither folder nor a regular expression: {error}") from None
        return group_by

    @model_validator(mode="after")
    def _fractions_sum_to_one(self) -> _Shares:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"split.train + split.validation + split.test must be 1, not {total:g}")
        if self.train == 0:
            raise ValueError("split.train is 0: there would be nothing to train on")
        return self


class OneSplit(_Shares):
    """One split, by groups of near-duplicates or image by image."""

    name: Literal["grouped", "random"] = Field(description="option of the group `split`")


class KFoldSplit(_Shares):
    """One of several grouped splits that together test every image once.

    `train` and `validation` set the proportion in which the images outside the tested fold are shared out; `test` has
    no effect, and exists so that an experiment that sets it fits any split.
    """

    name: Literal["kfold"] = Field(description="option of the group `split`")
    folds: Annotated[int, Field(ge=2, le=100)] = Field(description="number of folds")
    fold: Annotated[int, Field(ge=0)] = Field(description="the fold that is tested, from 0 to folds − 1")

    @model_validator(mode="after")
    def _fold_is_one_of_them(self) -> KFoldSplit:
        if self.fold >= self.folds:
            raise ValueError(f"split.fold={self.fold}: split.folds={self.folds} are numbered 0 to {self.folds - 1}")
        return self


Split = Annotated[OneSplit | KFoldSplit, Field(discriminator="name")]
