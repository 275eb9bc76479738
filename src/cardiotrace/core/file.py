"""Files that were handed in: only regular ones are opened, and no more of them is read than is sensible."""

import os
import stat
from pathlib import Path

from cardiotrace.core.errors import InputError, UsageError, WorkError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def require_regular_file(path: Path) -> None:
    """Refuse what is no file: reading a pipe may wait for ever, a device may never end.

    Raises:
        InputError: there is nothing, or a folder, a pipe, a device, a socket, a link that leads nowhere.

    Example:
        >>> require_regular_file(Path("/dev/null"))
        Traceback (most recent call last):
        cardiotrace.core.errors.InputError: /dev/null: is a device, not a file
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise InputError(f"is {kind}, not a file", where=path)


def read_limited(path: Path, *, largest: int) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file.
        largest: number of bytes beyond which it cannot be what it should be.

    Raises:
        InputError: no regular file, unreadable, or larger.
    """
    require_regular_file(path)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > largest:
                raise InputError(f"is larger than {largest / 2**20:.0f} MB, which no such file is", where=path)
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from None


def read_text(path: Path, *, largest: int) -> str:
    """The text of a regular UTF-8 file, a byte-order mark left out.

    Raises:
        InputError: no regular file, unreadable, larger, or not UTF-8.
    """
    try:
        return read_limited(path, largest=largest).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start + 1} is {error.object[error.start]:#04x}"
        raise InputError(f"is not UTF-8 text: {wrong}", where=path) from None


def require_replaceable(path: Path, *, begins: tuple[str, ...], what: str) -> None:
    """Refuse to write where the file could not be, or where one lies that is not of the kind that is to be written.

    Args:
        path: of the file to be.
        begins: how files of that kind begin.
        what: the kind, in words.

    Raises:
        UsageError: there is something else.
        WorkError: there is no folder for it.

    Example:
        >>> require_replaceable(Path(__file__), begins=("# Comparison",), what="page")
        Traceback (most recent call last):
        cardiotrace.core.errors.UsageError: ...file.py: is there already, and is no page
        choose another --out: nothing but an older page is replaced.
    """
    try:
        is_there = os.path.lexists(path)
        head = read_head(path, max(map(len, begins))) if is_there else b""
    except InputError:
        head = b""
    if is_there and not head.startswith(tuple(word.encode() for word in begins)):
        remedy = f"choose another --out: nothing but an older {what} is replaced."
        raise UsageError(f"is there already, and is no {what}", where=path, remedy=remedy)
    if not path.parent.is_dir():
        raise WorkError("its folder does not exist", where=path, remedy="create it first.")


def read_head(path: Path, count: int) -> bytes:
    """The first bytes of a regular file.

    Raises:
        InputError: no regular file, or unreadable.
    """
    require_regular_file(path)
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: Exception) -> InputError:
    """What to say of a file that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        is_link = path.is_symlink()
        return InputError("is a link to a file that is not there" if is_link else "no such file", where=path)
    if isinstance(error, OSError):
        return InputError(f"cannot be read: {error.strerror or error}", where=path)
    return InputError(f"is no path of a file: {error}", where=path)  # a null character
