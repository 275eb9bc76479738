"""What cannot be chosen is refused with what can."""

import pytest

from cardiotrace.core.errors import UsageError
from cardiotrace.learning.training.adaptation.rl4seg import Distortions, Guard, RL4Seg
from cardiotrace.learning.training.build import ObjectiveContext, build_model, make_objective
from cardiotrace.learning.training.device import make_fabric
from tests.learning.training.tiny import recipe


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"agreement": 1.0}, "between 0 and 1"),
        ({"clip": 1.0}, "clip lies between"),
        ({"shrink": 0.0}, "shrink in"),
        ({"entropy": -0.1}, "must not be negative"),
        ({"learning_rate": 0.0}, "must be positive"),
        ({"limits": "none"}, "choose from published"),
    ],
)
def test_what_cannot_be_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        RL4Seg(**changes)


def test_distortions_and_guard_are_checked():
    with pytest.raises(ValueError, match="one way"):
        Distortions(swapped=False, weight_noise=(), contrast=(), noise=())
    with pytest.raises(ValueError, match="above 0"):
        Distortions(contrast=(0.0,))
    with pytest.raises(ValueError, match="lowest_foreground"):
        Guard(lowest_foreground=1.0)


def test_defaults_are_the_published_ones():
    chosen = RL4Seg()
    assert (chosen.iterations, chosen.reward_epochs, chosen.policy_epochs, chosen.steps) == (4, 50, 5, 5)
    assert (chosen.clip, chosen.entropy, chosen.divergence, chosen.shrink, chosen.perturb) == (0.2, 0.3, 0.1, 0.5, 0.01)


def test_one_training_alone_is_refused():
    some = recipe(adaptation={"targets": ["north"], "domain": "vendor", "method": "rl4seg"})
    network = build_model(some, channels=1, classes=4)
    with pytest.raises(UsageError, match="several trainings in turn"):
        make_objective(ObjectiveContext(make_fabric(some.training, accelerator="cpu"), some, network))
