"""Volumes that end at the mitral plane, on cylinders and phantoms."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.regional import Beat
from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.mitral_plane import MitralPlane, StackFrame, cut_stack, mitral_plane
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import View
from cardiotrace.phantoms.cmr import sample_cmr

STEP = 10.0
SIDE = 20


def column(is_base_first):
    """Five slices that show a square of 400 mm2, from the second on, and its right half as wall."""
    array = np.zeros((1, 7, 40, 40), np.uint8)
    array[0, 1:6, 10:30, 10:20], array[0, 1:6, 10:30, 20:30] = 3, 2
    array[0, 1 if is_base_first else 5, 2:8, 2:8] = 1
    labels = LabelMap(array, ACDC, Geometry.of_spacing((STEP, 1.0, 1.0)))
    image = ExamImage("a", Image(np.zeros(array.shape, np.uint8), labels.geometry, view=View.SAX))
    return TracedStack(image, labels, np.zeros((1, 7), bool))


@pytest.mark.parametrize("is_base_first", [True, False])
@pytest.mark.parametrize(
    ("level", "height"), [(5.0, 50.0), (8.0, 47.0), (15.0, 40.0), (27.0, 28.0), (0.0, 55.0), (-4.9, 59.9)]
)
def test_a_level_plane_cuts_off_or_adds_what_it_should(is_base_first, level, height):
    stack = column(is_base_first)
    assert stack.is_base_first is is_base_first
    # Heights count towards the apex, from the first slice of the file.
    found = cut_stack(stack, 0, MitralPlane(level if is_base_first else level - 60, (0.0, 0.0), (0.0, 0.0)))
    assert found is not None
    assert found.cavity_ml == pytest.approx(0.2 * height)
    assert found.wall_ml == pytest.approx(0.2 * height)
    assert found.moved_mm == pytest.approx(5.0 - level)


def test_more_than_a_slice_is_not_made_up():
    assert cut_stack(column(True), 0, MitralPlane(-5.1, (0.0, 0.0), (0.0, 0.0))) is None


def test_a_leaning_plane_cuts_as_much_on_one_side_as_it_adds_on_the_other():
    found = cut_stack(column(True), 0, MitralPlane(5.0, (0.3, 0.0), (19.5, 14.5)))
    assert found is not None
    assert found.cavity_ml == pytest.approx(10.0)


def test_two_long_axes_make_a_plane_and_one_makes_it_level_across():
    frame = StackFrame(Geometry.of_spacing((8.0, 1.0, 1.0)), is_base_first=True)
    first = np.array([[-20.0, 0.0, 10.0], [20.0, 0.0, 14.0]])
    second = np.array([[0.0, -20.0, 16.0], [0.0, 20.0, 8.0]])
    both, one = mitral_plane([first, second], frame), mitral_plane([first], frame)
    assert both is not None
    assert one is not None
    for plane, heights in ((both, (10, 14, 16, 8)), (one, (10, 14, 12, 12))):
        places = frame.places(np.concatenate([first, second]))
        assert plane.heights(places[:, :2]) == pytest.approx(heights)
    assert mitral_plane([], frame) is None
    assert mitral_plane([np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 20.0]])], frame) is None


@pytest.fixture(scope="module")
def beat():
    return Beat.of(sample_cmr(1, pathology="dilated", style="siemens_1.5t"))


def test_on_a_phantom_the_cut_is_right_where_the_sum_of_slices_is_not(beat):
    measures, truth = measure(beat.exam.exam, beat.exam.labels, has_images=False), beat.exam.truth
    assert measures.quantities[0].method is Method.SLICES_TO_PLANE
    assert measures.quantities[0].view == "SAX+4CH+2CH"
    name = "left_ventricular_ejection_fraction"
    cut, whole = (measures.find(name, method=method.value) for method in (Method.SLICES_TO_PLANE, Method.SUM_OF_SLICES))
    assert cut is not None
    assert whole is not None
    assert cut.value == pytest.approx(truth.ejection_fraction_percent, abs=1)
    assert abs(whole.value - truth.ejection_fraction_percent) > 2
    assert measures.end_diastolic_volume_ml == pytest.approx(truth.end_diastolic_ml, rel=0.03)
    assert measures.end_systolic_volume_ml == pytest.approx(truth.end_systolic_ml, rel=0.03)
    assert measures.value("left_ventricular_mass_g") == pytest.approx(truth.mass_g, rel=0.03)


def test_without_long_axes_the_slices_stay_whole(beat):
    first = beat.exam.exam.images[0]
    alone = measure(Exam("p", (first,)), {first.name: beat.labels}, has_images=False)
    assert {quantity.method for quantity in alone} == {Method.SUM_OF_SLICES, Method.CENTRELINE, Method.CONTOUR_LENGTH}
    assert "left_ventricular_volume_to_mitral_plane_ml" not in alone.curves[0].series


def test_the_curve_of_all_frames_ends_at_the_plane_too(beat):
    curve = next(
        item for item in measure(beat.exam.exam, beat.exam.labels, has_images=False).curves if item.view == "SAX"
    )
    values = curve.series["left_ventricular_volume_to_mitral_plane_ml"]
    assert np.array(values, float) == pytest.approx(beat.exam.truth.volume_ml, rel=0.03)
    assert curve.series["left_ventricular_radial_strain_percent"][0] == 0


def of_beats(beat, count):
    """The phantom's exam with its two instants repeated as films of several beats, whose phases nobody names."""
    order = np.tile([0, 0, 0, 1, 1, 1, 0, 0], count)
    images, labels = [], {}
    for image in beat.exam.exam.images:
        held = beat.exam.labels[image.name]
        array = held.array[order]
        cine = replace(
            image.image, frames=np.broadcast_to(np.uint8(0), array.shape), times_ms=np.arange(len(order)) * 100.0
        )
        images.append(ExamImage(image.name, cine))
        labels[image.name] = LabelMap(array, held.scheme, held.geometry)
    return measure(Exam("p", tuple(images)), labels, has_images=False)


def test_of_several_beats_planes_and_segments_are_means_as_all_else_is(beat):
    """Each beat is the same one: a value that differs is not of the beats, and one without them is not their mean."""
    one, several = measure(beat.exam.exam, beat.exam.labels, has_images=False), of_beats(beat, 3)
    assert several.quantities[0].method is Method.SLICES_TO_PLANE
    for method in (Method.SLICES_TO_PLANE, Method.SUM_OF_SLICES):
        mean = several.find("left_ventricular_ejection_fraction", method=method.value)
        single = one.find("left_ventricular_ejection_fraction", method=method.value)
        assert mean.by_beat == pytest.approx([single.value] * 3)
        assert len([frame for frame in mean.frames if frame.image == beat.exam.exam.images[0].name]) == 6
    walls = [{item.name: item for item in each.segments if item.view == "SAX"} for each in (one, several)]
    assert (
        walls[0].keys()
        == walls[1].keys()
        == {*("end_diastolic_wall_thickness", "end_systolic_wall_thickness", "wall_thickening")}
    )
    for name, item in walls[0].items():
        assert walls[1][name].values == pytest.approx(item.values)
