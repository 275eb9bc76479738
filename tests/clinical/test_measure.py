import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Grade, is_doubted
from cardiotrace.core.geometry import Geometry, Spacing
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
    by_length = measures.find("left_ventricular_ejection_fraction", method="area-length")
    assert by_length is not None
    assert by_length.value == pytest.approx(TRUE_PERCENT, abs=0.3)
    assert by_length.frames == (FrameRef("p1_A4C_ED", 0), FrameRef("p1_A4C_ES", 0))
    assert measures.value("left_ventricular_end_diastolic_area_cm2") == pytest.approx(WIDE.area_cm2, rel=0.003)
    assert measures.value("left_ventricular_end_systolic_length_cm") == pytest.approx(7.0, abs=0.03)
    # The atrium at end-systole: half an ellipse with half axes of 14 and 30 mm.
    assert measures.value("left_atrial_length_cm") == pytest.approx(3.0, abs=0.05)
    assert measures.value("left_atrial_area_cm2") == pytest.approx(np.pi / 2 * 14 * 30 / 100, rel=0.02)


def test_a_loop_is_searched_for_its_phases_and_gives_curves() -> None:
    labels = label_map([NARROW.draw(), Ventricle(22, 76).draw(), WIDE.draw(), Ventricle(23, 77).draw()])
    measures = measure(Exam("p1", (image_of("loop", labels),), frame_rate_hz=50.0), {"loop": labels})
    assert [(item.phase, item.frame) for item in measures.key_frames] == [(Phase.ED, 2), (Phase.ES, 0)]
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
    first = measures.find("left_ventricular_end_diastolic_volume")
    assert first is not None
    assert (first.method, first.view) == ("biplane method of disks", "A4C+A2C")
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
    assert {item.unit for item in measures} == {"percent", "px2", "ratio"}
    assert measures.value("left_ventricular_end_diastolic_area_px2") == np.count_nonzero(labels["ED"].array == 1)
    assert any("spacing is unknown" in flag.text for flag in measures.flags)


def test_swapped_phases_are_measured_as_named_and_flagged() -> None:
    images, labels = stills()
    swap = {Phase.ED: Phase.ES, Phase.ES: Phase.ED}
    swapped = [ExamImage(image.name, image.image, {swap[phase]: 0 for phase in image.phases}) for image in images]
    measures = measure(Exam("p1", tuple(swapped)), labels)
    found = measures.find("left_ventricular_ejection_fraction")
    assert found is not None
    assert found.value == pytest.approx(100 * (1 - WIDE.volume_ml / NARROW.volume_ml), abs=1.2)
    assert not found.is_usable
    # What is not usable is no headline.
    assert measures.ejection_fraction_percent is None
    (flag,) = (flag for flag in measures.flags if flag.rule == "swapped")
    assert flag.grade is Grade.NOT_USABLE
    assert flag in found.flags


def test_cavity_only_labels_still_give_volumes() -> None:
    images, labels = stills()
    cavities = {name: found.to(LV_ONLY) for name, found in labels.items()}
    measures = measure(Exam("p1", tuple(images)), cavities)
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=1.0)
    assert measures.find("left_atrial_area") is None


@pytest.mark.parametrize("phases", [(Phase.ES,), (Phase.ED, Phase.ES)])
def test_a_ventricle_of_one_pixel_is_no_number_without_a_word(phases: tuple[Phase, ...]) -> None:
    images, labels = stills()
    for image in images:
        if not image.phases.keys().isdisjoint(phases):
            plane = np.zeros_like(labels[image.name].array)
            plane[..., 150, 150] = 1
            labels[image.name] = replace(labels[image.name], array=plane)
    measures = measure(Exam("p1", tuple(images)), labels)
    assert [flag.text for flag in measures.flags if flag.rule == "few-pixels"] == [
        f"A4C {phase}: the left ventricle is 1 px large, which is no outline" for phase in phases
    ]
    changes = [item for item in measures if item.name == "left_ventricular_fractional_area_change"]
    assert changes
    assert not any(item.is_usable for item in changes)


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
    assert known.value("left_ventricular_end_diastolic_volume_index_ml_per_m2") == pytest.approx(
        WIDE.volume_ml / 2, rel=0.005
    )
    assert measure(Exam("p1", tuple(images)), labels).find("left_ventricular_end_diastolic_volume_index") is None


