"""Hand-made cases whose scores are known."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap, LabelScheme
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.quantity import PatientQuantity

SPACING_MM = (1.0, 0.5, 0.5)


def square(top: int, left: int, size: int, *, value: int = 1, shape: tuple[int, int] = (40, 40)) -> NDArray[np.uint8]:
    plane = np.zeros(shape, np.uint8)
    plane[top : top + size, left : left + size] = value
    return plane


def label_map(plane: NDArray[np.uint8], scheme: LabelScheme = CAMUS) -> LabelMap:
    return LabelMap(plane[None, None], scheme, Geometry.of_spacing(SPACING_MM))


def make_case(
    name: str,
    reference: NDArray[np.uint8],
    *,
    phase: Phase = Phase.ED,
    patient: str | None = None,
    scheme: LabelScheme = CAMUS,
    image: NDArray[np.uint8] | None = None,
    groups: Mapping[str, str] | None = None,
    facts: Mapping[str, float] | None = None,
) -> Case:
    pixels = reference * 0 if image is None else image
    return Case(
        name=name,
        view=View.FOUR_CHAMBER,
        phase=phase,
        groups={"patient": patient or name, **(groups or {})},
        read_image=lambda: Image(pixels[None, None], Geometry.of_spacing(SPACING_MM), view=View.FOUR_CHAMBER),
        read_labels=lambda: label_map(reference, scheme),
        facts=facts or {},
    )


def half_ellipse(length: float, radius: float, *, shape: tuple[int, int] = (200, 200)) -> NDArray[np.uint8]:
    """A left ventricle (1) in its myocardium (2), apex up, base at row 150; sizes in pixels."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    up, aside = 150 - rows, columns - shape[1] / 2 + 0.5

    def inside(extra: float) -> NDArray[np.bool_]:
        return (up >= 0) & ((up / (length + extra)) ** 2 + (aside / (radius + extra)) ** 2 <= 1)

    return np.where(inside(0), 1, np.where(inside(15), 2, 0)).astype(np.uint8)


def left_ventricle(
    patient: str,
    predicted: float,
    traced: float,
    stated: float,
    diastolic: tuple[float, float] = (math.nan, math.nan),
    systolic: tuple[float, float] = (math.nan, math.nan),
) -> tuple[PatientQuantity, ...]:
    """Ejection fraction of one patient, and predicted and traced volumes."""
    return (
        PatientQuantity(patient, "left_ventricular_ejection_fraction_percent", predicted, traced, stated),
        PatientQuantity(patient, "left_ventricular_end_diastolic_volume_ml", *diastolic),
        PatientQuantity(patient, "left_ventricular_end_systolic_volume_ml", *systolic),
    )
