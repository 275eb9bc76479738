"""Who the patient of some objects is, for results that are to say whose they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cardiotrace.core.identity import Identity
from cardiotrace.core.text import on_one_line
from cardiotrace.io.dicom.header import value_of
from cardiotrace.io.dicom.visit import date_of, iso_day

if TYPE_CHECKING:
    from pydicom import Dataset


def stated_identity(headers: Sequence["Dataset"]) -> Identity | None:
    """What the objects of a study state of whose they are; None where they state nothing.

    Args:
        headers: of the objects, or of some of them.
    """
    stated: dict[str, str] = {}
    disputed = []
    for name, read in _FACTS.items():
        found = {value.casefold(): value for header in headers if (value := on_one_line(read(header)))}
        if len(found) == 1:
            stated[name] = next(iter(found.values()))
        elif found:
            disputed.append(name)
    return Identity(**stated, disputed=tuple(disputed)) if stated or disputed else None


def _text_of(keyword: str) -> Callable[["Dataset"], str]:
    """Reads an element in its own character set, which a name needs."""
    return lambda header: str(value_of(header, keyword) or "").strip(" ^=\0")


_FACTS: Mapping[str, Callable[["Dataset"], str]] = {
    "patient_name": _text_of("PatientName"),
    "patient_id": _text_of("PatientID"),
    "birth_date": lambda header: iso_day(str(value_of(header, "PatientBirthDate") or "")),
    "study_date": date_of,
    "accession_number": _text_of("AccessionNumber"),
    "institution": _text_of("InstitutionName"),
}
