"""Sampled outlines: borders are measured as wide as they are, and volumes vary as the borders let them."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.intervals.contour_samples import border_widths, contour_spread, sampled_volumes
from cardiotrace.clinical.long_axis_trace import EMPTY, LongAxisTrace, trace_long_axis
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.geometry.soft_mask import SoftMask
from tests.clinical.ventricle import Ventricle, label_map

WIDE, NARROW = Ventricle(radius_mm=25, length_mm=80), Ventricle(radius_mm=19, length_mm=70)


def traced(ventricle: Ventricle) -> LongAxisTrace:
    return trace_long_axis(label_map([ventricle.draw()]), 0)


def soft(ventricle: Ventricle, width_mm: float) -> SoftMask:
    """A logistic border of a width, along the distance to the outline."""
    from scipy.ndimage import distance_transform_edt

    inside = ventricle.draw() == 1
    distance = (distance_transform_edt(inside) - distance_transform_edt(~inside)) * 0.4
    probability = 1 / (1 + np.exp(-distance / width_mm))
    return SoftMask.of(probability.astype(np.float32), tuple(AxisMap(size, size) for size in inside.shape))


@pytest.mark.parametrize("width_mm", [1.0, 2.0])
def test_a_logistic_border_is_as_wide_as_it_was_made(width_mm: float) -> None:
    found = border_widths(traced(WIDE), soft(WIDE, width_mm))
    assert found is not None
    assert found.shape == (42,)
    # In the middle of the wall the line across meets it head-on; at apex and base it is aslant, or near other walls.
    assert found[5:12] == pytest.approx(width_mm, rel=0.12)
    assert found[25:32] == pytest.approx(width_mm, rel=0.12)
    assert found[-2] == pytest.approx(width_mm, rel=0.35)


def test_a_wider_border_gives_a_wider_spread() -> None:
    traces = traced(WIDE), traced(NARROW)
    sharp, wide = (
        contour_spread(*traces, (soft(WIDE, width), soft(NARROW, width)), correlation=0.5) for width in (0.5, 2.0)
    )
    assert sharp is not None
    assert wide is not None
    assert wide.ejection > 2 * sharp.ejection
    assert wide.diastole > 2 * sharp.diastole
    # Of the smaller ventricle the same width is the larger share.
    assert wide.systole > wide.diastole


def test_what_both_phases_have_in_common_hardly_moves_the_ejection_fraction() -> None:
    traces, masks = (traced(WIDE), traced(NARROW)), (soft(WIDE, 1.5), soft(NARROW, 1.5))
    spreads = [contour_spread(*traces, masks, correlation=rho) for rho in (0.0, 0.5, 1.0)]
    ejections = [found.ejection for found in spreads if found is not None]
    assert ejections[0] > ejections[1] > 1.5 * ejections[2]
    # Each volume by itself varies as before.
    assert spreads[2].diastole == pytest.approx(spreads[0].diastole)


def test_moves_of_all_places_scale_the_volume_as_geometry_says() -> None:
    trace = traced(WIDE)
    moves = np.zeros((1, 42))
    moves[0, -2] = trace.disks.length * 0.1  # the apex, upwards
    assert sampled_volumes(trace, moves)[0] == pytest.approx(trace.disks.volume * 1.1)
    moves = np.zeros((1, 42))
    moves[0, :20] = moves[0, 20:40] = trace.disks.diameters * 0.05
    assert sampled_volumes(trace, moves)[0] == pytest.approx(trace.disks.volume * 1.21)


def test_it_is_the_same_every_time() -> None:
    arguments = (traced(WIDE), traced(NARROW), (soft(WIDE, 1.0), soft(NARROW, 1.0)))
    assert contour_spread(*arguments, correlation=0.3) == contour_spread(*arguments, correlation=0.3)


def test_without_outline_or_probability_there_is_no_spread() -> None:
    mask = soft(WIDE, 1.0)
    assert contour_spread(EMPTY, traced(NARROW), (mask, mask), correlation=0.0) is None
    assert contour_spread(traced(WIDE), traced(NARROW), (mask, None), correlation=0.0) is None
    assert border_widths(replace(traced(WIDE), disks=None), mask) is None
