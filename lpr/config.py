"""The experiment's configuration: its schema, its composition from `conf/`, and its checks.

The only module that knows Hydra and OmegaConf. `conf/` holds the choices, `params.yaml` the composed result that DVC
tracks, `Config` what both must look like.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.reader.countries import GRAMMARS

CONF = Path("conf")
PARAMS = Path("params.yaml")
JOINED_BOXES, OWN_BOXES = "_joined_boxes", "_own_boxes"
"""What a source's scores by one kind of label alone are named by, after its name; the plain ones have every plate."""

UNSCORED = ("inputs", "recognizer", "tracking", "tuner", "weights")
"""Sections that no score of an experiment depends on."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Role = Literal["train", "test", "both"]
SplitName = Literal["train", "validation", "test"]


class Section(BaseModel):
    """A part of the configuration: unknown keys and wrong types are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SyntheticSource(Section):
    """Street scenes drawn by `lpr.data.synthetic`."""

    name: Name
    kind: Literal["synthetic"]
    role: Role = "both"
    scenes: Count
    seed: Seed


class FileSource(Section):
    """Annotated photographs of one's own: a Dataturks JSON, or a CSV table of boxes."""

    name: Name
    kind: Literal["dataturks", "table"]
    role: Role = "both"
    where: str | None = Field(description="the annotation file: a path; for kind dataturks also an http(s) URL")
    mirror: str | None = Field(None, description="folder or base URL that stands in for all but a URL's last part")
    texts: str | None = Field(None, description="CSV of plate texts for plates that have none")
    boxes: str | None = Field(None, description="CSV of boxes (pixels) that replace the annotation's own")


Source = Annotated[SyntheticSource | FileSource, Field(discriminator="kind")]


class Data(Section):
    """Where the photographs and their annotations come from, and how they are fetched."""

    name: str
    json_: str | None = Field(None, alias="json")
    mirror: str | None
    texts: str | None
    boxes: str | None
    root: str | None
    sources: Annotated[list[Source], Field(min_length=1)]
    workers: Annotated[int, Field(ge=1, le=256)]
    timeout_s: Positive
    attempts: Annotated[int, Field(ge=1, le=20)]
    max_bytes: Count
    max_pixels: Count
    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    max_failed_fraction: Fraction

    @model_validator(mode="after")
    def _sources_make_sense(self) -> Data:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"data.sources: two sources are named {name!r}; names must differ")
            if name.endswith((JOINED_BOXES, OWN_BOXES)):
                raise ValueError(f"data.sources: {name!r} is what scores are named; end it otherwise")
        if all(source.role == "test" for source in self.sources):
            raise ValueError("data.sources: every source has role 'test', so there is nothing to train on")
        places = [source.where for source in self.sources if isinstance(source, FileSource)]
        if None in places:
            raise ValueError(f"data={self.name} needs to know where its annotations are: add data.json=PATH_OR_URL")
        if self.root is None and any(str(place).startswith("None/") for place in places):
            raise ValueError(f"data={self.name} needs to know where its data sets are: add data.root=FOLDER")
        if self.json_ is not None and self.json_ not in places:
            raise ValueError(f"data.json is set, but data={self.name} does not read it; did you mean data=dataturks?")
        return self


class _Shares(Section):
    """Which photographs train, validate and test."""

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
    """One split, by groups or picture by picture."""

    name: Literal["grouped", "random"]


