import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Grade, is_doubted
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, CAMUS, LV_ONLY, LabelMap
from cardiotrace.core.terms import Modality, Phase, View, view_name
from tests.clinical.ventricle import Ventricle, image_of, label_map

WIDE = Ventricle(radius_mm=25, length_mm=80, tilt_deg=8)
NARROW = Ventricle(radius_mm=19, length_mm=70, tilt_deg=8)
TRUE_PERCENT = 100 * (1 - NARROW.volume_ml / WIDE.volume_ml)


def texts(measures: Measures) -> list[str]:
    return [flag.text for flag in measures.flags]


def stills(view: View = View.FOUR_CHAMBER) -> tuple[list[ExamImage], dict[str, LabelMap]]:
    images, labels = [], {}
    for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
        name = f"p1_{view_name(view, Modality.US)}_{phase}"
        labels[name] = label_map([ventricle.draw()])
        images.append(image_of(name, labels[name], view=view, phases={phase: 0}))
    return images, labels


def test_two_stills_give_the_analytic_values() -> None:
    images, labels = stills()
    measures = measure(Exam("p1", tuple(images)), labels)
    assert measures.flags == ()
    assert measures.end_diastolic_volume_ml == pytest.approx(WIDE.volume_ml, rel=0.005)
    assert measures.end_systolic_volume_ml == pytest.approx(NARROW.volume_ml, rel=0.005)
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)
    by_length = measures.find("ejection_fraction", method="area-length")
    assert by_length is not None
    assert by_length.value == pytest.approx(TRUE_PERCENT, abs=0.3)
    assert by_length.frames == ("p1_A4C_ED:0", "p1_A4C_ES:0")
    assert measures.value("end_diastolic_area_cm2") == pytest.approx(WIDE.area_cm2, rel=0.003)
    assert measures.value("end_systolic_length_cm") == pytest.approx(7.0, abs=0.03)
    # The atrium at end-systole: half an ellipse with half axes of 14 and 30 mm.
    assert measures.value("left_atrial_length_cm") == pytest.approx(3.0, abs=0.05)
    assert measures.value("left_atrial_area_cm2") == pytest.approx(np.pi / 2 * 14 * 30 / 100, rel=0.02)


def test_a_loop_is_searched_for_its_phases_and_gives_curves() -> None:
    labels = label_map([NARROW.draw(), Ventricle(22, 76).draw(), WIDE.draw(), Ventricle(23, 77).draw()])
    measures = measure(Exam("p1", (image_of("loop", labels),), frame_rate_hz=50.0), {"loop": labels})
    assert [(item.phase, item.frame) for item in measures.instants] == [(Phase.ED, 2), (Phase.ES, 0)]
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)
    (curve,) = measures.curves
    assert curve.times_ms == (0.0, 20.0, 40.0, 60.0)
    volumes = curve.series["left_ventricular_volume_ml"]
    assert volumes[0] == pytest.approx(NARROW.volume_ml, rel=0.005)
    assert volumes[2] == pytest.approx(measures.end_diastolic_volume_ml)


def test_two_apical_views_give_the_biplane_volume_first() -> None:
    images, labels = stills(View.FOUR_CHAMBER)
    flat = Ventricle(radius_mm=20, length_mm=80)
    for phase, ventricle in ((Phase.ED, flat), (Phase.ES, Ventricle(radius_mm=16, length_mm=70))):
        labels[f"two_{phase}"] = label_map([ventricle.draw()])
        images.append(image_of(f"two_{phase}", labels[f"two_{phase}"], view=View.TWO_CHAMBER, phases={phase: 0}))
    measures = measure(Exam("p1", tuple(images)), labels)
    first = measures.find("end_diastolic_volume")
    assert first is not None
    assert (first.method, first.view) == ("discs, biplane", "A4C+A2C")
    assert first.value == pytest.approx(2 / 3 * np.pi * 25 * 20 * 80 / 1000, rel=0.005)
    assert len(first.frames) == 2


