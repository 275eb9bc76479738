"""`cardiotrace convert`: NIfTI and a record out, and the same exam in again."""

import json
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cardiotrace.core.terms import View
from cardiotrace.datasets.exam_discovery import find_exams, read_exam
from cardiotrace.io import read_image
from tests.fake import cine_mri
from tests.fake.ultrasound import INSTITUTION, NAME, NUMBER, region, ultrasound, write


@pytest.fixture(scope="module")
def magnetic(tmp_path_factory) -> Path:
    """A study of cine-MRI; not to be changed."""
    return cine_mri.write_study(tmp_path_factory.mktemp("mri") / "study")


def echo(folder: Path, **elements) -> Path:
    made = ultrasound(regions=[region()], SeriesDescription="A4C", **elements)
    write(folder / "a", made)
    return folder


def assert_same(one, other):
    """Two exams are the same but for their files."""
    assert (one.patient, one.facts, one.frame_rate_hz, one.left_out) == (
        other.patient, other.facts, other.frame_rate_hz, other.left_out
    )  # fmt: skip
    assert [image.name for image in one.images] == [image.name for image in other.images]
    for first, second in zip(one.images, other.images, strict=True):
        a, b = first.image, second.image
        assert first.phases == second.phases
        assert (a.view, a.modality, a.times, a.acquisition) == (b.view, b.modality, b.times, b.acquisition)
        assert (a.notes, a.doubts, a.frames.dtype) == (b.notes, b.doubts, b.frames.dtype)
        np.testing.assert_array_equal(a.frames, b.frames)
        np.testing.assert_array_equal(a.geometry.affine, b.geometry.affine)
        for name in ("pixel_size", "slice_distance", "orientation", "doubts"):
            assert getattr(a.geometry, name) == getattr(b.geometry, name)
        np.testing.assert_array_equal(a.times_ms, b.times_ms)


def test_cine_mri_and_back(magnetic, tmp_path, command):
    status, out, error = command("convert", magnetic, "--out", tmp_path / "out")
    assert status == 0, error
    assert "SAX.nii.gz, 4CH.nii.gz, exam.json" in out
    before = read_exam(magnetic)
    assert [image.image.grid_shape[:2] for image in before.images] == [(10, 3), (10, 1)]
    assert_same(before, read_exam(tmp_path / "out" / "study"))
    assert [found.name for found in find_exams([tmp_path / "out"])] == ["study"]
    assert_same(before, find_exams([tmp_path / "out"])[0].read())


def test_the_affine_is_that_of_the_slices(magnetic, tmp_path, command):
    command("convert", magnetic, "--out", tmp_path)
    written = nibabel.load(tmp_path / "study" / "SAX.nii.gz")
    assert written.shape == (*reversed(cine_mri.SHAPE), cine_mri.SLICES, cine_mri.PHASES)
    assert written.header["pixdim"][4] == pytest.approx(cine_mri.BEAT_MS / cine_mri.PHASES)
    assert written.header.get_xyzt_units() == ("mm", "msec")
    row, column, across = cine_mri.directions(*cine_mri.SHORT_AXIS)
    pixels = np.asarray(written.dataobj)
    first = read_exam(magnetic).images[0].image
    for x, y, z in ((0, 0, 0), (31, 0, 2), (5, 23, 1)):
        # Slices run from base to apex, whichever way they were numbered.
        number = z if first.geometry.affine[:3, 0] @ (across * (-1, -1, 1)) > 0 else cine_mri.SLICES - 1 - z
        lps = np.array([-40.0, -110.0, 60.0]) + cine_mri.STEP_MM * number * across
        lps += row * x * cine_mri.PIXEL_MM[1] + column * y * cine_mri.PIXEL_MM[0]
        np.testing.assert_allclose((written.affine @ (x, y, z, 1))[:3], lps * (-1, -1, 1), atol=1e-4)
        assert pixels[x, y, z, 4] == first.frames[4, z, y, x]