class KFoldSplit(_Shares):
    """One of several grouped splits that together test every picture once.

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


class SeedDetector(Section):
    """The origin's network: convolutions spread over max-pools, then dense layers, then the four corners."""

    name: Literal["seed"]
    image_size: Annotated[int, Field(ge=16, le=1024, description="side of the square input, pixels")]
    convs: Annotated[int, Field(ge=1, le=64)]
    pools: Annotated[int, Field(ge=0, le=10)]
    filters: Annotated[int, Field(ge=1, le=1024, description="of the first block; doubled after every pool")]
    kernel_size: Annotated[int, Field(ge=1, le=15)]
    dense: list[Count]
    activation: Literal["relu", "elu", "gelu", "silu", "leaky_relu", "tanh"]
    batch_norm: bool
    dropout: Annotated[float, Field(ge=0, lt=1, description="before every dense layer")]

    @model_validator(mode="after")
    def _can_be_built(self) -> SeedDetector:
        if self.pools > self.convs:
            raise ValueError(
                f"detector.pools={self.pools} is more than detector.convs={self.convs}: "
                "every pool follows at least one convolution"
            )
        if self.image_size < 2**self.pools:
            raise ValueError(
                f"detector.pools={self.pools} halves the image {self.pools} times, and detector.image_size="
                f"{self.image_size} cannot be: at most {self.image_size.bit_length() - 1} pools"
            )
        return self


class _Trunk(Section):
    """What `lpr.detector.center.features` is built by."""

    width: Annotated[int, Field(ge=4, le=256, description="filters of the stem; doubled at every halving, up to 8 ×")]
    depths: Annotated[
        list[Annotated[int, Field(ge=1, le=8)]],
        Field(min_length=4, max_length=4, description="residual blocks at strides 4, 8, 16 and 32"),
    ]
    neck: Annotated[int, Field(ge=8, le=512, description="filters of the feature pyramid and the head")]


class CenterDetector(_Trunk):
    """A fully convolutional detector of any number of plates."""

    name: Literal["center"]
    image_size: Annotated[int, Field(ge=64, le=2048, multiple_of=32, description="side of the square input, pixels")]
    stride: Literal[4, 8, 16] = Field(description="input pixels a cell of the output")


Detector = Annotated[SeedDetector | CenterDetector, Field(discriminator="name")]


class Augment(Section):
    """Random changes of the training pictures; every key at its neutral value means none."""

    name: Literal["none", "standard"]
    flip: Fraction = Field(description="probability of a mirrored picture")
    scale: Annotated[float, Field(ge=1, le=4, description="largest zoom, in or out")]
    shift: Annotated[float, Field(ge=0, le=0.5, description="largest move, as a fraction of the side")]
    rotate: Annotated[float, Field(ge=0, le=45, description="largest turn, degrees")]
    brightness: Fraction
    contrast: Fraction
    colour: Fraction


class Views(Section):
    """Training on random views of the pictures: zoomed on a plate or whole, in another light, by another camera."""

    name: Literal["views"]
    stored_size: Annotated[int, Field(ge=32, le=4096, description="longest side of the pictures as kept, pixels")]
    enlarge: Annotated[float, Field(ge=1, le=8, description="most that a view magnifies the picture as kept")]
    whole: Fraction = Field(description="probability of a view of the whole picture rather than around a plate")
    elsewhere: Fraction = Field(description="probability of a zoomed view of any place rather than of a plate")
    plate_width: Annotated[list[Fraction], Field(min_length=2, max_length=2, description="of a zoomed view's side")]
    mosaic: Fraction = Field(description="probability of four views of half the size as one")
    jitter: Annotated[float, Field(ge=1, le=4, description="largest zoom of a whole view, in or out")]
    aspect: Annotated[float, Field(ge=1, le=3, description="largest stretch of one side against the other")]
    rotate: Annotated[float, Field(ge=0, le=45, description="largest turn, degrees")]
    perspective: Annotated[float, Field(ge=0, le=0.5)]
    flip: Fraction
    brightness: Fraction
    contrast: Fraction
    gamma: Annotated[float, Field(ge=0, le=2, description="largest logarithm of the exponent")]
    colour: Fraction
    grey: Fraction
    shadow: Fraction
    blur: Fraction
    noise: Fraction
    jpeg: Fraction
    paste_replace: Fraction = Field(description="probability for each plate that a drawn one is pasted over it")
    paste_add: Fraction = Field(description="probability of one more plate, pasted anywhere")
    distractors: Fraction = Field(description="probability of pasted lettering that is no plate")
    bank: Count = Field(description="drawn plates to paste from")

    @property
    def pastes(self) -> bool:
        """Whether anything is pasted at all."""
        return max(self.paste_replace, self.paste_add, self.distractors) > 0


