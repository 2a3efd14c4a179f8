"""What a detector family is: a module of this folder, or one's own, that has what `Family` names.

`lpr/detection/families/regression.py` is the smaller of the two that come with the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lpr.boxes import Detections
from lpr.config import Config, Detector, Loss
from lpr.data.input_pipeline import Examples

if TYPE_CHECKING:
    import keras
    import pandas as pd
    import tensorflow as tf


class Family(Protocol):
    """A detector family: its network, what that is trained on, and how its outputs become boxes.

    Attributes:
        Settings: schema of the configuration's section `detector`, all keys of it.
        AUGMENTS: the options of the group `augment` that it can be trained with.
        INFERENCES: the options of the group `inference` that it can be run by. Of `stretch`, the network is shown
            squares of `image_size_px`; of `multiscale`, images of any height and width that are multiples of 32.
        HAS_CONFIDENCE: whether confidences tell plates from what is none; False where there is one box an image,
            always of confidence 1.
    """

    Settings: type[Detector]
    AUGMENTS: tuple[str, ...]
    INFERENCES: tuple[str, ...]
    HAS_CONFIDENCE: bool

    def build(self, settings: Any, precision: str, seed: int) -> keras.Model:
        """The untrained network: from images, float (n, h, w, 3) in 0–1, to float32 outputs that `decode` takes.

        Args:
            settings: an instance of `Settings`.
            precision: Keras dtype policy of all layers whose outputs are no outputs of the network.
            seed: of the weights; equal seeds give equal weights.
        """
        ...

    def load_examples(self, plates: pd.DataFrame, image_dir: Path, config: Config, scratch: Path) -> Examples:
        """The decoded images of one side of the split, and their boxes.

        Args:
            plates: a row a plate: image, source, width, height, plate, text, and the true box in pixels; an image that
                shows no plate has a row without a box.
            image_dir: the folder of cached images.
            config: of the whole experiment.
            scratch: a file for images that would take more than `train.max_memory_mb`.
        """
        ...

    def training_batches(
        self, examples: Examples, config: Config, steps_per_epoch: int, steps: range
    ) -> tf.data.Dataset:
        """The batches of these steps of the whole training: images, float32 (b, h, w, 3) in 0–1, and what the loss takes
        as the truth. A batch is a function of (`train.seed`, step) alone, so that a training can go on at any step."""
        ...

    def validation_batches(self, examples: Examples, config: Config) -> tf.data.Dataset:
        """All examples once, in order, as they are."""
        ...

    def training_loss(self, config: Loss) -> Any:
        """What is minimised: a Keras loss, or a function of the truth and the outputs."""
        ...

    def metric(self) -> keras.metrics.Metric:
        """What the best epoch is chosen by; its name is `mean_iou`, the larger the better."""
        ...

    def decode(self, outputs: np.ndarray, height: int, width: int) -> list[Detections]:
        """The plates of each image of a batch, without TensorFlow.

        Args:
            outputs: of the network, (n, …).
            height, width: of the images that it was shown, pixels.

        Returns:
            Boxes in pixels of these images, the most confident first, at most `boxes.MAX_BOXES_PER_IMAGE`.
        """
        ...

    def all_boxes(self, outputs: np.ndarray, height: int, width: int) -> Detections:
        """Every box that the outputs name, (k, 4) in pixels of the images, before any is chosen; in any order that is
        the same for equal shapes. By these, an exported network is held against the trained one."""
        ...