def test_what_is_not_measured_is_named() -> None:
    images, labels = stills()
    labels["plax"] = label_map([WIDE.draw()])
    images.append(image_of("plax", labels["plax"], view=View.PLAX))
    measures = measure(Exam("p1", tuple(images)), labels)
    assert texts(measures) == ["plax: view PLAX is not measured"]
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)


def test_a_single_plane_is_named_and_two_planes_give_the_atrium() -> None:
    images, labels = stills(View.FOUR_CHAMBER)
    single = measure(Exam("p1", tuple(images)), labels)
    assert {item.method for item in single if item.unit == "ml"} == {
        "method of disks, single plane",
        "area-length, single plane",
    }
    four_cm2, four_cm = single.value("left_atrial_area_cm2"), single.value("left_atrial_length_cm")
    small = Ventricle(radius_mm=16, length_mm=70, atrium_mm=22)
    for phase, ventricle in ((Phase.ED, Ventricle(20, 80)), (Phase.ES, small)):
        labels[f"two_{phase}"] = label_map([ventricle.draw()])
        images.append(image_of(f"two_{phase}", labels[f"two_{phase}"], view=View.TWO_CHAMBER, phases={phase: 0}))
    both = measure(Exam("p1", tuple(images)), labels)
    found = both.find("left_atrial_volume")
    assert found is not None
    assert (found.method, found.view) == ("area-length, biplane", "A4C+A2C")
    assert four_cm2 is not None
    assert four_cm is not None
    assert four_cm > 2.9
    # Half an ellipse with half axes of 11 and 22 mm; the shorter length is that of the second plane.
    two_cm2 = np.pi / 2 * 1.1 * 2.2
    assert found.value == pytest.approx(8 * four_cm2 * two_cm2 / (3 * np.pi * 2.2), rel=0.03)


def stack_image(array: np.ndarray, spacing_mm: Spacing | None = (10.0, 1.0, 1.0), name: str = "stack") -> ExamImage:
    """An image of labels, with a body around them and no black slices."""
    rows, columns = np.mgrid[: array.shape[2], : array.shape[3]]
    body = 40 + 30 * np.sin(rows / 5) * np.cos(columns / 7)
    grey = body + np.array([0, 25, -30, 60])[np.minimum(array, 3)]
    geometry = Geometry.of_spacing(spacing_mm)
    return ExamImage(name, Image(grey.astype(np.uint8), geometry, view=View.SAX, modality=Modality.MR))


def heart(cavity: int, wall: int = 30, right: int = 0, slices: int = 6, depth: int = 8) -> np.ndarray:
    """ACDC labels of one frame: square rings of myocardium, `cavity` and `wall` wide, and a right ventricle beside."""
    array = np.zeros((depth, 60, 80), np.uint8)
    shown = slice(1, 1 + slices)
    half = (wall - cavity) // 2
    array[shown, 10 : 10 + wall, 40 : 40 + wall] = 2
    array[shown, 10 + half : 10 + half + cavity, 40 + half : 40 + half + cavity] = 3
    if right:
        array[shown, 12 : 12 + right, 40 - right : 40] = 1
    return array


def of_stack(*frames: np.ndarray, spacing_mm: Spacing | None = (10.0, 1.0, 1.0)) -> Measures:
    array = np.stack(frames)
    labels = LabelMap(array, ACDC, Geometry.of_spacing(spacing_mm))
    measures = measure(Exam("p1", (stack_image(array, spacing_mm),)), {"stack": labels})
    # Nothing says where these stacks lie, which is asked for in tests/clinical/regional.
    return replace(measures, flags=tuple(flag for flag in measures.flags if flag.rule != "segments-unnamed"))


ED, ES = heart(28, wall=40, right=30), heart(18, wall=36, right=22)