class Crops(Section):
    """Drawn plates as a detector would cut them out of photographs: for a reader to learn from."""

    yaw: Annotated[float, Field(ge=0, le=60, description="largest turn to the side, degrees")]
    pitch: Annotated[float, Field(ge=0, le=60, description="largest tilt up or down, degrees")]
    roll: Annotated[float, Field(ge=0, le=45, description="largest turn in the picture, degrees; mostly 5")]
    tilted: Fraction = Field(description="probability of a turn of up to `roll` in the picture, rather than 5 degrees")
    bent: Fraction = Field(description="probability of a plate that is not flat")
    loose: Fraction = Field(description="probability of a box that is much larger than the plate")
    empty: Fraction = Field(description="probability of a box without a plate")
    margin: Annotated[float, Field(ge=0, le=1, description="largest at a side of a loose box, of the plate's")]
    letter_px: Annotated[
        list[Positive],
        Field(min_length=2, max_length=2, description="least and largest height of letters in the photograph, pixels"),
    ]
    poor: Fraction = Field(description="probability of more, rather than a little, of all that follows")
    light: Fraction = Field(description="probability of another brightness, contrast and gamma")
    colour: Fraction = Field(description="probability of a colour cast")
    grey: Fraction
    night: Fraction
    shadow: Fraction
    glare: Fraction
    blur: Fraction
    noise: Fraction
    resized: Fraction = Field(description="probability that the photograph was shrunk or enlarged before")
    sharpened: Fraction
    jpeg: Fraction


