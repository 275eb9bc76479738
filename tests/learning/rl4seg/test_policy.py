"""That a policy finds what is rewarded, that a pseudo-label counts, what is clipped, and when it is stopped."""

import math

import pytest
import torch

from cardiotrace.datasets.packed import IGNORED, PackedSample
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.rl4seg.policy import (
    CollapsedError,
    PolicyObjective,
    Prices,
    Rollout,
    Watch,
    clipped_gain,
    divergence_of,
    entropy_of,
)
from cardiotrace.learning.training.adaptation.rl4seg import Guard, RL4Seg
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import SingleDevice
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.objective import Progress
from cardiotrace.learning.training.optimiser import Constant

FREE = Prices(0.0, 0.0)
SAMPLE = PackedSample("case", {"patient": "p"}, "ED", "4CH", 0, 0, 0.0, 255.0)


class PixelNetwork(Network):
    """Looks at each pixel alone."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.head = torch.nn.Conv2d(1, classes, 1)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, images):
        return self.head(images)


class Rewards:
    """Bright pixels are class 1, dark ones background."""

    def rewards(self, images, actions, likeliest, samples):
        return (actions == (images[:, 0] > 0).long()).float()


def objective(settings: RL4Seg, prices: Prices | None = None) -> PolicyObjective:
    fabric = SingleDevice(torch.device("cpu"), "32-true")

    def learner() -> Learner[Network]:
        network = PixelNetwork()
        return Learner(fabric, network, torch.optim.Adam(network.parameters(), settings.learning_rate), Constant())

    return PolicyObjective(fabric, learner(), learner(), PixelNetwork(), Rewards(), settings, prices or FREE)


def batch(labels: torch.Tensor | None = None) -> TrainingBatch:
    images = torch.ones(2, 1, 8, 8)
    images[:, :, :4] = -1
    unseen = torch.full((2, 8, 8), IGNORED)
    return TrainingBatch(images, unseen if labels is None else labels, (SAMPLE, SAMPLE))


def learned(policy: PolicyObjective, given: TrainingBatch, steps: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    for number in range(steps):
        told = policy.step(given, Progress(number, steps))
    return told


SETTINGS = RL4Seg(policy_epochs=1, learning_rate=0.1, guard=Guard(0.0, 50.0))


def test_a_policy_finds_what_is_rewarded():
    policy, given = objective(SETTINGS), batch()
    told = learned(policy, given, 12)
    assert float(told["reward"]) > 0.9  # half of the pixels at first
    answer = policy.network(given.images).argmax(dim=1)
    assert torch.equal(answer, (given.images[:, 0] > 0).long())


def test_the_critic_learns_what_is_to_be_expected():
    policy = objective(SETTINGS)
    told = learned(policy, batch(), 12)
    assert float(told["critic"]) < 0.1  # 0.25 at first: it expects a half


def test_a_pseudo_label_is_taken_and_worth_one():
    labels = torch.full((2, 8, 8), IGNORED)
    labels[1] = 1  # also where the reward says otherwise
    policy, given = objective(SETTINGS), batch(labels)
    rollout, _ = policy._rolled_out(given)
    assert bool((rollout.actions[1] == 1).all())
    assert bool((rollout.reward[1] == 1).all())
    drawn = rollout.actions[0]
    assert torch.equal(rollout.reward[0], (drawn == (given.images[0, 0] > 0).long()).float())
    assert {0, 1} == set(drawn.unique().tolist())


def test_divergence_costs_and_entropy_pays_ever_less():
    prices = [Prices.of(RL4Seg(entropy=0.3, divergence=0.1), number) for number in (1, 3)]
    assert [(round(each.entropy, 4), round(each.divergence, 4)) for each in prices] == [(0.15, 0.05), (0.05, 0.0167)]


def test_what_diverges_is_paid_less_than_what_stays():
    free, dear = objective(SETTINGS), objective(SETTINGS, Prices(0.0, 5.0))
    found = {name: learned(policy, batch(), 12) for name, policy in (("free", free), ("dear", dear))}
    assert float(found["dear"]["divergence"]) < 0.5 * float(found["free"]["divergence"])


def test_entropy_and_divergence_of_known_distributions():
    logits = torch.tensor([0.0, math.log(3.0)]).reshape(1, 2, 1, 1)  # a quarter and three
    even = torch.zeros(1, 2, 1, 1)
    assert float(entropy_of(logits)) == pytest.approx(0.25 * math.log(4) + 0.75 * math.log(4 / 3))
    assert float(divergence_of(logits, even)) == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    assert float(divergence_of(logits, logits)) == pytest.approx(0, abs=1e-7)


def test_beyond_the_clip_nothing_is_gained_but_losses_count():
    taken = torch.zeros(1, 1, 4)
    advantage = torch.tensor([[[1.0, 1.0, -1.0, -1.0]]])
    now = torch.log(torch.tensor([[[1.1, 1.5, 0.5, 1.5]]]))
    gain = clipped_gain(now, Rollout(taken.long(), taken, taken, advantage), 0.2)
    assert gain.flatten().tolist() == pytest.approx([1.1, 1.2, -0.8, -1.5])


def test_a_resumed_policy_goes_on_to_the_bit():
    one, given = objective(SETTINGS), batch()
    learned(one, given, 3)
    other = objective(SETTINGS)
    other.restore(one.state())
    for policy in (one, other):
        learned(policy, given, 2)
    assert all(torch.equal(*pair) for pair in zip(one.network.parameters(), other.network.parameters(), strict=True))
    critics = (one.critic.network.parameters(), other.critic.network.parameters())
    assert all(torch.equal(*pair) for pair in zip(*critics, strict=True))


SOUND = {"foreground": 0.2, "reference_foreground": 0.21, "divergence": 0.01, "reward_paid": 0.9}


@pytest.mark.parametrize(
    ("means", "told"),
    [
        ({"foreground": 0.01}, "marks 5 % of the pixels"),
        ({"divergence": 0.9}, "diverged from the first policy by 0.9 nats"),
        ({"divergence": math.nan}, "diverged"),
        ({"reward_paid": -12.5}, "reward of -12.5"),
    ],
)
def test_a_collapsed_policy_is_stopped_in_one_line(means, told):
    watch = Watch(Guard(), 2)
    watch.require_sound(SOUND, 1)
    with pytest.raises(CollapsedError, match=told) as caught:
        watch.require_sound(SOUND | means, 1)
    assert "\n" not in caught.value.what


def test_it_is_asked_at_the_end_of_each_epoch():
    watch, empty = Watch(Guard(), 2), {name: torch.tensor(value) for name, value in SOUND.items()}
    empty = empty | {"foreground": torch.tensor(0.0)}
    for number in range(2):
        watch.see(empty, Progress(number, 6, 0))
    with pytest.raises(CollapsedError, match="in epoch 1"):
        watch.see(empty, Progress(2, 6, 0))


def test_one_bad_batch_of_an_epoch_stops_nobody():
    watch = Watch(Guard(), 1)
    for number, share in enumerate((0.0, 0.2, 0.2)):
        watch.see(
            {name: torch.tensor(value) for name, value in (SOUND | {"foreground": share}).items()}, Progress(number, 3)
        )
