import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.clinical.annulus import borders
from cardiotrace.clinical.axis import long_axis, outline_of
from tests.clinical.ventricle import Ventricle


@pytest.mark.parametrize("tilt_deg", [-30.0, 0.0, 15.0, 40.0])
@pytest.mark.parametrize("spacing_mm", [(0.308, 0.308), (0.154, 0.308), (0.308, 0.154)])
def test_annulus_and_apex_of_a_tilted_ventricle(tilt_deg: float, spacing_mm: tuple[float, float]) -> None:
    labels = Ventricle(tilt_deg=tilt_deg).draw(spacing_mm)
    axis = long_axis(labels == 1, labels == 2, spacing_mm)
    assert axis is not None
    assert axis.method == "annulus"
    assert axis.length == pytest.approx(80.0, abs=0.3)
    assert axis.annulus_width == pytest.approx(50.0, abs=0.3)
    direction = axis.apex - axis.base
    assert np.rad2deg(np.arctan2(direction[1], -direction[0])) == pytest.approx(tilt_deg, abs=1.5)


@pytest.mark.parametrize("tilt_deg", [-20.0, 0.0, 30.0])
def test_without_myocardium_the_base_is_the_longest_straight_chord(tilt_deg: float) -> None:
    cavity = Ventricle(tilt_deg=tilt_deg).draw() == 1
    axis = long_axis(cavity, None, (0.4, 0.4))
    assert axis is not None
    assert axis.method == "chord"
    assert axis.length == pytest.approx(80.0, abs=0.8)


def test_gap_in_the_lateral_wall_is_not_taken_for_the_annulus() -> None:
    labels = Ventricle().draw()
    middle = labels.shape[1] // 2
    labels[120:150, middle:][labels[120:150, middle:] == 2] = 0
    axis = long_axis(labels == 1, labels == 2, (0.4, 0.4))
    assert axis is not None
    assert axis.length == pytest.approx(80.0, abs=0.5)


def test_left_annulus_point_comes_first() -> None:
    labels = Ventricle(tilt_deg=10).draw()
    axis = long_axis(labels == 1, labels == 2, (0.4, 0.4))
    assert axis is not None
    assert axis.annulus[0, 1] < axis.annulus[1, 1]


def test_apex_may_point_anywhere_in_cine_mri() -> None:
    labels = np.rot90(Ventricle().draw(), 2)
    axis = long_axis(labels == 1, labels == 2, (0.4, 0.4), towards_base=None)
    assert axis is not None
    assert axis.length == pytest.approx(80.0, abs=0.5)
    assert axis.apex[0] > axis.base[0]


@pytest.mark.parametrize("myocardium", ["nowhere", "everywhere"])
def test_useless_myocardium_falls_back_to_the_chord(myocardium: str) -> None:
    cavity = Ventricle().draw() == 1
    shell = np.zeros_like(cavity) if myocardium == "nowhere" else ~cavity
    axis = long_axis(cavity, shell, (0.4, 0.4))
    assert axis is not None
    assert axis.method == "chord"


def test_empty_and_tiny_cavities_have_no_axis() -> None:
    empty = np.zeros((20, 20), bool)
    assert long_axis(empty, empty, (1.0, 1.0)) is None
    dot = empty.copy()
    dot[5, 5] = True
    assert long_axis(dot, empty, (1.0, 1.0)) is None
    assert outline_of(empty, (1.0, 1.0)).shape == (0, 2)


def test_borders_reach_diagonal_neighbours_and_no_farther() -> None:
    cavity, other = np.zeros((2, 12, 12), bool)
    cavity[4:7, 4:7] = True
    other[7, 7] = True
    ring = outline_of(cavity, (1.0, 1.0))
    touched = ring[borders(ring, other, (1.0, 1.0))]
    assert len(touched) > 0
    assert np.linalg.norm(touched - [7, 7], axis=1).max() <= 1.6


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(0.2, 2.0))
def test_length_scales_with_the_pixel(scale: float) -> None:
    labels = Ventricle().draw((1.0, 1.0))
    once = long_axis(labels == 1, labels == 2, (1.0, 1.0))
    scaled = long_axis(labels == 1, labels == 2, (scale, scale))
    assert once is not None
    assert scaled is not None
    assert scaled.length == pytest.approx(scale * once.length)
