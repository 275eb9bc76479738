"""Many small pieces of work in threads, in order."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], *, jobs: int) -> Iterator[Result]:
    """Results of work on items, in their order, as soon as they are there; one job is no thread at all.

    Args:
        work: must not hold the interpreter's lock for long, or threads do not help.
        items: taken when there is a free thread: only as many are in hand as keep all busy.
        jobs: threads.

    Raises:
        Whatever the work raises, when its result would have come.

    Example:
        >>> list(in_threads(abs, [-1, 2, -3], jobs=2))
        [1, 2, 3]
    """
    if jobs == 1:
        yield from map(work, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                # Twice the threads: enough that none waits for its next item, few enough that results do not pile up.
                if len(waiting) > 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter.

    Example:
        >>> list(batched("abc", 2))
        [['a', 'b'], ['c']]
    """
    rest = iter(items)
    while chunk := list(itertools.islice(rest, size)):
        yield chunk
