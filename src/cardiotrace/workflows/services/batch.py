"""Many exams, one after another: what fails stops nothing else; what is done is not done again."""

import datetime
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from cardiotrace import __version__
from cardiotrace.core.errors import CardioTraceError, UsageError, explained
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.datasets.naming import image_name
from cardiotrace.io.formats import suffix_of
from cardiotrace.io.results import (
    DICOM,
    FHIR,
    FIGURES,
    MEASURES,
    MEASURES_TABLE,
    REMEDY,
    REPORT_PAGE,
    REPORT_PDF,
    Manifest,
    Staging,
    read_manifest,
    refuse_changed,
    staged_results,
)
from cardiotrace.workflows.services.stamp import Stamps, folder_of, stamps_of

Result = TypeVar("Result")

LOG = logging.getLogger(__name__)
"""Told at the level of debugging: of each exam that is begun, and of each failure with its traceback."""

REPORT = (MEASURES, MEASURES_TABLE, REPORT_PAGE)
"""What `analyse` and `measure` write into the folder of every exam, beside figures."""


@dataclass(frozen=True)
class Failure:
    """An exam that could not be done."""

    name: str
    error: CardioTraceError


@dataclass(frozen=True)
class BatchResult(Generic[Result]):
    """What became of many exams."""

    done: tuple[Result, ...]
    """Also those that an earlier run did."""
    failures: tuple[Failure, ...]
    summary: Path | None = None
    """Page over all exams of the folder, where there are several."""
    summary_error: CardioTraceError | None = None
    """Why it could not be renewed."""

    @property
    def exit_status(self) -> int:
        """0 if all were done, else the status of the first failure."""
        errors = [*(failure.error for failure in self.failures), *filter(None, (self.summary_error,))]
        return errors[0].exit_status if errors else 0


Tell = Callable[[Any], None]
"""Called with what became of each exam, a result or a `Failure`, as soon as it ends."""


def tell_nobody(_: object) -> None:
    """Pass a result over: the `tell` of whoever waits for all of them."""


class Named(Protocol):
    """What is worked on, one after another: a found exam, or a study to be copied."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def path(self) -> Path:
        """Where it was asked for."""


Item = TypeVar("Item", bound=Named)


def for_each_exam(
    found: Sequence[Item],
    work: Callable[[Item], Result],
    reporter: ProgressReporter,
    *,
    title: str,
    tell: Tell = tell_nobody,
) -> BatchResult[Result]:
    """Do the work on every exam; one that fails does not stop the others, whatever it raises."""
    done: list[Result] = []
    failures: list[Failure] = []
    with reporter.stage(title) as on_progress:
        for exam in counted(found, on_progress):
            result = attempt(exam, work)
            if isinstance(result, Failure):
                failures.append(result)
            else:
                done.append(result)
            tell(result)
    return BatchResult(tuple(done), tuple(failures))


def attempt(exam: Item, work: Callable[[Item], Result]) -> Result | Failure:
    """The work on one exam, or why it could not be done."""
    LOG.debug("%s: %s", exam.name, exam.path)
    try:
        return work(exam)
    except Exception as error:
        reason = explained(error, where=exam.path)
        if reason is not error:
            reason.__cause__ = error
    LOG.debug("%s failed", exam.name, exc_info=reason)
    return Failure(exam.name, reason)


def _nothing(_: Manifest, __: str) -> bool:
    return False


def is_of_a_report(name: str) -> bool:
    """Whether a file is what `analyse` and `measure` write, by its path in the folder of an exam."""
    return name in (*REPORT, REPORT_PDF, FHIR) or name.startswith((f"{FIGURES}/", f"{DICOM}/"))


@dataclass(frozen=True)
class ExamTask:
    """One verb over exams whose results go into a folder each."""

    verb: str
    out: Path
    settings: Mapping[str, Any]
    """All that the results depend on beside the exams, as plain data."""
    overwrite: bool = False
    """Whether files may be replaced that the user made or changed, and exams done again."""
    keeps: Callable[[Manifest, str], bool] = _nothing
    """Whether a file of an earlier run stays as it is, by that run's manifest and its path in the folder of an exam."""
    certain: tuple[str, ...] = REPORT
    """Files that it writes for every exam."""
    beside_images: bool = False
    """Whether results may go into a folder that holds images of something else: given label maps may look like them."""
    _stamps: dict[Path, Stamps] = field(default_factory=dict)

    def folder(self, name: str) -> Path:
        """Where the results of an exam go."""
        return self.out / name

    def is_done(self, found: FoundExam, same: Callable[[Mapping[str, Any]], bool] = lambda made: True) -> bool:
        """Whether an earlier run did the same: same exam, same settings, all its files there.

        Args:
            found: the exam.
            same: whether what only the verb knows is the same, by what it put into the manifest.

        Raises:
            UsageError: results cannot go there without harm to what the user made.
        """
        folder = self.folder(found.name)
        _refuse_exam_in(folder, found.path)
        if found.is_study:
            refuse_among_originals(self.out, found.path)
        if self.overwrite or not folder.exists():
            return False
        manifest = read_manifest(folder)
        refuse_changed(folder, manifest, lambda name: not self.keeps(manifest, name))
        made = {key: manifest.made.get(key) for key in ("verb", "program", "settings", "inputs")}
        if made == self._made_from(found) and manifest.is_whole(folder) and same(manifest.made):
            return True
        _refuse_unknown(folder, manifest, self.certain)
        if not manifest.files and not self.beside_images:
            _refuse_images_of_others(folder)
        _refuse_other_exam(folder, manifest, found.path, self._inputs(found))
        return False

    @contextmanager
    def results(self, found: FoundExam) -> Iterator[Staging]:
        """A folder to be filled with the results of an exam, which are put in place when the block ends well.

        Raises:
            UsageError: a file of the user's would be replaced.
            WorkError: nothing can be written there.
        """
        folder = self.folder(found.name)
        keeps = partial(self.keeps, read_manifest(folder))
        with staged_results(folder, overwrite=self.overwrite, keeps=keeps) as staging:
            staging.made.update(self._made_from(found), exam=str(found.path.resolve()), date=_now())
            staging.inputs.extend(folder_of(found.path) / name for name in self._inputs(found))
            yield staging

    def _made_from(self, found: FoundExam) -> dict[str, Any]:
        return {
            "verb": self.verb,
            "program": __version__,
            "settings": dict(self.settings),
            "inputs": self._inputs(found),
        }

    def _inputs(self, found: FoundExam) -> Stamps:
        """Before the exam is read, and once: what changes meanwhile is found to have changed by the next run."""
        if found.path not in self._stamps:
            self._stamps[found.path] = stamps_of(found.path)
        return self._stamps[found.path]


