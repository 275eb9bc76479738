import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms import Heart, Tissue
from cardiotrace.phantoms.heart import wall as wall_module
from cardiotrace.phantoms.heart.region import Patch, Scar, Thickening

ANTERIOR = Scar(Patch(100.0, 90.0, 0.75, 0.55), stillness=1.0, thinning=0.3)
SEPTAL = Thickening(Patch(150.0, 110.0, 0.4, 0.6), excess=0.7)
HEARTS = {
    "round": Heart(bend_mm=3.0),
    "infarct": Heart(end_diastolic_ml=190, ejection_fraction_percent=34, scar=ANTERIOR),
    "hypertrophic": Heart(ejection_fraction_percent=68, wall_thickness_mm=12, thickening=SEPTAL),
    "both": Heart(ejection_fraction_percent=45, scar=ANTERIOR, thickening=SEPTAL),
}


def two(heart):
    return heart.at(np.array([0.0, heart.cycle.end_systole_ms]))


def voxels(state, size_mm):
    x = np.arange(-95, 60, size_mm) + 0.31 * size_mm
    y = np.arange(-70, 75, size_mm) + 0.17 * size_mm
    z = np.arange(size_mm / 2, 120, size_mm)
    return state.tissue(np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1))


@pytest.mark.parametrize("name", HEARTS)
def test_voxels_converge_to_the_volumes(name):
    state = two(HEARTS[name])[1]
    true = {"LV": state.volume_ml, "MYO": state.wall_ml, "RV": state.right_ml}
    errors = []
    for size_mm in (4.0, 1.0):
        codes = voxels(state, size_mm)
        kinds = {"LV": (Tissue.LV, Tissue.PAPILLARY), "MYO": (Tissue.MYO,), "RV": (Tissue.RV,)}
        found = {kind: np.isin(codes, parts).sum() * size_mm**3 / 1000 for kind, parts in kinds.items()}
        errors.append(max(abs(found[kind] / true[kind] - 1) for kind in true))
    assert errors[1] < 0.004
    assert errors[1] < errors[0]


@pytest.mark.parametrize("name", HEARTS)
def test_heart_has_the_volumes_that_were_asked_for(name):
    heart = HEARTS[name]
    first, last = two(heart)
    assert first.volume_ml == pytest.approx(heart.end_diastolic_ml, rel=1e-3)
    assert last.volume_ml == pytest.approx(heart.end_systolic_ml, rel=1e-3)
    assert first.right_ml == pytest.approx(heart.right_end_diastolic_ml, rel=1e-6)
    assert last.right_ml == pytest.approx(heart.right_end_systolic_ml, rel=1e-6)


@pytest.mark.parametrize("name", HEARTS)
def test_muscle_keeps_its_volume(name):
    heart = HEARTS[name]
    walls = np.array([state.wall_ml for state in heart.at(heart.cycle.times_ms(12))])
    assert np.ptp(walls) / walls[0] < 1e-6


@pytest.mark.parametrize("name", ["infarct", "both"])
def test_quadrature_is_exact_to_a_thousandth(name, monkeypatch):
    coarse = [(state.volume_ml, state.wall_ml, state.right_ml) for state in two(HEARTS[name])]
    walls = [state.wall for state in two(HEARTS[name])]
    monkeypatch.setattr(wall_module, "HEIGHT_NODES", 240)
    monkeypatch.setattr(wall_module, "ANGLE_NODES", 720)
    wall_module._unit_nodes.cache_clear()
    fine = [
        (
            wall_module.integral_ml(wall.inner_radius, wall.cavity.length_mm),
            wall_module.integral_ml(wall.outer_radius, wall.epicardium.length_mm),
        )
        for wall in walls
    ]
    wall_module._unit_nodes.cache_clear()
    for (volume, wall, _), (inner, outer) in zip(coarse, fine, strict=True):
        assert volume == pytest.approx(inner, rel=1e-3)
        assert wall == pytest.approx(outer - inner, rel=1e-3)


