"""Images are traced once; what has no pixel size is told in pixels; rules look at what was traced."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical import measure, traced_cine
from cardiotrace.clinical.long_axis_trace import LongAxisTrace, trace_long_axis
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.scale import UNKNOWN, Scale
from cardiotrace.clinical.slices import Slices
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LV_ONLY, LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.geometry.contour import polygon_area
from tests.clinical.ventricle import Ventricle, image_of, label_map

WIDE, NARROW = Ventricle(radius_mm=25, length_mm=80), Ventricle(radius_mm=19, length_mm=70)


def rules(measures: Measures) -> list[str]:
    return [flag.rule for flag in measures.flags]


def test_each_frame_is_traced_once_for_table_curve_and_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def counted(labels: LabelMap, frame: int, **options: tuple[float, float] | None) -> LongAxisTrace:
        seen.append(frame)
        return trace_long_axis(labels, frame, **options)

    monkeypatch.setattr(traced_cine, "trace_long_axis", counted)
    labels = label_map([WIDE.draw(), NARROW.draw(), Ventricle(22, 76).draw()])
    measures = measure(Exam("p", (image_of("loop", labels),)), {"loop": labels})
    assert sorted(seen) == [0, 1, 2]
    trace = measures.key_frames[0].trace
    assert trace is not None
    assert (
        trace.simpson_ml
        == measures.end_diastolic_volume_ml
        == measures.curves[0].series["left_ventricular_volume_ml"][0]
    )


def test_outlines_of_what_lies_around_are_found_when_asked_for_and_kept() -> None:
    labels = label_map([WIDE.draw()])
    cine = TracedCine(image_of("still", labels), labels, np.zeros(1, bool))
    atrium = cine.outline(Structure.LA, 0)
    assert polygon_area(atrium) == pytest.approx(np.pi / 2 * 20 * 30, rel=0.02)
    # The outline of the wall goes around wall and cavity but for the open base: both half ellipses and the base.
    assert polygon_area(cine.outline(Structure.MYO, 0)) == pytest.approx(np.pi / 2 * (35 * 90 - 25 * 80), rel=0.02)
    assert cine.outline(Structure.LA, 0) is atrium
    assert cine.outline(Structure.LV, 0) is cine.traces[0].ring
    assert cine.outline(Structure.RV, 0).shape == (0, 2)


def test_a_trace_of_pixels_says_so_and_keeps_its_ratios() -> None:
    planes = [WIDE.draw(), NARROW.draw()]
    known, unknown = (label_map(planes, spacing) for spacing in ((1.0, 0.4, 0.4), None))
    in_mm, in_px = ([trace_long_axis(labels, frame) for frame in (0, 1)] for labels in (known, unknown))
    assert (in_mm[0].scale.unit, in_px[0].scale.unit) == ("mm", "px")
    assert in_px[0].area == np.count_nonzero(planes[0] == 1)
    assert in_px[0].area_cm2 is in_px[0].length_cm is in_px[0].simpson_ml is None
    assert in_mm[0].area_cm2 == pytest.approx(in_px[0].area * 0.16 / 100)
    # Lengths go with the pixel, volumes with its cube.
    assert in_mm[0].axis is not None
    assert in_px[0].axis is not None
    assert in_mm[0].axis.length == pytest.approx(0.4 * in_px[0].axis.length)
    assert in_mm[1].disk_volume == pytest.approx(0.4**3 * (in_px[1].disk_volume or 0))


def test_long_axes_without_a_pixel_size_are_written_in_pixels() -> None:
    for spacing_mm, unit, scale in (((1.0, 0.4, 0.4), "mm", 1.0), (None, "px", 0.4)):
        labels = label_map([WIDE.draw()], spacing_mm)
        image = image_of("still", labels, phases={Phase.ED: 0})
        (plain,) = measure(Exam("p", (image,)), {"still": labels}).to_plain()["key_frames"]
        assert set(plain) == {"view", "phase", "image", "frame", "chosen", f"annulus_{unit}", f"apex_{unit}"}
        corners = scale * np.array(plain[f"annulus_{unit}"])
        # The base lies at 0.68 of the canvas, 25 mm to both sides of its middle.
        assert corners == pytest.approx(np.array([[102, 50], [102, 100]]), abs=0.4)


def test_scale_by_hand() -> None:
    scale = Scale((0.5, 2.0), is_known=True)
    assert (scale.unit, scale.pixel_area) == ("mm", 1.0)
    assert (scale.length_cm(85.0), scale.area_cm2(2500.0), scale.volume_ml(90_000.0)) == (8.5, 25.0, 90.0)
    assert scale.area_to_report(2500.0) == (25.0, "cm2")
    assert UNKNOWN.area_to_report(2500.0) == (2500.0, "px2")
    assert UNKNOWN.length_cm(1.0) is UNKNOWN.area_cm2(1.0) is UNKNOWN.volume_ml(1.0) is None
    assert Scale.of(Geometry.of_spacing(None)) == UNKNOWN


def short_axis(array: np.ndarray, modality: Modality = Modality.MR, name: str = "stack") -> tuple[ExamImage, LabelMap]:
    """Labels of ACDC with an image that is bright everywhere."""
    geometry = Geometry.of_spacing((8.0, 1.0, 1.0))
    grey = np.random.default_rng(0).integers(60, 200, array.shape).astype(np.uint8)
    image = Image(grey, geometry, view=View.SAX, modality=modality)
    return ExamImage(name, image), LabelMap(array, ACDC, geometry)


def ring(cavity_mm: float, wall_mm: float = 8.0) -> np.ndarray:
    """A round left ventricle with its wall in one slice, a right one beside it."""
    rows, columns = np.mgrid[:90, :110]
    radius = np.hypot(rows - 44.5, columns - 64.5)
    right = (np.hypot((rows - 44.5) / 1.4, columns - 30.5) < cavity_mm * 0.7) & (radius > cavity_mm + wall_mm)
    return np.where(radius < cavity_mm, 3, np.where(radius < cavity_mm + wall_mm, 2, right)).astype(np.uint8)


def beat(*radii_mm: float, depth: int = 8) -> np.ndarray:
    """Six slices of one radius in each frame, empty ones at both ends."""
    shown = [[ring(radius)] * (depth - 2) if depth > 2 else [ring(radius)] for radius in radii_mm]
    empty = [np.zeros((90, 110), np.uint8)] if depth > 2 else []
    return np.array([[*empty, *slices, *empty] for slices in shown])


def test_counts_of_a_stack_are_those_of_its_labels() -> None:
    image, labels = short_axis(beat(22, 15))
    blank = np.zeros((2, 8), bool)
    stack = TracedStack(image, labels, blank)
    assert set(stack.counts) == {Structure.LV, Structure.MYO, Structure.RV}
    assert stack.counts[Structure.LV][0, 1:7] == pytest.approx(np.full(6, np.pi * 22**2), rel=0.01)
    assert stack.sizes.tolist() == [labels.mask(Structure.LV)[frame].sum() for frame in (0, 1)]
    assert stack.voxel_ml == pytest.approx(8 / 1000)
    blank[1] = True
    assert TracedStack(image, labels, blank).sizes[1] == 0
    assert not stack.is_slice


def test_a_parasternal_short_axis_gives_areas_and_says_what_it_cannot_give() -> None:
    image, labels = short_axis(beat(22, 20, 18, 15, depth=1), Modality.US, "psax")
    measures = measure(Exam("p", (image,)), {"psax": labels})
    assert {item.unit for item in measures} == {"cm2", "percent"}
    assert {item.method for item in measures} == {Method.TRACED_SLICE}
    assert measures.value("left_ventricular_end_systolic_area_cm2") == pytest.approx(np.pi * 1.5**2, rel=0.02)
    change = measures.value("left_ventricular_fractional_area_change_percent")
    assert change == pytest.approx(100 * (1 - 15**2 / 22**2), abs=1)
    assert measures.ejection_fraction_percent is None
    (curve,) = measures.curves
    assert {name.split("_")[-1] for name in curve.series} == {"cm2"}  # a slice times its thickness is no volume
    assert curve.series["left_ventricular_area_cm2"][3] == pytest.approx(np.pi * 1.5**2, rel=0.02)
    few, flag = measures.flags
    assert few.rule == "beat-few"
    assert (flag.rule, flag.grade) == ("single-slice", Grade.NOTE)
    assert flag.text == (
        "PSAX: a single slice gives areas and their change over the beat; no volumes, no ejection fraction, no mass"
    )


def test_a_single_instant_that_nobody_named_is_called_end_diastole_and_said_so() -> None:
    image, labels = short_axis(beat(22), Modality.MR, "sax")
    unnamed = replace(image, phases={})
    for shown, is_said in ((unnamed, True), (replace(image, phases={Phase.ED: 0}), False)):
        (told,) = (item for item in measure(Exam("p", (shown,)), {"sax": labels}).flags if item.rule == "one-instant")
        assert ("it is called end-diastole" in told.text) is is_said


def test_a_ventricle_in_a_view_that_is_not_measured_is_no_missing_ventricle() -> None:
    labels = label_map([WIDE.draw()])
    measures = measure(Exam("p", (image_of("plax", labels, view=View.PLAX),)), {"plax": labels})
    assert rules(measures) == ["not-measured", "nothing-measured"]
    assert (
        measures.flags[1].text
        == "nothing was measured: apical views, other long axes in one plane, and short axes can be"
    )


@pytest.mark.parametrize(("value", "about"), [(3, "LV"), (1, "RV")])
def test_either_ventricle_that_a_stack_loses_at_the_named_end_systole_is_told(value: int, about: str) -> None:
    array = beat(22, 15)
    array[1][array[1] == value] = 0
    image, labels = short_axis(array)
    named = replace(image, phases={Phase.ED: 0, Phase.ES: 1})
    measures = measure(Exam("p", (named,)), {"stack": labels})
    lost = [flag for flag in measures.flags if flag.rule == "lost"]
    assert [flag.about for flag in lost] == [about]
    side = "left" if about == "LV" else "right"
    assert measures.find(f"{side}_ventricular_end_systolic_volume") is None
    diastolic = measures.find(f"{side}_ventricular_end_diastolic_volume")
    assert diastolic is not None
    assert lost[0] in diastolic.flags


def test_a_ventricle_that_echo_loses_at_the_named_end_systole_is_told() -> None:
    labels = label_map([WIDE.draw(), np.where(NARROW.draw() == 1, 0, NARROW.draw()).astype(np.uint8)])
    image = image_of("loop", labels, phases={Phase.ED: 0, Phase.ES: 1})
    measures = measure(Exam("p", (image,)), {"loop": labels})
    assert measures.ejection_fraction_percent is None
    told = {flag.rule: flag.text for flag in measures.flags}
    assert told["no-ventricle"] == "A4C ES: no left ventricle was found"
    assert "frames-without" in told
    diastolic = measures.find("left_ventricular_end_diastolic_volume")
    assert diastolic is not None
    assert "no-ventricle" in [flag.rule for flag in diastolic.flags]


@pytest.mark.parametrize(("open_degrees", "is_told"), [(0, False), (40, False), (70, True), (180, True)])
def test_a_basal_slice_without_its_wall_is_noted(open_degrees: float, is_told: bool) -> None:
    array = beat(22, 15)
    rows, columns = np.mgrid[:90, :110]
    angle = np.rad2deg(np.abs(np.arctan2(rows - 44.5, columns - 64.5)))
    array[:, 1][:, (angle < open_degrees / 2)] = np.where(array[:, 1] == 2, 0, array[:, 1])[:, angle < open_degrees / 2]
    image, labels = short_axis(array)
    found = Slices.of(TracedStack(image, labels, np.zeros((2, 8), bool)), 0)
    assert found.base_bordered == pytest.approx(1 - open_degrees / 360, abs=0.04)
    flags = [flag for flag in measure(Exam("p", (image,)), {"stack": labels}).flags if flag.rule == "base-open"]
    assert [flag.grade for flag in flags] == [Grade.NOTE] * (2 if is_told else 0)


@pytest.mark.parametrize(("radius", "is_told"), [(15, True), (6, False)])
def test_an_open_basal_slice_that_decides_on_the_ejection_fraction_is_told_with_what_it_decides(
    radius: int, is_told: bool
) -> None:
    """As a network labels the atrium that comes down into the most basal slice at end-systole."""
    array = beat(22, 15)
    half = np.arange(110) < 64
    array[1, 1] = np.where(
        ring(15) == 1, 1, np.where((ring(radius) == 2) & half | (ring(radius) == 3), ring(radius), 0)
    )
    image, labels = short_axis(array)
    found = measure(Exam("p", (image,)), {"stack": labels})
    flags = [flag for flag in found.flags if flag.rule == "base-decides"]
    counts = (array == 3).sum(axis=(2, 3))
    ratio = 1 - counts[1].sum() / counts[0].sum()
    without = 1 - (counts[1].sum() - counts[1, 1]) / counts[0].sum()
    assert found.ejection_fraction_percent == pytest.approx(100 * ratio)
    assert [flag.text for flag in flags] == (
        [
            "SAX: without the most basal slice at ES, which may be atrium or outflow tract, the ejection fraction "
            f"would be {100 * without:.0f} %, not {100 * ratio:.0f} %"
        ]
        if is_told
        else []
    )


def test_without_labels_of_myocardium_the_basal_slice_is_not_judged() -> None:
    image, labels = short_axis(beat(22, 15))
    alone = labels.to(LV_ONLY)
    assert Slices.of(TracedStack(image, alone, np.zeros((2, 8), bool)), 0).base_bordered is None
    assert "base-open" not in rules(measure(Exam("p", (image,)), {"stack": alone}))


def test_an_image_without_spacing_beside_one_with_spacing_gives_no_volume() -> None:
    labels = {"a": label_map([WIDE.draw()]), "b": label_map([NARROW.draw()], None)}
    images = tuple(
        image_of(name, found, phases={phase: 0}) for (name, found), phase in zip(labels.items(), Phase, strict=False)
    )
    measures = measure(Exam("p", images), labels)
    # A length in mm against one in pixels is no ratio either.
    assert not [item for item in measures if item.unit in ("ml", "percent")]
    assert "sizes-differ" in rules(measures)
    assert {item.key for item in measures if item.method is Method.TRACED and "area" in item.name} >= {
        "left_ventricular_end_diastolic_area_cm2",
        "left_ventricular_end_systolic_area_px2",
    }
    assert "no-pixel-size" in rules(measures)
