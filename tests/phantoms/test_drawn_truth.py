"""Tables of truth hold what is drawn: contours, trees, shares and volumes are found again in labels and masks."""

import dataclasses

import numpy as np
import pytest
from skimage.draw import polygon2mask

from cardiotrace.core.terms import Structure, View
from cardiotrace.metrics import dice
from cardiotrace.phantoms import EchoPhantom, echo_exam
from cardiotrace.phantoms.choice import PhantomConfig, draw_patient
from cardiotrace.phantoms.echo.exam import IMAGE_NAMES
from cardiotrace.phantoms.fundus import FundusPhantom, fundus_image
from cardiotrace.phantoms.patient import render_patient


@pytest.fixture(scope="module")
def echo():
    views = [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.SAX]
    return echo_exam(EchoPhantom(frame_count=12, spacing_mm=0.8, seed=2), views=views)


@pytest.mark.parametrize("view", [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.SAX])
def test_labels_are_the_inside_of_the_true_contours(echo, view):
    name = IMAGE_NAMES[view]
    labels, truth = echo.labels[name], echo.truths[name]
    shape = labels.array.shape[2:]
    for frame in (0, truth.end_systolic_frame):
        cavity = polygon2mask(shape, truth.endocardium[frame])
        outer = polygon2mask(shape, truth.epicardium[frame])
        assert dice(labels.mask(Structure.LV)[frame, 0], cavity) > 0.985
        both = labels.mask(Structure.LV)[frame, 0] | labels.mask(Structure.MYO)[frame, 0]
        assert dice(both, outer) > 0.985
        if view is not View.SAX:
            assert dice(labels.mask(Structure.LA)[frame, 0], polygon2mask(shape, truth.atrium[frame])) > 0.97


@pytest.mark.parametrize("view", [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.SAX])
def test_sizes_of_the_truth_are_those_of_its_contours(echo, view):
    truth = echo.truths[IMAGE_NAMES[view]]
    for frame in range(12):
        row, column = truth.endocardium[frame].T * 0.8
        # Green's theorem around the closed contour.
        area = abs(np.sum(row * np.roll(column, -1) - column * np.roll(row, -1))) / 2 / 100
        assert truth.area_cm2[frame] == pytest.approx(area, rel=1e-9)
        steps = np.hypot(np.diff(row), np.diff(column)).sum()
        closing = np.hypot(row[0] - row[-1], column[0] - column[-1]) if view is View.SAX else 0.0
        assert truth.contour_length_mm[frame] == pytest.approx(steps + closing, rel=1e-9)
        if view is View.SAX:
            assert np.isnan(truth.length_mm[frame])
            continue
        middle = np.array([(row[0] + row[-1]) / 2, (column[0] + column[-1]) / 2])
        assert truth.length_mm[frame] == pytest.approx(np.hypot(row - middle[0], column - middle[1]).max(), rel=1e-9)


@pytest.mark.parametrize("eye", ["left", "right"])
def test_vessels_of_the_trees_lie_in_the_masks(eye):
    made = fundus_image(FundusPhantom(camera="drive", eye=eye, seed=3))
    truth, side = made.truth, 1 if eye == "left" else -1
    for tree, mask in ((truth.artery_tree, made.arteries), (truth.vein_tree, made.veins)):
        wide = [vessel for vessel in tree if vessel.radii_mm.min() * truth.px_per_mm > 1.2]
        points = np.concatenate([vessel.points_mm for vessel in wide]) * truth.px_per_mm
        rows = np.rint(truth.disc_centre[0] + points[:, 1]).astype(int)
        columns = np.rint(truth.disc_centre[1] + side * points[:, 0]).astype(int)
        inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
        rows, columns = rows[inside], columns[inside]
        seen = made.field_of_view[rows, columns]
        assert seen.sum() > 200
        assert mask[rows, columns][seen].mean() > 0.995
        # Mirrored about the disc they lie elsewhere.
        other = np.clip(np.rint(2 * truth.disc_centre[1]).astype(int) - columns, 0, mask.shape[1] - 1)
        assert mask[rows, other].mean() < 0.5


def test_disc_of_the_truth_is_the_disc_that_is_drawn():
    made = fundus_image(FundusPhantom(camera="drive", seed=5))
    rows, columns = np.nonzero(made.disc)
    assert (rows.mean(), columns.mean()) == pytest.approx(made.truth.disc_centre, abs=0.6)
    half_height, half_width = made.truth.disc_half_axes
    assert made.disc.sum() == pytest.approx(np.pi * half_height * half_width, rel=0.03)
    assert np.ptp(rows) / 2 == pytest.approx(half_height, abs=1.0)


def test_row_of_an_echo_patient_is_what_its_images_hold():
    config = PhantomConfig(kind="echo", count=2, frame_count=12, spacing_mm=1.0, pathologies=("normal", "dilated"))
    normal, dilated = (render_patient(draw_patient(config, number), ("4CH", "2CH")) for number in (1, 2))
    assert (normal.truth["pathology"], dilated.truth["pathology"]) == ("normal", "dilated")
    assert dilated.truth["end_diastolic_ml"] > normal.truth["end_diastolic_ml"]
    for made in (normal, dilated):
        row, phantom = made.truth, made.drawn.phantom
        ejected = 100 * (1 - row["end_systolic_ml"] / row["end_diastolic_ml"])
        assert row["ejection_fraction_percent"] == pytest.approx(ejected)
        assert row["end_diastolic_ml"] == pytest.approx(phantom.end_diastolic_ml, rel=1e-6)
        assert made.curves["volume_ml"][row["end_systolic_frame"]] == min(made.curves["volume_ml"])
        for view in ("4ch", "2ch"):
            labels = made.labels[f"phantom_{view.upper()}"]
            drawn = labels.mask(Structure.LV)[row["end_diastolic_frame"]].sum() / 100
            assert row[f"{view}_area_ed_cm2"] == pytest.approx(drawn, rel=0.02)
            assert row[f"{view}_simpson_ed_ml"] == pytest.approx(row["end_diastolic_ml"], rel=0.15)


def test_row_of_an_eye_is_what_its_masks_hold():
    config = PhantomConfig(kind="fundus", count=3, vendors=("drive",), pathologies=("diabetic",))
    made = render_patient(draw_patient(config, 3))
    shown = made.photograph
    inside = shown.field_of_view.sum()
    assert made.truth["artery_share_percent"] == pytest.approx(100 * shown.arteries.sum() / inside)
    assert made.truth["lesion_share_percent"] == pytest.approx(100 * shown.lesions.sum() / inside)
    assert made.truth["lesion_share_percent"] > 0
    (labels,) = made.labels.values()
    assert labels.array.sum() == shown.vessels.sum() == (shown.arteries | shown.veins).sum()
    assert made.truth["vessel_share_percent"] == pytest.approx(100 * labels.array.sum() / inside)
    assert (made.truth["pathology"], made.truth["camera"]) == ("diabetic", "drive")


def test_lesions_are_where_the_photograph_differs_from_a_healthy_one():
    sick = fundus_image(FundusPhantom(camera="drive", pathology="drusen", seed=9))
    healthy = fundus_image(
        dataclasses.replace(FundusPhantom(camera="drive", pathology="drusen", seed=9), pathology="normal")
    )
    np.testing.assert_array_equal(sick.vessels, healthy.vessels)
    assert not healthy.lesions.any()
    change = np.abs(sick.image.astype(int) - healthy.image.astype(int)).sum(axis=2)
    assert change[sick.lesions].mean() > 4 * change[sick.field_of_view & ~sick.lesions].mean()
