import math

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import ACDC, CAMUS, MNMS, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.metrics import (
    CAMUS_REGIONS,
    LV_EPI,
    Presence,
    Region,
    dice,
    measure_case,
    measure_frames,
    regions_of,
    specificity,
    surface_distances,
)

SPACING = (1.0, 0.3, 0.6)


def labels(array, scheme=CAMUS, spacing_mm=SPACING):
    return LabelMap(np.asarray(array, np.uint8), scheme, Geometry.of_spacing(spacing_mm))


def left_heart(shift=0):
    array = np.zeros((1, 1, 40, 50), np.uint8)
    array[0, 0, 5:25, 10 + shift : 30 + shift] = 2
    array[0, 0, 8:25, 13 + shift : 27 + shift] = 1
    array[0, 0, 26:36, 14 + shift : 26 + shift] = 3
    return array


def test_epicardium_is_the_union_of_cavity_and_myocardium():
    predicted, reference = left_heart(2), left_heart()
    scores = measure_case(labels(predicted), labels(reference))
    assert list(scores) == ["LV", "LV_EPI", "LA"]
    whole, muscle = scores["LV_EPI"], dice(predicted == 2, reference == 2)
    assert whole.dice == pytest.approx(0.9)  # 18 of 20 columns shared
    assert muscle < 0.75


def test_planar_images_are_measured_in_their_plane():
    scores = measure_case(labels(left_heart(2)), labels(left_heart()))
    assert {name: score.hausdorff_mm for name, score in scores.items()} == pytest.approx(
        {"LV": 1.2, "LV_EPI": 1.2, "LA": 1.2}
    )
    assert all(score.presence is Presence.PRESENT for score in scores.values())


def test_cropping_changes_no_score():
    predicted, reference = left_heart(3), left_heart()
    score = measure_case(labels(predicted), labels(reference))["LA"]
    first, second = predicted[0, 0] == 3, reference[0, 0] == 3
    distances = surface_distances(first, second, spacing_mm=SPACING[1:])
    assert score.specificity == specificity(first, second)
    assert score.dice == dice(first, second)
    assert score.hausdorff95_mm == distances.hausdorff95_mm
    assert score.mean_absolute_mm == distances.mean_absolute_mm


def test_stacks_are_measured_as_volumes():
    reference = np.zeros((1, 5, 20, 20), np.uint8)
    reference[0, 1:4, 5:15, 5:15] = ACDC.value(Structure.LV)
    predicted = reference.copy()
    predicted[0, 4] = predicted[0, 3]
    spacing = (8.0, 1.5, 1.5)
    score = measure_case(labels(predicted, ACDC, spacing), labels(reference, ACDC, spacing))["LV"]
    assert score.hausdorff_mm == 8.0
    assert score.dice == pytest.approx(600 / 700)


def test_schemes_may_number_structures_differently():
    reference = np.zeros((1, 1, 20, 20), np.uint8)
    reference[..., 5:15, 5:15] = ACDC.value(Structure.RV)
    predicted = np.where(reference, MNMS.value(Structure.RV), 0)
    scores = measure_case(labels(predicted, MNMS), labels(reference, ACDC))
    assert scores["RV"].dice == 1
    assert scores["LV"].presence is Presence.ABSENT


def test_absent_and_missed_structures():
    reference = left_heart()
    predicted = np.where(reference == 3, 0, reference)
    missed = measure_case(labels(predicted), labels(reference))["LA"]
    assert (missed.presence, missed.dice, missed.hausdorff_mm) == (Presence.FALSE_NEGATIVE, 0.0, math.inf)
    absent = measure_case(labels(predicted), labels(predicted))["LA"]
    assert absent.presence is Presence.ABSENT
    assert math.isnan(absent.dice)
    assert math.isnan(absent.mean_absolute_mm)


def test_two_empty_label_maps():
    nothing = labels(np.zeros((1, 1, 8, 8)))
    score = measure_case(nothing, nothing)["LV"]
    assert score.presence is Presence.ABSENT
    assert score.specificity == 1


def test_without_a_pixel_size_there_are_no_millimetres():
    score = measure_case(labels(left_heart(1), spacing_mm=None), labels(left_heart(), spacing_mm=None))["LV"]
    assert score.dice == pytest.approx(13 / 14)
    assert math.isnan(score.hausdorff_mm)
    one_knows = measure_case(labels(left_heart(1), spacing_mm=None), labels(left_heart()))["LV"]
    assert one_knows.hausdorff_mm == pytest.approx(0.6)


def test_frames_are_scored_one_by_one():
    reference = np.concatenate([left_heart(), left_heart()])
    predicted = np.concatenate([left_heart(1), left_heart(2)])
    frames = measure_frames(labels(predicted), labels(reference), [Structure.LV])
    assert [frame["LV"].hausdorff_mm for frame in frames] == pytest.approx([0.6, 1.2])
    with pytest.raises(InputError, match="measure_frames"):
        measure_case(labels(predicted), labels(reference))


def test_grids_must_match():
    with pytest.raises(InputError, match="grids differ"):
        measure_case(labels(left_heart()), labels(left_heart().swapaxes(2, 3)))
    with pytest.raises(InputError, match="pixel sizes differ"):
        measure_case(labels(left_heart()), labels(left_heart(), spacing_mm=(1.0, 0.6, 0.3)))
    close = labels(left_heart(), spacing_mm=(1.0, 0.300001, 0.6))
    assert measure_case(close, labels(left_heart()))["LV"].dice == 1


def test_unknown_structure_is_refused():
    with pytest.raises(InputError, match="no RV"):
        measure_case(labels(left_heart()), labels(left_heart()), [Structure.RV])


def test_regions():
    assert regions_of(CAMUS) == CAMUS_REGIONS
    assert CAMUS_REGIONS[1] is LV_EPI
    assert [region.name for region in regions_of(MNMS)] == ["LV", "MYO", "RV"]
    heart = Region("HEART", (Structure.LV, Structure.MYO, Structure.LA))
    score = measure_case(labels(left_heart()), labels(left_heart()), [heart])["HEART"]
    assert score.dice == 1
