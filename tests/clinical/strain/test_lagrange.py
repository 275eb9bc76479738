"""Strain of a line over beats: its sign, its peaks and its drift."""

import numpy as np
import pytest

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.strain.lagrange import beat_strain, film_percent, lagrangian_percent


def beat(start: int, systole: int, stop: int | None) -> Beat:
    return Beat("loop", "A4C", start, systole, stop)


def test_shortening_is_negative() -> None:
    found = beat_strain(np.array([200.0, 180.0, 160.0, 190.0]), beat(0, 2, None))
    assert found is not None
    assert (found.end_systolic, found.peak_systolic, found.post_systolic, found.drift) == (-20.0, -20.0, None, None)


def test_three_peaks_are_told_apart() -> None:
    found = beat_strain(np.array([200.0, 170.0, 174.0, 164.0, 190.0]), beat(0, 2, None))
    assert found is not None
    assert found.end_systolic == pytest.approx(-13)
    assert found.peak_systolic == pytest.approx(-15)
    assert found.post_systolic == pytest.approx(-18)


def test_drift_goes_by_a_ramp_and_is_reported() -> None:
    true = np.array([0.0, -10.0, -20.0, -12.0, 0.0])
    drifting = 200 * (1 + (true + np.linspace(0, 4, 5)) / 100)
    found = beat_strain(drifting, beat(0, 2, 4))
    assert found is not None
    assert found.drift == pytest.approx(4)
    assert found.end_systolic == pytest.approx(-20)
    assert film_percent(drifting, (beat(0, 2, 4),))[:4] == pytest.approx(true[:4])


def test_each_beat_is_against_its_own_end_diastole() -> None:
    lengths = np.array([200.0, 160.0, 180.0, 144.0, 180.0])
    percent = film_percent(lengths, (beat(0, 1, None), beat(2, 3, 4)))
    assert percent[3] == pytest.approx(-20)
    assert percent[1] == pytest.approx(-20)


def test_end_systole_before_end_diastole_has_no_peak() -> None:
    found = beat_strain(np.array([160.0, 180.0, 200.0]), beat(2, 0, None))
    assert found is not None
    assert (found.end_systolic, found.peak_systolic, found.post_systolic) == (-20.0, None, None)


def test_lost_frames() -> None:
    lengths = np.array([200.0, np.nan, 160.0, np.nan, 198.0])
    found = beat_strain(lengths, beat(0, 2, 3))
    assert found is not None
    assert (found.drift, found.peak_systolic) == (None, -20.0)
    assert beat_strain(lengths, beat(0, 1, None)) is None
    assert beat_strain(lengths, beat(1, 2, None)) is None


def test_a_line_without_length_has_no_strain() -> None:
    assert np.isnan(lagrangian_percent(np.array([0.0, 0.0]), 0)).all()


def test_a_gated_film_goes_round() -> None:
    lengths = np.array([165.0, 160.0, 190.0, 200.0, 180.0, 170.0])
    round_beat = beat(3, 1, 3)
    found = beat_strain(lengths, round_beat)
    assert found is not None
    # Systole runs over the end of the film; what is last leads to what is first, so that nothing can drift.
    assert (found.end_systolic, found.peak_systolic, found.post_systolic, found.drift) == (-20, -20, None, None)
    assert film_percent(lengths, (round_beat,)).tolist() == [-17.5, -20.0, -5.0, 0.0, -10.0, -15.0]
