"""The sector of the ultrasound scanner: geometry, point-spread function, speckle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cardiotrace.core.terms import View
from cardiotrace.phantoms import EchoPhantom
from cardiotrace.phantoms.echo.plane import Pose, view_plane
from cardiotrace.phantoms.echo.sector import BeamSector, PointSpread

SECTOR = BeamSector((201, 261), 0.5, beam_count=181, range_step_mm=0.4, half_angle_rad=0.65)


def test_pixels_inside_are_as_many_as_the_sector_has_room_for():
    inside, x, depth = SECTOR.places()
    assert len(inside) * 0.5**2 == pytest.approx(0.65 * SECTOR.depth_mm**2, rel=0.01)
    assert np.hypot(x, depth).max() <= SECTOR.depth_mm + 1e-9
    assert np.abs(np.arctan2(x, depth)).max() <= 0.65 + 1e-9
    # Millimetres and pixels are each other's inverse.
    rows, columns = np.divmod(inside, 261)
    np.testing.assert_allclose(
        SECTOR.pixels(np.stack([x, depth], axis=1)), np.stack([rows, columns], axis=1), atol=1e-9
    )


def test_scan_conversion_shows_what_is_linear_as_it_is():
    polar = 3 * SECTOR.ranges_mm[:, None] + 20 * SECTOR.angles_rad[None]
    inside, x, depth = SECTOR.places()
    expected = 3 * np.hypot(x, depth) + 20 * np.arctan2(x, depth)
    shown = SECTOR.show(polar)
    np.testing.assert_allclose(shown.ravel()[inside], expected, rtol=1e-5, atol=1e-3)
    outside = np.ones(shown.size, bool)
    outside[inside] = False
    assert not shown.ravel()[outside].any()


@given(st.floats(1, 95), st.floats(-0.6, 0.6), st.floats(-3, 3))
def test_a_scatterer_keeps_its_strength_and_its_place_on_the_grid(distance, angle, strength):
    grid = SECTOR.splat(np.array([distance]), np.array([angle]), np.array([strength + 1j]))
    assert complex(grid.sum()) == pytest.approx(strength + 1j, abs=1e-5)
    weights = grid.imag
    assert np.count_nonzero(weights) <= 4
    assert (weights.sum(axis=1) @ SECTOR.ranges_mm) == pytest.approx(distance, abs=1e-3)
    assert (weights.sum(axis=0) @ SECTOR.angles_rad) == pytest.approx(angle, abs=1e-4)


def test_scatterers_outside_are_not_seen():
    away = SECTOR.splat(np.array([-1.0, 500.0, 50.0]), np.array([0.0, 0.0, 1.2]), np.ones(3, complex))
    assert not away.any()


def test_a_point_becomes_a_gaussian_of_the_stated_widths():
    spread = PointSpread(SECTOR, axial_mm=1.2, lateral_rad=(0.03, 0.03))
    echoes = np.zeros((len(SECTOR.ranges_mm), 181), np.complex64)
    echoes[120, 90] = 1
    seen = np.abs(spread.blur(echoes)).astype(float)
    along, across = seen.sum(axis=1), seen.sum(axis=0)
    for profile, places, width in ((along, SECTOR.ranges_mm, 1.2), (across, SECTOR.angles_rad, 0.03)):
        share = profile / profile.sum()
        middle = share @ places
        assert math.sqrt(share @ (places - middle) ** 2) == pytest.approx(width, rel=0.03)
    assert np.unravel_index(seen.argmax(), seen.shape) == (120, 90)


def test_the_beam_widens_with_depth():
    spread = PointSpread(SECTOR, axial_mm=0.5, lateral_rad=(0.02, 0.06))
    widths = []
    for depth in (40, 200):
        echoes = np.zeros((len(SECTOR.ranges_mm), 181), np.complex64)
        echoes[depth, 90] = 1
        share = np.abs(spread.blur(echoes)).sum(axis=0)
        share = share / share.sum()
        widths.append(math.sqrt(share @ SECTOR.angles_rad**2))
    expected = [0.02 + 0.04 * depth / (len(SECTOR.ranges_mm) - 1) for depth in (40, 200)]
    assert widths == pytest.approx(expected, rel=0.03)


def test_many_scatterers_in_a_cell_are_fully_developed_speckle():
    random = np.random.default_rng(5)
    count = 400_000
    distance, angle = random.uniform(20, 90, count), random.uniform(-0.6, 0.6, count)
    echoes = SECTOR.splat(distance, angle, np.exp(2j * np.pi * random.random(count)))
    # As many in every cell of the polar grid: no place is brighter than another.
    seen = np.abs(PointSpread(SECTOR, 0.6, (0.012, 0.012)).blur(echoes)).astype(float)[70:200:8, 20:160:8].ravel()
    # Rayleigh: mean over standard deviation is sqrt(pi / (4 - pi)) = 1.913, and energies are exponential.
    assert seen.mean() / seen.std() == pytest.approx(1.913, rel=0.1)
    assert stats.kstest(seen**2 / (seen**2).mean(), "expon").pvalue > 0.01


def test_white_noise_keeps_its_energy_in_the_point_spread():
    random = np.random.default_rng(6)
    shape = (len(SECTOR.ranges_mm), 181)
    noise = ((random.normal(size=shape) + 1j * random.normal(size=shape)) / math.sqrt(2)).astype(np.complex64)
    blurred = PointSpread(SECTOR, 0.7, (0.01, 0.02), side_lobe=0.02).blur(noise)
    assert (np.abs(blurred) ** 2).mean() == pytest.approx(1.0, rel=0.1)


POINTS = st.lists(st.floats(-60, 60), min_size=3, max_size=3)


@pytest.mark.parametrize("view", [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.PLAX, View.SAX])
@given(point=POINTS, tilt=st.floats(-90, 90))
def test_heart_plane_and_probe_are_each_others_inverse(view, point, tilt):
    state = EchoPhantom().at(np.array([200.0]))[0]
    plane = view_plane(view, state)
    placed = tuple(np.array([value]) for value in point)
    across, along, off = plane.project(placed, state)
    np.testing.assert_allclose(np.ravel(plane.lift(across, along, off, state)), point, atol=1e-9)
    # Turned, not stretched: distances from the plane's own origin stay, but for the shift along the axis.
    pose = Pose((3.0, 17.0), tilt)
    x, depth = pose.to_sector(across, along)
    np.testing.assert_allclose(np.ravel(pose.to_plane(x, depth)), np.ravel([across, along]), atol=1e-9)
    assert math.hypot(x[0] - 3, depth[0] - 17) == pytest.approx(math.hypot(across[0], along[0]), abs=1e-9)
