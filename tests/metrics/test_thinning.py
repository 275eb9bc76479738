import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.morphology import skeletonize

from cardiotrace.core.errors import InputError
from cardiotrace.metrics import skeleton


def pieces(mask, neighbours=None):
    """How many connected pieces a mask has."""
    return ndimage.label(mask, neighbours)[1]


@given(arrays(bool, st.tuples(st.integers(1, 16), st.integers(1, 16))))
def test_what_hangs_together_stays_so(mask):
    line = skeleton(mask)
    assert not (line & ~mask).any()
    assert pieces(line, ndimage.generate_binary_structure(2, 2)) == pieces(
        mask, ndimage.generate_binary_structure(2, 2)
    )
    holes = [pieces(np.pad(~part, 1, constant_values=True)) for part in (line, mask)]
    assert holes[0] == holes[1]
    np.testing.assert_array_equal(skeleton(line), line)


@given(arrays(bool, st.tuples(st.integers(1, 16), st.integers(1, 16))))
def test_only_the_box_of_the_mask_is_thinned_and_the_line_is_that_of_the_whole(mask):
    np.testing.assert_array_equal(skeleton(mask), skeletonize(mask))
    np.testing.assert_array_equal(skeleton(np.pad(mask, 3))[3:-3, 3:-3], skeleton(mask))


def test_a_band_becomes_its_middle():
    mask = np.zeros((11, 40), bool)
    mask[3:8] = True
    rows, columns = np.nonzero(skeleton(mask))
    assert set(rows) <= {4, 5}
    assert sorted(set(columns)) == list(range(columns.min(), columns.max() + 1))
    assert len(columns) == 37  # an end is lost to half the width


def test_a_ring_stays_closed():
    rows, columns = np.mgrid[:60, :60]
    radius = np.hypot(rows - 30, columns - 30)
    line = skeleton((radius > 15) & (radius < 24))
    assert radius[line].mean() == pytest.approx(19.5, abs=0.5)
    assert pieces(~line) == 2


def test_a_stack_is_refused():
    with pytest.raises(InputError, match="planar"):
        skeleton(np.ones((3, 4, 5), bool))
