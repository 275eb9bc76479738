import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.contour import polygon_area
from cardiotrace.phantoms import Heart

hearts = st.builds(
    Heart,
    end_diastolic_ml=st.floats(70, 220),
    ejection_fraction_percent=st.floats(20, 70),
    heart_rate_bpm=st.floats(45, 120),
    sphericity=st.floats(0.27, 0.38),
    wall_thickness_mm=st.floats(8, 13),
    bend_mm=st.floats(-3, 5),
)


def beat(heart, count=16):
    return heart.at(heart.cycle.times_ms(count))


@given(hearts)
@settings(max_examples=25, deadline=None)
def test_cavity_has_the_volumes_that_were_asked_for(heart):
    volumes = [state.cavity.volume_ml for state in beat(heart)]
    assert volumes[0] == pytest.approx(heart.end_diastolic_ml)
    assert min(volumes) == pytest.approx(heart.end_systolic_ml)
    assert max(volumes) == pytest.approx(heart.end_diastolic_ml)


@given(hearts)
@settings(max_examples=25, deadline=None)
def test_myocardial_volume_is_kept_over_the_beat(heart):
    walls = np.array([state.wall_ml for state in beat(heart)])
    assert np.ptp(walls) / walls[0] < 1e-6


@given(hearts)
@settings(max_examples=25, deadline=None)
def test_cavity_shortens_and_wall_thickens_in_systole(heart):
    states = beat(heart)
    last = min(states, key=lambda state: state.cavity.volume_ml)
    shortening = 100 * (1 - last.cavity.length_mm / states[0].cavity.length_mm)
    assert shortening == pytest.approx(heart.ejection_fraction_percent / 4)
    assert last.thickness_mm > states[0].thickness_mm


def test_normal_heart_shortens_by_12_to_18_percent():
    assert Heart(ejection_fraction_percent=50).longitudinal_shortening_percent >= 12
    assert Heart(ejection_fraction_percent=70).longitudinal_shortening_percent <= 18


@given(hearts)
@settings(max_examples=25, deadline=None)
def test_atrium_fills_when_the_ventricle_empties(heart):
    states = beat(heart)
    last = min(states, key=lambda state: state.cavity.volume_ml)
    assert last.atrium.area_mm2 > 1.04 * states[0].atrium.area_mm2
    assert last.atrium.base_radius_mm == pytest.approx(last.cavity.base_radius_mm)


@given(hearts)
@settings(max_examples=25, deadline=None)
def test_bent_outline_has_the_area_of_the_straight_one(heart):
    for state in beat(heart, 12)[::5]:
        assert polygon_area(state.endocardium_outline(721)) == pytest.approx(state.cavity.area_mm2, rel=1e-3)


@given(hearts, st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_simpson_discs_on_the_true_contour_give_the_true_volume(heart, share):
    (state,) = heart.at(np.array([share * heart.cycle.duration_ms]))
    assert simpson_ml(state.endocardium_outline(721)) == pytest.approx(state.cavity.volume_ml, rel=0.01)


def simpson_ml(outline):
    """Twenty discs across the line from the middle of the base to the farthest point."""
    base = (outline[0] + outline[-1]) / 2
    apex = outline[np.argmax(np.hypot(*(outline - base).T))]
    length = np.hypot(*(apex - base))
    along = (apex - base) / length
    height, aside = (outline - base) @ along, (outline - base) @ np.array([along[1], -along[0]])
    top = int(np.argmax(height))
    levels = (np.arange(20) + 0.5) / 20 * length
    left = np.interp(levels, height[: top + 1], aside[: top + 1])
    right = np.interp(levels, height[top:][::-1], aside[top:][::-1])
    return np.pi / 4 * ((right - left) ** 2).sum() * length / 20 / 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("end_diastolic_ml", 10),
        ("ejection_fraction_percent", 95),
        ("sphericity", float("nan")),
        ("bend_mm", 30),
    ],
)
def test_impossible_hearts_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=name):
        Heart(**{name: value})
