"""One further process that works on items, one after another: started fresh, looked after, ended at once if need be."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection as connections
from typing import Any

from cardiotrace.core.errors import WorkError
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.parallel.worker import serve

_SECONDS_TO_CLEAN_UP = 10.0
_SECONDS_BETWEEN_LOOKS = 1.0
# Fresh interpreters: a forked one would inherit the threads of numerical libraries in an unknown state.
_SPAWN = multiprocessing.get_context("spawn")


class WorkerProcess:
    """A process that calls one function with every item that it is sent; it ends with the process that started it.

    Args:
        function: called with an item and somebody to tell of its progress.
        initialiser: called once, before the function and all that it imports are loaded.
    """

    def __init__(
        self, function: Callable[[Any, ProgressReporter], Any], initialiser: Callable[[], object] | None = None
    ) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=serve, args=(theirs, initialiser))
        self.process.start()
        theirs.close()  # or its end would never be seen
        self.name = ""
        """What it works on, for the error that tells of its death."""
        self.send(function)

    def send(self, message: Any) -> None:
        """Send it the next item.

        Raises:
            WorkError: it was killed.
        """
        try:
            self.connection.send(message)
        except OSError:
            raise self.killed() from None

    def dismiss(self) -> None:
        """Let it end once it is done with what it was sent."""
        with suppress(OSError):  # it has nothing to do any more: how it ends is all the same
            self.connection.send_bytes(b"")

    def receive(self, seconds: float = 0.0) -> Any:
        """What it sent next: a `ProgressMessage`, `Finished` or `Failed`; None where nothing came in time.

        Raises:
            WorkError: it was killed.
        """
        try:
            if not self.connection.poll() and seconds:
                connections.wait([self.connection, self.process.sentinel], seconds)
            return self.connection.recv() if self.connection.poll() else None
        except (EOFError, OSError):
            raise self.killed() from None

    def look_after(self) -> None:
        """Notice a death that the connection does not show, as children of the process hold it open.

        Raises:
            WorkError: it was killed.
        """
        if self.process.exitcode is not None and not self.connection.poll():
            raise self.killed()

    def cancel(self) -> None:
        """Ask it to clean up and end."""
        self.connection.close()
        self.process.terminate()

    def end(self, until: float) -> None:
        """Wait for its end, but not longer than to a time of `time.monotonic`; its own children end with it."""
        while self.process.exitcode is None and (left := until - time.monotonic()) > 0:
            # The sentinel alone is not enough: a child of the process may hold it open.
            connections.wait([self.process.sentinel], min(left, _SECONDS_BETWEEN_LOOKS))
        self.kill()
        self.process.join()

    def kill(self) -> None:
        """End it now, with all that it started; whoever waits in `receive` is told. May be called by any thread."""
        if hasattr(os, "killpg") and self.process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):  # nobody is left in its group, or it never made one
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def killed(self) -> WorkError:
        """What to say of its death."""
        self.process.join(_SECONDS_TO_CLEAN_UP)
        code = self.process.exitcode
        by = f"with status {code}" if code is None or code >= 0 else f"by {signal.Signals(-code).name}"
        return WorkError(
            f"{self.name or 'a worker'}: its process was ended from outside {by}, most likely for want of memory",
            remedy="run it again with fewer at a time (--jobs): what is finished is kept.",
        )
