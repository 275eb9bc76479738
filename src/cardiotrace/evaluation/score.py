"""Rows of the table from one case's labels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.filling import TracedBy, with_intervals
from cardiotrace.clinical.measure import LabelledView, measure_labels
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.core.ejection import ejection_fraction_class
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.evaluation.case_table import SCORES, CaseRow
from cardiotrace.evaluation.quantity import CLINICAL, PatientQuantity
from cardiotrace.metrics import RankingCurve, Region, image_diagonal_mm, measure_frames, regions_of, shape_of


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
    warnings: tuple[str, ...] = ()
    """In words, what speaks against all that a model says of the image."""
    expected_dice: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """By region, of each frame, what the model expected of its labels."""
    traced_by: TracedBy | None = None
    """What is known of the model that predicted, for intervals; None of labels from elsewhere."""


def common_regions(prediction: CasePrediction) -> tuple[Region, ...]:
    """Regions of the reference that the prediction can hold too.

    Raises:
        InputError: there are none.
    """
    held = set(prediction.predicted.scheme.structures)
    regions = tuple(region for region in regions_of(prediction.reference.scheme) if held.issuperset(region.structures))
    if not regions:
        raise InputError(
            f"{prediction.case.name}: predictions hold {', '.join(prediction.predicted.scheme.structures)}, the"
            f" reference {', '.join(prediction.reference.scheme.structures)}: nothing to compare"
        )
    return regions


def score_case(prediction: CasePrediction) -> list[CaseRow]:
    """One row for each frame and region.

    Raises:
        InputError: the grids differ, or no structure is in both.
    """
    regions = common_regions(prediction)
    read = prediction.case.read_field_of_view
    field_of_view = None if read is None else read()
    frames = measure_frames(prediction.predicted, prediction.reference, regions, field_of_view=field_of_view)
    groups = case_groups(prediction.case)
    return [
        CaseRow(
            case=prediction.case.name,
            patient=prediction.case.patient,
            view=prediction.case.view,
            phase=prediction.case.phase,
            frame=frame,
            groups=groups,
            region=region.name,
            presence=scores[region.name].presence,
            scores=_columns(
                vars(scores[region.name])
                | shape_scores(prediction.predicted, region, frame)
                | _ranking(prediction, region, frame, field_of_view)
            ),
            confidence=float(prediction.confidence[frame]) if len(prediction.confidence) else math.nan,
            expected_dice=float(prediction.expected_dice[region.name][frame])
            if region.name in prediction.expected_dice
            else math.nan,
            diagonal_mm=_diagonal_mm(prediction.reference),
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


def case_groups(case: Case) -> dict[str, str]:
    """Group keys beside the patient; the class of the stated ejection fraction where the data set gives none."""
    stated = case.facts.get("left_ventricular_ejection_fraction_percent")
    known = {} if stated is None else {"ef_class": ejection_fraction_class(stated)}
    return known | {key: value for key, value in case.groups.items() if key != "patient"}


def quantities_of(patient: Sequence[CasePrediction]) -> tuple[PatientQuantity, ...]:
    """What can be measured of one patient's heart from predicted and reference labels, and as stated.

    Args:
        patient: predictions of all cases of the patient.

    Returns:
        Those of `CLINICAL` of which anything is known.
    """
    seen = {item.case.name: item.traced_by for item in patient if item.traced_by is not None}
    predicted = _measured([(prediction.case, prediction.predicted) for prediction in patient], seen)
    traced = _measured([(prediction.case, prediction.reference) for prediction in patient])
    found = []
    for key in CLINICAL:
        own, reference = predicted.get(key), traced.get(key)
        intervals = {} if own is None else {each.of: (each.low, each.high) for each in own.intervals}
        item = PatientQuantity(
            patient[0].case.patient,
            key,
            predicted=math.nan if own is None else own.value,
            traced=math.nan if reference is None else reference.value,
            stated=_stated(patient, key),
            reading=intervals.get(Error.READING),
            whole=intervals.get(Error.WHOLE),
        )
        found.append(item)
    return tuple(item for item in found if item.is_known)


def _stated(patient: Sequence[CasePrediction], key: str) -> float:
    """What the data set says of the patient with any of the images; NaN where nothing."""
    stated = (float(prediction.case.facts.get(key, math.nan)) for prediction in patient)
    return next((value for value in stated if not math.isnan(value)), math.nan)


def _measured(
    labelled: Sequence[tuple[Case, LabelMap]], seen: Mapping[str, TracedBy] | None = None
) -> dict[str, Quantity]:
    """The preferred value of each quantity that the labels give, by name and unit."""
    if not any(Structure.LV in labels.scheme.values for _, labels in labelled):
        return {}
    shown = {case.name: LabelledView(labels, case.view, case.phase, case.modality) for case, labels in labelled}
    found = measure_labels(shown, exam=labelled[0][0].patient)
    if seen:
        found = with_intervals(found, seen, quality=labelled[0][0].groups.get("quality", ""))
    # Values that are not usable count, too: a comparison without them would flatter the model.
    return {quantity.key: quantity for quantity in reversed(found.quantities)}


def _columns(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(values[name]) for name in SCORES}


def _ranking(
    prediction: CasePrediction, region: Region, frame: int, field_of_view: Bool[np.ndarray, "depth height width"] | None
) -> dict[str, float]:
    """Scores over all thresholds, of the pixels that count."""
    if prediction.probability is None:
        return {"roc_auc": math.nan, "average_precision": math.nan}
    inside = slice(None) if field_of_view is None else field_of_view
    reference = region.mask(prediction.reference.array[frame], prediction.reference.scheme)
    curve = RankingCurve.of(prediction.probability[frame][inside], reference[inside])
    return {"roc_auc": curve.roc_auc, "average_precision": curve.average_precision}


def shape_scores(labels: LabelMap, region: Region, frame: int) -> dict[str, float]:
    """Simplicity and convexity of a region of a planar frame; NaN in a stack and where the region is empty."""
    if labels.array.shape[1] != 1:
        return {"simplicity": math.nan, "convexity": math.nan}
    mask = region.mask(labels.array[frame, 0], labels.scheme)
    spacing_mm = labels.geometry.pixel_mm
    return dict(zip(("simplicity", "convexity"), shape_of(mask, spacing_mm=spacing_mm), strict=True))
