"""Folders and data sets to tables; nothing is dropped in silence."""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, CAMUS, LV_ONLY, MNMS, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.evaluation import CaseTable, evaluate_labels, evaluate_predictor
from cardiotrace.evaluation.pairing import folder_cases, label_files
from cardiotrace.evaluation.quantity import PatientQuantity
from cardiotrace.evaluation.score import CasePrediction, quantities_of
from cardiotrace.inference import Predictor
from cardiotrace.io import write_labels
from tests.evaluation.cases import half_ellipse, label_map, make_case, square
from tests.fake.heart import set_spacing, short_axis, write_nifti
from tests.fake.models import make_model, make_spec, threshold_network
from tests.fake.order import FLIP_X, SWAP_XY, oblique, place, reorder


def evaluate_folders(predicted: Path, reference: Path) -> CaseTable:
    return evaluate_labels(predicted, folder_cases(label_files(reference), CAMUS), CAMUS)


def fractions(table: CaseTable) -> list[PatientQuantity]:
    return [item for item in table.quantities if item.key == "left_ventricular_ejection_fraction_percent"]


def write(folder: Path, name: str, plane: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    write_labels(label_map(plane), folder / name)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    predicted, reference = tmp_path / "predicted", tmp_path / "reference"
    write(reference, "patient0001_4CH_ED_gt.nii.gz", half_ellipse(100, 40))
    write(reference, "patient0001_4CH_ED.nii.gz", half_ellipse(20, 20))  # the image, which is not taken
    write(reference, "patient0001_4CH_ES_gt.nii.gz", half_ellipse(80, 30))
    write(predicted, "patient0001_4CH_ED_labels.nii.gz", half_ellipse(100, 40))
    write(predicted, "patient0001_4CH_ES_labels.nii.gz", half_ellipse(80, 36))
    return predicted, reference


def test_two_folders(folders: tuple[Path, Path]) -> None:
    table = evaluate_folders(*folders)
    assert table.cases == ("patient0001_4CH_ED", "patient0001_4CH_ES")
    assert table.problems == ()
    first, last = table.rows[0], table.rows[3]
    assert (first.patient, first.view, first.phase) == ("patient0001", View.FOUR_CHAMBER, Phase.ED)
    assert first.scores["dice"] == 1.0
    assert last.phase is Phase.ES
    # Half ellipses of the same length: 2 * 30 / (30 + 36).
    assert last.scores["dice"] == pytest.approx(2 * 30 / 66, abs=0.01)
    # Volume of half an ellipsoid of revolution goes with length times radius squared.
    (ejection,) = fractions(table)
    assert ejection.traced == pytest.approx(100 * (1 - 0.8 * (30 / 40) ** 2), abs=1.5)
    assert ejection.predicted == pytest.approx(100 * (1 - 0.8 * (36 / 40) ** 2), abs=1.5)
    assert np.isnan(ejection.stated)


def test_what_is_missing_is_listed(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    (predicted / "patient0001_4CH_ES_labels.nii.gz").unlink()
    write(predicted, "other.nii.gz", square(2, 2, 3))
    table = evaluate_folders(predicted, reference)
    assert table.problems == ("other: a prediction without a reference", "patient0001_4CH_ES: no prediction")
    assert table.cases == ("patient0001_4CH_ED",)


def test_a_file_that_cannot_be_used_is_listed(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    write(predicted, "patient0001_4CH_ES_labels.nii.gz", square(2, 2, 3))  # another grid
    table = evaluate_folders(predicted, reference)
    (problem,) = table.problems
    assert problem == (
        "patient0001_4CH_ES: does not lie on the grid of patient0001_4CH_ES_gt.nii.gz: 40 x 40 voxels against 200 x 200"
    )


def test_nothing_to_evaluate_is_an_error(folders: tuple[Path, Path], tmp_path: Path) -> None:
    reference = folders[1]
    write(tmp_path / "third", "other.nii.gz", square(2, 2, 3))
    with pytest.raises(InputError, match="no case could be evaluated\nother: a prediction without"):
        evaluate_folders(tmp_path / "third", reference)
    with pytest.raises(InputError, match="no such folder"):
        evaluate_folders(tmp_path / "none", reference)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no label files"):
        evaluate_folders(tmp_path / "empty", reference)


def test_figures_of_an_analysis_are_no_predictions(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    write(predicted / "figures", "patient0001_4CH_ED_ED.png", square(2, 2, 3))
    assert "patient0001_4CH_ED_ED" in label_files(predicted)  # somebody's own folder of that name
    (predicted / ".cardiotrace.json").write_text("{}")
    assert evaluate_folders(predicted, reference).problems == ()


def test_a_predictor_on_cases() -> None:
    """The network thresholds an image made of the reference, so it is right but for a stray pixel."""
    reference = (half_ellipse(100, 40) == 1).astype(np.uint8)
    small = (half_ellipse(80, 30) == 1).astype(np.uint8)
    stray = small.copy()
    stray[0, 0] = 1
    facts = {"left_ventricular_ejection_fraction_percent": 56.0}
    cases = [
        make_case("p_ED", reference, patient="p", scheme=LV_ONLY, image=reference * 255, facts=facts),
        make_case("p_ES", small, patient="p", scheme=LV_ONLY, image=stray * 255, phase=Phase.ES, facts=facts),
    ]
    seen: list[tuple[int, int]] = []
    predictor = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY)))
    table = evaluate_predictor(predictor, cases, on_progress=lambda done, total: seen.append((done, total)))
    pixels = int(small.sum())
    assert [row.scores["dice"] for row in table.rows] == pytest.approx([1.0, 2 * pixels / (2 * pixels + 1)])
    assert table.rows[1].scores["precision"] == pytest.approx(pixels / (pixels + 1))
    assert [row.confidence for row in table.rows] == pytest.approx([1.0, 1.0])
    assert seen == [(1, 2), (2, 2)]
    (ejection,) = fractions(table)
    assert ejection.stated == 56.0
    assert ejection.traced == pytest.approx(55, abs=1.5)
    assert table.agreement("left_ventricular_ejection_fraction_percent", "stated").count == 1


def test_right_ventricle_and_mass_agree_too() -> None:
    """Boxes in a stack of six slices of 8 mm: every number is known."""
    phases = {Phase.ED: (10, 12), Phase.ES: (6, 8)}

    def stack(left: int, right: int, extra: int) -> LabelMap:
        array = np.zeros((1, 8, 60, 60), np.uint8)
        array[0, 1:7, 20:40, 20:40] = 2
        array[0, 1:7, 25 : 25 + left, 25:35] = 3
        array[0, 1:7, 20:40, 45 : 45 + right - extra] = 1
        return LabelMap(array, ACDC, Geometry.of_spacing((8.0, 1.0, 1.0)))

    def case(phase: Phase) -> Case:
        left, right = phases[phase]
        blank = Image(np.zeros((1, 8, 60, 60), np.uint8), Geometry.of_spacing((8.0, 1.0, 1.0)), view=View.SAX)
        return Case(
            f"p_{phase}", View.SAX, phase, {"patient": "p"}, lambda: blank, lambda: stack(left, right, 0),
            facts={"left_ventricular_mass_g": 14.0}, modality=Modality.MR,
        )  # fmt: skip

    predictions = [
        CasePrediction(case(phase), stack(*sizes, extra=2), stack(*sizes, extra=0)) for phase, sizes in phases.items()
    ]
    found = {item.key: item for item in quantities_of(predictions)}
    right = found["right_ventricular_end_diastolic_volume_ml"]
    assert (right.predicted, right.traced) == pytest.approx((0.048 * 20 * 10, 0.048 * 20 * 12))
    fraction = found["right_ventricular_ejection_fraction_percent"]
    assert (fraction.predicted, fraction.traced) == pytest.approx((40.0, 100 / 3))
    left = found["left_ventricular_ejection_fraction_percent"]
    assert (left.predicted, left.traced) == pytest.approx((40.0, 40.0))
    mass = found["left_ventricular_mass_g"]
    assert (mass.traced, mass.stated) == pytest.approx((1.05 * 0.048 * (400 - 100), 14.0))
    # A prediction that cannot hold the right ventricle says nothing of it.
    plain = [CasePrediction(item.case, item.predicted.to(LV_ONLY), item.reference) for item in predictions]
    lone = {item.key: item for item in quantities_of(plain)}
    assert np.isnan(lone["right_ventricular_end_diastolic_volume_ml"].predicted)
    assert lone["left_ventricular_ejection_fraction_percent"].predicted == pytest.approx(40.0)


def test_an_unreadable_case_is_listed_and_the_others_are_scored() -> None:
    plane = square(5, 5, 10)
    good = make_case("good", plane, scheme=LV_ONLY, image=plane * 255)

    def fail() -> None:
        raise InputError("the file is empty")

    bad = dataclasses.replace(good, name="bad", read_image=fail)  # type: ignore[arg-type]
    unlabelled = dataclasses.replace(good, name="unlabelled", read_labels=None)
    predictor = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY)))
    table = evaluate_predictor(predictor, [bad, unlabelled, good])
    assert table.cases == ("good",)
    assert table.problems == ("bad: the file is empty",)


