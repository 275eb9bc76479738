"""Many exams, one after another: what fails is told at the end and stops nothing else."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cardiotrace.core.errors import CardioTraceError, UsageError, explained
from cardiotrace.datasets.found import FoundExam
from cardiotrace.io.folder import staged_folder
from cardiotrace.workflows.watch import Watch

Result = TypeVar("Result")

LOG = logging.getLogger(__name__)
"""Told of each failure with its traceback, at the level of debugging."""

_OWN = re.compile(r"measures\.(json|csv)|report\.html|figures|.*_labels(\.[A-Za-z.]+)?")
"""Names of what `segment`, `analyse` and `measure` write into the folder of an exam."""


@dataclass(frozen=True)
class Failure:
    """An exam that could not be done."""

    name: str
    error: CardioTraceError


@dataclass(frozen=True)
class Batch(Generic[Result]):
    """What became of many exams."""

    done: tuple[Result, ...]
    failures: tuple[Failure, ...]

    @property
    def exit_status(self) -> int:
        """0 if all were done, else the status of the first failure."""
        return self.failures[0].error.exit_status if self.failures else 0


def for_each_exam(
    found: Sequence[FoundExam], work: Callable[[FoundExam], Result], watch: Watch, *, title: str
) -> Batch[Result]:
    """Do the work on every exam; one that fails does not stop the others, whatever it raises."""
    done: list[Result] = []
    failures: list[Failure] = []
    with watch.stage(title) as tick:
        for index, exam in enumerate(found):
            result = attempt(exam, work)
            if isinstance(result, Failure):
                failures.append(result)
            else:
                done.append(result)
            tick(index + 1, len(found))
    return Batch(tuple(done), tuple(failures))


def attempt(exam: FoundExam, work: Callable[[FoundExam], Result]) -> Result | Failure:
    """The work on one exam, or why it could not be done."""
    try:
        return work(exam)
    except Exception as error:
        reason = explained(error, where=exam.path)
        if reason is not error:
            reason.__cause__ = error
    LOG.debug("%s failed", exam.name, exc_info=reason)
    return Failure(exam.name, reason)


@contextmanager
def result_folder(out: Path, name: str) -> Iterator[Path]:
    """The folder of an exam's results, which stands complete when the block ends without an error, or not at all.

    Results of an earlier run are replaced as a whole; a folder that holds anything else is left alone.

    Raises:
        UsageError: there is something else than results at the place, such as the exam itself.
        WorkError: nothing can be written there.
    """
    target = out / name
    other = _not_ours(target)
    if other is not None:
        raise UsageError(
            f"would be replaced, and holds {other.name}, which is no result",
            where=target,
            remedy="choose another --out.",
        )
    with staged_folder(target) as folder:
        yield folder


def _not_ours(target: Path) -> Path | None:
    """The first thing at a place that was not written by this program."""
    if not target.is_dir():
        return target if target.exists() else None
    return next((entry for entry in sorted(target.iterdir()) if not _OWN.fullmatch(entry.name)), None)