def test_without_spacing_only_pixels_and_ratios() -> None:
    images, labels = [], {}
    for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
        labels[phase.value] = label_map([ventricle.draw()], None)
        images.append(image_of(phase.value, labels[phase.value], phases={phase: 0}))
    measures = measure(Exam("p1", tuple(images)), labels)
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)
    assert measures.end_diastolic_volume_ml is None
    assert {item.unit for item in measures} == {"percent", "px2"}
    assert measures.value("end_diastolic_area_px2") == np.count_nonzero(labels["ED"].array == 1)
    assert any("spacing is unknown" in flag.text for flag in measures.flags)


def test_swapped_phases_are_measured_as_named_and_flagged() -> None:
    images, labels = stills()
    swap = {Phase.ED: Phase.ES, Phase.ES: Phase.ED}
    swapped = [ExamImage(image.name, image.cine, {swap[phase]: 0 for phase in image.phases}) for image in images]
    measures = measure(Exam("p1", tuple(swapped)), labels)
    assert measures.ejection_fraction_percent is not None
    assert measures.ejection_fraction_percent < 0
    (flag,) = (flag for flag in measures.flags if flag.rule == "swapped")
    assert flag.grade is Grade.NOT_USABLE
    found = measures.find("ejection_fraction")
    assert found is not None
    assert flag in found.flags


def test_cavity_only_labels_still_give_volumes() -> None:
    images, labels = stills()
    cavities = {name: found.to(LV_ONLY) for name, found in labels.items()}
    measures = measure(Exam("p1", tuple(images)), cavities)
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=1.0)
    assert measures.find("left_atrial_area") is None


def test_an_empty_label_map_is_said_and_not_hidden() -> None:
    images, labels = stills()
    name = images[1].name
    labels[name] = LabelMap(np.zeros_like(labels[name].array), CAMUS, labels[name].geometry)
    measures = measure(Exam("p1", tuple(images)), labels)
    assert measures.ejection_fraction_percent is None
    assert "A4C ES: no left ventricle was found" in texts(measures)


def test_one_still_has_no_ejection_fraction() -> None:
    images, labels = stills()
    measures = measure(Exam("p1", (images[0],)), {images[0].name: labels[images[0].name]})
    assert measures.end_diastolic_volume_ml == pytest.approx(WIDE.volume_ml, rel=0.005)
    assert measures.ejection_fraction_percent is None
    assert "A4C: the exam shows no end-systole: no ejection fraction" in texts(measures)


def test_indices_need_height_and_weight() -> None:
    images, labels = stills()
    known = measure(Exam("p1", tuple(images), Patient("M", 50.0, 180.0, 80.0)), labels)
    assert known.value("end_diastolic_volume_index_ml_per_m2") == pytest.approx(WIDE.volume_ml / 2, rel=0.005)
    assert measure(Exam("p1", tuple(images)), labels).find("end_diastolic_volume_index") is None


def test_short_axis_stack() -> None:
    array = np.zeros((2, 8, 40, 40), np.uint8)
    array[:, 1:7, 5:35, 5:35] = 2
    array[0, 1:7, 10:30, 10:30] = 3
    array[1, 1:7, 15:25, 15:25] = 3
    labels = LabelMap(array, ACDC, Geometry.of_spacing((10.0, 1.0, 1.0)))
    image = ExamImage("stack", Image(array, Geometry.of_spacing((10.0, 1.0, 1.0)), view=View.SAX))
    measures = measure(Exam("p1", (image,)), {"stack": labels})
    assert measures.end_diastolic_volume_ml == pytest.approx(24.0)
    assert measures.ejection_fraction_percent == pytest.approx(75.0)
    assert measures.value("myocardial_mass_g") == pytest.approx(1.05 * 6 * (900 - 400) * 10 / 1000)
    assert measures.flags == ()
    (curve,) = measures.curves
    assert curve.series == {"left_ventricular_volume_ml": (24.0, 6.0), "right_ventricular_volume_ml": (0.0, 0.0)}


