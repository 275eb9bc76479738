"""That rewards are combined by the least of them, that a perfect frame is worth one, and who is spoken of."""

import numpy as np
import pytest
import torch

from cardiotrace.datasets.packed import PackedSample
from cardiotrace.learning.rl4seg.rewards import Rewarder, case_key
from cardiotrace.learning.rl4seg.shapes import ShapeLimits
from tests.learning.rl4seg.hearts import LV, pierced, shapes, whole

SAMPLE = PackedSample("case", {"patient": "p"}, "ED", "4CH", 0, 0, 0.0, 255.0)


class Sure:
    """Finds every pixel right by as much."""

    def __init__(self, right: float) -> None:
        self.right = right

    def rewards(self, images, outlines):
        return torch.full(outlines.shape, self.right)


def rewarder(right: float = 1.0, **switches: bool) -> Rewarder:
    return Rewarder(Sure(right), shapes(), ShapeLimits(0.9, 0.2), {case_key(SAMPLE): None}, **switches)


def rewards_of(found: Rewarder, likeliest: np.ndarray, actions: np.ndarray | None = None) -> np.ndarray:
    answer = torch.from_numpy(likeliest.astype(np.int64))[None]
    taken = answer if actions is None else torch.from_numpy(actions.astype(np.int64))[None]
    images = torch.zeros(1, 1, *likeliest.shape)
    return found.rewards(images, taken, answer, [SAMPLE])[0].numpy()


def test_a_perfect_frame_is_worth_one_all_over():
    assert float(rewards_of(rewarder(), whole()).min()) == 1


def test_nothing_is_stretched_over_the_frame():
    assert np.unique(rewards_of(rewarder(0.75), whole())).tolist() == [0.75]


def test_the_least_of_all_counts():
    reward = rewards_of(rewarder(0.75), pierced())
    hole = (pierced() == 0) & (whole() == LV)
    assert np.unique(reward[hole]).tolist() == [0]
    assert np.unique(reward[~hole]).tolist() == [0.75]


def test_whoever_acts_against_a_flawed_answer_is_not_punished_for_it():
    reward = rewards_of(rewarder(), pierced(), whole())  # the hole was filled by what was drawn
    assert float(reward.min()) == 1


def test_anatomy_and_landmarks_can_be_left_out():
    assert float(rewards_of(rewarder(anatomy=False, landmarks=False), pierced()).min()) == 1
    assert float(rewards_of(rewarder(anatomy=False), pierced()).min()) == 1


def test_a_pixel_size_that_nobody_knows_of_is_an_error_and_no_guess():
    found = Rewarder(Sure(1.0), shapes(), ShapeLimits(0.9, 0.2), {})
    with pytest.raises(KeyError):
        rewards_of(found, whole())
