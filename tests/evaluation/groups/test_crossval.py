"""Cross-validation of groups: what can be told is told, what cannot be is at chance, and too little is refused."""

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.groups.crossval import calibration_error, cross_validate
from cardiotrace.evaluation.groups.fit import FEWEST, fit_regressions, require_learnable, variants
from cardiotrace.evaluation.groups.table import GroupRow, GroupTable

BODY = "left_ventricular_mass_index_g_per_m2"
SEGMENT = "segment_mean_wall_thickening_percent"


def made(away: float, each: int = 10, groups: str = "xy", seed: int = 0) -> GroupTable:
    """Exams whose first index lies so many standard deviations apart in neighbouring groups."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, group in enumerate(groups):
        for place in range(each):
            values = {"a": rng.normal() + away * number, "b": rng.normal(), BODY: rng.normal(), SEGMENT: rng.normal()}
            rows.append(GroupRow(f"{group}{place}", f"{group}{place}", group, values))
    return GroupTable(tuple(rows))


def test_variants_need_less_and_less():
    assert list(variants(("a", BODY, SEGMENT))) == [("a", BODY, SEGMENT), ("a", BODY), ("a", SEGMENT), ("a",)]
    assert list(variants(("a",))) == [("a",)]
    assert list(variants((BODY, SEGMENT))) == [(BODY, SEGMENT), (BODY,), (SEGMENT,)]


def test_what_can_be_told_is_told_and_what_cannot_is_at_chance():
    pytest.importorskip("sklearn")
    far = cross_validate(made(6.0), ("a", "b"), folds=3, repeats=1)
    near = cross_validate(made(0.0, each=20), ("a", "b"), folds=3, repeats=1)
    assert far.accuracy > 0.9
    assert 0.2 < near.accuracy < 0.8
    assert near.log_loss < 0.9  # calibrated: near ln 2, not far beyond it
    assert sum(map(sum, far.confusion)) == 20


def test_an_exam_that_lacks_segments_is_judged_without_them():
    pytest.importorskip("sklearn")
    table = made(6.0)
    first, *rest = table.rows
    lacking = GroupRow(first.name, first.patient, first.group, {key: first.values[key] for key in ("a", BODY)})
    tested = GroupTable((lacking, *rest))
    scores = cross_validate(table, ("a", BODY, SEGMENT), folds=2, repeats=1, tested=tested)
    assert sum(map(sum, scores.confusion)) == 20
    bare = GroupTable((GroupRow(first.name, first.patient, first.group, {}), *rest))
    with pytest.raises(InputError, match="lacks a"):
        cross_validate(table, ("a",), folds=2, repeats=1, tested=bare)


def test_the_farthest_distance_is_beyond_every_patient_and_short_of_another_kind():
    pytest.importorskip("sklearn")
    table = made(3.0)
    (found,) = fit_regressions(table, ("a", "b"))
    distances = [found.distance(values) for values in table.values(("a", "b"))]
    assert max(distances) < found.farthest < found.distance(np.array([0.0, 60.0]))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (made(1.0, groups="x"), "all exams are of group 'x'"),
        (made(1.0, each=FEWEST - 1), r"too few patients of group x \(4\), y \(4\)"),
        (made(1.0, each=1, groups="xyz"), "too few patients"),
        (GroupTable(()), "no exam has a group"),
    ],
)
def test_too_little_to_learn_from_is_refused(table, told):
    with pytest.raises(InputError, match=told):
        require_learnable(table)


def test_the_fewest_patients_that_are_taken_can_be_cross_validated():
    pytest.importorskip("sklearn")
    scores = cross_validate(made(6.0, each=FEWEST, groups="xyz"), ("a",), folds=5, repeats=1)
    assert sum(map(sum, scores.confusion)) == 3 * FEWEST
    assert scores.accuracy > 0.7


def test_calibration_error_of_what_is_always_too_sure():
    chances = np.tile([0.9, 0.1], (100, 1))
    assert calibration_error(chances, np.array([0] * 60 + [1] * 40)) > 0.3
