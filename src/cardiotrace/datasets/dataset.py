"""What every data set offers, and what their files have in common."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.core.text import some
from cardiotrace.datasets.split import Split

MirrorAxis = Literal["height", "width"]


@dataclass(frozen=True)
class FilePair:
    """An image and its reference as the data set's rules name them; one of the two may be missing on disk."""

    name: str
    image: Path
    labels: Path | None
    """None where no reference is to be expected."""


class Dataset(Protocol):
    """A folder of annotated images that can be trained on, evaluated on and checked.

    Facts are attributes; files are read only by the readers of a case and by `exam`.
    """

    @property
    def name(self) -> str:
        """The name in the catalog."""

    @property
    def scheme(self) -> LabelScheme:
        """Which integer of the label files stands for which structure."""

    @property
    def views(self) -> tuple[View, ...]:
        """The views that its cases show."""

    @property
    def modality(self) -> Modality:
        """How its images were made."""

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """Image axes that augmentation may mirror without making an impossible image."""

    @property
    def channels(self) -> int:
        """Channels of an image: 1 grey, 3 colour."""

    @property
    def licence(self) -> str:
        """Terms of use, in a few words."""

    @property
    def citation(self) -> str:
        """The publication to cite."""

    @property
    def root(self) -> Path:
        """The folder that was given; `Case.files` are relative to it."""

    def cases(self) -> list[Case]:
        """All images on disk in order of name, with lazy readers; unlabelled ones have no label reader."""

    def exams(self) -> list[str]:
        """Names of the patient visits."""

    def exam(self, name: str) -> Exam:
        """All images of one patient visit.

        Raises:
            InputError: no such exam, or a file cannot be read.
        """

    def splits(self) -> Mapping[str, Split]:
        """The published splits by name; empty where there is none.

        Raises:
            InputError: a list leaks a patient into two parts.
        """

    def pairs(self) -> list[FilePair]:
        """Image and reference files of which at least one is on disk; empty where one file holds them all."""


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set before any of its files is read."""

    name: str
    """In the catalog."""
    summary: str
    """One line: what it shows, of how many patients, what is traced."""
    source: str
    """The publication in a few words."""
    citation: str
    """The publication in full, to cite."""
    licence: str
    """Terms of use, in a few words."""
    scheme: LabelScheme
    """Which integer of the label files stands for which structure."""
    views: tuple[View, ...]
    """All that its cases show."""
    modality: Modality
    expected: str
    """What the folder should hold, for messages."""
    sought: str
    """What its patients' files look like, for messages."""
    mirror_axes: tuple[MirrorAxis, ...] = ()
    """Image axes that augmentation may mirror without making an impossible image."""
    channels: int = 1
    """Channels of an image: 1 grey, 3 colour."""


@dataclass(frozen=True)
class Recognised:
    """A file or folder that belongs to a data set."""

    root: Path
    """What the data set is to be opened at."""
    exams: tuple[str, ...] = ()
    """The patient visits that were found there; empty where they are all that the data set has at `root`."""


@dataclass(frozen=True)
class NoOptions:
    """A data set that leaves nothing to choose."""


NO_OPTIONS = NoOptions()


@dataclass(frozen=True)
class PublishedDataset:
    """A data set of a publication, with its facts as attributes; opened at the folder it lies in.

    Raises:
        InputError: the folder is missing or holds something else.
    """

    root: Path
    """The folder, `~` expanded."""

    facts: ClassVar[DatasetFacts]

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", existing_root(self.root, expected=self.facts.expected))
        if not self._is_there():
            raise nothing_found(self.root, self.facts.sought, expected=self.facts.expected)

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """Whether a file or folder, as it was downloaded, is of this data set; looks at names alone."""
        raise NotImplementedError

    def _is_there(self) -> bool:
        """Whether the folder holds anything of the data set."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The name in the catalog."""
        return self.facts.name

    @property
    def scheme(self) -> LabelScheme:
        """Which integer of the label files stands for which structure."""
        return self.facts.scheme

    @property
    def views(self) -> tuple[View, ...]:
        """The views that its cases show."""
        return self.facts.views

    @property
    def modality(self) -> Modality:
        """How its images were made."""
        return self.facts.modality

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """Image axes that augmentation may mirror."""
        return self.facts.mirror_axes

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return self.facts.channels

    @property
    def licence(self) -> str:
        """Terms of use."""
        return self.facts.licence

    @property
    def citation(self) -> str:
        """The publication to cite."""
        return self.facts.citation


