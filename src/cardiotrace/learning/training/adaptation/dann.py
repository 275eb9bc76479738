"""Domain-adversarial training: features from which no head can tell the scanner."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.network import TrainingOutputs
from cardiotrace.learning.training.adaptation.features import HearingObjective, Level
from cardiotrace.learning.training.adaptation.head import DomainHead, domain_loss, reversed_gradient
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.learner import Learner, descend
from cardiotrace.learning.training.objective import TOTAL, Losses, Progress, Snapshot

_SLOPE = 10.0
"""How fast the published factor rises: 2 / (1 + exp(-10 p)) - 1."""
_LEVELS: Mapping[str, tuple[Level, ...]] = {"bottleneck": ("bottleneck",), "both": ("bottleneck", "decoder")}
_DOMAIN = "domain"
_NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.modules.instancenorm._InstanceNorm)


@dataclass(frozen=True)
class DannConfig(MethodConfig):
    """Which features must not tell the domain, and when that begins to count."""

    levels: Literal["bottleneck", "both"] = "bottleneck"
    """What the head reads: the deepest features, or with them those that the last layer makes labels of."""
    schedule: Literal["continuous", "phases"] = "continuous"
    """How the factor on the reversed gradient rises: 2 / (1 + exp(-10 p)) - 1 over the whole training, or in three
    phases: labels alone, then the head alone with the network as it is, then both."""
    strength: float = 1.0
    """Factor on the reversed gradient at the end of the schedule."""
    alone: int = 150
    """Of "phases": epochs of labels alone."""
    warm_up: int = 150
    """Of "phases": epochs of the head alone after them."""
    rise: float = 0.0065
    """Of "phases": by how much the factor rises an epoch, from then on, up to `strength`."""
    reverses_norms: bool = True
    """Whether the weights of norms get the reversed gradient as well; without it, kernels alone do, as in the published
    code for cine-MRI. Costs a second way back."""
    width: int = 128
    """Of the head's hidden layer."""
    dropout: float = 0.0
    """Of the head's hidden layer."""

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 100:
            raise ValueError(f"strength must be above 0 and at most 100, got {self.strength}")
        if self.alone < 0 or self.warm_up < 0 or not 0 < self.rise <= 100:
            raise ValueError("alone and warm_up are epochs, and rise is above 0")
        if self.width < 1 or not 0 <= self.dropout < 1:
            raise ValueError("width must be at least 1, and dropout lie in [0, 1)")

    def phase(self, epoch: int) -> Literal["labels", "head", "both"]:
        """What is learned in an epoch, from 0."""
        if self.schedule == "continuous" or epoch >= self.alone + self.warm_up:
            return "both"
        return "labels" if epoch < self.alone else "head"

    def factor(self, progress: Progress) -> float:
        """Of the reversed gradient.

        Example:
            >>> config = DannConfig()
            >>> [round(config.factor(Progress(step, 101)), 3) for step in (0, 10, 50, 100)]
            [0.0, 0.462, 0.987, 1.0]
            >>> slow = DannConfig(schedule="phases")
            >>> [round(slow.factor(Progress(0, 1, epoch)), 4) for epoch in (299, 300, 310, 999)]
            [0.0, 0.0065, 0.0715, 1.0]
        """
        if self.schedule == "continuous":
            return self.strength * (2 / (1 + math.exp(-_SLOPE * progress.share)) - 1)
        return min(self.strength, max(0.0, self.rise * (progress.epoch + 1 - self.alone - self.warm_up)))


