"""Slices that are stored one per file."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.exam_discovery import Reading, find_exams, read_exam

NORMAL = np.array([0.6, 0.0, 0.8])
MM, DISTANCE = 1.5, 9.0


def write_slice(path: Path, value: int, place_mm: float | None, frames: int = 1) -> None:
    """One short-axis plane of one grey value, `place_mm` along its normal; None leaves the header as writers do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([MM, MM, DISTANCE, 1.0])
    if place_mm is not None:
        affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0.8 * MM, 0, -0.6 * MM), (0, -MM, 0), NORMAL * DISTANCE
        affine[:3, 3] = np.array([10.0, 20.0, 30.0]) + place_mm * NORMAL
    shape = (7, 6, 1) if frames == 1 else (7, 6, 1, frames)
    nibabel.save(nibabel.Nifti1Image(np.full(shape, value, np.int16), affine), path)


@pytest.mark.parametrize("name", ["p1_SAX_{}", "slice{}", "heart{}", "IM_000{}", "p1_SAX_ED_{}"])
def test_planes_become_one_stack_by_their_places(tmp_path, name):
    for number, place in ((1, 18.0), (2, 0.0), (3, 9.0)):
        write_slice(tmp_path / "p" / f"{name.format(number)}.nii.gz", number, place)
    (image,) = read_exam(tmp_path / "p").images
    assert image.image.grid_shape == (1, 3, 6, 7)
    assert image.image.frames[0, :, 0, 0].tolist() == [2, 3, 1]  # along the normal, whatever the names count
    assert image.image.spacing_mm == pytest.approx((DISTANCE, MM, MM))
    assert image.image.geometry.point_mm((2, 0, 0)) == pytest.approx(np.array([10, 20, 30]) + 18 * NORMAL, abs=1e-4)
    assert dict(image.phases) == ({Phase.ED: 0} if "ED" in name else {})


def test_videos_of_one_plane_each_become_a_moving_stack(tmp_path):
    for number in range(4):
        write_slice(tmp_path / "p" / f"cine_SAX_{number}.nii.gz", number, DISTANCE * number, frames=5)
    (image,) = read_exam(tmp_path / "p").images
    assert image.image.grid_shape == (5, 4, 6, 7)


def test_a_missing_slice_is_told(tmp_path):
    for number in (0, 1, 3):
        write_slice(tmp_path / "p" / f"SAX_{number}.nii.gz", number, DISTANCE * number)
    with pytest.raises(InputError, match="its 3 slices lie 9 to 18 mm apart"):
        read_exam(tmp_path / "p")


def test_two_files_at_one_place_are_told(tmp_path):
    for number, place in ((1, 0.0), (2, 9.0), (3, 9.0)):
        write_slice(tmp_path / "p" / f"SAX_{number}.nii.gz", number, place)
    with pytest.raises(InputError, match="two of its 3 slices lie at one place"):
        read_exam(tmp_path / "p")


@pytest.mark.parametrize("name", ["SAX_{}", "p1_SAX_{}", "{}", "IM_000{}"])
def test_planes_without_a_place_never_become_phases(tmp_path, name):
    for number in range(1, 9):
        write_slice(tmp_path / "p" / f"{name.format(number)}.nii.gz", number, None)
    with pytest.raises(InputError, match="--third-axis depth or --third-axis time"):
        read_exam(tmp_path / "p")
    stack = read_exam(tmp_path / "p", Reading(third_axis="depth", spacing_mm=(8.0, 1.4, 1.4))).images[0].image
    assert stack.frames[0, :, 0, 0].tolist() == list(range(1, 9))
    assert (stack.spacing_mm, stack.geometry.slice_distance) == ((8.0, 1.4, 1.4), Known.GIVEN)
    video = read_exam(tmp_path / "p", Reading(third_axis="time")).images[0].image
    assert video.frames[:, 0, 0, 0].tolist() == list(range(1, 9))


@pytest.mark.parametrize("name", ["p_SAX_slice{}_{}", "p_SAX_{1}_slice{0}", "p_{1}_SAX_{0}"])
def test_the_stacks_of_both_phases_keep_apart(tmp_path, name):
    for number, place in ((10, 0.0), (20, 9.0), (30, 18.0)):
        write_slice(tmp_path / "p" / f"{name.format(number, 'ED')}.nii.gz", number, place)
        write_slice(tmp_path / "p" / f"{name.format(number, 'ES')}.nii.gz", number + 1, place)
    first, second = read_exam(tmp_path / "p").images
    assert first.name != second.name
    assert ("ED" in first.name, "ES" in second.name) == (True, True)
    assert (dict(first.phases), dict(second.phases)) == ({Phase.ED: 0}, {Phase.ES: 0})
    assert first.image.frames[0, :, 0, 0].tolist() == [10, 20, 30]
    assert second.image.frames[0, :, 0, 0].tolist() == [11, 21, 31]


def test_short_axis_planes_of_one_phase_without_a_place_are_asked_about(tmp_path):
    for number in range(3):
        for phase in ("ED", "ES"):
            write_slice(tmp_path / "p" / f"p_SAX_{phase}_{number}.nii.gz", number + 1, None)
    with pytest.raises(InputError, match="--third-axis depth"):
        read_exam(tmp_path / "p")
    images = read_exam(tmp_path / "p", Reading(third_axis="depth")).images
    assert [image.image.grid_shape[1] for image in images] == [3, 3]


def test_slices_without_a_place_have_no_distance(tmp_path):
    for number in (1, 2, 10):
        write_slice(tmp_path / "p" / f"slice{number}.nii.gz", number, None)
    image = read_exam(tmp_path / "p").images[0].image
    assert image.frames[0, :, 0, 0].tolist() == [1, 2, 10]
    assert np.isnan(image.spacing_mm[0])


def test_frames_in_files_are_a_video(tmp_path):
    for number in (1, 2, 10):
        write_slice(tmp_path / "p" / f"SAX_frame{number}.nii.gz", number, None)
    assert read_exam(tmp_path / "p").images[0].image.frames[:, 0, 0, 0].tolist() == [1, 2, 10]


def test_planes_in_several_directions_are_images_of_their_own(tmp_path):
    for name in ("p1_2CH_ED", "p1_4CH_ED"):
        write_slice(tmp_path / "p" / f"{name}.nii.gz", 1, 0.0)
    assert len(read_exam(tmp_path / "p").images) == 2


def test_numbered_volumes_are_different_patients(tmp_path):
    for number in (1, 2):
        path = tmp_path / "p" / f"heart{number}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(np.ones((7, 6, 5), np.int16), np.diag([MM, MM, 8.0, 1.0])), path)
    assert [exam.name for exam in find_exams([tmp_path / "p"])] == ["heart1", "heart2"]
