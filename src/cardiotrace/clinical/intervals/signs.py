"""What goes with an error of the ejection fraction and the volumes: signs that a calibration may be fitted on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cardiotrace.clinical.ejection import ejection_fraction
from cardiotrace.clinical.expected import first_signs, second_signs
from cardiotrace.clinical.intervals.contour_samples import contour_spread
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.geometry.soft_mask import SoftMask

SIGNS: Mapping[str, str] = {
    "ejection": "the ejection fraction itself, percent",
    "atrium": "logarithm of the change of the atrium's area",
    "dents": "logarithm of what the outline lacks to its convex hull at end-diastole",
    "length": "length of the ventricle at end-diastole, cm",
    "unsure": "logarithm of the model's doubt at end-systole",
    "unsure_diastole": "logarithm of the model's doubt at end-diastole",
    "odd_atrium": "how far the change of the atrium is from the usual one",
    "odd_heart": "how far the change of ventricle, wall and atrium together is from the usual one",
    "methods": "ejection fraction by area and length less that by disks, points",
    "shortening": "logarithm of the change of the ventricle's length",
    "size": "logarithm of the volume at end-diastole",
    "spread": "logarithm of the spread of the ejection fraction over sampled outlines",
    "spread_diastole": "logarithm of the spread of the volume at end-diastole",
    "spread_systole": "logarithm of the spread of the volume at end-systole",
}
"""Every sign by name, and what it is."""
OF_NETWORK = frozenset({"unsure", "unsure_diastole", "spread", "spread_diastole", "spread_systole"})
"""Those that follow from probabilities: each network has a scale of its own."""


@dataclass(frozen=True)
class SeenPhase:
    """One phase of a view: the outline, and how sure the model was of it."""

    trace: LongAxisTrace
    doubt: float = math.nan
    """See `clinical.expected.Doubt`."""
    soft: SoftMask | None = None
    """Probability of the ventricle."""


def signs_of(diastole: SeenPhase, systole: SeenPhase, *, correlation: float) -> dict[str, float]:
    """The signs of one view.

    Args:
        diastole: end-diastole.
        systole: end-systole.
        correlation: between the two, of outlines that are sampled.

    Returns:
        By the names of `SIGNS`; NaN where one is not known, none without volumes.
    """
    first, last = diastole.trace, systole.trace
    signs = first_signs(first, last)
    if not signs:
        return {}
    others = second_signs(0.0, first, last, systole.doubt)
    signs |= {name: others[name] for name in ("unsure", "odd_atrium", "odd_heart")}
    signs |= {
        "unsure_diastole": _logarithm(diastole.doubt),
        "methods": _between_methods(first, last) - signs["ejection"],
        "shortening": _logarithm((first.length_cm or math.nan) / (last.length_cm or math.nan)),
        "size": _logarithm(first.simpson_ml or math.nan),
    }
    spread = contour_spread(first, last, (diastole.soft, systole.soft), correlation=correlation)
    sampled = (math.nan,) * 3 if spread is None else (spread.ejection, spread.diastole, spread.systole)
    names = ("spread", "spread_diastole", "spread_systole")
    return signs | {name: _logarithm(value) for name, value in zip(names, sampled, strict=True)}


def signs_of_stack(ejection_percent: float, diastolic_ml: float) -> dict[str, float]:
    """The signs of a short-axis stack, of which only volumes are known; NaN where one is not.

    Example:
        >>> signs_of_stack(55.0, 1.0)
        {'ejection': 55.0, 'size': 0.0}
    """
    return {"ejection": ejection_percent, "size": _logarithm(diastolic_ml)}


def _between_methods(first: LongAxisTrace, last: LongAxisTrace) -> float:
    """Ejection fraction by area and length."""
    large, small = first.area_length_volume, last.area_length_volume
    return ejection_fraction(large, small) if large and small else math.nan


def _logarithm(value: float) -> float:
    return math.log(value) if value > 0 else math.nan
