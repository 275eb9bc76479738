"""Training against the styles that a network is worst at."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cardiotrace.learning.augmentation.style import MaxStyle, StyleSearch
from cardiotrace.learning.losses import Loss
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.objective import Losses, Progress
from cardiotrace.learning.training.supervision import SupervisedObjective, supervised_loss


class StyledObjective(SupervisedObjective):
    """Labels teach one network on each batch twice: as it is, and in the style found to be the worst for it.

    Args:
        fabric: launched.
        learner: of the network.
        loss: of one output.
        config: which levels, and how the style is found.

    Raises:
        ConfigError: the network has no encoder of so many levels.

    Source:
        See `MaxStyle`.
    """

    def __init__(
        self, fabric: Fabric, learner: Learner[Network], loss: Loss, config: MaxStyle, class_names: tuple[str, ...] = ()
    ) -> None:
        super().__init__(fabric, learner, loss, class_names)
        self.search = StyleSearch(learner.network, config)

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`."""
        with self.search:
            with _statistics_kept(self.network):
                for _ in range(self.search.config.steps):
                    self.search.ascended(self._loss_in_style(batch))
            # Both in one pass: the search puts its styles on the second half.
            images, labels = torch.cat([batch.images] * 2), torch.cat([batch.labels] * 2)
            twice = dataclasses.replace(batch, images=images, labels=labels, samples=batch.samples * 2)
            return super().step(twice, progress)

    def _loss_in_style(self, batch: TrainingBatch) -> torch.Tensor:
        # Without what spreads the network over processes: nothing of this gradient is shared.
        with self.fabric.autocast():
            outputs = TrainingOutputs.of(self.network(batch.images))
        outputs = outputs._replace(logits=tuple(one.float() for one in outputs.logits))
        return supervised_loss(outputs, batch.labels, self.loss_of(batch))


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """Running statistics of the norms are those from before: what is only tried must not count."""
    before = [buffer.clone() for buffer in network.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(network.buffers(), before, strict=True):
                buffer.copy_(value)
