import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms import TruncatedSpheroid

bodies = st.builds(
    lambda share, long, short: TruncatedSpheroid(share * long, long, short),
    st.floats(0, 0.95),
    st.floats(5, 120),
    st.floats(3, 80),
)


@given(bodies)
@settings(deadline=None)
def test_volume_and_area_equal_quadrature_of_the_profile(body):
    def radius(z):
        return float(body.radius_mm(np.array(z)))

    volume_ml = quad(lambda z: math.pi * radius(z) ** 2, 0, body.length_mm)[0] / 1000
    area_mm2 = quad(lambda z: 2 * radius(z), 0, body.length_mm)[0]
    assert body.volume_ml == pytest.approx(volume_ml, rel=1e-6)
    assert body.area_mm2 == pytest.approx(area_mm2, rel=1e-4)


@given(bodies)
@settings(deadline=None)
def test_outline_lies_on_the_profile_and_starts_at_the_base(body):
    x, z = body.outline(61).T
    assert z[[0, -1]] == pytest.approx([0, 0], abs=1e-9)
    assert abs(x[0]) == pytest.approx(body.base_radius_mm)
    assert z.max() == pytest.approx(body.length_mm)
    assert np.abs(x[1:-1]) == pytest.approx(body.radius_mm(z[1:-1]), abs=1e-4)


def test_whole_sphere_is_approached_as_the_equator_rises():
    body = TruncatedSpheroid(30 * (1 - 1e-9), 30.0, 30.0)
    assert body.volume_ml == pytest.approx(4 / 3 * math.pi * 27, rel=1e-6)


def test_voxels_of_the_rotated_profile_converge_to_the_volume():
    body = TruncatedSpheroid(32.0, 48.0, 25.0)
    errors = [abs(_voxel_volume_ml(body, size) / body.volume_ml - 1) for size in (4.0, 2.0, 1.0, 0.5)]
    assert errors[-1] < 1e-3
    assert errors[-1] < errors[0] / 4


def _voxel_volume_ml(body, size_mm):
    z = np.arange(size_mm / 2, body.length_mm, size_mm)
    x = np.arange(-40, 40, size_mm) + 0.37 * size_mm
    inside = np.hypot(x[:, None], x)[None] <= body.radius_mm(z)[:, None, None]
    return inside.sum() * size_mm**3 / 1000


@pytest.mark.parametrize("sizes", [(50, 40, 20), (-1, 40, 20), (10, 40, 0)])
def test_impossible_bodies_are_refused(sizes):
    with pytest.raises(InputError, match="truncated spheroid"):
        TruncatedSpheroid(*sizes)
