"""What the table prints."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.compare import compare
from cardiotrace.evaluation.quantity import CLINICAL, PatientQuantity
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.table import (
    agreement_rows,
    case_rows,
    comparison_rows,
    ejection_class_rows,
    expectation_rows,
    headline_rows,
    read_case_table,
    readable_agreement,
    readable_classes,
    readable_comparisons,
    readable_outliers,
    table_to_json,
    to_text,
)
from tests.evaluation.cases import label_map, left_ventricle, make_case, square


@pytest.fixture
def table() -> CaseTable:
    reference = square(10, 10, 10)
    shifts = {"a": 0, "b": 2, "c": 4}
    items = [
        CasePrediction(
            make_case(name, reference, phase=Phase.ES if name == "c" else Phase.ED, groups={"quality": "good"}),
            label_map(square(10, 10 + shift, 10)),
            label_map(reference),
        )
        for name, shift in shifts.items()
    ]
    quantities = (*left_ventricle("a", 50.0, 52.0, 51.0), *left_ventricle("b", 60.0, 61.0, 58.0))
    return CaseTable(tuple(row for item in items for row in score_case(item)), quantities)


def test_headline(table: CaseTable) -> None:
    row = headline_rows(table)[0]
    assert row == {
        "region": "LV",
        "phase": "ED",
        "dice": "0.900 ± 0.141 [0.800, 1.000]",
        "hausdorff_mm": "0.5 ± 0.7 [0.0, 1.0]",
        "mean_absolute_mm": row["mean_absolute_mm"],
        "n": 2,
        "absent": 0,
        "false negative": 0,
        "false positive": 0,
    }


def test_case_rows_as_csv_read_back(table: CaseTable) -> None:
    rows = list(csv.DictReader(io.StringIO(to_text(case_rows(table), "csv"))))
    first = rows[3]
    assert (first["case"], first["quality"], first["region"], first["presence"]) == ("b", "good", "LV", "present")
    assert float(first["dice"]) == pytest.approx(0.8)
    assert len(rows) == 9


def test_json_has_no_nan(table: CaseTable) -> None:
    rows = json.loads(to_text(case_rows(table), "json"), parse_constant=lambda word: pytest.fail(word))
    assert rows[2]["region"] == "LA"
    assert rows[2]["dice"] is None
    assert rows[2]["presence"] == "absent"


def test_summaries_hold_all_statistics(table: CaseTable) -> None:
    found = table.summaries("all", scores=["dice"])[0]
    assert (found.region, found.group, found.score, found.summary.count) == ("LV", "all", "dice", 3)
    assert found.summary.mean == pytest.approx((1 + 0.8 + 0.6) / 3)
    assert found.summary.median == pytest.approx(0.8)
    assert found.interval == (0.6, 1.0)


def test_agreement_of_every_quantity_that_both_have() -> None:
    quantities = (
        *left_ventricle("a", 50.0, 52.0, 51.0, (110.0, 100.0), (60.0, 50.0)),
        *left_ventricle("b", 60.0, 61.0, 58.0, (90.0, 100.0), (40.0, 50.0)),
        PatientQuantity("a", "right_ventricular_ejection_fraction_percent", 40.0, 50.0),
        PatientQuantity("b", "right_ventricular_ejection_fraction_percent", math.nan, 50.0),
        PatientQuantity("a", "left_ventricular_mass_g", 100.0),
    )
    rows = {(row["quantity"], row["against"]): row for row in agreement_rows(CaseTable((), quantities))}
    assert list(rows) == [
        ("left_ventricular_ejection_fraction_percent", "traced"),
        ("left_ventricular_ejection_fraction_percent", "stated"),
        ("left_ventricular_end_diastolic_volume_ml", "traced"),
        ("left_ventricular_end_systolic_volume_ml", "traced"),
        ("right_ventricular_ejection_fraction_percent", "traced"),
    ]
    stated = rows["left_ventricular_ejection_fraction_percent", "stated"]
    assert (stated["n"], stated["bias"], stated["mean_absolute_error"]) == (2, 0.5, 1.5)
    diastolic = rows["left_ventricular_end_diastolic_volume_ml", "traced"]
    # Differences of +10 and -10: SD sqrt(200), limits 1.96 of it.
    assert (diastolic["bias"], diastolic["mean_absolute_error"]) == (0.0, 10.0)
    assert diastolic["sd"] == pytest.approx(200**0.5)
    assert diastolic["upper_limit"] == pytest.approx(27.72, abs=0.01)
    one = rows["right_ventricular_ejection_fraction_percent", "traced"]
    assert (one["n"], one["excluded"], one["bias"]) == (1, 1, -10.0)
    assert agreement_rows(CaseTable(())) == []


def test_quantities_beside_the_usual_ones_only_where_they_are_asked_for() -> None:
    areas = [PatientQuantity(name, "left_atrial_area_cm2", x + 1, x) for name, x in (("a", 15.0), ("b", 20.0))]
    table = CaseTable((), tuple(areas))
    assert agreement_rows(table) == []
    (row,) = readable_agreement(agreement_rows(table, CLINICAL))
    assert (row["quantity"], row["bias"]) == ("LA area, cm²", "+1.0")


def test_patients_by_class_of_ejection_fraction() -> None:
    key = "left_ventricular_ejection_fraction_percent"
    values = [(40.0, 42.0), (50.0, 44.0), (60.0, 61.0), (math.nan, 60.0), (30.0, math.nan)]
    quantities = [PatientQuantity(str(i), key, found, true) for i, (found, true) in enumerate(values)]
    low, middle, high = ejection_class_rows(CaseTable((), tuple(quantities)))
    assert low == {
        "against": "traced", "reference": "<=45", "<=45": 1, "45-55": 1, ">=55": 0, "missing": 0, "right_percent": 50.0,
    }  # fmt: skip
    assert (middle[">=55"], math.isnan(middle["right_percent"])) == (0, True)
    assert (high[">=55"], high["missing"], high["right_percent"]) == (1, 1, 100.0)
    assert readable_classes([middle])[0]["right, %"] == "-"
    assert ejection_class_rows(CaseTable(())) == []


def test_agreement_as_it_is_read() -> None:
    noise = PatientQuantity("a", "right_ventricular_ejection_fraction_percent", 50 - 2.5e-15, 50.0)
    pairs = [
        PatientQuantity(name, "left_ventricular_end_diastolic_volume_ml", 100 + x, 100.0)
        for name, x in (("a", 3), ("b", -1))
    ]
    several, one = readable_agreement(agreement_rows(CaseTable((), (noise, *pairs))))
    assert several == {
        "quantity": "LV EDV, ml", "against": "labels", "n": 2, "left out": 0, "r": "-",
        "ICC": several["ICC"], "bias": "+1.0", "SD": "2.8",
        "limits": "-4.5 to +6.5", "MAE": "2.0",
    }  # fmt: skip
    assert (one["quantity"], one["bias"], one["SD"], one["limits"]) == ("RV EF, %", "0.0", "-", "-")


def test_one_image_has_no_spread(table: CaseTable) -> None:
    (row,) = headline_rows(table.where(lambda row: row.case == "a" and row.region == "LV"))
    assert (row["dice"], row["hausdorff_mm"]) == ("1.000", "0.0")


def test_comparison_rows_as_markdown(table: CaseTable) -> None:
    rows = comparison_rows(compare({"x": table, "y": table}, regions=["LV"]))
    text = to_text(readable_comparisons(rows), "markdown")
    assert text.splitlines()[2] == "| x | y | LV | dice | 3 | 0 | 0 | 0.800 | 0.800 | 0.000 | 1.000 | 1.000 |"
    tiny = {**rows[0], "score": "hausdorff_mm", "mean_difference": -2.5e-15, "p_value": 3e-12}
    (shown,) = readable_comparisons([tiny])
    assert (shown["mean_difference"], shown["p_value"], shown["first_mean"]) == ("0.0", "<0.001", "0.8")


def test_outliers_as_they_are_read() -> None:
    row = {"phase": "ED", "images": 8, "both": 1, "both_percent": 12.5}
    assert readable_outliers([row]) == [{"phase": "ED", "images": 8, "both": "1 (12.5 %)"}]


def test_the_stored_table_tells_its_agreement(table: CaseTable) -> None:
    held = json.loads(table_to_json(table), parse_constant=lambda word: pytest.fail(word))["agreement"]
    assert [(row["quantity"], row["against"], row["bias"]) for row in held] == [
        ("left_ventricular_ejection_fraction_percent", "traced", -1.5),
        ("left_ventricular_ejection_fraction_percent", "stated", 0.5),
    ]


def test_the_stored_table_reads_back(table: CaseTable, tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(table_to_json(table), encoding="utf-8")
    read = read_case_table(path)
    assert table_to_json(read) == table_to_json(table)
    assert math.isnan(read.rows[2].scores["dice"])


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not valid JSON"), ("[]", "is no table"), ("{}", "missing key")]
)
def test_a_foreign_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_case_table(path)


def test_expected_dice_stands_beside_the_true_one(tmp_path: Path, table: CaseTable) -> None:
    assert expectation_rows(table) == []
    reference = square(10, 10, 10)
    items = [
        CasePrediction(
            make_case(str(shift), reference),
            label_map(square(10 + shift, 10, 10)),
            label_map(reference),
            expected_dice={"LV": [expected]},
        )
        for shift, expected in ((0, 0.9), (2, 0.9), (4, 0.5))
    ]
    told = CaseTable(tuple(row for item in items for row in score_case(item)))
    # Squares that lie 0, 2 and 4 of 10 rows apart: Dice 1, 0.8 and 0.6.
    (row,) = expectation_rows(told)
    assert {key: row[key] for key in list(row)[:5]} == {
        "region": "LV", "n": 3, "expected": "0.767", "true": "0.800", "mean absolute error": "0.100",
    }  # fmt: skip
    path = tmp_path / "table.json"
    path.write_text(table_to_json(told))
    assert expectation_rows(read_case_table(path)) == [row]
