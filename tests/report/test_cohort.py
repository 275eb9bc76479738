"""The table and the page over several exams."""

from cardiotrace.clinical.quantity import Measures
from cardiotrace.report.cohort import CohortRow, cohort_csv, cohort_page
from tests.fake.measures import MEASURES, quantity


def test_a_value_that_is_not_usable_is_no_number_of_the_summary():
    row = cohort_csv([CohortRow("p", MEASURES)]).splitlines()[1].split(",")
    assert row[2:4] == ["", "120.4"]
    assert "EF: the left ventricle was lost in one frame" in row
    page = cohort_page([CohortRow("p", MEASURES)], "out")
    assert '<td data-sort=""><s title="not usable: the left ventricle was lost in one frame">96</s></td>' in page


def test_names_are_no_formulas_and_no_markup():
    rows = [
        CohortRow("=1+1", Measures("=1+1", (quantity(-12.5),)), report="=1+1/report.html"),
        CohortRow("<b>", reason="<i>"),
    ]
    first = cohort_csv(rows).splitlines()[1].split(",")
    assert first[:3] == ["'=1+1", "done", "-12.5"]
    page = cohort_page(rows, "<u>")
    assert [tag for tag in ("<b>", "<i>", "<u>") if tag in page] == []
