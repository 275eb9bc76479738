"""The classifier of views learns from balanced draws, and the same seed gives the same weights."""

import numpy as np
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.view.network import ViewNetwork
from cardiotrace.learning.view.training import Lesson, ViewTraining, train_view_network
from cardiotrace.preprocessing import Preprocessing

STEPS = Preprocessing([Choice("percentiles"), Choice("z-score")])


def lesson() -> Lesson:
    """Of 20 planes 8 are no view; class 1 has two sources, of four patients and of one."""
    rng = np.random.default_rng(0)
    kinds = np.array([0] * 8 + [1] * 12)
    sources = ["drawn"] * 8 + ["many"] * 8 + ["few"] * 4
    patients = [f"d{index}" for index in range(8)] + [f"m{index // 2}" for index in range(8)] + ["f"] * 4
    planes = rng.integers(0, 256, (20, 48, 48)).astype(np.uint8)
    return Lesson(
        planes, kinds, sources, patients, [index % 2 == 0 for index in range(20)], planes[:3] // 4, (3.0, 1.0)
    )


def test_classes_sources_and_patients_are_drawn_in_their_shares() -> None:
    weights = lesson().weights()
    assert np.isclose(weights[:8].sum(), 0.75)
    assert np.isclose(weights[8:].sum(), 0.25)
    # Four patients weigh twice as much as one.
    assert np.isclose(weights[8:16].sum() / weights[16:].sum(), 2.0)
    assert np.ptp(weights[8:16]) < 1e-12


def test_the_same_seed_gives_the_same_weights_and_all_of_them_move() -> None:
    config = ViewTraining(steps=2, batch_size=6, seed=3)
    first, again = (train_view_network(lesson(), 2, STEPS, 32, config) for _ in range(2))
    torch.manual_seed(3)
    start = dict(ViewNetwork(2).named_parameters())
    for (name, one), two in zip(first.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two), name
        assert not torch.equal(one, start[name]), name
    assert not first.training
    assert first(torch.zeros(2, 1, 32, 32)).shape == (2, 2)
