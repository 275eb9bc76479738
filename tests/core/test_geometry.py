import math

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry, Known

OBLIQUE = np.array([[5.435, 1.112, 0.561, -205.5], [-5.603, -0.017, 1.229, -149.3], [-6.251, 0.983, -0.614, 47.2]])


def oblique() -> Geometry:
    return Geometry(np.vstack([OBLIQUE, [0, 0, 0, 1]]), orientation=Known.FILE)


def test_spacing_is_that_of_the_columns():
    assert oblique().spacing_mm == pytest.approx((10.0, 1.4844, 1.4844), abs=2e-3)
    assert oblique().axis_codes == "IRA"  # the slices of this heart run to its apex: downwards


def test_voxels_lie_where_the_affine_says():
    here = oblique()
    assert here.point_mm((0, 0, 0)).tolist() == pytest.approx([-205.5, -149.3, 47.2])
    step = here.point_mm((3, 2, 1)) - here.point_mm((2, 2, 1))
    assert np.linalg.norm(step) == pytest.approx(here.spacing_mm[0])
    assert here.moved((2, 1, 4)).point_mm((1, 1, 1)).tolist() == pytest.approx(here.point_mm((3, 2, 5)).tolist())


def test_given_sizes_keep_place_directions_and_slice_distance():
    changed = oblique().with_pixel_size(2.0, 1.0)
    assert changed.spacing_mm == pytest.approx((oblique().spacing_mm[0], 2.0, 1.0))
    assert (changed.pixel_size, changed.slice_distance) == (Known.GIVEN, Known.FILE)
    assert changed.axis_codes == oblique().axis_codes
    assert changed.point_mm((0, 0, 0)).tolist() == oblique().point_mm((0, 0, 0)).tolist()
    whole = oblique().with_pixel_size(2.0, 1.0, 8.0)
    assert whole.spacing_mm == pytest.approx((8.0, 2.0, 1.0))
    assert whole.slice_distance is Known.GIVEN


def test_what_is_not_known_gives_no_number():
    assert NO_GEOMETRY.spacing_mm is None
    assert Geometry.of_spacing(None).spacing_mm is None
    stack = Geometry.of_spacing((math.nan, 1.4, 1.4))
    assert stack.slice_distance is Known.UNKNOWN
    assert stack.spacing_mm[1:] == (1.4, 1.4)
    assert math.isnan(math.prod(stack.spacing_mm))  # no volume can be had by mistake


def test_sizes_come_back_without_the_noise_of_a_square_root():
    assert Geometry.of_spacing((1.54, 0.308, 0.154)).spacing_mm == (1.54, 0.308, 0.154)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf])
def test_impossible_sizes_are_refused(bad):
    with pytest.raises(InputError, match="spacing must be positive"):
        Geometry.of_spacing((8.0, bad, 1.0))
    with pytest.raises(InputError, match="spacing must be positive"):
        oblique().with_pixel_size(1.0, bad)


def test_an_affine_without_numbers_is_refused():
    with pytest.raises(InputError, match="4 x 4"):
        Geometry(np.full((4, 4), np.nan))


def test_slices_that_are_shifted_sideways_lie_no_farther_apart():
    affine = Geometry.of_spacing((10.0, 1.5, 1.5)).affine.copy()
    affine[:3, 0] += [4.0, 3.0, 0.0]
    sheared = Geometry(affine)
    assert sheared.spacing_mm == pytest.approx((10.0, 1.5, 1.5))  # the step itself is 11.2 mm long
    assert np.prod(sheared.spacing_mm) == pytest.approx(abs(np.linalg.det(affine[:3, :3])))
    changed = sheared.with_pixel_size(1.5, 1.5, 8.0)
    assert changed.spacing_mm == pytest.approx((8.0, 1.5, 1.5))
    assert changed.point_mm((1, 0, 0))[:2].tolist() == pytest.approx([3.2, 2.4])  # shifted by the same angle


def test_rounding_in_a_header_is_no_shift():
    affine = Geometry.of_spacing((10.0, 1.5, 1.5)).affine.copy()
    affine[0, 0] = 0.05
    assert Geometry(affine).spacing_mm[0] == pytest.approx(math.hypot(10.0, 0.05), rel=1e-9)
