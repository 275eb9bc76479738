import pytest

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.normal import NORMAL_RANGES, body_surface_area_m2, normal_ranges, place_in
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.term import TERMS
from cardiotrace.core.exam import Patient

EJECTION = "left_ventricular_ejection_fraction"
VOLUME = "left_ventricular_end_diastolic_volume"


def quantity(value: float, name: str = EJECTION, unit: str = "percent", *, method=Method.BIPLANE_DISKS, view="A4C+A2C"):
    return Quantity(name, value, unit, method, view, ())


def slices(value: float, name: str = EJECTION, unit: str = "percent") -> Quantity:
    return quantity(value, name, unit, method=Method.SUM_OF_SLICES, view="SAX")


def limits(item: Quantity, sex: str | None, **more) -> list[tuple[float, float]]:
    return [(found.low, found.high) for found in normal_ranges(item, Patient(sex=sex), **more)]


@pytest.mark.parametrize(
    ("percent", "sex", "place"),
    [(53.0, "F", "below"), (53.0, "M", "within"), (73.0, "M", "above"), (73.0, "F", "within"), (40.0, None, "below")],
)
def test_ejection_fraction(percent: float, sex: str | None, place: str) -> None:
    found = quantity(percent)
    assert place_in(normal_ranges(found, Patient(sex=sex)), percent) == place


def test_a_range_is_of_its_method_view_and_outlines_alone() -> None:
    assert limits(quantity(60.0), "M") == [(52, 72)]
    assert limits(quantity(60.0, method=Method.SINGLE_PLANE_DISKS, view="A4C"), "M") == []
    assert limits(quantity(60.0, view="4CH+2CH"), "M") == []  # biplane, but of MRI
    assert limits(slices(60.0), "M") == [(52, 73)]
    assert limits(slices(60.0), "M", papillaries="mass") == [(57, 77)]
    # 55 % is within under one convention and below under the other.
    assert place_in(normal_ranges(slices(55.0), Patient(sex="F")), 55.0) == "within"
    assert place_in(normal_ranges(slices(55.0), Patient(sex="F"), papillaries="mass"), 55.0) == "below"


def test_volumes_differ_by_sex_and_modality() -> None:
    assert limits(quantity(100.0, VOLUME, "ml"), "F") == [(46, 106)]
    assert limits(quantity(100.0, VOLUME, "ml"), None) == [(62, 150), (46, 106)]
    assert limits(slices(100.0, VOLUME, "ml"), "F") == []  # the source in use has indices alone
    assert limits(slices(100.0, f"{VOLUME}_index", "ml/m2"), "F") == [(56, 96)]
    assert limits(slices(50.0, "right_ventricular_ejection_fraction"), "F") == [(47, float("inf"))]


def test_adults_alone_have_ranges() -> None:
    assert normal_ranges(quantity(60.0), Patient("M", 17.9)) == ()
    assert len(normal_ranges(quantity(60.0), Patient("M", 18.0))) == 1
    assert len(normal_ranges(quantity(60.0), Patient("M"))) == 1


def test_the_table_is_sound() -> None:
    cavity = [item for item in NORMAL_RANGES if item.set.papillaries != "mass"]
    keys = [(item.key, item.sex, item.set.image) for item in cavity]
    assert len(set(keys)) == len(keys)  # one range for each, so that none hides another
    for item in NORMAL_RANGES:
        assert 0 < item.low < item.high
        assert item.set.source
        assert item.set.seen
    assert {item.key for item in NORMAL_RANGES} <= {term.key for term in TERMS.values()}


def test_body_surface_of_a_known_person() -> None:
    assert body_surface_area_m2(160.0, 50.0) == pytest.approx(1.4907, abs=1e-4)
