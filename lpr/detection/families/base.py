"""What a detector family is, and how to add one.

A family is a module that has what `Family` names: a file in this folder, which `detector.name` names, or a file
elsewhere that Python can import, which `detector.name` names with its path, such as `my_package.my_family`. Nothing
else in the package depends on which family it is. A new one takes three files: the module; an option
`conf/detector/NAME.yaml` with all keys of its `Settings`; and a test, such as those in `tests/detection/families/`. A
configuration that chooses it also chooses one of its `AUGMENTS` and one of its `INFERENCES`.

`regression.py` is the smaller of the package's two. What families share, they import from elsewhere:
- `lpr.data.input_pipeline`: decoded images and batches of them;
- `lpr.nn`: losses (`losses`), backbone and feature pyramid (`backbone`), heatmaps (`heatmap`), layers (`layers`);
- `lpr.detection.decoding`: peaks of a heatmap, non-maximum suppression.

An exported detector is decoded by its family without TensorFlow: the module imports TensorFlow, Keras and pandas inside
functions only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lpr.boxes import Detections
from lpr.config import Config, Detector, Loss

if TYPE_CHECKING:
    import keras
    import pandas as pd
    import tensorflow as tf

    from lpr.data.input_pipeline import Examples


class Family(Protocol):
    """A detector family: its network, what that is trained on, and how its outputs become boxes.

    Boxes are corners (top_x, top_y, bottom_x, bottom_y). `n` is the number of images of a batch, `h` and `w` are their
    height and width in pixels.

    Attributes:
        Settings: the schema of the configuration's section `detector` with all its keys; `name` is among them. What it
            rejects is an error of the configuration before anything runs.
        AUGMENTS: the options of the group `augment` that `training_batches` can do: of "none", "standard" and
            "random_crops".
        INFERENCES: the options of the group `inference` that the network can be run by. With "stretch", it takes
            squares of `image_size_px`, trained on and run alike, and the image is stretched to one; with "multiscale",
            it takes images of any height and width that are multiples of 32, and is run on the image at several scales.
        HAS_CONFIDENCE: whether confidences tell plates from other things. False where every image has one box of
            confidence 1, whether it shows a plate or not.
    """

    Settings: type[Detector]
    AUGMENTS: tuple[str, ...]
    INFERENCES: tuple[str, ...]
    HAS_CONFIDENCE: bool

    def build(self, settings: Any, precision: str, seed: int) -> keras.Model:
        """The untrained network.

        Args:
            settings: an instance of `Settings`.
            precision: Keras dtype policy of all layers but those that give the outputs, which stay in float32.
            seed: of the weights and of layers such as dropout; equal seeds give equal weights.

        Returns:
            A model of one input, images, float (n, h, w, 3) RGB in 0–1, and one output, float32 (n, …), which `decode`
            takes. Its name is `settings.name`, by which `lpr export` checks that it is of the configuration's family.
        """
        ...

    def load_examples(
        self, plates: pd.DataFrame, ignored: pd.DataFrame, image_dir: Path, config: Config, scratch: Path
    ) -> Examples:
        """The decoded images of one split, and their boxes.

        Args:
            plates: a row a plate, not empty, the rows of an image one after another: image (a file of `image_dir`),
                source, width and height (of the image, pixels), plate (its number in the image), text, and top_x,
                top_y, bottom_x and bottom_y, the true box in pixels. An image without plates has one row, whose box is
                not a number.
            ignored: a row a box that is neither a plate nor background, of any images; columns as of `plates`.
            image_dir: the folder of cached images.
            config: of the whole experiment.
            scratch: the folder for files of decoded images that would take more than `train.max_memory_mb`.
        """
        ...

    def training_batches(
        self,
        examples: Examples,
        config: Config,
        steps_per_epoch: int,
        steps: range,
        share: slice = slice(None),
    ) -> tf.data.Dataset:
        """The training batches of `steps`, counted over all epochs.

        Each is a function of (`train.seed`, step) alone, so that a training can be continued at any step.

        Args:
            share: of the examples of every batch, that of one of several processes that train together.

        Returns:
            Pairs: images, float32 (n, h, w, 3) in 0–1, n being `train.batch_size` or, at the end of an epoch, less; and
            the truth, in whatever form the loss and the metric take it.
        """
        ...

    def validation_batches(self, examples: Examples, config: Config) -> tf.data.Dataset:
        """All examples once, in order, without augmentation, in pairs as `training_batches` has them."""
        ...

    def training_loss(self, config: Loss) -> Any:
        """What is minimised: a Keras loss, or a function of the truth and the outputs to a value an image, (n,).

        Args:
            config: the section `loss`; of the boxes.
        """
        ...

    def metric(self) -> keras.metrics.Metric:
        """A new metric named `mean_iou`, in 0–1: its largest value on the validation split chooses the best epoch."""
        ...

    def decode(self, outputs: np.ndarray, height: int, width: int) -> list[Detections]:
        """The plates of each image of a batch. Runs without TensorFlow.

        Args:
            outputs: of the network, float32 (n, …).
            height, width: of the images that the network was run on, pixels.

        Returns:
            For each image, boxes in its pixels, by falling confidence, at most `lpr.boxes.MAX_BOXES_PER_IMAGE`.
        """
        ...

    def all_boxes(self, outputs: np.ndarray, height: int, width: int) -> Detections:
        """All boxes that the outputs hold, before any are selected, by which an export is compared with Keras.

        Args:
            outputs, height, width: as in `decode`.

        Returns:
            Numbers in pixels of the images, (k, 4), and confidences, (k,); in the same order for outputs of the same
            shape.
        """
        ...
