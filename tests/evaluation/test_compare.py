"""Paired comparison: known differences, Holm by hand, scipy's own numbers."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import SCORES, CaseRow, CaseTable
from cardiotrace.evaluation.compare import compare, holm, wilcoxon_p
from cardiotrace.metrics.overlap import Presence


def table(scores: dict[tuple[str, str], float], region: str = "LV") -> CaseTable:
    """Scores by patient and phase; every column gets the same number."""
    return CaseTable(
        tuple(
            CaseRow(
                f"{patient}_{phase}",
                patient,
                View.FOUR_CHAMBER,
                Phase(phase),
                0,
                {},
                region,
                Presence.ABSENT if math.isnan(value) else Presence.PRESENT,
                dict.fromkeys(SCORES, value),
            )
            for (patient, phase), value in scores.items()
        )
    )


def with_diagonal(made: CaseTable, diagonal_mm: float) -> CaseTable:
    return CaseTable(tuple(dataclasses.replace(row, diagonal_mm=diagonal_mm) for row in made.rows))


def test_images_of_a_patient_are_averaged_before_testing() -> None:
    first = table({(f"p{i}", phase): 0.9 + i / 100 for i in range(5) for phase in ("ED", "ES")})
    second = table({(f"p{i}", phase): 0.9 - i / 200 - 0.01 for i in range(5) for phase in ("ED", "ES")})
    (found,) = compare({"new": first, "old": second})
    assert (found.first, found.second, found.region, found.count, found.left_out) == ("new", "old", "LV", 5, 0)
    assert found.mean_difference == pytest.approx(np.mean([0.01 + 0.015 * i for i in range(5)]))
    assert found.first_mean - found.second_mean == pytest.approx(found.mean_difference)
    assert found.p_value == found.p_holm == pytest.approx(2 / 2**5)


def test_only_common_images_count_and_who_has_no_score_is_reported() -> None:
    first = table({("a", "ED"): 1.0, ("b", "ED"): math.nan, ("c", "ED"): 3.0, ("d", "ED"): math.nan})
    second = table({("a", "ED"): 2.0, ("b", "ED"): 2.0, ("d", "ED"): math.nan, ("e", "ED"): 9.0})
    (found,) = compare({"x": first, "y": second}, score="hausdorff_mm")
    assert (found.count, found.left_out, found.penalised) == (1, 1, 0)
    assert found.mean_difference == -1.0


def test_who_misses_a_structure_pays_the_diagonal_instead_of_leaving() -> None:
    """Dropping the patient whom x failed would have called x the better method: -1 mm."""
    first = with_diagonal(table({("a", "ED"): 1.0, ("b", "ED"): math.inf, ("b", "ES"): 2.0}), 80.0)
    second = table({("a", "ED"): 2.0, ("b", "ED"): 4.0, ("b", "ES"): 4.0})
    (found,) = compare({"x": first, "y": second}, score="hausdorff_mm")
    assert (found.count, found.left_out, found.penalised) == (2, 0, 1)
    assert (found.first_mean, found.second_mean) == ((1.0 + (80.0 + 2.0) / 2) / 2, 3.0)


def test_without_a_diagonal_the_largest_distance_of_both_tables_stands_for_it() -> None:
    first = table({("a", "ED"): 1.0, ("b", "ED"): math.inf})
    second = table({("a", "ED"): 2.0, ("b", "ED"): 4.0, ("c", "ED"): 30.0})
    (found,) = compare({"x": first, "y": second}, score="hausdorff_mm")
    assert (found.count, found.penalised, found.first_mean) == (2, 1, (1.0 + 30.0) / 2)


def test_a_region_that_is_absent_everywhere_is_no_error() -> None:
    nothing = table({("a", "ED"): math.nan})
    (found,) = compare({"x": nothing, "y": nothing})
    assert (found.count, found.left_out, math.isnan(found.p_value)) == (0, 0, True)


def test_three_methods_give_three_corrected_comparisons() -> None:
    random = np.random.default_rng(5)
    base = random.normal(size=40)
    tables = {
        name: table({(f"p{i:02}", "ED"): float(value) for i, value in enumerate(base + shift)})
        for name, shift in (("a", 0.0), ("b", random.normal(0.1, 0.2, 40)), ("c", random.normal(0.3, 0.2, 40)))
    }
    found = compare(tables)
    assert [(item.first, item.second) for item in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [item.p_holm for item in found] == holm([item.p_value for item in found])
    assert all(item.p_holm >= item.p_value for item in found)
    assert found[1].p_value < 1e-6


def test_identical_methods_do_not_differ() -> None:
    same = table({("a", "ED"): 0.9, ("b", "ED"): 0.8})
    (found,) = compare({"x": same, "y": same})
    assert (found.mean_difference, found.p_value) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        ({"x": {}}, {}, "at least two"),
        ({"x": {("a", "ED"): 1.0}, "y": {("a", "ED"): 1.0}}, {"score": "beauty"}, "no score 'beauty'"),
        ({"x": {("a", "ED"): 1.0}, "y": {("b", "ED"): 1.0}}, {}, "x and y have no image with LV in common"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tables: dict[str, dict[tuple[str, str], float]], options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        compare({name: table(scores) for name, scores in tables.items()}, **options)  # type: ignore[arg-type]


def test_regions_must_be_shared() -> None:
    with pytest.raises(InputError, match="no region in common"):
        compare({"x": table({("a", "ED"): 1.0}), "y": table({("a", "ED"): 1.0}, region="RV")})


def test_wilcoxon_is_scipys() -> None:
    difference = np.random.default_rng(0).normal(0.2, 1, 30)
    assert wilcoxon_p(difference) == pytest.approx(stats.wilcoxon(difference).pvalue)
    assert wilcoxon_p(np.array([0.0, 0.0])) == 1.0
    assert math.isnan(wilcoxon_p(np.array([])))
    # Ranks 1, 2.5, 2.5, 4, of which the zero's is dropped: z = (0 - 4.5) / sqrt(7.125), the ties taken off.
    assert wilcoxon_p(np.array([0.0, 1.0, 1.0, 2.0])) == pytest.approx(2 * stats.norm.cdf(-4.5 / math.sqrt(7.125)))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, math.nan, 0.5])[:2] == pytest.approx([0.03, 0.04])
    assert math.isnan(holm([0.01, math.nan])[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_laws(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, corrected, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)


def test_several_scores_are_corrected_together() -> None:
    first = table({(f"p{i}", "ED"): 0.9 + i / 100 for i in range(6)})
    second = table({(f"p{i}", "ED"): 0.8 - i / 100 for i in range(6)})
    alone = compare({"x": first, "y": second})
    pair = compare({"x": first, "y": second}, score=("dice", "hausdorff_mm"))
    assert [item.score for item in pair] == ["dice", "hausdorff_mm"]
    assert pair[0].p_value == alone[0].p_value == 2 / 2**6
    assert [item.p_holm for item in pair] == [4 / 2**6] * 2


def test_all_scores_are_those_that_all_tables_have() -> None:
    known = {"dice": 0.9, "hausdorff_mm": 4.0, "roc_auc": math.nan}
    first = table({(f"p{i}", "ED"): 0.9 for i in range(3)})
    partial = CaseTable(tuple(dataclasses.replace(row, scores=known) for row in first.rows))
    found = compare({"x": first, "y": partial}, score="all")
    assert [item.score for item in found] == ["dice", "hausdorff_mm"]


SCORED = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["ED", "ES"])),
    st.one_of(st.floats(0, 50), st.just(math.inf), st.just(math.nan)),
    min_size=1,
)


@given(SCORED, SCORED)
def test_the_other_way_round_only_the_sign_changes(first, second):
    tables = {"x": table(first), "y": table(second)}
    if not first.keys() & second.keys():
        with pytest.raises(InputError, match="no image with LV in common"):
            compare(tables, score="hausdorff_mm")
        return
    (found,) = compare(tables, score="hausdorff_mm")
    (turned,) = compare(dict(reversed(tables.items())), score="hausdorff_mm")
    assert (turned.count, turned.left_out, turned.penalised) == (found.count, found.left_out, found.penalised)
    assert turned.mean_difference == pytest.approx(-found.mean_difference, nan_ok=True)
    assert turned.p_value == pytest.approx(found.p_value, nan_ok=True)
    patients = {patient for patient, _ in first.keys() & second.keys()}
    assert found.count + found.left_out <= len(patients)
    # A penalty never makes a distance infinite unless no distance at all is known.
    known = [value for value in (*first.values(), *second.values()) if math.isfinite(value)]
    assert not math.isinf(found.first_mean) or not known


def test_an_infinite_distance_costs_the_farthest_where_no_diagonal_is_known():
    first = table({("a", "ED"): math.inf, ("a", "ES"): 4.0})
    second = table({("a", "ED"): 2.0, ("a", "ES"): 6.0, ("b", "ED"): 30.0})
    (found,) = compare({"x": first, "y": second}, score="hausdorff_mm")
    # 30 mm is the farthest of all, of an image that only the second has: (30 + 4) / 2 against (2 + 6) / 2.
    assert (found.first_mean, found.second_mean, found.penalised) == (17.0, 4.0, 1)
    (scaled,) = compare({"x": with_diagonal(first, 100.0), "y": second}, score="hausdorff_mm")
    assert scaled.first_mean == 52.0
