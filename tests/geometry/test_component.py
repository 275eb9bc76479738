import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.component import fill_holes, largest_component

DIAGONAL = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0]], bool)


def test_corners_connect_only_if_asked():
    assert np.argwhere(largest_component(DIAGONAL)).tolist() == [[1, 2], [1, 3], [2, 2]]
    assert np.array_equal(largest_component(DIAGONAL, "full"), DIAGONAL)


def test_first_of_equal_components_is_kept():
    assert largest_component(np.array([[1, 0, 1]], bool)).tolist() == [[True, False, False]]


def test_volumes_connect_through_slices():
    volume = np.zeros((3, 4, 4), bool)
    volume[:, 1, 1] = True
    volume[0, 3, 2:] = True
    assert largest_component(volume).sum() == 3


def test_empty_mask():
    empty = np.zeros((3, 4), bool)
    assert not largest_component(empty).any()
    assert not fill_holes(empty).any()


def test_result_is_a_copy():
    mask = np.ones((2, 2), bool)
    largest_component(mask)[:] = False
    assert mask.all()


def test_hole_in_a_square():
    mask = np.ones((7, 9), bool)
    mask[2:4, 3:6] = False
    mask[5, 0] = False  # open to the border: a bay
    assert fill_holes(mask).sum() == 62


def test_tunnel_through_a_volume_is_no_hole():
    volume = np.ones((3, 3, 3), bool)
    volume[:, 1, 1] = False
    assert fill_holes(volume).sum() == 24
    volume[[0, 2], 1, 1] = True
    assert fill_holes(volume).sum() == 27


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(9, 11), (4, 5, 6)]))
def test_agrees_with_scipy(seed, shape):
    mask = np.random.default_rng(seed).random(shape) < 0.6
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))
    labels, count = ndimage.label(mask)
    sizes = [int((labels == number).sum()) for number in range(1, count + 1)]
    assert largest_component(mask).sum() == max(sizes, default=0)


def test_unknown_connectivity_is_refused():
    with pytest.raises(InputError, match="connectivity"):
        largest_component(DIAGONAL, 8)
