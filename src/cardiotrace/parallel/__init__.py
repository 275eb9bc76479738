"""Many pieces of work at a time: in threads, in processes, and later on other machines."""

from cardiotrace.parallel.executor import Executor, SerialExecutor
from cardiotrace.parallel.parent import led_by_parent
from cardiotrace.parallel.processes import ProcessExecutor, make_executor
from cardiotrace.parallel.processors import usable_processors
from cardiotrace.parallel.threads import batched, in_threads

__all__ = [
    "Executor",
    "ProcessExecutor",
    "SerialExecutor",
    "batched",
    "in_threads",
    "led_by_parent",
    "make_executor",
    "usable_processors",
]
