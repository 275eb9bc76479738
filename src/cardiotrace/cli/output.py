"""Lines on standard output and standard error; nothing else prints.

They often quote names of files and words of model files: what a terminal would obey rather than show is written out.
"""

import logging
import sys
from typing import TextIO

from cardiotrace.core.text import printable


def say(text: object = "", *, end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print a text as `print` does; control characters in it are written out."""
    print(printable(str(text)), end=end, file=file, flush=flush)


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def show_log() -> None:
    """Write what the package tells its log to standard error: with --debug."""
    log = logging.getLogger("cardiotrace")
    log.setLevel(logging.DEBUG)
    if not any(isinstance(handler.formatter, _Printable) for handler in log.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(_Printable("%(levelname)s %(name)s: %(message)s"))
        log.addHandler(handler)


def complain(text: object) -> None:
    """Print a text on standard error."""
    say(text, file=sys.stderr)
