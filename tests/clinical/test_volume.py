import numpy as np
import pytest

from cardiotrace.clinical.axis import LongAxis, long_axis, outline_of
from cardiotrace.clinical.volume import (
    area_length_volume,
    biplane_area_length_ml,
    biplane_lengths_mm,
    disk_volume,
    simpson_disks,
)
from tests.clinical.ventricle import Ventricle


def half_ellipse(radius_mm: float = 25.0, length_mm: float = 80.0) -> tuple[np.ndarray, LongAxis]:
    angle = np.linspace(0, np.pi, 2001)
    ring = np.stack([100 - length_mm * np.sin(angle), 60 - radius_mm * np.cos(angle)], axis=1)
    return ring, LongAxis(np.array([ring[0], ring[-1]]), np.array([100 - length_mm, 60.0]), "annulus")


def test_discs_of_a_half_ellipsoid() -> None:
    ring, axis = half_ellipse()
    disks = simpson_disks(ring, axis)
    # The midpoint rule with 20 disks is 0.03 % above 2/3 pi r^2 L = 104.72 ml.
    assert disks.volume / 1000 == pytest.approx(104.72, rel=1e-3)
    assert disks.diameters.shape == (20,)
    assert np.all(np.diff(disks.diameters) < 0)


def test_discs_at_their_lower_faces_are_too_large() -> None:
    ring, axis = half_ellipse()
    excess = simpson_disks(ring, axis, positions="base").volume / 1000 / 104.72 - 1
    assert excess == pytest.approx(0.037, abs=0.001)


def test_chords_of_a_concave_outline_leave_out_the_notch() -> None:
    ring = np.array([[0.0, 0], [0, 10], [20, 10], [20, 7], [5, 5], [20, 3], [20, 0]])
    axis = LongAxis(np.array([[20.0, 0], [20, 10]]), np.array([0.0, 5.0]), "annulus")
    disks = simpson_disks(ring, axis, count=4)
    # At row 17.5 the notch from (20, 3..7) to (5, 5) is 10/3 wide.
    assert disks.diameters[0] == pytest.approx(10 - 10 / 3)
    assert disks.diameters[3] == pytest.approx(10)
    assert np.ptp(disks.ends[0][:, 1]) == pytest.approx(10)


@pytest.mark.parametrize("tilt_deg", [-30.0, 0.0, 15.0, 40.0])
@pytest.mark.parametrize("spacing_mm", [(0.308, 0.308), (0.154, 0.308), (0.308, 0.154)])
def test_masks_give_the_analytic_volume(tilt_deg: float, spacing_mm: tuple[float, float]) -> None:
    ventricle = Ventricle(tilt_deg=tilt_deg)
    labels = ventricle.draw(spacing_mm)
    axis = long_axis(labels == 1, labels == 2, spacing_mm)
    assert axis is not None
    by_discs = simpson_disks(outline_of(labels == 1, spacing_mm), axis).volume / 1000
    area_cm2 = np.count_nonzero(labels == 1) * spacing_mm[0] * spacing_mm[1] / 100
    assert by_discs == pytest.approx(104.72, rel=0.004)
    assert area_length_volume(area_cm2, axis.length / 10) == pytest.approx(104.72, rel=0.004)


def test_biplane_is_elliptic_and_symmetric() -> None:
    first, axis = half_ellipse(radius_mm=25)
    second, _ = half_ellipse(radius_mm=20)
    a, b = simpson_disks(first, axis), simpson_disks(second, axis)
    volume = disk_volume(a.diameters, b.diameters, 80.0)
    assert volume == pytest.approx(2 / 3 * np.pi * 25 * 20 * 80, rel=1e-3)
    assert volume == disk_volume(b.diameters, a.diameters, 80.0)
    assert volume**2 == pytest.approx(a.volume * b.volume)


def test_shared_length_of_camus_lowers_the_ejection_fraction() -> None:
    ed, es = np.full(20, 50.0), np.full(20, 50.0 * np.sqrt(0.4 / 0.88))
    volumes = {}
    for mode in ("ase", "camus"):
        lengths = biplane_lengths_mm([80.0, 70.4], [80.0, 70.4], mode=mode)
        volumes[mode] = [disk_volume(d, d, length) for d, length in zip((ed, es), lengths, strict=True)]
    ejection = {mode: 100 * (1 - es / ed) for mode, (ed, es) in volumes.items()}
    assert ejection["ase"] == pytest.approx(60.0)
    assert ejection["camus"] == pytest.approx(54.5, abs=0.1)


def test_biplane_area_length_of_equal_planes_is_the_single_plane() -> None:
    assert biplane_area_length_ml(30.0, 30.0, 8.0) == pytest.approx(area_length_volume(30.0, 8.0))


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 0"):
        area_length_volume(30.0, 0.0)
    with pytest.raises(ValueError, match="equally many disks"):
        disk_volume(np.ones(20), np.ones(19), 80.0)
    point = LongAxis(np.zeros((2, 2)), np.zeros(2), "chord")
    with pytest.raises(ValueError, match="no length"):
        simpson_disks(half_ellipse()[0], point)
