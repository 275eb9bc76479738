import pytest

from benchmarks.single_plane import fitted, rows
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.quantity import PatientQuantity


def table(*pairs):
    key = "left_ventricular_ejection_fraction_percent"
    found = (PatientQuantity(f"p{i}", key, traced, traced, stated) for i, (traced, stated) in enumerate(pairs))
    return CaseTable((), tuple(found))


def test_a_line_takes_the_bias_and_leaves_the_correlation():
    line = fitted(table((40, 35), (60, 50), (80, 65), (float("nan"), 30), (30, float("nan"))))
    assert line.coef == pytest.approx([5, 0.75])
    measured, mended = rows("model", table((40, 36), (60, 48), (80, 66)), line)
    assert measured["bias"] == 10
    assert mended["bias"] == 0
    assert mended["mean absolute error"] == pytest.approx(1.3)
    assert measured["correlation"] == mended["correlation"] == 0.993
