"""Scores of hand-made maps, and what the summaries count."""

import json
import math

import pytest

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import LV_ONLY, VESSEL
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import SCORES, CaseTable, group_of, mean_interval
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.metrics import bootstrap_interval
from cardiotrace.metrics.overlap import Presence
from tests.evaluation.cases import label_map, left_ventricle, make_case, square


def prediction_of(name: str, predicted: int, reference: int, **options: object) -> CasePrediction:
    """LV squares of 10 x 10 pixels of 0.5 mm, the predicted one shifted to the right; negative: none."""
    shift = [square(10, 10 + offset, 10 if offset >= 0 else 0) for offset in (predicted, reference)]
    return CasePrediction(make_case(name, shift[1], **options), label_map(shift[0]), label_map(shift[1]))  # type: ignore[arg-type]


@pytest.fixture
def table() -> CaseTable:
    items = [
        prediction_of("a", 0, 0, groups={"quality": "good"}),
        prediction_of("b", 2, 0, groups={"quality": "good"}),
        prediction_of("c", -1, 0, groups={"quality": "poor"}, phase=Phase.ES),
        prediction_of("d", -1, -1, groups={"quality": "poor"}, phase=Phase.ES),
    ]
    return CaseTable(tuple(row for item in items for row in score_case(item)))


def test_rows_hold_known_scores(table: CaseTable) -> None:
    rows = {row.case: row for row in table.rows if row.region == "LV"}
    assert rows["a"].scores["dice"] == 1.0
    assert rows["a"].scores["hausdorff_mm"] == 0.0
    assert rows["b"].scores["dice"] == pytest.approx(0.8)
    assert rows["b"].scores["jaccard"] == pytest.approx(2 / 3)
    assert rows["b"].scores["hausdorff_mm"] == pytest.approx(1.0)
    assert rows["c"].presence is Presence.FALSE_NEGATIVE
    assert rows["c"].scores["dice"] == 0.0
    assert rows["c"].scores["hausdorff_mm"] == math.inf
    assert rows["d"].presence is Presence.ABSENT
    assert math.isnan(rows["d"].scores["dice"])
    # A square of side 10 whose corners are cut at half a pixel.
    perimeter = 4 * 9 + 4 * math.sqrt(0.5)
    assert rows["a"].scores["simplicity"] == pytest.approx(math.sqrt(4 * math.pi * 99.5) / perimeter)
    assert math.isnan(rows["c"].scores["simplicity"])
    assert table.regions == ("LV", "LV_EPI", "LA")
    assert (rows["a"].view, rows["a"].phase, rows["a"].groups) == (View.FOUR_CHAMBER, Phase.ED, {"quality": "good"})


def test_summaries_count_absent_and_missed(table: CaseTable) -> None:
    found = {(item.region, item.group, item.score): item.summary for item in table.summaries("all")}
    dice = found["LV", "all", "dice"]
    assert (dice.count, dice.absent, dice.false_negative) == (3, 1, 1)
    assert dice.mean == pytest.approx(0.6)
    distance = found["LV", "all", "hausdorff_mm"]
    assert (distance.count, distance.absent, distance.false_negative) == (2, 1, 1)
    assert distance.mean == pytest.approx(0.5)
    nowhere = found["LA", "all", "dice"]
    assert (nowhere.count, nowhere.absent) == (0, 4)
    assert ("LA", "all", "hausdorff_mm") not in found


def test_what_is_found_where_there_is_none_is_no_miss() -> None:
    table = CaseTable(tuple(score_case(prediction_of("f", 0, -1))))
    assert table.rows[0].presence is Presence.FALSE_POSITIVE
    (dice,) = (item.summary for item in table.summaries(scores=["dice"]) if item.region == "LV")
    assert (dice.false_negative, dice.false_positive, dice.mean) == (0, 1, 0.0)


def test_older_tables_tell_missed_from_false_positive_by_the_background(table: CaseTable) -> None:
    both = CaseTable((*table.rows, *score_case(prediction_of("f", 0, -1))))
    plain = both.__to_plain__()
    for row in plain["rows"]:
        row.pop("diagonal_mm")
        row["presence"] = "missed" if row["presence"] == "false positive" else row["presence"]
    read = CaseTable.__from_plain__(plain, "table")
    assert [row.presence for row in read.rows] == [row.presence for row in both.rows]
    assert math.isnan(read.rows[0].diagonal_mm)