def test_ultrasound_with_uneven_times(tmp_path, command):
    steps = [0, 20, 30, 25, 45]
    study = echo(tmp_path / "study", FrameTimeVector=steps, FrameIncrementPointer=0x00181065)
    assert command("convert", study, "--out", tmp_path / "out")[0] == 0
    stated = json.loads((tmp_path / "out" / "study" / "exam.json").read_text())
    image = stated["images"][0]
    assert stated["format"] == "cardiotrace exam 1"
    assert image["times_ms"] == [0, 20, 50, 75, 120]
    assert (image["is_evenly_timed"], image["frame_interval_ms"]) == (False, 30)
    assert (image["view"], image["modality"], image["orientation"]) == ("4CH", "US", "unknown")
    assert nibabel.load(tmp_path / "out" / "study" / "A4C.nii.gz").header["pixdim"][4] == 30
    assert stated["patient"] == {"sex": "F", "age_years": 63.0, "height_cm": 170.0, "weight_kg": 70.0}
    assert stated["facts"]["date"] == "2024-04-13"
    assert_same(read_exam(study), read_exam(tmp_path / "out" / "study"))


def test_nothing_tells_who_it_is(magnetic, tmp_path, command):
    command("convert", magnetic, "--out", tmp_path)
    told = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(word.encode() in told for word in (NAME, NUMBER, INSTITUTION, "19300412"))


def test_what_is_not_known_stays_unknown(tmp_path, command):
    made = ultrasound(SequenceOfUltrasoundRegions=None, FrameTime=None, FrameIncrementPointer=None)
    write(tmp_path / "study" / "a", made)
    command("convert", tmp_path / "study", "--out", tmp_path / "out")
    after = read_exam(tmp_path / "out" / "study")
    assert after.images[0].image.spacing_mm is None
    assert after.images[0].image.times_ms is None
    assert_same(read_exam(tmp_path / "study"), after)


def test_other_formats_too(camus, tmp_path, command):
    patient = next(iter(sorted((camus / "database_nifti").iterdir())))
    assert command("convert", patient, "--out", tmp_path)[0] == 0
    assert_same(read_exam(patient).distinct(), read_exam(tmp_path / patient.name).distinct())


def test_measures_are_the_same(tmp_path, command, model, camus):
    source = next(iter(sorted((camus / "database_nifti").iterdir()))) / "patient0001_4CH_half_sequence.nii.gz"
    heart = read_image(source, view=View.FOUR_CHAMBER).frames[:, 0].astype(np.uint8)
    rows, columns = heart.shape[1:]
    made = ultrasound(heart, regions=[region((0, 0, columns - 1, rows - 1))], SeriesDescription="A4C")
    write(tmp_path / "study" / "a", made)
    assert command("convert", tmp_path / "study", "--out", tmp_path / "nifti")[0] == 0
    found = []
    for exam in (tmp_path / "study", tmp_path / "nifti" / "study"):
        out = tmp_path / f"out-{len(found)}"
        assert command("analyse", exam, "--model", model, "--out", out)[0] == 0
        found.append(json.loads((out / "study" / "measures.json").read_text())["quantities"])
    assert found[0]
    assert found[0] == found[1]


def test_done_is_not_done_again_and_nothing_of_the_users_is_lost(magnetic, tmp_path, command):
    command("convert", magnetic, "--out", tmp_path)
    assert "were made from the same files" in command("convert", magnetic, "--out", tmp_path)[1]
    record = tmp_path / "study" / "exam.json"
    record.write_text(record.read_text().replace('"SAX"', '"SAX" '))
    status, _, error = command("convert", magnetic, "--out", tmp_path)
    assert status == 2
    assert "was changed by hand" in error
    assert command("convert", magnetic, "--out", tmp_path, "--overwrite")[0] == 0
    status, _, error = command("convert", magnetic, "--out", magnetic.parent)
    assert status == 2
    assert "no result" in error


@pytest.mark.parametrize("verb", ["convert", "analyse", "segment", "measure", "anonymise"])
def test_nothing_is_written_among_originals(magnetic, model, tmp_path, command, verb):
    """Each verb that writes refuses it, whatever the folder is called and whether or not it is there yet."""
    more = {"measure": ("--labels", tmp_path), "analyse": ("--model", model), "segment": ("--model", model)}
    before = {path.relative_to(magnetic): path.stat().st_mtime_ns for path in magnetic.rglob("*")}
    for out in (magnetic, magnetic / "results" / "of-today"):
        status, _, error = command(verb, magnetic, "--out", out, *more.get(verb, ()))
        assert status == 2
        assert f"{out}: --out lies among the originals" in error
    assert {path.relative_to(magnetic): path.stat().st_mtime_ns for path in magnetic.rglob("*")} == before


