"""Which data set a file or folder was downloaded with, so that its own reader is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.datasets.acdc import Acdc, AcdcConfig
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.chase import Chase, ChaseConfig
from cardiotrace.datasets.echonet import Echonet, EchonetConfig
from cardiotrace.datasets.mnms import Mnms, Mnms2, Mnms2Config, MnmsConfig
from cardiotrace.datasets.sunnybrook import Sunnybrook, SunnybrookConfig


class ExamReader(Protocol):
    """What is needed of a data set here."""

    @property
    def name(self) -> str:
        """The name in the catalog."""

    def exams(self) -> list[str]:
        """Names of the patient visits."""

    def exam(self, name: str) -> Exam:
        """All images of one patient visit."""


@dataclass(frozen=True)
class Visit:
    """A patient visit of a data set, not yet read."""

    dataset: str
    name: str
    read: Callable[[], Exam]


@dataclass(frozen=True)
class _Kind:
    recognises: Callable[[Path], bool]
    """Whether a file or folder is one patient's, or holds all patients in one; looks at names alone."""
    make: Callable[[Path], ExamReader]


_KINDS: Mapping[str, _Kind] = {
    "camus": _Kind(Camus.recognises, lambda path: Camus(CamusConfig(path))),
    "acdc": _Kind(Acdc.recognises, lambda path: Acdc(AcdcConfig(path))),
    "mnms": _Kind(Mnms.recognises, lambda path: Mnms(MnmsConfig(path))),
    "mnms2": _Kind(Mnms2.recognises, lambda path: Mnms2(Mnms2Config(path))),
    "sunnybrook": _Kind(Sunnybrook.recognises, lambda path: Sunnybrook(SunnybrookConfig(path))),
    "chase": _Kind(Chase.recognises, lambda path: Chase(ChaseConfig(path))),
}


def visits_at(path: Path) -> list[Visit]:
    """The visits of a data set that a file or folder holds, by the data set's own reader; none where it is none's.

    Raises:
        InputError: the data set's tables cannot be read.
    """
    if path.is_file() and Echonet.recognises(path):
        videos = Echonet(EchonetConfig(Echonet.root_of(path)))
        return [Visit(videos.name, path.stem, partial(videos.exam, path.stem))]
    kind = next((kind for kind in _KINDS.values() if kind.recognises(path)), None)
    if kind is None:
        return []
    dataset = kind.make(path)
    return [Visit(dataset.name, name, partial(_read, dataset, name, path)) for name in dataset.exams()]


def _read(dataset: ExamReader, name: str, path: Path) -> Exam:
    exam = dataset.exam(name)
    if not exam.images:
        raise InputError(f"holds no image of {name} that can be read", where=path, remedy="; ".join(exam.left_out))
    return exam
