"""Scores slice by slice, and thirds of the ventricle."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, SUNNYBROOK, LabelMap
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.slices import score_slices, thirds_of
from cardiotrace.metrics.overlap import Presence

SPACING_MM = (10.0, 1.0, 2.0)
LV = ACDC.value(Structure.LV)


def stack(*sizes: int, value: int = LV, shift: int = 0) -> np.ndarray:
    """A square of each size in each slice, `shift` columns aside."""
    array = np.zeros((1, len(sizes), 40, 40), np.uint8)
    for plane, size in zip(array[0], sizes, strict=True):
        plane[10 : 10 + size, 10 + shift : 10 + shift + size] = value
    return array


def prediction(predicted, reference, *, spacing_mm=SPACING_MM, scheme=ACDC, phase=Phase.ED) -> CasePrediction:
    geometry = Geometry.of_spacing(spacing_mm)
    labels = LabelMap(reference, scheme, geometry)
    case = Case(
        "p1_ED", View.SAX, phase, {"patient": "p1", "vendor": "A"}, lambda: Image(reference, geometry), lambda: labels
    )
    return CasePrediction(case, LabelMap(predicted, scheme, geometry), labels)


@pytest.mark.parametrize(
    ("count", "thirds"),
    [(1, [1]), (2, [0, 2]), (3, [0, 1, 2]), (4, [0, 1, 1, 2]), (5, [0, 0, 1, 2, 2]), (10, [0] * 3 + [1] * 4 + [2] * 3)],
)
def test_thirds_by_the_middle_of_each_slice(count, thirds):
    sizes = np.arange(count, 0, -1)
    assert thirds_of(sizes).tolist() == thirds
    assert thirds_of(sizes[::-1]).tolist() == thirds[::-1]


@given(st.integers(1, 60), st.integers(0, 3), st.integers(0, 3))
def test_thirds_are_alike_at_both_ends_and_leave_nothing_out(count, before, behind):
    sizes = np.concatenate([np.zeros(before, int), np.arange(count, 0, -1), np.zeros(behind, int)])
    thirds = thirds_of(sizes)
    counts = np.bincount(thirds, minlength=4)
    assert counts[0] == counts[2]
    assert abs(counts[0] - counts[1]) <= 1 or count < 3
    assert counts[3] == before + behind
    assert (np.diff(thirds[before : before + count]) >= 0).all()


def test_a_ventricle_that_is_widest_at_its_apex_has_its_base_where_the_right_one_is():
    left, right = (
        np.array([417, 441, 520, 643, 992, 1079, 1047, 901, 0]),
        np.array([0, 761, 712, 471, 76, 72, 64, 0, 0]),
    )
    assert thirds_of(left).tolist() == [2, 2, 2, 1, 1, 0, 0, 0, 3]
    assert thirds_of(left, right).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3]
    assert thirds_of(left, right * 0).tolist() == thirds_of(left).tolist()


def test_each_slice_is_scored_in_its_plane():
    rows = score_slices(prediction(stack(10, 8, 4, 0, shift=1), stack(10, 8, 4, 0)))
    assert [(row.depth, row.groups["third"], row.region) for row in rows] == [
        (0, "basal", "LV"), (1, "mid", "LV"), (2, "apical", "LV"),
    ]  # fmt: skip
    assert [row.score("dice") for row in rows] == pytest.approx([0.9, 7 / 8, 3 / 4])
    assert [row.score("hausdorff_mm") for row in rows] == [2.0] * 3  # one column of 2 mm, whatever the slice distance
    assert rows[0].score("precision") == rows[0].score("recall") == pytest.approx(0.9)
    assert rows[0].score("jaccard") == pytest.approx(90 / 110)
    assert rows[0].diagonal_mm == pytest.approx(math.hypot(40, 80))
    assert rows[0].groups["vendor"] == "A"


def test_without_a_slice_distance_slices_still_have_distances():
    found = prediction(stack(10, 8, shift=1), stack(10, 8), spacing_mm=(math.nan, 1.0, 2.0))
    assert [row.score("hausdorff_mm") for row in score_slices(found)] == [2.0, 2.0]
    assert math.isnan(score_case(found)[2].score("hausdorff_mm"))


def test_missed_false_and_empty_slices():
    rows = score_slices(prediction(stack(10, 8, 0, 4, 0), stack(10, 8, 4, 0, 0)))
    assert [(row.depth, row.groups["third"], row.presence) for row in rows] == [
        (0, "basal", Presence.PRESENT),
        (1, "mid", Presence.PRESENT),
        (2, "apical", Presence.FALSE_NEGATIVE),
        (3, "beyond", Presence.FALSE_POSITIVE),
    ]  # the last slice is empty on both sides: no row
    (summary,) = [item.summary for item in CaseTable((), slices=tuple(rows)).by_slice().summaries(scores=("dice",))]
    assert (summary.count, summary.mean, summary.absent) == (4, 0.5, 0)
    assert (summary.false_negative, summary.false_positive) == (1, 1)


def test_a_plane_has_no_slices():
    assert score_slices(prediction(stack(10), stack(10))) == []


def test_a_wall_alone_has_thirds_too():
    array = stack(10, 8, 4, value=1)
    rows = score_slices(prediction(array, array, scheme=SUNNYBROOK))
    assert [row.groups["third"] for row in rows] == ["basal", "mid", "apical"]


def test_a_field_of_view_counts_in_its_own_slice():
    found = prediction(stack(10, 10), stack(10, 10, shift=5))
    inside = np.ones((2, 40, 40), bool)
    inside[1, :, :15] = False  # hides the half of the prediction that is false
    rows = score_slices(replace(found, case=replace(found.case, read_field_of_view=lambda: inside)))
    assert [row.score("dice") for row in rows] == pytest.approx([0.5, 2 / 3])


def test_frames_of_a_video_have_slices_each():
    labels = np.concatenate([stack(10, 8), stack(6, 4)])
    rows = score_slices(prediction(labels, labels))
    assert [(row.frame, row.depth) for row in rows] == [(0, 0), (0, 1), (1, 0), (1, 1)]
