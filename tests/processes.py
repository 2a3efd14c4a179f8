"""Processes that the code under test starts."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_alive(number: int) -> bool:
    """Whether there is such a process; one that has ended and was not yet waited for is none."""
    return _state_and_parent(number)[0] not in "ZX"


def own_processes(parent: int) -> list[int]:
    """The processes that `lpr.experiment.own_process` of this parent has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if _state_and_parent(int(folder.name))[1] == parent:
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if b"lpr.experiment.own_process" in command:
                found.append(int(folder.name))
    return found


@contextmanager
def killing_own_processes(parent: int) -> Iterator[list[int]]:
    """Kill those of `parent` as soon as they start; gives their numbers."""
    killed: list[int] = []
    done = threading.Event()

    def kill() -> None:
        while not done.is_set():
            for number in own_processes(parent):
                if number not in killed:
                    os.kill(number, signal.SIGKILL)
                    killed.append(number)
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def _state_and_parent(number: int) -> tuple[str, int]:
    try:
        state, parent = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()[:2]
    except OSError:
        return "X", 0
    return state, int(parent)
