"""One file of DICOM: opened, its header read; of which class and whose it is."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.fact import text
from cardiotrace.io.dicom.header import read_header, read_object
from cardiotrace.io.dicom.source import DicomFile

if TYPE_CHECKING:
    from pydicom import Dataset

DIRECTORY = "1.2.840.10008.1.3.10"
"""Class of a DICOMDIR, the table of contents of a medium."""


def open_file(path: Path) -> DicomFile:
    """A DICOM file with its header.

    Raises:
        InputError: it is damaged, or may not be read.
    """
    with _opened(path) as file:
        return DicomFile(path, read_header(file, path), partial(_read_file, path))


def class_of(header: "Dataset") -> str:
    """The class of an object; where it does not say, that its file's own head says."""
    meta = getattr(header, "file_meta", None)
    return text(header, "SOPClassUID") or ("" if meta is None else text(meta, "MediaStorageSOPClassUID"))


def identity_of(header: "Dataset") -> str:
    """What tells patients apart, as it stands there: their number, or name and day of birth where there is none."""
    number = text(header, "PatientID")
    told = number or f"{text(header, 'PatientName').casefold()}\n{text(header, 'PatientBirthDate')}"
    return f"{bool(number)}{told}"


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from None


def _read_file(path: Path) -> "Dataset":
    with _opened(path) as file:
        return read_object(file, path)
