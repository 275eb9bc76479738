"""Objects sorted into studies: the visits of patients, each with its images and with what is none and why."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.terms import Modality
from cardiotrace.core.text import numbered
from cardiotrace.io.dicom.fact import text
from cardiotrace.io.dicom.files import Found, LeftOut, find_files
from cardiotrace.io.dicom.header import unwarned
from cardiotrace.io.dicom.magnetic_resonance import stacks_of
from cardiotrace.io.dicom.object_file import class_of, identity_of
from cardiotrace.io.dicom.picture import CAPTURES, modality_of
from cardiotrace.io.dicom.source import DicomFile, DicomImage, Images, Study
from cardiotrace.io.dicom.ultrasound import pictures_of
from cardiotrace.io.dicom.visit import date_of, patient_of, why_mixed

if TYPE_CHECKING:
    from pydicom import Dataset


_KEY = secrets.token_bytes(32)
"""Of this run alone: whoever sees a key cannot try out numbers of patients on it."""


def find_studies(path: Path, is_foreign: Callable[[Path], bool] = lambda folder: False) -> list[Study]:
    """The studies at a file, folder, DICOMDIR or archive, in order of their dates.

    Args:
        path: where they lie.
        is_foreign: whether a folder is left alone.

    Raises:
        InputError: as `files.find_files`.
    """
    return studies_in(find_files(path, is_foreign))


def studies_in(found: Found) -> list[Study]:
    """The studies that objects belong to, in order of their dates."""
    sorted_files: dict[tuple[str, str], list[DicomFile]] = {}
    with unwarned():
        for file in found.files:
            key = _patient_key(file.header)
            sorted_files.setdefault((key, text(file.header, "StudyInstanceUID")), []).append(file)
        studies = [_study(uid, key, files) for (key, uid), files in sorted_files.items()]
    return sorted(studies, key=lambda study: study.date)


def _patient_key(header: "Dataset") -> str:
    """A digest of what tells patients apart."""
    return hashlib.blake2b(identity_of(header).encode(), key=_KEY, digest_size=16).hexdigest()


def _study(uid: str, patient_key: str, files: Sequence[DicomFile]) -> Study:
    headers = [file.header for file in files]
    if mixed := why_mixed(headers):
        return Study(uid, patient_key, patient_of(headers), (), (mixed,))
    left_out = LeftOut()
    flat, resonance = [], []
    for file in files:
        modality = modality_of(file.header)
        if modality is Modality.MR:
            resonance.append(file)
        elif modality is not Modality.UNKNOWN:
            flat.append(file)
        else:
            left_out.add(file.name, _why_not(file.header))
    pictures, stacks = pictures_of(flat), stacks_of(resonance) if resonance else Images()
    return Study(
        uid=uid,
        patient_key=patient_key,
        patient=patient_of(headers),
        images=_with_unique_names((*pictures.images, *stacks.images)),
        left_out=(*pictures.left_out, *stacks.left_out, *left_out.lines()),
        date=next((day for header in headers if (day := date_of(header))), ""),
    )


def _with_unique_names(images: Iterable[DicomImage]) -> tuple[DicomImage, ...]:
    found = tuple(images)
    return tuple(
        replace(image, name=name) for image, name in zip(found, numbered([image.name for image in found]), strict=True)
    )


def _why_not(header: "Dataset") -> str:
    """Why an object is no image of a study, by its class."""
    from pydicom.uid import UID

    kind = class_of(header)
    if not kind:
        return "says of itself nothing that is known: no class of DICOM objects"
    if kind in CAPTURES:
        return "a secondary capture: what was on a screen"
    name = UID(kind).name
    if name == kind:
        return "an object of no known class"
    return f"{name.removesuffix(' Storage')}: no picture of the heart"
