"""The patient's space decides which voxel is which; nibabel's reorientation is the independent reference."""

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import hypothesis.strategies as st
import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.spatial.transform import Rotation

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry, Known
from cardiotrace.core.image import FileSource, Grid
from cardiotrace.core.label import LV_ONLY, LabelMap
from cardiotrace.geometry.alignment import aligned, voxel_order

SHAPE = (3, 5, 7)
ORDERS = [
    np.array([[axis, flip] for axis, flip in zip(order, flips, strict=True)], float)
    for order in permutations(range(3))
    for flips in product((1, -1), repeat=3)
]


def of_xyz(affine: np.ndarray, *, oriented: bool = True) -> Geometry:
    """As the readers make it of a NIfTI affine (x, y, z)."""
    known = Known.FILE if oriented else Known.UNKNOWN
    return Geometry(np.asarray(affine, float)[:, [2, 1, 0, 3]], orientation=known)


def labels_of(array_xyz: np.ndarray, geometry: Geometry) -> LabelMap:
    return LabelMap(np.ascontiguousarray(array_xyz.T)[np.newaxis], LV_ONLY, geometry)


def grid_of(shape_xyz: tuple[int, ...], geometry: Geometry) -> Grid:
    return Grid(geometry, (1, *shape_xyz[::-1]), FileSource(Path("image.nii"), "nifti", ".nii"))


def random_mask(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)


def affine_of(spacing: tuple[float, ...], offset: tuple[float, ...] = (0, 0, 0), turn: tuple = (0, 0, 0)) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn).as_matrix() * spacing
    affine[:3, 3] = offset
    return affine


angles = st.tuples(*[st.floats(-3, 3)] * 3)
sizes = st.tuples(*[st.floats(0.2, 12)] * 3)
offsets = st.tuples(*[st.floats(-300, 300)] * 3)


@settings(max_examples=150, deadline=None)
@given(turn=angles, spacing=sizes, offset=offsets, order=st.sampled_from(ORDERS), seed=st.integers(0, 99))
def test_any_voxel_order_comes_back_exactly(turn, spacing, offset, order, seed):
    affine, mask = affine_of(spacing, offset, turn), random_mask(seed=seed)
    reference = nibabel.Nifti1Image(mask, affine)
    stored = reference.as_reoriented(order)
    image = of_xyz(affine)
    found = aligned(labels_of(np.asarray(stored.dataobj), of_xyz(stored.affine)), grid_of(SHAPE, image))
    assert (found.array[0] == mask.T).all()
    assert found.geometry is image
    assert found.notes == ()


@settings(max_examples=60, deadline=None)
@given(turn=angles, spacing=sizes, offset=offsets, order=st.sampled_from(ORDERS))
def test_headers_that_round_to_single_precision_are_the_same_place(turn, spacing, offset, order):
    affine, mask = affine_of(spacing, offset, turn), random_mask()
    stored = nibabel.Nifti1Image(mask, affine).as_reoriented(order)
    rounded = stored.affine.astype(np.float32)
    found = aligned(labels_of(np.asarray(stored.dataobj), of_xyz(rounded)), grid_of(SHAPE, of_xyz(affine)))
    assert (found.array[0] == mask.T).all()


@settings(max_examples=60, deadline=None)
@given(
    turn=angles,
    spacing=sizes,
    axis=st.integers(0, 2),
    voxels=st.floats(0.3, 40) | st.floats(-40, -0.3),
    order=st.sampled_from(ORDERS),
)
def test_a_grid_that_lies_elsewhere_is_refused(turn, spacing, axis, voxels, order):
    affine = affine_of(spacing, (10, 20, 30), turn)
    moved = affine.copy()
    moved[:3, 3] += voxels * affine[:3, axis]
    stored = nibabel.Nifti1Image(random_mask(), moved).as_reoriented(order)
    with pytest.raises(InputError, match=r"does not lie on the grid of image\.nii"):
        aligned(labels_of(np.asarray(stored.dataobj), of_xyz(stored.affine)), grid_of(SHAPE, of_xyz(affine)))


def test_a_flip_is_undone_although_the_image_counts_as_having_no_place():
    """CAMUS: the image's affine is diagonal without an offset, nibabel's flipped label has one."""
    mask = random_mask((40, 60, 1))
    image = nibabel.Nifti1Image(mask, np.diag([-0.308, -0.308, 1, 1]))
    for axis in (0, 1):
        order = np.array([[0, 1], [1, 1], [2, 1]])
        order[axis, 1] = -1
        stored = image.as_reoriented(order)
        labels = labels_of(np.asarray(stored.dataobj), of_xyz(stored.affine))
        found = aligned(labels, grid_of((40, 60, 1), of_xyz(image.affine, oriented=False)))
        assert (found.array[0] == mask.T).all()
        assert found.notes == ()


def test_a_lost_affine_is_taken_as_it_lies_and_that_is_said():
    mask = random_mask((40, 60, 1))
    labels = labels_of(mask, of_xyz(np.diag([0.308, 0.308, 1, 1]), oriented=False))
    found = aligned(labels, grid_of((40, 60, 1), of_xyz(np.diag([-0.308, -0.308, 1, 1]), oriented=False)))
    assert (found.array == labels.array).all()
    assert found.notes == ("the labels state no orientation: the labels were taken as they lie (RAS against LPS)",)


