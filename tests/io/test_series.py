"""Sets of files, and formats that hold several images."""

import dataclasses
import pickle

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Acquisition
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import View
from cardiotrace.io import formats, read_grid, read_image, read_labels, read_metadata, read_series
from cardiotrace.io.nifti import NiftiHeader
from cardiotrace.io.options import AS_STORED, ReadOptions, with_known
from cardiotrace.io.stored import Pixels, StoredImage, header_of
from cardiotrace.io.video import VideoHeader


def save_nifti(path, array, spacing=(1.0, 1.0, 1.0)):
    """Voxels (x, y[, z])."""
    nibabel.save(nibabel.Nifti1Image(array, np.diag([*spacing, 1.0])), path)
    return path


def save_png(path, value, size=(6, 4)):
    Pillow.fromarray(np.full(size[::-1], value, np.uint8)).save(path)
    return path


@pytest.fixture
def two_in_one(tmp_path, monkeypatch):
    """A format whose files hold two images: what DICOM series need of the table."""

    def read(files):
        for index, path in enumerate(files.paths):
            yield StoredImage(
                path, "twin", ".twin", (3, 2), np.dtype(np.uint8), name=f"series{index}",
                acquisition=Acquisition(vendor="ACME", frame_rate_hz=25.0 + index), header=index,
            )  # fmt: skip

    def pixels(image, *, as_labels=False):
        return Pixels(np.full((2, 3), 10 * image.header, np.uint8))

    twin = formats.Format(
        "twin", (".twin",), lambda files: files.start.head.startswith(b"TWIN"), read, pixels, None, (".nii.gz",), ""
    )
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, twin))
    paths = [tmp_path / "a.twin", tmp_path / "b.twin"]
    for path in paths:
        path.write_bytes(b"TWIN")
    return paths


def test_a_set_of_files_yields_its_images_each_with_its_name_and_facts(two_in_one):
    read = dict(read_series(two_in_one, view=View.SAX))
    assert list(read) == ["series0", "series1"]
    assert [int(image.frames.max()) for image in read.values()] == [0, 10]
    assert [image.acquisition.frame_rate_hz for image in read.values()] == [25.0, 26.0]
    assert {image.view for image in read.values()} == {View.SAX}
    assert read["series0"].acquisition.vendor == "ACME"


def test_several_images_are_no_one_image(two_in_one):
    with pytest.raises(InputError, match=r"holds 2 images \(series0, series1\)"):
        read_image(two_in_one)
    assert read_image(two_in_one[:1]).frames.shape == (1, 1, 2, 3)


def test_one_image_is_a_series_of_its_own_name(tmp_path):
    path = save_nifti(tmp_path / "p1_A4C.nii.gz", np.zeros((4, 3), np.uint8))
    (named,) = read_series(path)
    assert named[0] == "p1_A4C"
    assert named[1].grid_shape == (1, 1, 3, 4)


def test_several_images_are_a_video_in_the_order_given(tmp_path):
    paths = [save_png(tmp_path / f"{name}.png", value) for name, value in (("b", 7), ("a", 9), ("c", 8))]
    video = read_image([str(path) for path in paths])
    assert video.frames[:, 0, 0, 0].tolist() == [7, 9, 8]
    assert video.source.path == tmp_path


def test_images_of_two_folders_are_no_video(tmp_path):
    (tmp_path / "other").mkdir()
    paths = [save_png(tmp_path / "a.png", 1), save_png(tmp_path / "other" / "b.png", 2)]
    with pytest.raises(InputError, match=r"b\.png: lies in another folder than a\.png"):
        read_image(paths)


def test_files_that_are_no_image_together(tmp_path):
    paths = [save_png(tmp_path / "a.png", 1), save_nifti(tmp_path / "b.nii", np.zeros((4, 3), np.uint8))]
    with pytest.raises(InputError, match="is one of 2 files that are no image together"):
        read_image(paths)
    with pytest.raises(InputError, match=r"gone\.png: there is no such file"):
        read_image([paths[0], tmp_path / "gone.png"])


def test_options_and_keywords_mean_the_same(tmp_path):
    path = save_nifti(tmp_path / "v.nii.gz", np.ones((4, 3, 5), np.uint8), spacing=(1.0, 1.0, 8.0))
    options = ReadOptions(View.SAX, spacing_mm=(None, 0.5, 0.25), third_axis="time")
    known = {"view": View.SAX, "spacing_mm": (None, 0.5, 0.25), "third_axis": "time"}
    one, other = read_image(path, options), read_image(path, **known)
    assert one.grid_shape == other.grid_shape == (5, 1, 3, 4)
    assert one.spacing_mm == other.spacing_mm == read_grid(path, options).geometry.spacing_mm
    assert one.spacing_mm[1:] == (0.5, 0.25)
    assert read_labels(path, LV_ONLY, options, third_axis="depth").array.shape == (1, 5, 3, 4)
    assert with_known(AS_STORED) == AS_STORED
    with pytest.raises(TypeError):
        read_image(path, colour=True)


def test_what_a_format_keeps_is_its_own(tmp_path):
    path = save_nifti(tmp_path / "v.nii.gz", np.zeros((4, 3), np.uint8))
    source = read_image(path).source
    header = header_of(source, NiftiHeader)
    assert (header.version, header.is_gzip, header.pixel_offset) == (1, True, 352)
    assert (source.axes, source.shape, source.pixel_file, source.is_labels) == ("xy", (4, 3), None, False)
    with pytest.raises(TypeError, match="has no VideoHeader: nifti read it"):
        header_of(source, VideoHeader)
    assert pickle.loads(pickle.dumps(source)) == source
    assert dataclasses.replace(source, header=None).stem == "v"


def test_a_single_file_in_a_list_is_that_file(tmp_path):
    path = save_png(tmp_path / "a.png", 5)
    assert np.array_equal(read_image([path]).frames, read_image(path).frames)
    assert read_metadata(path)["shape"] == [6, 4]
