from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.cine import Cine, Origin, check_spacing
from cardiotrace.core.errors import InputError

ORIGIN = Origin(Path("exams/heart.nii.gz"), "nifti", ".nii.gz")


def test_grid_leaves_colour_out():
    grey = Cine(np.zeros((2, 1, 3, 4), np.uint8), None)
    colour = Cine(np.zeros((2, 1, 3, 4, 3), np.uint8), None)
    assert grey.grid_shape == colour.grid_shape == (2, 1, 3, 4)
    assert colour.is_colour
    assert not grey.is_colour


@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (1, 1, 3, 4, 2), (1, 1, 3, 4, 3, 1)])
def test_wrong_axes_name_the_file(shape):
    with pytest.raises(InputError, match=r"^exams/heart\.nii\.gz: an image needs axes .* got shape \("):
        Cine(np.zeros(shape, np.uint8), None, origin=ORIGIN)


@pytest.mark.parametrize("axis", range(4))
def test_empty_axes_are_refused(axis):
    shape = [2, 2, 2, 2]
    shape[axis] = 0
    with pytest.raises(InputError, match="the image is empty"):
        Cine(np.zeros(shape, np.uint8), None)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_pixel_sizes(bad):
    with pytest.raises(InputError, match="positive millimetres") as caught:
        Cine(np.zeros((1, 1, 2, 2), np.uint8), (1.0, bad, 1.0), origin=ORIGIN)
    assert "--spacing-mm" in caught.value.remedy
    with pytest.raises(InputError):
        check_spacing((bad,))


def test_one_time_for_each_frame():
    with pytest.raises(InputError, match="2 times for 3 frames"):
        Cine(np.zeros((3, 1, 2, 2), np.uint8), None, np.array([0.0, 20.0]))


def test_stem_drops_the_whole_suffix():
    assert ORIGIN.stem == "heart"
