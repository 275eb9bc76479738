"""Reference numbers that the tables of data sets state, under our names."""

from collections.abc import Mapping

from cardiotrace.core.ejection import ejection_fraction_class
from cardiotrace.core.exam import Patient
from cardiotrace.datasets.table import number

EJECTION_FRACTION = "left_ventricular_ejection_fraction_percent"
"""The key of `Case.facts`."""


def case_reference(ejection_fraction_percent: float | None) -> dict[str, float]:
    """The reference numbers of a case.

    Example:
        >>> case_reference(61.0), case_reference(None)
        ({'left_ventricular_ejection_fraction_percent': 61.0}, {})
    """
    return {} if ejection_fraction_percent is None else {EJECTION_FRACTION: ejection_fraction_percent}


def case_class(ejection_fraction_percent: float | None) -> dict[str, str]:
    """The group of a case by its ejection fraction.

    Example:
        >>> case_class(61.0), case_class(None)
        ({'ef_class': '>=55'}, {})
    """
    if ejection_fraction_percent is None:
        return {}
    return {"ef_class": ejection_fraction_class(ejection_fraction_percent)}


def exam_reference(ejection_fraction_percent: float | None) -> dict[str, str]:
    """The reference numbers of an exam, as its facts hold them.

    Example:
        >>> exam_reference(61.0)
        {'reference_ejection_fraction_percent': '61'}
    """
    if ejection_fraction_percent is None:
        return {}
    return {"reference_ejection_fraction_percent": f"{ejection_fraction_percent:g}"}


def person(row: Mapping[str, str]) -> Patient:
    """What a table with columns Sex, Age (years), Height (cm) and Weight (kg) says of a person.

    Example:
        >>> person({"Sex": "f", "Age": "64"})
        Patient(sex='F', age_years=64.0, height_cm=None, weight_kg=None)
    """
    sex = row.get("Sex", "").strip().upper()[:1]
    return Patient(
        sex=sex if sex in ("F", "M") else None,
        age_years=number(row, "Age"),
        height_cm=number(row, "Height"),
        weight_kg=number(row, "Weight"),
    )
