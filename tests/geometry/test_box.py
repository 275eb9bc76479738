import numpy as np

from cardiotrace.geometry.box import bounding_box


def test_box_touches_the_outermost_voxels():
    mask = np.zeros((7, 8, 9), bool)
    mask[2, 5, 0] = mask[4, 1, 8] = True
    assert bounding_box(mask) == (slice(2, 5), slice(1, 6), slice(0, 9))


def test_box_of_nothing_is_empty():
    mask = np.zeros((3, 4), bool)
    assert mask[bounding_box(mask)].shape == (0, 0)
