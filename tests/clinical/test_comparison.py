from dataclasses import replace

import pytest

from cardiotrace.clinical.comparison import (
    REPEATABILITIES,
    EarlierExam,
    Obstacle,
    Verdict,
    compare_exams,
    earlier_exam,
)
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.flag import Flag, Grade

MODELS = {"net": "ab12"}


def ejection(value: float, method=Method.SUM_OF_SLICES, view="SAX", **more) -> Quantity:
    return Quantity("left_ventricular_ejection_fraction", value, "percent", method, view, (), **more)


def compared(now: Quantity, *before: Quantity, models=MODELS, **more):
    earlier = EarlierExam(Measures("old", before), models, **more)
    return compare_exams(Measures("new", (now,)), earlier, models=MODELS)


def test_a_change_of_mri_is_held_against_what_scanning_twice_shows() -> None:
    # 4.2 % of the mean, times 1.96 sqrt(2): 6.75 points at a mean of 58.
    (small,) = compared(ejection(61.3), ejection(54.7)).changes
    (large,) = compared(ejection(61.5), ejection(54.5)).changes
    assert (small.difference, small.verdict) == (pytest.approx(6.6), Verdict.WITHIN)
    assert (large.difference, large.verdict) == (pytest.approx(7.0), Verdict.BEYOND)
    plain = large.to_plain()
    assert (plain["before"]["value"], plain["now"]["value"], plain["change"]) == (54.5, 61.5, 7.0)
    assert plain["repeatability"]["limits"][0] == pytest.approx(1.96 * 2**0.5 * 0.042 * 58, rel=1e-5)
    assert "Davies" in plain["repeatability"]["source"]


def test_strain_has_a_band_in_which_a_change_may_count() -> None:
    def strain(value: float) -> Quantity:
        return Quantity("left_ventricular_global_longitudinal_strain", value, "percent", Method.TRACED, "A4C+A2C", ())

    verdicts = [compared(strain(-18.0 + by), strain(-18.0)).changes[0].verdict for by in (2.9, -3.1, 5.1)]
    assert verdicts == [Verdict.WITHIN, Verdict.NEAR, Verdict.BEYOND]
    of_mri = replace(strain(-12.0), view="4CH+2CH")
    (change,) = compared(of_mri, replace(of_mri, value=-18.0)).changes
    assert (change.difference, change.verdict) == (6.0, None)  # nobody's numbers are of this


def test_what_was_measured_otherwise_is_not_compared_and_said() -> None:
    biplane, single = Method.BIPLANE_DISKS, Method.SINGLE_PLANE_DISKS
    (other,) = compared(ejection(60, biplane, "A4C+A2C"), ejection(50, single, "A4C")).changes
    assert (other.obstacle, other.difference, other.verdict) == (Obstacle.METHOD, None, None)
    assert other.to_plain()["not_compared"] == "another method"
    (view,) = compared(ejection(60, single, "A2C"), ejection(50, single, "A4C")).changes
    assert view.obstacle is Obstacle.VIEW
    (outlines,) = compared(ejection(60), ejection(50), papillaries="mass").changes
    assert outlines.obstacle is Obstacle.OUTLINES
    bad = (Flag(Grade.NOT_USABLE, "cannot be"),)
    (unusable,) = compared(ejection(60), ejection(50, flags=bad)).changes
    assert unusable.obstacle is Obstacle.NOT_USABLE
    assert compared(ejection(60)).changes == ()


def test_a_comparable_value_comes_before_one_that_is_not() -> None:
    single = ejection(55, Method.SINGLE_PLANE_DISKS, "A4C")
    now = Measures("new", (ejection(60, Method.BIPLANE_DISKS, "A4C+A2C"), single))
    (change,) = compare_exams(now, EarlierExam(Measures("old", (replace(single, value=50),)), MODELS)).changes
    assert (change.now.view, change.difference) == ("A4C", 5.0)


def test_changes_between_models_are_told_and_not_judged() -> None:
    for models in ({"net": "other digest"}, {"another": "ab12"}, {}):
        found = compared(ejection(75), ejection(50), models=models)
        assert not found.is_same_model
        assert (found.changes[0].difference, found.changes[0].verdict) == (25, None)
    by_persons = compare_exams(Measures("new", (ejection(75),)), EarlierExam(Measures("old", (ejection(50),))))
    assert by_persons.changes[0].verdict is None


def test_an_earlier_exam_is_read_from_its_provenance() -> None:
    provenance = {
        "version": "0.1.0",
        "models": [{"name": "net", "sha256": "ab12", "licence": "x"}],
        "given": {"papillaries": "mass"},
    }
    found = earlier_exam(Measures("old", ()), provenance)
    assert (found.models, found.papillaries, found.version) == (MODELS, "mass", "0.1.0")
    bare = earlier_exam(Measures("old", ()), {})
    assert (bare.models, bare.papillaries, bare.version) == ({}, "cavity", "")


def test_what_a_file_rounded_is_no_change() -> None:
    (change,) = compared(ejection(62.14654321), ejection(62.1465)).changes
    assert (change.difference, change.to_plain()["change"]) == (0, 0)


def test_every_limit_has_its_source() -> None:
    assert len(REPEATABILITIES) >= 4
    for _, item in REPEATABILITIES:
        assert item.source
        assert item.seen
        assert (item.variation_percent is None) == bool(item.change)
