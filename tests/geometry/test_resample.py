import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.geometry.resample import AxisMap, resample, resample_labels, strongest

sizes = st.integers(1, 40)


def smooth(rows, columns):
    """A slow wave over the unit square, sampled at pixel centres."""
    y, x = ((np.arange(side) + 0.5) / side for side in (rows, columns))
    return (np.cos(np.pi * y)[:, None] + np.cos(np.pi * x)).astype(np.float32)


@settings(deadline=None)
@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_identity_changes_nothing(rows, columns, seed):
    plane = np.random.default_rng(seed).random((rows, columns)).astype(np.float32)
    assert np.array_equal(resample(plane, (AxisMap.resize(rows, rows), AxisMap.centred(columns, columns))), plane)


@settings(deadline=None)
@given(sizes, sizes, sizes, sizes)
def test_resized_constant_is_the_constant(rows, columns, target_rows, target_columns):
    plane = np.full((rows, columns), 7.25, np.float32)
    moved = resample(plane, (AxisMap.resize(rows, target_rows), AxisMap.resize(columns, target_columns)))
    assert moved.shape == (target_rows, target_columns)
    assert moved == pytest.approx(7.25, rel=1e-6)


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(2, 60))
def test_ramp_stays_a_ramp_when_enlarged(size, target):
    axis = AxisMap.resize(size, max(size, target))
    ramp = np.arange(size, dtype=np.float32)[None]
    moved = resample(ramp, (AxisMap.resize(1, 1), axis))[0]
    centres = (np.arange(axis.target_size) + 0.5) * axis.scale - 0.5
    assert np.allclose(moved, np.clip(centres, 0, size - 1), atol=1e-4)


def test_halving_averages_with_triangle_weights():
    plane = np.array([[0, 0, 8, 0, 0, 0, 0, 0]], np.float32)
    halved = resample(plane, (AxisMap.resize(1, 1), AxisMap.resize(8, 4)))[0]
    # The kernel is twice as wide: 1/8, 3/8, 3/8, 1/8 around a centre; at the edge 3/7, 3/7, 1/7.
    assert halved.tolist() == pytest.approx([8 / 7, 3, 0, 0])


@settings(deadline=None)
@given(st.integers(24, 64), st.integers(24, 64), st.integers(24, 64), st.integers(24, 64))
def test_smooth_images_come_back(rows, columns, target_rows, target_columns):
    plane = smooth(rows, columns)
    along = AxisMap.resize(rows, target_rows), AxisMap.resize(columns, target_columns)
    back = resample(resample(plane, along), (along[0].inverse(), along[1].inverse()))
    assert np.abs(back - plane)[2:-2, 2:-2].max() < 0.03


@given(sizes, sizes, st.floats(0.2, 5.0), st.floats(-20, 20))
def test_inverse_of_the_inverse_is_the_map(source, target, scale, offset):
    axis = AxisMap(source, target, scale, offset)
    again = axis.inverse().inverse()
    assert (again.source_size, again.target_size) == (source, target)
    assert (again.scale, again.offset) == pytest.approx((scale, offset), abs=1e-9)


@given(sizes, sizes, sizes, st.floats(0.2, 5.0), st.floats(-9, 9), st.floats(0.2, 5.0), st.floats(-9, 9))
def test_two_maps_are_one(first, second, third, scale, offset, following_scale, following_offset):
    one, two = AxisMap(first, second, scale, offset), AxisMap(second, third, following_scale, following_offset)
    place = 3.5
    between = place * two.scale + two.offset
    assert one.then(two).source_size == first
    assert one.then(two).target_size == third
    assert place * one.then(two).scale + one.then(two).offset == pytest.approx(between * one.scale + one.offset)


@settings(deadline=None)
@given(st.integers(24, 50), st.integers(40, 80), st.integers(16, 40))
def test_one_resampling_is_close_to_two(rows, middle, target):
    plane = smooth(rows, 24)
    across = AxisMap.resize(24, 24)
    first, second = AxisMap.resize(rows, middle), AxisMap.centred(middle, target)
    at_once = resample(plane, (first.then(second), across))
    in_turn = resample(resample(plane, (first, across)), (second, across))
    assert at_once.shape == in_turn.shape
    assert np.abs(at_once - in_turn).max() < 0.05


def test_padding_is_black_and_cropping_keeps_the_middle():
    plane = np.ones((2, 6), np.float32)
    plane[:, 2:4] = 5
    padded = resample(plane, (AxisMap.centred(2, 4), AxisMap.centred(6, 2)))
    assert padded.tolist() == [[0, 0], [5, 5], [5, 5], [0, 0]]


def test_order_of_the_products_makes_no_difference():
    plane = np.random.default_rng(0).random((30, 20)).astype(np.float32)
    rows, columns = AxisMap.resize(30, 12), AxisMap.resize(20, 50)
    expected = rows.weights() @ plane @ columns.weights().T
    assert np.allclose(resample(plane, (rows, columns)), expected, atol=1e-6)
    turned = resample(plane.T.copy(), (columns, rows))
    assert np.allclose(turned, expected.T, atol=1e-6)


