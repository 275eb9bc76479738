"""Segments of phantoms under any order of their voxels, and where they cannot be named."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.regional import TURNS, Beat, right_percent, stack_of
from cardiotrace.clinical.regional.contraction import segment_thickness
from cardiotrace.clinical.regional.division import divide
from cardiotrace.core.geometry import Known
from cardiotrace.core.label import ACDC
from cardiotrace.core.terms import Structure
from cardiotrace.phantoms.cmr import sample_cmr


@pytest.fixture(scope="module")
def beat():
    """A septum that is too thick: what is called septal is known by its thickness, too."""
    return Beat.of(sample_cmr(2, pathology="hypertrophic", style="siemens_1.5t"))


def test_segments_are_right_in_every_order_of_voxels(beat):
    assert len(TURNS) == 16
    for frame in (0, 1):
        assert right_percent(beat.labels, beat.numbers(frame), frame, TURNS) >= 98.5


def test_the_thick_septum_is_called_septal(beat):
    found = segment_thickness(divide(stack_of(beat.labels), 0))
    assert set(found) == set(range(1, 17))
    assert min(found[number] for number in (2, 3, 8, 9, 14)) > 1.2 * max(found[number] for number in (5, 6, 11, 12, 16))


def test_without_a_place_in_the_patient_the_data_set_must_vouch(beat):
    geometry = replace(beat.labels.geometry, orientation=Known.UNKNOWN)
    unknown = divide(stack_of(replace(beat.labels, geometry=geometry)), 0)
    assert not unknown.middles
    assert "may be mirrored" in unknown.why_unnamed
    assert segment_thickness(unknown) == {}
    vouched = replace(beat.labels, geometry=replace(geometry, as_shown=Known.DATA_SET))
    assert right_percent(vouched, beat.numbers(0), 0, [(False, ())]) >= 98.5
    # Slices may then come in either order: the right ventricle tells where the base is.
    assert right_percent(vouched, beat.numbers(0), 0, [(False, (1,))]) >= 98.5


def test_a_header_that_contradicts_the_labels_names_nothing(beat):
    upside_down = replace(beat.labels, array=np.ascontiguousarray(beat.labels.array[:, ::-1]))
    assert "where the right ventricle ends" in divide(stack_of(upside_down), 0).why_unnamed
    tipped = beat.labels.geometry.affine.copy()
    tipped[:2] *= -1
    odd = divide(stack_of(replace(beat.labels, geometry=replace(beat.labels.geometry, affine=tipped))), 0)
    assert "degrees off the axis of a heart" in odd.why_unnamed


def test_without_a_right_ventricle_nothing_is_named(beat):
    value = ACDC.values[Structure.RV]
    bare = replace(beat.labels, array=np.where(beat.labels.array == value, 0, beat.labels.array))
    found = divide(stack_of(bare), 0)
    assert found.why_unnamed == "no slice shows where the right ventricle is inserted"
    assert found.rings


def test_a_mask_of_one_pixel_is_no_ring(beat):
    array = np.zeros_like(beat.labels.array)
    array[:, 4, 60, 60], array[:, 4, 60, 61] = ACDC.values[Structure.LV], ACDC.values[Structure.MYO]
    found = divide(stack_of(replace(beat.labels, array=array)), 0)
    assert not found.rings
    assert found.why_unnamed == "0 of its slices show a closed wall"


def test_three_slices_are_a_level_each_and_two_are_none(beat):
    middle = beat.labels.array.shape[1] // 2
    three = replace(
        beat.labels,
        array=beat.labels.array[:, middle - 2 : middle + 3 : 2].copy(),
        geometry=replace(beat.labels.geometry.moved((middle - 2, 0, 0))),
    )
    found = divide(stack_of(three), 0)
    assert sorted(found.levels.values()) == [0, 1, 2]
    assert not found.why_unnamed
    two = replace(three, array=three.array[:, :2].copy())
    assert divide(stack_of(two), 0).why_unnamed == "2 of its slices show a closed wall"


def test_an_open_ring_is_left_out_and_keeps_its_level(beat):
    array = beat.labels.array.copy()
    basal = int(np.flatnonzero(beat.labels.mask(Structure.MYO)[0].any(axis=(1, 2)))[0])
    plane = array[0, basal]
    columns = np.arange(plane.shape[1])[None]
    wall = plane == ACDC.values[Structure.MYO]
    rows = np.argwhere(wall)[:, 0]
    plane[
        wall & (np.arange(len(plane))[:, None] < rows.mean()) & (np.abs(columns - np.argwhere(wall)[:, 1].mean()) < 4)
    ] = 0
    whole, found = divide(stack_of(beat.labels), 0), divide(stack_of(replace(beat.labels, array=array)), 0)
    assert basal in whole.rings
    assert basal not in found.rings
    assert found.levels == whole.levels
