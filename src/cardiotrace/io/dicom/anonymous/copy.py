"""A copy of one object: header, pixels, and what says of them that they were cleaned."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace import __version__
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.dicom.anonymous.header import Cleaner, Removed
from cardiotrace.io.dicom.anonymous.pixels import Treatment, put_pixels
from cardiotrace.io.dicom.object_file import class_of
from cardiotrace.io.dicom.source import DicomFile
from cardiotrace.io.stored import quiet

if TYPE_CHECKING:
    from pydicom import Dataset

_METHOD = f"CardioTrace {__version__}: allow-list copy"
_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)
"""Context group 7050: which rules of PS3.15 were followed."""
_CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")


def anonymous_copy(file: DicomFile, cleaner: Cleaner, treatment: Treatment, removed: Removed) -> "Dataset":
    """The copy of an object.

    Args:
        file: the original.
        cleaner: of its study.
        treatment: of its pixels.
        removed: told of what the copy lacks.

    Raises:
        InputError: its pixels are missing or damaged.
    """
    # What the library warns of names values, and the copy is made of those alone that it understands.
    with warnings.catch_warnings(), quiet("pydicom"):
        warnings.simplefilter("ignore")
        copy = cleaner.header(file.header, f"{file.path}:{file.member}")
        copy.SOPClassUID = class_of(file.header)
        put_pixels(copy, file, treatment)
        removed.compare(file.header, copy)
        _state(copy, treatment)
    return copy


def _state(copy: "Dataset", treatment: Treatment) -> None:
    """What was done, in the standard's words; of pixels that may tell of somebody it is not said that they do not."""
    from pydicom import Dataset

    codes = (*_CODES, *((_CLEAN_PIXELS,) if _is_clean(treatment) else ()))
    copy.PatientIdentityRemoved = "NO" if treatment.may_tell else "YES"
    copy.DeidentificationMethod = _METHOD
    copy.LongitudinalTemporalInformationModified = "MODIFIED"
    copy.DeidentificationMethodCodeSequence = []
    for value, meaning in sorted(codes):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        copy.DeidentificationMethodCodeSequence.append(item)


def _is_clean(treatment: Treatment) -> bool:
    return treatment.part is not None and not treatment.may_tell


def write_copy(copy: "Dataset", path: Path) -> None:
    """Write an object; nothing stands before it, and nothing tells of its origin.

    Raises:
        WorkError: it cannot be written.
    """
    copy.preamble = bytes(128)
    with as_work_error(path):
        copy.save_as(path, enforce_file_format=True)
