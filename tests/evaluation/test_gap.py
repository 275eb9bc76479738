"""What adaptation is worth: by hand, and what must not be said."""

import math

import pytest

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.gap import gap_rows
from cardiotrace.evaluation.table import readable_gap
from cardiotrace.evaluation.validity import PlaneValidity, Validity
from cardiotrace.metrics.overlap import Presence


def table(dice, method="none", name=None, labels="no", seed="1", **known):
    """A patient for each value, of two groups in turn."""
    rows = tuple(
        CaseRow(
            *(f"case{index}", f"patient{index}", View.SAX, Phase.ED, 0),
            {"pathology": "HYP" if index % 2 else "other"},
            "MYO",
            Presence.ABSENT if math.isnan(value) else Presence.PRESENT,
            {"dice": value},
            expected_dice=0.9,
        )
        for index, value in enumerate(dice)
    )
    facts = {"predicted": name or method, "adaptation": method, "target_labels": labels, "seed": seed}
    return CaseTable(rows, facts=facts, **known)


SOURCE = table([0.5, 0.6, 0.7, 0.6], name="source-only")
UPPER = table([0.9, 0.8, 0.9, 0.8], name="upper", labels="yes")


def test_share_of_the_gap_that_is_closed():
    adapted = table([0.7, 0.7, 0.8, 0.7], method="dann")
    source, dann, upper = gap_rows({"a": SOURCE, "b": adapted, "c": UPPER})
    assert dann.dice == pytest.approx(0.725)
    assert dann.gain == pytest.approx(0.125)
    assert dann.closed == pytest.approx(0.125 / 0.25)
    assert 0 < dann.gain_interval[0] < 0.125 < dann.gain_interval[1]
    assert (source.gain, source.closed, upper.closed) == (0, 0, 1)
    assert (dann.worst_group, dann.worst_dice) == ("HYP", pytest.approx(0.7))
    assert dann.expectation_error == pytest.approx(0.175)
    assert (dann.patients, dann.seeds) == (4, 1)


def test_seeds_are_one_method():
    first, second = table([0.7] * 4, "dann", seed="1"), table([0.8] * 4, "dann", seed="2")
    _, dann = gap_rows({"a": SOURCE, "b": first, "c": second})
    assert dann.seeds == 2
    assert dann.dice == pytest.approx(0.75)
    assert dann.seed_sd == pytest.approx(0.0707, abs=1e-4)
    assert math.isnan(dann.closed)  # nobody learned from the targets' labels


def test_trainings_of_one_name_that_are_no_seeds_are_not_averaged():
    upper = table([0.9, 0.8, 0.9, 0.8], name="source-only", labels="yes")
    strong, gentle = table([0.2] * 4, "dann"), table([0.6] * 4, "dann")
    rows = gap_rows({"a": SOURCE, "b": upper, "strong": strong, "gentle": gentle})
    assert [(row.method, row.seeds) for row in rows] == [("a", 1), ("b", 1), ("strong", 1), ("gentle", 1)]
    assert [row.dice for row in rows] == pytest.approx([0.6, 0.85, 0.2, 0.6])
    assert rows[1].closed == 1


def test_a_gap_that_may_be_none_is_not_closed():
    unsure = table([0.3, 0.9, 0.6, 0.7], name="upper", labels="yes")
    *_, dann, _ = gap_rows({"a": SOURCE, "b": table([0.9] * 4, "dann"), "c": unsure})
    assert math.isnan(dann.closed)
    assert dann.gain == pytest.approx(0.3)


def test_harm_is_told_as_harm():
    *_, dann, _ = gap_rows({"a": SOURCE, "b": table([0.4, 0.5, 0.6, 0.5], "dann"), "c": UPPER})
    assert dann.closed == pytest.approx(-0.4)


def test_only_patients_whom_all_methods_have_count():
    fewer = table([0.7, 0.7, math.nan, 0.7], "dann")
    source, dann = gap_rows({"a": SOURCE, "b": fewer})
    assert source.patients == dann.patients == 3
    assert source.dice == pytest.approx((0.5 + 0.6 + 0.6) / 3)


def test_nothing_is_said_without_a_source_or_of_other_tables():
    plain = CaseTable(SOURCE.rows, facts={"predicted": "x"})
    assert gap_rows({"a": UPPER, "b": table([0.7] * 4, "dann")}) == ()
    assert gap_rows({"a": plain, "b": plain}) == ()
    assert len(gap_rows({"a": SOURCE, "b": plain})) == 1


def test_as_it_is_read():
    planes = tuple(
        PlaneValidity(f"case{index}", f"patient{index}", Axis.SHORT, 0, "predicted", {"published": failed}, 0)
        for index, failed in enumerate([("holes_in_lv",), (), (), ()])
    )
    adapted = table([0.7, 0.7, 0.8, 0.7], method="dann", validity=Validity(planes))
    source, dann, upper = readable_gap(gap_rows({"a": SOURCE, "b": adapted, "c": UPPER}))
    assert dann["gap closed %"].startswith("50 [")
    assert dann["invalid %"] == "25.0"
    assert source["gain"] == ""
    assert upper["worst group"] == "HYP 0.800"
    assert "EF error" not in dann
    assert "sd of seeds" not in dann
