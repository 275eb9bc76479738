"""Folders of figures, in which nothing is replaced that somebody else made."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cardiotrace.core.errors import UsageError
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.results import read_manifest, refuse_changed, staged_results

GALLERY_PAGE = "index.md"


def require_ours(folder: Path, *, option: str, certain: Sequence[str] = ()) -> None:
    """Make a folder of figures, and refuse one in which a file would be replaced that this program did not write so.

    Args:
        folder: where figures are to go.
        option: of the command line that chose it, for the message.
        certain: names of files that will be written in any case.

    Raises:
        UsageError: such a file is there.
        WorkError: the folder cannot be made.
    """
    with as_work_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _remedied(option):
        manifest = read_manifest(folder)
        refuse_changed(folder, manifest)
        for name in certain:
            if os.path.lexists(folder / name) and not manifest.digests(name):
                raise UsageError("is no known result: kept", where=folder / name)


@contextmanager
def figures_in(folder: Path, *, option: str) -> Iterator[Path]:
    """A folder to draw into, whose files go into `folder` when the block ends well; others that are there stay.

    Raises:
        UsageError: a file of somebody else's would be replaced; nothing is written then.
        WorkError: nothing can be written there.
    """
    with _remedied(option), staged_results(folder, keeps=lambda _: True, inside=True) as staging:
        yield staging.folder


@contextmanager
def _remedied(option: str) -> Iterator[None]:
    """Say with which option another folder is chosen."""
    try:
        yield
    except UsageError as error:
        raise UsageError(error.what, where=error.where, remedy=f"choose another {option}.") from None
