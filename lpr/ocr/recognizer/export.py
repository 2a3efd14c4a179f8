"""The trained network for use: an ONNX file that knows how sure it is, and reads what Keras reads."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lpr.boxes import pairwise_iou
from lpr.config import Recognizer
from lpr.errors import UserError
from lpr.hashes import file_md5
from lpr.nn.onnx_file import open_onnx, write_onnx
from lpr.nn.runtime import choose_hardware, prepare_tensorflow
from lpr.ocr.recognizer.calibration import Calibration, calibrated, fit
from lpr.ocr.recognizer.decoding import Characters, decode
from lpr.ocr.recognizer.input_shapes import nearest_shape
from lpr.ocr.recognizer.metadata import ModelMetadata
from lpr.plates.text import CHARACTERS
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.lettered_plates import LetteredPlate

if TYPE_CHECKING:
    import keras

TOLERANCE_PX, TOLERANCE_CONFIDENCE = 0.01, 1e-4  # as an exported detector's


def export(model: Path, config: Recognizer, plates: Sequence[LetteredPlate], output: Path) -> ModelMetadata:
    """Write `output`, calibrated on a crop of each of the plates, which the network must not have learned from.

    Raises:
        UserError: the model is missing, tf2onnx is, or what the file says deviates from Keras by more than
            `TOLERANCE_PX` or `TOLERANCE_CONFIDENCE`; then no file is there, not even an earlier one.
    """
    prepare_tensorflow(choose_hardware("float32", config.train.threads), config.train.seed)
    network = _load(model)
    drawn = [
        draw_crop(
            plate,
            *nearest_shape(config.input_shapes_px, *plate.size),
            np.random.default_rng([config.train.seed, number]),
            config.crops,
        )
        for number, plate in enumerate(plates)
    ]
    found = [decode(network(crop[None].astype(np.float32) / 255), config.output_stride)[0] for crop, _ in drawn]
    character, plate = _calibrations(found, plates, [boxes for _, boxes in drawn])
    facts = ModelMetadata(
        lpr=importlib.metadata.version("lpr"),
        shapes=config.input_shapes_px,
        stride=config.output_stride,
        character=character,
        plate=plate,
        keras_md5=file_md5(model) or "",
    )
    output.unlink(missing_ok=True)
    unfinished = output.with_name(f"unfinished-{output.name}")
    try:
        write_onnx(network, facts.model_dump_json(), unfinished)
        _check(unfinished, [crop for crop, _ in drawn[:64]], found[:64], config.output_stride)
        os.replace(unfinished, output)
    finally:
        unfinished.unlink(missing_ok=True)
    return facts


def _load(model: Path) -> keras.Model:
    from lpr.nn.saving import load_detector

    if not model.is_file():
        raise UserError(f"{model} is missing: `make recognizer` makes it")
    return load_detector(model)


def _calibrations(
    found: Sequence[Characters], plates: Sequence[LetteredPlate], boxes: Sequence[np.ndarray]
) -> tuple[Calibration, Calibration]:
    """Of characters, then of plates, whose confidence is the product of their characters'."""
    said = [characters.confidences * characters.chances.max(axis=1, initial=0) for characters in found]
    right = [_right(*one) for one in zip(found, plates, boxes, strict=True)]
    character = fit(np.concatenate(said), np.concatenate(right))
    products = np.array([np.prod(calibrated(sure, character)) if len(sure) else 0.0 for sure in said])
    exact = [len(good) == len(plate.text) and good.all() for good, plate in zip(right, plates, strict=True)]
    return character, fit(products, np.array(exact))


def _right(found: Characters, plate: LetteredPlate, boxes: np.ndarray) -> np.ndarray:
    """Which of the characters found stand where one of the plate's does, and are it: bool (k,)."""
    overlap = pairwise_iou(found.boxes, boxes)
    best = overlap.argmax(axis=1)
    named = found.chances.argmax(axis=1)
    truth = np.array([CHARACTERS.index(character) for character in plate.text])
    return (overlap.max(axis=1) > 0.3) & (named == truth[best])


def _check(path: Path, crops: Sequence[np.ndarray], expected: Sequence[Characters], stride: int) -> None:
    session, _ = open_onnx(path, "make recognizer")
    name = session.get_inputs()[0].name
    for crop, one in zip(crops, expected, strict=True):
        (other,) = decode(session.run(None, {name: crop[None]})[0], stride)
        same = one.boxes.shape == other.boxes.shape
        if (
            not same
            or np.abs(one.boxes - other.boxes).max(initial=0) > TOLERANCE_PX
            or np.abs(one.confidences - other.confidences).max(initial=0) > TOLERANCE_CONFIDENCE
        ):
            raise UserError(f"{path} does not find what the Keras network finds; no file was written")
