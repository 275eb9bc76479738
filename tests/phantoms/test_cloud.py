import numpy as np
import pytest

from cardiotrace.phantoms import Heart, Tissue
from cardiotrace.phantoms.echo.cloud import Around, wall_place
from cardiotrace.phantoms.heart.region import Patch, Scar

HEARTS = [Heart(bend_mm=3, twist_deg=12), Heart(ejection_fraction_percent=35, scar=Scar(Patch(100, 90, 0.7, 0.5)))]


def scattered(heart, kinds, count=40_000):
    first, last = heart.at(np.array([0.0, heart.cycle.end_systole_ms]))
    rng = np.random.default_rng(0)
    points = rng.uniform([-90, -70, -60], [60, 70, 115], (count, 3))
    chosen = points[np.isin(first.tissue(points), kinds)]
    return first, last, tuple(chosen.T)


@pytest.mark.parametrize("heart", HEARTS)
def test_wall_moves_as_one_body(heart):
    first, last, points = scattered(heart, [Tissue.MYO])
    place = wall_place(points, first)
    assert np.abs(np.stack(place.at(first)) - np.stack(points)).max() < 1e-3
    codes = last.tissue(np.stack(place.at(last), axis=-1))
    assert (codes == Tissue.MYO).mean() > 0.985


def test_muscle_turns_against_the_axis():
    first, last, points = scattered(HEARTS[0], [Tissue.MYO])
    place = wall_place(points, first)
    x, y, z = place.at(last)
    turned = np.degrees(np.angle(np.exp(1j * (np.arctan2(y, x - last.bend(z)) - place.angle_rad))))
    top, low = z > 0.9 * last.cavity.length_mm, z < 0.1 * last.cavity.length_mm
    assert turned[top].mean() - turned[low].mean() == pytest.approx(12, abs=2)


@pytest.mark.parametrize("heart", HEARTS)
def test_surroundings_stay_outside_of_the_left_heart(heart):
    kinds = [Tissue.OUTSIDE, Tissue.PERICARDIUM, Tissue.RV, Tissue.RV_WALL]
    first, last, points = scattered(heart, kinds)
    place = Around(points, first)
    assert np.abs(np.stack(place.at(first)) - np.stack(points)).max() < 1e-9
    codes = last.tissue(np.stack(place.at(last), axis=-1))
    assert np.isin(codes, [Tissue.LV, Tissue.MYO, Tissue.PAPILLARY]).mean() < 0.01
    assert np.isin(codes, [Tissue.LA]).mean() < 0.01


def test_what_is_far_away_moves_less():
    first, last, points = scattered(HEARTS[0], [Tissue.OUTSIDE, Tissue.PERICARDIUM, Tissue.RV_WALL])
    x, y, z = Around(points, first).at(last)
    moved = np.linalg.norm(np.stack([x - points[0], y - points[1], z + last.rise_mm - points[2]]), axis=0)
    away, low = np.hypot(points[0], points[1]), np.abs(points[2] - 15) < 15
    assert moved[low & (away > 85)].mean() < 0.6 * moved[low & (away < 50)].mean()
    assert moved.max() < 20
