"""Every criterion on planes drawn by hand, against values counted by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from cardiotrace.clinical.anatomy.criterion import CRITERIA, Axis, Measured
from cardiotrace.clinical.anatomy.limits import PRESETS
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.label import ACDC, CAMUS, LV_ONLY, LabelMap, LabelScheme

RV, MYO, LV = 1, 2, 3
"""In ACDC."""


def short_axis() -> NDArray[np.uint8]:
    """A ring of 9 x 9 around a ventricle of 5 x 5, and to its left the right ventricle, 9 x 5."""
    plane = np.zeros((20, 24), np.uint8)
    plane[4:13, 5:10] = RV
    plane[4:13, 10:19] = MYO
    plane[6:11, 12:17] = LV
    return plane


def long_axis() -> NDArray[np.uint8]:
    """A wall of 4 pixels around a ventricle of 10 x 12, open below, where the atrium is 8 wide (CAMUS)."""
    plane = np.zeros((30, 30), np.uint8)
    plane[4:20, 6:24] = 2
    plane[8:20, 10:20] = 1
    plane[20:28, 11:19] = 3
    return plane


def measured(plane: NDArray[np.uint8], axis: Axis, scheme: LabelScheme, side_mm: float | None = 1.5) -> Measured:
    geometry = NO_GEOMETRY if side_mm is None else Geometry.of_spacing((8.0, side_mm, side_mm))
    labels = LabelMap(plane[None, None], scheme, geometry)
    return Measured.of(Plane.of(labels, 0, is_upright=axis is Axis.LONG), axis)


def odd(plane: NDArray[np.uint8], axis: Axis = Axis.SHORT) -> dict[str, float]:
    """Values that differ from those of the sound plane."""
    scheme, sound = (ACDC, short_axis()) if axis is Axis.SHORT else (CAMUS, long_axis())
    before, after = (measured(each, axis, scheme).values for each in (sound, plane))
    return {name: value for name, value in after.items() if value != before[name]}


def test_numbers_of_criteria() -> None:
    assert len(PRESETS["published"].axes[Axis.LONG].criteria) == 12
    assert len(PRESETS["published"].axes[Axis.SHORT].criteria) == 16
    for limits in PRESETS.values():
        for axis, found in limits.axes.items():
            assert found.criteria.keys() <= {item.name for item in CRITERIA[axis]}


def test_sound_short_axis() -> None:
    found = measured(short_axis(), Axis.SHORT, ACDC)
    round_ones = {name: value for name, value in found.values.items() if name.endswith("circularity")}
    assert not any(value for name, value in found.values.items() if name not in round_ones)
    # A square of side n has 4 n - 4 border pixels.
    assert round_ones == pytest.approx(
        {"lv_circularity": 4 * math.pi * 25 / 16**2, "myo_circularity": 4 * math.pi * 81 / 32**2}
    )
    assert PRESETS["published"].failures(found, Axis.SHORT) == ()


def test_hole_in_the_ventricle() -> None:
    plane = short_axis()
    plane[8, 14] = 0
    # Its eight neighbours border on it.
    assert odd(plane) == {"holes_in_lv": 1, "holes_in_myo": 1, "frontier_lv_background": 8}


def test_hole_in_the_right_ventricle() -> None:
    plane = short_axis()
    plane[6:8, 7] = 0
    assert odd(plane) == {"holes_in_rv": 2}


def test_pieces() -> None:
    for value, name in ((RV, "rv"), (MYO, "myo"), (LV, "lv")):
        plane = short_axis()
        plane[16, 20:23] = value
        assert measured(plane, Axis.SHORT, ACDC).values[f"disconnectivity_in_{name}"] == 3


def test_gap_between_ventricle_and_wall() -> None:
    plane = short_axis()
    plane[6:11, 12] = 0
    found = odd(plane)
    assert found.pop("lv_circularity") == pytest.approx(4 * math.pi * 20 / 14**2)
    assert found == {"holes_in_myo": 5, "holes_between_lv_myo": 5, "frontier_lv_background": 5}


def test_gap_between_right_ventricle_and_wall() -> None:
    plane = short_axis()
    plane[6:9, 9] = 0
    found = odd(plane)
    assert found["holes_between_rv_myo"] == 3
    # A dent of one column is none.
    assert "rv_concavity" not in found


def test_right_ventricle_that_lies_apart() -> None:
    plane = np.zeros((20, 24), np.uint8)
    plane[:, :21] = short_axis()[:, 3:]
    plane[4:13, 2:7] = 0
    plane[4:13, 0:4] = RV
    # Grown by a pixel it ends at column 4, the wall begins at column 7: three pixels of 1.5 mm.
    assert measured(plane, Axis.SHORT, ACDC).values["rv_disconnected_from_myo"] == pytest.approx(4.5)
    assert "rv_disconnected_from_myo" not in measured(plane, Axis.SHORT, ACDC, side_mm=None).values


def test_ventricles_that_touch() -> None:
    plane = short_axis()
    plane[8, 10:12] = RV
    # The ventricle's own pixel in that row and one above and below.
    assert odd(plane)["frontier_lv_rv"] == 3


@pytest.mark.parametrize(("value", "name"), [(LV, "lv"), (RV, "rv"), (MYO, "myo")])
def test_dents_in_millimetres(value: int, name: str) -> None:
    plane = np.zeros((16, 20), np.uint8)
    plane[2:13, 2:17] = value
    plane[2:8, 7:12] = 0
    # Six rows deep; of its five columns the rim counts as nothing, so that the last but one row is the deepest: 5.
    assert measured(plane, Axis.SHORT, ACDC, side_mm=2.0).values[f"{name}_concavity"] == pytest.approx(10.0)


def test_what_is_missing_in_a_short_axis_is_no_fault() -> None:
    plane = short_axis()
    plane[plane == RV] = 0
    found = measured(plane, Axis.SHORT, ACDC)
    assert math.isnan(found.values["rv_concavity"])
    assert PRESETS["published"].failures(found, Axis.SHORT) == ()


def test_sound_long_axis() -> None:
    found = measured(long_axis(), Axis.LONG, CAMUS)
    faults = {name: value for name, value in found.values.items() if value}
    assert faults == pytest.approx(
        {
            # Two pixels at either corner of the base have background below.
            "frontier_ratio_lv_bg": 4 / 10,
            "width_ratio_lv_myo": 10 / 8,
            # Two peels of a wall of four pixels; a corner pixel lies a diagonal of two from the cavity.
            "erosion_ratio_before_myo_split": 2 / math.sqrt(8),
        }
    )
    assert PRESETS["published"].failures(found, Axis.LONG) == ()


def test_wall_in_two_pieces() -> None:
    plane = long_axis()
    plane[4:8, 14:16] = 0
    found = odd(plane, Axis.LONG)
    assert (found["disconnectivity_in_myo"], found["erosion_ratio_before_myo_split"]) == (80, 0)


def test_wall_that_runs_along_the_atrium() -> None:
    plane = long_axis()
    plane[20:24, 10], plane[20:24, 19] = 2, 2
    # Four pixels on either side, and the lowest of each is touched by the atrium's next row as well.
    assert odd(plane, Axis.LONG)["frontier_ratio_myo_atrium"] == pytest.approx(8 / 18)


def test_both_readings_of_the_hole_between_ventricle_and_atrium() -> None:
    plane = long_axis()
    plane[20, 13:16] = 0
    found = measured(plane, Axis.LONG, CAMUS)
    assert (found.values["holes_between_lv_atrium"], found.values["holes_between_lv_myo"]) == (3, 0)
    names = {
        name: [item.criterion.name for item in limits.failures(found, Axis.LONG)] for name, limits in PRESETS.items()
    }
    assert "holes_between_lv_atrium" in names["published"]
    assert "holes_between_lv_atrium" not in names["published-code"]


def test_holes_in_the_heart_and_the_atrium() -> None:
    plane = long_axis()
    plane[10, 7:9] = plane[24, 14] = 0
    assert {"holes_in_epi": 2, "holes_in_atrium": 1}.items() <= odd(plane, Axis.LONG).items()


def test_a_missing_wall_fails_a_long_axis_by_the_published_limits() -> None:
    plane = long_axis()
    plane[plane == 2] = 0
    failures = PRESETS["published"].failures(measured(plane, Axis.LONG, CAMUS), Axis.LONG)
    assert {item.criterion.name for item in failures if item.is_missing} == {
        "width_ratio_lv_myo",
        "erosion_ratio_before_myo_split",
    }


def test_only_what_labels_and_image_can_tell_is_asked() -> None:
    alone = measured((long_axis() == 1).astype(np.uint8), Axis.LONG, LV_ONLY)
    assert alone.values == {"holes_in_lv": 0, "disconnectivity_in_lv": 0}
    turned = LabelMap(long_axis()[None, None], CAMUS, NO_GEOMETRY)
    found = Measured.of(Plane.of(turned, 0), Axis.LONG).values
    assert not any(name.startswith(("frontier_ratio", "width_ratio")) for name in found)
    assert measured(np.zeros((9, 9), np.uint8), Axis.LONG, CAMUS).values == {}


def test_where_the_heart_lies_in_the_image_changes_nothing() -> None:
    plane = short_axis()
    plane[8, 14] = 0
    wide = np.pad(plane, ((30, 5), (0, 44)))
    assert odd(plane).keys() == odd(wide).keys()
    assert measured(wide, Axis.SHORT, ACDC).values == measured(plane, Axis.SHORT, ACDC).values
    # What the edge of the image cuts is neither open nor dented there.
    cut = short_axis()[:, 7:]
    assert not any(
        value for name, value in measured(cut, Axis.SHORT, ACDC).values.items() if not name.endswith("circularity")
    )
