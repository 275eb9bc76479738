"""What can go wrong, sorted by who can mend it; each kind carries the exit status of the command line."""

import os
from pathlib import Path

from cardiotrace.core.text import on_one_line, printable


class CardioTraceError(Exception):
    """Base of every error this package raises on purpose.

    The message is one or two lines: what is wrong, where, and what to do about it. It often quotes what came from
    outside: control characters are written out.
    """

    exit_status = 4

    def __init__(self, what: str, *, where: str | Path | None = None, remedy: str = "") -> None:
        self.what = printable(what)
        self.where = None if where is None else str(where)
        self.remedy = printable(remedy)
        message = self.what if self.where is None else f"{on_one_line(self.where)}: {self.what}"
        super().__init__(f"{message}\n{self.remedy}" if remedy else message)


class UsageError(CardioTraceError):
    """The command was given words that do not fit together."""

    exit_status = 2


class InputError(CardioTraceError):
    """A file, folder, recipe or model that was handed in cannot be used."""

    exit_status = 3


class ConfigError(InputError):
    """A recipe or another configuration has an unknown key, a wrong type or a bad value."""


class ModelFileError(InputError):
    """A model file is damaged, of another version, or lacks what is needed to use it."""


class NoModelError(InputError):
    """No model is at hand for a view."""


class WorkError(CardioTraceError):
    """The input was fine, the work failed: a full disk, an unwritable folder, a diverged training."""

    exit_status = 4


def explained(error: BaseException, *, where: Path | None = None) -> CardioTraceError:
    """What to say of an error of any kind, in the words of this package.

    Args:
        error: that a piece of work raised; one of this package's own comes back as it is.
        where: what the work was about.

    Example:
        >>> print(explained(ZeroDivisionError("by zero"), where=Path("patient0001")))
        patient0001: unexpected ZeroDivisionError: by zero
        this is a fault of CardioTrace: please report it with what --debug prints.
    """
    if isinstance(error, CardioTraceError):
        return error
    if isinstance(error, MemoryError):
        remedy = "close other programs, or work on less at once."
        return WorkError("this needs more memory than there is", where=where, remedy=remedy)
    if isinstance(error, OSError) and error.strerror:
        place = where if error.filename is None else Path(os.fsdecode(error.filename))
        remedy = "the system refused: look at the name, the permissions and the free space."
        return WorkError(error.strerror, where=place, remedy=remedy)
    remedy = "this is a fault of CardioTrace: please report it with what --debug prints."
    return WorkError(f"unexpected {type(error).__name__}: {error}", where=where, remedy=remedy)
