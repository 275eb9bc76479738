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


def test_columns_of_a_single_row_are_a_list_where_the_table_would_be_wider_than_a_page() -> None:
    ways = [(method, view) for method in (Method.SINGLE_PLANE_DISKS, Method.AREA_LENGTH) for view in ("A4C", "A2C")]
    planes = [Quantity(name, 60.0, "percent", *way, ()) for name in (EJECTION, VOLUME) for way in ways]
    calibrated = Quantity(
        "left_ventricular_calibrated_ejection_fraction", 57.0, "percent", Method.CALIBRATED, "A4C", (), (45.0, 70.0)
    )
    mass = Quantity("left_ventricular_mass", 151.0, "g", Method.BIPLANE_WALL, "A4C+A2C", ())
    narrow = tables(*planes, calibrated, mass)
    assert [len(table.columns) for table in narrow] == [6]
    main, further = tables(biplane(EJECTION, 67.0, "percent"), biplane(VOLUME, 85.0, "ml"), *planes, calibrated, mass)
    assert len(main.columns) == 5
    assert further.is_list
    assert [(row[0], row[2][0].text, row[2][0].interval, row[2][1].text) for row in further.rows] == [
        ("Ejection fraction, calibrated to biplane", "57", "(45–70)", "calibrated to biplane, A4C"),
        ("Myocardial mass", "151", "", "biplane method of disks, epicardium minus endocardium, A4C+A2C"),
    ]


@pytest.mark.parametrize(
    ("stop", "length", "rate"),
    [(3, "60", "1000"), (1, "120", "500"), (None, "", "")],
)
def test_a_beat_that_goes_round_has_a_length_too(stop: int | None, length: str, rate: str) -> None:
    curve = Curve("cine", "4CH", (0.0, 30.0, 60.0, 90.0), {})
    (row,) = beat_rows(Measures("p1", (), curves=(curve,), beats=(Beat("cine", "4CH", 1, 2, stop),)), Words("en"))
    assert (row.length, row.rate) == (length, rate)
