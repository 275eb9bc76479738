"""What is measured against continuous shapes whose base leans, bulges and frays; tolerances are stated."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.clinical.long_axis_trace import LongAxisTrace, trace_long_axis
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from tests.clinical.analytic import Shape, image_of, label_map

ROUND, BULLET = Shape(), Shape(is_bullet=True)
LEANING, STEEP_BULLET = Shape(slope=0.3), Shape(is_bullet=True, slope=-0.3)
DOMED, SAGGING = Shape(dome_mm=6), Shape(dome_mm=-6)
SHAPES = [ROUND, BULLET, LEANING, STEEP_BULLET, DOMED, SAGGING, Shape(slope=0.2, dome_mm=-6), Shape(overhang_mm=4)]
PIXELS = [(0.3, 0.3), (1.0, 1.0), (2.0, 2.0), (0.5, 1.0), (1.2, 0.4)]
TURNS = [0, -25, 10, 37, 90, 153]


def traced(shape: Shape, pixel_mm: tuple[float, float], turn_deg: float) -> LongAxisTrace:
    """The trace of a drawn shape; that the base lies away from the apex is told, as views and atria tell it."""
    angle = np.deg2rad(turn_deg)
    labels = label_map([shape.draw(pixel_mm, turn_deg)], pixel_mm)
    return trace_long_axis(labels, 0, towards_base=(float(np.cos(angle)), -float(np.sin(angle))))


def volume_of(measures: Measures, phase: str, method: Method) -> float:
    found = measures.find(f"left_ventricular_end_{phase}_volume", method=method)
    assert found is not None
    return found.value


def test_the_truth_itself_by_formulas() -> None:
    radius, length = 2.5, 8.0
    assert ROUND.volume_ml == pytest.approx(2 / 3 * np.pi * radius**2 * length, rel=1e-5)
    assert BULLET.volume_ml == pytest.approx(np.pi * radius**2 * (length - radius / 3), rel=1e-5)
    # A base that leans about its middle takes on one side what it gives on the other ...
    assert LEANING.volume_ml == pytest.approx(ROUND.volume_ml, rel=1e-4)
    # ... and a paraboloid holds half of the cylinder around it.
    assert ROUND.volume_ml - DOMED.volume_ml == pytest.approx(np.pi * radius**2 * 0.6 / 2, rel=1e-3)
    # The wall meets a leaning base above on one side and below on the other: by hand for the cylinder.
    assert STEEP_BULLET.annulus_width_mm == pytest.approx(50 * np.hypot(1, 0.3), abs=0.01)
    assert ROUND.disk_ml() == pytest.approx(ROUND.volume_ml, rel=1e-3)


@pytest.mark.parametrize("pixel_mm", PIXELS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_annulus_and_length_whatever_the_base(shape: Shape, pixel_mm: tuple[float, float]) -> None:
    found = [traced(shape, pixel_mm, turn) for turn in TURNS]
    assert all(item.axis is not None and item.axis.method == "annulus" for item in found)
    widths = np.array([item.axis.annulus_width for item in found if item.axis]) - shape.annulus_width_mm
    lengths = np.array([item.axis.length for item in found if item.axis]) - shape.axis_mm
    largest = max(pixel_mm)
    # Each within three quarters of a pixel, all together within a sixth: nothing that grows with the pixel.
    assert np.abs(widths).max() < 0.1 + 0.75 * largest
    assert abs(widths.mean()) < 0.05 + 0.17 * largest
    # Over a bulge the line between the corners is off by what the base rises within a pixel of them.
    assert np.abs(lengths).max() < 0.15 + (1.25 if shape.dome_mm else 0.65) * largest


@pytest.mark.parametrize("pixel_mm", PIXELS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_disks_are_those_of_the_continuous_shape(shape: Shape, pixel_mm: tuple[float, float]) -> None:
    excess = [100 * ((traced(shape, pixel_mm, turn).simpson_ml or 0) / shape.disk_ml() - 1) for turn in TURNS]
    assert np.abs(excess).max() < 0.5 + 1.6 * max(pixel_mm)
    assert abs(np.mean(excess)) < 0.3 + 0.85 * max(pixel_mm)


@pytest.mark.parametrize(
    ("shape", "by_disks", "by_length"),
    [
        (ROUND, 0.0, 0.0),
        # Round disks across a leaning axis are shorter than the cavity is wide, area and length do not care.
        (LEANING, -5.9, 0.0),
        (STEEP_BULLET, -4.3, 5.1),
        # Area and length assume half an ellipsoid: of a bullet, which is fuller, they make too much.
        (BULLET, 0.1, 5.1),
        # Beyond the line between both corners nothing is counted, and a dome is taken as a tunnel through the plane.
        (SAGGING, -5.3, 6.9),
        (DOMED, -1.7, -7.0),
    ],
    ids=str,
)
def test_what_the_methods_themselves_are_off_by(shape: Shape, by_disks: float, by_length: float) -> None:
    found = traced(shape, (0.3, 0.3), 10)
    assert found.simpson_ml is not None
    assert found.area_length_volume is not None
    assert 100 * (found.simpson_ml / shape.volume_ml - 1) == pytest.approx(by_disks, abs=0.6)
    assert 100 * (found.area_length_volume / 1000 / shape.volume_ml - 1) == pytest.approx(by_length, abs=0.4)


def test_myocardium_that_stops_short_takes_the_annulus_along() -> None:
    short = traced(Shape(overhang_mm=-4), (0.3, 0.3), 10)
    assert short.axis is not None
    # All but the half millimetre within which myocardium still counts as beside the cavity.
    assert short.axis.length - 80 == pytest.approx(-3.5, abs=0.2)
    assert short.axis.annulus_width == pytest.approx(50, abs=0.3)


def test_ragged_walls_leave_the_ejection_fraction_alone() -> None:
    wide, narrow = Shape(ripple_mm=0.7), Shape(radius_mm=18, length_mm=68, ripple_mm=0.7)
    true = 100 * (1 - narrow.volume_ml / wide.volume_ml)
    errors = []
    for seed in range(8):
        labels = {
            phase: label_map([replace(shape, seed=seed + offset).draw((1.0, 1.0))], (1.0, 1.0))
            for phase, shape, offset in ((Phase.ED, wide, 0), (Phase.ES, narrow, 100))
        }
        images = tuple(image_of(found, phase.value, phases={phase: 0}) for phase, found in labels.items())
        percent = measure(Exam("p", images), {phase.value: found for phase, found in labels.items()})
        assert percent.ejection_fraction_percent is not None
        errors.append(percent.ejection_fraction_percent - true)
    assert abs(np.mean(errors)) < 0.4
    assert np.abs(errors).max() < 1.2


def beat(count: int, *, ripple_mm: float = 0.0) -> list[Shape]:
    """One beat of a leaning ventricle that starts at end-diastole."""
    shares = (1 - np.cos(2 * np.pi * np.arange(count) / count)) / 2
    return [
        Shape(25 - 6 * share, 80 - 10 * share, slope=0.1, ripple_mm=ripple_mm, seed=frame)
        for frame, share in enumerate(shares)
    ]


def test_every_beat_of_a_film_is_found_and_measured() -> None:
    shapes = beat(10) * 3
    labels = label_map([shape.draw((1.0, 1.0)) for shape in shapes], (1.0, 1.0))
    measures = measure(Exam("p", (image_of(labels),), frame_rate_hz=40), {"loop": labels})
    assert [(beat.end_diastole, beat.end_systole, beat.stop) for beat in measures.beats] == [
        (0, 5, 10),
        (10, 15, 20),
        (20, 25, 29),
    ]
    assert [item.frame % 10 for item in measures.key_frames] == [0, 5]
    true = 100 * (1 - shapes[5].disk_ml() / shapes[0].disk_ml())
    assert measures.ejection_fraction_percent == pytest.approx(true, abs=0.6)
    (curve,) = measures.curves
    volumes = np.array(curve.series["left_ventricular_volume_ml"]).reshape(3, 10)
    assert (volumes == volumes[0]).all()
    # It is drawn without an atrium, and ten frames a beat are too few for rates; else nothing is odd.
    assert [flag.rule for flag in measures.flags] == ["no-atrium", "no-rates", "rate-measured"]


def test_trembling_outlines_do_not_make_the_beat_larger() -> None:
    shapes = [replace(shape, seed=7 * frame) for frame, shape in enumerate(beat(10, ripple_mm=1.0) * 3)]
    labels = label_map([shape.draw((1.0, 1.0)) for shape in shapes], (1.0, 1.0))
    measures = measure(Exam("p", (image_of(labels),)), {"loop": labels})
    smooth = beat(10)
    true = 100 * (1 - smooth[5].disk_ml() / smooth[0].disk_ml())
    assert measures.ejection_fraction_percent is not None
    # The largest of all and the smallest of all frames would be up to two points too far apart.
    assert abs(measures.ejection_fraction_percent - true) < 1.0
    assert [(beat.end_diastole % 10, beat.end_systole % 10) for beat in measures.beats] == [(0, 5)] * 3


@pytest.mark.parametrize("turn_deg", [0, 70, 180, -110])
@pytest.mark.parametrize(("view", "modality"), [(View.UNKNOWN, Modality.UNKNOWN), (View.TWO_CHAMBER, Modality.MR)])
def test_every_frame_of_a_curve_of_an_image_that_is_turned(view: View, modality: Modality, turn_deg: float) -> None:
    shapes = beat(6)
    labels = label_map([shape.draw((0.8, 0.8), turn_deg) for shape in shapes], (0.8, 0.8))
    image = image_of(labels, view=view, modality=modality)
    (curve,) = measure(Exam("p", (image,)), {"loop": labels}).curves
    true = [shape.disk_ml() for shape in shapes]
    assert curve.series["left_ventricular_volume_ml"] == pytest.approx(true, rel=0.02)
    assert curve.series["left_ventricular_length_cm"] == pytest.approx([item.axis_mm / 10 for item in shapes], abs=0.06)


def slices_of(shape: Shape, *, first_mm: float, step_mm: float, pixel_mm: float = 1.0) -> np.ndarray:
    """ACDC labels (depth, height, width) of short-axis slices, from below the base on."""
    reach = np.arange(-45, 45, pixel_mm) + 0.3
    aside, behind = np.meshgrid(reach, reach)
    planes = []
    for height in np.arange(first_mm, shape.length_mm + 2 * step_mm, step_mm):
        radius = np.hypot(aside, behind)
        inside = (radius < shape.half_width(height)) & (height > shape.base(aside, behind)) & (height < shape.length_mm)
        grown = Shape(shape.radius_mm + shape.wall_mm, shape.length_mm + shape.wall_mm, shape.is_bullet)
        wall = (radius < grown.half_width(height)) & (height > shape.base(aside, behind))
        planes.append(np.where(inside, 3, np.where(wall, 2, 0)))
    return np.array(planes, np.uint8)


def measured_stack(frames: dict[Phase, np.ndarray], step_mm: float, *, apart: bool) -> Measures:
    """Measures of stacks in one video, or in one file for each phase."""
    geometry = Geometry.of_spacing((step_mm, 1.0, 1.0))
    groups = [{phase: array} for phase, array in frames.items()] if apart else [frames]
    images, labels = [], {}
    for number, group in enumerate(groups):
        array = np.stack(list(group.values()))
        grey = np.random.default_rng(0).integers(60, 200, array.shape).astype(np.uint8)
        phases = {phase: frame for frame, phase in enumerate(group)}
        cine = Image(grey, geometry, view=View.SAX, modality=Modality.MR)
        images.append(ExamImage(f"stack{number}", cine, phases))
        labels[f"stack{number}"] = LabelMap(array, ACDC, geometry)
    return measure(Exam("p", tuple(images)), labels)


@pytest.mark.parametrize("shape", [ROUND, BULLET, LEANING, SAGGING, DOMED], ids=str)
def test_slices_are_off_by_at_most_half_a_slice_at_the_base_and_by_nothing_on_average(shape: Shape) -> None:
    step_mm = 8.0
    excess = []
    for first_mm in np.arange(-16, -8) + 0.37:
        array = slices_of(shape, first_mm=first_mm, step_mm=step_mm)
        measures = measured_stack({Phase.ED: array}, step_mm, apart=False)
        excess.append(volume_of(measures, "diastolic", Method.SUM_OF_SLICES) - shape.volume_ml)
    half_slice_ml = np.pi * shape.radius_mm**2 * step_mm / 2 / 1000
    assert np.abs(excess).max() < 1.05 * half_slice_ml
    assert abs(np.mean(excess)) < 0.01 * shape.volume_ml


def test_phases_in_files_of_their_own_are_measured_as_in_one_video() -> None:
    arrays = {
        phase: slices_of(shape, first_mm=-12.0, step_mm=8.0)
        for phase, shape in ((Phase.ED, LEANING), (Phase.ES, Shape(18, 80, slope=0.2)))
    }
    together, apart = (measured_stack(arrays, 8.0, apart=apart) for apart in (False, True))
    assert [(item.key, item.value) for item in together] == [(item.key, item.value) for item in apart]
    systolic = [item for item in apart if "systolic" in item.name]
    assert {item.name for item in systolic} == {
        "left_ventricular_end_systolic_volume",
        "left_ventricular_end_systolic_mass",
    }
    assert {item.frames[0].image for item in systolic} == {"stack1"}
    true = 100 * (1 - Shape(18, 80, slope=0.2).volume_ml / LEANING.volume_ml)
    # The missing part of a slice at the base is the same share of both.
    assert together.ejection_fraction_percent == pytest.approx(true, abs=1.0)
