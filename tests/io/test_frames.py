import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.io import require_grey


def test_grey_stays_itself():
    cine = Image(np.zeros((2, 1, 3, 4), np.uint8), Geometry.of_spacing((1.0, 1.0, 1.0)))
    assert require_grey(cine) is cine


def test_equal_channels_become_one():
    grey = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4)
    cine = Image(np.stack([grey] * 3, axis=-1), Geometry.of_spacing((1.0, 0.5, 0.5)), np.array([0.0, 20.0]))
    plain = require_grey(cine)
    assert np.array_equal(plain.frames, grey)
    assert plain.spacing_mm == (1.0, 0.5, 0.5)
    assert plain.times_ms is cine.times_ms


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_coloured_pixel_is_enough(channel):
    frames = np.full((1, 1, 3, 4, 3), 9, np.uint8)
    frames[0, 0, 1, 2, channel] = 10
    with pytest.raises(InputError, match="1 of 12 pixels are coloured"):
        require_grey(Image(frames, NO_GEOMETRY))