class DannObjective(HearingObjective):
    """Labels teach the network on the source, a head learns to tell domains, and the network learns against it.

    Every domain is a class of its own, so that several sources and targets are told apart.

    Args:
        config: the variant.
        parts: network, samples, domains.

    Raises:
        ConfigError: the network has no such levels, or the last phase is never reached.
        InputError: there is one domain only.

    Source:
        Ganin et al. 2016, JMLR 17:59, arXiv:1505.07818; Scannell et al. 2020, STACOM, arXiv:2008.11776. Here each
        domain of a batch counts alike in the head's loss, and the head learns at the recipe's learning rate.
    """

    def __init__(self, config: DannConfig, parts: AdaptationParts) -> None:
        super().__init__(parts, _LEVELS[config.levels])
        self.config = config
        if config.schedule == "phases" and config.phase(parts.epochs - 1) != "both":
            before = config.alone + config.warm_up
            raise ConfigError(
                f"domains are never opposed: the phases before take {before} epochs, and there are {parts.epochs}",
                remedy="set adaptation.method.alone and .warm_up lower, or training.epochs higher.",
            )
        if not config.reverses_norms and parts.fabric.world_size > 1:
            raise ConfigError("adaptation.method.reverses_norms = false goes back twice, which is for one process")
        head = parts.seeded(
            lambda: DomainHead(self.tap.shapes, len(self.domains), width=config.width, dropout=config.dropout)
        )
        self.head: Learner[nn.Module] = parts.make_learner(head)
        self._norms = [
            weight
            for module in self.network.modules()
            if isinstance(module, _NORMS)
            for weight in module.parameters(recurse=False)
        ]

    @property
    def networks(self) -> Sequence[nn.Module]:
        """See `Objective`."""
        return (self.network, self.head.network)

    def further_losses(
        self, batch: TrainingBatch, outputs: TrainingOutputs, progress: Progress
    ) -> Mapping[str, Tensor]:
        """How well the head tells the domains; its gradient comes back to the network reversed."""
        if self.config.phase(progress.epoch) == "labels":
            return {}
        return {_DOMAIN: self._domain_loss(batch, outputs.features, self.config.factor(progress))}

    def _domain_loss(self, batch: TrainingBatch, features: Mapping[str, Tensor], factor: float) -> Tensor:
        read = {level: reversed_gradient(features[level], factor) for level in _LEVELS[self.config.levels]}
        names = [self.domains.index(self.adaptation.domain_of(sample)) for sample in batch.samples]
        return domain_loss(self.head.model(**read), torch.tensor(names, device=batch.labels.device))

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`."""
        if self.config.phase(progress.epoch) == "head":
            return self._head_alone(batch, progress)
        return super().step(batch, progress)

    def _head_alone(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """The network stays as it is, what its norms have counted too."""
        self.network.eval()
        with torch.no_grad(), self.fabric.autocast(), self.tap.listening() as heard:
            self.network(batch.images)
        self.network.train()
        loss = self._domain_loss(batch, heard, 0.0) * batch.weight
        descend(self.fabric, loss, progress, [self.head])
        return {TOTAL: loss.detach(), _DOMAIN: loss.detach()}

    def descend(self, total: Tensor, further: Mapping[str, Tensor], progress: Progress) -> None:
        """See `SupervisedObjective`."""
        if not further:
            descend(self.fabric, total, progress, [self.learner])
            return
        learners: list[Learner[Any]] = [self.learner, self.head]
        if self.config.reverses_norms:
            descend(self.fabric, total, progress, learners)
            return
        against = torch.autograd.grad(further[_DOMAIN], self._norms, retain_graph=True, allow_unused=True)
        for learner in learners:
            learner.optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(total)
        for weight, gradient in zip(self._norms, against, strict=True):
            if weight.grad is not None and gradient is not None:
                weight.grad -= gradient
        for learner in learners:
            learner.advance(progress)

    def observe(self, score: float) -> None:
        """See `Objective`."""
        super().observe(score)
        self.head.schedule.observe(score)

    def state(self) -> Snapshot:
        """See `Objective`."""
        return Snapshot.of_parts({"network": super().state(), "head": self.head.state()})

    def restore(self, state: Snapshot) -> None:
        """See `Objective`."""
        super().restore(state.part("network"))
        self.head.restore(state.part("head"))
