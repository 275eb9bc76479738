"""Folders of results that know what was written into them, so that nothing a person made is replaced or removed.

A hidden file, the manifest, holds a digest of every file that this program wrote. Whatever is not in it, or has changed
since, belongs to the user.
"""

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cardiotrace.core.contract import RESULTS
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.plain import read_json
from cardiotrace.io.atomic import as_work_error, write_json
from cardiotrace.io.folder import remove_empty
from cardiotrace.io.leftover import remove_leftovers, run_mark

MANIFEST = ".cardiotrace.json"
MEASURES, MEASURES_TABLE, REPORT_PAGE, REPORT_PDF = "measures.json", "measures.csv", "report.html", "report.pdf"
FIGURES, THUMBNAIL = "figures", "figures/thumbnail.jpg"
DICOM, FHIR = "dicom", "fhir.json"
"""What a folder of an exam's results holds, by its path in the folder."""
UNCORRECTED = "uncorrected"
"""Folder in it with the label maps of corrected images as they were before."""
REMOVED = "removed.csv"
"""What copies of DICOM objects lack, beside them."""
HOLDS, IMAGES = "holds", "images"
"""Key and word in `Manifest.made` of what is to be read again as an exam, and is no result of reading one."""
REMEDY = "use --overwrite to replace it, or another --out."

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 64 * 2**20
_FileId = tuple[int, int]


