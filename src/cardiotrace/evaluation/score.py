"""Rows of the table from one case's labels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical import measure
from cardiotrace.core.ejection import ejection_fraction_class
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, Structure
from cardiotrace.evaluation.case_table import SCORES, CaseRow
from cardiotrace.evaluation.quantity import QUANTITIES, PatientQuantity
from cardiotrace.metrics import RankingCurve, Region, image_diagonal_mm, measure_frames, regions_of, shape_of

Progress = Callable[[int, int], None]
"""Called with the number of cases done and of all cases."""


@dataclass(frozen=True)
class CasePrediction:
    """A case with its predicted and reference labels."""

    case: Case
    predicted: LabelMap
    reference: LabelMap
    confidence: Sequence[float] = ()
    """Of each frame; empty where nothing is known."""
    probability: Float[np.ndarray, "time depth height width"] | None = None
    """Of the scheme's only structure, before any threshold; None where nothing is known."""


def common_regions(judged: CasePrediction) -> tuple[Region, ...]:
    """Regions of the reference that the prediction can hold too.

    Raises:
        InputError: there are none.
    """
    held = set(judged.predicted.scheme.structures)
    regions = tuple(region for region in regions_of(judged.reference.scheme) if held.issuperset(region.structures))
    if not regions:
        raise InputError(
            f"{judged.case.name}: predictions hold {', '.join(judged.predicted.scheme.structures)}, the reference"
            f" {', '.join(judged.reference.scheme.structures)}: nothing to compare"
        )
    return regions


def score_case(judged: CasePrediction) -> list[CaseRow]:
    """One row for each frame and region.

    Raises:
        InputError: the grids differ, or no structure is in both.
    """
    regions = common_regions(judged)
    read = judged.case.read_field_of_view
    field_of_view = None if read is None else read()
    frames = measure_frames(judged.predicted, judged.reference, regions, field_of_view=field_of_view)
    groups = groups_of(judged.case)
    return [
        CaseRow(
            case=judged.case.name,
            patient=judged.case.patient,
            view=judged.case.view,
            phase=judged.case.phase,
            frame=frame,
            groups=groups,
            region=region.name,
            presence=scores[region.name].presence,
            scores=_columns(
                vars(scores[region.name])
                | shape_scores(judged.predicted, region, frame)
                | _ranking(judged, region, frame, field_of_view)
            ),
            confidence=float(judged.confidence[frame]) if len(judged.confidence) else math.nan,
            diagonal_mm=_diagonal_mm(judged.reference),
        )
        for frame, scores in enumerate(frames)
        for region in regions
    ]


def _diagonal_mm(labels: LabelMap) -> float:
    """Of the plane or the stack; NaN where a size is not known."""
    if labels.spacing_mm is None:
        return math.nan
    first = 1 if labels.array.shape[1] == 1 else 0
    return image_diagonal_mm(labels.array.shape[1 + first :], labels.spacing_mm[first:])


def groups_of(case: Case) -> dict[str, str]:
    """Group keys beside the patient; the class of the stated ejection fraction where the data set gives none."""
    stated = case.facts.get("left_ventricular_ejection_fraction_percent")
    known = {} if stated is None else {"ef_class": ejection_fraction_class(stated)}
    return known | {key: value for key, value in case.groups.items() if key != "patient"}


def quantities_of(patient: Sequence[CasePrediction]) -> tuple[PatientQuantity, ...]:
    """Ejection fractions, volumes and mass of one patient from predicted and reference labels, and as stated.

    Args:
        patient: all judged cases of the patient.

    Returns:
        Those of `QUANTITIES` of which anything is known.
    """
    predicted = _measured([(judged.case, judged.predicted) for judged in patient])
    traced = _measured([(judged.case, judged.reference) for judged in patient])
    found = [
        PatientQuantity(
            patient[0].case.patient,
            key,
            predicted=predicted.get(key, math.nan),
            traced=traced.get(key, math.nan),
            stated=_stated(patient, key),
        )
        for key in QUANTITIES
    ]
    return tuple(item for item in found if item.is_known)


def _stated(patient: Sequence[CasePrediction], key: str) -> float:
    """What the data set says of the patient with any of the images; NaN where nothing."""
    stated = (float(judged.case.facts.get(key, math.nan)) for judged in patient)
    return next((value for value in stated if not math.isnan(value)), math.nan)


def _measured(labelled: Sequence[tuple[Case, LabelMap]]) -> dict[str, float]:
    """The preferred value of each quantity that the labels give, by name and unit."""
    if not any(Structure.LV in labels.scheme.values for _, labels in labelled):
        return {}
    images = tuple(_labels_as_image(case, labels) for case, labels in labelled)
    exam = Exam(labelled[0][0].patient, images)
    found = measure(exam, {case.name: labels for case, labels in labelled}, has_images=False)
    # Values that are not usable count, too: a comparison without them would flatter the model.
    return {quantity.key: quantity.value for quantity in reversed(found.quantities)}


def _labels_as_image(case: Case, labels: LabelMap) -> ExamImage:
    """Measuring needs the grid and the phase of an image, not its pixels, so the image need not be read."""
    blank = np.broadcast_to(np.uint8(0), labels.array.shape)
    is_still = len(labels.array) == 1 and case.phase is not Phase.OTHER
    cine = Image(blank, labels.geometry, view=case.view, source=labels.source, modality=case.modality)
    return ExamImage(case.name, cine, {case.phase: 0} if is_still else {})


def _columns(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(values[name]) for name in SCORES}


def _ranking(
    judged: CasePrediction, region: Region, frame: int, field_of_view: Bool[np.ndarray, "depth height width"] | None
) -> dict[str, float]:
    """Scores over all thresholds, of the pixels that count."""
    if judged.probability is None:
        return {"roc_auc": math.nan, "average_precision": math.nan}
    inside = slice(None) if field_of_view is None else field_of_view
    reference = region.mask(judged.reference.array[frame], judged.reference.scheme)
    curve = RankingCurve.of(judged.probability[frame][inside], reference[inside])
    return {"roc_auc": curve.roc_auc, "average_precision": curve.average_precision}


def shape_scores(labels: LabelMap, region: Region, frame: int) -> dict[str, float]:
    """Simplicity and convexity of a region of a planar frame; NaN in a stack and where the region is empty."""
    if labels.array.shape[1] != 1:
        return {"simplicity": math.nan, "convexity": math.nan}
    mask = region.mask(labels.array[frame, 0], labels.scheme)
    spacing_mm = labels.geometry.pixel_mm
    return dict(zip(("simplicity", "convexity"), shape_of(mask, spacing_mm=spacing_mm), strict=True))
