"""Groups to keep: case of letters, several keys, and what is said when nothing is left."""

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.selection import select_items, select_rows
from tests.evaluation.cases import label_map, left_ventricle, make_case, square

PLANE = square(5, 5, 10)
CASES = [
    make_case("a", PLANE, groups={"quality": "Good"}),
    make_case("b", PLANE, groups={"quality": "Medium"}, phase=Phase.ES),
    make_case("c", PLANE, groups={"quality": "Poor"}),
]


def test_groups_are_kept_whatever_their_case() -> None:
    assert [case.name for case in select_items(CASES, {"quality": ("good", "medium")})] == ["a", "b"]
    assert [case.name for case in select_items(CASES, {"quality": ("GOOD", "poor"), "phase": ("ed",)})] == ["a", "c"]
    assert select_items(CASES, {}) == CASES


def test_nothing_left_is_said_with_what_there_is() -> None:
    with pytest.raises(InputError, match="no case has quality fine\nthe groups of quality are: Good, Medium, Poor"):
        select_items(CASES, {"quality": ("fine",)})
    with pytest.raises(InputError, match="the groups of vendor are: unknown"):
        select_items(CASES, {"vendor": ("x",)})


def test_a_table_keeps_rows_and_their_quantities() -> None:
    rows = [row for case in CASES for row in score_case(CasePrediction(case, label_map(PLANE), label_map(PLANE)))]
    table = CaseTable(tuple(rows), (*left_ventricle("a", 50, 50, 50), *left_ventricle("c", 40, 40, 40)))
    kept = select_rows(table, {"quality": ("good", "medium")})
    assert kept.cases == ("a", "b")
    assert {item.patient for item in kept.quantities} == {"a"}
    assert select_rows(table, {}) is table
