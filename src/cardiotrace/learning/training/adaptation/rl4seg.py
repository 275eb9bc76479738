"""What can be chosen of RL4Seg: how often, how far, by which rewards, and when it is stopped."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from cardiotrace.clinical.anatomy.limits import PRESETS
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import UsageError
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts


@dataclass(frozen=True)
class Distortions:
    """How outlines that are wrong are made of an image whose outline is right."""

    swapped: bool = True
    """The outline of another image."""
    weight_noise: tuple[float, ...] = (0.005, 0.01, 0.015, 0.02)
    """Standard deviations of what is added to the network's weights before it is asked again."""
    contrast: tuple[float, ...] = (0.7, 0.8)
    """Factors on the prepared image before the network is asked again."""
    noise: tuple[float, ...] = (0.05, 0.1)
    """Standard deviations of what is added to the image, as shares of its range, before the network is asked again."""

    def __post_init__(self) -> None:
        if min((*self.weight_noise, *self.contrast, *self.noise), default=1.0) <= 0:
            raise ValueError("weight_noise, contrast and noise of distortions must be above 0")
        if not (self.swapped or self.weight_noise or self.contrast or self.noise):
            raise ValueError("distortions must leave one way of making wrong outlines")


@dataclass(frozen=True)
class Guard:
    """Beyond what a policy counts as collapsed; means over an epoch."""

    lowest_foreground: float = 0.3
    """Pixels that it calls heart, as a share of those that the policy of iteration 0 does on the same images."""
    largest_divergence: float = 0.1
    """From the policy of iteration 0, nats a pixel."""
    largest_reward: float = 2.0
    """Size of the reward with what is paid for divergence."""

    def __post_init__(self) -> None:
        if not (0 <= self.lowest_foreground < 1 and self.largest_divergence > 0 and self.largest_reward > 1):
            raise ValueError(
                "guard: lowest_foreground lies in [0, 1), largest_divergence is above 0, largest_reward above 1"
            )


@dataclass(frozen=True)
class RL4Seg(MethodConfig):
    """Iterations of reward learning and reinforcement learning on images without a label.

    Source: Judge et al. 2024, MICCAI, arXiv:2406.17902; defaults are the published ones but `agreement`, which depends
    on the autoencoder.
    """

    turns: ClassVar[bool] = True

    corrector: str = "corrector-4ch"
    """Name or path of the model that knows valid shapes of the same structures."""
    iterations: int = 4
    """Of reward learning and reinforcement learning, after the supervised training."""
    agreement: float | None = None
    """Dice between a prediction and what the corrector's autoencoder draws of it, from which on a valid prediction
    becomes a pseudo-label; 0.95 in the publication. By default nine of ten of the source's own references
    are drawn as well."""
    limits: str = "published"
    """Anatomical limits within which a prediction counts as valid."""
    distortions: Distortions = field(default_factory=Distortions)
    """How wrong outlines are made of pseudo-labels."""
    reward_loss: Choice = field(default_factory=lambda: Choice("cross-entropy"))
    """Of the reward network; with few outlines "dice+cross-entropy" sees sooner the few pixels that are wrong."""
    reward_epochs: int = 50
    """Of the reward network, in each iteration."""
    reward_batch_size: int = 64
    """Samples a step of the reward network."""
    reward_learning_rate: float = 1e-3
    """Of the reward network."""
    policy_epochs: int = 5
    """Of the policy, in each iteration."""
    policy_batch_size: int = 8
    """Images a batch of the policy."""
    learning_rate: float = 5e-4
    """Of policy and critic."""
    steps: int = 5
    """Of the optimiser on each batch of actions."""
    clip: float = 0.2
    """How far the probability of an action may move on a batch before it stops to pay."""
    entropy: float = 0.3
    """What uncertainty is worth, over twice the number of the iteration."""
    divergence: float = 0.1
    """What departing from the policy of iteration 0 costs, over twice the number of the iteration."""
    shrink: float = 0.5
    """Factor on the weights of policy and critic before each iteration."""
    perturb: float = 0.01
    """Standard deviation of what is then added to them."""
    anatomy_reward: bool = True
    """Whether criteria of anatomy that an answer fails lower the reward where they fail."""
    landmark_reward: bool = True
    """Whether a mitral annulus away from where the corrector's autoencoder draws it lowers the reward there; of long
    axes alone."""
    guard: Guard = field(default_factory=Guard)
    """When an iteration is stopped and the policy before it kept."""

    def __post_init__(self) -> None:
        self._check_counts()
        self._check_shares()
        if self.limits not in PRESETS:
            raise ValueError(f"there are no anatomical limits {self.limits!r}: choose from {', '.join(PRESETS)}")

    def _check_counts(self) -> None:
        counts = {
            name: getattr(self, name)
            for name in (
                "iterations", "reward_epochs", "reward_batch_size", "policy_epochs", "policy_batch_size", "steps",
            )
        }  # fmt: skip
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} must be at least 1, got {count}")

    def _check_shares(self) -> None:
        if self.agreement is not None and not 0 < self.agreement < 1:
            raise ValueError(f"agreement is a Dice between 0 and 1, got {self.agreement}")
        if not (0 < self.clip < 1 and 0 < self.shrink <= 1):
            raise ValueError("clip lies between 0 and 1, shrink in (0, 1]")
        if min(self.entropy, self.divergence, self.perturb) < 0:
            raise ValueError("entropy, divergence and perturb must not be negative")
        if not (math.isfinite(self.learning_rate) and min(self.learning_rate, self.reward_learning_rate) > 0):
            raise ValueError("learning_rate and reward_learning_rate must be positive")


def make(config: RL4Seg, parts: AdaptationParts) -> NoReturn:
    """Refuse to be one training: who takes its turns is `workflows.rl4seg`.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "rl4seg takes several trainings in turn, and this is one",
        remedy="run it where the data are: `cardiotrace adapt rl4seg RECIPE`.",
    )
