import numpy as np
import pytest

from cardiotrace.core.terms import View
from cardiotrace.geometry.contour import polygon_area
from cardiotrace.phantoms import Heart, TruncatedSpheroid, heart_truth
from cardiotrace.phantoms.heart.region import Patch, Scar
from cardiotrace.phantoms.heart.view import disks_of, greatest_thickness_mm

INFARCT = Heart(end_diastolic_ml=190, ejection_fraction_percent=34, bend_mm=0, scar=Scar(Patch(60, 80, 0.75, 0.55)))


def truth_of(heart):
    return heart_truth(heart, heart.cycle.times_ms(12))


def test_round_straight_heart_looks_the_same_from_everywhere():
    truth = truth_of(Heart(bend_mm=0, end_diastolic_ml=130, ejection_fraction_percent=55))
    for view in truth.views.values():
        assert view.simpson_ml == pytest.approx(truth.volume_ml, rel=2e-3)
        assert view.area_cm2 == pytest.approx(truth.views[View.FOUR_CHAMBER].area_cm2, rel=1e-6)
    assert truth.biplane_ml == pytest.approx(truth.volume_ml, rel=2e-3)
    assert truth.ejection_fraction_percent == pytest.approx(55)
    assert truth.right_ejection_fraction_percent == pytest.approx(57)


def test_biplane_lies_between_both_planes_and_nearer_to_the_truth_than_the_worse():
    truth = truth_of(INFARCT)
    last = int(np.argmin(truth.volume_ml))
    four, two = (float(truth.views[view].simpson_ml[last]) for view in (View.FOUR_CHAMBER, View.TWO_CHAMBER))
    both, true = float(truth.biplane_ml[last]), float(truth.volume_ml[last])
    assert min(four, two) < both < max(four, two)
    # The scar lies in the two-chamber plane, which therefore sees too much.
    assert two > true > four
    assert abs(both - true) < max(abs(four - true), abs(two - true))


def test_plane_through_the_scar_shortens_least():
    truth = truth_of(INFARCT)
    strains = {view: float(seen.strain_percent.min()) for view, seen in truth.views.items()}
    assert strains[View.TWO_CHAMBER] == max(strains.values())
    assert min(strains.values()) <= truth.global_longitudinal_strain_percent <= max(strains.values())


def test_area_of_a_view_is_that_of_its_outline():
    (state,) = INFARCT.at(np.array([200.0]))
    for view, degrees in ((View.FOUR_CHAMBER, 0), (View.TWO_CHAMBER, 60), (View.THREE_CHAMBER, 120)):
        outline = state.endocardium_outline(721, plane_deg=degrees)
        seen = heart_truth(INFARCT, np.array([200.0])).views[view]
        assert polygon_area(outline) / 100 == pytest.approx(seen.area_cm2[0], rel=2e-3)


def test_outline_lies_on_the_surface_in_every_plane():
    heart = Heart(bend_mm=4, scar=Scar(Patch(60, 80, 0.75, 0.55)))
    (state,) = heart.at(np.array([300.0]))
    for degrees in (0, 60, 120):
        turn = np.radians(degrees)
        across, z = state.endocardium_outline(61, plane_deg=degrees)[1:-1].T
        x, y = across * np.cos(turn) - state.bend(z), across * np.sin(turn)
        away, radius = np.hypot(x, y), state.wall.inner_radius(z, np.arctan2(y, x))
        inside = np.abs(radius) > np.abs(state.bend(z))
        assert away[inside] == pytest.approx(radius[inside], abs=1e-3)


def test_discs_of_a_cylinder_are_its_width():
    outline = np.array([[-10.0, 0], [-10, 30], [-10, 60], [0, 60], [10, 60], [10, 30], [10, 0]])
    disks = disks_of(outline)
    assert disks.diameters_mm.mean() == pytest.approx(20, rel=0.06)
    body = TruncatedSpheroid(30.0, 50.0, 25.0)
    assert disks_of(body.outline(721)).volume_ml == pytest.approx(body.volume_ml, rel=2e-3)


def test_greatest_thickness_of_a_round_heart_is_near_that_at_its_equator():
    (state,) = Heart(wall_thickness_mm=9.0, bend_mm=0).at(np.zeros(1))
    assert greatest_thickness_mm(state) == pytest.approx(9.0, rel=0.05)


def test_mass_is_density_times_wall():
    truth = truth_of(INFARCT)
    assert truth.mass_g == pytest.approx(1.05 * truth.wall_ml.mean(), rel=1e-6)
