import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.phantoms.fundus.tree import Ground, grow_tree
from cardiotrace.phantoms.fundus.vessel import (
    AVASCULAR_MM,
    FOVEA_MM,
    TreeShape,
    branching_angles_rad,
    course_rad,
    daughters,
    streamline,
)


def inside(x, y):
    return math.hypot(x - 1.5, y) < 6


@pytest.fixture(scope="module")
def trees():
    ground = Ground(inside)
    shapes = {"vein": TreeShape(0.1), "artery": TreeShape(0.076)}
    return {kind: grow_tree(kind, shape, ground, np.random.default_rng(7)) for kind, shape in shapes.items()}


@given(st.floats(0.001, 1.0), st.floats(0.05, 1.0))
def test_murray_law_holds_at_every_asymmetry(radius, asymmetry):
    larger, smaller = daughters(radius, asymmetry)
    assert larger**3 + smaller**3 == pytest.approx(radius**3)
    assert smaller <= larger <= radius


@given(st.floats(0.1, 1.0))
def test_the_smaller_daughter_turns_away_further(asymmetry):
    angles = branching_angles_rad(1.0, *daughters(1.0, asymmetry))
    assert 0 <= angles[0] <= angles[1] + 1e-9
    assert math.degrees(sum(angles)) == pytest.approx(75, abs=17)


def test_every_branching_of_a_tree_obeys_murray(trees):
    for vessels in trees.values():
        full = 0
        for index, parent in enumerate(vessels):
            radii = [vessel.radius_at_branching_mm for vessel in vessels if vessel.parent == index]
            assert len(radii) <= 2
            assert sum(radius**3 for radius in radii) <= parent.radius_at_branching_mm**3 * (1 + 1e-9)
            if len(radii) == 2:
                assert sum(radius**3 for radius in radii) == pytest.approx(parent.radius_at_branching_mm**3)
                full += 1
        assert full > 20


def test_vessels_are_joined_taper_and_stay_inside(trees):
    for vessels in trees.values():
        for vessel in vessels:
            assert vessel.parent < 0 or (np.diff(vessel.radii_mm) <= 1e-12).all()
            assert inside(*vessel.points_mm[1:-1].T[:, 0])
            if vessel.parent >= 0:
                assert vessel.points_mm[0] == pytest.approx(vessels[vessel.parent].points_mm[-1])


def test_fovea_is_free_of_vessels(trees):
    for vessels in trees.values():
        points = np.concatenate([vessel.points_mm for vessel in vessels])
        assert np.hypot(*(points - FOVEA_MM).T).min() >= AVASCULAR_MM


def test_temporal_vessels_arch_around_the_macula():
    """A field line that leaves the disc upwards passes above the fovea, where eyes have their arcade, at 4.6 mm."""
    x, y = 0.3, -0.9
    while x < FOVEA_MM[0]:
        angle = course_rad((x, y))
        x, y = x + 0.02 * math.cos(angle), y + 0.02 * math.sin(angle)
    assert -y == pytest.approx(4.61, abs=0.05)


def test_streamline_is_constant_along_the_course():
    point = np.array([0.4, 0.8])
    first = streamline(point)
    for _ in range(100):
        angle = course_rad((point[0], point[1]))
        point = point + 0.01 * np.array([math.cos(angle), math.sin(angle)])
    assert float(streamline(point)) == pytest.approx(float(first), abs=0.02)


def test_trees_reach_all_quadrants(trees):
    for vessels in trees.values():
        points = np.concatenate([vessel.points_mm for vessel in vessels])
        far = points[np.hypot(*points.T) > 2.5]
        for right in (True, False):
            for down in (True, False):
                assert ((far[:, 0] > 0) == right)[(far[:, 1] > 0) == down].sum() > 20
