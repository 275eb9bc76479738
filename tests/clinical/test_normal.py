import pytest

from cardiotrace.clinical.normal import body_surface_area_m2, normal_ranges, place_in_range


@pytest.mark.parametrize(
    ("percent", "sex", "place"),
    [(53.0, "F", "below"), (53.0, "M", "within"), (73.0, "M", "above"), (73.0, "F", "within"), (40.0, None, "below")],
)
def test_ejection_fraction(percent: float, sex: str | None, place: str) -> None:
    assert place_in_range("left_ventricular_ejection_fraction_percent", percent, sex) == place


def test_a_range_of_one_sex_is_nobody_elses() -> None:
    assert [item.high for item in normal_ranges("left_ventricular_end_diastolic_volume_ml", "M")] == [150.0]
    assert normal_ranges("left_ventricular_end_diastolic_volume_ml", "F") == ()
    assert normal_ranges("left_ventricular_end_diastolic_volume_ml", None) == ()
    assert place_in_range("left_ventricular_stroke_volume_ml", 60.0, "M") is None


def test_body_surface_of_a_known_person() -> None:
    assert body_surface_area_m2(160.0, 50.0) == pytest.approx(1.4907, abs=1e-4)
