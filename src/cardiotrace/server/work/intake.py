"""What was sent, made into studies: archives opened, exams found and read once, their files kept by content."""

import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import CardioTraceError, InputError, WorkError
from cardiotrace.core.exam import Exam
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.datasets.exam_discovery import FoundExam, find_exams
from cardiotrace.io.formats import suffix_of
from cardiotrace.server.security.names import harmless
from cardiotrace.server.store.blobs import BlobStore, link_or_copy
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.work.opening import modalities_of
from cardiotrace.server.work.outcome import told
from cardiotrace.server.work.unpacking import Bounds, TooMuchError, Unpacking

_LOG = logging.getLogger(__name__)
_TREE = "tree"


@dataclass(frozen=True)
class TakenFile:
    """A file of a study."""

    name: str
    """Relative to the study's files."""
    sha256: str
    size: int


@dataclass(frozen=True)
class TakenExam:
    """An exam whose files lie in the folder of its study."""

    id: str
    name: str
    within: str
    part: str
    files: tuple[TakenFile, ...]
    error: Mapping[str, str | None] | None = None
    """Why it cannot be read, though it holds images: text and remedy."""
    modalities: tuple[str, ...] = ()
    """US, MR and so on; none where it cannot be read."""


@dataclass
class Intake:
    """Takes exams from one folder into the folders of studies.

    Args:
        data: where these lie.
        tree: everything that was sent, under harmless names.
        called: what an exam is called where neither its folder nor its files tell.
    """

    data: DataFolder
    tree: Path
    called: str
    left_out: list[str] = field(default_factory=list)

    def take(self, reporter: ProgressReporter) -> list[TakenExam]:
        """All exams that are there."""
        root = _root_of(self.tree)
        found = find_exams([root], each=True)
        with reporter.stage("reading") as on_progress:
            taken = []
            for number, exam in enumerate(found, start=1):
                if (one := self._one(exam, root, len(found))) is not None:
                    taken.append(one)
                on_progress(number, len(found))
        self.left_out = [self._short(line) for line in dict.fromkeys(self.left_out)]
        return taken

    def _one(self, found: FoundExam, root: Path, count: int) -> TakenExam | None:
        """One exam in its folder; None where what lies there is no image."""
        error, read = None, None
        try:
            read = found.read()
            self.left_out += read.left_out
        except CardioTraceError as problem:
            error = told(problem, self.tree)
        files = _files_of(found, root, count, read)
        if error is not None and not any(suffix_of(file) for file in files):
            self.left_out += [f"{file.relative_to(self.tree).as_posix()}: {error['text']}" for file in files[:20]]
            return None
        name = self.called if found.path == self.tree and count == 1 else found.name
        within = "" if found.path in (root, self.tree) else found.path.relative_to(self.tree).as_posix()
        study = secrets.token_hex(8)
        modalities = () if read is None else modalities_of(image.image for image in read.images)
        return TakenExam(study, name, within, found.part, self._kept(study, files), error, modalities)

    def _kept(self, study: str, files: Sequence[Path]) -> tuple[TakenFile, ...]:
        """Files by content, and by name in the folder of their study."""
        blobs, folder = BlobStore(self.data.blobs), self.data.study(study).files
        kept = []
        for file in files:
            name = file.relative_to(self.tree)
            target = folder / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            link_or_copy(file, target)
            blob = blobs.take(target)
            kept.append(TakenFile(name.as_posix(), blob.sha256, blob.size))
        return tuple(kept)

    def _short(self, line: str) -> str:
        """What is said of a file, without the folders of this machine."""
        return line.replace(f"{self.tree}{os.sep}", "")


def take_upload(params: Mapping[str, Any], reporter: ProgressReporter) -> dict[str, Any]:
    """Make studies of an upload.

    Args:
        params: `data` (the data folder), `upload` (its identifier), `files` (numbers and names), `byte_count` (most).
        reporter: told how far it is.

    Returns:
        `exams`, and what was `left_out` with the reasons.

    Raises:
        InputError: more was sent than is taken.
    """
    data = DataFolder(Path(params["data"]))
    upload = data.upload(params["upload"])
    tree = upload / _TREE
    shutil.rmtree(tree, ignore_errors=True)  # of a server that was killed meanwhile
    tree.mkdir(mode=0o700)
    unpacking = Unpacking(tree, Bounds(byte_count=4 * int(params["byte_count"])))
    names = [name for _, name in params["files"]]
    try:
        with reporter.stage("unpacking") as on_progress:
            for number, (part, name) in enumerate(params["files"], start=1):
                file = upload / f"{part}.part"
                if file.exists():
                    unpacking.add(file, name)
                else:
                    unpacking.left_out.append(f"{harmless(name)}: nothing of it came")
                on_progress(number, len(names))
    except TooMuchError as error:
        shutil.rmtree(tree, ignore_errors=True)
        raise InputError(f"this is not taken: {error}", remedy="send exams one at a time.") from None
    return taken_from(data, tree, _called(names), reporter, unpacking.left_out)


def taken_from(
    data: DataFolder, tree: Path, called: str, reporter: ProgressReporter, left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """Studies of all exams in a folder, as plain data; the folder is the application's own."""
    if not any(True for _ in _walk(tree)):
        return {"exams": [], "left_out": [*left_out, *([] if left_out else ["nothing was sent"])]}
    intake = Intake(data, tree, called, list(left_out))
    try:
        exams = intake.take(reporter)
    except OSError as error:
        raise WorkError(f"the exams cannot be kept ({error.strerror})", remedy="is there room on the disk?") from None
    _LOG.info("%d exams were taken in, %d files were left out", len(exams), len(intake.left_out))
    plain = [{**vars(exam), "files": [vars(file) for file in exam.files]} for exam in exams]
    return {"exams": plain, "left_out": intake.left_out}


def _called(names: Sequence[str]) -> str:
    """What an exam is called whose files were sent without a folder: what their names have in common."""
    stems = [Path(name.replace("\\", "/")).name.partition(".")[0] for name in names]
    first, last = min(stems), max(stems)
    same = next((at for at, pair in enumerate(zip(first, last)) if pair[0] != pair[1]), min(len(first), len(last)))  # noqa: B905 -- to the shorter
    common = first[:same].rstrip(" _-.") or stems[0]
    return common[:80] or "exam"


def _root_of(tree: Path) -> Path:
    """The innermost folder that everything lies in; a single file lies in the folder itself."""
    entries = [entry for entry in tree.iterdir() if not entry.name.startswith(("__MACOSX", ".DS_Store"))]
    return _root_of(entries[0]) if len(entries) == 1 and entries[0].is_dir() else tree


def _files_of(found: FoundExam, root: Path, count: int, read: Exam | None) -> list[Path]:
    """The files that are the exam's: those that hold its images where others lie there too, else all at its path."""
    if count == 1:
        return list(_walk(root))
    if found.files and found.part:
        own = dict.fromkeys(found.files)
        for image in read.images if read is not None else ():
            source = image.image.source
            own |= {path: None for path in (source.path, source.pixel_file) if path is not None} if source else {}
        return [file for path in own if path.is_relative_to(root) for file in _walk(path)]
    return list(_walk(found.path))


def _walk(path: Path) -> Iterator[Path]:
    """All files at a path, in order of their names."""
    if path.is_file():
        yield path
        return
    for folder, _, names in sorted(os.walk(path)):
        yield from (Path(folder, name) for name in sorted(names))
