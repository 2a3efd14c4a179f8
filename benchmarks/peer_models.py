"""The part of `peers.py` that runs in the peers' own environment (`peers.txt`).

    python peer_models.py train DATA.yaml FOLDER SIZE MINUTES validate|last
    python peer_models.py export FOLDER SIZE …
    python peer_models.py cascade NAME LIST OUTPUT

It imports nothing of lpr, which is not installed there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

NETWORK = "yolo11n.yaml"


def train(data: str, folder: str, size: str, minutes: str, choice: str) -> None:
    """Ultralytics' own training with its own defaults, from random weights, into `FOLDER/training/weights/best.pt`.

    Its clock starts when the data are loaded. With `validate`, it validates after every epoch within that time, and the
    best weights are taken; with `last`, the last.
    """
    from ultralytics import YOLO

    YOLO(NETWORK).train(
        data=data,
        imgsz=int(size),
        time=float(minutes) / 60,
        patience=0,  # the clock alone ends it
        pretrained=False,
        device="cpu",
        cache="ram",
        plots=False,
        val=choice == "validate",
        project=folder,
        name="training",
        exist_ok=True,
    )
    if choice == "last":
        weights = Path(folder, "training", "weights")
        weights.joinpath("last.pt").replace(weights / "best.pt")


def export(folder: str, *sizes: str) -> None:
    """`FOLDER/SIZE.onnx` for squares of each size, and `any.onnx` for rectangles of any: in float32, no NMS inside."""
    from ultralytics import YOLO

    for size in (*sizes, "any"):
        shape = {"dynamic": True} if size == "any" else {"imgsz": int(size)}
        written = YOLO(f"{folder}/training/weights/best.pt").export(format="onnx", device="cpu", **shape)
        Path(written).rename(f"{folder}/{size}.onnx")


def cascade(name: str, listed: str, output: str) -> None:
    """Find plates by one of OpenCV's cascades: a JSON line for each path of the list.

    Each is [[left, top, width, height, weight], …].
    """
    import cv2
    from ultralytics.utils import TQDM

    classifier = cv2.CascadeClassifier(f"{cv2.data.haarcascades}{name}.xml")  # type: ignore[attr-defined]
    with Path(output).open("w") as file:
        for path in TQDM(Path(listed).read_text().splitlines(), desc=name):
            grey = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
            boxes, _, weights = classifier.detectMultiScale3(grey, outputRejectLevels=True)
            found = [[*map(float, box), float(weight)] for box, weight in zip(boxes, weights, strict=True)]
            file.write(json.dumps(found) + "\n")


VERBS: dict[str, Callable[..., None]] = {"train": train, "export": export, "cascade": cascade}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
