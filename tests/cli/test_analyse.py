"""What `analyse` prints of an exam."""

import pytest

from cardiotrace.cli.analyse import flag_lines, headline
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from tests.fake.measures import MEASURES


def test_a_value_that_is_not_usable_leads_nowhere():
    assert headline(MEASURES) == "EF not usable, EDV 120 ml"
    assert list(flag_lines(MEASURES.flags)) == [
        "  not usable: the left ventricle was lost in one frame",
        "  look twice: a doubt",
        "  note: a note",
    ]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"left_ventricular_end_diastolic_area": 18.3}, "neither volumes nor EF; sizes are in the report"),
        (
            {"left_ventricular_end_diastolic_area": 18.3, "left_ventricular_fractional_area_change": 54.9},
            "fractional area change 55 %",
        ),
        ({}, "nothing could be measured"),
    ],
)
def test_what_there_is_without_volumes_is_not_called_nothing(found, words):
    quantities = (Quantity(name, value, "cm2", Method.TRACED_SLICE, "SAX", ()) for name, value in found.items())
    assert headline(Measures("p1", tuple(quantities))) == words
