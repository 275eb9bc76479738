"""Lines on standard output and standard error; nothing else prints.

They often quote names of files and words of model files: what a terminal would obey rather than show is written out.
"""

import sys
from typing import TextIO

from cardiotrace.core.text import printable


def say(text: object = "", *, end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print a text as `print` does; control characters in it are written out."""
    print(printable(str(text)), end=end, file=file, flush=flush)


def complain(text: object) -> None:
    """Print a text on standard error."""
    say(text, file=sys.stderr)
