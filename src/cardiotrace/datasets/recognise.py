"""Which data set a file or folder was downloaded with, so that its own reader is used."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.datasets.converted import NAME, is_converted, read_converted
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.published import PUBLISHED


@dataclass(frozen=True)
class Visit:
    """A patient visit of a data set, not yet read."""

    dataset: str
    name: str
    read: Callable[[], Exam]


def visits_at(path: Path) -> list[Visit]:
    """The visits that a file or folder of a known data set holds, by that data set's reader; none in any other.

    A folder that `convert` wrote is read by the record in it.

    Raises:
        InputError: the data set's tables cannot be read.
    """
    if is_converted(path):
        name = path.resolve().name
        return [Visit(NAME, name, partial(read_converted, path, name))]
    for entry in PUBLISHED:
        found = entry.recognise(path)
        if found is not None:
            dataset = entry.make(entry.config(), found.root)
            return [
                Visit(dataset.name, name, partial(_read, dataset, name, path))
                for name in found.exams or dataset.exams()
            ]
    return []


def _read(dataset: Dataset, name: str, path: Path) -> Exam:
    exam = dataset.exam(name)
    if not exam.images:
        raise InputError(f"holds no image of {name} that can be read", where=path, remedy="; ".join(exam.left_out))
    return exam
