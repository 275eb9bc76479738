"""What the table prints."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.case_table import CaseTable, Ejection
from cardiotrace.evaluation.compare import compare
from cardiotrace.evaluation.score import Judged, score_case
from cardiotrace.evaluation.table import (
    case_rows,
    comparison_rows,
    ejection_rows,
    headline_rows,
    read_table,
    summary_rows,
    table_to_json,
    to_text,
    volume_rows,
)
from tests.evaluation.cases import label_map, make_case, square


@pytest.fixture
def table() -> CaseTable:
    reference = square(10, 10, 10)
    shifts = {"a": 0, "b": 2, "c": 4}
    items = [
        Judged(
            make_case(name, reference, phase=Phase.ES if name == "c" else Phase.ED, groups={"quality": "good"}),
            label_map(square(10, 10 + shift, 10)),
            label_map(reference),
        )
        for name, shift in shifts.items()
    ]
    ejections = (Ejection("a", 50.0, 52.0, 51.0), Ejection("b", 60.0, 61.0, 58.0))
    return CaseTable(tuple(row for item in items for row in score_case(item)), ejections)


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
        "missed": 0,
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


def test_summary_rows_hold_all_statistics(table: CaseTable) -> None:
    row = summary_rows(table.summaries("all", scores=["dice"]))[0]
    assert (row["region"], row["group"], row["score"], row["count"]) == ("LV", "all", "dice", 3)
    assert row["mean"] == pytest.approx((1 + 0.8 + 0.6) / 3)
    assert row["median"] == pytest.approx(0.8)
    assert row["mean_low"] == 0.6
    assert row["mean_high"] == 1.0


def test_ejection_rows(table: CaseTable) -> None:
    stated, traced = ejection_rows(table)
    assert (stated["n"], stated["bias_percent"], stated["mean_absolute_error_percent"]) == (2, 0.5, 1.5)
    assert traced["bias_percent"] == -1.5
    assert ejection_rows(CaseTable(())) == []


def test_volume_rows() -> None:
    ejections = (
        Ejection("a", 50, 50, 50, 110.0, 100.0, 60.0, 50.0),
        Ejection("b", 50, 50, 50, 90.0, 100.0, 40.0, 50.0),
    )
    diastolic, systolic = volume_rows(CaseTable((), ejections))
    assert (diastolic["volume"], diastolic["n"], diastolic["bias_ml"]) == ("end-diastolic", 2, 0.0)
    assert systolic["mean_absolute_error_ml"] == 10.0
    assert volume_rows(CaseTable((), (Ejection("a", 50, 50, 50),))) == []


def test_comparison_rows_as_markdown(table: CaseTable) -> None:
    rows = comparison_rows(compare({"x": table, "y": table}, regions=["LV"]))
    text = to_text(rows, "markdown")
    assert text.splitlines()[2].startswith("| x | y | LV | dice | 3 | 0 | 0 | 0.8 | 0.8 | 0 | 1 | 1 |")


def test_the_stored_table_reads_back(table: CaseTable, tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(table_to_json(table), encoding="utf-8")
    read = read_table(path)
    assert table_to_json(read) == table_to_json(table)
    assert math.isnan(read.rows[2].scores["dice"])


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not valid JSON"), ("[]", "is no table"), ("{}", "missing key")]
)
def test_a_foreign_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(path)
