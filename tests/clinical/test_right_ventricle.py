import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import MNMS, LabelMap
from cardiotrace.core.terms import Modality, View

PIXELS = Geometry.of_spacing((6.0, 1.5, 1.5))


def four_chambers(left, right, *, touching=False):
    """Both ventricles as boxes with their base on the right: widths of the left, heights of the right in pixels."""
    array = np.zeros((len(left), 1, 90, 90), np.uint8)
    for frame, (width, height) in enumerate(zip(left, right, strict=True)):
        array[frame, 0, 38 - width // 2 - 4 : 38 + width // 2 + 4, 20:70] = MNMS.values["MYO"]
        array[frame, 0, 38 - width // 2 : 38 + width // 2, 24:70] = MNMS.values["LV"]
        top = 90 - height if touching else 62
        array[frame, 0, top : top + height, 30:70] = MNMS.values["RV"] if height else 0
    return array


def measured(array, *, view=View.FOUR_CHAMBER, geometry=PIXELS, modality=Modality.MR):
    rng = np.random.default_rng(0)
    frames = rng.integers(1, 200, array.shape).astype(np.uint8)
    image = ExamImage("p_LA", Image(frames, geometry, view=view, modality=modality))
    return measure(Exam("p", (image,)), {"p_LA": LabelMap(array, MNMS, geometry)})


def names_of(measures):
    return {item.name for item in measures if item.name.startswith("right_")}


def rules_of(measures, about):
    return [item.rule for item in measures.flags if item.about == about]


def test_areas_and_their_change_in_four_chambers():
    found = measured(four_chambers((26, 18), (20, 12)))
    assert found.value("right_ventricular_end_diastolic_area_cm2") == pytest.approx(20 * 40 * 1.5**2 / 100)
    assert found.value("right_ventricular_end_systolic_area_cm2") == pytest.approx(12 * 40 * 1.5**2 / 100)
    assert found.value("right_ventricular_fractional_area_change_percent") == pytest.approx(40.0)
    assert found.find("right_ventricular_end_diastolic_volume") is None
    assert rules_of(found, "RV") == []


def test_frames_are_those_of_the_left_ventricle():
    found = measured(four_chambers((18, 26, 22), (20, 12, 16)))
    change = found.find("right_ventricular_fractional_area_change")
    assert [str(frame) for frame in change.frames] == ["p_LA:1", "p_LA:0"]
    assert change.value == pytest.approx(100 * (1 - 20 / 12))
    assert rules_of(found, "RV")[:2] == ["right-grows", "ejection-impossible"]
    assert [(item.rule, item.grade) for item in change.flags] == [("ejection-impossible", Grade.NOT_USABLE)]
    assert change.flags[0].text.endswith("a fractional area change of -67 % cannot be")
    area = found.find("right_ventricular_end_systolic_area")
    assert [item.rule for item in area.flags] == ["right-grows"]


def test_its_area_runs_through_the_curve_of_four_chambers():
    array = four_chambers((18, 26, 22), (20, 12, 16))
    curve = measured(array).curves[0]
    assert curve.series["right_ventricular_area_cm2"] == pytest.approx([40 * 1.5**2 / 100 * n for n in (20, 12, 16)])
    assert "right_ventricular_area_cm2" not in measured(array, view=View.TWO_CHAMBER).curves[0].series


def test_other_planes_and_labels_without_it_give_none():
    assert names_of(measured(four_chambers((26, 18), (20, 12)), view=View.THREE_CHAMBER)) == set()
    assert names_of(measured(four_chambers((26, 18), (0, 0)))) == set()


def test_lost_at_one_instant_is_told():
    found = measured(four_chambers((26, 18), (20, 0)))
    assert names_of(found) == {"right_ventricular_end_diastolic_area"}
    assert rules_of(found, "RV") == ["lost"]


def test_at_the_edge_it_is_a_doubt_about_itself_alone():
    found = measured(four_chambers((26, 18), (20, 12), touching=True))
    assert rules_of(found, "RV") == ["ventricle-cut", "ventricle-cut"]
    assert not found.find("left_ventricular_ejection_fraction").flags
    assert {item.grade for item in found.find("right_ventricular_end_diastolic_area").flags} == {Grade.LOOK_TWICE}


def test_without_a_pixel_size_areas_are_in_pixels_and_the_change_holds():
    found = measured(four_chambers((26, 18), (20, 12)), geometry=NO_GEOMETRY)
    assert found.value("right_ventricular_end_diastolic_area_px2") == 800
    assert found.value("right_ventricular_fractional_area_change_percent") == pytest.approx(40.0)


def test_a_long_axis_of_mri_says_that_a_stack_is_surer():
    array = four_chambers((26, 18), (20, 12))
    text = "volumes and ejection fraction rest on 4CH, without a short-axis stack, which is surer"
    assert [item.text for item in measured(array).flags if item.rule == "no-stack"] == [text]
    assert "no-stack" not in [item.rule for item in measured(array, modality=Modality.US).flags]


def test_a_stack_beside_it_is_preferred_and_nothing_is_said():
    array = four_chambers((26, 18), (20, 12))
    ring = np.zeros((2, 8, 90, 90), np.uint8)
    ring[:, :, 20:60, 20:60], ring[0, :, 25:55, 25:55], ring[1, :, 30:50, 30:50] = 2, 1, 1
    grids = {"p_LA": PIXELS, "p_SA": Geometry.of_spacing((10.0, 1.5, 1.5))}
    labels = {name: LabelMap(found, MNMS, grids[name]) for name, found in (("p_LA", array), ("p_SA", ring))}
    images = tuple(
        ExamImage(name, Image(np.ones(found.array.shape, np.uint8), grids[name], view=view, modality=Modality.MR))
        for (name, found), view in zip(labels.items(), (View.FOUR_CHAMBER, View.SAX), strict=True)
    )
    found = measure(Exam("p", images), labels, has_images=False)
    first = found.find("left_ventricular_ejection_fraction")
    assert (first.view, first.method.value) == ("SAX", "sum of slices")
    assert first.value == pytest.approx(100 * (1 - 20**2 / 30**2))
    assert "no-stack" not in [item.rule for item in found.flags]
    assert found.find("left_ventricular_ejection_fraction", view="4CH") is not None
