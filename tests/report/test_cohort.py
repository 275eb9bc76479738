"""The table and the page over several exams."""

import csv
import io

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.report.cohort import CohortRow, cohort_csv, cohort_page
from tests.fake.measures import MEASURES, quantity


def test_a_value_that_is_not_usable_is_no_number_of_the_summary():
    row = cohort_csv([CohortRow("p", MEASURES)]).splitlines()[1].split(",")
    assert row[2:4] == ["", "120.4"]
    assert "EF: the left ventricle was lost in one frame" in row
    page = cohort_page([CohortRow("p", MEASURES)], "out")
    assert '<td data-sort=""><s title="not usable: the left ventricle was lost in one frame">96</s></td>' in page


def test_every_value_of_a_row_has_its_method_and_view():
    """A column may hold a mass of slices in one row and of two planes in the next."""
    sliced = Quantity("left_ventricular_mass", 130.0, "g", Method.SUM_OF_SLICES, "SAX", ())
    both = Measures("q", (quantity(55.0), sliced))
    rows = csv.DictReader(
        io.StringIO(cohort_csv([CohortRow("p", MEASURES), CohortRow("q", both), CohortRow("r", reason="empty")]))
    )
    assert [row["methods"] for row in rows] == [
        # The ejection fraction of the first is not usable, and not shown.
        "EDV: biplane method of disks, A4C+A2C",
        "EF: biplane method of disks, A4C+A2C; mass: sum of slices, SAX",
        "",
    ]


def test_names_are_no_formulas_and_no_markup():
    rows = [
        CohortRow("=1+1", Measures("=1+1", (quantity(-12.5),)), report="=1+1/report.html"),
        CohortRow("<b>", reason="<i>"),
    ]
    first = cohort_csv(rows).splitlines()[1].split(",")
    assert first[:3] == ["'=1+1", "done", "-12.5"]
    page = cohort_page(rows, "<u>")
    assert [tag for tag in ("<b>", "<i>", "<u>") if tag in page] == []
