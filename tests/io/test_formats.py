import pickle
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import FileSource
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.io import labels_path, read_image, read_labels, read_metadata, write_labels
from cardiotrace.io.formats import FORMATS, image_suffixes, label_suffixes


def test_each_suffix_belongs_to_one_format():
    suffixes = [suffix for form in FORMATS for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes)) == 25
    assert all(form.summary for form in FORMATS)


@pytest.mark.parametrize("read", [read_image, read_metadata, lambda path: read_labels(path, CAMUS)])
def test_missing(tmp_path, read):
    with pytest.raises(InputError, match="no such file or folder") as caught:
        read(tmp_path / "a.nii.gz")
    assert caught.value.where == str(tmp_path / "a.nii.gz")
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["a.docx", "a", "a.gz", "nii"])
def test_unknown_suffix(tmp_path, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=r"known: \.nii\.gz, \.nii, \.mhd"):
        read_image(tmp_path / name)


@pytest.mark.parametrize(
    ("path", "form", "suffix", "expected"),
    [
        ("p/patient0100_4CH_ED.nii.gz", "nifti", ".nii.gz", "patient0100_4CH_ED_labels.nii.gz"),
        ("p/a.b.NII", "nifti", ".NII", "a.b_labels.NII"),
        ("p/a.mhd", "metaimage", ".mhd", "a_labels.mhd"),
        ("p/a.JPG", "image", ".JPG", "a_labels.png"),
        ("p/a.tif", "image", ".tif", "a_labels.tif"),
        ("p/frames", "folder", "", "frames_labels"),
        ("p/a.mp4", "video", ".mp4", "a_labels.nii.gz"),
        ("p/a.dcm", "dicom", ".dcm", "a_labels.nii.gz"),
    ],
)
def test_label_names(path, form, suffix, expected):
    assert labels_path(FileSource(Path(path), form, suffix), "out") == Path("out") / expected


@pytest.mark.parametrize("name", ["b.png", "b.mhd", "b.jpg", "b.txt", "b"])
def test_the_suffix_must_be_what_is_written(tmp_path, name):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 3), np.uint8), np.eye(4)), tmp_path / "a.nii")
    source = read_image(tmp_path / "a.nii").source
    labels = LabelMap(np.zeros((1, 1, 3, 4), np.uint8), CAMUS, NO_GEOMETRY, source)
    with pytest.raises(InputError, match=r"the name must end in \.nii\.gz or \.nii\."):
        write_labels(labels, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii"]


def test_labels_of_an_unknown_format_are_nifti(tmp_path):
    source = FileSource(Path("exam.dcm"), "dicom", ".dcm")
    labels = LabelMap(np.ones((1, 1, 3, 4), np.uint8), CAMUS, Geometry.of_spacing((1.0, 0.5, 0.25)), source)
    write_labels(labels, labels_path(source, tmp_path))
    assert read_labels(tmp_path / "exam_labels.nii.gz", CAMUS).spacing_mm == (1.0, 0.5, 0.25)


def test_a_cine_travels_between_processes(tmp_path):
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "a.png")
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 3), np.uint8), np.eye(4)), tmp_path / "a.nii")
    for name in ("a.png", "a.nii"):
        cine = read_image(tmp_path / name)
        assert pickle.loads(pickle.dumps(cine)).source == cine.source


def test_metadata_reads_no_pixels(tmp_path):
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((40, 30, 2), np.int16), np.diag([0.5, 0.25, 8, 1])), path)
    expected = {
        "format": "nifti", "shape": [40, 30, 2], "dtype": "int16", "channels": 1,
        "spacing_mm": [0.5, 0.25, 8.0], "frame_interval_ms": None,
    }  # fmt: skip
    assert read_metadata(str(path)) == expected


def test_importing_costs_nothing():
    code = (
        "import sys, cardiotrace.io; "
        "print([m for m in ('nibabel', 'SimpleITK', 'PIL', 'av', 'tifffile', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("suffix", [".nii.gz", ".mhd", ".mha", ".png", ".tif"])
def test_labels_never_replace_their_image(tmp_path, suffix):
    image = SimpleITK.GetImageFromArray(np.full((3, 4), 2, np.uint8))
    path = tmp_path / f"a{suffix}"
    SimpleITK.WriteImage(image, str(path))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    labels = LabelMap(np.ones((1, 1, 3, 4), np.uint8), CAMUS, NO_GEOMETRY, read_image(path).source)
    with pytest.raises(InputError, match="overwrite the image itself"):
        write_labels(labels, path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    corrected = read_labels(path, CAMUS)  # the same file as a label map may be corrected in place
    write_labels(corrected.__class__(corrected.array - 1, CAMUS, None, corrected.source), path)
    assert read_labels(path, CAMUS).array.max() == 1


def test_labels_never_replace_the_pixels_of_their_image(tmp_path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.full((3, 4), 2, np.uint8)), str(tmp_path / "a.mhd"))
    (tmp_path / "a.mhd").rename(tmp_path / "header.mhd")
    labels = LabelMap(np.ones((1, 1, 3, 4), np.uint8), CAMUS, NO_GEOMETRY, read_image(tmp_path / "header.mhd").source)
    with pytest.raises(InputError, match="overwrite the image itself"):
        write_labels(labels, tmp_path / "a.mhd")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mhd", ".mha", ".png", ".jpg", ".bmp", ".tif"])
def test_a_damaged_file_is_read_or_refused(tmp_path, capfd, suffix):
    """Bytes overwritten at random: never another kind of error, never a word on the terminal."""
    image = SimpleITK.GetImageFromArray(np.arange(600, dtype=np.uint8).reshape(20, 30))
    path = tmp_path / f"a{suffix}"
    SimpleITK.WriteImage(image, str(path))
    sound = path.read_bytes()
    random = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        content = bytearray(sound)
        for position in random.integers(0, min(len(content), 700), 4):
            content[position] = random.integers(256)
        path.write_bytes(content)
        try:
            read_image(path)
        except InputError:
            refused += 1
    assert refused > 2
    assert capfd.readouterr() == ("", "")


def test_films_and_dicom_hold_no_label_maps() -> None:
    """Of results that hold a segmentation for the archive beside the label map, the label map alone is one."""
    assert {".dcm", ".avi", ".jpg"} <= {*image_suffixes()}
    assert not {".dcm", ".avi", ".jpg"} & {*label_suffixes()}
    assert {".nii.gz", ".png", ".mhd"} <= {*label_suffixes()}
