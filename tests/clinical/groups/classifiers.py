"""A classifier of two groups by two indices, small enough to be worked out by hand."""

import numpy as np

from cardiotrace.clinical.groups.classifier import GroupClassifier, Scores
from cardiotrace.clinical.groups.regression import Regression
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.licence import Terms

EF = "left_ventricular_ejection_fraction_percent"
VOLUME = "left_ventricular_end_diastolic_volume_index_ml_per_m2"
BAD = Flag(Grade.NOT_USABLE, "the left ventricle was lost in one frame")
DOUBT = Flag(Grade.LOOK_TWICE, "a slice is missing")


def regression(indices=(EF, VOLUME), *, farthest=3.0, temperature=1.0) -> Regression:
    """The first group has a high ejection fraction and a small volume, the second the reverse."""
    spread = {EF: (50.0, 10.0, 1.0), VOLUME: (90.0, 20.0, -2.0)}
    centre, scale, weight = (np.array([spread[key][place] for key in indices]) for place in range(3))
    means = np.array([np.sign(weight), -np.sign(weight)])
    precision = np.eye(len(indices))
    weights, offsets = np.array([weight, -weight]), np.zeros(2)
    return Regression(tuple(indices), centre, scale, weights, offsets, temperature, means, precision, farthest)


CLASSIFIER = GroupClassifier(
    "two-groups",
    "SAX",
    ("NOR", "DCM"),
    (12, 13),
    (regression(), regression((EF,))),
    Scores(5, (0.9, 0.8), ((20, 4), (5, 21)), 0.3, 0.05, 0.0),
    Terms("CC BY-NC-SA 4.0", "Somebody 2018."),
    "25 patients",
)


def quantity(name: str, value: float, unit: str, view: str = "SAX", flags=()) -> Quantity:
    method = Method.SUM_OF_SLICES if view == "SAX" else Method.SLICES_TO_PLANE
    return Quantity(name, value, unit, method, view, (), flags=tuple(flags))


def exam(ejection: float = 60.0, volume: float | None = 140.0, *, area: float | None = 2.0, flags=()) -> Measures:
    """An ejection fraction, and a volume with its index where a body surface is known."""
    found = [quantity("left_ventricular_ejection_fraction", ejection, "percent", flags=flags)]
    if volume is not None:
        found.append(quantity("left_ventricular_end_diastolic_volume", volume, "ml"))
    if volume is not None and area is not None:
        found.append(quantity("left_ventricular_end_diastolic_volume_index", volume / area, "ml/m2"))
    return Measures("p1", tuple(found))
