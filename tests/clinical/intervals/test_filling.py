"""Quantities get the intervals that the model which traced them was calibrated to, and nobody else's."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical import Measures, measure
from cardiotrace.clinical.expected import Linear
from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.calibration import NOT_CALIBRATED, Bounded, ErrorCalibration, IntervalCalibration
from cardiotrace.clinical.intervals.filling import (
    CALIBRATED_EJECTION,
    EJECTION,
    UNLIKE,
    Lacking,
    TracedBy,
    with_intervals,
)
from cardiotrace.clinical.intervals.widening import Widening
from cardiotrace.clinical.measure import LabelledView, measure_labels
from cardiotrace.clinical.method import Method
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from tests.clinical.ventricle import Ventricle, image_of, label_map

EF, EDV = f"{EJECTION}_percent", "left_ventricular_end_diastolic_volume_ml"
SLICES = Geometry.of_spacing((10.0, 1.0, 1.0))
SIZE = Linear(2.0, {"ejection": (50.0, 10.0, -1.0)})


def calibration_of(quantity: str, error: Error, *, view: str = "A4C", **told) -> ErrorCalibration:
    return ErrorCalibration(quantity, view, Method.SINGLE_PLANE_DISKS, error, 0.9, **told)


CALIBRATION = IntervalCalibration(
    (
        calibration_of(EF, Error.READING, limits={"": (-5.0, 6.0), "poor": (-9.0, 9.0)}),
        calibration_of(EF, Error.WHOLE, limits={"": (-8.0, 10.0)}, expected=Bounded(SIZE)),
        calibration_of(EDV, Error.READING, limits={"": (-0.1, 0.2)}),
    )
)


@pytest.fixture(scope="module")
def measures() -> Measures:
    images, labels = [], {}
    for phase, ventricle in ((Phase.ED, Ventricle(25, 80)), (Phase.ES, Ventricle(19, 70))):
        labels[phase.value] = label_map([ventricle.draw()])
        images.append(image_of(phase.value, labels[phase.value], phases={phase: 0}))
    return measure(Exam("p1", tuple(images)), labels)


def traced(calibration: IntervalCalibration = CALIBRATION, *, with_variants: bool = False) -> dict[str, TracedBy]:
    return {name: TracedBy(calibration, np.array([0.5]), (), with_variants) for name in ("ED", "ES")}


def test_the_whole_error_is_shown_and_both_are_there(measures) -> None:
    value = measures.ejection_fraction_percent
    found = with_intervals(measures, traced()).find(EJECTION)
    shift = 2.0 - (value - 50) / 10
    assert found.interval == pytest.approx((value + shift - 8, value + shift + 10))
    assert [(each.of, each.low, each.high) for each in found.intervals] == [
        (Error.WHOLE, *found.interval),
        (Error.READING, value - 5, value + 6),
    ]
    assert found.value == value


def test_a_volume_is_off_by_a_share_of_itself(measures) -> None:
    found = with_intervals(measures, traced()).find("left_ventricular_end_diastolic_volume")
    assert found.interval == pytest.approx((found.value * np.exp(-0.1), found.value * np.exp(0.2)))
    assert [each.of for each in found.intervals] == [Error.READING]


def test_only_the_calibrated_method_of_the_calibrated_view_is_filled(measures) -> None:
    filled = [(item.key, item.method) for item in with_intervals(measures, traced()) if item.interval is not None]
    assert set(filled) == {
        (EF, Method.SINGLE_PLANE_DISKS),
        (EDV, Method.SINGLE_PLANE_DISKS),
        (f"{CALIBRATED_EJECTION}_percent", Method.CALIBRATED),
    }


def test_the_calibrated_ejection_fraction_stands_apart_and_last(measures) -> None:
    found = with_intervals(measures, traced())
    calibrated, measured = found.quantities[-1], found.find(EJECTION)
    assert calibrated.name == CALIBRATED_EJECTION
    assert calibrated.value == pytest.approx(measured.value + 2.0 - (measured.value - 50) / 10)
    assert calibrated.interval == measured.interval
    assert found.ejection_fraction_percent == measures.ejection_fraction_percent


def test_a_stated_quality_has_its_own_limits(measures) -> None:
    value = measures.ejection_fraction_percent
    poor, unseen = (with_intervals(measures, traced(), quality=word).find(EJECTION) for word in ("Poor", "Odd"))
    assert poor.intervals[1].low == pytest.approx(value - 9)
    assert unseen.intervals[1].low == pytest.approx(value - 5)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({}, ""),  # a person drew
        (traced(NOT_CALIBRATED), Lacking.MODEL),
        (traced(with_variants=True), Lacking.VARIANTS),
        (traced(replace(CALIBRATION, errors=(replace(CALIBRATION.errors[0], view="A2C"),))), Lacking.WAY),
        ({**traced(), "ES": TracedBy(NOT_CALIBRATED)}, Lacking.MODEL),  # two models, of which one was calibrated
    ],
)
def test_without_a_calibration_that_fits_there_is_no_interval_and_it_is_said_why(measures, seen, why) -> None:
    found = with_intervals(measures, seen)
    assert all(item.interval is None for item in found)
    assert len(found.quantities) == len(measures.quantities)
    assert found.not_calibrated == why


def test_what_is_not_usable_has_no_interval(measures) -> None:
    from cardiotrace.clinical.rule import flag

    bad = flag("ejection-impossible", "it cannot be")
    doubted = replace(
        measures, quantities=tuple(replace(item, flags=(bad,)) if item.key == EF else item for item in measures)
    )
    assert all(item.interval is None for item in with_intervals(doubted, traced()) if EJECTION in item.name)


def test_an_interval_holds_its_value_and_no_ejection_beyond_all(measures) -> None:
    far = calibration_of(EF, Error.WHOLE, limits={"": (20.0, 90.0)})
    found = with_intervals(measures, traced(IntervalCalibration((far,)))).find(EJECTION)
    assert found.interval == (found.value, 100.0)


def test_json_holds_both_and_reads_them_back(measures) -> None:
    from cardiotrace.workflows.services.record import _quantity

    found = with_intervals(measures, traced()).find(EJECTION)
    plain = found.to_plain()
    assert [each["of"] for each in plain["intervals"]] == ["whole error", "reading error"]
    assert plain["interval"] == [plain["intervals"][0]["low"], plain["intervals"][0]["high"]]
    assert _quantity(plain).intervals[1].of is Error.READING


@pytest.mark.parametrize(
    ("unlike", "factor", "grade"),
    [
        (0.9, 1.0, None),
        (np.nan, 1.0, None),
        (1.5, 1.5, Grade.NOTE),
        (3.0, 2.0, Grade.NOTE),
        (5.0, 2.0, Grade.LOOK_TWICE),  # beyond what anybody counted
    ],
)
def test_an_unlike_image_gets_a_wider_interval_and_the_reason(measures, unlike, factor, grade) -> None:
    known = Widening(((2.0, 1.5), (4.0, 2.0)))
    wider = replace(CALIBRATION, errors=tuple(replace(each, widening=known) for each in CALIBRATION.errors))
    seen = {
        name: replace(each, calibration=wider, unlikeness=np.array([at]))
        for (name, each), at in zip(traced().items(), (0.4, unlike), strict=True)
    }
    found, usual = with_intervals(measures, seen), with_intervals(measures, traced())
    wide, plain = (each.find(EJECTION).intervals[1] for each in (found, usual))
    assert wide.high - wide.low == pytest.approx(factor * (plain.high - plain.low))
    assert wide.widened == factor
    for flags in (found.find(EJECTION).flags, found.flags):
        assert [each.grade for each in flags if each.rule == UNLIKE] == ([] if grade is None else [grade])


def test_an_unlike_image_is_doubted_where_nobody_counted_any(measures) -> None:
    seen = {name: replace(each, unlikeness=np.array([1.5])) for name, each in traced().items()}
    found = with_intervals(measures, seen).find(EJECTION)
    assert found.interval == with_intervals(measures, traced()).find(EJECTION).interval
    assert [each.grade for each in found.flags if each.rule == UNLIKE] == [Grade.LOOK_TWICE]


def stack_measures(slices: int = 8) -> Measures:
    rows, columns = np.mgrid[:96, :96]
    away = np.hypot(rows - 48, columns - 48)
    arrays = [np.where(away < radius, 3, np.where(away < radius + 8, 2, 0)) for radius in (26, 19)]
    labels = {
        phase: LabelledView(
            LabelMap(np.repeat(array[None, None], slices, axis=1).astype(np.uint8), ACDC, SLICES),
            View.SAX,
            phase,
            Modality.MR,
        )
        for phase, array in zip((Phase.ED, Phase.ES), arrays, strict=True)
    }
    return measure_labels({str(phase): each for phase, each in labels.items()}, exam="p")


def test_intervals_of_a_stack_follow_its_own_volumes() -> None:
    measures = stack_measures()
    ejection, volume = measures.find(EJECTION), measures.find("left_ventricular_end_diastolic_volume")
    by_size = Bounded(Linear(0.0, {"ejection": (0.0, 1.0, 0.01), "size": (0.0, 1.0, 0.1)}))
    told = ErrorCalibration(EF, "SAX", Method.SUM_OF_SLICES, Error.READING, 0.9, {"": (-5.0, 5.0)}, spread=by_size)
    seen = {str(phase): TracedBy(IntervalCalibration((told,)), np.array([0.5])) for phase in (Phase.ED, Phase.ES)}
    half = 5.0 * np.exp(0.01 * ejection.value + 0.1 * np.log(volume.value))
    assert with_intervals(measures, seen).find(EJECTION).interval == pytest.approx(
        (ejection.value - half, ejection.value + half)
    )
    unsized = replace(measures, quantities=tuple(item for item in measures if item.unit != "ml"))
    found = with_intervals(unsized, seen)
    assert found.find(EJECTION).interval is None
    assert found.not_calibrated == Lacking.SIGNS


def test_a_stack_of_few_slices_has_no_interval_of_whole_hearts() -> None:
    measures = stack_measures(slices=3)
    assert {"few-slices"} <= {flag.rule for flag in measures.find(EJECTION).flags}
    told = ErrorCalibration(EF, "SAX", Method.SUM_OF_SLICES, Error.READING, 0.9, {"": (-5.0, 5.0)})
    seen = {str(phase): TracedBy(IntervalCalibration((told,)), np.array([0.5])) for phase in (Phase.ED, Phase.ES)}
    found = with_intervals(measures, seen)
    assert found.find(EJECTION).interval is None
    assert found.not_calibrated == Lacking.PART
    assert with_intervals(stack_measures(), seen).find(EJECTION).interval is not None


def test_a_value_of_two_views_has_the_interval_that_was_counted_for_both() -> None:
    images, labels = [], {}
    for view in (View.FOUR_CHAMBER, View.TWO_CHAMBER):
        for phase, ventricle in ((Phase.ED, Ventricle(25, 80)), (Phase.ES, Ventricle(19, 70))):
            name = f"{view} {phase}"
            labels[name] = label_map([ventricle.draw()])
            images.append(image_of(name, labels[name], view=view, phases={phase: 0}))
    measures = measure(Exam("p1", tuple(images)), labels)
    both = ErrorCalibration(EF, "A4C+A2C", Method.BIPLANE_DISKS, Error.READING, 0.9, {"": (-4.0, 5.0)})
    counted = IntervalCalibration((*CALIBRATION.errors, both))
    found = with_intervals(measures, {name: TracedBy(counted, np.array([0.5])) for name in labels}).find(EJECTION)
    assert found.method is Method.BIPLANE_DISKS
    assert found.interval == pytest.approx((found.value - 4, found.value + 5))
    without = {name: TracedBy(CALIBRATION, np.array([0.5])) for name in labels}
    assert with_intervals(measures, without).find(EJECTION).interval is None
    assert with_intervals(measures, without).not_calibrated == Lacking.WAY
    another = {name: TracedBy(counted if "4CH" in name else NOT_CALIBRATED, np.array([0.5])) for name in labels}
    assert with_intervals(measures, another).find(EJECTION).interval is None
