"""A network of volumes goes the way of one of planes, from the file's grid and back to it."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Structure, View
from cardiotrace.inference.predictor import MANY_SAMPLES, Predictor
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_model, make_spec, threshold_network, volume_network

SPACING = (8.0, 1.5, 1.5)


def predictor(*steps: Choice, cut: float = 0.5, **changes: object) -> Predictor:
    spec = make_spec(LV_ONLY, dimensions=3, views=(View.SAX,), preprocessing=Preprocessing(steps), **changes)
    return Predictor.of(make_model(volume_network(cut), spec))


def ball(shape: tuple[int, int, int], radius_mm: float, spacing: tuple[float, float, float]) -> np.ndarray:
    axes = np.ogrid[tuple(slice(size) for size in shape)]
    squares = [((axis - (size - 1) / 2) * mm) ** 2 for axis, size, mm in zip(axes, shape, spacing, strict=True)]
    return sum(squares) <= radius_mm**2


def test_a_mean_over_neighbours_in_space_is_reproduced_voxel_by_voxel() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 5, 9, 7), np.uint8)
    result = predictor().segment(Image(frames, NO_GEOMETRY, view=View.SAX))
    for frame, labels in zip(frames, result.labels.array, strict=True):
        mean = uniform_filter(frame / 255, size=3, mode="constant")
        clear = np.abs(mean - 0.5) > 1e-5
        np.testing.assert_array_equal(labels[clear], (mean > 0.5)[clear])


def test_a_ball_comes_back_to_its_own_grid_with_its_volume() -> None:
    """Through voxels of 2 mm and a cube of 48, and back to slices 8 mm apart."""
    spacing = (4.0, 1.0, 1.25)
    inside = ball((24, 90, 72), 25.0, spacing)
    steps = [
        Choice("resample", {"depth_mm": 2.0, "height_mm": 2.0, "width_mm": 2.0}),
        Choice("crop-or-pad", {"depth": 48, "height": 48, "width": 48}),
    ]
    model = predictor(*steps)
    cine = Image(np.where(inside, 255, 0).astype(np.uint8)[None], Geometry.of_spacing(spacing), view=View.SAX)
    result = model.segment(cine, keep_probabilities=True)
    assert result.labels.array.shape == cine.grid_shape
    assert result.labels.spacing_mm == spacing
    found = result.labels.mask(Structure.LV)[0]
    assert 2 * (found & inside).sum() / (found.sum() + inside.sum()) > 0.96
    volume_ml = found.sum() * np.prod(spacing) / 1000
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 2.5**3, rel=0.03)
    assert result.probabilities is not None
    assert ((result.probabilities[Structure.LV][0] > 0.5) == found).mean() > 0.9999


def test_the_transform_has_one_map_for_each_axis() -> None:
    preprocessing = Preprocessing([Choice("resample", {"depth_mm": 4.0, "height_mm": 3.0, "width_mm": 0.75})])
    transform = preprocessing.transform_for((10, 40, 30), SPACING)
    assert transform.shape == (20, 20, 60)
    assert [axis.scale for axis in transform.axes] == [0.5, 2.0, 0.5]
    # The depth of a volume stays as it is unless it is named.
    flat = Preprocessing([Choice("resample", {"height_mm": 3.0, "width_mm": 0.75})])
    assert flat.transform_for((10, 40, 30), (float("nan"), 1.5, 1.5)).shape == (10, 20, 60)


def test_every_frame_is_one_sample_and_a_blank_one_is_not_shown() -> None:
    frames = np.zeros((4, 3, 32, 32), np.uint8)
    frames[[0, 2, 3]] = np.where(ball((3, 32, 32), 11.0, (1.0, 1.0, 1.0)), 250, 10)
    frames[2, 1] = 0  # one blank plane does not make a blank volume
    seen: list[tuple[int, int]] = []
    result = predictor(cut=0.3).segment(
        Image(frames, NO_GEOMETRY, view=View.SAX), on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(2, 4), (3, 4), (4, 4)]
    assert result.labels.mask(Structure.LV).any(axis=(1, 2, 3)).tolist() == [True, False, True, True]
    assert np.isnan(result.confidence).tolist() == [False, True, False, False]


def test_many_volumes_side_by_side_are_labelled_as_one_by_one() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (MANY_SAMPLES + 1, 3, 20, 18), np.uint8)
    model = predictor()
    together = model.segment(Image(frames, NO_GEOMETRY, view=View.SAX))
    alone = [model.segment(Image(frame[None], NO_GEOMETRY, view=View.SAX)).labels.array for frame in frames]
    np.testing.assert_array_equal(together.labels.array, np.concatenate(alone))
    assert [sample.position for sample in model.samples(Image(frames, NO_GEOMETRY))] == [
        (time,) for time in range(len(frames))
    ]


@pytest.mark.parametrize("mirror_axes", [(), ("height", "width")])
def test_augmentation_changes_volumes_slice_by_slice(mirror_axes: tuple[str, ...]) -> None:
    inside = ball((9, 41, 52), 14.0, (3.0, 1.0, 1.0))
    inside[2:5, 3:12, 5:17] = True  # not symmetric
    frames = np.where(inside, 255, 0).astype(np.uint8)[None]
    model = predictor(mirror_axes=mirror_axes)
    plain = model.segment(Image(frames, NO_GEOMETRY, view=View.SAX)).labels.array
    averaged = model.segment(Image(frames, NO_GEOMETRY, view=View.SAX), test_time_augmentation=True).labels.array
    np.testing.assert_array_equal(averaged, plain)


def test_z_scores_are_those_of_the_whole_volume() -> None:
    volume = np.random.default_rng(2).integers(0, 256, (3, 4, 5), np.uint8)
    preprocessing = Preprocessing([Choice("z-score")])
    seen = preprocessing.apply(volume, preprocessing.transform_for(volume.shape, None))
    expected = (volume - volume.mean()) / volume.std()
    np.testing.assert_allclose(seen, expected[None], atol=1e-4)
    assert abs(seen[0, 0].mean()) > 1e-3  # a single slice has a mean of its own


def test_what_volumes_need_and_lack_is_said() -> None:
    in_depth = Choice("resample", {"depth_mm": 4.0})
    frames = np.full((1, 3, 20, 20), 9, np.uint8)
    frames[..., 5:15, 5:15] = 200
    with pytest.raises(InputError, match="distance between slices is unknown"):
        predictor(in_depth).segment(Image(frames, Geometry.of_spacing((float("nan"), 1.0, 1.0)), view=View.SAX))
    planes = make_model(threshold_network(0.5), make_spec(LV_ONLY, preprocessing=Preprocessing([in_depth])))
    with pytest.raises(InputError, match="asks for a depth, and what it is given is a plane"):
        Predictor.of(planes).segment(Image(frames, Geometry.of_spacing(SPACING)))
    wrong = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY, dimensions=3)))
    with pytest.raises(ModelFileError, match="failed on an input 'image' of shape"):
        wrong.segment(Image(frames, NO_GEOMETRY))
