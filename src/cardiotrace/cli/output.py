"""Lines on standard output and standard error; nothing else prints.

They often quote names of files and words of model files: what a terminal would obey rather than show is written out.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import TextIO

from cardiotrace.core.text import printable


def say(text: object = "", *, end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print a text as `print` does; control characters in it are written out."""
    print(printable(str(text)), end=end, file=file, flush=flush)


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


@contextlib.contextmanager
def shown_log() -> Iterator[None]:
    """Write what the package tells its log to standard error while it lasts: with --debug."""
    log = logging.getLogger("cardiotrace")
    before = log.level
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.setLevel(before)
        log.removeHandler(handler)


def complain(text: object) -> None:
    """Print a text on standard error."""
    say(text, file=sys.stderr)