def test_short_axis_stack() -> None:
    measures = of_stack(ED, ES)
    assert measures.end_diastolic_volume_ml == pytest.approx(6 * 28**2 / 100)
    assert measures.ejection_fraction_percent == pytest.approx(100 * (1 - 18**2 / 28**2))
    assert measures.value("left_ventricular_mass_g") == pytest.approx(1.05 * 6 * (40**2 - 28**2) / 100)
    assert measures.value("right_ventricular_stroke_volume_ml") == pytest.approx(6 * (30**2 - 22**2) / 100)
    assert measures.flags == ()
    (curve,) = measures.curves
    assert curve.series["left_ventricular_volume_ml"] == pytest.approx((47.04, 19.44))
    assert curve.series["right_ventricular_volume_ml"] == pytest.approx((54.0, 29.04))


def test_sum_of_slices_leads_over_a_single_long_axis_plane() -> None:
    labels = {"stack": LabelMap(np.stack([ED, ES]), ACDC, Geometry.of_spacing((10.0, 1.0, 1.0)))}
    stack = stack_image(labels["stack"].array)
    images = [stack]
    for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
        labels[phase.value] = label_map([ventricle.draw()])
        cine = image_of(phase.value, labels[phase.value], phases={phase: 0})
        images.insert(0, ExamImage(phase.value, replace(cine.image, modality=Modality.MR), cine.phases))
    measures = measure(Exam("p1", tuple(images)), labels)
    first = measures.find("left_ventricular_ejection_fraction")
    assert first is not None
    assert (first.method, first.view) == ("sum of slices", "SAX")
    assert measures.ejection_fraction_percent == pytest.approx(58.67, abs=0.01)
    plane = measures.find("left_ventricular_ejection_fraction", view="4CH")
    assert plane is not None
    assert plane.value == pytest.approx(TRUE_PERCENT, abs=0.3)


@pytest.mark.parametrize("spacing_mm", [None, (float("nan"), 1.0, 1.0)])
def test_without_a_slice_distance_there_are_ratios_and_no_volumes(spacing_mm: Spacing | None) -> None:
    measures = of_stack(ED, ES, spacing_mm=spacing_mm)
    # How thick a wall is, and how long its contours are, slices tell each for itself.
    assert {item.unit for item in measures} == ({"percent"} if spacing_mm is None else {"percent", "mm"})
    assert measures.ejection_fraction_percent == pytest.approx(100 * (1 - 18**2 / 28**2))
    assert measures.value("right_ventricular_ejection_fraction_percent") == pytest.approx(100 * (1 - 22**2 / 30**2))
    (flag,) = measures.flags
    assert flag.grade is Grade.NOTE
    assert "no volumes" in flag.text
    assert ("--spacing-mm HEIGHT WIDTH DEPTH" in flag.text) == (spacing_mm is not None)
    (curve,) = measures.curves
    volumes = [name for name in curve.series if "strain" not in name]
    assert volumes == ["left_ventricular_volume_px", "right_ventricular_volume_px"]


@pytest.mark.parametrize(
    ("distance_mm", "rule"),
    [(1.0, "stack-height-impossible"), (5.0, "stack-height"), (100.0, "stack-height-impossible")],
)
def test_a_stack_that_is_no_heart_high_is_flagged(distance_mm: float, rule: str) -> None:
    measures = of_stack(ED, ES, spacing_mm=(distance_mm, 1.0, 1.0))
    (first, second) = (flag for flag in measures.flags if flag.rule.startswith("stack-height"))
    assert {first.rule, second.rule} == {rule}
    assert f"6 slices of {distance_mm:g} mm" in first.text
    is_usable = {item.name: item.is_usable for item in measures}
    assert is_usable["left_ventricular_end_diastolic_volume"] == is_usable["right_ventricular_end_diastolic_volume"]
    assert is_usable["left_ventricular_end_diastolic_volume"] == (rule == "stack-height")
    assert is_usable["left_ventricular_ejection_fraction"]


def test_other_sizes_at_end_systole_are_flagged() -> None:
    labels = {
        phase.value: LabelMap(array[None], ACDC, Geometry.of_spacing((10.0, mm, mm)))
        for phase, array, mm in ((Phase.ED, ED, 1.0), (Phase.ES, ES, 0.8))
    }
    stacks = [
        ExamImage(name, stack_image(found.array, found.spacing_mm).image, {Phase(name): 0})
        for name, found in labels.items()
    ]
    measures = measure(Exam("p1", tuple(stacks)), labels)
    (flag,) = (flag for flag in measures.flags if flag.rule == "sizes-differ")
    assert "10 x 1 x 1 mm at end-diastole and 10 x 0.8 x 0.8 mm at end-systole" in flag.text
    assert flag.grade is Grade.LOOK_TWICE