def test_scores_on_views_that_a_model_does_not_know_say_so() -> None:
    plane = square(5, 5, 10)
    cases = [make_case(name, plane, scheme=LV_ONLY, image=plane * 255) for name in ("a", "b")]
    spec = make_spec(LV_ONLY, name="short", views=(View.SAX,))
    table = evaluate_predictor(Predictor.of(make_model(threshold_network(0.5), spec)), cases)
    assert table.rows[0].scores["dice"] == 1.0
    (note,) = table.notes
    assert note.startswith("a, b: model short was not trained on view 4CH (but on SAX)")
    known = make_spec(LV_ONLY, views=(View.FOUR_CHAMBER,))
    assert evaluate_predictor(Predictor.of(make_model(threshold_network(0.5), known)), cases).notes == ()


@pytest.mark.data
def test_camus_references_against_themselves(tmp_path: Path, data_root: Path) -> None:
    import shutil

    root = data_root / "camus"
    from cardiotrace.core.catalog import Choice
    from cardiotrace.datasets.catalog import DATASETS

    for patient in ("patient0001", "patient0002"):
        for path in (root / "database_nifti" / patient).glob("*_E[DS]_gt.nii.gz"):
            shutil.copy(path, tmp_path / path.name)
    dataset = DATASETS.make(Choice("camus"), root)
    table = evaluate_labels(tmp_path, dataset.cases(), dataset.scheme)
    assert len(table.cases) == 4
    assert all(row.scores["dice"] == 1.0 and row.scores["hausdorff_mm"] == 0.0 for row in table.rows)
    ejection = {item.patient: item for item in fractions(table)}["patient0001"]
    assert ejection.predicted == ejection.traced
    assert abs(ejection.traced - ejection.stated) < 15


