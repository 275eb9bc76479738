"""What an adaptation is made of, and what the catalog may ask of its options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Bool

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import PackedSample
from cardiotrace.learning.losses import Loss
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner


class LearnerMaker(Protocol):
    """Makes a learner of a further network, which learns as the recipe says."""

    def __call__(self, network: Any) -> Learner[Any]:
        """See `ObjectiveContext.learner`."""
        ...


def target_rows(adaptation: Adaptation, batch: TrainingBatch) -> Bool[torch.Tensor, " batch"]:
    """Which samples of a batch are of the targets."""
    return torch.tensor([adaptation.is_target(one) for one in batch.samples], device=batch.labels.device)


@dataclass(frozen=True)
class AdaptationParts:
    """What an objective that adapts is made of."""

    fabric: Fabric
    """Launched."""
    learner: Learner[Network]
    """Of the recipe's network."""
    loss: Loss
    """Of one output."""
    adaptation: Adaptation
    """Which domains there are."""
    samples: tuple[PackedSample, ...]
    """All that is learned from, those of the targets without labels."""
    sample_shape: tuple[int, ...]
    """(channels, *space) of what the network sees."""
    make_learner: LearnerMaker
    """For further networks, such as one that tells domains apart."""
    class_names: tuple[str, ...] = ()
    """Foreground classes, in order of their index from 1."""
    seed: int = 0
    """Of the recipe: further networks draw their first weights by it."""
    epochs: int = 1
    """Of the training."""

    def told_apart(self) -> tuple[str, ...]:
        """Names of the domains that are learned from, in order.

        Raises:
            InputError: it is one.
        """
        domains = tuple(sorted({self.adaptation.domain_of(sample) for sample in self.samples}))
        if len(domains) < 2:
            raise InputError(f"all images that are learned from are of {self.adaptation.domain} {''.join(domains)}")
        return domains

    def seeded(self, make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
        """A further network with its first weights, the same in every process and every call."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return make()
