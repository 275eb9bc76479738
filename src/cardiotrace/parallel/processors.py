"""How many processors there are to compute with, and how a process is told its share of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What numerical libraries read once, when they are loaded."""


def usable_processors() -> int:
    """Number of processors this process may use, which on a shared machine are fewer than it has.

    OMP_NUM_THREADS bounds it, as it bounds all other numerical libraries.
    """
    # Containers and batch queues bind a process to some of a machine's processors; `cpu_count` counts all of them.
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    bound = os.environ.get("OMP_NUM_THREADS", "")
    return min(mine, int(bound)) if bound.isdecimal() and int(bound) > 0 else mine


@contextmanager
def threads_of_new_processes(count: int) -> Iterator[None]:
    """Processes that are started meanwhile compute with so many threads; this one goes on as before.

    The libraries read their variables when they are loaded, which in a fresh process may be before any line of ours
    runs: the variables must be there when it starts.

    Args:
        count: threads of each numerical library.
    """
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
