"""One function over many items, each in one of several processes with its share of the processors.

Small networks train faster as two processes of one thread than as one process of two.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from cardiotrace.core.errors import WorkError
from cardiotrace.core.interruption import clean_interruption
from cardiotrace.inference.engine import usable_processors
from cardiotrace.learning.allocator import keep_freed_memory

_SECONDS_TO_CLEAN_UP = 10.0

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
        WorkError: a process was killed.

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
    before = set(multiprocessing.active_children())
    try:
        for done in as_completed([pool.submit(_work, function, item) for item in items]):
            yield done.result()
    except BrokenProcessPool:
        _end(pool, set(multiprocessing.active_children()) - before)
        raise WorkError(
            f"one of {jobs} processes was ended from outside, most likely for want of memory",
            remedy="run it again with fewer --jobs: what is finished is kept.",
        ) from None
    except BaseException:
        _end(pool, set(multiprocessing.active_children()) - before)
        raise
    pool.shutdown()


def _end(pool: ProcessPoolExecutor, children: Iterable[multiprocessing.process.BaseProcess]) -> None:
    """Ask the processes to clean up and end; those that do not are ended in a while."""
    pool.shutdown(wait=False, cancel_futures=True)
    for child in children:
        child.terminate()
    until = time.monotonic() + _SECONDS_TO_CLEAN_UP
    for child in children:
        child.join(max(0.0, until - time.monotonic()))
        if child.is_alive():
            child.kill()


def _work(function: Callable[[Item], Result], item: Item) -> Result:
    """The work of a process on one item; asked to end, it cleans up, and does not begin another."""
    try:
        with clean_interruption():
            return function(item)
    except KeyboardInterrupt as interruption:
        os._exit(getattr(interruption, "exit_status", 1))


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