def test_results_beside_images_that_are_no_dicom(magnetic, tmp_path, command):
    command("convert", magnetic, "--out", tmp_path / "nifti")
    study = tmp_path / "nifti" / "study"
    status, _, error = command("convert", study, "--out", study / "out")
    assert (status, error) == (0, "")
    assert_same(read_exam(magnetic), read_exam(study / "out" / "study"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "4CH.nii.gz").unlink(), "no such file"),
        (lambda folder: shutil.copy(folder / "SAX.nii.gz", folder / "4CH.nii.gz"), "has shape"),
        (lambda folder: edit(folder, '"cardiotrace exam 1"', '"cardiotrace exam 2"'), "newer CardioTrace"),
        (lambda folder: edit(folder, '"4CH.nii.gz"', '"../4CH.nii.gz"'), "places an image at"),
        (lambda folder: edit(folder, '"file": "SAX.nii.gz"', '"file": 5'), "is no record of an exam"),
        (lambda folder: shift(folder / "SAX.nii.gz"), "from where exam.json says"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(magnetic, tmp_path, command, change, words):
    command("convert", magnetic, "--out", tmp_path)
    change(tmp_path / "study")
    status, _, error = command("show", tmp_path / "study")
    assert status == 3
    assert words in error


def edit(folder, old, new):
    record = folder / "exam.json"
    text = record.read_text()
    assert old in text
    record.write_text(text.replace(old, new, 1))


def shift(path):
    image = nibabel.load(path)
    affine = image.affine.copy()
    affine[0, 3] += 2
    image.set_sform(affine)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine, image.header), path)


@pytest.mark.data
@pytest.mark.slow
def test_equal_to_dcm2niix_on_real_files(data_root, tmp_path, command):
    program, study = shutil.which("dcm2niix"), data_root / "bivme_dicom" / "patient1"
    if program is None or not study.is_dir():
        pytest.skip("dcm2niix or the study is not at hand")
    (tmp_path / "theirs").mkdir()
    subprocess.run([program, "-f", "%s_%p", "-o", tmp_path / "theirs", study], check=True, capture_output=True)
    assert command("convert", study, "--out", tmp_path / "ours")[0] == 0
    theirs = [nibabel.load(path) for path in sorted((tmp_path / "theirs").glob("*.nii"))]
    folder = tmp_path / "ours" / "patient1"
    names = [path.name for path in sorted(folder.glob("*.nii.gz"))]
    assert len(names) == 5
    for name in names:
        ours = nibabel.load(folder / name)
        for depth in range(ours.shape[2]):
            assert any(shows_plane(other, ours, depth) for other in theirs), f"{name}, slice {depth}"


def shows_plane(theirs, ours, depth) -> bool:
    """Whether an image of another program has the voxels of a plane: their places, and their values."""
    # Of the other image's voxels those that lie nearest to the corners of the plane, whatever its storage order.
    width, height = ours.shape[:2]
    to_theirs = np.linalg.inv(theirs.affine) @ ours.affine
    corners = np.array([[x, y, depth, 1] for x in (0, width - 1) for y in (0, height - 1)]).T
    indices = np.rint((to_theirs @ corners)[:3]).astype(int)
    if (indices < 0).any() or (indices >= np.array(theirs.shape[:3])[:, None]).any():
        return False
    places = theirs.affine @ np.vstack([indices, np.ones(4)])
    # Slices of several series lie where each was measured, to a micrometre on one line: one affine map is met by the
    # first and the last of them.
    is_end = depth in (0, ours.shape[2] - 1)
    limit_mm = 1e-4 if is_end or theirs.shape[2] == ours.shape[2] else 1e-3
    if np.abs(places - ours.affine @ corners).max() > limit_mm or theirs.shape[3:] != ours.shape[3:]:
        return False
    x, y = np.meshgrid(np.arange(width), np.arange(height), indexing="ij")
    points = np.stack([x, y, np.full_like(x, depth), np.ones_like(x)]).reshape(4, -1)
    found = np.rint((to_theirs @ points)[:3]).astype(int)
    values = np.asarray(theirs.dataobj)[tuple(found)].reshape(width, height, -1)
    return bool((values == np.asarray(ours.dataobj)[:, :, depth].reshape(width, height, -1)).all())
