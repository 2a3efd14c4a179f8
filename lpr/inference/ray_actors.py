"""Images processed by Ray, for `lpr predict --on ray`: by the cores of this machine, or by all machines of a cluster.

Plain actors rather than `ray.data`: results come one by one and in order, so that each is written as soon as it is
done, and no pyarrow is needed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, TypeVar

import ray

from lpr.errors import UserError
from lpr.inference.parallel import Pool, map_in_order

Item = TypeVar("Item")
Result = TypeVar("Result")

_RESTARTS = 2  # of an actor whose machine or process ended, with the item that it was working on


class _Actor(Generic[Item, Result]):
    """A process that makes a function for its first item, and calls it for each."""

    def __init__(self, make: Callable[[], Callable[[Item], Result]]) -> None:
        self._function = cache(make)  # not called here: Ray hides the cause of what ends a constructor

    def call(self, item: Item) -> Result:
        return self._function()(item)


@contextmanager
def mapping_by_ray(
    make: Callable[[], Callable[[Item], Result]], workers: int | None
) -> Iterator[Callable[[Iterable[Item]], Iterator[Result]]]:
    """A function that maps items to their results as `map_in_order` does, by actors that take one core each.

    Args:
        make: is called in each actor, and makes the function of an item. It, the items and the results are pickled.
        workers: actors; None: one a core of the cluster.

    Raises:
        UserError: no cluster is at the address in RAY_ADDRESS; or what `make` or its function raises as such.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(include_dashboard=False, logging_level=logging.ERROR)
    except ConnectionError as error:
        raise UserError(f"no Ray cluster answers at {os.environ.get('RAY_ADDRESS')} (RAY_ADDRESS): {error}") from None
    try:
        actors = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        remote: Any = ray.remote(num_cpus=1, max_restarts=_RESTARTS, max_task_retries=_RESTARTS)(_Actor)
        pool: Pool[Any] = Pool(remote.remote(make), lambda: remote.remote(make), actors)

        def call(item: Item) -> Result:
            with pool.one() as actor:
                result: Result = ray.get(actor.call.remote(item))
                return result

        def mapped(items: Iterable[Item]) -> Iterator[Result]:
            try:
                yield from map_in_order(call, items, actors)
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, UserError):
                    raise UserError(str(error.cause)) from None
                raise

        yield mapped
    finally:
        ray.shutdown()
