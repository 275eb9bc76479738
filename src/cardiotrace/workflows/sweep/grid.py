"""Scores of predictions on the network's own grid, where the packed labels are the reference."""

import dataclasses
from typing import Any

import numpy as np

from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import IGNORED, PackedDataset, PackedSample
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.score import CasePrediction, score_case


def grid_table(
    dataset: Dataset, packed: PackedDataset, indices: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]
) -> CaseTable:
    """Scores of predictions on the network's grid, where the packed labels are the reference.

    Args:
        dataset: whose cases they are of.
        packed: all prepared planes.
        indices: which of them were predicted.
        predicted: (planes, height, width) class indices, in the order of `indices`.
    """
    cases = {case.name: case for case in dataset.cases()}
    rows = []
    for name, places in _places_by_case(packed, indices).items():
        planes = [packed.samples[indices[place]] for place in places]
        # A case need not have been packed whole: what is not there counts nowhere.
        shape = (max(plane.time for plane in planes) + 1, max(plane.depth for plane in planes) + 1)
        found, known = (np.full((*shape, *predicted.shape[1:]), IGNORED, np.uint8) for _ in range(2))
        for place, plane in zip(places, planes, strict=True):
            found[plane.time, plane.depth] = predicted[place]
            known[plane.time, plane.depth] = packed.labels[indices[place]]
        rows += score_case(_prediction_on_grid(cases[name], found, known, dataset.scheme, planes[0]))
    return CaseTable(tuple(rows), facts={"predicted": "on the network's grid", "reference": dataset.name})


def _places_by_case(packed: PackedDataset, indices: np.ndarray[Any, Any]) -> dict[str, list[int]]:
    """Which of the predictions are of each case."""
    named: dict[str, list[int]] = {}
    for place, index in enumerate(indices):
        named.setdefault(packed.samples[index].case, []).append(place)
    return named


def _prediction_on_grid(
    case: Case,
    found: np.ndarray[Any, Any],
    known: np.ndarray[Any, Any],
    scheme: LabelScheme,
    plane: PackedSample,
) -> CasePrediction:
    """Labels of a case on the grid, the reference in a scheme of the structures that its planes, all alike, tell of."""
    values = np.zeros(256, np.uint8)
    values[1 : scheme.class_count] = [scheme.value(structure) for structure in scheme.structures]
    inside = (known != IGNORED).all(axis=0)
    found, known = found * inside, known * inside
    kept = dataclasses.replace(case, read_field_of_view=lambda: inside)
    told = {name: value for name, value in scheme.values.items() if plane.tells_of(name)}
    reference = LabelMap(values[known], LabelScheme(scheme.name, told), NO_GEOMETRY)
    return CasePrediction(kept, LabelMap(values[found], scheme, NO_GEOMETRY), reference)
