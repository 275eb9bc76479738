import numpy as np
import pytest
from skimage import exposure

from cardiotrace.preprocessing.equalise import equalise


def scene(shape, seed=0):
    """A dark corner, a bright one, and texture in between."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    noise = np.random.default_rng(seed).normal(0, 12, shape)
    return np.clip(40 + 120 * (rows + columns) / sum(shape) + 25 * np.sin(columns / 7) + noise, 0, 255).astype(np.uint8)


def test_one_tile_without_a_limit_is_plain_equalisation():
    plane = scene((40, 56))
    counts = np.bincount(plane.ravel(), minlength=256)
    expected = np.rint(255 * counts.cumsum() / plane.size)[plane]
    assert np.abs(equalise(plane, tiles=1, limit=256.0) - expected).max() <= 1


@pytest.mark.parametrize("limit", [1.0, 2.0, 4.0])
def test_contrast_grows_at_most_by_the_limit_and_one(limit):
    """Half of the pixels are of 8 neighbouring grey values: without a limit their steps would be 16."""
    values = np.concatenate([np.arange(256).repeat(8), np.arange(100, 108).repeat(256)]).astype(np.uint8)
    plane = values.reshape(64, 64)
    table = dict(zip(plane.ravel().tolist(), equalise(plane, tiles=1, limit=limit).ravel().tolist(), strict=True))
    steps = np.diff([table[value] for value in range(256)])
    assert steps.min() >= 0
    assert steps.max() <= limit + 2  # one for rounding
    assert steps[100:107].sum() >= 7 * limit - 1


def test_a_flat_image_stays_flat_and_near_its_value():
    """The table rises by 1/256 for all levels up to 100 and by the limit's 2/256 at 100, the excess spread evenly."""
    flat = equalise(np.full((32, 32), 100, np.uint8), tiles=2, limit=2.0)
    # Cut: 2/256; excess 254/256 over 256 levels; share up to 100 = 2/256 + 101 * 254/65536.
    assert np.unique(flat).tolist() == [round(255 * (2 / 256 + 101 * 254 / 65536))]


@pytest.mark.parametrize("shape", [(96, 96), (101, 67)])
def test_it_agrees_with_scikit_image(shape):
    """Conventions of range and padding differ, so the images are compared by correlation."""
    plane = scene(shape)
    ours = equalise(plane, tiles=4, limit=3.0)
    theirs = exposure.equalize_adapthist(
        plane, kernel_size=[-(-side // 4) for side in shape], clip_limit=3 / 256, nbins=256
    )
    assert ours.shape == plane.shape
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98
    # A local contrast gain, which the image itself does not have against theirs.
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > np.corrcoef(plane.ravel(), theirs.ravel())[0, 1]
