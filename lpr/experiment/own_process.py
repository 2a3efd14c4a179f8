"""A function in a process of its own.

TensorFlow keeps the compiled steps of a training for as long as its process lives, so that many trainings in one
process fill the memory; and a process that the system kills for its memory would take all other jobs with it.

The process is an interpreter like any other, not one of `multiprocessing`: those skip Python's own clean-up, so that
joblib's idle processes would live on for minutes.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from tempfile import TemporaryFile
from types import FrameType
from typing import IO, Any, NoReturn, TypeVar

from lpr.errors import UserError

Returned = TypeVar("Returned")
# By the parent's `sys.path` it finds the parent's modules.
_CODE = (
    "import pickle, sys; file = open(int(sys.argv[1]), 'r+b'); sys.path, sys.argv = pickle.load(file); "
    f"from {__name__} import answer; answer(file)"
)
_TIDY_S = 10.0  # for what an interrupted function does at its end


class KilledError(UserError):
    """The process ended before the function returned."""


def call(function: Callable[..., Returned], *arguments: Any) -> Returned:
    """What the function returns in a new process, which starts in the current folder and ends with this one.

    Args:
        function: of a module; it, its arguments, and what it returns or raises are pickled.

    Raises:
        KilledError: the process was killed.
        Exception: what the function raised; the traceback is in its notes.
    """
    # A file for both ways: at the end of a pipe one waits for every process that has it.
    with TemporaryFile() as file:
        file.write(pickle.dumps((sys.path, sys.argv)) + pickle.dumps((function, arguments)))
        file.flush()
        asked = file.tell()
        file.seek(0)
        sys.stdout.flush()  # what is printed there comes after it
        with _start(file.fileno()) as process:
            try:
                process.wait()
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)  # a terminal has sent it already, `kill` has not
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_TIDY_S)
                raise
            finally:
                process.kill()  # where it still lives
                process.wait()
        file.seek(asked)
        try:
            returned, result, trace = pickle.load(file)
        except (EOFError, pickle.UnpicklingError):
            raise KilledError(_describe_end(process.returncode)) from None
    if not returned:
        result.add_note(trace)
        raise result
    answered: Returned = result
    return answered


def _start(file: int) -> subprocess.Popen[bytes]:
    # Ctrl+C is for the new process, too: blocked at its start, it waits for `answer`, which prints no traceback.
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        command = [sys.executable, "-c", _CODE, str(file)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[file])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)


def _describe_end(status: int) -> str:
    if status >= 0:
        return f"its process ended with status {status}"
    hint = ", as the system does where memory runs out" if status == -signal.SIGKILL else ""
    return f"its process was killed by {signal.Signals(-status).name}{hint}"


def answer(file: IO[bytes]) -> None:
    """In the new process: call what the file asks for, and append what it returns or raises."""
    end_with_parent()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored
        signal.signal(signal.SIGINT, _interrupt_once)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as in lpr.cli.main
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        function, arguments = pickle.load(file)
        answered: tuple[bool, Any, str] = True, function(*arguments), ""
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        answered = False, _picklable(error), traceback.format_exc()
    file.seek(0, os.SEEK_END)
    file.write(pickle.dumps(answered))
    file.close()


def _interrupt_once(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sends it again, while the function cleans up
    raise KeyboardInterrupt


def _picklable(error: Exception) -> Exception:
    """The error, or where it cannot be pickled another of the same words."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def end_with_parent() -> None:
    """End this process as soon as its standard input is closed, a pipe that the parent holds open while it lives."""
    threading.Thread(target=_wait_for_end_of_input, daemon=True).start()


def _wait_for_end_of_input() -> None:
    os.read(0, 1)  # nothing ever comes
    os._exit(1)
