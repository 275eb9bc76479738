"""Calibrations of made patients: they cover what they say, follow what the width depends on, and refuse too few."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.method import Method
from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.interval_fit import (
    CHOICES,
    CalibrationCase,
    Signs,
    What,
    chosen,
    coverage,
    fitted,
    held_out_spreads,
    referral,
)

EF = What("left_ventricular_ejection_fraction_percent", "A4C", Method.SINGLE_PLANE_DISKS, Error.READING)
EDV = replace(EF, quantity="left_ventricular_end_diastolic_volume_ml")
CONSTANT, SPREAD, EXPECTED = CHOICES[0], CHOICES[1], CHOICES[3]


def made(count: int = 300, *, bias: float = -3.0, slope: float = 0.0, depends: float = 1.0) -> list[CalibrationCase]:
    """Patients whose error is as wide as a sign says, with a bias and one that another sign tells."""
    generator = np.random.default_rng(5)
    cases = []
    for number in range(count):
        spread, ejection = generator.normal(1.0, 0.6), generator.normal(50, 10)
        error = bias + slope * (ejection - 50) + math.exp(depends * spread + 0.4) * generator.normal()
        signs = {"spread": spread, "ejection": ejection, "atrium": math.nan}
        group = "poor" if spread > 1.4 else "good"
        cases.append(CalibrationCase(f"p{number}", ejection, ejection + error, signs, group))
    return cases


def test_resplits_by_patient_cover_what_was_asked_for() -> None:
    found = coverage(made(), EF, CONSTANT, resplits=30)
    assert found.covered == pytest.approx(0.90, abs=0.02)
    assert set(found.by_group) == {"good", "poor"}
    # Each quality has limits of its own, or a constant width would fail the poor ones.
    assert min(found.by_group.values()) > 0.85


def test_a_sign_of_the_width_makes_intervals_narrower_and_is_chosen() -> None:
    cases = [replace(case, group="") for case in made()]
    constant, adaptive = (coverage(cases, EF, signs, resplits=10) for signs in (CONSTANT, SPREAD))
    assert adaptive.width < 0.9 * constant.width
    assert adaptive.covered == pytest.approx(0.90, abs=0.02)
    assert "spread" in chosen(cases, EF, resplits=5).spread
    assert "spread" not in chosen(cases, EF, resplits=5, is_same_network=False).spread
    model = fitted(cases, EF, SPREAD)
    narrow, wide = (model.interval(50.0, {"spread": value}) for value in (0.2, 1.8))
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_a_sign_that_tells_where_the_truth_lies_is_learned() -> None:
    model = fitted(made(slope=-0.8, depends=0.3), EF, EXPECTED)
    assert model.expected_value(60.0, {"ejection": 60.0}) == pytest.approx(60 - 3 - 8, abs=1.0)
    # What is not known counts as usual, and no heart is shifted by more than any of those it learned from.
    assert model.expected_value(60.0, {}) == pytest.approx(57, abs=1.0)
    assert model.expected_value(50.0, {"ejection": 500.0}) > 20


def test_volumes_are_calibrated_as_shares() -> None:
    generator = np.random.default_rng(6)
    volumes = generator.uniform(50, 250, 200)
    truths = volumes * np.exp(generator.normal(0.1, 0.15, 200))
    cases = [CalibrationCase(f"p{number}", *pair, {}) for number, pair in enumerate(zip(volumes, truths, strict=True))]
    model = fitted(cases, EDV, CONSTANT)
    small, large = model.interval(60.0, {}), model.interval(180.0, {})
    assert (large.high - large.low) == pytest.approx(3 * (small.high - small.low))
    assert small.high == pytest.approx(60 * math.exp(0.1 + 1.645 * 0.15), rel=0.08)


@pytest.mark.parametrize("count", [0, 3, 18])
def test_too_few_patients_are_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"at least 19 patients, there are {count}"):
        fitted(made(count), EF, CONSTANT)


def test_what_cannot_calibrate_is_refused() -> None:
    cases = made(30)
    with pytest.raises(InputError, match="calibrates once"):
        fitted([*cases, cases[0]], EF, CONSTANT)
    with pytest.raises(InputError, match="without a value"):
        fitted([*cases, CalibrationCase("x", math.nan, 50.0, {})], EF, CONSTANT)
    with pytest.raises(InputError, match="without a value"):
        fitted([*cases, CalibrationCase("x", -1.0, 50.0, {})], EDV, CONSTANT)


def test_referring_the_least_sure_removes_large_errors_first() -> None:
    errors = np.array([1.0, -12.0, 3.0, 20.0, -2.0])
    best = referral(errors, np.abs(errors))
    assert best.removed(0.4) == 1.0
    assert best.error[0] == pytest.approx(7.6)
    assert best.error[2] == pytest.approx(2.0)
    assert referral(errors, -np.abs(errors)).removed(0.4) == 0.0
    assert best.area < referral(errors, -np.abs(errors)).area
    assert math.isnan(referral(np.ones(5), np.arange(5.0)).removed(0.2))


def test_spreads_of_a_patient_are_those_that_others_let_expect() -> None:
    cases = made()
    unsure = held_out_spreads(cases, EF, SPREAD)
    signs = np.array([case.signs["spread"] for case in cases])
    assert np.corrcoef(np.log(unsure), signs)[0, 1] > 0.9
    assert held_out_spreads(cases, EF, Signs("none")).std() < 1