def test_scar_stays_and_the_opposite_wall_moves():
    first, last = two(HEARTS["infarct"])
    shares = np.full(2, 0.7)
    angles = np.radians([100.0, 280.0])
    before = first.wall.inner_radius(shares * first.cavity.length_mm, angles)
    after = last.wall.inner_radius(shares * last.cavity.length_mm, angles)
    assert abs(after[0] - before[0]) < 0.5
    assert before[1] - after[1] > 4


def test_scar_is_thinner_and_does_not_thicken():
    def thickness(state, degrees):
        z, angle = np.array([0.7 * state.cavity.length_mm]), np.radians([degrees])
        return float((state.wall.outer_radius(z, angle) - state.wall.inner_radius(z, angle))[0])

    first, last = two(HEARTS["infarct"])
    assert thickness(first, 100) < 0.8 * thickness(first, 280)
    assert thickness(last, 280) > 1.15 * thickness(first, 280)
    assert thickness(last, 100) < 1.1 * thickness(first, 100)


def test_each_place_holds_its_tissue():
    state = two(HEARTS["round"])[0]
    middle, aside = state.cavity.length_mm / 2, 3.0
    out = state.epicardium.short_mm
    points = {
        (0, 0, middle): Tissue.LV,
        (out + aside - 3, 0, middle): Tissue.MYO,
        (-out + aside + 3, 0, middle): Tissue.MYO,
        (-out - 8, 0, 20): Tissue.RV,
        (0, 0, -15): Tissue.LA,
        (-45, 0, -20): Tissue.RA,
        (0, 0, state.epicardium.length_mm - 2): Tissue.MYO,
        (0, 0, 150): Tissue.OUTSIDE,
        (out + aside + 1, 0, middle): Tissue.PERICARDIUM,
    }
    found = state.tissue(np.array(list(points), float))
    assert [Tissue(code) for code in found] == list(points.values())


def test_planes_hold_the_chambers_of_their_names():
    z, across = np.meshgrid(np.arange(-60, 110.0), np.arange(-90, 90.0))
    seen = {}
    for degrees in (0, 60, 120):
        turn = np.radians(degrees)
        points = np.stack([across * np.cos(turn), across * np.sin(turn), z], axis=-1)
        codes = two(HEARTS["round"])[1].tissue(points)
        seen[degrees] = {Tissue(code) for code, count in enumerate(np.bincount(codes.ravel())) if count > 300}
    chambers = {Tissue.LV, Tissue.MYO, Tissue.LA}
    assert chambers | {Tissue.RV, Tissue.RA} <= seen[0]
    assert Tissue.AORTA not in seen[0] | seen[60]
    assert chambers <= seen[60]
    assert not {Tissue.RV, Tissue.RA} & seen[60]
    assert chambers | {Tissue.RV, Tissue.AORTA} <= seen[120]


def test_both_papillary_muscles_cross_the_middle_of_the_cavity():
    from scipy import ndimage

    state = two(HEARTS["round"])[0]
    x, y = np.meshgrid(np.arange(-40, 40, 0.5), np.arange(-40, 40, 0.5))
    codes = state.tissue(np.stack([x, y, np.full_like(x, state.cavity.length_mm / 2)], axis=-1))
    assert ndimage.label(codes == Tissue.PAPILLARY)[1] == 2


@given(st.floats(0, 1), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_shape_of_the_points_does_not_matter(share, seed):
    heart = HEARTS["both"]
    (state,) = heart.at(np.array([share * heart.cycle.duration_ms]))
    points = np.random.default_rng(seed).uniform(-80, 110, (5, 4, 3))
    assert (state.tissue(points) == state.tissue(points.reshape(-1, 3)).reshape(5, 4)).all()


def test_patch_without_extent_is_refused():
    with pytest.raises(InputError, match="extent"):
        Patch(0.0, 0.0, 0.5, 0.5)
