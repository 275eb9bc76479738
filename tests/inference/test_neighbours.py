"""A network of planes that sees the slices beside them labels what a stack laid out by hand says."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Structure, View
from cardiotrace.inference.engine import OnnxRuntimeEngine, run_single
from cardiotrace.inference.predictor import MANY_SAMPLES, Predictor, softmax
from cardiotrace.io import as_grey
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_model, make_spec, pointwise_network

STEPS = [
    Choice("resample", {"height_mm": 1.4, "width_mm": 1.4}),
    Choice("crop-or-pad", {"height": 24, "width": 32}),
    Choice("z-score"),
]
# Unlike weights, so that slices in another order or place would say something else.
WEIGHTS = {1: [[0.0, 0.0, 0.0], [1.5, 2.0, -3.0]], 2: [[0.0] * 5, [0.5, -1.0, 2.0, 1.5, -2.5]]}


def network(neighbours: int = 1) -> bytes:
    return pointwise_network(np.array(WEIGHTS[neighbours], np.float32), np.array([0.1, 0.0], np.float32))


def model(neighbours: int = 1, **changes: Any) -> Predictor:
    values = {"preprocessing": Preprocessing(STEPS), "views": (View.SAX,), "mirror_axes": ("height",)} | changes
    spec = make_spec(LV_ONLY, channels=2 * neighbours + 1, neighbours=neighbours, **values)
    return Predictor.of(make_model(network(neighbours), spec))


def cine(time: int, depth: int, seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (time, depth, 30, 44), np.uint8)
    return Image(frames, Geometry.of_spacing((8.0, 1.2, 1.3)), view=View.SAX)


def by_hand(image: Image, neighbours: int, axis: int = 1) -> np.ndarray:
    """Probability of the structure on the image's grid, each sample laid out for itself."""
    prepare = Preprocessing(STEPS)
    transform = prepare.transform_for(image.grid_shape[2:], (1.2, 1.3))
    engine = OnnxRuntimeEngine(network(neighbours))
    out = np.zeros(image.grid_shape, np.float32)
    last = image.grid_shape[axis] - 1
    for time, depth in np.ndindex(*image.grid_shape[:2]):
        steps = range(-neighbours, neighbours + 1)
        beside = [sorted((0, (time, depth)[axis] + step, last))[1] for step in steps]
        places = [(each, depth) if axis == 0 else (time, each) for each in beside]
        planes = [prepare.apply(image.frames[place], transform)[0] for place in places]
        answer = softmax(run_single(engine, np.stack(planes)[None].astype(np.float32)))
        out[time, depth] = transform.invert(answer[0])[1]
    return out


@pytest.mark.parametrize("neighbours", [1, 2])
@pytest.mark.parametrize(("time", "depth"), [(1, 1), (1, 2), (2, 3), (3, MANY_SAMPLES)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_answers_are_those_of_a_stack_laid_out_by_hand(neighbours: int, time: int, depth: int, batch_size: int) -> None:
    image = cine(time, depth)
    result = model(neighbours).segment(image, batch_size=batch_size, keep_probabilities=True)
    assert result.probabilities is not None
    expected = by_hand(image, neighbours)
    np.testing.assert_allclose(result.probabilities[Structure.LV], expected, atol=1e-5)
    clear = np.abs(expected - 0.5) > 1e-4
    np.testing.assert_array_equal(result.labels.array[clear], (expected > 0.5)[clear])
    assert 0.1 < expected.mean() < 0.9


@pytest.mark.parametrize(("time", "depth"), [(1, 1), (2, 1), (5, 3), (MANY_SAMPLES, 1)])
def test_frames_beside_a_frame_are_seen_and_the_ends_of_a_film_stand_again(time: int, depth: int) -> None:
    image = cine(time, depth)
    result = model(2, neighbours_of="frames").segment(image, batch_size=2, keep_probabilities=True)
    assert result.probabilities is not None
    expected = by_hand(image, 2, axis=0)
    np.testing.assert_allclose(result.probabilities[Structure.LV], expected, atol=1e-5)
    if time > 1:
        assert np.abs(expected - by_hand(image, 2)).max() > 0.1


@pytest.mark.parametrize("along", ["slices", "frames"])
def test_every_plane_is_prepared_once(monkeypatch: pytest.MonkeyPatch, along: str) -> None:
    image, prepared = cine(2, 5), Counter[int]()
    apply = Preprocessing.apply

    def counted(self: Preprocessing, sample: np.ndarray, transform: Any) -> np.ndarray:
        prepared[int(np.abs(image.frames.astype(int) - sample).sum(axis=(2, 3)).argmin())] += 1
        return apply(self, sample, transform)

    alone = model(neighbours_of=along).spec
    predictor = Predictor(alone, OnnxRuntimeEngine(network()))  # in one thread
    monkeypatch.setattr(Preprocessing, "apply", counted)
    predictor.segment(image)
    assert prepared == Counter(dict.fromkeys(range(10), 1))


def test_a_blank_slice_has_no_labels_and_is_seen_by_those_beside_it() -> None:
    image = cine(1, 3)
    smooth = np.repeat(np.repeat(image.frames[..., ::4, ::4], 4, axis=2), 4, axis=3)[..., :30, :44]
    frames = smooth.copy()
    frames[0, 1] = 7
    image = dataclasses.replace(image, frames=frames)
    result = model().segment(image, keep_probabilities=True)
    assert result.probabilities is not None
    found = result.probabilities[Structure.LV][0]
    assert not found[1].any()
    expected = by_hand(image, 1)[0]
    np.testing.assert_allclose(found[[0, 2]], expected[[0, 2]], atol=1e-5)
    # Under z-scores an even slice is all zeros: of the first slice's three channels two are left.
    prepare = Preprocessing(STEPS)
    assert not prepare.apply(frames[0, 1], prepare.transform_for((30, 44), (1.2, 1.3))).any()


def test_changed_versions_of_an_image_change_all_slices() -> None:
    image = cine(1, 4)
    plain = model().segment(image, keep_probabilities=True)
    averaged = model().segment(image, keep_probabilities=True, test_time_augmentation=True)
    assert plain.probabilities is not None
    assert averaged.probabilities is not None
    # Pointwise: the mirrored image says the same of each place, if all of its slices were mirrored.
    np.testing.assert_allclose(averaged.probabilities[Structure.LV], plain.probabilities[Structure.LV], atol=1e-5)


def test_colours_become_grey_and_do_not_take_the_place_of_slices() -> None:
    rng = np.random.default_rng(3)
    coloured = Image(rng.integers(0, 256, (1, 3, 30, 44, 3), np.uint8), NO_GEOMETRY, view=View.SAX)
    predictor = model(preprocessing=Preprocessing([Choice("z-score")]))
    labels = predictor.segment(coloured).labels.array
    np.testing.assert_array_equal(labels, predictor.segment(as_grey(coloured)).labels.array)
    green = make_spec(LV_ONLY, channels=3, neighbours=1, preprocessing=Preprocessing([Choice("channel")]))
    with pytest.raises(InputError, match="no green channel"):
        Predictor.of(make_model(network(), green)).segment(as_grey(coloured))
