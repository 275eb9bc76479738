"""How a task ended, as what crosses from a worker to the server."""

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import CardioTraceError, InputError, UsageError, explained
from cardiotrace.core.text import on_one_line


@dataclass(frozen=True)
class Done:
    """It ended well."""

    result: Any


@dataclass(frozen=True)
class Refused:
    """It ended with an error."""

    text: str
    remedy: str | None
    place: str = ""
    """Where in the program, for the log: files and lines, none of what they worked on."""
    is_input: bool = False
    """Whether what was handed in cannot be used, and nothing failed."""
    is_fault: bool = False
    """Whether the program has no words of its own for it."""


def told(error: Exception, root: Path | None = None) -> dict[str, str | None]:
    """An error in words for whoever sent the files: places are relative to these."""
    known = explained(error)
    where = "" if known.where is None else _relative(known.where, root)
    text = f"{on_one_line(where)}: {known.what}" if where else known.what
    return {"text": _without(text, root), "remedy": _without(known.remedy, root) or None}


def refused(error: Exception, root: Path | None = None) -> Refused:
    """What to send back of an error."""
    words = told(error, root)
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    where, is_input = f"{type(error).__name__} at {place}", isinstance(error, InputError | UsageError)
    return Refused(str(words["text"]), words["remedy"], where, is_input, not isinstance(error, CardioTraceError))


def _relative(where: str, root: Path | None) -> str:
    """A place below the folder that was sent; only its last part where it lies elsewhere."""
    path = Path(where)
    if root is not None and path.is_relative_to(root):
        return "" if path == root else path.relative_to(root).as_posix()
    return path.name


def _without(text: str, root: Path | None) -> str:
    return text if root is None else text.replace(f"{root}/", "").replace(str(root), "the exam")