def test_the_diagonal_of_the_plane_is_known(table: CaseTable) -> None:
    assert all(row.diagonal_mm == pytest.approx(math.hypot(40, 40) * 0.5) for row in table.rows)


@pytest.mark.parametrize(
    ("by", "means"),
    [("phase", {"ED": 0.9, "ES": 0.0}), ("quality", {"good": 0.9, "poor": 0.0}), ("centre", {"unknown": 0.6})],
)
def test_summaries_by_group(table: CaseTable, by: str, means: dict[str, float]) -> None:
    found = table.summaries(by, scores=["dice"])
    assert {item.group: item.summary.mean for item in found if item.region == "LV"} == pytest.approx(means)


def test_a_part_of_the_table_keeps_the_quantities_of_its_patients(table: CaseTable) -> None:
    whole = CaseTable(
        table.rows, (*left_ventricle("a", 50.0, 51.0, 52.0), *left_ventricle("c", 40.0, 41.0, 42.0)), ("x",)
    )
    part = whole.where(lambda row: row.groups["quality"] == "good")
    assert part.cases == ("a", "b")
    assert {item.patient for item in part.quantities} == {"a"}
    assert part.problems == ("x",)


def test_ejection_agreement() -> None:
    patients = (("a", 50, 51, 52), ("b", 60, 58, 56), ("c", math.nan, 40, 44))
    table = CaseTable((), tuple(item for values in patients for item in left_ventricle(*values)))
    stated = table.agreement("left_ventricular_ejection_fraction_percent", "stated")
    assert (stated.count, stated.excluded, stated.bias, stated.mean_absolute_error) == (2, 1, 1.0, 3.0)
    assert table.agreement("left_ventricular_ejection_fraction_percent", "traced").bias == 0.5


def test_the_table_survives_json(table: CaseTable) -> None:
    whole = CaseTable(table.rows, left_ventricle("a", 50.0, math.nan, 52.0), ("none",), {"predicted": "inf"})
    text = json.dumps(to_plain(whole), allow_nan=False)
    read = CaseTable.__from_plain__(json.loads(text), "table")
    assert to_plain(read) == to_plain(whole)
    assert read.rows[0] == whole.rows[0] or math.isnan(whole.rows[0].confidence)
    missed = next(row for row in read.rows if row.case == "c" and row.region == "LV")
    assert missed.scores["hausdorff_mm"] == math.inf
    assert math.isnan(missed.scores["simplicity"])
    assert set(missed.scores) == set(SCORES)
    assert read.facts == {"predicted": "inf"}


def test_foreign_plain_data_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"table\.rows"):
        CaseTable.__from_plain__({"rows": 3}, "table")


def test_without_pixel_size_there_are_no_distances_but_overlap() -> None:
    plane = square(5, 5, 8)
    import dataclasses

    labels = dataclasses.replace(label_map(plane), geometry=NO_GEOMETRY)
    table = CaseTable(tuple(score_case(CasePrediction(make_case("a", plane), labels, labels))))
    scores = {item.score for item in table.summaries() if item.region == "LV"}
    assert "dice" in scores
    assert "hausdorff_mm" not in scores


def test_a_model_of_fewer_structures_is_scored_on_those() -> None:
    plane = square(5, 5, 8)
    rows = score_case(CasePrediction(make_case("a", plane), label_map(plane, LV_ONLY), label_map(plane)))
    assert [row.region for row in rows] == ["LV"]
    with pytest.raises(InputError, match="nothing to compare"):
        score_case(CasePrediction(make_case("a", plane), label_map(plane, VESSEL), label_map(plane)))


