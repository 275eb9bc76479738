"""The policy learns by proximal policy optimisation: every pixel of an image is an action, its class.

Source:
    Schulman et al. 2017, arXiv:1707.06347 (the clipped objective); Judge et al. 2024, MICCAI, arXiv:2406.17902 (pixels
    as actions, divergence from the first policy as part of the reward).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from cardiotrace.core.errors import WorkError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.rl4seg.rewards import Rewarder
from cardiotrace.learning.training.adaptation.rl4seg import Guard, RL4Seg
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner, descend
from cardiotrace.learning.training.objective import TOTAL, Losses, Progress, Snapshot

Logits = Float[Tensor, "batch classes height width"]
Actions = Int64[Tensor, "batch height width"]
Pixels = Float[Tensor, "batch height width"]


class CollapsedError(WorkError):
    """A policy that must not be kept: it marks hardly anything, or has gone too far from where it began."""


@dataclass(frozen=True)
class Prices:
    """What uncertainty is worth and divergence costs in an iteration."""

    entropy: float
    divergence: float

    @classmethod
    def of(cls, settings: RL4Seg, iteration: int) -> "Prices":
        """Both fall with the number of the iteration, from 1.

        Example:
            >>> Prices.of(RL4Seg(), 2)
            Prices(entropy=0.075, divergence=0.025)
        """
        return cls(settings.entropy / (2 * iteration), settings.divergence / (2 * iteration))


@dataclass(frozen=True)
class Rollout:
    """What a policy did with a batch, and what came of it."""

    actions: Actions
    log_probability: Pixels
    """Of the actions, by the policy that took them."""
    reward: Pixels
    """0..1."""
    advantage: Pixels
    """Reward less the price of divergence, less what the critic expected."""


class PolicyObjective:
    """Proximal policy optimisation on images without labels, and pseudo-labels where they were accepted.

    Args:
        fabric: launched.
        actor: of the network that segments.
        critic: of a network of two classes: the probability of the second is the reward that it expects.
        reference: the policy of iteration 0, which stays as it is.
        rewarder: judges answers.
        settings: steps, clip and guard.
        prices: of this iteration.
    """

    def __init__(
        self,
        fabric: Fabric,
        actor: Learner[Network],
        critic: Learner[Network],
        reference: Network,
        rewarder: Rewarder,
        settings: RL4Seg,
        prices: Prices,
    ) -> None:
        self.fabric, self.actor, self.critic = fabric, actor, critic
        self.reference, self.rewarder = fabric.setup(reference.eval()), rewarder
        self.settings, self.prices = settings, prices
        self._watch = Watch(settings.guard, settings.policy_epochs)

    @property
    def network(self) -> Network:
        """See `Objective`."""
        return self.actor.network

    @property
    def networks(self) -> Sequence[nn.Module]:
        """See `Objective`."""
        return (self.actor.network, self.critic.network)

    @property
    def learning_rate(self) -> float:
        """See `Objective`."""
        return self.actor.learning_rate

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`.

        Raises:
            CollapsedError: by the means over an epoch, at its end.
        """
        rollout, told = self._rolled_out(batch)
        losses: dict[str, list[Tensor]] = {}
        for _ in range(self.settings.steps):
            for name, value in self._learned(batch, rollout, progress).items():
                losses.setdefault(name, []).append(value)
        self._watch.see(told, progress)
        return {name: torch.stack(values).mean() for name, values in losses.items()} | told

    def _rolled_out(self, batch: TrainingBatch) -> tuple[Rollout, dict[str, Tensor]]:
        """Actions on a batch, and what is told of them."""
        with torch.no_grad():
            logits = _logits(self.actor.model, batch.images)
            reference = _logits(self.reference, batch.images)
            likeliest = logits.argmax(dim=1)
            actions, is_accepted = self._actions(logits, batch)
            judged = self.rewarder.rewards(batch.images, actions, likeliest, batch.samples)
            reward = torch.where(is_accepted, torch.ones_like(judged), judged)
            log_probability = log_probability_of(logits, actions)
            departed = log_probability - log_probability_of(reference, actions)
            paid = reward - self.prices.divergence * departed
            expected = _expected(self.critic.model, batch.images)
        told = {
            "reward": reward.mean(),
            "reward_paid": paid.mean(),
            "divergence": divergence_of(logits, reference).mean(),
            "foreground": (likeliest > 0).float().mean(),
            "reference_foreground": (reference.argmax(dim=1) > 0).float().mean(),
        }
        return Rollout(actions, log_probability, reward, paid - expected), told

    def _actions(self, logits: Logits, batch: TrainingBatch) -> tuple[Actions, Bool[Tensor, "batch height width"]]:
        """Drawn actions, and those of pseudo-labels where there are any."""
        count, classes, height, width = logits.shape
        shares = logits.softmax(dim=1).permute(0, 2, 3, 1).reshape(-1, classes)
        drawn = torch.multinomial(shares, 1).reshape(count, height, width)
        is_accepted = batch.labels != IGNORED
        return torch.where(is_accepted, batch.labels, drawn), is_accepted

    def _learned(self, batch: TrainingBatch, rollout: Rollout, progress: Progress) -> Losses:
        """One step of actor and critic on the actions of a rollout."""
        outputs = _logits(self.actor.model, batch.images)
        entropy = entropy_of(outputs).mean()
        gain = clipped_gain(log_probability_of(outputs, rollout.actions), rollout, self.settings.clip).mean()
        missed = (_expected(self.critic.model, batch.images) - rollout.reward).square().mean()
        # Both networks share no weight: one sum gives each the gradient of its own part.
        total = (missed - gain - self.prices.entropy * entropy) * batch.weight
        descend(self.fabric, total, progress, [self.actor, self.critic])
        return {
            TOTAL: total.detach(),
            "actor": -gain.detach(),
            "critic": missed.detach(),
            "entropy": entropy.detach(),
        }

    def observe(self, score: float) -> None:
        """See `Objective`; the validation part is of the source, and steers nothing here."""

    def state(self) -> Snapshot:
        """See `Objective`."""
        return Snapshot.of_parts({"actor": self.actor.state(), "critic": self.critic.state()})

    def restore(self, state: Snapshot) -> None:
        """See `Objective`."""
        self.actor.restore(state.part("actor"))
        self.critic.restore(state.part("critic"))


