"""One function over many items, each in one of several processes with its share of the processors.

Small networks train faster as two processes of one thread than as one process of two.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from cardiotrace.inference.engine import usable_processors
from cardiotrace.learning.allocator import keep_freed_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(function: Callable[[Item], Result], items: Sequence[Item], *, jobs: int) -> Iterator[Result]:
    """Results as they come, in any order.

    An error of any item stops the whole; so does an interruption, and processes that still work are ended.

    Args:
        function: of a module, so that a fresh process finds it.
        items: what it is called with.
        jobs: number of processes; 1 works in this process, in order.

    Raises:
        ValueError: `jobs` is below 1.

    Example:
        >>> list(in_processes(abs, [-1, 2], jobs=1))
        [1, 2]
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    if jobs == 1 or len(items) < 2:
        yield from map(function, items)
        return
    jobs = min(jobs, len(items))
    # Fresh interpreters: a forked one would inherit torch's threads in an unknown state.
    context = multiprocessing.get_context("spawn")
    threads = max(1, usable_processors() // jobs)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(threads,))
    try:
        for done in as_completed([pool.submit(function, item) for item in items]):
            yield done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    pool.shutdown()


def _begin(threads: int) -> None:
    """Set up a process before it loads torch."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its processes; they would go on unseen."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