def test_interval_of_the_mean_draws_patients_not_images() -> None:
    """Images of a patient are alike here: counted one by one they would seem twice as sure."""
    values = {f"p{place}": shift for place, shift in enumerate([0, 0, 1, 1, 2, 3, 4, 5])}
    items = [prediction_of(f"{name}_{n}", shift, 0, patient=name) for name, shift in values.items() for n in range(4)]
    rows = [row for item in items for row in score_case(item) if row.region == "LV"]
    dice = [1 - shift / 10 for shift in values.values()]
    low, high = mean_interval(rows, "dice")
    assert (low, high) == bootstrap_interval(dice, resamples=2000)
    (summary,) = CaseTable(tuple(rows)).summaries("all", scores=["dice"])
    assert summary.interval == (low, high)
    assert summary.summary.count == 32
    assert math.isnan(mean_interval(rows[:4], "dice")[0])  # one patient


def test_missed_distances_and_absent_structures_leave_the_interval() -> None:
    items = [prediction_of("a", 0, 0), prediction_of("b", 2, 0), prediction_of("c", -1, 0), prediction_of("d", -1, -1)]
    rows = [row for item in items for row in score_case(item) if row.region == "LV"]
    assert mean_interval(rows, "hausdorff_mm") == (0.0, 1.0)
    assert mean_interval(rows, "dice") == bootstrap_interval([1.0, 0.8, 0.0], resamples=2000)


def test_class_of_the_ejection_fraction_is_a_group() -> None:
    facts = {"a": 30.0, "b": 50.0, "c": 60.0}
    items = [
        prediction_of(name, 0, 0, facts={"left_ventricular_ejection_fraction_percent": value})
        for name, value in facts.items()
    ]
    table = CaseTable(tuple(row for item in items for row in score_case(item)))
    for by in ("ef-class", "ef_class"):
        found = table.summaries(by, scores=["dice"])
        assert [item.group for item in found if item.region == "LV"] == ["<=45", "45-55", ">=55"]
    assert group_of(items[0].case, "ef-class") == "unknown"  # of the case itself only what its data set says
    given = prediction_of(
        "d", 0, 0, groups={"ef_class": "own"}, facts={"left_ventricular_ejection_fraction_percent": 50.0}
    )
    assert group_of(score_case(given)[0], "ef-class") == "own"


def test_volumes_agree_with_the_reference_labels() -> None:
    patients = (("a", 104.0), ("b", 98.0), ("c", math.nan))
    table = CaseTable(
        (),
        tuple(
            item
            for name, predicted in patients
            for item in left_ventricle(name, 50, 50, 50, (predicted, 100.0), (predicted / 2, 55.0))
        ),
    )
    diastolic, systolic = (
        table.agreement(f"left_ventricular_end_{phase}_volume_ml", "traced") for phase in ("diastolic", "systolic")
    )
    assert (diastolic.count, diastolic.excluded, diastolic.bias, diastolic.mean_absolute_error) == (2, 1, 1.0, 3.0)
    assert systolic.bias == pytest.approx(-4.5)
    read = CaseTable.__from_plain__(json.loads(json.dumps(to_plain(table), allow_nan=False)), "table")
    assert math.isnan(read.quantities[7].predicted)
    assert (read.quantities[1].predicted, read.quantities[1].traced) == (104.0, 100.0)


def test_tables_that_knew_the_left_ventricle_alone_are_read() -> None:
    oldest = {"patient": "x", "predicted_percent": 50.0, "traced_percent": 51.0, "reference_percent": "nan"}
    old = oldest | {"patient": "y", "predicted_end_diastolic_ml": 110.0, "traced_end_diastolic_ml": 100.0}
    table = CaseTable.__from_plain__({"rows": [], "ejections": [oldest, old]}, "table")
    assert table.agreement("left_ventricular_ejection_fraction_percent", "traced").bias == -1.0
    assert table.agreement("left_ventricular_ejection_fraction_percent", "stated").count == 0
    diastolic = table.agreement("left_ventricular_end_diastolic_volume_ml", "traced")
    assert (diastolic.count, diastolic.excluded, diastolic.bias) == (1, 0, 10.0)
    for wrong in ({"predicted_percent": 50.0}, {"patient": "x", "predicted_percent": "fifty"}):
        with pytest.raises(ConfigError, match="no record of an ejection fraction"):
            CaseTable.__from_plain__({"rows": [], "ejections": [wrong]}, "table")
