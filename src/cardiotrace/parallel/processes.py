"""One function over many items in several processes of this machine, each with its share of the processors.

Small networks train faster as two processes of one thread than as one process of two. `concurrent.futures` would do
for the results alone: its pool tells neither how far an item is, nor which one was lost with a process that was killed.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection as connections
from typing import Any, Generic

from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.parallel.channel import ProgressMessage, ReceivedProgress
from cardiotrace.parallel.executor import Executor, Item, Result, SerialExecutor, name_of
from cardiotrace.parallel.process import WorkerProcess
from cardiotrace.parallel.processors import threads_of_new_processes, usable_processors
from cardiotrace.parallel.worker import Failed, Finished

_LOG = logging.getLogger(__name__)
_SECONDS_TO_CLEAN_UP = 10.0
_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class ProcessExecutor:
    """Works in several processes; see `Executor`.

    A single item is worked on here: a process of its own would gain nothing.

    Raises:
        ValueError: no processes, or no threads.
    """

    processes: int
    """At most so many at a time."""
    threads: int | None = None
    """Of the numerical libraries in each process; by default its share of the processors."""
    initialiser: Callable[[], object] | None = None
    """Called once in each process, before the function and all that it imports are loaded."""

    def __post_init__(self) -> None:
        if self.processes < 1 or (self.threads is not None and self.threads < 1):
            raise ValueError(f"processes and threads must be at least 1, got {self.processes} and {self.threads}")

    def map_unordered(
        self,
        function: Callable[[Item, ProgressReporter], Result],
        items: Sequence[Item],
        reporter: ProgressReporter = SILENT,
    ) -> Iterator[Result]:
        """See `Executor`."""
        count = min(self.processes, len(items))
        if count < 2:
            yield from SerialExecutor().map_unordered(function, items, reporter)
            return
        workers: list[_Worker[Item, Result]] = []
        try:
            with threads_of_new_processes(self.threads or max(1, usable_processors() // count)):
                workers.extend(_Worker(function, self.initialiser, reporter) for _ in range(count))
            yield from _results(workers, deque(items))
        except BaseException:
            _cancel(workers)
            raise
        for worker in workers:
            worker.process.process.join()


def make_executor(jobs: int, *, initialiser: Callable[[], object] | None = None) -> Executor:
    """What works on so many items at a time.

    Args:
        jobs: 1 works here.
        initialiser: see `ProcessExecutor`.

    Raises:
        ValueError: `jobs` is below 1.
    """
    return SerialExecutor() if jobs == 1 else ProcessExecutor(jobs, initialiser=initialiser)


class _Worker(Generic[Item, Result]):
    """A process, and the item that it is working on."""

    def __init__(
        self,
        function: Callable[[Item, ProgressReporter], Result],
        initialiser: Callable[[], object] | None,
        reporter: ProgressReporter,
    ) -> None:
        self.process = WorkerProcess(function, initialiser)
        self.connection = self.process.connection
        self._reporter = reporter
        self._progress = ReceivedProgress(reporter, "")

    def goes_on_with(self, waiting: deque[Item]) -> bool:
        """Give it the next item; where there is none, it may end, and the answer is False."""
        if not waiting:
            self.process.dismiss()
            return False
        item = waiting.popleft()
        self.process.name = name_of(item)
        self._progress = ReceivedProgress(self._reporter, self.process.name)
        _LOG.debug("%s: in process %s", self.process.name, self.process.process.pid)
        self.process.send(item)
        return True

    def receive(self) -> Finished | None:
        """What it sent next, progress told; None where the item is not done yet.

        Raises:
            WorkError: it was killed.
            Exception: what the work on the item raised.
        """
        message: ProgressMessage | Finished | Failed | None = self.process.receive()
        if isinstance(message, Failed):
            raise message.error
        if isinstance(message, Finished):
            self._progress.close()
            return message
        if message is not None:
            self._progress.tell(message)
        return None

    def cancel(self) -> None:
        """Ask it to clean up and end."""
        self._progress.close()
        self.process.cancel()


def _results(workers: "Sequence[_Worker[Item, Result]]", waiting: deque[Item]) -> Iterator[Result]:
    """Keep the workers busy; results as they come."""
    busy: dict[Any, _Worker[Item, Result]] = {
        worker.connection: worker for worker in workers if worker.goes_on_with(waiting)
    }
    while busy:
        for connection in connections.wait(list(busy), _SECONDS_BETWEEN_LOOKS):
            done = busy[connection].receive()
            if done is None:
                continue
            # First: it works on while the result is looked at.
            if not busy[connection].goes_on_with(waiting):
                del busy[connection]
            yield done.result
        for worker in busy.values():
            worker.process.look_after()


def _cancel(workers: "Sequence[_Worker[Any, Any]]") -> None:
    """End all of them at once: asked first, so that they clean up side by side, then made to."""
    for worker in workers:
        worker.cancel()
    until = time.monotonic() + _SECONDS_TO_CLEAN_UP
    for worker in workers:
        worker.process.end(until)
