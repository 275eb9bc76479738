"""What is gathered of patients whom a network never saw: borders, pixels, and how errors of phases go together."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.signs import SeenPhase
from cardiotrace.clinical.method import Method
from cardiotrace.evaluation.interval_fit import CalibrationCase, What, chosen
from cardiotrace.evaluation.out_of_fold import CALIBRATED, OutOfFold, PixelSample, border_band, phase_correlation
from tests.clinical.intervals.test_contour_samples import NARROW, WIDE, soft, traced

EF, EDV, ESV = CALIBRATED[:3]
NOTHING = PixelSample(np.zeros((2, 0), np.float32), np.zeros(0, np.int64))


def test_the_band_is_as_wide_as_it_says_in_millimetres() -> None:
    rows, columns = np.mgrid[:120, :160]
    # Pixels are twice as high as wide: the circle is one in millimetres.
    labels = np.where((rows - 60) ** 2 * 4 + (columns - 80) ** 2 < 40**2, 1, 0)[None, None]
    band = border_band(labels, (1.0, 0.5))[0, 0]
    radius_mm = np.hypot(rows - 60, (columns - 80) * 0.5)
    assert band[abs(radius_mm - 20) < 2.4].all()
    assert not band[abs(radius_mm - 20) > 3.9].any()


def test_an_image_without_a_border_has_no_band() -> None:
    assert not border_band(np.zeros((2, 1, 9, 9), int), (1.0, 1.0)).any()


def test_the_distance_is_that_to_the_border_between_pixels() -> None:
    labels = np.zeros((1, 1, 1, 40), int)
    labels[..., 20:] = 2
    found = border_band(labels, (1.0, 1.0))[0, 0, 0]
    beside = distance_transform_edt(labels[0, 0, 0] == 0)
    assert found[:20].sum() == (beside[:20] - 0.5 <= 3.0).sum() == 3
    assert found.sum() == 6


def patient(number: int, first: float, last: float) -> OutOfFold:
    """Errors of the logarithms of both volumes."""
    truths = {(EDV, "A4C", Method.SINGLE_PLANE_DISKS): 120.0, (ESV, "A4C", Method.SINGLE_PLANE_DISKS): 60.0}
    measured = dict(zip(truths, (120 * np.exp(first), 60 * np.exp(last)), strict=True))
    phases = {"A4C": (SeenPhase(traced(WIDE), 0.5, soft(WIDE, 1.0)), SeenPhase(traced(NARROW), 0.5, soft(NARROW, 1.0)))}
    return OutOfFold(
        f"p{number}", 1, "good", measured, {Error.READING: truths, Error.WHOLE: {}}, phases, NOTHING, NOTHING
    )


def test_errors_of_both_phases_that_go_together_are_told() -> None:
    generator = np.random.default_rng(8)
    common, own = generator.normal(size=40), generator.normal(size=(2, 40))
    alike = [patient(n, 0.1 * common[n], 0.1 * (0.8 * common[n] + 0.6 * own[0, n])) for n in range(40)]
    apart = [patient(n, 0.1 * own[0, n], 0.1 * own[1, n]) for n in range(40)]
    assert phase_correlation(alike) == pytest.approx(0.8, abs=0.15)
    assert abs(phase_correlation(apart)) < 0.3
    assert phase_correlation(alike[:2]) == 0.0


def test_a_patient_calibrates_only_what_he_has_a_truth_for() -> None:
    one = patient(1, 0.1, 0.0)
    what = What(EDV, "A4C", Method.SINGLE_PLANE_DISKS, Error.READING)
    case = one.case(what, 0.5)
    assert case is not None
    assert (case.measured, case.truth, case.group) == (pytest.approx(120 * np.exp(0.1)), 120.0, "good")
    assert np.isfinite(case.signs["spread"])
    assert one.case(What(EF, "A4C", Method.SINGLE_PLANE_DISKS, Error.READING), 0.5) is None
    assert one.case(What(EDV, "A4C", Method.SINGLE_PLANE_DISKS, Error.WHOLE), 0.5) is None


def test_a_stack_has_the_signs_that_were_measured_in_it() -> None:
    measured = {(key, "SAX", Method.SUM_OF_SLICES): value for key, value in ((EF, 55.0), (EDV, 100.0), (ESV, 45.0))}
    one = OutOfFold("p", 1, "", measured, {Error.READING: measured, Error.WHOLE: {}}, {}, NOTHING, NOTHING)
    case = one.case(What(ESV, "SAX", Method.SUM_OF_SLICES, Error.READING), 0.0)
    assert case is not None
    assert case.signs == {"ejection": 55.0, "size": pytest.approx(np.log(100))}


def test_what_no_patient_shows_is_not_chosen() -> None:
    rng = np.random.default_rng(3)
    cases = [
        CalibrationCase(f"p{n}", 50.0, 50.0 + off, {"ejection": 50.0 + off, "size": 4.0, "atrium": float("nan")})
        for n, off in enumerate(rng.normal(0, 5, 90).tolist())
    ]
    signs = chosen(cases, What(EF, "SAX", Method.SUM_OF_SLICES, Error.READING), resplits=5)
    assert {*signs.expected, *signs.spread} <= {"ejection", "size"}
    assert "ejection" in signs.expected
