"""A probability kept small says what the whole map said, at the places of the image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from cardiotrace.geometry.resample import AxisMap
from cardiotrace.geometry.soft_mask import SoftMask


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(6, 40), st.integers(6, 40))
def test_it_is_read_as_the_whole_map_would_be(seed: int, height: int, width: int) -> None:
    generator = np.random.default_rng(seed)
    probability = np.zeros((24, 24), np.float32)
    probability[4:15, 6:20] = generator.random((11, 14), np.float32)
    axes = (AxisMap.resize(height, 24), AxisMap.resize(width, 24))
    points = generator.random((50, 2)) * (height - 1, width - 1)
    places = [(points[:, axis] + 0.5) / one.scale - 0.5 for axis, one in enumerate(axes)]
    truth = map_coordinates(probability, places, order=1, mode="constant")
    found = SoftMask.of(probability, axes)
    # A byte is worth 1/255; values below 1 % are left out at the rim.
    np.testing.assert_allclose(found.at(points), truth, atol=0.013)
    assert found.values.shape <= (11, 14)


def test_nothing_likely_is_nothing_anywhere() -> None:
    found = SoftMask.of(np.full((8, 8), 0.001, np.float32), (AxisMap(8, 8), AxisMap(8, 8)))
    assert found.values.size == 0
    assert found.at(np.array([[3.0, 3.0], [-5.0, 99.0]])).tolist() == [0.0, 0.0]


def test_beyond_the_image_there_is_nothing() -> None:
    found = SoftMask.of(np.ones((8, 8), np.float32), (AxisMap(8, 8), AxisMap(8, 8)))
    assert found.at(np.array([[-3.0, 4.0], [20.0, 4.0], [4.0, 4.0]])).tolist() == pytest.approx([0, 0, 1], abs=1e-3)
