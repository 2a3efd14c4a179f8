"""A function in a process of its own.

TensorFlow keeps the compiled steps of a training for as long as its process lives, so that many trainings in one
process fill the memory; and a process that the system kills for its memory would take all other jobs with it.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from lpr.errors import UserError

Returned = TypeVar("Returned")
_SPAWN = get_context("spawn")


class KilledError(UserError):
    """The process ended before the function returned."""


def call(function: Callable[..., Returned], *arguments: Any) -> Returned:
    """What the function returns in a new process, which starts in the current folder and ends with this one.

    Args:
        function: of a module, or a method of an object that can be pickled, as its arguments and what it returns can.

    Raises:
        KilledError: the process was killed.
        Exception: what the function raised; the traceback is in its notes.
    """
    receiver, sender = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_answer, args=(sender, function, arguments))
    process.start()
    sender.close()  # the process has the other; at its end the receiver comes to an end
    try:
        returned, result = receiver.recv()
        process.join()
    except EOFError:
        process.join()
        status = process.exitcode or 0
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        raise KilledError(f"its process {how}, as the system does where memory runs out") from None
    finally:
        process.kill()  # of one that has ended, nothing; else this one is interrupted
    if not returned:
        raise result
    answer: Returned = result
    return answer


def _answer(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it, too, and then ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer: tuple[bool, Any] = True, function(*arguments)
    except Exception as error:
        answer = False, _with_traceback(error)
    sender.send(answer)


def _with_traceback(error: Exception) -> Exception:
    """The error with its traceback as a note; another, of the same words, where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(traceback.format_exc())
    return error


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
