"""What an archive is asked for, and what it answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardiotrace.core.errors import InputError

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_DATES = re.compile(r"(\d{8})?-?(\d{8})?")
LONGEST_UID = 64
MOST_ANSWERS = 200
"""Studies that one question may bring: more are an oversight."""


@dataclass(frozen=True, kw_only=True)
class StudyQuery:
    """Which studies; what is empty matches all. `*` and `?` stand for any letters where the archive allows it.

    Raises:
        InputError: nothing is asked for, or a date is none.
    """

    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    dates: str = ""
    """YYYYMMDD, or a range YYYYMMDD-YYYYMMDD, open at either end."""
    modality: str = ""
    """US or MR."""
    study_uid: str = ""

    def __post_init__(self) -> None:
        if not any(self.keys.values()):
            raise InputError("nothing is asked for", remedy="name a patient, an accession number, dates or a study.")
        if self.dates and not (_DATES.fullmatch(self.dates) and self.dates.strip("-")):
            raise InputError(f"{self.dates!r} is no date", remedy="YYYYMMDD, or YYYYMMDD-YYYYMMDD.")
        if self.study_uid:
            require_uid(self.study_uid)

    @property
    def keys(self) -> dict[str, str]:
        """What is asked, by DICOM keyword."""
        return {
            "PatientID": self.patient_id,
            "PatientName": self.patient_name,
            "AccessionNumber": self.accession_number,
            "StudyDate": self.dates,
            "ModalitiesInStudy": self.modality,
            "StudyInstanceUID": self.study_uid,
        }


@dataclass(frozen=True)
class FoundStudy:
    """A study that an archive holds."""

    study_uid: str
    patient_id: str = ""
    patient_name: str = ""
    date: str = ""
    """YYYY-MM-DD, or as the archive has it."""
    description: str = ""
    modalities: tuple[str, ...] = ()
    objects: int | None = None
    """How many; None where the archive does not say."""


RETURNED = (
    *("StudyInstanceUID", "PatientID", "PatientName", "StudyDate", "StudyDescription", "ModalitiesInStudy"),
    *("AccessionNumber", "NumberOfStudyRelatedInstances"),
)
"""What an archive is to tell of each study."""


def found_study(values: Mapping[str, Any]) -> FoundStudy | None:
    """A study from what was told of it, by DICOM keyword; None where it does not say which it is.

    Example:
        >>> found_study({"StudyInstanceUID": "1.2", "StudyDate": "20260101", "ModalitiesInStudy": ["US"]})
        FoundStudy(study_uid='1.2', patient_id='', patient_name='', date='2026-01-01', description='', \
modalities=('US',), objects=None)
    """
    uid = str(values.get("StudyInstanceUID") or "")
    if not is_uid(uid):
        return None
    told = values.get("ModalitiesInStudy") or ()
    day = str(values.get("StudyDate") or "")
    objects = str(values.get("NumberOfStudyRelatedInstances") or "")
    return FoundStudy(
        study_uid=uid,
        patient_id=str(values.get("PatientID") or ""),
        patient_name=str(values.get("PatientName") or ""),
        date=f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdigit() else day,
        description=str(values.get("StudyDescription") or ""),
        modalities=(told,) if isinstance(told, str) else tuple(map(str, told)),
        objects=int(objects) if objects.isdigit() else None,
    )


def is_uid(uid: str) -> bool:
    """Whether it is a unique identifier, and not a path or a pattern.

    Example:
        >>> is_uid("1.2.840.10008"), is_uid("../1.2"), is_uid("1..2"), is_uid("1" * 65)
        (True, False, False, False)
    """
    return len(uid) <= LONGEST_UID and _UID.fullmatch(uid) is not None


def require_uid(uid: str) -> None:
    """Refuse what is no unique identifier.

    Raises:
        InputError: it is none.
    """
    if not is_uid(uid):
        raise InputError(f"{uid!r} is no unique identifier of a study", remedy="digits and dots, at most 64.")
