"""Odd cine-MRI: axes swapped or turned, phases missing, few slices and many, odd pixels. Handled, or one clear line."""

import json
import math
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.cli.test_bad_input import said_once
from tests.fake.acdc import write_acdc
from tests.fake.heart import short_axis
from tests.fake.models import write_acdc_model

SLICES, SPACING_MM = 8, (1.4, 1.5, 10.0)  # x, y, z
LABELS = short_axis(SLICES, (64, 80), size=1.4).transpose()
# Grey values that the model tells apart without a mistake, but for one pixel in thousands.
PIXELS = (np.array([20, 90, 180, 120])[LABELS] + np.random.default_rng(0).normal(0, 4, LABELS.shape)).astype(np.uint8)
AFFINE = np.array([[-1.4, 0, 0, 40], [0, -1.5, 0, 30], [0, 0, 10.0, -20], [0, 0, 0, 1]], np.float64)
CAVITY = 3


def volume_ml(labels=LABELS, affine=AFFINE) -> float:
    return np.count_nonzero(labels == CAVITY) * abs(np.linalg.det(affine[:3, :3])) / 1000


@pytest.fixture(scope="module")
def sax(tmp_path_factory) -> Path:
    return write_acdc_model(tmp_path_factory.mktemp("models") / "sax.onnx")


@pytest.fixture
def analyse(command, tmp_path, sax):
    """Analyse one stack: status, values by name and words of flags, what was said on standard error."""

    def run(pixels, affine=AFFINE, *, words=("--third-axis", "depth")):
        folder = tmp_path / "exam"
        folder.mkdir()
        nibabel.save(nibabel.Nifti1Image(pixels, affine), folder / "p1_sax_ED.nii.gz")
        out = tmp_path / "out"
        status, _, error = command("analyse", folder, "--out", out, "--model", sax, "--view", "SAX", *words)
        found = list(out.rglob("measures.json"))
        plain = json.loads(found[0].read_text()) if found else {}
        values = {item["name"]: item["value"] for item in plain.get("quantities", ())}
        return status, values, " | ".join(flag["text"] for flag in plain.get("flags", ())), error

    return run


EDV = "left_ventricular_end_diastolic_volume"


