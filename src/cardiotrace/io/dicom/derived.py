"""What every object made here has in common: patient and study of its source, a series of its own, and who made it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace import __version__
from cardiotrace.core.errors import InputError
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.dicom.code import PRIVATE_SCHEME

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

MAKER, PROGRAM = "CardioTrace", "CardioTrace"
"""Manufacturer and model of the equipment that makes the objects."""

_PATIENT = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "TypeOfPatientID"),
    *("PatientBirthDate", "PatientBirthTime", "PatientSex", "OtherPatientIDsSequence", "OtherPatientNames"),
    *("EthnicGroup", "PatientComments", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "PatientSpeciesDescription", "QualityControlSubject"),
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"),
)
_STUDY = (
    *("StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "StudyDescription", "AccessionNumber"),
    *("IssuerOfAccessionNumberSequence", "ReferringPhysicianName", "ProcedureCodeSequence"),
    *("AdmittingDiagnosesDescription", "PatientAge", "PatientSize", "PatientWeight", "AdmissionID"),
)
_TYPE_2 = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName"),
)
"""What must be there, if empty."""


@dataclass(frozen=True)
class Kind:
    """A kind of object that is made here."""

    sop_class: str
    modality: str
    series_number: int
    """High, so that it stands behind the series of the scanner."""
    series: str
    """Description of the series."""


def derived_object(
    header: "Dataset", kind: Kind, made: datetime, *, series: Sequence[str], content: bytes
) -> "Dataset":
    """An object in the patient's study that a source belongs to: all but what is special about its kind.

    Patient and study are those of the source, word for word: the object goes back to where that came from, and an
    archive files it by them. Nothing else of the source is taken over.

    Unique identifiers are digests. That of the series is of the study, the program's version and `series`: whatever is
    made again of the same study lies in one series. That of the object is of its content and of the moment as well:
    the same content made at another moment says so in its dates, and two contents must never have one identifier.

    Args:
        header: of an object that the new one is made from.
        kind: what it is to be.
        made: when, as the object tells.
        series: what else tells its series from others of its kind, such as the frame of reference.
        content: what tells it from other objects of its series.

    Raises:
        InputError: the source does not say which study it is of.
    """
    from pydicom import Dataset
    from pydicom.uid import ExplicitVRLittleEndian

    if not header.get("StudyInstanceUID"):
        raise InputError("does not say which study it is of: results have no place to go to", where=_name_of(header))
    result = Dataset()
    for name in (*_PATIENT, *_STUDY):
        if name in header:
            result[name] = header[name]
    for name in _TYPE_2:
        if name not in result:
            setattr(result, name, "")
    whose = [str(header.StudyInstanceUID), kind.sop_class, __version__, *series]
    result.Modality = kind.modality
    result.SeriesInstanceUID = uid_of(*whose)
    result.SeriesNumber = kind.series_number
    result.SeriesDescription = kind.series
    result.SOPClassUID = kind.sop_class
    result.SOPInstanceUID = uid_of(*whose, made.isoformat(), hashlib.sha256(content).hexdigest())
    result.InstanceNumber = 1
    result.Manufacturer, result.ManufacturerModelName = MAKER, PROGRAM
    result.DeviceSerialNumber, result.SoftwareVersions = __version__, __version__
    result.ContentDate, result.ContentTime = made.strftime("%Y%m%d"), made.strftime("%H%M%S")
    result.InstanceCreationDate, result.InstanceCreationTime = result.ContentDate, result.ContentTime
    result.SpecificCharacterSet = "ISO_IR 192"
    result.file_meta = _file_meta(result, ExplicitVRLittleEndian)
    return result


def uid_of(*words: str) -> "UID":
    """A unique identifier that is a digest of some words.

    Example:
        >>> uid_of("study", "segmentation") == uid_of("study", "segmentation")
        True
    """
    from pydicom.uid import generate_uid

    return generate_uid(entropy_srcs=[f"{len(word)}:{word}" for word in ("cardiotrace", *words)])


def reference_to(header: "Dataset") -> "Dataset":
    """An item that names an object."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return item


def series_references(headers: Sequence["Dataset"]) -> "list[Dataset]":
    """Items that name each object once, by series."""
    from pydicom import Dataset

    by_series: dict[str, dict[str, Dataset]] = {}
    for header in headers:
        by_series.setdefault(str(header.SeriesInstanceUID), {})[str(header.SOPInstanceUID)] = header
    items = []
    for uid, members in by_series.items():
        item = Dataset()
        item.SeriesInstanceUID = uid
        item.ReferencedInstanceSequence = [reference_to(header) for header in members.values()]
        items.append(item)
    return items


def private_scheme_item() -> "Dataset":
    """What the private coding scheme is, for readers that never heard of it."""
    from pydicom import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = PRIVATE_SCHEME
    item.CodingSchemeName = "CardioTrace: quantities and methods without a public code"
    item.CodingSchemeResponsibleOrganization = MAKER
    item.CodingSchemeVersion = __version__
    return item


def write_object(made: "Dataset", path: Path) -> None:
    """Write an object as a DICOM file, completely or not at all.

    Raises:
        WorkError: the file cannot be written.
    """
    from pydicom import dcmwrite

    stream = BytesIO()
    dcmwrite(stream, made, enforce_file_format=True)
    write_bytes(path, stream.getvalue())


def _file_meta(made: "Dataset", syntax: "UID") -> "FileMetaDataset":
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = uid_of("implementation")
    meta.ImplementationVersionName = "CARDIOTRACE"
    return meta


def _name_of(header: "Dataset") -> str:
    return Path(str(getattr(header, "filename", "") or "the DICOM object")).name
