"""A window that slides over what is larger than it, in planes and in volumes."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Structure, View
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.sliding import filled, importance, slide, windows_of
from cardiotrace.inference.spec import spec_from_plain, spec_to_plain
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_model, make_spec, pointwise_network, threshold_network, volume_network


def pointwise(part):
    return np.concatenate([1 - part, part])


@pytest.mark.parametrize(
    ("shape", "window"),
    [((37, 50), (16, 16)), ((9, 40, 33), (4, 16, 16)), ((3, 20, 20), (4, 16, 32)), ((5, 5), (8, 8))],
)
def test_what_sees_pixel_by_pixel_says_the_same_in_windows(shape, window):
    sample = np.random.default_rng(0).random((1, *shape), np.float32)
    np.testing.assert_allclose(slide(sample, window, pointwise), pointwise(sample), atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (65, 100), (8, 64, 71)])
def test_windows_cover_all_and_neighbours_overlap_by_half_at_least(shape):
    window = (32,) * len(shape) if len(shape) == 2 else (4, 32, 32)
    seen = np.zeros(shape, int)
    starts = set()
    for part in windows_of(shape, window):
        seen[part] += 1
        starts.add(tuple(one.start for one in part))
        assert all(one.stop <= side for one, side in zip(part, shape, strict=True))
    assert seen.min() >= 1
    for axis, side in enumerate(window):
        along = sorted({start[axis] for start in starts})
        assert along[0] == 0
        assert along[-1] == shape[axis] - side
        assert max(np.diff(along), default=0) <= side / 2 + 1  # rounded to whole pixels


def test_of_two_windows_the_one_whose_middle_is_nearer_weighs_more():
    """Gaussian, sigma an eighth of the side: hand computation for three windows of 8 pixels at 0, 4 and 8."""
    calls = iter([0.0, 1.0, 0.0])
    found = slide(np.zeros((1, 16), np.float32), (8,), lambda part: np.full_like(part, next(calls)))
    weight = lambda pixel: np.exp(-0.5 * (pixel / 1.0) ** 2)  # noqa: E731
    # Pixel 5 lies 1.5 from the middle of the first window and 2.5 from that of the second.
    assert found[0, 5] == pytest.approx(weight(2.5) / (weight(1.5) + weight(2.5)), rel=1e-5)
    assert found[0, 0] == 0
    assert found[0, 8] == pytest.approx(weight(0.5) / (weight(0.5) + weight(3.5)), rel=1e-3)


def test_the_weight_falls_to_its_share_at_one_sigma():
    weights = importance((80, 40))
    middle = weights[39:41, 19:21].mean()
    assert middle == pytest.approx(1, abs=0.02)
    assert weights[50, 20] / weights[40, 20] == pytest.approx(np.exp(-0.5 * (10.5**2 - 0.5**2) / 100), rel=1e-4)
    assert weights.min() > 0


def test_what_is_missing_is_zero_after_the_last_pixel():
    seen = filled(np.ones((1, 2, 3), np.float32), (4, 3))
    assert seen.tolist() == [[[1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]]]


def predictor(network, window, **changes):
    return Predictor.of(make_model(network, make_spec(LV_ONLY, views=(View.SAX,), window=window, **changes)))


def test_planes_larger_than_the_window_are_labelled_as_whole_ones():
    frames = np.random.default_rng(1).integers(0, 256, (2, 3, 50, 41), np.uint8)
    cine = Image(frames, NO_GEOMETRY, view=View.SAX)
    whole, parts = (predictor(threshold_network(0.5), window).segment(cine) for window in (None, (16, 24)))
    np.testing.assert_array_equal(parts.labels.array, whole.labels.array)
    np.testing.assert_allclose(parts.confidence, whole.confidence, rtol=1e-4)


def test_a_stack_of_any_height_is_seen_to_its_ends():
    """A network that sees neighbours: inside, far from the faces of windows, all is as if seen whole."""
    frames = np.random.default_rng(2).integers(0, 256, (1, 21, 20, 18), np.uint8)
    found = predictor(volume_network(0.5), (8, 20, 18), dimensions=3).segment(
        Image(frames, NO_GEOMETRY, view=View.SAX), keep_probabilities=True
    )
    mean = uniform_filter(frames[0] / 255, size=3, mode="constant")
    clear = np.abs(mean - 0.5) > 0.02
    right = found.labels.array[0] == (mean > 0.5)
    assert right[clear].mean() > 0.999
    # The first and the last slice have no neighbour beyond them, in a window as in the whole.
    assert right[[0, -1]][clear[[0, -1]]].all()
    # A stack of two slices is filled up to the window, and those two are answered for.
    low = Image(frames[:, :2], NO_GEOMETRY, view=View.SAX)
    assert predictor(volume_network(0.5), (8, 20, 18), dimensions=3).segment(low).labels.array.shape == (1, 2, 20, 18)


def test_each_window_is_normalised_by_itself_as_in_training():
    """Twice as bright on the right: by itself each half has a mean of 0, together neither has."""
    frames = np.random.default_rng(3).integers(0, 100, (1, 1, 16, 64), np.uint8)
    frames[..., 32:] += 100
    steps = Preprocessing([Choice("z-score")])
    asked = []
    model = predictor(threshold_network(0.0), (16, 16), preprocessing=steps)
    outputs = model._outputs
    model._outputs = lambda engine, batch: asked.append(batch) or outputs(engine, batch)  # type: ignore[method-assign]
    model.segment(Image(frames, NO_GEOMETRY, view=View.SAX))
    assert len(asked) == 7
    assert all(abs(batch.mean()) < 1e-5 and batch.std() == pytest.approx(1, abs=1e-3) for batch in asked)


@pytest.mark.parametrize("mirror_axes", [(), ("height", "width")])
def test_variants_are_averaged_window_by_window(mirror_axes):
    inside = np.zeros((1, 6, 40, 40), bool)
    inside[:, 1:5, 8:30, 5:22] = True
    frames = np.where(inside, 230, 10).astype(np.uint8)
    model = predictor(volume_network(0.5), (4, 32, 32), dimensions=3, mirror_axes=mirror_axes)
    cine = Image(frames, NO_GEOMETRY, view=View.SAX)
    plain, averaged = (model.segment(cine, test_time_augmentation=wanted).labels for wanted in (False, True))
    assert plain.mask(Structure.LV).sum() > 1000
    assert (plain.array == averaged.array).mean() > 0.995


def test_a_window_is_told_in_the_file_and_must_fit_the_network():
    spec = make_spec(LV_ONLY, dimensions=3, window=(4, 32, 32))
    assert spec_from_plain(spec_to_plain(spec)).window == (4, 32, 32)
    older = {key: value for key, value in spec_to_plain(make_spec(LV_ONLY)).items() if key != "window"}
    assert spec_from_plain(older).window is None
    for window in ((32, 32), (0, 32, 32)):
        with pytest.raises(ModelFileError, match="has a window of"):
            make_spec(LV_ONLY, dimensions=3, window=window)


def test_colours_slide_as_well():
    frames = np.random.default_rng(4).integers(0, 256, (1, 1, 20, 30, 3), np.uint8)
    network = pointwise_network(np.array([[0, 0, 0], [9, 0, -9]], np.float32), np.zeros(2, np.float32))
    found = predictor(network, (8, 8), channels=3).segment(Image(frames, NO_GEOMETRY, view=View.SAX))
    expected = frames[0, 0, ..., 0] > frames[0, 0, ..., 2]
    assert (found.labels.mask(Structure.LV)[0, 0] == expected).mean() > 0.99