def test_many_planes_at_once_are_each_alone():
    planes = np.random.default_rng(0).random((2, 3, 9, 7)).astype(np.float32)
    rows, columns = AxisMap.resize(9, 5), AxisMap.resize(7, 11)
    together = resample(planes, (rows, columns))
    assert together.shape == (2, 3, 5, 11)
    assert np.allclose(together[1, 2], resample(planes[1, 2], (rows, columns)), atol=1e-6)


@pytest.mark.parametrize("axis", [AxisMap.resize(9, 4), AxisMap.centred(5, 12), AxisMap(7, 7, 1.3, -2.0)])
def test_weights_sum_to_one_inside_and_to_nothing_outside(axis):
    weights = axis.weights()
    centres = (np.arange(axis.target_size) + 0.5) * axis.scale + axis.offset
    inside = (centres > 0) & (centres < axis.source_size)
    assert np.allclose(weights.sum(axis=1), inside, atol=1e-6)


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_labels_keep_their_values(rows, columns, target_rows, target_columns, seed):
    labels = np.random.default_rng(seed).choice([0, 1, 3], (rows, columns)).astype(np.uint8)
    maps = AxisMap.resize(rows, target_rows), AxisMap.resize(columns, target_columns)
    moved = resample_labels(labels, maps, class_count=4)
    assert moved.dtype == np.uint8
    assert moved.shape == (target_rows, target_columns)
    assert set(np.unique(moved)) <= {0, 1, 3}


def test_labels_enlarged_by_a_whole_number_are_repeated():
    labels = np.array([[1, 1, 0], [1, 2, 2], [0, 2, 2]], np.uint8)
    moved = resample_labels(labels, (AxisMap.resize(3, 9), AxisMap.resize(3, 9)), class_count=3)
    assert np.array_equal(moved[1::3, 1::3], labels)


def test_strongest_leaves_ties_to_the_background():
    shares = np.array([[[0.5, 0.625, 0.25, 0.25]], [[0.0, 0.375, 0.375, 0.5]]], np.float32)
    assert strongest(shares).tolist() == [[0, 1, 0, 2]]


@settings(deadline=None)
@given(sizes, sizes, sizes, sizes, st.data())
def test_a_part_is_that_of_the_whole(rows, columns, target_rows, target_columns, data):
    plane = np.random.default_rng(0).random((2, rows, columns)).astype(np.float32)
    maps = AxisMap.resize(rows, target_rows), AxisMap.centred(columns, target_columns, 0.7)
    first, second = (sorted((data.draw(st.integers(0, axis.target_size)), axis.target_size)) for axis in maps)
    part = slice(*first), slice(*second)
    assert resample(plane, maps, part) == pytest.approx(resample(plane, maps)[:, part[0], part[1]], abs=1e-6)


@given(sizes, sizes, st.floats(0.2, 5.0), st.floats(-9, 9), st.data())
def test_nothing_beyond_its_reach_sees_a_source(source, target, scale, offset, data):
    axis = AxisMap(source, target, scale, offset)
    start = data.draw(st.integers(0, source - 1))
    part = slice(start, data.draw(st.integers(start + 1, source)))
    sees = axis.weights()[:, part].any(axis=1)
    reached = axis.reach(part)
    assert not sees[: reached.start].any()
    assert not sees[reached.stop :].any()
    assert reached.start == reached.stop or (sees[reached.start] and sees[reached.stop - 1])


@given(st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(1, 12)] * 3), st.integers(0, 99))
def test_volumes_are_resampled_axis_by_axis(source: tuple[int, ...], target: tuple[int, ...], seed: int) -> None:
    """As one sum over all three axes says it, whatever the order in which they are taken."""
    volumes = np.random.default_rng(seed).normal(size=(2, *source)).astype(np.float32)
    maps = tuple(AxisMap.resize(size, to) for size, to in zip(source, target, strict=True))
    expected = np.einsum("ad,bh,cw,ndhw->nabc", *(axis.weights() for axis in maps), volumes)
    moved = resample(volumes, maps)
    assert moved.shape == (2, *target)
    assert np.allclose(moved, expected, atol=1e-5)
    part = tuple(slice(size // 3, size) for size in target)
    assert np.allclose(resample(volumes, maps, part), expected[:, *part], atol=1e-5)


def test_labels_of_a_volume_keep_their_blocks() -> None:
    labels = np.kron(np.arange(8, dtype=np.uint8).reshape(2, 2, 2) % 3, np.ones((3, 3, 3), np.uint8))
    finer = resample_labels(labels, (AxisMap.resize(6, 18),) * 3, class_count=3)
    back = resample_labels(finer, (AxisMap.resize(18, 6),) * 3, class_count=3)
    assert np.array_equal(back, labels)
