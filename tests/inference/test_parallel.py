"""Several items at a time, with results in order; and objects that one thread uses at a time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lpr.inference.parallel import Pool, map_in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    assert list(map_in_order(slow_first, range(20), workers)) == [item * item for item in range(20)]


def test_several_items_are_in_work_but_not_many() -> None:
    together = threading.Barrier(3, timeout=10)  # breaks unless three threads meet
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(30):
            taken.append(item)
            yield item

    def meet(item: int) -> int:
        together.wait()
        return item

    for item in map_in_order(meet, items(), 3):
        assert len(taken) - item <= 7
    assert len(taken) == 30


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_comes_in_its_turn(workers: int) -> None:
    def broken() -> Iterator[int]:
        yield from range(5)
        raise OSError("the file ends here")

    def odd(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    for error, function, count in ((OSError, abs, 5), (ValueError, odd, 3)):
        found: list[int] = []
        with pytest.raises(error, match=r"the file ends here|three"):
            found.extend(map_in_order(function, broken(), workers))
        assert found == list(range(count))


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    results = map_in_order(lambda item: item, range(1000), 3)
    assert next(results) == 0
    del results
    assert threading.active_count() == before


def test_a_pool_makes_no_more_than_it_needs_and_may() -> None:
    made = [object()]
    most = []

    def make() -> object:
        made.append(object())
        return made[-1]

    pool = Pool(made[0], make, 2)
    for _ in range(5):
        with pool.one() as one:
            assert one is made[0]
    in_use: set[object] = set()

    def use(_: int) -> None:
        with pool.one() as one:
            assert one not in in_use
            in_use.add(one)
            most.append(len(in_use))
            time.sleep(0.01)
            in_use.remove(one)

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(use, range(20)))
    assert len(made) == max(most) == 2
