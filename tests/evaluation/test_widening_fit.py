"""Intervals of unlike images are as much wider as truths lie farther off, and no wider than was counted."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.calibration import ErrorCalibration
from cardiotrace.clinical.intervals.widening import Widening
from cardiotrace.clinical.method import Method
from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.interval_fit import CalibrationCase
from cardiotrace.evaluation.widening_fit import UnlikeCase, fitted_widening

EF, EDV = "left_ventricular_ejection_fraction_percent", "left_ventricular_end_diastolic_volume_ml"


def error_of(quantity: str, half: float) -> ErrorCalibration:
    limits = {"": (-half, half)}
    return ErrorCalibration(quantity, "A4C", Method.SINGLE_PLANE_DISKS, Error.READING, 0.9, limits)


def cases(count: int, seed: int, *, patients: int = 100) -> list[UnlikeCase]:
    """Errors of the ejection fraction grow with unlikeness: 90 % within 10 points at 1, within 30 at 3."""
    rng = np.random.default_rng(seed)
    unlike = rng.uniform(0.5, 5.0, count)
    off = rng.normal(0, 10 / 1.645, count) * np.maximum(1, unlike)
    return [
        UnlikeCase(CalibrationCase(f"p{index % patients}", 50.0, 50.0 + off[index], {}), float(unlike[index]))
        for index in range(count)
    ]


def covered(error: ErrorCalibration, items: list[UnlikeCase]) -> float:
    found = [error.interval(each.case.measured, {}, unlikeness=each.unlikeness) for each in items]
    return float(np.mean([one.low <= each.case.truth <= one.high for one, each in zip(found, items, strict=True)]))


def test_widened_intervals_hold_what_usual_ones_do_not() -> None:
    error = error_of(EF, 10.0)
    fitted = replace(error, widening=fitted_widening(error, cases(2000, seed=1)))
    others = cases(2000, seed=2)
    for low, high in ((1.0, 2.0), (2.0, 3.0), (3.0, 5.0)):
        band = [each for each in others if low < each.unlikeness <= high]
        assert covered(error, band) < 0.85
        assert covered(fitted, band) == pytest.approx(0.9, abs=0.04)
    usual = [each for each in others if each.unlikeness <= 1]
    assert covered(fitted, usual) == covered(error, usual)


def test_factors_never_fall_and_end_where_patients_end() -> None:
    steps = fitted_widening(error_of(EF, 10.0), cases(2000, seed=1)).steps
    assert [factor for _, factor in steps] == sorted(factor for _, factor in steps)
    assert steps[-1][0] == 6.0  # nothing lies beyond 5
    surer = [replace(each, case=replace(each.case, truth=50.0)) for each in cases(2000, seed=1)]
    assert {factor for _, factor in fitted_widening(error_of(EF, 10.0), surer).steps} == {1.0}


def test_few_patients_are_refused_however_often_each_was_damaged() -> None:
    with pytest.raises(InputError, match="too few"):
        fitted_widening(error_of(EF, 10.0), cases(2000, seed=1, patients=18))


def test_what_is_needed_is_what_holds() -> None:
    rng = np.random.default_rng(0)
    for quantity, half, truths in ((EF, 10.0, rng.uniform(1, 99, 200)), (EDV, 0.2, rng.uniform(40, 250, 200))):
        error = replace(error_of(quantity, half), limits={"": (-half, 0.7 * half)})
        for truth in truths.tolist():
            wanted = error.needed(60.0, truth, {})
            for factor, holds in ((1.02 * wanted, True), (0.98 * wanted, False)):
                if factor >= 1:
                    found = replace(error, widening=Widening(((9.0, factor),))).interval(60.0, {}, unlikeness=2.0)
                    assert (found.low <= truth <= found.high) is holds
                    assert found.widened == factor
