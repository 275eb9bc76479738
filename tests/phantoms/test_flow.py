"""Blood: what flows in flows out, and what stays is as bright as the sequence makes it."""

import numpy as np
import pytest

from cardiotrace.phantoms.cmr.bssfp import RELAXATION, Sequence, Substance
from cardiotrace.phantoms.cmr.flow import FRESH_SHARE, SWIRL_MM_S, Flow
from cardiotrace.phantoms.heart.anatomy import AORTIC_ANGLE_RAD
from cardiotrace.phantoms.heart.heart import Heart

FRAMES = 50
SEQUENCE = Sequence(1.5, 3.0, 60)
BLOOD = RELAXATION[Substance.ARTERIAL].at(1.5)


def flow_of(heart: Heart, **changed) -> Flow:
    states = heart.at(heart.cycle.times_ms(FRAMES))
    options = {"thickness_mm": 8.0, "across": 1.0, "strength": 1.0, "seed": 1} | changed
    frame_ms = heart.cycle.duration_ms / FRAMES
    return Flow(states=states, frame_ms=frame_ms, sequence=SEQUENCE, relaxation_ms=BLOOD, **options)


def test_over_a_beat_nothing_is_lost_and_half_of_the_flow_is_the_stroke():
    heart = Heart(end_diastolic_ml=150, ejection_fraction_percent=50, right_end_diastolic_ml=160)
    flow = flow_of(heart)
    for rate, stroke in ((flow.left_rate_ml_s, 75.0), (flow.right_rate_ml_s, 160 * 0.57)):
        seconds = flow.frame_ms / 1000
        assert rate.sum() * seconds == pytest.approx(0, abs=1e-6)
        # What comes in, and as much goes out; central differences smooth the turn by about a percent.
        assert rate[rate > 0].sum() * seconds == pytest.approx(stroke, rel=0.02)
        assert rate[rate < 0].sum() * seconds == pytest.approx(-stroke, rel=0.02)


def test_flow_is_the_slope_of_the_volume():
    heart = Heart()
    flow = flow_of(heart)
    volumes = np.array([state.volume_ml for state in flow.states])
    slope = np.gradient(np.concatenate([volumes, volumes, volumes]), flow.frame_ms / 1000)[FRAMES : 2 * FRAMES]
    np.testing.assert_allclose(flow.left_rate_ml_s, slope, atol=1e-9)
    ejecting = np.array([state.filling for state in flow.states])
    assert flow.left_rate_ml_s[np.argmin(np.abs(ejecting - 0.5))] < -100


def test_without_strength_all_blood_is_as_bright_as_blood_that_stays():
    flow = flow_of(Heart(), strength=0.0)
    points = np.array([[0.0, 0.0, 20.0], [5.0, 5.0, 60.0], [0.0, -8.0, 5.0]])
    for index in (0, 10, 20):
        assert flow.left(index, flow.states[index], points) == pytest.approx(np.ones(3))
        assert flow.right(index, flow.states[index], points) == pytest.approx(np.ones(3))


def test_fresh_blood_gains_what_the_sequence_says():
    flow = flow_of(Heart())
    still, fast = flow._brightness(np.array([0.0, 500.0]))
    through = SWIRL_MM_S + np.array([0.0, 500.0])
    gain = SEQUENCE.inflow(*BLOOD, through, 8.0) - 1
    share = FRESH_SHARE * np.clip(through / 200, 0.25, 1.5)
    assert [still, fast] == pytest.approx(1 + share * gain)
    # In a plane along the stream no blood crosses the slice, however fast it is.
    assert flow_of(Heart(), across=0.0)._brightness(np.array([500.0]))[0] == pytest.approx(still)


def test_eddies_are_the_same_again_after_a_beat_and_differ_within_it():
    flow = flow_of(Heart())
    points = np.random.default_rng(2).uniform(-15, 15, (200, 3)) + np.array([0, 0, 40])
    first, half, again = (flow._swirl(index, points) for index in (0, FRAMES // 2, FRAMES))
    assert again == pytest.approx(first, abs=1e-3)
    assert np.corrcoef(first, half)[0, 1] < 0.5


def test_filling_darkens_the_mitral_jet_and_ejection_the_outlet():
    flow = flow_of(Heart())
    filling, ejection = int(flow.left_rate_ml_s.argmax()), int(flow.left_rate_ml_s.argmin())
    away = np.array([np.cos(AORTIC_ANGLE_RAD), np.sin(AORTIC_ANGLE_RAD)])
    lost = {}
    for index in (filling, ejection, 0):
        base = flow.states[index].cavity.base_radius_mm
        # The shear layer around the jet away from the aorta, and the middle of the outlet below the valve plane.
        jet, outlet = np.array([2.0, 0.0]) - 0.55 * base * away, 0.6 * base * away
        points = np.array([[*jet, 3.0], [*outlet, -10.0]])
        lost[index] = flow._jets(index, flow.states[index], points)
    assert lost[filling][0] > 0.2
    assert lost[filling][0] > 5 * lost[ejection][0]
    assert lost[ejection][1] > 0.2
    assert lost[filling][1] == 0
    assert lost[0].max() < 0.05
