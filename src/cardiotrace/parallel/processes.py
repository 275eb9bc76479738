"""One function over many items in several processes of this machine, each with its share of the processors.

Small networks train faster as two processes of one thread than as one process of two. `concurrent.futures` would do
for the results alone: its pool tells neither how far an item is, nor which one was lost with a process that was killed.
"""

import logging
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection as connections
from typing import Any, Generic

from cardiotrace.core.errors import WorkError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.parallel.channel import ProgressMessage, ReceivedProgress
from cardiotrace.parallel.executor import Executor, Item, Result, SerialExecutor, name_of
from cardiotrace.parallel.processors import threads_of_new_processes, usable_processors
from cardiotrace.parallel.worker import Failed, Finished, serve

_LOG = logging.getLogger(__name__)
_SECONDS_TO_CLEAN_UP = 10.0
_SECONDS_BETWEEN_LOOKS = 1.0
# Fresh interpreters: a forked one would inherit the threads of numerical libraries in an unknown state.
_SPAWN = multiprocessing.get_context("spawn")


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
            worker.process.join()


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
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=serve, args=(theirs, initialiser))
        self.process.start()
        theirs.close()  # or its end would never be seen
        self._reporter = reporter
        self._name = ""
        self._progress = ReceivedProgress(reporter, "")
        self._send(function)

    def goes_on_with(self, waiting: deque[Item]) -> bool:
        """Give it the next item; where there is none, it may end, and the answer is False."""
        if not waiting:
            with suppress(OSError):  # it has nothing to do any more: how it ends is all the same
                self.connection.send_bytes(b"")
            return False
        item = waiting.popleft()
        self._name = name_of(item)
        self._progress = ReceivedProgress(self._reporter, self._name)
        _LOG.debug("%s: in process %s", self._name, self.process.pid)
        self._send(item)
        return True

    def receive(self) -> Finished | None:
        """What it sent next, progress told; None where the item is not done yet.

        Raises:
            WorkError: it was killed.
            Exception: what the work on the item raised.
        """
        try:
            if not self.connection.poll():
                return None
            message: ProgressMessage | Finished | Failed = self.connection.recv()
        except (EOFError, OSError):
            raise self._killed() from None
        if isinstance(message, Failed):
            raise message.error
        if isinstance(message, Finished):
            self._progress.close()
            return message
        self._progress.tell(message)
        return None

    def look_after(self) -> None:
        """Notice a death that the connection does not show, as children of the process hold it open.

        Raises:
            WorkError: it was killed.
        """
        if self.process.exitcode is not None and not self.connection.poll():
            raise self._killed()

    def cancel(self) -> None:
        """Ask it to clean up and end."""
        self._progress.close()
        self.connection.close()
        self.process.terminate()

    def end(self, until: float) -> None:
        """Wait for its end, but not longer than to a time of `time.monotonic`; its own children end with it."""
        while self.process.exitcode is None and (left := until - time.monotonic()) > 0:
            # The sentinel alone is not enough: a child of the process may hold it open.
            connections.wait([self.process.sentinel], min(left, _SECONDS_BETWEEN_LOOKS))
        if hasattr(os, "killpg") and self.process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):  # nobody is left in its group, or it never made one
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()

    def _send(self, message: Any) -> None:
        try:
            self.connection.send(message)
        except OSError:
            raise self._killed() from None

    def _killed(self) -> WorkError:
        self.process.join(_SECONDS_TO_CLEAN_UP)
        code = self.process.exitcode
        by = f"with status {code}" if code is None or code >= 0 else f"by {signal.Signals(-code).name}"
        return WorkError(
            f"{self._name or 'a worker'}: its process was ended from outside {by}, most likely for want of memory",
            remedy="run it again with fewer at a time (--jobs): what is finished is kept.",
        )


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
            worker.look_after()


def _cancel(workers: "Sequence[_Worker[Any, Any]]") -> None:
    """End all of them at once: asked first, so that they clean up side by side, then made to."""
    for worker in workers:
        worker.cancel()
    until = time.monotonic() + _SECONDS_TO_CLEAN_UP
    for worker in workers:
        worker.end(until)
