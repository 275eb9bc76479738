"""Expected Dice: what is fitted on some patients holds of others; too few are refused."""

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Structure
from cardiotrace.evaluation.quality import FEWEST_PATIENTS, HeldOutFrame, fit_quality, out_of_fold
from cardiotrace.inference.evidence import Evidence
from cardiotrace.inference.quality import expected_dice

NO_ROWS = np.zeros((0, 0), np.float32)


def made(patients: int, *, seed: int = 0) -> list[HeldOutFrame]:
    """Frames whose Dice is as far from 1 as the soft Dice is, twice over, and a second structure told by nothing."""
    rng, frames = np.random.default_rng(seed), []
    for index in range(2 * patients):
        pixels, sure = rng.uniform(800, 3000), rng.uniform(0.80, 0.98)
        own = pixels * sure
        sums = np.array([[pixels, pixels, own, pixels * sure * (1 - sure)], [900.0, 900.0, 850.0, 90.0]])
        missing = 2 * (1 - 2 * own / (2 * pixels)) * rng.uniform(0.9, 1.1)
        dice = {"LV": 1 - missing, "MYO": 0.8 + rng.uniform(-0.1, 0.1)}
        frames.append(HeldOutFrame(f"{index}", f"p{index // 2}", Evidence(sums, NO_ROWS), dice))
    return frames


def test_expectation_follows_what_can_be_told_and_stays_at_the_middle_elsewhere() -> None:
    found = out_of_fold(made(60), ["LV", "MYO"])
    expected, true = found["LV"].T
    assert np.abs(expected - true).mean() < 0.02 < np.abs(np.median(true) - true).mean()
    assert np.ptp(found["MYO"][:, 0]) < 0.08
    assert np.allclose(found["MYO"][:, 0], 0.8, atol=0.06)


def test_error_and_limit_are_those_of_other_patients() -> None:
    frames = made(60)
    models = fit_quality(frames, ["LV", "MYO"])
    expected, true = out_of_fold(frames, ["LV", "MYO"])["LV"].T
    assert models["LV"].error == pytest.approx(np.abs(expected - true).mean(), abs=1e-4)
    assert (expected < models["LV"].lowest).mean() == pytest.approx(0.05, abs=0.02)


def test_frames_without_image_or_structure_have_none() -> None:
    models = fit_quality(made(30), ["LV", "MYO"])
    sums = np.array([[900.0, 900.0, 850.0, 50.0], [0.2, 0.0, 0.0, 0.2]])
    found = expected_dice(models, [Structure.LV, Structure.MYO], [None, Evidence(sums, NO_ROWS)])
    assert np.isnan(found[Structure.LV][0])
    assert 0.5 < found[Structure.LV][1] < 1
    assert np.isnan(found[Structure.MYO]).all()


def test_what_no_fit_has_seen_stays_a_dice() -> None:
    models = fit_quality(made(30), ["LV"])
    for sums in ([[5e5, 1.0, 0.6, 4e5]], [[1.0, 1.0, 1.0, 0.0]], [[1e4, 3e4, 1e4, 5e3]]):
        (value,) = expected_dice(models, [Structure.LV], [Evidence(np.array(sums), NO_ROWS)])[Structure.LV]
        assert 0 <= value <= 1


@pytest.mark.parametrize("patients", [0, 3, FEWEST_PATIENTS - 1])
def test_few_patients_are_refused(patients: int) -> None:
    with pytest.raises(InputError, match=f"{patients} patients are too few"):
        fit_quality(made(patients), ["LV"])
