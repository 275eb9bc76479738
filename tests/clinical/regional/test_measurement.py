"""What `measure` says of the wall, and what it says where it says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.regional import Beat, stack_of
from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.regional.contraction import segment_thickness
from cardiotrace.clinical.regional.division import divide
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.phantoms.cmr import sample_cmr


@pytest.fixture(scope="module")
def beat():
    return Beat.of(sample_cmr(3, pathology="infarct", style="siemens_1.5t"))


@pytest.fixture(scope="module")
def measures(beat):
    return measured(beat.labels)


def divisions_of(beat):
    return [divide(stack_of(beat.labels), frame) for frame in (0, 1)]


def measured(labels):
    image = Image(
        np.broadcast_to(np.uint8(0), labels.array.shape), labels.geometry, view=View.SAX, modality=Modality.MR
    )
    exam = Exam("p", (ExamImage("stack", image, {Phase.ED: 0, Phase.ES: 1}),))
    return measure(exam, {"stack": labels}, has_images=False)


def test_thickness_and_strain_are_those_of_the_continuous_heart(beat, measures):
    from benchmarks.regional import stack_of
    from cardiotrace.clinical.regional.division import divide

    divisions = [divide(stack_of(beat.labels), frame) for frame in (0, 1)]
    for frame, name in enumerate(("end_diastolic_wall_thickness", "end_systolic_wall_thickness")):
        values = next(item for item in measures.segments if item.name == name)
        truth = beat.thickness(frame, divisions[frame])
        assert set(values.values) == set(range(1, 17))
        assert np.mean([abs(values.values[number] - truth[number]) for number in truth]) < 0.3
        assert values.values == segment_thickness(divisions[frame])
    strain = measures.find("left_ventricular_midwall_circumferential_strain")
    assert strain is not None
    assert strain.value == pytest.approx(beat.circumferential(divisions), abs=1)
    assert strain.value < 0
    radial = measures.find("left_ventricular_radial_strain")
    assert radial is not None
    assert radial.value > 0


def test_a_scar_thickens_least(beat, measures):
    values = next(item for item in measures.segments if item.name == "wall_thickening").values
    scar = beat.config.scar
    assert scar is not None
    truth = [beat.thickness(frame, division) for frame, division in enumerate(divisions_of(beat))]
    change = {number: truth[1][number] / truth[0][number] for number in truth[0]}
    assert values[min(change, key=lambda number: change[number])] < 0.5 * max(values.values())


def test_mass_hardly_changes_over_the_beat(measures):
    first, second = (measures.value(f"left_ventricular_{name}_g") for name in ("mass", "end_systolic_mass"))
    assert first is not None
    assert second == pytest.approx(first, rel=0.1)


def test_without_a_pixel_size_strain_stays_and_thickness_goes(beat, measures):
    bare = measured(LabelMap(beat.labels.array, ACDC, NO_GEOMETRY))
    names = {quantity.name for quantity in bare}
    assert "left_ventricular_maximal_wall_thickness" not in names
    name = "left_ventricular_midwall_circumferential_strain"
    assert bare.value(f"{name}_percent") == pytest.approx(measures.value(f"{name}_percent"), abs=0.2)
    assert bare.segments == ()
    assert any(flag.rule == "segments-unnamed" and "mirrored" in flag.text for flag in bare.flags)


def test_flags_tell_what_is_odd(beat, measures):
    assert not {"segments-unnamed", "open-rings", "septal-span", "wall-thickness"} & {f.rule for f in measures.flags}
    middle = beat.labels.array.shape[1] // 2
    three = replace(
        beat.labels,
        array=beat.labels.array[:, middle - 1 : middle + 2].copy(),
        geometry=beat.labels.geometry.moved((middle - 1, 0, 0)),
    )
    assert "thin-levels" in {flag.rule for flag in measured(three).flags}
    array = beat.labels.array.copy()
    wall = array == 2
    wall[..., : int(np.argwhere(wall)[:, 3].mean())] = False
    wall[:, :middle] = False
    array[wall] = 0
    assert "open-rings" in {flag.rule for flag in measured(replace(beat.labels, array=array)).flags}
    pixel = np.zeros_like(beat.labels.array)
    pixel[:, middle, 50, 50], pixel[:, middle, 50, 51] = 3, 2
    lost = measured(replace(beat.labels, array=pixel))
    assert not lost.segments
    assert any(flag.rule == "segments-unnamed" for flag in lost.flags)


def test_the_curve_is_measured_against_the_end_diastole_that_the_values_have(beat):
    """A trembling largest frame is none, and a curve that is zero there would not meet the strain beside it."""
    order = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0])
    array = beat.labels.array[order].copy()
    # One frame too large: its own wall is counted as cavity.
    array[10][array[10] == ACDC.values[Structure.MYO]] = ACDC.values[Structure.LV]
    labels = LabelMap(array, ACDC, beat.labels.geometry)
    image = Image(np.broadcast_to(np.uint8(0), array.shape), labels.geometry, view=View.SAX, modality=Modality.MR)
    found = measure(Exam("p", (ExamImage("stack", image),)), {"stack": labels}, has_images=False)
    name = "left_ventricular_radial_strain"
    diastole, systole = (item.frame for item in found.key_frames)
    series = found.curves[0].series[f"{name}_percent"]
    assert series[diastole] == 0
    assert series[systole] == pytest.approx(found.find(name).value)


def test_without_any_myocardium_no_slices_are_counted(beat):
    """0 of 0 slices are nothing to be told."""
    array = np.where(beat.labels.array == ACDC.values[Structure.MYO], 0, beat.labels.array)
    found = measured(LabelMap(array, ACDC, beat.labels.geometry))
    assert "open-rings" not in [item.rule for item in found.flags]
    assert "segments-unnamed" in [item.rule for item in found.flags]