def test_two_labels_of_one_image_are_refused(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    write(predicted / "again", "patient0001_4CH_ED_labels.nii.gz", half_ellipse(20, 20))
    with pytest.raises(InputError, match="are both labels of patient0001_4CH_ED"):
        evaluate_folders(predicted, reference)


def test_predictions_in_another_voxel_order_score_as_if_they_were_not(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    before = evaluate_folders(predicted, reference)
    for path, order in zip(sorted(predicted.iterdir()), (FLIP_X, SWAP_XY), strict=True):
        reorder(path, order)
    table = evaluate_folders(predicted, reference)
    assert [row.scores["dice"] for row in table.rows] == [row.scores["dice"] for row in before.rows]
    assert table.notes == ()


def test_predictions_without_orientation_are_taken_as_they_lie_with_a_word(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    for path in predicted.iterdir():
        place(path, np.eye(4))
    table = evaluate_folders(predicted, reference)
    assert table.rows[0].scores["dice"] == 1.0
    assert table.notes == (
        "patient0001_4CH_ED, patient0001_4CH_ES: predicted labels: the labels state no orientation: the labels were"
        " taken as they lie (RAS against LPS)",
    )


def test_values_that_mean_something_else_are_told(tmp_path: Path) -> None:
    for folder in ("predicted", "reference"):
        write_nifti(tmp_path / folder / "p_SAX_ED.nii.gz", short_axis(), (8.0, 1.4, 1.4))
    cases = folder_cases(label_files(tmp_path / "reference"), MNMS)
    table = evaluate_labels(tmp_path / "predicted", cases, MNMS)
    doubt = "the myocardium encloses what is labelled RV, not LV: are these acdc labels?"
    assert table.notes == (f"p_SAX_ED: predicted labels: {doubt}", f"p_SAX_ED: reference labels: {doubt}")
    assert CaseTable.__from_plain__(table.__to_plain__(), "table").notes == table.notes


def test_sizes_that_are_given_mend_the_headers_of_both_folders(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    before = evaluate_folders(predicted, reference)
    for path in [*predicted.iterdir(), *reference.iterdir()]:
        set_spacing(path, (0.0, 0.0))
    given = (None, 0.5, 0.5)
    cases = folder_cases(label_files(reference), CAMUS, spacing_mm=given)
    table = evaluate_labels(predicted, cases, CAMUS, spacing_mm=given)
    assert [row.scores["hausdorff_mm"] for row in table.rows] == pytest.approx(
        [row.scores["hausdorff_mm"] for row in before.rows], nan_ok=True
    )


def test_metaimage_predictions_of_a_nifti_reference_meet_in_the_patient(tmp_path: Path) -> None:
    """MetaImage counts x and y the other way round; SimpleITK turns the axes here."""
    path = tmp_path / "reference" / "p_SAX_ED.nii.gz"
    write_nifti(path, short_axis(), (8.0, 1.4, 1.4))
    place(path, oblique((1.4, 1.4, 8.0)))
    image = SimpleITK.ReadImage(str(path))
    (tmp_path / "predicted").mkdir()
    turned = SimpleITK.Flip(SimpleITK.PermuteAxes(image, (1, 0, 2)), (True, False, True), False)
    SimpleITK.WriteImage(turned, str(tmp_path / "predicted" / "p_SAX_ED.mha"))
    cases = folder_cases(label_files(tmp_path / "reference"), ACDC)
    table = evaluate_labels(tmp_path / "predicted", cases, ACDC)
    assert [row.scores["dice"] for row in table.rows] == [1.0] * 3
    assert table.rows[0].scores["hausdorff_mm"] == 0.0


def test_a_stack_without_a_slice_distance_has_overlaps_and_no_distances(tmp_path: Path) -> None:
    for folder in ("predicted", "reference"):
        write_nifti(tmp_path / folder / "p_SAX_ED.nii.gz", short_axis(), (8.0, 1.4, 1.4))
        path = tmp_path / folder / "p_SAX_ED.nii.gz"
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[88:92] = np.float32(np.nan).tobytes()
        content[252:256] = bytes(4)  # neither sform nor qform
        path.write_bytes(gzip.compress(bytes(content)))
    table = evaluate_labels(tmp_path / "predicted", folder_cases(label_files(tmp_path / "reference"), ACDC), ACDC)
    assert table.problems == ()
    assert table.rows[0].scores["dice"] == 1.0
    assert np.isnan(table.rows[0].scores["hausdorff_mm"])