def test_an_image_beside_an_image_of_the_usual_directions_needs_no_word():
    found = aligned(
        labels_of(random_mask((40, 60, 1)), NO_GEOMETRY),
        grid_of((40, 60, 1), of_xyz(np.diag([-0.308, -0.308, 1, 1]), oriented=False)),
    )
    assert found.notes == ()
    assert found.spacing_mm == (1.0, 0.308, 0.308)


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (1.5625, 1.5625, 1.0), (1.5625, 1.5625, 10.0)])
def test_sizes_of_a_mere_millimetre_are_no_evidence(sizes):
    """ACDC: an sform of unit columns without offset; a tool flips it by N - 1 units of its own."""
    mask = random_mask((20, 24, 4))
    stored = nibabel.Nifti1Image(mask, np.diag([-1, -1, 1, 1])).as_reoriented(np.array([[0, -1], [1, 1], [2, -1]]))
    affine = stored.affine.copy()
    affine[:3, :3] *= np.array(sizes)
    image = of_xyz(np.diag([-1.5625, -1.5625, 10, 1]), oriented=False)
    found = aligned(labels_of(np.asarray(stored.dataobj), of_xyz(affine)), grid_of((20, 24, 4), image))
    assert (found.array[0] == mask.T).all()


def test_an_unknown_slice_distance_is_no_evidence():
    mask = random_mask((20, 24, 4))
    affine = affine_of((1.5, 1.5, 8), (11, 12, 13), (0.3, 0.2, 0.1))
    stored = nibabel.Nifti1Image(mask, affine).as_reoriented(np.array([[1, 1], [0, -1], [2, 1]]))
    lost = replace(of_xyz(stored.affine), slice_distance=Known.UNKNOWN)
    lost.affine[:3, 0] /= 8
    found = aligned(labels_of(np.asarray(stored.dataobj), lost), grid_of((20, 24, 4), of_xyz(affine)))
    assert (found.array[0] == mask.T).all()
    assert found.spacing_mm == (8.0, 1.5, 1.5)


def test_frames_are_not_looked_at_and_stay_in_order():
    image = of_xyz(affine_of((1.5, 1.5, 8), (11, 12, 13)))
    stored = of_xyz(affine_of((1.5, 1.5, 8), (11, 12, 13)) @ np.diag([1, 1, -1, 1]))
    stored.affine[:3, 3] = image.point_mm((2, 0, 0))
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(np.uint8) % 2
    found = aligned(LabelMap(array, LV_ONLY, stored), Grid(image, (7, 3, 4, 5)))
    assert (found.array == array[:, ::-1]).all()


def test_the_third_direction_of_a_single_plane_says_nothing():
    mask = random_mask((20, 24, 1))
    affine = affine_of((0.5, 0.5, 1), (11, 12, 13))
    other = affine_of((0.5, 0.5, 6), (11, 12, 0))
    other[2, 2] *= -1
    found = aligned(labels_of(mask, of_xyz(other)), grid_of((20, 24, 1), of_xyz(affine)))
    assert (found.array[0] == mask.T).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda affine: affine @ np.diag([1.2, 1.2, 1, 1]),
            "a pixel size of 1.8 x 1.8 x 8 mm against 1.5 x 1.5 x 8 mm",
        ),
        (lambda affine: affine_of((1.5, 1.5, 8), (11, 12, 13), (0, 0, 0.2)), "turned by no whole quarter"),
        (lambda affine: affine_of((1.5, 1.5, 8), (14, 12, 13)), "axes RAS against RAS, voxels apart: 2 in width"),
        (lambda affine: affine_of((1.5, 1.5, 8), (14, 12, 21)), "voxels apart: 1 in depth, 2 in width"),
        (lambda affine: affine @ np.diag([-1, -1, 1, 1]), "axes LPS against RAS, voxels apart"),
    ],
)
def test_what_is_no_exact_order_is_refused_with_codes_and_numbers(change, words):
    affine = affine_of((1.5, 1.5, 8), (11, 12, 13))
    with pytest.raises(InputError, match=words):
        aligned(labels_of(random_mask(), of_xyz(change(affine))), grid_of(SHAPE, of_xyz(affine)))


def test_other_numbers_of_voxels_are_refused_though_neither_has_a_place():
    with pytest.raises(InputError, match="3 x 5 x 7 voxels against 3 x 5 x 8"):
        aligned(labels_of(random_mask(), NO_GEOMETRY), grid_of((3, 5, 8), NO_GEOMETRY))


def test_pixel_sizes_that_differ_are_refused_although_neither_has_a_place():
    with pytest.raises(InputError, match=r"0\.5 x 0\.5 x 8 mm against 0\.6 x 0\.6 x 8 mm"):
        aligned(
            labels_of(random_mask(), Geometry.of_spacing((8.0, 0.5, 0.5))),
            grid_of(SHAPE, Geometry.of_spacing((8.0, 0.6, 0.6))),
        )


def test_a_degenerate_affine_is_no_crash():
    flat = np.diag([1.5, 1.5, 8, 1])
    flat[:3, 1] = flat[:3, 0]
    with pytest.raises(InputError, match="turned by no whole quarter"):
        aligned(labels_of(random_mask(), of_xyz(flat)), grid_of(SHAPE, of_xyz(affine_of((1.5, 1.5, 8), (1, 2, 3)))))


def test_the_same_place_is_the_same_array():
    grid = grid_of(SHAPE, of_xyz(affine_of((1.5, 1.5, 8), (11, 12, 13))))
    assert voxel_order(grid, grid).is_same
    labels = labels_of(random_mask(), grid.geometry)
    assert aligned(labels, grid) is labels