def test_a_single_short_axis_slice_gives_areas() -> None:
    measures = of_stack(ED[1:2], ES[1:2], spacing_mm=(1.0, 1.0, 1.0))
    assert measures.end_diastolic_volume_ml is None
    assert measures.value("left_ventricular_end_diastolic_area_cm2") == pytest.approx(28**2 / 100)
    assert measures.value("left_ventricular_fractional_area_change_percent") == pytest.approx(100 * (1 - 18**2 / 28**2))
    assert [flag.rule for flag in measures.flags] == ["single-slice"]


def test_a_ventricle_lost_at_one_instant_is_told() -> None:
    gone = ES.copy()
    gone[gone == 1] = 0
    measures = of_stack(ED, gone)
    assert "SAX: no right ventricle was found at ES, but at the other instant" in texts(measures)
    assert measures.find("right_ventricular_ejection_fraction") is None
    right, left = (
        measures.find("right_ventricular_end_diastolic_volume"),
        measures.find("left_ventricular_ejection_fraction"),
    )
    assert right is not None
    assert left is not None
    # It is no doubt about the other ventricle.
    assert [flag.rule for flag in right.flags] == ["lost"]
    assert left.flags == ()


def test_odd_slices_and_strokes_are_flagged() -> None:
    few = of_stack(heart(28, 40, 30, slices=4), heart(18, 36, 22, slices=4))
    assert {flag.rule for flag in few.flags} == {"few-slices"}
    longer = of_stack(ED, heart(18, 36, 22, slices=7))
    assert {flag.rule for flag in longer.flags} == {"slices-grow"}
    bulging = ES.copy()
    bulging[1, 8:50, 38:80] = 3
    assert {flag.rule for flag in of_stack(ED, bulging).flags} >= {"base-grows", "base-area"}
    still = of_stack(ED, heart(18, 36, 30))
    assert {flag.rule for flag in still.flags} >= {"stroke-volume-extreme", "ejection-extreme", "stroke-volumes-differ"}


def placed(image: ExamImage, geometry: Geometry) -> ExamImage:
    return replace(image, image=replace(image.image, geometry=geometry))


def test_impossible_values_are_not_usable() -> None:
    images, labels = stills()
    place = Geometry.of_spacing((1.0, 4.0, 4.0))
    huge = {name: LabelMap(item.array, CAMUS, place) for name, item in labels.items()}
    measures = measure(Exam("p1", tuple(placed(image, place) for image in images)), huge)
    volume = measures.find("left_ventricular_end_diastolic_volume")
    assert volume is not None
    assert volume.value == pytest.approx(1000 * WIDE.volume_ml, rel=0.01)
    assert not volume.is_usable
    assert measures.end_diastolic_volume_ml is None
    # The ratio holds whatever the pixel size.
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)


def test_contradicting_sizes_leave_the_ratio_alone() -> None:
    images, labels = stills()
    doubt = "pixdim says 1 x 1 mm, the sform 0.3 x 0.3 mm"
    place = replace(images[0].image.geometry, doubts=(doubt,))
    measures = measure(Exam("p1", tuple(placed(image, place) for image in images)), labels)
    assert {item.name for item in measures if item.is_usable} == {
        "left_ventricular_ejection_fraction",
        "left_ventricular_fractional_area_change",
        "left_ventricular_global_longitudinal_strain",
    }
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)
    assert f"p1_A4C_ED: {doubt}" in texts(measures)


def test_a_long_axis_that_shortens_beyond_measure() -> None:
    images, labels = stills()
    short = Ventricle(radius_mm=19, length_mm=52)
    labels[images[1].name] = label_map([short.draw()])
    measures = measure(Exam("p1", tuple(images)), labels)
    rules = {flag.rule: flag for flag in measures.flags}
    assert rules["long-axis-shortening"].grade is Grade.LOOK_TWICE
    assert "shortens by 35 %" in rules["long-axis-shortening"].text


