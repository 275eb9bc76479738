"""Rows and quantities of one case: no image is read for them."""

import dataclasses
import math

import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.clinical.measure import LabelledView, measure_labels
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam
from cardiotrace.core.label import ACDC, LV_ONLY, VESSEL, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.evaluation.score import CasePrediction, case_groups, common_regions, quantities_of, score_case
from tests.clinical.ventricle import Ventricle, image_of, label_map

SPACING_MM = (1.0, 0.8, 0.8)
LARGE, SMALL = Ventricle(25, 80), Ventricle(19, 70)


def case(phase: Phase, **facts) -> Case:
    return Case(
        f"p1_{phase}",
        View.FOUR_CHAMBER,
        phase,
        {"patient": "p1", "quality": "good"},
        read_image=lambda: pytest.fail("an image is read"),
        modality=Modality.US,
        facts=facts,
    )


def prediction(phase: Phase, predicted: Ventricle, reference: Ventricle, **facts) -> CasePrediction:
    labels = [label_map([item.draw(SPACING_MM[1:])], SPACING_MM) for item in (predicted, reference)]
    return CasePrediction(case(phase, **facts), *labels)


def test_quantities_are_those_of_the_images_that_nobody_read():
    stated = {"left_ventricular_ejection_fraction_percent": 51.5}
    pairs = [prediction(Phase.ED, LARGE, Ventricle(26, 80)), prediction(Phase.ES, SMALL, SMALL, **stated)]
    found = {item.key: item for item in quantities_of(pairs)}
    labels = {item.case.name: item.predicted for item in pairs}
    images = [image_of(item.case.name, item.predicted, phases={item.case.phase: 0}) for item in pairs]
    images = [dataclasses.replace(item, image=dataclasses.replace(item.image, modality=Modality.US)) for item in images]
    seen = measure(Exam("p1", tuple(images)), labels)
    for key in ("left_ventricular_ejection_fraction_percent", "left_ventricular_end_diastolic_volume_ml"):
        (value,) = [item.value for item in seen if item.key == key][:1]
        assert found[key].predicted == pytest.approx(value, rel=1e-9)
        assert found[key].traced > found[key].predicted
    assert found["left_ventricular_ejection_fraction_percent"].stated == 51.5
    assert math.isnan(found["left_ventricular_end_diastolic_volume_ml"].stated)


def test_two_planes_of_ultrasound_have_a_mass_and_those_of_mri_have_none():
    pairs = [
        dataclasses.replace(item, case=dataclasses.replace(item.case, name=f"{view}_{item.case.phase}", view=view))
        for view in (View.FOUR_CHAMBER, View.TWO_CHAMBER)
        for item in (
            prediction(Phase.ED, LARGE, LARGE, left_ventricular_mass_g=140.0),
            prediction(Phase.ES, SMALL, SMALL),
        )
    ]
    mass = {item.key: item for item in quantities_of(pairs)}["left_ventricular_mass_g"]
    # Half an ellipsoid, 10 mm of wall around it.
    true_g = 1.05 * (Ventricle(LARGE.radius_mm + 10, LARGE.length_mm + 10).volume_ml - LARGE.volume_ml)
    assert mass.traced == pytest.approx(true_g, rel=0.03)
    assert (mass.predicted, mass.stated) == (mass.traced, 140.0)
    other = [dataclasses.replace(each, case=dataclasses.replace(each.case, modality=Modality.MR)) for each in pairs]
    assert math.isnan({item.key: item for item in quantities_of(other)}["left_ventricular_mass_g"].traced)


def test_labels_alone_are_measured_by_their_own_grid():
    array = np.zeros((1, 4, 20, 20), np.uint8)
    array[:, 1:3, 5:15, 5:15] = 3
    geometry = label_map([array[0, 0]], (10.0, 1.5, 1.0)).geometry
    found = measure_labels({"a": LabelledView(LabelMap(array, ACDC, geometry), View.SAX, Phase.ED, Modality.MR)})
    volume = found.find("left_ventricular_end_diastolic_volume")
    assert volume.value == pytest.approx(2 * 100 * 15 / 1000)
    assert [str(frame) for frame in volume.frames] == ["a:0"]


def test_rows_tell_case_region_frame_and_scores():
    rows = score_case(dataclasses.replace(prediction(Phase.ED, SMALL, LARGE), confidence=[0.75]))
    assert [row.region for row in rows] == ["LV", "LV_EPI", "LA"]
    lv = rows[0]
    assert (lv.case, lv.patient, lv.phase, lv.frame, lv.confidence) == ("p1_ED", "p1", Phase.ED, 0, 0.75)
    assert lv.groups == {"quality": "good"}
    # The smaller ventricle lies inside the larger one: nothing false, much missed.
    assert lv.scores["precision"] > 0.95
    assert lv.scores["recall"] < 0.8
    assert math.isnan(lv.scores["roc_auc"])
    height, width = prediction(Phase.ED, SMALL, LARGE).reference.array.shape[2:]
    assert lv.diagonal_mm == pytest.approx(math.hypot((height - 1) * 0.8, (width - 1) * 0.8), abs=1.2)


def test_classes_of_the_ejection_fraction_follow_from_what_is_stated():
    named = case(Phase.ED, left_ventricular_ejection_fraction_percent=40.0)
    assert case_groups(named) == {"ef_class": "<=45", "quality": "good"}
    given = dataclasses.replace(named, groups={"patient": "p1", "ef_class": "low"})
    assert case_groups(given) == {"ef_class": "low"}


def test_only_what_both_can_hold_is_compared():
    both = prediction(Phase.ED, LARGE, LARGE)
    alone = dataclasses.replace(both, predicted=both.predicted.to(LV_ONLY))
    assert [region.name for region in common_regions(alone)] == ["LV"]
    other = LabelMap(np.zeros_like(both.reference.array), VESSEL, both.reference.geometry)
    with pytest.raises(InputError, match="predictions hold VESSEL, the reference LV"):
        common_regions(dataclasses.replace(both, predicted=other))
