"""Signals that ask the program to end: all of them end it as cleanly as Ctrl-C, a second one at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


class Interrupted(KeyboardInterrupt):
    """A signal asked to end; what is half-done is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_status = 128 + number
        """As a shell tells of a program that the signal killed."""


@contextmanager
def clean_interruption() -> Iterator[None]:
    """Raise `Interrupted` on the first signal, and let the second one do what it does to any program.

    Signals that whoever started this program ignores, such as `nohup`, stay ignored. Only a program's first thread may
    ask for signals: elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    caught = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]

    def interrupt(number: int, frame: FrameType | None) -> None:
        for other in caught:
            signal.signal(other, signal.SIG_DFL)
        raise Interrupted(number)

    for number in caught:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])
