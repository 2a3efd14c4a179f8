"""The configuration: its schema (`schema/`, a file a section), validation with messages, and reading `params.yaml`.

Composing it from `conf/`, and checking plug-ins by their own schemas, is done by `lpr.composition`.
"""

from lpr.config.params import CONF, PARAMS, load
from lpr.config.schema.augment import RandomCrops, StandardAugment
from lpr.config.schema.base import LocalPath, Section, path_keys
from lpr.config.schema.data import ORIGINAL_BOXES, OVERRIDE_BOXES, AnySource, Data, Source
from lpr.config.schema.detector import AnyDetector, Detector
from lpr.config.schema.experiment import UNSCORED, Config
from lpr.config.schema.inference import Inference, MultiScale, Stretch
from lpr.config.schema.metrics import Metrics
from lpr.config.schema.ocr import AnyOcr, Ocr
from lpr.config.schema.recognizer import Backbone, PlateCrops, Recognizer, Shape
from lpr.config.schema.split import KFoldSplit, OneSplit, Split
from lpr.config.schema.training import Loss, Optimizer, Train, Training
from lpr.config.schema.tuner import Dimension, HyperbandTuner, SearchTuner, Tuner

__all__ = [
    "CONF",
    "ORIGINAL_BOXES",
    "OVERRIDE_BOXES",
    "PARAMS",
    "UNSCORED",
    "AnyDetector",
    "AnyOcr",
    "AnySource",
    "Backbone",
    "Config",
    "Data",
    "Detector",
    "Dimension",
    "HyperbandTuner",
    "Inference",
    "KFoldSplit",
    "LocalPath",
    "Loss",
    "Metrics",
    "MultiScale",
    "Ocr",
    "OneSplit",
    "Optimizer",
    "PlateCrops",
    "RandomCrops",
    "Recognizer",
    "SearchTuner",
    "Section",
    "Shape",
    "Source",
    "Split",
    "StandardAugment",
    "Stretch",
    "Train",
    "Training",
    "Tuner",
    "load",
    "path_keys",
]
