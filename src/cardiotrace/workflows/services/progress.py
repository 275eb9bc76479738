"""How a long piece of work tells how far it is; the command line draws bars from it, other callers may ignore it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Tick = Callable[[int, int], None]
"""Called with (done, total)."""


class ProgressReporter(Protocol):
    """Somebody who is told."""

    def stage(self, title: str) -> AbstractContextManager[Tick]:
        """A stage of the work begins; the tick is called while it lasts."""
        ...

    def say(self, text: str) -> None:
        """One line worth reading: a finished epoch, a written file."""
        ...


class SilentReporter:
    """Nobody is told."""

    def stage(self, title: str) -> AbstractContextManager[Tick]:
        """See `ProgressReporter`."""
        return nullcontext(lambda done, total: None)

    def say(self, text: str) -> None:
        """See `ProgressReporter`."""


SILENT = SilentReporter()