def patient_of(folder: Path, pattern: re.Pattern[str]) -> str | None:
    """The one patient whose files lie in a folder; None where there is none, or several.

    Args:
        folder: the folder, whatever it is called.
        pattern: what a file's whole name looks like; its first group is the patient.
    """
    if not folder.is_dir():
        return None
    matches = (pattern.fullmatch(file.name) for file in folder.iterdir())
    patients = {match[1] for match in matches if match}
    return patients.pop() if len(patients) == 1 else None


@dataclass(frozen=True)
class PatientFolders(PublishedDataset):
    """A data set with one folder per patient; it says what their files are called and where the folders are.

    Raises:
        InputError: the root is missing or holds no patients.
    """

    files: ClassVar[re.Pattern[str]]
    """The whole name of a patient's file; the first group is the patient."""

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """A folder of one patient's files, whatever the folder is called."""
        return None if patient_of(path, cls.files) is None else Recognised(path)

    def exams(self) -> list[str]:
        """Names of the patients."""
        return list(self._folders)

    def _is_there(self) -> bool:
        return bool(self._folders)

    @cached_property
    def _folders(self) -> Mapping[str, Path]:
        """Folder of each patient, in order of name; the root itself may be one patient's."""
        patient = patient_of(self.root, self.files)
        return self._folders_below() if patient is None else {patient: self.root}

    def _folders_below(self) -> Mapping[str, Path]:
        """Folder of each patient, where the root is not one patient's own."""
        raise NotImplementedError

    def _by_parent(self) -> dict[str, tuple[str, ...]]:
        """Patients by the name of the folder that theirs lies in."""
        parts: dict[str, list[str]] = {}
        for patient, folder in self._folders.items():
            parts.setdefault(folder.parent.name, []).append(patient)
        return {name: tuple(patients) for name, patients in parts.items()}

    def _release_file(self, name: str) -> Path | None:
        """A file or folder of the release: at the root, or above it if the root is a part of the release."""
        root = self.root.resolve()
        places = (place / name for place in (root, root.parent, root.parent.parent))
        return next((path for path in places if path.exists()), None)


def folders_named(pattern: re.Pattern[str], places: Iterable[Path]) -> dict[str, Path]:
    """Folders whose whole name matches, by name in its order; of two with one name that of the last place."""
    found = {
        folder.name: folder
        for place in places
        if place.is_dir()
        for folder in place.iterdir()
        if pattern.fullmatch(folder.name)
    }
    return dict(sorted(found.items()))


def existing_root(root: Path, *, expected: str) -> Path:
    """The folder, with `~` expanded.

    Args:
        root: folder given by the user.
        expected: what the folder should hold, for the message.

    Raises:
        InputError: it does not exist.
    """
    root = root.expanduser()
    if not root.exists():
        raise InputError("there is no such folder", where=root, remedy=f"give {expected}.")
    return root


def nothing_found(root: Path, what: str, *, expected: str) -> InputError:
    """The error of a root that exists but holds something else."""
    return InputError(f"holds no {what}", where=root, remedy=f"give {expected}.")


def exam_named(name: str, names: Iterable[str], dataset: str) -> str:
    """The name, if it is known.

    Raises:
        InputError: it is not.
    """
    names = list(names)
    if name not in names:
        raise InputError(f"{dataset} has no exam {name!r}", remedy=f"it has {some(names, 4) or 'none'}.")
    return name
