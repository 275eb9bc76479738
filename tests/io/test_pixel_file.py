"""MetaImage pixels are found where they are, and never another header's."""

import os

import numpy as np
import pytest
import SimpleITK

from cardiotrace.core.errors import InputError
from cardiotrace.io import has_pixels, pixel_files, read_image

PICTURE = np.arange(35, dtype=np.uint8).reshape(5, 7)


def save(path, array=PICTURE, **options):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path), **options)
    return path


def rename(path, name):
    """Rename the pixel file and leave the header as it is."""
    (file,) = pixel_files(path)
    return file.rename(path.parent / name)


@pytest.mark.parametrize("compress", [False, True])
def test_as_written(tmp_path, compress):
    path = save(tmp_path / "a.mhd", useCompression=compress)
    assert pixel_files(path) == (tmp_path / ("a.zraw" if compress else "a.raw"),)
    assert has_pixels(path)
    image = read_image(path)
    assert np.array_equal(image.frames[0, 0], PICTURE)
    assert image.notes == ()


def test_in_the_header_itself(tmp_path):
    for path in (save(tmp_path / "a.mha"), save(tmp_path / "b.mha", useCompression=True)):
        assert pixel_files(path) == ()
        assert has_pixels(path)
    header = save(tmp_path / "c.mhd").read_text().replace("c.raw", "LOCAL")
    (tmp_path / "c.raw").unlink()
    (tmp_path / "c.mhd").write_bytes(header.encode() + PICTURE.tobytes())
    assert pixel_files(tmp_path / "c.mhd") == ()
    assert np.array_equal(read_image(tmp_path / "c.mhd").frames[0, 0], PICTURE)


@pytest.mark.parametrize("compress", [False, True])
def test_both_renamed_together(tmp_path, compress):
    path = save(tmp_path / "old.mhd", useCompression=compress)
    suffix = ".zraw" if compress else ".raw"
    rename(path, f"new{suffix}")
    path = path.rename(tmp_path / "new.mhd")
    assert pixel_files(path) == (tmp_path / f"new{suffix}",)
    image = read_image(path)
    assert np.array_equal(image.frames[0, 0], PICTURE)
    assert f"names old{suffix}" in image.notes[0]
    assert f"new{suffix} was read" in image.notes[0]


def test_header_renamed_alone_and_named_file_there(tmp_path):
    path = save(tmp_path / "old.mhd").rename(tmp_path / "new.mhd")
    assert pixel_files(path) == (tmp_path / "old.raw",)
    assert read_image(path).notes == ()


@pytest.mark.parametrize("compress", [False, True])
def test_the_only_file_of_the_right_size(tmp_path, compress):
    path = save(tmp_path / "a.mhd", useCompression=compress)
    renamed = rename(path, "export_17.raw")
    save(tmp_path / "b.mhd")  # as large, and another header's
    (tmp_path / "c.raw").write_bytes(bytes(36))
    assert pixel_files(path) == (renamed,)
    assert np.array_equal(read_image(path).frames[0, 0], PICTURE)
    (tmp_path / "d.raw").write_bytes(renamed.read_bytes())
    with pytest.raises(InputError, match=r"its pixel file a\.z?raw is missing"):
        read_image(path)


@pytest.mark.parametrize("other", ["b.mhd", "b.mha"])
def test_never_the_pixels_of_another_header(tmp_path, other):
    path = save(tmp_path / "a.mhd")
    (tmp_path / "a.raw").unlink()
    save(tmp_path / other, 34 - PICTURE)
    if other == "b.mhd":
        rename(tmp_path / other, "b_pixels.raw")
        header = (tmp_path / other).read_text().replace("b.raw", "b_pixels.raw")
        (tmp_path / other).write_text(header)
    for read in (read_image, pixel_files):
        with pytest.raises(InputError, match=r"its pixel file a\.raw is missing"):
            read(path)
    assert not has_pixels(path)


def test_names_of_other_systems(tmp_path):
    path = save(tmp_path / "a.mhd")
    text = path.read_text()
    for name in (r"C:\export\a.raw", "A.RAW", r"pixels\a.raw"):
        path.write_text(text.replace("a.raw", name))
        assert np.array_equal(read_image(path).frames[0, 0], PICTURE), name


def test_in_a_folder_below(tmp_path):
    path = save(tmp_path / "a.mhd")
    (tmp_path / "pixels").mkdir()
    (tmp_path / "a.raw").rename(tmp_path / "pixels" / "a.raw")
    path.write_text(path.read_text().replace("a.raw", "pixels/a.raw"))
    assert pixel_files(path) == (tmp_path / "pixels" / "a.raw",)


def test_a_link_to_the_header(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "x.mhd").symlink_to(save(tmp_path / "store" / "a.mhd"))
    assert np.array_equal(read_image(tmp_path / "study" / "x.mhd").frames[0, 0], PICTURE)


def test_a_pipe_is_no_pixel_file(tmp_path):
    path = save(tmp_path / "a.mhd")
    (tmp_path / "a.raw").unlink()
    os.mkfifo(tmp_path / "a.raw")
    assert not has_pixels(path)


def test_other_images_have_none(tmp_path):
    for name in ("a.png", "a.nii.gz"):
        assert pixel_files(save(tmp_path / name)) == ()
        assert has_pixels(tmp_path / name)
    assert not has_pixels(tmp_path / "gone.png")


def test_a_damaged_header_is_not_one_without_pixels(tmp_path):
    path = save(tmp_path / "a.mhd")
    path.write_text(path.read_text().replace("MET_UCHAR", "MET_STRING"))
    assert has_pixels(path)