def refuse_among_originals(out: Path, path: Path) -> None:
    """Refuse to write into a folder that DICOM studies are read from: archives keep originals, and nothing else.

    Args:
        out: the folder of results, whether or not it is there yet.
        path: the file or folder that was asked for.

    Raises:
        UsageError: results would go into it.
    """
    if path.is_dir() and path.resolve() in (out.resolve(), *out.resolve().parents):
        raise UsageError("--out lies among the originals", where=out, remedy="choose another --out.")


def refuse_images_in(folder: Path, images: Sequence[Path]) -> None:
    """Refuse a folder of results that holds what is analysed.

    Raises:
        UsageError: naming the image.
    """
    for image in images:
        _refuse_exam_in(folder, image)


def _refuse_exam_in(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise UsageError(
                "is where results would go, and is no folder", where=folder, remedy="choose another --out."
            )
        return
    whole = path.resolve()
    if any(above.exists() and above.samefile(folder) for above in (whole, *whole.parents)):
        raise UsageError(
            f"is where results would go, and holds {path.name}, which is no result",
            where=folder,
            remedy="choose another --out.",
        )


def _refuse_unknown(folder: Path, manifest: Manifest, names: Sequence[str]) -> None:
    for name in names:
        if os.path.lexists(folder / name) and not manifest.digests(name):
            raise UsageError("is no known result: kept", where=folder / name, remedy=REMEDY)


def _refuse_images_of_others(folder: Path) -> None:
    """A folder of images would be taken for one of results from then on, and its images for none."""
    for path in sorted(folder.iterdir()):
        suffix = suffix_of(path)
        stem = path.name.removesuffix(suffix or "")
        if suffix and path.is_file() and image_name(stem) == stem:
            raise UsageError("is an image, and results would go beside it", where=path, remedy=REMEDY)


def _refuse_other_exam(folder: Path, manifest: Manifest, path: Path, inputs: Stamps) -> None:
    """Two exams of one name: the results of one are not lost for those of the other."""
    before = manifest.made.get("exam")
    if not isinstance(before, str) or before == str(path.resolve()):
        return
    known = manifest.made.get("inputs")
    sizes = {(name, stamp[0]) for name, stamp in known.items()} if isinstance(known, dict) else set()
    if not any((name, stamp[0]) in sizes for name, stamp in inputs.items()):
        raise UsageError(f"holds results of another exam, {before}: kept", where=folder, remedy=REMEDY)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
