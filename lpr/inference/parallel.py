"""Work on several items at a time, with results in their order; and objects that one thread uses at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_WINDOW = 2  # items in work for each worker: there is a next one while the oldest waits to be taken


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """The results of a function for each item, in the items' order, by threads.

    Items are taken, in the calling thread, as results are: no more than `_WINDOW` a worker are in work, so that memory
    stays flat however many there are. A result that is next in order and done is returned before an item is taken.

    Args:
        function: which several threads may call at a time.
        items: taken one after another.
        workers: threads; with one, each item is processed in the calling thread when its result is asked for.

    Raises:
        Exception: what the function raises for an item, or the items themselves, in place of the result; what comes
            after it is dropped.
    """
    if workers == 1:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for future in _submitted(pool, function, items):
                waiting.append(future)
                while waiting and (waiting[0].done() or len(waiting) >= _WINDOW * workers):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _submitted(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Future[Result]]:
    try:
        for item in items:
            yield pool.submit(function, item)
    except Exception as error:  # of the items: in its turn, after the results of those before it
        failed: Future[Result] = Future()
        failed.set_exception(error)
        yield failed


class Pool(Generic[Item]):
    """Objects of which each is used by one thread at a time; made when none is idle, up to a number.

    Args:
        first: the first of them.
        make: makes another one; it is called by one thread at a time.
        size: how many there are at most.
    """

    def __init__(self, first: Item, make: Callable[[], Item], size: int) -> None:
        self._idle, self._make, self._making, self._free = [first], make, Lock(), BoundedSemaphore(size)

    @contextmanager
    def one(self) -> Iterator[Item]:
        """One of them, for this thread alone; waits while all are in use."""
        with self._free:
            try:
                used = self._idle.pop()
            except IndexError:
                with self._making:
                    used = self._make()
            try:
                yield used
            finally:
                self._idle.append(used)
