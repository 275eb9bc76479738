import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.preprocessing import STEPS, Preprocessing
from cardiotrace.preprocessing.intensity import IntensityStep
from cardiotrace.preprocessing.pipeline import unit_range
from cardiotrace.preprocessing.step import GeometricStep, PixelStep

SPACING = (0.4, 0.2)


def resize(height, width, **options):
    return Choice("resize", {"height": height, "width": width, **options})


def one_hot(labels, classes):
    return (labels == np.arange(classes)[:, None, None]).astype(np.float32)


def blocks(rows, columns, side, seed):
    """Piecewise constant labels: squares of side x side pixels."""
    coarse = np.random.default_rng(seed).integers(0, 4, (rows // side, columns // side)).astype(np.uint8)
    return np.kron(coarse, np.ones((side, side), np.uint8))


@settings(deadline=None)
@given(st.sampled_from([32, 48, 64]), st.sampled_from([32, 48, 64]), st.integers(0, 2**32 - 1))
def test_restored_labels_are_exact_away_from_edges(height, width, seed):
    labels = blocks(32, 48, 16, seed)
    prepare = Preprocessing([resize(height, width)])
    transform = prepare.transform_for(labels.shape, SPACING)
    seen = prepare.resample_labels(labels, transform, class_count=4)
    back = transform.invert_labels(one_hot(seen, 4))
    inner = np.zeros((16, 16), bool)
    inner[3:-3, 3:-3] = True
    away = np.tile(inner, (2, 3))
    assert back.shape == labels.shape
    assert np.array_equal(back[away], labels[away])


def test_restored_probabilities_are_background_outside_the_networks_view():
    prepare = Preprocessing([Choice("crop-or-pad", {"height": 4, "width": 4})])
    transform = prepare.transform_for((8, 6), None)
    seen = np.zeros((3, 4, 4), np.float32)
    seen[2] = 1
    native = transform.invert(seen)
    assert native.shape == (3, 8, 6)
    assert np.allclose(native.sum(axis=0), 1)
    assert native[2].sum() == 16
    assert native[0, 0].tolist() == [1] * 6
    assert np.array_equal(transform.invert_labels(seen), native.argmax(0))


@settings(deadline=None)
@given(st.integers(4, 40), st.integers(4, 40), st.integers(0, 2**32 - 1))
def test_restoring_labels_is_the_most_probable_of_the_restored(rows, columns, seed):
    prepare = Preprocessing([resize(16, 16, keep_aspect=True)])
    transform = prepare.transform_for((rows, columns), SPACING)
    shares = np.random.default_rng(seed).dirichlet(np.ones(3), (16, 16)).transpose(2, 0, 1).astype(np.float32)
    native = transform.invert(shares)
    top = np.sort(native, axis=0)
    decided = top[-1] - top[-2] > 1e-5
    assert np.array_equal(transform.invert_labels(shares)[decided], native.argmax(0)[decided])


def test_steps_are_fused_to_one_resampling():
    both = Preprocessing([resize(64, 64), Choice("crop-or-pad", {"height": 32, "width": 48})])
    transform = both.transform_for((128, 32), None)
    assert transform.shape == (32, 48)
    assert (transform.axes[0].scale, transform.axes[1].scale) == (2.0, 0.5)
    assert transform.axes[0].offset == (64 - 32) / 2 * 2
    assert transform.axes[1].offset == (64 - 48) / 2 * 0.5


def test_aspect_is_kept_in_millimetres():
    # 40 x 0.4 mm = 16 mm high, 40 x 0.2 mm = 8 mm wide: fits 32 x 32 at 0.5 mm a pixel.
    transform = Preprocessing([resize(32, 32, keep_aspect=True)]).transform_for((40, 40), SPACING)
    assert transform.axes[0].scale * SPACING[0] == pytest.approx(0.5)
    assert transform.axes[1].scale * SPACING[1] == pytest.approx(0.5)
    disc = np.hypot((np.arange(40)[:, None] - 19.5) * 0.4, (np.arange(40) - 19.5) * 0.2) < 3
    seen = Preprocessing([resize(32, 32, keep_aspect=True)]).resample_labels(
        disc.astype(np.uint8), transform, class_count=2
    )
    heights, widths = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    assert np.ptp(heights) + 1 == pytest.approx(12, abs=1)
    assert np.ptp(widths) + 1 == pytest.approx(12, abs=1)
    assert seen[:, :8].max() == 0


def test_pixels_without_size_are_taken_as_square():
    transform = Preprocessing([resize(10, 10, keep_aspect=True)]).transform_for((40, 20), None)
    assert (transform.axes[0].scale, transform.axes[1].scale) == (4.0, 4.0)


def test_aspect_after_another_step_counts_its_scale():
    steps = [Choice("resample", {"height_mm": 0.8, "width_mm": 0.2}), resize(32, 32, keep_aspect=True)]
    transform = Preprocessing(steps).transform_for((80, 80), SPACING)
    assert transform.axes[0].scale * SPACING[0] == pytest.approx(transform.axes[1].scale * SPACING[1])


def test_bytes_stay_bytes_and_colour_becomes_channels():
    prepare = Preprocessing([resize(4, 4)])
    plane = np.zeros((8, 8, 3), np.uint8)
    plane[..., 2] = 9
    moved = prepare.resample(plane, prepare.transform_for((8, 8), None))
    assert moved.dtype == np.uint8
    assert moved.shape == (3, 4, 4)
    assert moved[2].tolist() == [[9] * 4] * 4
    assert prepare.resample(np.ones((8, 8), np.float32), prepare.transform_for((8, 8), None)).dtype == np.float32


def test_apply_moves_then_normalises():
    prepare = Preprocessing([resize(16, 16), Choice("z-score")])
    plane = np.random.default_rng(0).integers(0, 256, (40, 30)).astype(np.uint8)
    seen = prepare.apply(plane, prepare.transform_for(plane.shape, None))
    assert seen.shape == (1, 16, 16)
    assert seen.dtype == np.float32
    assert seen.mean() == pytest.approx(0, abs=1e-5)
    assert seen.std() == pytest.approx(1, abs=1e-3)


@settings(deadline=None)
@given(st.sampled_from(["z-score", "min-max", "multiply"]), st.integers(0, 2**32 - 1), st.booleans())
def test_intensity_steps_are_the_same_in_numpy_and_torch(name, seed, flat):
    values = np.random.default_rng(seed).random((3, 2, 7, 5)).astype(np.float32)
    if flat:
        values[1] = 0.25
    prepare = Preprocessing([Choice(name)])
    there = prepare.normalise(torch.from_numpy(values)).numpy()
    assert np.allclose(prepare.normalise(values), there, rtol=1e-4, atol=1e-5)
    assert np.isfinite(there).all()


def test_min_max_by_hand():
    values = np.array([[[2.0, 4.0], [3.0, 6.0]]], np.float32)
    stretched = Preprocessing([Choice("min-max", {"low": -1.0, "high": 1.0})]).normalise(values)
    assert stretched[0].tolist() == [pytest.approx([-1, 0], abs=1e-5), pytest.approx([-0.5, 1], abs=1e-5)]


def test_each_image_is_normalised_alone():
    values = np.random.default_rng(0).random((2, 1, 6, 6)).astype(np.float32)
    together = Preprocessing([Choice("z-score")]).normalise(values)
    assert np.allclose(together[1], Preprocessing([Choice("z-score")]).normalise(values[1]), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
def test_unit_range_stretches_what_is_no_byte(dtype):
    assert unit_range(np.array([100, 200, 300], dtype)).tolist() == pytest.approx([0, 0.5, 1])
    assert unit_range(np.array([7, 7], dtype)).tolist() == [0, 0]


def test_what_is_stored_is_told_from_intensity():
    prepare = Preprocessing([resize(8, 8), Choice("z-score"), Choice("crop-or-pad", {"height": 4, "width": 4})])
    assert [choice.name for choice in prepare.stored_choices] == ["resize", "crop-or-pad"]


def test_plain_form_holds_every_option_and_reads_back():
    prepare = Preprocessing([resize(8, 9), Choice("z-score")])
    plain = to_plain(prepare)
    assert plain[0] == {"name": "resize", "height": 8, "width": 9, "keep_aspect": False}
    assert to_plain(Preprocessing.__from_plain__(plain, "preprocessing")) == plain


@pytest.mark.parametrize("entry", list(STEPS), ids=lambda entry: entry.name)
def test_every_step_is_of_one_kind(entry):
    step = entry.make(from_plain(entry.config, {}))
    assert sum(isinstance(step, kind) for kind in (PixelStep, GeometricStep, IntensityStep)) == 1


def test_unknown_step_is_named_with_its_place():
    with pytest.raises(ConfigError, match="there is no preprocessing step 'blur'"):
        Preprocessing([Choice("blur")])
    with pytest.raises(ConfigError, match=r"unknown key 'preprocessing\[1\]\.size'"):
        Preprocessing([Choice("z-score"), Choice("resize", {"size": 3})])


@settings(deadline=None)
@given(st.sampled_from([24, 40, 64]), st.floats(1.0, 40.0), st.integers(0, 2**32 - 1))
def test_a_small_structure_is_restored_as_from_the_whole_plane(side, contrast, seed):
    """Only the neighbourhood of what may be foreground is resampled."""
    y, x = np.mgrid[:32, :32]
    centre, radius = np.random.default_rng(seed).uniform(0, 32, 2), np.random.default_rng(seed).uniform(0, 9)
    depth = radius - np.hypot(y - centre[0], x - centre[1])
    share = 1 / (1 + np.exp(-contrast * depth / 8))
    seen = np.stack([1 - share, 0.7 * share, 0.3 * share]).astype(np.float32)
    transform = Preprocessing([resize(32, 32)]).transform_for((side, 50), SPACING)
    native = transform.invert(seen)
    decided = np.abs(native[0] - native[1]) > 1e-4
    assert np.array_equal(transform.invert_labels(seen)[decided], native.argmax(0)[decided])


def crop(height, width, **options):
    return Choice("crop-or-pad", {"height": height, "width": width, "around": "heart", **options})


def test_a_crop_around_the_heart_by_hand():
    transform = Preprocessing([crop(32, 32)]).transform_for((100, 80), None, (20.0, 70.0))
    assert [(axis.offset, axis.scale, axis.target_size) for axis in transform.axes] == [(4, 1, 32), (54, 1, 32)]
    # At pixels twice as large the heart lies at (10, 35) of 50 x 40: rows from -6, columns from 19.
    coarse = Preprocessing([Choice("resample", {"height_mm": 2.0, "width_mm": 2.0}), crop(32, 32)])
    transform = coarse.transform_for((100, 80), (1.0, 1.0), (20.0, 70.0))
    assert [(axis.offset, axis.scale) for axis in transform.axes] == [(-12, 2), (38, 2)]
    # Whole pixels of the network's grid: 20.4 - 16 is 4.4.
    assert Preprocessing([crop(32, 32)]).transform_for((100, 80), None, (20.4, 70.0)).axes[0].offset == 4


@settings(deadline=None)
@given(st.floats(-5, 45), st.floats(-5, 65), st.integers(0, 2**32 - 1))
def test_labels_of_a_crop_around_the_heart_come_back_exactly(row, column, seed):
    labels = np.random.default_rng(seed).integers(0, 4, (40, 60)).astype(np.uint8)
    prepare = Preprocessing([crop(16, 24)])
    transform = prepare.transform_for(labels.shape, None, (row, column))
    back = transform.invert_labels(one_hot(prepare.resample_labels(labels, transform, class_count=4), 4))
    inside = np.zeros(labels.shape, bool)
    top, left = round(row - 8), round(column - 12)
    inside[max(top, 0) : max(top + 16, 0), max(left, 0) : max(left + 24, 0)] = True
    assert np.array_equal(back, np.where(inside, labels, 0))


def test_without_a_place_a_crop_around_the_heart_is_refused():
    prepare = Preprocessing([crop(32, 48)])
    assert prepare.needs_centre
    assert prepare.shape_for((100, 80), None) == (32, 48)
    with pytest.raises(InputError, match="needs to know where the heart lies"):
        prepare.transform_for((100, 80), None)


def test_a_crop_of_the_middle_asks_for_no_place_and_is_written_as_ever():
    prepare = Preprocessing([Choice("crop-or-pad", {"height": 32, "width": 32})])
    assert not prepare.needs_centre
    assert prepare.transform_for((100, 80), None, (3.0, 4.0)) == prepare.transform_for((100, 80), None)
    assert to_plain(prepare) == [{"name": "crop-or-pad", "height": 32, "width": 32}]
    assert to_plain(Preprocessing([crop(32, 32)]))[0]["around"] == "heart"
    with pytest.raises(ConfigError, match="around"):
        Preprocessing([Choice("crop-or-pad", {"around": "liver"})])


@pytest.mark.parametrize("shape", [(20, 24), (6, 20, 24)])
def test_where_nothing_is_seen_nothing_is_labelled(shape):
    preprocessing = Preprocessing([Choice("resample", {"height_mm": 1.4, "width_mm": 1.4})])
    transform = preprocessing.transform_for(shape, (8.0, 1.2, 1.2)[-len(shape) :])
    seen = np.zeros((4, *transform.shape), np.float32)
    seen[0] = 1
    back = transform.invert_labels(seen)
    assert back.shape == shape
    assert not back.any()