@dataclass(frozen=True)
class Manifest:
    """What this program wrote into a folder, and from what."""

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Digests that a file of the latest run may have, by its path in the folder; several after a killed run."""
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The same of runs before that, which the latest left alone."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """Whatever the writer wants to know again, as plain data."""
    is_complete: bool = False
    """Whether the latest run came to its end."""

    def digests(self, name: str) -> tuple[str, ...]:
        """Digests that a file has if it is as this program wrote it; none where it never wrote it."""
        return (*self.files.get(name, ()), *self.earlier.get(name, ()))

    def is_untouched(self, folder: Path, name: str) -> bool:
        """Whether a file is there as this program wrote it."""
        path, digests = folder / name, self.digests(name)
        return bool(digests) and path.is_file() and not path.is_symlink() and digest_of(path) in digests

    def changed(self, folder: Path) -> Iterator[str]:
        """Files that were written by this program and are something else now; removed ones are none."""
        for name in (*self.files, *(name for name in self.earlier if name not in self.files)):
            if os.path.lexists(folder / name) and not self.is_untouched(folder, name):
                yield name

    def is_whole(self, folder: Path) -> bool:
        """Whether the latest run came to its end, and all that it wrote is there and untouched."""
        return self.is_complete and all(self.is_untouched(folder, name) for name in self.files)


NO_MANIFEST = Manifest()
"""Of a folder that this program never wrote into, or that lost its manifest: all in it is the user's."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder; `NO_MANIFEST` where there is none that can be understood.

    Raises:
        InputError: a newer program wrote it: what in the folder is the user's cannot be told.
    """
    path = folder / MANIFEST
    try:
        plain = read_json(path, largest=_MOST_BYTES)
    except InputError:
        return NO_MANIFEST
    RESULTS.refuse_newer(plain, where=path)
    try:
        plain = RESULTS.read(plain)
        files, earlier = ({str(name): tuple(map(str, plain[key][name])) for name in plain[key]} for key in _PARTS)
        return Manifest(files, earlier, dict(plain["made"]), plain["is_complete"] is True)
    except (InputError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("%s cannot be understood (%r): all files there count as the user's", path, error)
        return NO_MANIFEST


_PARTS = ("files", "earlier")


def holds_results(folder: Path) -> bool:
    """Whether this program wrote results into a folder, and not images: these are an exam of their own.

    Raises:
        InputError: a newer program wrote it.
    """
    return (folder / MANIFEST).exists() and read_manifest(folder).made.get(HOLDS) != IMAGES


def digest_of(path: Path) -> str:
    """Digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _nothing(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Staging:
    """Results in the making."""

    target: Path
    folder: Path
    """To be filled; its files go into `target`."""
    before: Manifest
    """Of `target`, as it was found."""
    overwrite: bool = False
    """Whether files may be replaced that the user made or changed."""
    keeps: Callable[[str], bool] = _nothing
    """Whether a file of an earlier run stays though this one does not write it, by its path in the folder."""
    inputs: list[Path] = field(default_factory=list)
    """Files, and folders of files, that are never written over or removed; to be added to."""
    made: dict[str, Any] = field(default_factory=dict)
    """For the manifest, as plain data; to be filled."""


@contextlib.contextmanager
def staged_results(
    target: Path, *, overwrite: bool = False, keeps: Callable[[str], bool] = _nothing, inside: bool = False
) -> Iterator[Staging]:
    """A temporary folder whose files go into `target` when the block ends without an error.

    Files of an earlier run that are as this program wrote them are replaced, or removed where there are no new ones.
    Everything else in `target` stays; where a file of the user's stands in the way, nothing is written at all. When
    anything stops the block (an error, Ctrl-C, a full disk) `target` is as it was; when the process is killed between
    two files, the manifest says that the folder is not complete.

    Args:
        target: the folder to be; parents are made.
        overwrite: replace also what the user made or changed, but no inputs.
        keeps: whether a file of an earlier run stays though it is not written again.
        inside: stage in `target` and not beside it.

    Raises:
        UsageError: a file of the user's or an input stands in the way.
        WorkError: the disk is full, or the place cannot be written to.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "patient0001"
        >>> for volume in ("120 ml", "121 ml"):
        ...     with staged_results(target) as staging:
        ...         _ = (staging.folder / "volumes.txt").write_text(volume)
        >>> sorted(entry.name for entry in target.iterdir())
        ['.cardiotrace.json', 'volumes.txt']
        >>> _ = (target / "volumes.txt").write_text("by hand")
        >>> with staged_results(target) as staging:
        ...     _ = (staging.folder / "volumes.txt").write_text("122 ml")
        Traceback (most recent call last):
        cardiotrace.core.errors.UsageError: ...volumes.txt: was changed by hand since it was written: kept
        use --overwrite to replace it, or another --out.
    """
    mark = f".cardiotrace-{run_mark()}.partial"
    # A file is renamed within one file system only, and a link may lead to another.
    root = (target if inside or target.is_symlink() or os.path.ismount(target) else target.parent) / mark
    remove_leftovers(root.parent)
    made = [parent for parent in root.parents if not parent.exists()]
    try:
        with as_work_error(target):
            (root / "new").mkdir(parents=True)
        staging = Staging(target, root / "new", read_manifest(target), overwrite, keeps)
        yield staging
        with as_work_error(target):
            _publish(staging, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        remove_empty(made)


def refuse_changed(folder: Path, manifest: Manifest, is_written: Callable[[str], bool] = lambda _: True) -> None:
    """Refuse to go on where a file was changed by hand that would be written again.

    Args:
        folder: of results.
        manifest: its manifest.
        is_written: whether a file is going to be written, by its path in the folder.

    Raises:
        UsageError: naming the first such file.
    """
    for name in manifest.changed(folder):
        if is_written(name):
            raise UsageError("was changed by hand since it was written: kept", where=folder / name, remedy=REMEDY)


def _publish(staging: Staging, root: Path) -> None:
    new = {path.relative_to(staging.folder).as_posix(): digest_of(path) for path in _files_in(staging.folder)}
    _check(staging, new)
    manifest = Manifest({name: (digest,) for name, digest in new.items()}, {}, staging.made, is_complete=True)
    if os.path.lexists(staging.target):
        _exchange(staging, root, manifest)
        return
    write_json(staging.folder / MANIFEST, _plain(manifest))
    staging.folder.replace(staging.target)


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def _check(staging: Staging, new: Mapping[str, str]) -> None:
    """Refuse to write over what is not ours.

    Raises:
        UsageError: naming the first such file.
    """
    inputs = _ids_of(staging.inputs)
    for name, digest in new.items():
        _check_way(staging.target, name)
        path = staging.target / name
        if not os.path.lexists(path):
            continue
        if _id_of(path) in inputs:
            raise UsageError("would be replaced, and is read by this run", where=path, remedy=_ELSEWHERE)
        if path.is_dir() and not path.is_symlink():
            raise UsageError("would be replaced, and is a folder", where=path, remedy=_ELSEWHERE)
        if not staging.overwrite and not _may_replace(staging, name, digest):
            what = "was changed by hand since it was written" if staging.before.digests(name) else "is no known result"
            raise UsageError(f"{what}: kept", where=path, remedy=REMEDY)


def _check_way(target: Path, name: str) -> None:
    """Refuse to write through what stands where a folder of results would be.

    Raises:
        UsageError: naming it.
    """
    for above in [target / part for part in list(Path(name).parents)[:-1]]:
        if os.path.lexists(above) and (above.is_symlink() or not above.is_dir()):
            raise UsageError("would be written into, and is no folder of results", where=above, remedy=_ELSEWHERE)


_ELSEWHERE = "choose another --out."


def _may_replace(staging: Staging, name: str, digest: str) -> bool:
    """Whether a file is ours, or holds the same already."""
    path = staging.target / name
    is_same = path.is_file() and not path.is_symlink() and digest_of(path) == digest
    return is_same or staging.before.is_untouched(staging.target, name)


def _exchange(staging: Staging, root: Path, manifest: Manifest) -> None:
    """Bring the new files into a folder that is there, one by one; all of them or none."""
    target, before = staging.target, staging.before
    stale, kept = _of_earlier_runs(staging, manifest.files)
    earlier = {name: before.digests(name) for name in kept}
    # All that needs space is written before anything is moved; from then on there are only renames.
    either = {name: (*digests, *before.digests(name)) for name, digests in manifest.files.items()}
    write_json(root / "journal", _plain(Manifest(either, earlier | {name: before.digests(name) for name in stale})))
    write_json(root / "final", _plain(replace(manifest, earlier=earlier)))
    moves: list[tuple[Path, Path]] = []
    if (target / MANIFEST).is_file():
        shutil.copyfile(target / MANIFEST, root / "before")
        moves.append((target / MANIFEST, root / "before"))
    with _undone_on_error(moves):
        _move(root / "journal", target / MANIFEST, moves)
        for number, name in enumerate((*stale, *manifest.files)):
            if os.path.lexists(target / name):
                _move(target / name, root / f"old-{number}", moves)
            if name in manifest.files:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                _move(staging.folder / name, target / name, moves)
        _move(root / "final", target / MANIFEST, moves)
    for name in stale:
        remove_empty([target / above for above in list(Path(name).parents)[:-1]])


def _of_earlier_runs(staging: Staging, new: Container[str]) -> tuple[list[str], list[str]]:
    """Files of earlier runs that are not written again: those to be removed, and those that stay."""
    target, before, inputs = staging.target, staging.before, _ids_of(staging.inputs)
    stale: list[str] = []
    kept: list[str] = []
    for name in {**before.files, **before.earlier}:
        if name in new or not os.path.lexists(target / name):
            continue
        is_spared = staging.keeps(name) or _id_of(target / name) in inputs
        is_kept = is_spared or not before.is_untouched(target, name)
        (kept if is_kept else stale).append(name)
    return stale, kept


def _move(source: Path, place: Path, moves: list[tuple[Path, Path]]) -> None:
    moves.append((source, place))  # first, so that nothing is forgotten when Ctrl-C comes between the two
    source.replace(place)


@contextlib.contextmanager
def _undone_on_error(moves: list[tuple[Path, Path]]) -> Iterator[None]:
    """Take back the moves, the last first, when anything stops the block."""
    try:
        yield
    except BaseException:
        for source, place in reversed(moves):
            if os.path.lexists(place) and not os.path.lexists(source):
                source.parent.mkdir(parents=True, exist_ok=True)
                place.replace(source)
        for _, place in moves:
            remove_empty([place.parent])
        raise


def _ids_of(paths: Iterable[Path]) -> set[_FileId]:
    """What tells files apart whatever they are called, also those in folders."""
    files = [file for path in paths for file in ((path, *path.rglob("*")) if path.is_dir() else (path,))]
    return {found for file in files if (found := _id_of(file, follow=True)) is not None}


def _id_of(path: Path, *, follow: bool = False) -> _FileId | None:
    try:
        found = path.stat() if follow else path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _plain(manifest: Manifest) -> dict[str, Any]:
    plain = {
        "is_complete": manifest.is_complete,
        "made": dict(manifest.made),
        "files": {name: list(digests) for name, digests in manifest.files.items()},
        "earlier": {name: list(digests) for name, digests in manifest.earlier.items()},
    }
    return RESULTS.stamp(plain)
