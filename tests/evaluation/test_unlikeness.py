"""Unlikeness: the limit holds of patients outside the bank; what lies elsewhere, or off all axes, is beyond it."""

import json

import numpy as np
import pytest

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.evaluation.quality import HeldOutFrame
from cardiotrace.evaluation.unlikeness import FALSE_ALARMS, fit_unlikeness
from cardiotrace.inference.evidence import Evidence
from cardiotrace.inference.plane_signs import SIGN_COUNT
from cardiotrace.inference.spec import Calibration
from cardiotrace.inference.unlikeness import Unlikeness, unlikeness_of

FEATURES = 40
SUMS = np.ones((1, 4))


def rows(count: int, rng: np.random.Generator, *, shift: float = 0.0, off: float = 0.0) -> np.ndarray:
    """Features on five axes with a little of all others, and signs on three."""
    turn = np.random.default_rng(99)
    deep = (rng.normal(size=(count, 5)) + shift) @ turn.normal(size=(5, FEATURES))
    deep += rng.normal(size=deep.shape) * 0.05 + off * turn.normal(size=FEATURES)
    grey = rng.normal(size=(count, 3)) @ turn.normal(size=(3, SIGN_COUNT))
    return np.concatenate([deep, grey + rng.normal(size=grey.shape) * 0.05], axis=1).astype(np.float32)


def frames(patients: int, *, seed: int = 0, planes: int = 3) -> list[HeldOutFrame]:
    rng = np.random.default_rng(seed)
    return [
        HeldOutFrame(f"{index}", f"p{index // 2}", Evidence(SUMS, rows(planes, rng)), {"LV": 0.9})
        for index in range(2 * patients)
    ]


@pytest.fixture(scope="module")
def known() -> Unlikeness:
    return fit_unlikeness(frames(60))


def test_few_frames_of_other_patients_are_beyond(known: Unlikeness) -> None:
    evidence = [frame.evidence for frame in frames(100, seed=7)]
    beyond = unlikeness_of(known, evidence) > 1
    assert beyond.mean() < 3 * FALSE_ALARMS


@pytest.mark.parametrize("change", [{"shift": 6.0}, {"off": 4.0}])
def test_what_lies_elsewhere_or_off_the_axes_is_beyond(known: Unlikeness, change: dict[str, float]) -> None:
    odd = [Evidence(SUMS, rows(3, np.random.default_rng(seed), **change)) for seed in range(10)]
    assert (unlikeness_of(known, odd) > 1).all()


def test_a_file_holds_it_and_gives_the_same_distances(known: Unlikeness) -> None:
    plain = json.loads(json.dumps(to_plain(Calibration(unlikeness=known))))
    read = from_plain(Calibration, plain).unlikeness
    assert len(json.dumps(plain)) < 100_000
    evidence = [frame.evidence for frame in frames(3, seed=3)]
    assert unlikeness_of(read, evidence).tolist() == unlikeness_of(known, evidence).tolist()


def test_without_features_or_calibration_nothing_is_told(known: Unlikeness) -> None:
    none = Evidence(SUMS, np.zeros((0, 0), np.float32))
    other = Evidence(SUMS, np.zeros((2, SIGN_COUNT + 8), np.float32))
    assert np.isnan(unlikeness_of(known, [none, None, other])).all()
    assert np.isnan(unlikeness_of(None, [frames(1)[0].evidence])).all()


def test_a_bank_that_lost_numbers_is_refused(known: Unlikeness) -> None:
    bank = known
    damaged = from_plain(type(bank), to_plain(bank) | {"planes": bank.planes[:-8]})
    with pytest.raises(ModelFileError, match="damaged"):
        damaged.distance(np.zeros((1, FEATURES + SIGN_COUNT)))


def test_a_network_without_features_cannot_be_calibrated() -> None:
    bare = [
        HeldOutFrame(frame.name, frame.patient, Evidence(SUMS, np.zeros((0, 0), np.float32)), frame.dice)
        for frame in frames(12)
    ]
    with pytest.raises(InputError, match="no features"):
        fit_unlikeness(bare)
    with pytest.raises(InputError, match="3 patients are too few"):
        fit_unlikeness(frames(3))


def test_known_images_fill_the_bank_and_move_no_limit_far(known: Unlikeness) -> None:
    seen = [rows(3, np.random.default_rng(seed), shift=6.0) for seed in range(60)]
    wider = fit_unlikeness(frames(60), seen)
    odd = [Evidence(SUMS, rows(3, np.random.default_rng(seed), shift=6.0)) for seed in range(100, 110)]
    assert (unlikeness_of(known, odd) > 1).all()
    assert (unlikeness_of(wider, odd) < 1).mean() > 0.7
    assert (wider.frames, wider.patients) == (known.frames, known.patients) == (120, 60)
