"""What headers tell of patient, scanner and day, and nothing that tells who the patient is."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from cardiotrace.core.exam import Patient
from cardiotrace.core.image import Acquisition
from cardiotrace.io.dicom.fact import number, text

if TYPE_CHECKING:
    from pydicom import Dataset

_DAYS_OF = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}
_OLDEST_YEARS = 125.0
_HEIGHTS_M, _WEIGHTS_KG, _RATES = (0.2, 2.6), (0.3, 400.0), (20.0, 300.0)
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_Value = TypeVar("_Value")


def patient_of(headers: Sequence["Dataset"]) -> Patient:
    """What the objects of a study say of the person; what they contradict each other about is not known."""
    return Patient(
        sex=_agreed(headers, _sex),
        age_years=_agreed(headers, _age_years),
        height_cm=_agreed(headers, _height_cm),
        weight_kg=_agreed(headers, lambda header: _within(number(header, "PatientWeight"), _WEIGHTS_KG)),
    )


def why_mixed(headers: Sequence["Dataset"]) -> str:
    """Why the objects of one study cannot be of one person, whatever their numbers say; empty where they may be."""
    births = {day for header in headers if (day := text(header, "PatientBirthDate"))}
    sexes = {sex for header in headers if (sex := text(header, "PatientSex").upper()) in ("F", "M")}
    for what, found in (("days of birth", births), ("sexes", sexes)):
        if len(found) > 1:
            told = f"they state {len(found)} {what} under one patient's number, so they may be of several people"
            return f"{len(headers)} objects of one study: {told}"
    return ""


def acquisition_of(header: "Dataset") -> Acquisition:
    """How an image was taken: scanner, field strength and heart rate, where a rate of 0 is none."""
    return Acquisition(
        heart_rate_bpm=_within(number(header, "HeartRate"), _RATES),
        vendor=text(header, "Manufacturer") or None,
        scanner=text(header, "ManufacturerModelName") or None,
        field_strength_t=_within(number(header, "MagneticFieldStrength"), (0.01, 20.0)),
    )


def date_of(header: "Dataset") -> str:
    """The day of the visit, YYYY-MM-DD; empty where none is stated."""
    return next(filter(None, (iso_day(text(header, keyword)) for keyword in _DATES)), "")


def iso_day(stated: str) -> str:
    """A day as DICOM writes it in the form YYYY-MM-DD; empty where it is none.

    Example:
        >>> iso_day("19610203"), iso_day("19611303")
        ('1961-02-03', '')
    """
    day = _day(stated)
    return "" if day is None else day.isoformat()


def _agreed(headers: Sequence["Dataset"], stated: Callable[["Dataset"], _Value | None]) -> _Value | None:
    found = {value for header in headers if (value := stated(header)) is not None}
    return found.pop() if len(found) == 1 else None


def _sex(header: "Dataset") -> str | None:
    sex = text(header, "PatientSex").upper()
    return sex if sex in ("F", "M") else None


def _age_years(header: "Dataset") -> float | None:
    """As it is stated, or from the two dates; whole years."""
    stated = re.fullmatch(r"(\d{1,3})([DWMY])", text(header, "PatientAge").upper())
    if stated is not None:
        years = int(stated[1]) * _DAYS_OF[stated[2]] / _DAYS_OF["Y"]
        return _within(round(years, 1), (0.0, _OLDEST_YEARS))
    birth, visit = _day(text(header, "PatientBirthDate")), _day(date_of(header).replace("-", ""))
    if birth is None or visit is None:
        return None
    return _within(float((visit - birth).days // _DAYS_OF["Y"]), (0.0, _OLDEST_YEARS))


def _height_cm(header: "Dataset") -> float | None:
    metres = _within(number(header, "PatientSize"), _HEIGHTS_M)
    return None if metres is None else round(100 * metres, 1)


def _within(value: float | None, limits: tuple[float, float]) -> float | None:
    return value if value is not None and limits[0] <= value <= limits[1] else None


def _day(text: str) -> date | None:
    found = re.fullmatch(r"(\d{4})\.?(\d{2})\.?(\d{2})", text)
    try:
        return None if found is None else date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
