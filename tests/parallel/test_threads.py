"""Work in threads comes back in order, and its errors come through."""

import threading
import time

import pytest

from cardiotrace.parallel import in_threads


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(jobs):
    def slow_first(item):
        time.sleep(0.02 if item % 3 == 0 else 0)
        return item * item

    assert list(in_threads(slow_first, range(20), jobs=jobs)) == [item * item for item in range(20)]


def test_two_jobs_run_at_once():
    both = threading.Barrier(2, timeout=10)
    assert len(list(in_threads(lambda _: both.wait(), range(4), jobs=2))) == 4


def test_an_error_comes_with_its_item_and_ends_the_work():
    begun = []

    def work(item):
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        return item

    results = in_threads(work, range(1000), jobs=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(begun) < 20


def test_few_items_are_in_hand():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = in_threads(abs, items(), jobs=2)
    next(results)
    assert len(taken) <= 6
    results.close()
