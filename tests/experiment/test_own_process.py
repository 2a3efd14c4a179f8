"""A function in a process of its own: what it returns and raises, and how it ends."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from clones import ROOT
from processes import is_alive

from lpr.errors import UserError
from lpr.experiment.own_process import KilledError, call

WORK = """
import os, sys, time
from lpr.errors import UserError
from lpr.experiment.own_process import call

class Awkward(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")

def raise_user_error():
    raise UserError("the plate is upside down")

def raise_awkward():
    raise Awkward("one", "two")

def leave_a_process_behind():
    import subprocess
    return subprocess.Popen(["sleep", "60"], close_fds=False).pid

def draw_in_processes():
    from joblib import Parallel, delayed
    return Parallel(2)(delayed(os.getpid)() for _ in range(4))

def tidy():
    import atexit
    atexit.register(print, "at exit", flush=True)
    try:
        print(os.getpid(), flush=True)
        time.sleep(60)
    finally:
        print("tidied", flush=True)

if __name__ == "__main__":
    import work
    call(work.tidy)
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module with functions that are called in processes of their own."""
    (tmp_path / "work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("work")
    del sys.modules["work"]


def test_it_runs_elsewhere_in_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(os.getcwd) == str(tmp_path)
    assert call(os.getppid) == os.getpid()


def test_errors_come_back_with_their_traceback(work: ModuleType) -> None:
    with pytest.raises(UserError, match="the plate is upside down"):
        call(work.raise_user_error)
    with pytest.raises(ValueError, match="invalid literal") as raised:
        call(int, "many")
    assert "in answer" in raised.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Awkward: one and two") as raised:
        call(work.raise_awkward)
    assert "in raise_awkward" in raised.value.__notes__[0]


def test_one_that_is_killed_is_an_error_for_people() -> None:
    with pytest.raises(UserError, match="killed by SIGKILL, as the system does where memory runs out"):
        call(signal.raise_signal, signal.SIGKILL)
    with pytest.raises(KilledError, match="ended with status 3"):
        call(os._exit, 3)


def test_it_is_not_waited_for_longer_than_it_lives(work: ModuleType) -> None:
    started = time.monotonic()
    left = call(work.leave_a_process_behind)
    os.kill(left, signal.SIGKILL)  # it was there until now
    assert time.monotonic() - started < 30


def test_the_processes_of_joblib_end_with_it(work: ModuleType) -> None:
    started = time.monotonic()
    processes = call(work.draw_in_processes)
    assert time.monotonic() - started < 60  # idle, they would wait for 300 s
    wait_for(lambda: not any(map(is_alive, processes)))


@contextmanager
def at_work(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process whose function sleeps in a process of its own, and the number of that."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, tmp_path / "work.py"]
    with subprocess.Popen(
        command,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in a shell's background ignore it
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        yield parent, child
        wait_for(lambda: not is_alive(child))


def test_it_ends_with_its_parent(work: ModuleType, tmp_path: Path) -> None:
    for sent in (signal.SIGKILL, signal.SIGTERM):
        with at_work(tmp_path) as (parent, _):
            parent.send_signal(sent)


@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_an_interruption_ends_both_tidily(work: ModuleType, tmp_path: Path, send: Callable[[int, int], None]) -> None:
    """By `kill -INT`, the parent alone has the signal; by Ctrl+C, both."""
    with at_work(tmp_path) as (parent, _):
        send(parent.pid, signal.SIGINT)
        out, err = parent.communicate(timeout=30)
    assert out.splitlines() == ["tidied", "at exit"]
    assert err.count("Traceback") == 1  # of this parent, which does not catch it
    assert err.endswith("KeyboardInterrupt\n")


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)