@pytest.mark.parametrize("value", [0, 255, 9])
def test_a_frame_without_an_image_is_no_key_frame(value: int) -> None:
    steps = (WIDE, Ventricle(28, 90), Ventricle(22, 76), NARROW, Ventricle(22, 76))
    labels = label_map([ventricle.draw() for ventricle in steps])
    loop = image_of("loop", labels)
    frames = loop.image.frames.copy()
    frames[1] = value
    dark = replace(loop, image=replace(loop.image, frames=frames))
    measures = measure(Exam("p1", (dark,)), {"loop": labels})
    assert [(item.phase, item.frame) for item in measures.key_frames] == [(Phase.ED, 0), (Phase.ES, 3)]
    assert measures.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)
    dark_frame, few = measures.flags
    assert (dark_frame.text, dark_frame.grade) == ("loop: frame 1 is blank", Grade.NOTE)
    assert few.rule == "beat-few"
    (curve,) = measures.curves
    assert [size is None for size in curve.series["left_ventricular_area_cm2"]] == [False, True, False, False, False]
    # Nor is it one if the exam names it.
    named = replace(dark, phases={Phase.ED: 1, Phase.ES: 3})
    assert measure(Exam("p1", (named,)), {"loop": labels}).key_frames[0].frame == 0


def test_an_image_without_any_image_is_not_measured() -> None:
    labels = label_map([WIDE.draw(), NARROW.draw()])
    loop = image_of("loop", labels)
    dark = replace(loop, image=replace(loop.image, frames=np.zeros_like(loop.image.frames)))
    measures = measure(Exam("p1", (dark,)), {"loop": labels})
    assert measures.quantities == ()
    assert texts(measures) == [
        "loop: all 2 frames are blank",
        "no labelled image shows a left ventricle: nothing was measured",
    ]
    # Labels alone, without images, can be measured.
    alone = measure(Exam("p1", (dark,)), {"loop": labels}, has_images=False)
    assert alone.ejection_fraction_percent == pytest.approx(TRUE_PERCENT, abs=0.3)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize(("view", "modality"), [(View.UNKNOWN, Modality.UNKNOWN), (View.FOUR_CHAMBER, Modality.MR)])
def test_curve_table_and_drawing_share_one_rule_for_the_base(view: View, modality: Modality, turns: int) -> None:
    planes = [np.rot90(ventricle.draw(), turns) for ventricle in (WIDE, Ventricle(22, 76), NARROW)]
    for plane in planes:
        plane[plane == 3] = 0  # no atrium: the myocardium alone tells the base
    labels = label_map(planes)
    loop = image_of("loop", labels, view=view)
    loop = replace(loop, image=replace(loop.image, modality=modality))
    measures = measure(Exam("p1", (loop,)), {"loop": labels})
    volume = measures.find("left_ventricular_end_diastolic_volume")
    assert volume is not None
    assert volume.value == pytest.approx(WIDE.volume_ml, rel=0.006)
    (curve,) = measures.curves
    assert curve.series["left_ventricular_volume_ml"][0] == volume.value
    trace = measures.key_frames[0].trace
    assert trace is not None
    assert trace.simpson_ml == volume.value


def test_stack_whose_volume_jumps_is_flagged() -> None:
    frames = [ED, heart(26, 39, 28), heart(18, 36, 22), heart(20, 37, 23), heart(28, 40, 30), ED]
    measures = of_stack(*frames)
    expected = 100 * (28**2 - 20**2) / 28**2
    assert texts(measures) == [
        f"SAX: the volume of the left ventricle jumps by {expected:.0f} % between frames 3 and 4"
    ]


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
    volume = next(row for row in measures.rows() if row["name"] == "left_ventricular_end_diastolic_volume")
    assert text in volume["flags"].split("; ")


def test_exam_without_a_ventricle_says_so() -> None:
    measures = measure(Exam("p1", ()), {})
    assert measures.quantities == ()
    assert texts(measures) == ["no labelled image shows a left ventricle: nothing was measured"]


