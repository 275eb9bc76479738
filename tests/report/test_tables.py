"""Tables of values: a range stands beside what it was made for."""

import pytest

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.exam import Patient
from cardiotrace.report.headline import Yardstick
from cardiotrace.report.tables import beat_rows, value_tables
from cardiotrace.report.words import Words

VOLUME, EJECTION = "left_ventricular_end_diastolic_volume", "left_ventricular_ejection_fraction"


def tables(*quantities: Quantity, language: str = "en"):
    return value_tables(Measures("p1", quantities), Yardstick(Patient(sex="F"), Words(language), {}))


def slices(name: str, value: float, unit: str) -> Quantity:
    return Quantity(name, value, unit, Method.SUM_OF_SLICES, "SAX", ())


def biplane(name: str, value: float, unit: str) -> Quantity:
    return Quantity(name, value, unit, Method.BIPLANE_DISKS, "A4C+A2C", ())


def test_a_range_of_another_method_than_the_preferred_one_says_whose_it_is() -> None:
    ejections = slices(EJECTION, 37.0, "percent"), biplane(EJECTION, 42.0, "percent")
    (table,) = tables(*ejections, slices(VOLUME, 209.0, "ml"), biplane(VOLUME, 193.0, "ml"))
    references = {name: reference for name, _, _, reference, _ in table.rows}
    assert references == {
        "Ejection fraction": "SAX: 54–75; A4C+A2C: 54–74",
        "End-diastolic volume": "A4C+A2C: 46–106",  # 209 ml of slices are held against nothing
    }
    (alone,) = tables(biplane(VOLUME, 193.0, "ml"))
    assert alone.rows[0][3] == "46–106"


def test_kinds_stand_in_tables_of_their_own() -> None:
    found = tables(
        biplane(VOLUME, 100.0, "ml"),
        Quantity("left_ventricular_end_diastolic_length", 8.24, "cm", Method.TRACED, "A4C", ()),
        Quantity("left_ventricular_global_longitudinal_strain", -18.04, "percent", Method.TRACED, "A4C", ()),
        language="fr",
    )
    assert [table.title for table in found] == ["Volumes et fonction", "Déformation", "Dimensions"]
    assert [table.columns for table in found] == [("méthode des disques, biplan, A4C+A2C",), ("tracé, A4C",), ("A4C",)]
    assert [table.rows[0][2][0].text for table in found] == ["100", "−18,0", "8,2"]


@pytest.mark.parametrize(
    ("stop", "length", "rate"),
    [(3, "60", "1000"), (1, "120", "500"), (None, "", "")],
)
def test_a_beat_that_goes_round_has_a_length_too(stop: int | None, length: str, rate: str) -> None:
    curve = Curve("cine", "4CH", (0.0, 30.0, 60.0, 90.0), {})
    (row,) = beat_rows(Measures("p1", (), curves=(curve,), beats=(Beat("cine", "4CH", 1, 2, stop),)), Words("en"))
    assert (row.length, row.rate) == (length, rate)
