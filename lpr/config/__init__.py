"""The configuration: its schema (`schema/`, a file a section), its messages, and `params.yaml`.

How `conf/` becomes a configuration is `lpr.composition`'s: it also checks plug-ins, which stand above this room.
"""

from lpr.config.params import CONF, PARAMS, load
from lpr.config.schema.augment import RandomCrops, StandardAugment
from lpr.config.schema.base import Section
from lpr.config.schema.data import ORIGINAL_BOXES, OVERRIDE_BOXES, Data, Source
from lpr.config.schema.detector import Detector
from lpr.config.schema.experiment import UNSCORED, Config
from lpr.config.schema.inference import Inference, MultiScale, Stretch
from lpr.config.schema.ocr import Ocr
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
    "Backbone",
    "Config",
    "Data",
    "Detector",
    "Dimension",
    "HyperbandTuner",
    "Inference",
    "KFoldSplit",
    "Loss",
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
]