def test_plain_form_is_json_and_rows_are_text() -> None:
    images, labels = stills()
    measures = measure(Exam("p1", tuple(images)), labels)
    plain = json.loads(json.dumps(measures.to_plain(), allow_nan=False))
    assert (plain["version"], plain["exam"]) == ("3", "p1")
    assert plain["quantities"][0]["name"] == "left_ventricular_ejection_fraction"
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
    # One plane with each frame's own length, against two planes with one shared length: +4 points.
    assert np.corrcoef(predicted, truth)[0, 1] > 0.87
    assert (predicted - truth).mean() == pytest.approx(4.3, abs=0.3)
    assert flagged <= 1


def beating(cycles: float, frames: int, *, atrium: bool = True) -> list[np.ndarray]:
    """Frames of a ventricle that beats like a cosine, from end-diastole on."""
    shares = (1 - np.cos(2 * np.pi * np.arange(round(cycles * frames)) / frames)) / 2
    shapes = [Ventricle(25 - 6 * share, 80 - 10 * share, atrium_mm=22 + 8 * share) for share in shares]
    return [shape.draw((1.0, 1.0)) for shape in shapes]


def film_exam(planes: dict[View, list[np.ndarray]], *, rate_hz: float, patient: Patient | None = None) -> Measures:
    labels = {str(view): label_map(found, (1.0, 1.0, 1.0)) for view, found in planes.items()}
    images = tuple(image_of(str(view), labels[str(view)], view=view) for view in planes)
    return measure(Exam("p1", images, patient or Patient(), frame_rate_hz=rate_hz), labels)


def test_two_films_of_several_beats_give_biplane_volumes_of_pairs_of_beats() -> None:
    planes = {View.FOUR_CHAMBER: beating(2.1, 32), View.TWO_CHAMBER: beating(1.1, 32)}
    measures = film_exam(planes, rate_hz=32.0, patient=Patient("M", 50.0, 180.0, 80.0))
    assert [(beat.view, beat.is_whole) for beat in measures.beats] == [("A4C", True), ("A4C", True), ("A2C", True)]
    biplane = measures.find("left_ventricular_ejection_fraction")
    single = measures.find("left_ventricular_ejection_fraction", view="A4C")
    assert biplane is not None
    assert single is not None
    assert (biplane.method, len(biplane.frames), biplane.by_beat) == ("biplane method of disks", 4, ())
    assert len(single.by_beat) == 2
    assert len(single.frames) == 4
    assert biplane.value == pytest.approx(TRUE_PERCENT, abs=1.5)
    stroke, rate = (measures.value(key) for key in ("left_ventricular_stroke_volume_ml", "heart_rate_bpm"))
    assert rate == pytest.approx(60, abs=2)
    assert measures.value("left_ventricular_cardiac_output_l_per_min") == pytest.approx(stroke * rate / 1000)
    assert measures.value("left_ventricular_cardiac_index_l_per_min_per_m2") == pytest.approx(stroke * rate / 2000)
    assert measures.value("left_ventricular_peak_filling_rate_ml_per_s") > 0
    assert measures.value("left_atrial_reservoir_strain_percent") > 0


def test_few_irregular_beats_are_told() -> None:
    planes = {View.FOUR_CHAMBER: [*beating(1, 20), *beating(1, 34), *beating(1.1, 22)]}
    measures = film_exam(planes, rate_hz=30.0)
    (found,) = (flag for flag in measures.flags if flag.rule == "irregular")
    assert "only 3 are shown" in found.text
    assert found.grade is Grade.NOTE


@pytest.mark.parametrize(("height_cm", "weight_kg"), [(180.0, 8000.0), (-180.0, -80.0), (1.75, 80.0)])
def test_an_impossible_body_is_told(height_cm: float, weight_kg: float) -> None:
    images, labels = stills()
    measures = measure(Exam("p1", tuple(images), Patient("M", 50.0, height_cm, weight_kg)), labels)
    assert [flag.rule for flag in measures.flags] == ["body-impossible"]
    assert measures.find("left_ventricular_end_diastolic_volume_index") is None


