"""What the parts of the DICOM reader hand to each other, and what a writer needs to refer to what was read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cardiotrace.core.exam import Patient
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class DicomFile:
    """One DICOM object on disk or in an archive: its header, which is at hand, and its pixels, read when asked for."""

    path: Path
    """The file, or the archive that it lies in."""
    header: "Dataset" = field(repr=False)
    """All that stands before the pixels."""
    read: "Callable[[], Dataset]" = field(repr=False)
    """The object with its pixels; raises InputError where they are damaged."""
    member: str = ""
    """Name inside the archive; empty of a file of its own."""

    @property
    def name(self) -> str:
        """What messages call it: without folders, which a clinic may name after people."""
        return f"{self.path.name}:{PurePosixPath(self.member).name}" if self.member else self.path.name


@dataclass(frozen=True)
class DicomFrame:
    """One plane of an image: the object that holds it and which of its frames it is."""

    file: DicomFile
    number: int = 1
    """Counted from 1, as DICOM does."""


@dataclass(frozen=True)
class DicomSource:
    """Where every plane of an image came from: `FileSource.header` of an image that DICOM files hold.

    Planes lie in the image as they lie in their files, unturned; those that the reader made of several (another heart
    rate's instants, say) name the nearest.
    """

    frames: Sequence[Sequence[DicomFrame]]
    """By time, then by depth."""


@dataclass(frozen=True)
class DicomImage:
    """One image of a study, not yet read."""

    name: str
    """Unique in its study, safe in a file name, no part of an identity: "A4C", "SAX", "4CH_2"."""
    view: View
    modality: Modality
    read: Callable[[], Image] = field(repr=False)
    files: tuple[DicomFile, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Images:
    """What images some files are, and which files are none, each with the reason: "Se3: late enhancement"."""

    images: tuple[DicomImage, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """One visit of one patient, as DICOM keeps it; nothing in it identifies the person."""

    uid: str
    patient_key: str
    """Tells patients apart, and says no more: a digest."""
    patient: Patient
    images: tuple[DicomImage, ...]
    left_out: tuple[str, ...] = ()
    date: str = ""
    """YYYY-MM-DD; empty where it is not stated."""


def dicom_source(image: Image) -> DicomSource | None:
    """Where the planes of an image came from; None if it is no DICOM."""
    header = None if image.source is None else image.source.header
    return header if isinstance(header, DicomSource) else None
