"""The progress channel: what a worker tells its `ProgressReporter` is told again to the one of its parent, in order."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cardiotrace.core.progress import OnProgress
from cardiotrace.core.reporter import ProgressReporter

_SECONDS_BETWEEN_TICKS = 0.1
"""A training ticks at each step, a bar is seen a few times a second."""


@dataclass(frozen=True)
class LineSaid:
    """A line was said."""

    text: str


@dataclass(frozen=True)
class StageBegun:
    """A stage began."""

    number: int
    """Tells the stages of an item apart: several may be open at a time."""
    title: str


@dataclass(frozen=True)
class StageAdvanced:
    """A stage is so far."""

    number: int
    done: int
    total: int


@dataclass(frozen=True)
class StageEnded:
    """A stage ended."""

    number: int


ProgressMessage = LineSaid | StageBegun | StageAdvanced | StageEnded


class SendingReporter:
    """The `ProgressReporter` of a worker: sends all that it is told.

    Args:
        send: takes a message; called from any thread that reports.
    """

    def __init__(self, send: Callable[[ProgressMessage], None]) -> None:
        self._send = send
        self._numbers = itertools.count()

    @contextmanager
    def stage(self, title: str) -> Iterator[OnProgress]:
        """See `ProgressReporter`; ticks that follow each other within a tenth of a second are left out."""
        number = next(self._numbers)
        last = -_SECONDS_BETWEEN_TICKS

        def advance(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            # The last one always goes: a bar that stops short of its end looks like work that hangs.
            if done >= total or now - last >= _SECONDS_BETWEEN_TICKS:
                last = now
                self._send(StageAdvanced(number, done, total))

        self._send(StageBegun(number, title))
        try:
            yield advance
        finally:
            self._send(StageEnded(number))

    def say(self, text: str) -> None:
        """See `ProgressReporter`."""
        self._send(LineSaid(text))


class ReceivedProgress:
    """What one item's worker sends, told to a reporter under the item's name.

    Args:
        reporter: of the parent.
        name: stands before each line and title, since several items speak at a time.
    """

    def __init__(self, reporter: ProgressReporter, name: str) -> None:
        self._reporter = reporter
        self._name = name
        self._stages: dict[int, tuple[ExitStack, OnProgress]] = {}

    def tell(self, message: ProgressMessage) -> None:
        """Tell one message."""
        match message:
            case LineSaid(text):
                self._reporter.say(f"{self._name}: {text}")
            case StageBegun(number, title):
                # Opened by one message and closed by another, stages of several workers overlapping: no `with` can do
                # that.
                stage = ExitStack()
                self._stages[number] = (stage, stage.enter_context(self._reporter.stage(f"{self._name}: {title}")))
            case StageAdvanced(number, done, total):
                self._stages[number][1](done, total)
            case StageEnded(number):
                self._stages.pop(number)[0].close()

    def close(self) -> None:
        """End the stages that are still open: a worker that was killed ends none."""
        while self._stages:
            self._stages.popitem()[1][0].close()
