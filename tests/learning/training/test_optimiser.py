import math

import pytest
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES, Cosine, OneCycle, Plateau, PlateauConfig


def factors(name, progress, **options):
    schedule = SCHEDULES.make(Choice(name, options))
    return [schedule.factor(value) for value in progress]


def test_constant_is_one():
    assert factors("constant", (0.0, 0.3, 1.0)) == [1.0, 1.0, 1.0]


def test_one_cycle_rises_to_one_and_falls_to_almost_nothing():
    start, quarter, top, middle, end = factors("one-cycle", (0.0, 0.1, 0.2, 0.6, 1.0), warm_up=0.2)
    assert start == pytest.approx(0.04)
    assert quarter == pytest.approx(0.04 + 0.96 / 2)
    assert top == 1.0
    assert middle == pytest.approx((1 + 1e-3) / 2)
    assert end == pytest.approx(1e-3)


def test_one_cycle_without_warm_up_starts_at_the_top():
    assert OneCycle(warm_up=0.0).factor(0.0) == 1.0


def test_polynomial_is_that_of_nnunet():
    assert factors("poly", (0.0, 0.5, 1.0)) == pytest.approx([1.0, 0.5**0.9, 0.0])


def test_cosine_warms_up_in_a_line_and_goes_down_to_its_end():
    assert factors("cosine", (0.0, 0.05, 0.1, 0.55, 1.0), warm_up=0.1, end=0.2) == pytest.approx(
        [0.0, 0.5, 1.0, 0.6, 0.2]
    )
    assert Cosine().factor(0.25) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)


def test_plateau_cuts_once_patience_is_used_up_and_not_below_the_lowest():
    plateau = Plateau(PlateauConfig(patience=1, cut=0.1, lowest=0.05))
    seen = []
    for score in (0.5, 0.6, 0.6, 0.6, 0.7, 0.1, 0.1, 0.1):
        plateau.observe(score)
        seen.append(plateau.factor(0.0))
    assert seen == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.05, 0.05])


def test_plateau_goes_on_from_its_state():
    config = PlateauConfig(patience=2)
    one, other = Plateau(config), Plateau(config)
    for score in (0.5, 0.4, 0.3):
        one.observe(score)
    other.restore(one.state())
    one.observe(0.2)
    other.observe(0.2)
    assert one.state() == other.state() == {"best": 0.5, "waited": 0, "current": 0.3}


@pytest.mark.parametrize(
    ("name", "options"),
    [("one-cycle", {"warm_up": 1.0}), ("cosine", {"warm_up": -0.1}), ("plateau", {"cut": 1.5})],
)
def test_impossible_schedules_are_refused(name, options):
    with pytest.raises(ConfigError, match=r"^schedule: "):
        SCHEDULES.make(Choice(name, options), path="schedule")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("adam", {"learning_rate": 0.0}),
        ("adam", {"beta1": 1.0}),
        ("sgd", {"momentum": 0.0}),
        ("sgd", {"weight_decay": -1.0}),
    ],
)
def test_impossible_optimisers_are_refused(name, options):
    with pytest.raises(ConfigError, match=r"^optimiser: "):
        OPTIMISERS.make(Choice(name, options), [torch.nn.Parameter(torch.zeros(1))], path="optimiser")


def minimise(choice, steps):
    """Ways from (5, -3) down a bowl."""
    place = torch.nn.Parameter(torch.tensor([5.0, -3.0]))
    optimiser = OPTIMISERS.make(choice, [place])
    for _ in range(steps):
        optimiser.zero_grad()
        (place**2).sum().backward()
        optimiser.step()
    return place.detach()


def test_first_step_of_adam_is_the_rate_whatever_the_gradient():
    assert minimise(Choice("adam", {"learning_rate": 0.1}), 1).tolist() == pytest.approx([4.9, -2.9], abs=1e-5)


def test_weight_decay_of_adam_is_decoupled():
    decayed = minimise(Choice("adam", {"learning_rate": 0.1, "weight_decay": 0.5}), 1)
    assert decayed.tolist() == pytest.approx([5 * 0.95 - 0.1, -3 * 0.95 + 0.1], abs=1e-5)


def test_first_step_of_descent_looks_ahead():
    # gradient 10, buffer 10, Nesterov: 10 + 0.5 * 10
    moved = minimise(Choice("sgd", {"learning_rate": 0.01, "momentum": 0.5, "weight_decay": 0.0}), 1)
    assert moved[0].item() == pytest.approx(5 - 0.01 * 15)


def test_optimisers_reach_the_bottom():
    assert minimise(Choice("adam", {"learning_rate": 0.1}), 300).abs().max() < 1e-2
    assert minimise(Choice("sgd", {"learning_rate": 0.05, "momentum": 0.8}), 300).abs().max() < 1e-3
