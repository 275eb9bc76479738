import numpy as np
import pytest

from cardiotrace.datasets.chase import Chase
from cardiotrace.geometry.field_of_view import find_field_of_view


def disc(noise=0.0, *, lesion=False):
    rows, columns = np.mgrid[:120, :150]
    inside = np.hypot(rows - 60, columns - 75) < 55
    colour = np.where(inside, 140, 6)[..., None] * [1.0, 0.5, 0.2]
    colour += np.random.default_rng(0).normal(0, noise, colour.shape)
    if lesion:
        colour[50:60, 70:80] = 0
    return np.clip(colour, 0, 255).astype(np.uint8), inside


@pytest.mark.parametrize("lesion", [False, True])
def test_disc_of_a_photograph(lesion):
    image, inside = disc(3.0, lesion=lesion)
    found = find_field_of_view(image)
    assert (found & inside).sum() / (found | inside).sum() > 0.99


def test_image_without_dark_surroundings_counts_whole():
    rng = np.random.default_rng(0)
    assert find_field_of_view(rng.integers(80, 200, (40, 50)).astype(np.uint8)).all()
    assert find_field_of_view(np.zeros((40, 50), np.uint8)).all()
    small = np.zeros((40, 50), np.uint8)
    small[3:6, 3:6] = 200
    assert find_field_of_view(small).all()


@pytest.mark.data
def test_real_masks(data_root):
    for case in Chase(data_root / "chase_db1").cases()[:4]:
        found, inside = find_field_of_view(case.read_image().frames[0, 0]), case.read_field_of_view()[0]
        assert (found & inside).sum() / (found | inside).sum() > 0.95