def _logits(network: nn.Module, images: Tensor) -> Logits:
    """Those that count in use."""
    return TrainingOutputs.of(network(images)).logits[0].float()


def _expected(critic: nn.Module, images: Tensor) -> Pixels:
    """The reward that a critic expects."""
    expected: Pixels = _logits(critic, images).softmax(dim=1)[:, 1]
    return expected


def log_probability_of(logits: Logits, actions: Actions) -> Pixels:
    """Logarithm of the probability of each pixel's action."""
    chosen: Pixels = logits.log_softmax(dim=1).gather(1, actions.unsqueeze(1)).squeeze(1)
    return chosen


def entropy_of(logits: Logits) -> Pixels:
    """Of each pixel's classes, nats.

    Example:
        >>> round(float(entropy_of(torch.zeros(1, 2, 1, 1))), 4)
        0.6931
    """
    logarithms = logits.log_softmax(dim=1)
    entropy: Pixels = -(logarithms.exp() * logarithms).sum(dim=1)
    return entropy


def divergence_of(logits: Logits, reference: Logits) -> Pixels:
    """Kullback-Leibler divergence of each pixel's classes from those of a reference, nats."""
    own, other = logits.log_softmax(dim=1), reference.log_softmax(dim=1)
    divergence: Pixels = (own.exp() * (own - other)).sum(dim=1)
    return divergence


def clipped_gain(log_probability: Pixels, rollout: Rollout, clip: float) -> Pixels:
    """min(ratio A, clip(ratio, 1 - clip, 1 + clip) A) of each pixel, with A its advantage.

    Args:
        log_probability: of the actions by the policy as it is now.
        rollout: with that of the policy which took them.
        clip: how far the ratio of both may move before it stops to pay.

    Example:
        >>> taken = torch.zeros(1, 1, 2)
        >>> advantage = torch.tensor([[[1.0, -1.0]]])
        >>> rollout = Rollout(taken.long(), taken, taken, advantage)
        >>> clipped_gain(torch.full((1, 1, 2), 0.5), rollout, 0.2).flatten().tolist()
        [1.2000000476837158, -1.6487212181091309]
    """
    ratio = (log_probability - rollout.log_probability).exp()
    bounded = ratio.clamp(1 - clip, 1 + clip)
    return torch.minimum(ratio * rollout.advantage, bounded * rollout.advantage)


class Watch:
    """Sees whether a policy collapses, by its means over an epoch, before its weights are kept.

    Args:
        guard: beyond what it does.
        epochs: of the training.
    """

    def __init__(self, guard: Guard, epochs: int) -> None:
        self.guard, self.epochs = guard, epochs
        self._seen: list[dict[str, Tensor]] = []

    def see(self, told: dict[str, Tensor], progress: Progress) -> None:
        """Take note of a batch, and ask at the end of an epoch.

        Raises:
            CollapsedError: what speaks against the epoch.
        """
        self._seen.append(told)
        if (progress.step + 1) % max(1, progress.steps // self.epochs):
            return
        means = {name: float(torch.stack([each[name] for each in self._seen]).mean()) for name in told}
        self._seen.clear()
        self.require_sound(means, progress.epoch + 1)

    def require_sound(self, means: dict[str, float], epoch: int) -> None:
        """Refuse an epoch by its means.

        Raises:
            CollapsedError: what speaks against it.
        """
        guard, reference = self.guard, means["reference_foreground"]
        if means["foreground"] < guard.lowest_foreground * reference:
            share = 100 * means["foreground"] / reference
            raise _collapsed(f"marks {share:.0f} % of the pixels that the first policy marks", epoch)
        # Written so that what is no number is refused too.
        if not means["divergence"] <= guard.largest_divergence:
            raise _collapsed(f"diverged from the first policy by {means['divergence']:.3g} nats a pixel", epoch)
        if not abs(means["reward_paid"]) <= guard.largest_reward:
            raise _collapsed(f"has a reward of {means['reward_paid']:.3g}", epoch)


def _collapsed(what: str, epoch: int) -> CollapsedError:
    return CollapsedError(
        f"the policy {what} in epoch {epoch}",
        remedy="lower adaptation.method.learning_rate, or raise adaptation.method.divergence.",
    )
