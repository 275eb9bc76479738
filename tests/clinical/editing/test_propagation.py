"""An edit that corrects an error in one frame lowers the error in the others, and makes none where there was none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from cardiotrace.clinical.editing.gesture import Reach
from cardiotrace.clinical.editing.propagation import carried, carried_mask, reached
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.metrics.overlap import dice
from cardiotrace.phantoms import EchoPhantom, echo_exam


def pushed(plane, weight):
    """Labels with the side of the cavity pushed in by some pixels, as a model that loses it draws it."""
    cavity = plane == 1
    rows, columns = np.indices(plane.shape)
    side = np.argwhere(cavity)
    row = np.median(side[:, 0])
    column = columns[int(row)][cavity[int(row)]].min()
    depth = distance_transform_edt(cavity)
    bump = weight * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 12**2))
    return np.where(cavity & (depth < bump), 2, plane).astype(np.uint8)


@pytest.fixture(scope="module")
def film():
    made = echo_exam(EchoPhantom(frame_count=16, spacing_mm=0.9, seed=3))
    return made.exam.images[0].image, next(iter(made.labels.values()))


@pytest.mark.parametrize("width", [1.2, 100.0])
def test_a_corrected_error_is_corrected_in_the_other_frames_as_far_as_it_is_there(film, width):
    image, true = film
    start = 2
    weights = [6 * np.exp(-0.5 * ((frame - start) / width) ** 2) for frame in range(len(true.array))]
    array = np.stack([pushed(plane[0], weight) for plane, weight in zip(true.array, weights, strict=True)])[:, None]
    automatic = LabelMap(array, true.scheme, true.geometry)
    targets = reached(Reach.BEAT, (start, 0), array.shape[:2])
    there = {spot: array[spot] for spot in targets}
    found = carried(true.array[start, 0], (start, 0), there, automatic, image, names=["lv"])

    def error(planes):
        return {spot: 1 - dice(planes[spot] == 1, true.array[spot] == 1) for spot in targets}

    before, after = error(there), error(found)
    wrong = [spot for spot in targets if before[spot] > 0.01]
    right = [spot for spot in targets if before[spot] <= 0.002]
    assert np.mean([after[spot] for spot in wrong]) < 0.6 * np.mean([before[spot] for spot in wrong])
    assert all(after[spot] < 0.012 for spot in right)
    # A copy of what was drawn is what it must beat.
    copied = {spot: 1 - dice(true.array[start, 0] == 1, true.array[spot] == 1) for spot in targets}
    assert np.mean(list(after.values())) < 0.5 * np.mean(list(copied.values()))


def test_a_plane_as_the_model_drew_it_has_nothing_to_carry(film):
    image, true = film
    with pytest.raises(InputError, match="nothing was changed"):
        carried(true.array[0, 0], (0, 0), {(1, 0): true.array[1, 0]}, true, image, names=["lv", "epi", "la"])


def test_an_outline_that_is_not_carried_stays(film):
    image, true = film
    drawn = pushed(true.array[0, 0], 6)
    drawn[true.array[0, 0] == 3] = 0
    found = carried(drawn, (0, 0), {(1, 0): true.array[1, 0]}, true, image, names=["lv"])[1, 0]
    assert np.array_equal(found == 3, true.array[1, 0] == 3)
    assert not np.array_equal(found == 1, true.array[1, 0] == 1)


def test_to_the_next_slice_a_difference_goes_as_it_is():
    rows, columns = np.mgrid[:60, :60]
    far = np.hypot(rows - 30, columns - 30)
    array = np.stack([far < 14, far < 10])[None].astype(np.uint8)
    from cardiotrace.core.geometry import Geometry
    from cardiotrace.core.image import Image
    from cardiotrace.core.label import LV_ONLY

    geometry = Geometry.of_spacing((8.0, 1.0, 1.0))
    image = Image(np.zeros((1, 2, 60, 60), np.uint8), geometry)
    drawn = (far < 17).astype(np.uint8)
    found = carried(drawn, (0, 0), {(0, 1): array[0, 1]}, LabelMap(array, LV_ONLY, geometry), image, names=["lv"])
    assert found[0, 1].sum() == pytest.approx(np.pi * 13**2, rel=0.03)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_in_an_equal_plane_what_was_drawn_comes_out(seed):
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:50, :50]
    one = ((rows - 25) / random.uniform(8, 15)) ** 2 + ((columns - 25) / random.uniform(8, 15)) ** 2 < 1
    other = ((rows - 27) / random.uniform(8, 15)) ** 2 + ((columns - 24) / random.uniform(8, 15)) ** 2 < 1
    assert np.array_equal(carried_mask(other, one, one), other)
    assert np.array_equal(carried_mask(one, one, other), other)


@pytest.mark.parametrize(
    ("to", "place"), [("next", (9, 0)), ("previous", (0, 0)), ("slice-up", (3, 0)), ("slice-down", (3, 0))]
)
def test_beyond_the_last_plane_there_is_nothing(to, place):
    with pytest.raises(InputError, match="nothing to carry it to"):
        reached(Reach(to), place, (10, 1))