class Optimizer(Section):
    """Keras's optimizer of that name, and its arguments."""

    name: Literal["adam", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    beta_1: Annotated[float, Field(ge=0, lt=1, description="sgd: momentum")]
    beta_2: Annotated[float, Field(ge=0, lt=1)]
    epsilon: Positive
    clip_norm: Positive | None


class Loss(Section):
    """What the corners (fractions of the picture's side) are trained to minimise."""

    name: Literal["mse", "mae", "huber", "giou", "ciou"]
    delta: Positive = Field(description="huber: where the square turns into a line")


class Stretched(Section):
    """The seed's family looks at the picture once, stretched to its square."""

    name: Literal["stretched"]
    image_size: Annotated[int, Field(ge=16, le=1024, description="side of the square, pixels")]
    confidence: Annotated[Fraction, Field(description="from which a plate counts as found")]


class Pyramid(Section):
    """The others look at the whole picture, at several sizes, and put together what they find."""

    name: Literal["pyramid"]
    image_size: Annotated[int, Field(ge=16, le=4096, description="longest side of the finest look, pixels")]
    looks: Annotated[int, Field(ge=1, le=10)]
    step: Annotated[float, Field(gt=1, le=4, description="how much coarser each look is than the one before")]
    seen_well: Annotated[
        list[Positive],
        Field(min_length=2, max_length=2, description="least and largest width of a plate, pixels as shown"),
    ]
    confidence: Annotated[Fraction, Field(description="from which a plate counts as found")]


Inference = Annotated[Stretched | Pyramid, Field(discriminator="name")]


class Training(Section):
    """How long, in what steps and how precisely a network is trained."""

    epochs: Count
    batch_size: Count
    steps_per_epoch: Count | None
    schedule: Literal["constant", "cosine"]
    warmup_epochs: Annotated[int, Field(ge=0)]
    precision: Literal["auto", "float32", "mixed_bfloat16"]
    threads: Count | None
    seed: Seed

    @model_validator(mode="after")
    def _warmup_fits(self) -> Training:
        if self.warmup_epochs and self.schedule == "constant":
            raise ValueError("warmup_epochs needs schedule=cosine: a constant rate has no warm-up")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs={self.warmup_epochs} leaves nothing of epochs={self.epochs}")
        return self


class Train(Training):
    """The detector's training."""

    only_joined_boxes: bool = Field(
        description="leave out pictures whose plates data.boxes should have had, and has not"
    )
    source_weights: dict[str, Positive] | None = Field(
        description="source → how often an epoch shows its pictures; else once"
    )
    early_stopping_patience: Count | None
    max_memory_mb: Count


Shape = Annotated[
    list[Annotated[int, Field(ge=32, le=1024, multiple_of=32)]],
    Field(min_length=2, max_length=2, description="height and width, pixels"),
]


class Recognizer(_Trunk):
    """The reader's own network, which finds the characters in the crop of a plate, and how it is trained."""

    name: Literal["characters"]
    shapes: Annotated[list[Shape], Field(min_length=1, description="a crop is stretched to the one most like it")]
    stride: Literal[4, 8] = Field(description="input pixels a cell of the output")
    plates: Count = Field(description="drawn plates to learn from")
    held_out: Count = Field(description="drawn plates to calibrate by, and as many others to be scored by")
    photographs: list[Name] | None = Field(description="sources whose training plates are mixed in; null: none")
    photographed: Fraction = Field(description="share of the crops that show those plates, where there are any")
    start: str | None = Field(
        description="a .keras of `lpr train-reader` whose weights it begins with; null: fresh ones"
    )
    crops: Crops
    optimizer: Optimizer
    train: Training


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that is most like this one; empty where none is."""
    return difflib.get_close_matches(name, known, 1, 0.5)


def _is_grammar(name: str) -> str:
    if name not in GRAMMARS:
        near = " or ".join(map(repr, nearest(name, GRAMMARS) or GRAMMARS))
        raise PydanticCustomError("grammar", "there is no such grammar; did you mean {near}?", {"near": near})
    return name


Grammar = Annotated[str, AfterValidator(_is_grammar)]


class _Reads(Section):
    """What all readers have in common."""

    splits: Annotated[list[SplitName], Field(min_length=1, description="which photographs are read")]
    margin: Annotated[float, Field(ge=0, le=1, description="added around the box, as a fraction of its height")]
    grammars: dict[str, Grammar] | None = Field(description="source → what its plates may say; else anything")
    doubtful: Fraction = Field(description="confidence below which a reading is called doubtful")


class _RapidOcrReads(_Reads):
    """What readers by RapidOCR have in common."""

    side_px: Annotated[int, Field(ge=32, le=2048, description="longest side that line detection looks at")]
    min_line_height: Annotated[float, Field(ge=0, le=1, description="of the tallest line; lower lines are lettering")]
    threads: Count | None


class RapidOcrReader(_RapidOcrReads):
    """RapidOCR: PaddleOCR's models on ONNX Runtime; they come in its wheel."""

    name: Literal["rapidocr"]


class TesseractReader(_Reads):
    """The tesseract program."""

    name: Literal["tesseract"]
    language: str
    page_segmentation_mode: Annotated[int, Field(ge=0, le=13)]
    height_px: Annotated[int, Field(ge=16, le=1024, description="crops are scaled to this height")]


class OcrSpaceReader(_Reads):
    """The ocr.space service; its key comes from the environment variable OCR_SPACE_API_KEY."""

    name: Literal["ocrspace"]
    endpoint: str
    engine: Literal[1, 2, 3]
    language: str
    scale: bool
    timeout_s: Positive
    attempts: Annotated[int, Field(ge=1, le=20)]
    max_wait_s: Annotated[float, Field(ge=0, description="longest sum of waits on the rate limit")]


class _NetworkReads(_Reads):
    """What readers by the project's own network have in common."""

    weights: str | None = Field(description="an .onnx of `lpr export-reader`; null: those that come with the package")
    looks: Annotated[
        list[Fraction],
        Field(min_length=1, max_length=8, description="margins of the looks that vote; none is over `margin`"),
    ]
    enough: Fraction = Field(description="confidence of the first look from which no other is taken")
    threads: Count | None

    @model_validator(mode="after")
    def _looks_are_inside(self) -> Self:
        if max(self.looks) > self.margin:
            raise ValueError(
                f"reader.looks={self.looks}: none may be over reader.margin={self.margin:g}, all that is cut out"
            )
        return self


class NetworkReader(_NetworkReads):
    """The project's own network."""

    name: Literal["network"]


class CascadeReader(_NetworkReads, _RapidOcrReads):
    """The project's own network; where it is not sure, RapidOCR, of which the recognition comes first."""

    name: Literal["cascade"]
    alone: Fraction = Field(description="confidence from which the network's own reading stands")


Reader = Annotated[
    RapidOcrReader | TesseractReader | OcrSpaceReader | NetworkReader | CascadeReader, Field(discriminator="name")
]
READERS: list[str] = [get_args(one.model_fields["name"].annotation)[0] for one in get_args(get_args(Reader)[0])]
"""Their names."""


class _ReaderAlone(Section):
    reader: Reader


class Tracking(Section):
    """wandb; its key comes from the environment variable WANDB_API_KEY."""

    mode: Literal["offline", "online", "off"]
    project: str
    entity: str | None
    group: str | None
    pictures: Annotated[int, Field(ge=0, le=1000, description="sample pictures in the run")]


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


class Config(Section):
    """One whole experiment."""

    trains: Literal["detector", "reader"] = Field(description="what `lpr experiment` and `lpr tune` train")
    seed: Seed
    inputs: list[dict[str, str]] = Field(description="the sources' local files, which DVC watches; composed, not set")
    weights: str = Field(description="of the reader's network, which DVC watches; composed, not set")
    data: Data
    split: Split
    detector: Detector
    augment: Annotated[Augment | Views, Field(discriminator="name")]
    optimizer: Optimizer
    loss: Loss
    train: Train
    inference: Inference
    recognizer: Recognizer
    reader: Reader
    tracking: Tracking
    tuner: Tuner

    @model_validator(mode="after")
    def _sections_fit(self) -> Config:
        if (self.detector.name == "center") != (self.augment.name == "views"):
            raise ValueError(
                f"detector={self.detector.name} cannot be trained with augment={self.augment.name}: augment=views is "
                "for detector=center, the others for detector=seed"
            )
        if (self.detector.name == "seed") != (self.inference.name == "stretched"):
            raise ValueError(
                f"detector={self.detector.name} cannot look by inference={self.inference.name}: inference=stretched is "
                "for detector=seed, the others for detector=center"
            )
        names = [source.name for source in self.data.sources]
        for key, named in (
            ("train.source_weights", self.train.source_weights or {}),
            ("recognizer.photographs", self.recognizer.photographs or []),
        ):
            for name in named:
                if name not in names:
                    raise ValueError(f"{key}: data.sources has no {name!r}; it has {', '.join(names)}")
        if (self.trains == "reader") != (self.tuner.objective == "char_acc"):
            raise ValueError(
                f"tuner.objective={self.tuner.objective} is no score of what trains={self.trains} trains: a reader is "
                "tuned for char_acc, a detector for val_mean_iou or val_loss"
            )
        if self.trains == "reader" and self.reader.name not in ("network", "cascade"):
            raise ValueError(f"trains=reader trains the network of reader=network; reader={self.reader.name} has none")
        if self.train.early_stopping_patience is not None and self.split.validation == 0:
            raise ValueError(
                "train.early_stopping_patience needs validation pictures, and split.validation is 0: "
                "set split.validation, or train.early_stopping_patience=null"
            )
        return self

    def as_dict(self) -> dict[str, Any]:
        """Plain containers, as `params.yaml` has them."""
        return self.model_dump(by_alias=True)


def compose(overrides: list[str], conf: Path = CONF, where: str | None = None) -> Config:
    """The configuration that `conf/` and Hydra overrides such as `train.epochs=5` make; `where`: its name in errors.

    Raises:
        UserError: an override names no key or option, or a value is of the wrong type or out of range.
    """
    return check(_compose(overrides, conf), where or f"{conf}/ with {shlex.join(overrides) or 'no overrides'}")


def write_params(overrides: list[str], path: Path = PARAMS, conf: Path = CONF) -> Config:
    """Compose, check and write `params.yaml` as DVC's own Hydra support would; the first line says from what."""
    values = _compose(overrides, conf)
    config = check(values, shlex.join(["lpr", "params", *overrides]))
    path.write_text(_HEADER + shlex.join(overrides) + "\n" + _to_yaml(values))
    return config


def from_hydra(composed: Any) -> Config:
    """The checked configuration of a Hydra job."""
    from omegaconf import OmegaConf

    return check(OmegaConf.to_container(composed, resolve=True), "impossible configuration")


def recorded_overrides(path: Path = PARAMS) -> list[str] | None:
    """The overrides that `lpr params` composed the file from; None where `dvc exp run` did, which names none."""
    first_line = path.read_text().partition("\n")[0]
    return shlex.split(first_line.removeprefix(_HEADER)) if first_line.startswith(_HEADER) else None


def choices(overrides: list[str], conf: Path = CONF) -> dict[str, str]:
    """Group → option, for each group in `conf/`, as these valid overrides make it."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
        composed = hydra_compose("config", overrides=overrides, return_hydra_config=True)
    return {group: option for group, option in composed.hydra.runtime.choices.items() if not group.startswith("hydra")}


def write_composed(config: Config, path: Path) -> None:
    """Write a configuration as it is, for the record of a run."""
    path.write_text(_to_yaml(config.as_dict()))


def with_absolute_paths(config: Config, root: Path) -> Config:
    """The same configuration for another current folder: the sources' local files by their absolute paths."""
    values = config.as_dict()
    for source in values["data"]["sources"]:
        for key in {"where", "mirror", "texts", "boxes"} & source.keys():
            if source[key] is not None and "://" not in source[key]:
                source[key] = str(root / Path(source[key]).expanduser())
    values["data"]["json"] = None
    return Config.model_validate(values)


def with_absolute_weights(config: Config, root: Path) -> Config:
    """The same configuration for another current folder: the reader's own weights by their absolute path.

    Those of an experiment that trains a reader are its own, and come to lie in its folder.
    """
    values = config.as_dict()
    if values["reader"].get("weights") and config.trains != "reader":
        values["reader"]["weights"] = values["weights"] = str(root / Path(values["reader"]["weights"]).expanduser())
    return Config.model_validate(values)


def load(path: Path = PARAMS) -> Config:
    """The checked content of `params.yaml`.

    Raises:
        UserError: the file is missing, is not YAML, or breaks the schema.
    """
    return check(_read(path), str(path))


def load_reader(name: str | None = None, path: Path = PARAMS, conf: Path | None = None) -> Reader:
    """The settings of a reader outside of an experiment.

    They are those of `params.yaml` here, if there is one and it has that reader; else those of its option in `conf/`,
    here or, outside of a project, of lpr's own.

    Args:
        name: of the reader; None: the one of `params.yaml`, else cascade.

    Raises:
        UserError: the settings break the schema, or there is no such option.
    """
    chosen = _read(path) if path.is_file() else {}
    settings = chosen.get("reader") if isinstance(chosen, dict) else None
    if not isinstance(settings, dict) or name not in (None, settings.get("name")):
        conf = conf or (CONF if CONF.is_dir() else Path(__file__).parents[1] / CONF)
        path = conf / "reader" / f"{name or 'cascade'}.yaml"
        if not path.is_file():
            raise UserError(f"{path}, which has the settings of reader={name}, is missing: run lpr from its checkout")
        settings = _read(path)
    try:
        return _ReaderAlone.model_validate({"reader": settings}).reader
    except ValidationError as error:
        lines = [_explain(problem, {"reader": settings}) for problem in error.errors()]
        raise UserError(f"{path}:\n  " + "\n  ".join(lines)) from None


def check_fresh(path: Path = PARAMS, conf: Path = CONF) -> Config:
    """Refuse a `params.yaml` that is not what `conf/` composes today.

    A file written by `lpr params` names its overrides, and is composed anew and compared. One written by
    `dvc exp run` names none. Inside such a run it was composed a moment ago; outside, it is fresh if `dvc.lock` has
    the same file beside the same `conf/`.

    Raises:
        UserError: the file is stale; the message says which keys differ and what to type.
    """
    config = load(path)
    overrides = recorded_overrides(path)
    if overrides is None:
        if "DVC_EXP_NAME" not in os.environ and not _is_locked(path, conf):
            raise UserError(
                f"{path} was not written by `lpr params`, and is not what the last `dvc exp run` composed from {conf}/ "
                "as it is now: it may hold old values. Compose it anew: `lpr params [KEY=VALUE …]`, then `dvc repro`; "
                "or `dvc exp run -S KEY=VALUE`."
            )
        return config
    new, old = flatten(_compose(overrides, conf)), flatten(_read(path))
    changed = [
        f"{key}: {old.get(key, 'absent')!r} in {path}, {new.get(key, 'absent')!r} in {conf}/"
        for key in sorted(new.keys() | old.keys())
        if new.get(key, _ABSENT) != old.get(key, _ABSENT)
    ]
    if changed:
        raise UserError(
            f"{path} is not what {conf}/ composes:\n  "
            + "\n  ".join(changed)
            + f"\nTo take the values of {conf}/: `{shlex.join(['lpr', 'params', *overrides])}`, then `dvc repro`. "
            f"To change a value for one run, add KEY=VALUE to that command; {path} is never edited by hand."
        )
    return config


def check(values: Any, where: str) -> Config:
    """Validate plain containers against the schema.

    Raises:
        UserError: one line a problem: key, value, what is allowed, and the nearest valid key for a typo.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, values) for problem in error.errors()]
        raise UserError(f"{where}:\n  " + "\n  ".join(lines)) from None


_HEADER = "# Composed from conf/, never edited by hand; write it anew with: lpr params "
_ABSENT = object()


def _compose(overrides: list[str], conf: Path) -> dict[str, Any]:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import ConfigCompositionException, HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    import lpr.hydra_plugins.resolvers  # noqa: F401  (registers what conf/ interpolates)

    if not (conf / "config.yaml").is_file():
        raise UserError(f"{conf}/config.yaml is not in {Path.cwd()}: run lpr in the folder of the project")
    try:
        with initialize_config_dir(str(conf.absolute()), version_base="1.3"):
            composed = hydra_compose("config", overrides=overrides)
            OmegaConf.resolve(composed)
    except (ConfigCompositionException, HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain_hydra(error, overrides, conf)) from None
    values = OmegaConf.to_container(composed)
    assert isinstance(values, dict)
    return values  # type: ignore[return-value]


def _explain_hydra(error: Exception, overrides: list[str], conf: Path) -> str:
    message = str(error.__cause__ or error) if "In '" in str(error) else str(error)
    message = message.partition("\nTo append to your config")[0].partition("\nConfig search path")[0]
    if not overrides:
        return f"{conf}/: {message.strip()}"
    known = list(flatten(_compose([], conf))) + [path.name for path in conf.iterdir() if path.is_dir()]
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0].partition("@")[0]
        if f"Could not override '{key}'" in message and any(name.startswith(f"{key}.") for name in known):
            return f"{override}: names a key that {key} has not yet; to add it, write ++{override}"
        if key and key in message and key not in known and (near := nearest(key, known)):
            return f"{override}: there is no key {key!r}; the nearest is {near[0]!r}"
    return f"{shlex.join(overrides)}: {message.strip()}"


def _explain(problem: Any, values: Any) -> str:
    """One problem of pydantic's in words."""
    key, path, holder = "", [], values
    for part in problem["loc"]:
        # pydantic puts the tag of a union (`rapidocr`) among the keys; the values know better.
        inside = holder if isinstance(holder, dict) else dict(enumerate(holder if isinstance(holder, list) else []))
        if part in inside or part is problem["loc"][-1]:
            key += f"[{part}]" if isinstance(part, int) else f".{part}"
            path.append(part)
            siblings, holder = inside, inside.get(part)
    key = key.lstrip(".")
    if problem["type"] == "extra_forbidden":
        known = _field_names(path[:-1])
        unused = [name for name in known if name not in siblings]
        near = nearest(str(path[-1]), known) or unused or known
        return f"{key}: there is no such key; did you mean {' or '.join(map(repr, near))}?"
    if problem["type"] == "missing":
        return f"{key}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        if path[-1:] == ["train"]:  # the detector's or the recognizer's
            return f"{key}.{message}"
        return f"{key}: {message}" if "space" in path else message
    return f"{key}={problem['input']!r}: {message[0].lower()}{message[1:]}"


def _field_names(location: list[Any]) -> list[str]:
    sections: dict[str, list[type[BaseModel]]] = {
        "": [Config],
        "data": [Data],
        "split": [OneSplit, KFoldSplit],
        "detector": [SeedDetector, CenterDetector],
        "augment": [Augment, Views],
        "optimizer": [Optimizer],
        "loss": [Loss],
        "train": [Train],
        "inference": [Stretched, Pyramid],
        "recognizer": [Recognizer],
        "reader": [RapidOcrReader, TesseractReader, OcrSpaceReader, NetworkReader, CascadeReader],
        "tracking": [Tracking],
        "tuner": [SearchTuner, HyperbandTuner],
    }
    models = sections[str(location[0]) if location else ""]
    if "sources" in location:
        models = [FileSource, SyntheticSource]
    if "space" in location:
        models = [Dimension]
    if location[:1] == ["recognizer"] and len(location) > 1:
        parts: dict[str, list[type[BaseModel]]] = {"crops": [Crops], "optimizer": [Optimizer], "train": [Training]}
        models = parts[str(location[1])]
    return list(dict.fromkeys(field.alias or name for model in models for name, field in model.model_fields.items()))


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys; lists stay whole."""
    if not isinstance(values, dict):
        return {prefix: values}
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _to_yaml(values: dict[str, Any]) -> str:
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(values))


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path} is not in {Path.cwd()}: write it with `lpr params`") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}") from None


def _is_locked(path: Path, conf: Path) -> bool:
    """Whether dvc.lock has this very params.yaml beside this very conf/."""
    lock = path.parent / "dvc.lock"
    if not lock.is_file():
        return False
    stage = yaml.safe_load(lock.read_text())["stages"].get("config", {})
    locked = {dep["path"]: dep["md5"] for dep in stage.get("deps", [])}
    return locked.get(str(path)) == file_md5(path) and locked.get(str(conf)) == _folder_md5(conf)


def _folder_md5(folder: Path) -> str:
    """DVC's hash of a folder: of the JSON list of its files' hashes and relative paths (dvc_data.hashfile.tree)."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files.sort(key=lambda path: path.relative_to(folder).parts)
    entries = [{"md5": file_md5(path), "relpath": path.relative_to(folder).as_posix()} for path in files]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
