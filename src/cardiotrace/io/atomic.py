"""Write a file completely or not at all."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import InputError, UsageError, WorkError
from cardiotrace.core.file import read_limited
from cardiotrace.io.leftover import remove_leftovers, run_mark

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space and run it again.",
    errno.EDQUOT: "the disk quota is used up: free some space and run it again.",
    errno.EACCES: "the folder cannot be written to: choose another, or change its permissions.",
    errno.EPERM: "the folder cannot be written to: choose another, or change its permissions.",
    errno.EROFS: "the file system is read-only: choose another folder.",
    errno.ENOENT: "the folder does not exist: create it first.",
    errno.ENOTDIR: "a part of this path is a file, not a folder: choose another folder.",
    errno.EFBIG: "the file is larger than this file system or account allows.",
    errno.EISDIR: "there is a folder of this name: choose another file name.",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one.",
}


def atomic_write(path: str | Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    Readers see the old content or the new, never a part; when anything stops it (an error, Ctrl-C) the
    temporary file is removed and what stood at `path` stays as it was.

    Args:
        path: the file to be; its folder exists.
        write: fills the file it is handed; the name ends as `path` does.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "volumes.txt"
        >>> atomic_write(target, lambda file: None if file.write_text("120 ml") else None)
        >>> target.read_text(), [entry.name for entry in target.parent.iterdir()]
        ('120 ml', ['volumes.txt'])
    """
    path = Path(path)
    temporary = path.with_name(f".writing-{run_mark()}{''.join(path.suffixes[-2:])[-20:]}")
    with as_work_error(path):
        remove_leftovers(path.parent)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            # Created here, and not by `write`, so that an unwritable folder is known before any work is done.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            write(temporary)
            _flush(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _flush_folder(path.parent)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write bytes completely or not at all.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """

    def write(file: Path) -> None:
        file.write_bytes(content)

    atomic_write(path, write)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text completely or not at all.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """
    # Names that are not UTF-8 hold lone surrogates; escaped like this they stay readable, and valid in JSON.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_new_text(path: str | Path, text: str) -> None:
    """As `write_text`, where the same text, or nothing, lies at `path`: what people edit is never replaced.

    Raises:
        UsageError: there is something else.
        WorkError: the disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    content = text.encode("utf-8", "backslashreplace")
    with as_work_error(path):
        is_there = os.path.lexists(path)
    if not is_there:
        write_bytes(path, content)
    elif not _holds(path, content):
        raise UsageError("is there already, and is not replaced", where=path, remedy="remove it, or choose another.")


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and read_limited(path, largest=len(content)) == content
    except (InputError, OSError):
        return False


def write_json(path: str | Path, value: Any) -> None:
    """Write indented JSON completely or not at all; NaN and infinity are not JSON and are refused.

    Raises:
        ValueError: a number is NaN or infinite.
        WorkError: the disk is full, or the folder cannot be written to.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    # Makes the rename itself durable; some network file systems refuse it, and the content is safe by then.
    with contextlib.suppress(OSError):
        _flush(folder)


@contextlib.contextmanager
def as_work_error(path: Path) -> Iterator[None]:
    """Turn what the system says against writing to `path` into one clear error with its remedy.

    Raises:
        WorkError: the system refused.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = _REMEDIES.get(error.errno or 0, "choose another folder, and look at the state of the disk.")
        if error.errno is None and "written" in reason:  # what numpy says of a write that stopped in its middle
            remedy = "the disk is full, or files may not grow as large here: free some space and run it again."
        raise WorkError(f"could not be written ({reason})", where=path, remedy=remedy) from error
