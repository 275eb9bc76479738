"""What was measured in each patient: on predicted labels, on reference labels, and as the data set states it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cardiotrace.clinical.term import TERMS, terms

_HEADLINE = (
    *("left_ventricular_ejection_fraction", "left_ventricular_end_diastolic_volume"),
    *("left_ventricular_end_systolic_volume", "left_ventricular_mass", "right_ventricular_ejection_fraction"),
    *("right_ventricular_end_diastolic_volume", "right_ventricular_end_systolic_volume", "left_atrial_volume"),
)
QUANTITIES = {term.key: term.qualified for term in terms(_HEADLINE)}
"""Quantities that are always compared, by name and unit, and what tables call them."""
CLINICAL = {**QUANTITIES, **{term.key: term.qualified for term in TERMS.values() if term.chamber}}
"""All of a heart that may be measured, the former first: those that are compared where all are asked for."""

_SIGNS = {term.key: term.sign for term in TERMS.values()}

Against = Literal["traced", "stated"]
"""The same measurement on the reference labels, or what the data set states."""


@dataclass(frozen=True)
class PatientQuantity:
    """One quantity of one patient; NaN where it cannot be had."""

    patient: str
    key: str
    """Name and unit, one of `CLINICAL`."""
    predicted: float = math.nan
    """Measured on the predicted labels."""
    traced: float = math.nan
    """Measured in the same way on the reference labels: what remains is the segmentation's own error."""
    stated: float = math.nan
    """What the data set states."""
    reading: tuple[float, float] | None = None
    """Where the traced value should lie, as the model was calibrated; None where it was not."""
    whole: tuple[float, float] | None = None
    """Where the stated value should lie."""

    @property
    def is_known(self) -> bool:
        """Whether any of the three is."""
        return not all(math.isnan(value) for value in (self.predicted, self.traced, self.stated))


def quantity_words(key: str) -> tuple[str, str]:
    """What tables call a quantity, and the sign of its unit.

    Example:
        >>> quantity_words("left_ventricular_ejection_fraction_percent"), quantity_words("left_ventricular_mass_g")
        (('LV EF', '%'), ('LV mass', 'g'))
    """
    return CLINICAL[key], _SIGNS[key]


def of_ejection(stored: Mapping[str, Any]) -> list[PatientQuantity]:
    """The quantities of a patient from the form of older tables, which knew the left ventricle alone.

    Example:
        >>> of_ejection({"patient": "a", "predicted_percent": 50.0, "traced_percent": 52.0, "reference_percent": 51.0})
        [PatientQuantity(patient='a', key='left_ventricular_ejection_fraction_percent', predicted=50.0, ...)]
    """
    names = {
        "left_ventricular_ejection_fraction_percent": ("predicted_percent", "traced_percent", "reference_percent"),
        "left_ventricular_end_diastolic_volume_ml": ("predicted_end_diastolic_ml", "traced_end_diastolic_ml", ""),
        "left_ventricular_end_systolic_volume_ml": ("predicted_end_systolic_ml", "traced_end_systolic_ml", ""),
    }
    found = []
    for key, columns in names.items():
        predicted, traced, stated = (float(stored.get(name, math.nan)) for name in columns)
        found.append(PatientQuantity(str(stored["patient"]), key, predicted, traced, stated))
    return [item for item in found if item.is_known]
