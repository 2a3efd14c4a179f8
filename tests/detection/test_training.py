"""Training repeats itself to the byte, and can be killed and continued."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from clones import ROOT

from lpr.composition.compose import compose
from lpr.config import Config
from lpr.data.input_pipeline import Examples
from lpr.detection import families
from lpr.detection.training import train
from lpr.errors import UserError
from lpr.nn.checkpoint import Checkpoint
from lpr.nn.runtime import choose_hardware

TINY = [
    "detector.image_size_px=32",
    "detector.filters=4",
    "detector.convs=2",
    "detector.pools=2",
    "detector.dropout=0.2",
    "detector.batch_norm=true",
    "train.schedule=cosine",
    "train.warmup_epochs=1",
    "train.batch_size=8",
    "train.threads=1",
    "train.precision=float32",
]


def examples(count: int, seed: int) -> Examples:
    """Dark images with a bright box each."""
    generator = np.random.default_rng(seed)
    images, boxes = np.full((count, 32, 32, 3), 30, np.uint8), np.empty((count, 4), np.float32)
    for number in range(count):
        x, y = generator.integers(2, 14, 2)
        images[number, y : y + 6, x : x + 14] = 220
        boxes[number] = np.array([x, y, x + 14, y + 6]) / 32
    return Examples(images, boxes)


def run(folder: Path, *overrides: str, count: int = 40, validated: bool = True) -> dict[str, Any]:
    config = compose([*TINY, "train.epochs=4", *overrides])
    hardware = choose_hardware(config.train.precision, config.train.threads)
    validation = examples(16, 2) if validated else None
    return train(config, examples(count, 1), validation, hardware, folder, folder / "history.csv", folder / "state")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    os.chdir(ROOT)
    (folder / "metrics.json").write_text(json.dumps(run(folder)))
    return folder


def test_history_has_a_row_an_epoch_and_best_is_the_best(uninterrupted: Path) -> None:
    history = pd.read_csv(uninterrupted / "history.csv")
    metrics = json.loads((uninterrupted / "metrics.json").read_text())
    assert list(history["epoch"]) == [1, 2, 3, 4]
    assert metrics["best_epoch"] == history["val_mean_iou"].idxmax() + 1
    assert metrics["best_mean_iou"] == pytest.approx(history["val_mean_iou"].max(), abs=1e-6)
    assert not (uninterrupted / "state").exists()


def test_the_same_training_gives_the_same_bytes(uninterrupted: Path, tmp_path: Path, in_root: Path) -> None:
    run(tmp_path)
    for name in ("detector.keras", "last.keras", "history.csv"):
        assert (tmp_path / name).read_bytes() == (uninterrupted / name).read_bytes()


def test_another_seed_gives_other_weights(uninterrupted: Path, tmp_path: Path, in_root: Path) -> None:
    run(tmp_path, "seed=1")
    assert (tmp_path / "last.keras").read_bytes() != (uninterrupted / "last.keras").read_bytes()


_KILLED = """
import sys
from pathlib import Path
sys.path[:0] = {folders!r}
from test_training import run
run(Path(sys.argv[1]))
"""


def test_killed_and_continued_ends_with_the_same_bytes(
    uninterrupted: Path, tmp_path: Path, in_root: Path, capsys: Any
) -> None:
    code = _KILLED.format(folders=[str(Path(__file__).parent), str(ROOT / "tests")])
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=in_root)
    history = tmp_path / "history.csv"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not history.exists() or len(history.read_text().splitlines()) < 3):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "last.keras").exists(), "it was killed too late to prove anything"
    epochs_done = len(history.read_text().splitlines()) - 1
    assert 1 <= epochs_done < 4

    run(tmp_path)
    assert "continuing after epoch" in capsys.readouterr().out
    for name in ("detector.keras", "last.keras", "history.csv"):
        assert (tmp_path / name).read_bytes() == (uninterrupted / name).read_bytes()


def test_the_state_of_another_training_is_not_continued(tmp_path: Path, in_root: Path, capsys: Any) -> None:
    family, detector = families.load("regression"), compose(TINY).detector
    model = family.build(family.Settings.model_validate(detector.model_dump()), "float32", 9)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    Checkpoint(model, tmp_path / "state", "another training").save([{"epoch": 1, "loss": 0.0}], best=True)
    metrics = run(tmp_path)
    assert "continuing" not in capsys.readouterr().out
    assert metrics["epochs"] == 4


def test_a_second_training_of_a_folder_is_refused_while_the_first_lives(tmp_path: Path, in_root: Path) -> None:
    """Such as that of a `dvc repro` of which the first process was killed alone."""
    family, detector = families.load("regression"), compose(TINY).detector
    model = family.build(family.Settings.model_validate(detector.model_dump()), "float32", 9)
    with (
        Checkpoint(model, tmp_path / "state", "the first"),
        pytest.raises(UserError, match=r"another training still writes to .*state.*wait for it, or stop it"),
    ):
        run(tmp_path)
    assert run(tmp_path)["epochs"] == 4


def test_early_stopping_stops_and_keeps_the_best(tmp_path: Path, in_root: Path) -> None:
    metrics = run(
        tmp_path,
        "train.epochs=40",
        "train.early_stopping_patience=1",
        "train.schedule=constant",
        "train.warmup_epochs=0",
        "optimizer.learning_rate=0.05",
    )
    assert metrics["epochs"] == metrics["best_epoch"] + 1 < 40


CENTERNET = [
    *("detector=centernet", "augment=random_crops", "inference=multiscale", "augment.stored_size_px=64"),
    *("detector.image_size_px=64", "detector.stem_channels=4", "detector.stage_depths=[1,1,1,1]"),
    *("detector.fpn_channels=8", "train.batch_size=8", "train.threads=1", "train.precision=float32"),
]


@pytest.mark.parametrize(
    "overrides",
    [pytest.param(TINY, id="regression"), pytest.param(CENTERNET, id="centernet", marks=pytest.mark.slow)],
)
def test_the_images_of_a_training_are_gone_after_it(overrides: list[str], tmp_path: Path, in_root: Path) -> None:
    config = compose([*overrides, "train.epochs=1", "train.warmup_epochs=0"])
    boxes = (slice(None), None) if overrides is CENTERNET else ()
    images = []
    for number in range(2):
        parts = [examples(16, 2 * number + part) for part in range(2)]
        parts = [Examples(part.images, part.boxes[boxes]) for part in parts]
        images += [weakref.ref(part.images) for part in parts]
        folder = tmp_path / str(number)
        train(config, *parts, choose_hardware("float32", 1), folder, folder / "history.csv", folder / "state")
        del parts
    gc.collect()
    assert [image() for image in images] == [None] * 4


def test_without_validation_the_last_weights_are_the_best(tmp_path: Path, in_root: Path) -> None:
    metrics = run(tmp_path, "train.epochs=2", validated=False)
    assert metrics["best_epoch"] == 2
    assert (tmp_path / "detector.keras").read_bytes() == (tmp_path / "last.keras").read_bytes()
    assert "val_loss" not in (tmp_path / "history.csv").read_text()


def test_the_last_weights_are_kept_where_that_is_chosen(tmp_path: Path, in_root: Path) -> None:
    """At a rate so high that they are not the best."""
    high = ["optimizer.learning_rate=0.05", "train.schedule=constant", "train.warmup_epochs=0"]
    for keep, same in (("best", False), ("last", True)):
        metrics = run(tmp_path / keep, f"train.keep={keep}", "train.epochs=8", *high)
        assert metrics["best_epoch"] < 8, "the last epoch was the best, so that this proves nothing"
        kept, last = ((tmp_path / keep / name).read_bytes() for name in ("detector.keras", "last.keras"))
        assert (kept == last) is same


@pytest.mark.parametrize(("loss", "optimizer"), [("mse", "adam"), ("mae", "adam"), ("huber", "sgd")])
def test_every_loss_and_optimizer_trains(tmp_path: Path, in_root: Path, loss: str, optimizer: str) -> None:
    choice = [f"loss={loss}", f"optimizer={optimizer}", "optimizer.clip_norm=1.0"]
    metrics = run(tmp_path, "train.epochs=1", "train.warmup_epochs=0", *choice, validated=False)
    assert metrics["epochs"] == 1
    assert np.isfinite(pd.read_csv(tmp_path / "history.csv")["loss"]).all()


def test_a_loss_that_is_not_finite_is_an_error_with_advice(tmp_path: Path, in_root: Path) -> None:
    huge = Examples(examples(8, 0).images, np.full((8, 4), np.inf, np.float32))
    config: Config = compose([*TINY, "train.epochs=2"])
    with pytest.raises(UserError, match=r"lower optimizer\.learning_rate"):
        train(config, huge, None, choose_hardware("float32", 1), tmp_path, tmp_path / "h.csv", tmp_path / "state")


def test_precision_follows_the_cpu() -> None:
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    has_bfloat16 = "avx512_bf16" in flags or "amx_bf16" in flags
    assert choose_hardware("auto", None).precision == ("mixed_bfloat16" if has_bfloat16 else "float32")
    assert choose_hardware("float32", 3).precision == "float32"
    assert choose_hardware("float32", 3).threads == 3
    assert choose_hardware("auto", None).threads == len(os.sched_getaffinity(0))
