"""TensorFlow's process-wide settings: precision, threads and determinism."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lpr.cores import usable_cores
from lpr.errors import UserError


@dataclass(frozen=True)
class Hardware:
    """What the weights depend on, in their last bits, besides code, data and seed.

    Attributes:
        precision: a Keras dtype policy.
        threads: of TensorFlow, at least 1.
    """

    precision: str
    threads: int


def choose_hardware(precision: str, threads: int | None) -> Hardware:
    """Resolve `auto` (`mixed_bfloat16` where the CPU multiplies in it, else `float32`) and None (a thread a core)."""
    if precision == "auto":
        try:
            flags = set(Path("/proc/cpuinfo").read_text().split())
        except OSError:
            flags = set()
        precision = "mixed_bfloat16" if flags & {"avx512_bf16", "amx_bf16"} else "float32"
    return Hardware(precision, threads or usable_cores())


def prepare_tensorflow(hardware: Hardware, seed: int) -> None:
    """Make TensorFlow repeatable: threads, deterministic operations, random seed, and names that count from 1 again.

    Raises:
        UserError: TensorFlow of this process runs with another number of threads, which can be set only once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with silent_stderr():
        import keras
        import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(hardware.threads)
        tf.config.threading.set_inter_op_parallelism_threads(hardware.threads)
    except RuntimeError:
        raise UserError(
            f"train.threads={hardware.threads}: TensorFlow of this process already runs with "
            f"{tf.config.threading.get_intra_op_parallelism_threads()}"
        ) from None
    tf.config.experimental.enable_op_determinism()
    keras.utils.clear_session()  # what Keras numbers as it is made starts again from 1
    keras.utils.set_random_seed(seed)


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard standard error, to which TensorFlow writes at any log level; errors are raised as exceptions."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
