import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.metrics import ShapeLimits, convexity, simplicity


def ellipse(height, width, size=220):
    """Half axes in pixels."""
    row, column = np.mgrid[:size, :size] - size / 2
    return (row / height) ** 2 + (column / width) ** 2 <= 1


def test_disc():
    # Steps of a level line are straight or diagonal: cos t + (sqrt 2 - 1) sin t as long as the arc at slope t,
    # over all slopes (4 / pi) (2 sqrt 2 - 2).
    assert simplicity(ellipse(90, 90)) == pytest.approx(math.pi / (8 * math.sqrt(2) - 8), abs=5e-3)
    assert convexity(ellipse(90, 90)) == pytest.approx(1.0, abs=0.01)


def test_rectangle_is_convex():
    mask = np.zeros((30, 20), bool)
    mask[5:25, 5:15] = True
    assert convexity(mask) == pytest.approx(1.0, abs=1e-12)


def test_pixel_size_makes_a_square_of_a_rectangle():
    mask = np.zeros((210, 110), bool)
    mask[5:205, 5:105] = True
    assert simplicity(mask, spacing_mm=(0.5, 1.0)) == pytest.approx(math.sqrt(math.pi) / 2, rel=5e-3)
    assert simplicity(mask) == pytest.approx(math.sqrt(4 * math.pi * 20000) / 600, rel=5e-3)


def test_half_ring_is_neither_simple_nor_convex():
    ring = (ellipse(80, 80) & ~ellipse(60, 60))[:110]
    # Half ring of radii 80 and 60: area pi (6400 - 3600) / 2, hull the half disc of radius 80.
    assert convexity(ring) == pytest.approx(2800 / 6400, abs=0.01)
    # Arcs run in steps, which makes them longer by 1 / 0.948; the two straight ends do not.
    perimeter = math.pi * 140 / 0.948 + 40
    assert simplicity(ring) == pytest.approx(math.sqrt(4 * math.pi * math.pi * 1400) / perimeter, rel=0.01)


def test_holes_are_not_judged():
    ring = ellipse(80, 80) & ~ellipse(60, 60)
    assert simplicity(ring) == simplicity(ellipse(80, 80))
    assert convexity(ring) == convexity(ellipse(80, 80))


def test_islands_are_not_judged():
    mask = ellipse(60, 40)
    both = mask.copy()
    both[2:6, 2:6] = True
    assert simplicity(both) == simplicity(mask)


def test_empty_mask_has_no_shape():
    assert math.isnan(simplicity(np.zeros((5, 5), bool)))
    assert math.isnan(convexity(np.zeros((5, 5), bool)))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_bounds_and_invariance(seed):
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, 12))
    radius = random.uniform(5, 30, 12)
    mask = fill_polygon(np.column_stack([32 + radius * np.sin(angle), 32 + radius * np.cos(angle)]), (64, 64))
    if not mask.any():
        return
    assert 0 < simplicity(mask) <= 1
    assert 0 < convexity(mask) <= 1
    assert simplicity(mask.T) == pytest.approx(simplicity(mask))
    assert convexity(mask[::-1]) == pytest.approx(convexity(mask))
    assert simplicity(np.pad(mask, 9), spacing_mm=(0.3, 0.3)) == pytest.approx(simplicity(mask))


def test_volumes_are_refused():
    with pytest.raises(InputError, match="2 axes"):
        simplicity(np.ones((2, 3, 4), bool))


def test_limits_are_the_minimum_of_what_they_were_fitted_on():
    masks = [ellipse(80, 40), ellipse(60, 58), (ellipse(80, 80) & ~ellipse(60, 60))[:110], np.zeros((9, 9), bool)]
    limits = ShapeLimits.fit(masks)
    assert limits == ShapeLimits(simplicity(masks[2]), convexity(masks[2]))
    assert all(limits.violations(mask) == () for mask in masks)
    assert len(ShapeLimits.fit(masks[:2]).violations(masks[2])) == 2
    with pytest.raises(InputError, match="at least one"):
        ShapeLimits.fit([np.zeros((9, 9), bool)])


@pytest.mark.data
def test_camus_references_lie_where_they_were_measured(data_root):
    """Minimum and median over 200 reference masks, another choice of patients than the 40 here."""
    nibabel = pytest.importorskip("nibabel")
    shapes = {"LV": [], "LV_EPI": [], "MYO": []}
    for path in sorted(data_root.glob("camus/database_nifti/patient*/*_4CH_E?_gt.nii.gz"))[:80]:
        array = np.asanyarray(nibabel.load(path).dataobj)
        for name, values in (("LV", (1,)), ("LV_EPI", (1, 2)), ("MYO", (2,))):
            mask = np.isin(array, values)
            shapes[name].append((simplicity(mask), convexity(mask)))
    published = {
        "LV": ((0.70, 0.87), (0.85, 0.98)),
        "LV_EPI": ((0.83, 0.93), (0.87, 0.96)),
        "MYO": ((0.33, 0.32), (0.41, 0.47)),
    }
    for name, (least, median) in published.items():
        measured = np.array(shapes[name])
        assert np.median(measured, axis=0) == pytest.approx(median, abs=0.05)
        assert (measured.min(axis=0) > np.array(least) - 0.05).all()
