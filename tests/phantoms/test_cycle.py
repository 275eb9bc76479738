import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms import CardiacCycle

rates = st.floats(40, 150)


@given(rates)
@settings(deadline=None)
def test_phases_follow_each_other_and_fill_the_beat(rate):
    cycle = CardiacCycle(rate)
    bounds = np.array(cycle.bounds_ms)
    assert bounds[0] > 0
    assert (np.diff(bounds) > -1e-9).all()
    assert bounds[-1] == pytest.approx(60_000 / rate)


@given(rates, st.integers(12, 200))
@settings(deadline=None)
def test_filling_stays_between_its_two_named_instants(rate, frame_count):
    cycle = CardiacCycle(rate)
    filling = cycle.filling(cycle.times_ms(frame_count))
    assert filling[0] == 1
    assert filling.min() == 0
    assert filling.max() == 1


@given(rates)
@settings(deadline=None)
def test_filling_falls_in_systole_and_rises_in_diastole_without_jumps(rate):
    cycle = CardiacCycle(rate)
    times = np.linspace(0, cycle.duration_ms, 2001)
    steps = np.diff(cycle.filling(times))
    assert (steps[times[1:] <= cycle.end_systole_ms] <= 1e-12).all()
    assert (steps[times[:-1] >= cycle.end_systole_ms] >= -1e-12).all()
    assert np.abs(steps).max() < 0.012


def test_isovolumic_phases_keep_the_volume():
    cycle = CardiacCycle(60)
    contraction, ejection, relaxation = cycle.bounds_ms[:3]
    assert np.ptp(cycle.filling(np.linspace(0, contraction, 9))) == 0
    assert np.ptp(cycle.filling(np.linspace(ejection, relaxation, 9))) == 0


def test_atrial_kick_brings_28_percent():
    cycle = CardiacCycle(60)
    assert cycle.filling(np.array([cycle.bounds_ms[4] - 1e-6]))[0] == pytest.approx(0.72)


def test_mitral_valve_is_shut_in_systole_and_wide_in_early_filling():
    cycle = CardiacCycle(60)
    relaxation, early = cycle.bounds_ms[2:4]
    assert cycle.mitral_opening(np.linspace(0, relaxation, 20)).max() == 0
    assert cycle.mitral_opening(np.linspace(relaxation, early, 101)).max() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("rate", [0, 39.9, 151, float("nan")])
def test_impossible_heart_rate_is_refused(rate):
    with pytest.raises(InputError, match="heart rate"):
        CardiacCycle(rate)
