"""Arrays that need not fit into memory: in mapped files, of which the system keeps in memory what there is room for.

Formats of records (TFRecord, ArrayRecord, WebDataset) would add nothing here: a training reads its images in the order
of a shuffle of the whole set, which is random access, and each at its place in a mapped file is one. Records that are
read one after the other are shuffled within a buffer alone, and are not a function of (seed, step).
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

FILE_SIZE = 2**30  # bytes, at most, but for an array that is larger


def allocate(shapes: Sequence[tuple[int, ...]], max_memory_mb: int, folder: Path) -> list[np.ndarray]:
    """An uninitialized array of each shape, uint8: in memory, or in files where all would take more than that.

    The arrays lie one after the other in files of up to `FILE_SIZE`, none in two of them. The files have no names: they
    go with the arrays, or with the process, however that ends.

    Args:
        shapes: of the arrays.
        max_memory_mb: MiB.
        folder: on the disk that the files are to be on.

    Raises:
        OSError: the disk has no space for them.
    """
    sizes = [math.prod(shape) for shape in shapes]
    in_memory = sum(sizes) <= max_memory_mb * 2**20
    arrays: list[np.ndarray] = []
    while len(arrays) < len(shapes):
        end, size = len(arrays), 0
        while end < len(shapes) and (size == 0 or in_memory or size + sizes[end] <= FILE_SIZE):
            size += sizes[end]
            end += 1
        place, block = 0, np.empty(size, np.uint8) if in_memory else _mapped(size, folder)
        for number in range(len(arrays), end):
            arrays.append(block[place : place + sizes[number]].reshape(shapes[number]))
            place += sizes[number]
    return arrays


def read_ahead(array: np.ndarray) -> np.ndarray:
    """The array; if it is one of a file, the system is told to read it as a whole.

    Else it reads a page of 4 KiB whenever one is touched, after it has seen that access is random.
    """
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    if isinstance(whole.base, mmap.mmap) and array.size:
        start = array.ctypes.data - whole.ctypes.data
        page = start - start % mmap.PAGESIZE
        whole.base.madvise(mmap.MADV_WILLNEED, page, start - page + array.nbytes)
    return array


def _mapped(size: int, folder: Path) -> np.ndarray:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)  # else a disk that gets full kills the process
        except OSError as error:
            error.filename = str(folder)
            raise
        return np.memmap(file, np.uint8, "r+", shape=size)
