"""How a long piece of work tells how far it is; the command line draws bars from it, other callers may ignore it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from cardiotrace.core.progress import OnProgress


class ProgressReporter(Protocol):
    """Receives the progress of a piece of work: its stages, and lines worth reading."""

    def stage(self, title: str) -> AbstractContextManager[OnProgress]:
        """Begin a stage of the work; the `OnProgress` that it gives is called while the stage lasts."""
        ...

    def say(self, text: str) -> None:
        """One line worth reading: a finished epoch, a written file."""
        ...


class SilentReporter:
    """A `ProgressReporter` that passes everything over."""

    def stage(self, title: str) -> AbstractContextManager[OnProgress]:
        """See `ProgressReporter`."""
        return nullcontext(lambda done, total: None)

    def say(self, text: str) -> None:
        """See `ProgressReporter`."""


SILENT = SilentReporter()
