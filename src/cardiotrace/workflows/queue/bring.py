"""What trainings leave behind, in few files of a bounded size: packed where they ran, unpacked at home."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.file import read_limited
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.text import some
from cardiotrace.io import write_bytes
from cardiotrace.io.atomic import as_work_error
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.weights import half_weights
from cardiotrace.workflows.queue.queued import QueuedRun
from cardiotrace.workflows.queue.work import TABLE

STEM = "brought.zip."
"""How the names of the files begin; a number follows."""
HALF = "weights travelled in float16"
_MIB = 2**20
_PART = re.compile(re.escape(STEM) + r"\d{2}")


@dataclass(frozen=True)
class _Content:
    """One file of a run folder."""

    run: QueuedRun
    path: Path
    name: str
    """In the archive."""
    is_weights: bool = False


def bring(
    runs: Sequence[QueuedRun],
    out: Path,
    folder: Path,
    *,
    most_mib: float,
    file_mib: float,
    reporter: ProgressReporter = SILENT,
) -> list[Path]:
    """Pack logs, tables and weights of the trained, and checkpoints of what was begun, by priority.

    What comes first in the queue comes along first. Weights that fit only in float16 are stored so (as exported models
    store them); what does not fit at all is named.

    Args:
        runs: those that come first in front.
        out: folder of the runs.
        folder: of the files to be.
        most_mib: of all files together.
        file_mib: of each file.
        reporter: told of what was packed and what was left out.

    Returns:
        The files.

    Raises:
        WorkError: nothing can be written.
    """
    begun = [run for run in runs if run.folder(out).is_begun]
    heavy = [content for run in begun for content in _heavy(run, out)]
    light = [content for run in begun for content in _light(run, out)]
    packed = _archive(light, heavy, out, int(most_mib * _MIB), reporter)
    size = max(1, int(file_mib * _MIB))
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    paths = [folder / f"{STEM}{number:02d}" for number in range(1, len(pieces) + 1)]
    with as_work_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for path, piece in zip(paths, pieces, strict=True):
        write_bytes(path, piece)
    for old in set(_parts(folder)) - set(paths):
        old.unlink()
    reporter.say(f"brought: {len(begun)} runs in {len(paths)} files, {len(packed) / _MIB:.1f} MiB: {folder}")
    return paths


def take(folder: Path, out: Path, runs: Sequence[QueuedRun], reporter: ProgressReporter = SILENT) -> list[QueuedRun]:
    """Unpack what `bring` packed into the folder of the runs; what is further there already stays.

    Args:
        folder: of the files.
        out: folder of the runs.
        runs: of the queue: nothing else is unpacked.
        reporter: told of each run.

    Returns:
        Runs that were unpacked.

    Raises:
        InputError: there are no such files, or they are damaged.
        UsageError: a folder holds another run.
        WorkError: nothing can be written.
    """
    parts = _parts(folder)
    if not parts:
        raise InputError(f"holds no {STEM}01", where=folder, remedy="name the folder that --bring wrote to.")
    together = b"".join(read_limited(part, largest=2**31) for part in parts)
    try:
        with zipfile.ZipFile(io.BytesIO(together)) as archive:
            taken = [run for run in runs if _unpack(archive, run, out)]
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        remedy = "bring all of its files, unchanged."
        raise InputError(f"its files cannot be put together: {error}", where=folder, remedy=remedy) from None
    for run in taken:
        reporter.say(f"taken: {run.folder(out).path}")
    return taken


def _parts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"{STEM}*") if _PART.fullmatch(path.name)) if folder.is_dir() else []


def _light(run: QueuedRun, out: Path) -> Iterator[_Content]:
    folder = run.folder(out)
    for path in (folder.environment, folder.recipe, folder.split, folder.journal, folder.localiser):
        if path.exists():
            yield _Content(run, path, f"{run.name}/{path.name}")


def _heavy(run: QueuedRun, out: Path) -> Iterator[_Content]:
    """Best weights; of what goes on, the checkpoint too."""
    folder = run.folder(out)
    if folder.best.exists():
        yield _Content(run, folder.best, f"{run.name}/{folder.best.name}", is_weights=True)
    if not run.is_trained(out) and folder.checkpoint.exists():
        yield _Content(run, folder.checkpoint, f"{run.name}/{folder.checkpoint.name}")


def _archive(
    light: Sequence[_Content], heavy: Sequence[_Content], out: Path, most: int, reporter: ProgressReporter
) -> bytes:
    """A zip file of at most so many bytes."""
    content = io.BytesIO()
    is_half = sum(one.path.stat().st_size for one in (*light, *heavy)) > most
    left_out = []
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in light:
            archive.writestr(one.name, _light_bytes(one, is_half=is_half))
        if (out / TABLE).exists():
            archive.write(out / TABLE, TABLE)
        for one in heavy:
            stored = half_weights(one.path) if is_half and one.is_weights else one.path.read_bytes()
            if content.tell() + len(stored) + _ROOM * (len(light) + len(heavy)) > most:
                left_out.append(one.name)
            else:
                archive.writestr(zipfile.ZipInfo(one.name), stored)  # not deflated: weights are as good as random
    if is_half:
        reporter.say(f"{HALF}: in full they would not fit into {most / _MIB:.0f} MiB")
    if left_out:
        reporter.say(f"warning: no room for {some(left_out)}: raise --most-mib, or bring them by another call")
    return content.getvalue()


_ROOM = 512
"""Bytes that each file takes in the list at the end of an archive."""


def _light_bytes(one: _Content, *, is_half: bool) -> bytes:
    """A small file; the record of a run tells that its weights were rounded."""
    raw = one.path.read_bytes()
    if not is_half or one.path.name != RunFolder(one.path.parent).environment.name:
        return raw
    return json.dumps({**json.loads(raw), "weights": HALF}, indent=2).encode()


def _unpack(archive: zipfile.ZipFile, run: QueuedRun, out: Path) -> bool:
    """Put the files of a run into its folder, unless it is trained there already; whether there were any."""
    folder = run.folder(out)
    wanted = {f"{run.name}/{path.name}": path for path in folder.files}
    there = [name for name in archive.namelist() if name in wanted]
    if not there or run.is_trained(out) or _is_older(archive, run, out):
        return False
    with as_work_error(folder.path):
        folder.path.mkdir(parents=True, exist_ok=True)
    # The weights last: without them a run is not taken for trained.
    for name in sorted(there, key=lambda name: name.endswith(folder.best.name)):
        write_bytes(wanted[name], archive.read(name))
    if f"{run.name}/{folder.checkpoint.name}" not in there and run.is_trained(out):
        # One from before it travelled: training would go on from there, over the weights that have come.
        folder.checkpoint.unlink(missing_ok=True)
    return True


def _is_older(archive: zipfile.ZipFile, run: QueuedRun, out: Path) -> bool:
    """Whether the run here has more epochs than the one that comes."""
    journal = run.folder(out).journal
    name = f"{run.name}/{journal.name}"
    coming = archive.read(name).count(b"\n") if name in archive.namelist() else 0
    return journal.exists() and read_limited(journal, largest=2**28).count(b"\n") >= coming