def turned(degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return matrix


def mirrored(axis: int) -> np.ndarray:
    affine = AFFINE.copy()
    affine[:3, 3] += affine[:3, axis] * (PIXELS.shape[axis] - 1)
    affine[:3, axis] *= -1
    return affine


def scaled(plane: float, depth: float = 1.0) -> np.ndarray:
    return AFFINE @ np.diag([plane, plane, depth, 1.0])


SHIFTED = AFFINE.copy()
SHIFTED[0, 2] = 4.0  # each slice 4 mm beside the one before

HANDLED = {
    "flipped along x": (PIXELS[::-1], mirrored(0)),
    "flipped along z": (PIXELS[:, :, ::-1], mirrored(2)),
    "oblique": (PIXELS, turned(35) @ AFFINE),
    "slices shifted sideways": (PIXELS, SHIFTED),
    "0.5 mm pixels": (np.kron(PIXELS, np.ones((3, 3, 1), np.uint8)), scaled(1 / 3)),
    "3 mm pixels": (PIXELS[::2, ::2], scaled(2.0)),
    "40 slices": (np.repeat(PIXELS, 5, axis=2), scaled(1.0, 0.2)),
}


@pytest.mark.parametrize("kind", HANDLED)
def test_a_volume_does_not_depend_on_how_the_stack_is_stored(analyse, kind):
    pixels, affine = HANDLED[kind]
    status, values, flags, error = analyse(pixels, affine)
    assert (status, error) == (0, "")
    assert values[EDV] == pytest.approx(volume_ml(), rel=0.02)
    assert "only one instant" in flags


def test_two_slices_are_measured_and_doubted(analyse):
    status, values, flags, _ = analyse(PIXELS[:, :, 3:5])
    assert status == 0
    assert values[EDV] == pytest.approx(volume_ml(LABELS[:, :, 3:5]), rel=0.02)
    assert "only 2 slices show the left ventricle" in flags


def test_one_slice_has_no_volume(analyse):
    status, values, flags, _ = analyse(PIXELS[:, :, 3:4])
    assert status == 0
    assert EDV not in values
    assert "a single slice gives areas" in flags


def test_a_dark_slice_leaves_the_rest_of_the_heart(analyse):
    pixels = PIXELS.copy()
    pixels[:, :, 4] = 0
    status, values, flags, _ = analyse(pixels)
    assert status == 0
    others = np.delete(LABELS, 4, axis=2)
    assert values[EDV] == pytest.approx(volume_ml(others), rel=0.02)  # not half of it
    assert "slice 4 is blank" in flags
    assert "missing in a slice between base and apex" in flags


def test_an_image_of_zeros_has_no_values(analyse):
    status, values, flags, _ = analyse(PIXELS * 0)
    assert status == 0
    assert values == {}
    assert "the image is blank" in flags
    assert "nothing was measured" in flags


def test_swapped_axes_are_asked_about(analyse):
    status, values, _, error = analyse(PIXELS.transpose(2, 1, 0), np.diag([10.0, 1.5, 1.4, 1.0]), words=())
    assert (status, values) == (3, {})
    line, remedy = said_once(error)
    assert "its 80 planes can be" in line
    assert "--third-axis" in remedy


def test_a_missing_phase_is_told(command, tmp_path, sax):
    write_acdc(tmp_path, training=1)
    patient = tmp_path / "database/training/patient001"
    for file in patient.glob("*frame12*"):
        file.unlink()
    status, out, _ = command("analyse", patient, "--out", tmp_path / "out", "--model", sax)
    assert status == 0
    assert "only one instant: no ejection fraction" in " ".join(out.split())


def test_a_video_of_three_axes_is_one_stack(command, tmp_path):
    write_acdc(tmp_path, training=1)
    patient = tmp_path / "database/training/patient001"
    shutil.copy(patient / "patient001_frame01.nii.gz", patient / "patient001_4d.nii.gz")
    status, out, _ = command("show", patient, "--json")
    image = json.loads(out)[0]["images"][-1]
    assert (status, image["image"], image["frames"], image["slices"]) == (0, "patient001_4d", 1, 4)
    assert "frame 12 is named as ES, and there are 1" in json.loads(out)[0]["notes"][-1]


@pytest.fixture
def folders(tmp_path):
    """Predicted and reference labels of one stack, the predicted ones changed."""

    def write(labels, affine=AFFINE):
        for folder, array, placed in (("predicted", labels, affine), ("reference", LABELS, AFFINE)):
            (tmp_path / folder).mkdir()
            nibabel.save(nibabel.Nifti1Image(array, placed), tmp_path / folder / "p1_sax_ED_gt.nii.gz")
        return tmp_path / "predicted", tmp_path / "reference", "--scheme", "acdc", "--third-axis", "depth"

    return write


@pytest.mark.parametrize(
    ("labels", "affine"),
    [(LABELS[::-1], mirrored(0)), (LABELS.transpose(2, 0, 1), AFFINE[:, [2, 0, 1, 3]])],
    ids=["flipped", "axes exchanged"],
)
def test_labels_stored_in_another_order_score_the_same(command, folders, labels, affine):
    status, out, error = command("evaluate", *folders(labels, affine), "--json")
    assert (status, error) == (0, "")
    assert [row["dice"] for row in json.loads(out)] == [1.0] * 3


def test_labels_of_another_grid_are_refused_in_a_line(command, folders):
    status, _, error = command("evaluate", *folders(LABELS[:, :, 2:4]))
    assert status == 3
    line, reason = said_once(error)
    assert "no case could be evaluated" in line
    assert "p1_sax_ED" in reason


def test_another_label_order_is_asked_about(command, folders):
    exchanged = np.array([0, 3, 2, 1], np.uint8)[LABELS]
    status, out, error = command("evaluate", *folders(exchanged), "--json")
    assert status == 0
    assert {row["region"]: row["dice"] for row in json.loads(out)}["RV"] < 0.1
    assert "the myocardium encloses what is labelled RV, not LV: are these mnms labels?" in " ".join(error.split())


def test_empty_predictions_are_missed_structures(command, folders):
    status, out, _ = command("evaluate", *folders(LABELS * 0), "--json")
    rows = json.loads(out)
    assert status == 0
    assert {(row["presence"], row["dice"], row["hausdorff_mm"]) for row in rows} == {("false negative", 0.0, None)}