def timed_film(
    times_ms: np.ndarray,
    phases: dict[Phase, int] | None = None,
    *,
    spacing_mm: Spacing | None = (1.0, 1.0, 1.0),
    rate_hz: float | None = None,
) -> Measures:
    """A film of three beats, 32 frames each, with the times that its file states."""
    labels = label_map(beating(3.1, 32), spacing_mm)
    image = image_of("film", labels, phases=phases)
    image = replace(image, image=replace(image.image, times_ms=times_ms))
    return measure(Exam("p1", (image,), frame_rate_hz=rate_hz), {"film": labels})


@pytest.mark.parametrize(
    "times_ms", [np.zeros(99), np.arange(99.0)[::-1].copy(), np.repeat(np.arange(50.0), 2)[:99], np.full(99, np.nan)]
)
def test_times_that_do_not_run_on_are_told_and_not_used(times_ms: np.ndarray) -> None:
    found = timed_film(times_ms)
    assert [item.rule for item in found.flags] == ["times-stand", "no-rates"]
    assert found.curves[0].times_ms is None
    assert found.find("heart_rate") is None
    # The rate that the exam knows holds in their place.
    assert timed_film(times_ms, rate_hz=32.0).value("heart_rate_bpm") == pytest.approx(60, abs=3)


def test_frames_that_are_missing_within_a_film_are_told_with_every_value_of_it() -> None:
    times_ms = np.arange(99) * 33.0
    times_ms[41:] += 66.0
    found = timed_film(times_ms)
    (lost,) = [item for item in found.flags if item.rule == "frames-lost"]
    assert lost.text == "A4C: between frames 40 and 41 lie 99 ms, elsewhere 33 ms: frames are missing there"
    doubted = {item.name for item in found if lost in item.flags}
    assert doubted >= {
        "left_ventricular_ejection_fraction",
        "left_ventricular_end_diastolic_volume",
        "left_ventricular_end_diastolic_area",
        "left_ventricular_peak_filling_rate",
    }
    # Steps that are rounded, or a rate that wanders, are no gap.
    for steps_ms in (np.tile([33.0, 34.0], 49), np.linspace(20.0, 30.0, 98)):
        assert "frames-lost" not in [item.rule for item in timed_film(np.append(0.0, np.cumsum(steps_ms))).flags]


def test_no_heart_rate_is_taken_from_beats_that_no_heart_has() -> None:
    found = timed_film(np.arange(99) * 330.0)
    assert found.find("heart_rate") is None
    assert found.find("left_ventricular_cardiac_output") is None
    assert "heart-rate" in [item.rule for item in found.flags]


def test_a_film_without_a_pixel_size_has_ratios_and_no_rates() -> None:
    found = timed_film(np.arange(99) * 33.0, spacing_mm=None)
    assert found.find("left_ventricular_ejection_fraction") is not None
    assert found.find("left_ventricular_peak_filling_rate") is None


@pytest.mark.parametrize("phases", [{Phase.ED: 32}, {Phase.ES: 48}])
def test_all_of_a_film_is_of_the_beat_of_which_the_exam_names_a_phase(phases: dict[Phase, int]) -> None:
    found = timed_film(np.arange(99) * 33.0, phases)
    (beat,) = found.beats
    assert (beat.end_diastole, beat.end_systole) == tuple(item.frame for item in found.key_frames)
    assert beat.is_whole
    assert all(not item.by_beat for item in found)


def test_one_frame_named_twice_is_no_beat() -> None:
    found = timed_film(np.arange(99) * 33.0, {Phase.ED: 3, Phase.ES: 3})
    assert found.beats == ()
    assert {item.name for item in found if "rate" in item.name} == set()


def test_a_cut_beat_doubts_lengths_and_strain_as_it_does_volumes() -> None:
    labels = label_map([*beating(1, 32)[8:], *beating(1, 32)[:8]], (1.0, 1.0, 1.0))
    found = measure(Exam("p1", (image_of("film", labels),)), {"film": labels})
    doubted = {item.name for item in found if "beat-cut" in [each.rule for each in item.flags]}
    assert doubted >= {
        "left_ventricular_ejection_fraction",
        "left_ventricular_end_diastolic_length",
        "left_ventricular_global_longitudinal_strain",
    }