def test_stack_whose_volume_jumps_is_flagged() -> None:
    array = np.zeros((6, 8, 40, 40), np.uint8)
    array[:, 1:7, 10:30, 10:30] = 3
    array[4, 1:7, 10:30, 10:22] = 0
    image = ExamImage("stack", Image(array, Geometry.of_spacing((10.0, 1.0, 1.0)), view=View.SAX))
    measures = measure(Exam("p1", (image,)), {"stack": LabelMap(array, ACDC, Geometry.of_spacing((10.0, 1.0, 1.0)))})
    assert "SAX: the volume of the left ventricle jumps by 60 % between frames 3 and 4" in texts(measures)


def test_labels_of_another_exam_or_grid_are_refused() -> None:
    images, labels = stills()
    with pytest.raises(InputError, match="no image of exam"):
        measure(Exam("p1", tuple(images)), {"strange": next(iter(labels.values()))})
    with pytest.raises(InputError, match="grid"):
        measure(Exam("p1", tuple(images)), {images[0].name: label_map([WIDE.draw((0.5, 0.5))])})


def test_flags_are_written_with_grade_rule_and_subject() -> None:
    images, labels = stills()
    name = images[1].name
    labels[name] = LabelMap(np.zeros_like(labels[name].array), CAMUS, labels[name].geometry)
    measures = measure(Exam("p1", tuple(images)), labels)
    text = "A4C ES: no left ventricle was found"
    assert {"grade": "look twice", "text": text, "rule": "no-ventricle", "about": "LV"} in measures.to_plain()["flags"]
    volume = next(row for row in measures.rows() if row["name"] == "end_diastolic_volume")
    assert text in volume["flags"].split("; ")


def test_exam_without_a_ventricle_says_so() -> None:
    measures = measure(Exam("p1", ()), {})
    assert measures.quantities == ()
    assert texts(measures) == ["no labelled image shows a left ventricle: nothing was measured"]


def test_plain_form_is_json_and_rows_are_text() -> None:
    images, labels = stills()
    measures = measure(Exam("p1", tuple(images)), labels)
    plain = json.loads(json.dumps(measures.to_plain(), allow_nan=False))
    assert (plain["version"], plain["exam"]) == ("2", "p1")
    assert plain["quantities"][0]["name"] == "ejection_fraction"
    assert set(plain["quantities"][0]) == {"name", "value", "unit", "method", "view", "frames", "flags"}
    assert len(measures.rows()) == len(plain["quantities"])
    assert all(isinstance(cell, str) for row in measures.rows() for cell in row.values())


@pytest.mark.data
@pytest.mark.slow
def test_reference_masks_agree_with_the_biplane_ejection_fraction(data_root: Path) -> None:
    from cardiotrace.io import read_image, read_labels

    root = data_root / "camus"
    with (root / "patients_info.csv").open() as file:
        reference = {row["Patient"]: float(row["EF"]) for row in csv.DictReader(file)}
    pairs, flagged = [], 0
    for name in (root / "database_split" / "subgroup_training.txt").read_text().split()[::16]:
        folder = root / "database_nifti" / name
        if not folder.is_dir():
            continue
        images, labels = [], {}
        for phase in (Phase.ED, Phase.ES):
            stem = f"{name}_4CH_{phase}"
            labels[stem] = read_labels(folder / f"{stem}_gt.nii.gz", CAMUS)
            images.append(ExamImage(stem, read_image(folder / f"{stem}.nii.gz", view=View.FOUR_CHAMBER), {phase: 0}))
        measures = measure(Exam(name, tuple(images)), labels)
        flagged += is_doubted(measures.flags)
        assert measures.ejection_fraction_percent is not None
        pairs.append((measures.ejection_fraction_percent, reference[name]))
    predicted, truth = np.array(pairs).T
    assert len(pairs) >= 24
    # One plane with each frame's own length, against two planes with one shared length: +6 points.
    assert np.corrcoef(predicted, truth)[0, 1] > 0.8
    assert 3 < (predicted - truth).mean() < 9
    assert flagged <= 1
