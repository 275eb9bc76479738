"""Fill a folder completely or not at all."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.leftover import remove_leftovers, run_mark


@contextlib.contextmanager
def staged_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends without an error.

    An older folder at `path` is replaced as a whole; when anything stops the block (an error, Ctrl-C) it
    stays as it was, and the temporary folder and the parents made for it are removed.

    Args:
        path: the folder to be; parents are made.

    Raises:
        WorkError: the disk is full, or the place cannot be written to.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "patient0001"
        >>> with staged_folder(target) as folder:
        ...     _ = (folder / "volumes.txt").write_text("120 ml")
        >>> [entry.name for entry in target.parent.iterdir()]
        ['patient0001']
    """
    path = Path(path)
    mark = run_mark()
    staged, old = path.with_name(f".{path.name}-{mark}.partial"), path.with_name(f".{path.name}-{mark}.old")
    made = [parent for parent in path.parents if not parent.exists()]
    try:
        with as_work_error(path):
            remove_leftovers(path.parent)
            staged.mkdir(parents=True)
        yield staged
        with as_work_error(path):
            if path.exists():
                path.replace(old)
            staged.replace(path)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(staged, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        if not path.exists():
            remove_empty(made)


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders from the innermost outwards, until one holds something."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()
