from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry, check_spacing
from cardiotrace.core.image import FileSource, Image

ORIGIN = FileSource(Path("exams/heart.nii.gz"), "nifti", ".nii.gz")


def test_grid_leaves_colour_out():
    grey = Image(np.zeros((2, 1, 3, 4), np.uint8), NO_GEOMETRY)
    colour = Image(np.zeros((2, 1, 3, 4, 3), np.uint8), NO_GEOMETRY)
    assert grey.grid_shape == colour.grid_shape == (2, 1, 3, 4)
    assert colour.is_colour
    assert not grey.is_colour


@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (1, 1, 3, 4, 2), (1, 1, 3, 4, 3, 1)])
def test_wrong_axes_name_the_file(shape):
    with pytest.raises(InputError, match=r"^exams/heart\.nii\.gz: an image needs axes .* got shape \("):
        Image(np.zeros(shape, np.uint8), NO_GEOMETRY, source=ORIGIN)


@pytest.mark.parametrize("axis", range(4))
def test_empty_axes_are_refused(axis):
    shape = [2, 2, 2, 2]
    shape[axis] = 0
    with pytest.raises(InputError, match="the image is empty"):
        Image(np.zeros(shape, np.uint8), NO_GEOMETRY)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_pixel_sizes(bad):
    with pytest.raises(InputError, match="positive millimetres") as caught:
        Image(np.zeros((1, 1, 2, 2), np.uint8), Geometry.of_spacing((1.0, bad, 1.0)), source=ORIGIN)
    assert "--spacing-mm" in caught.value.remedy
    with pytest.raises(InputError):
        check_spacing((bad,))


def test_one_time_for_each_frame():
    with pytest.raises(InputError, match="2 times for 3 frames"):
        Image(np.zeros((3, 1, 2, 2), np.uint8), NO_GEOMETRY, np.array([0.0, 20.0]))


def test_stem_drops_the_whole_suffix():
    assert ORIGIN.stem == "heart"
