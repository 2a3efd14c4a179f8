"""A function in a process of its own: what it returns and raises, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lpr.errors import UserError
from lpr.experiment.own_process import KilledError, call


def test_it_runs_elsewhere_in_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(os.getcwd) == str(tmp_path)
    assert call(os.getppid) == os.getpid()


def test_errors_come_back_with_their_traceback() -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        call(int, "many")
    assert "in _answer" in raised.value.__notes__[0]


def test_one_that_is_killed_is_an_error_for_people() -> None:
    with pytest.raises(UserError, match="killed by SIGKILL, as the system does where memory runs out"):
        call(signal.raise_signal, signal.SIGKILL)
    with pytest.raises(KilledError, match="ended with status 3"):
        call(os._exit, 3)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_its_parent(sent: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import os, time\n"
        "from lpr.experiment.own_process import call\n"
        "def work():\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    call(work)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "main.py"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    child = Path("/proc") / parent.stdout.readline().strip()
    assert child.is_dir()
    parent.send_signal(sent)
    parent.wait(timeout=30)
    until = time.monotonic() + 30
    while child.is_dir():
        assert time.monotonic() < until, "it outlived its parent"
        time.sleep(0.02)
