"""Lines along the wall: the steps of pixels neither lengthen nor shorten them, at any pixel size and any turn."""

import numpy as np
import pytest

from cardiotrace.clinical.strain.wall import trace_wall, trace_walls
from cardiotrace.clinical.strain.wall_line import POINTS, WallLine
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Modality
from tests.clinical.analytic import Shape, image_of, label_map


def traced(shape: Shape, size: float, turn_deg: float = 0.0, *, modality: Modality = Modality.US) -> TracedCine:
    labels = label_map([shape.draw((size, size), turn_deg)], (size, size))
    return TracedCine(image_of(labels, modality=modality), labels, np.zeros(1, bool))


def true_length(shape: Shape) -> float:
    """Of the wall above the base, from the continuous shape alone."""
    total = 0.0
    for _, corner in shape.annulus:
        # Close together at the apex, where the wall turns across.
        height = shape.length_mm - (shape.length_mm - corner) * np.linspace(1, 0, 20001) ** 2
        total += float(np.hypot(np.diff(height), np.diff(shape.half_width(height))).sum())
    return total


@pytest.mark.parametrize("size", [0.3, 0.45, 0.8, 1.25])
@pytest.mark.parametrize("shape", [Shape(), Shape(slope=0.3), Shape(radius_mm=20, length_mm=70), Shape(is_bullet=True)])
def test_length_is_that_of_the_shape(shape: Shape, size: float) -> None:
    # What is off is off at both instants: strain is better than length. A pointed apex suffers most from coarse pixels.
    wall = trace_wall(traced(shape, size), 0)
    assert wall is not None
    assert wall.endocardium.length == pytest.approx(true_length(shape), rel=0.0035 if size < 1 else 0.008)


def test_steps_of_pixels_do_not_lengthen_a_slanting_wall() -> None:
    lengths = []
    for turn in (0, 17, 33, 45, 71, 90, 135, 200, 305):
        wall = trace_wall(traced(Shape(), 0.8, turn, modality=Modality.MR), 0)
        assert wall is not None
        lengths.append(wall.endocardium.length)
    assert np.mean(lengths) == pytest.approx(true_length(Shape()), rel=0.002)
    assert np.std(lengths) / np.mean(lengths) < 0.002


def test_a_line_begins_at_the_same_hinge_however_the_heart_is_turned() -> None:
    shape = Shape(slope=0.3)
    for turn in (0, 60, 90, 91, 180, 270):
        wall = trace_wall(traced(shape, 0.5, turn, modality=Modality.MR), 0)
        assert wall is not None
        line = wall.endocardium
        up = line.apex - line.hinges.mean(axis=0)
        # Rows count downwards: to the right of an apex above is (row, column) = (0, 1).
        right = np.array([up[1], -up[0]]) / np.linalg.norm(up)
        assert (line.hinges[1] - line.hinges[0]) @ right > 0.9 * shape.annulus_width_mm


def test_hinges_lie_in_the_corners() -> None:
    for shape in (Shape(), Shape(slope=-0.25), Shape(dome_mm=5)):
        wall = trace_wall(traced(shape, 0.5), 0)
        assert wall is not None
        width = np.linalg.norm(np.diff(wall.endocardium.hinges, axis=0))
        assert width == pytest.approx(shape.annulus_width_mm, abs=0.7)


def test_curvature_of_a_half_ball() -> None:
    wall = trace_wall(traced(Shape(radius_mm=30, length_mm=30), 0.4), 0)
    assert wall is not None
    inside = wall.endocardium.curvature[20:-20]
    assert np.median(inside) == pytest.approx(1 / 30, rel=0.03)
    assert (inside > 0).all()


def test_thickness_and_middle_of_an_even_wall() -> None:
    wall = trace_wall(traced(Shape(radius_mm=30, length_mm=30, wall_mm=9), 0.5), 0)
    assert wall is not None
    assert wall.thickness is not None
    assert wall.middle is not None
    assert np.nanmean(wall.thickness) == pytest.approx(9, abs=0.15)
    assert np.nanstd(wall.thickness) < 0.3
    assert wall.middle.length == pytest.approx(np.pi * 34.5, rel=0.01)


def test_without_a_myocardium_there_is_no_outer_line() -> None:
    labels = label_map([Shape().draw()]).to(LV_ONLY)
    wall = trace_wall(TracedCine(image_of(labels), labels, np.zeros(1, bool)), 0)
    assert wall is not None
    assert (wall.epicardium, wall.middle, wall.thickness) == (None, None, None)


def test_a_mask_of_few_pixels_has_no_wall() -> None:
    empty = np.zeros((60, 60), np.uint8)
    one, few = empty.copy(), empty.copy()
    one[30, 30], few[30:33, 30:32] = 1, 1
    labels = label_map([empty, one, few])
    cine = TracedCine(image_of(labels), labels, np.zeros(3, bool))
    assert trace_walls(cine) == (None, None, None)


def test_a_cavity_that_touches_the_border_still_has_a_line() -> None:
    plane = Shape(length_mm=80).draw((1.0, 1.0))[60:, :]
    labels = label_map([plane], (1.0, 1.0))
    wall = trace_wall(TracedCine(image_of(labels), labels, np.zeros(1, bool)), 0)
    assert wall is None or len(wall.endocardium.points) == POINTS


def test_length_of_points() -> None:
    assert WallLine(np.array([[3.0, 0.0], [0.0, 2.0], [3.0, 4.0]])).length == pytest.approx(2 * np.hypot(3, 2))
