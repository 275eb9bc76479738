"""The first rows: bars of reference ranges, doubts, changes."""

import math
from dataclasses import replace

import pytest

from cardiotrace.clinical.comparison import EarlierExam, compare_exams
from cardiotrace.clinical.interval import Error, Interval
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.exam import Patient
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.report.headline import Yardstick, bar_of, headline_of, headline_rows
from cardiotrace.report.words import Words

MODELS = {"net": "ab"}


def quantity(name: str, value: float, unit: str = "percent", **more) -> Quantity:
    told = {"method": Method.SUM_OF_SLICES, "view": "SAX", "frames": ()} | more
    return Quantity(name, value, unit, **told)


def yardstick(sex: str | None = "F", language: str = "en", **more) -> Yardstick:
    return Yardstick(Patient(sex=sex), Words(language), {}, **more)


def test_a_bar_shows_the_range_in_its_middle_and_the_value_where_it_lies() -> None:
    index = quantity("left_ventricular_end_diastolic_volume_index", 76.0, "ml/m2")
    bar = bar_of(index, yardstick())
    assert bar is not None
    (band,) = bar.bands  # 56 to 96
    assert (band.start + band.stop) / 2 == pytest.approx(0.5)
    assert bar.mark == pytest.approx(0.5)
    low = bar_of(replace(index, value=56.0), yardstick())
    assert low is not None
    assert low.mark == pytest.approx(band.start)
    far = bar_of(replace(index, value=400.0), yardstick())
    assert far is not None
    assert (far.mark, far.is_beyond, far.words) == (1.0, True, "56–96")


def test_an_ejection_fraction_has_a_scale_and_both_ranges_where_the_sex_is_unknown() -> None:
    found = bar_of(quantity("left_ventricular_ejection_fraction", 45.0), yardstick(None))
    assert found is not None
    assert [band.start * 90 for band in found.bands] == pytest.approx([52, 54])
    assert found.mark == pytest.approx(0.5)
    assert found.words == "52–73 (men), 54–75 (women)"
    french = headline_of(quantity("left_ventricular_ejection_fraction", 45.4), yardstick("M", "fr"))
    assert (french.name, french.value, french.place) == ("Fraction d'éjection", "45", "below")


def test_a_range_without_an_upper_limit_reaches_to_the_end() -> None:
    found = bar_of(quantity("right_ventricular_ejection_fraction", 60.0), yardstick())
    assert found is not None
    assert (found.bands[0].stop, found.words) == (1.0, "≥ 47")
    assert math.isfinite(found.mark)


def test_without_a_range_there_is_no_bar_and_no_verdict() -> None:
    found = headline_of(quantity("left_ventricular_stroke_volume", 60.0, "ml"), yardstick())
    assert (found.bar, found.place) == (None, "")


def test_a_doubted_value_says_so_and_one_that_is_not_usable_is_not_judged() -> None:
    ejection = quantity("left_ventricular_ejection_fraction", 12.0)
    look = headline_of(replace(ejection, flags=(Flag(Grade.LOOK_TWICE, "a"),)), yardstick())
    bad = headline_of(replace(ejection, flags=(Flag(Grade.NOT_USABLE, "a"),)), yardstick())
    assert (look.doubt, look.place, look.is_usable) == ("look twice", "below", True)
    assert (bad.doubt, bad.place, bad.bar, bad.is_usable) == ("not usable", "", None, False)


def test_rows_hold_what_is_there_in_order_with_interval_and_change() -> None:
    strain = quantity(
        "left_ventricular_global_longitudinal_strain", -18.44, method=Method.TRACED, view="A4C", interval=(-20, -17)
    )
    mass, ejection = quantity("left_ventricular_mass", 131.0, "g"), quantity("left_ventricular_ejection_fraction", 60.0)
    now = Measures("now", (mass, ejection, strain))
    before = Measures("old", (replace(mass, value=100.0), replace(strain, value=-20.0)))
    compared = compare_exams(now, EarlierExam(before, MODELS), models=MODELS)
    rows = list(headline_rows(now, yardstick(comparison=compared)))
    assert [row.name for row in rows] == ["Global longitudinal strain", "Myocardial mass"]
    assert [(row.value, row.interval) for row in rows] == [("−18.4", "−20.0 to −17.0"), ("131", "")]
    # 3.6 % of 115 g, times 2.77, is 12 g; a strain may change by 3 points.
    assert [(row.change, row.is_beyond) for row in rows] == [("+1.6", False), ("+31", True)]


@pytest.mark.parametrize(("language", "told"), [("en", "90 %, whole error"), ("fr", "90 %, erreur totale")])
def test_an_interval_that_was_calibrated_says_what_it_is_of(language: str, told: str) -> None:
    whole = Interval(Error.WHOLE, 41.0, 58.0, 0.9)
    ejection = quantity("left_ventricular_ejection_fraction", 47.0, interval=(41.0, 58.0), intervals=(whole,))
    found = headline_of(ejection, yardstick(language=language))
    assert (found.interval, found.interval_of) == ("41–58", told)
    assert headline_of(replace(ejection, intervals=()), yardstick()).interval_of == ""
