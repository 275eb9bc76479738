"""Supervised training: a loss on every output of a network, and what the network adds of its own."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from cardiotrace.learning.losses import Loss, marginal_loss
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training.annotation import known_classes
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner, descend
from cardiotrace.learning.training.objective import TOTAL, Losses, Progress, Snapshot

SEGMENTATION = "segmentation"
"""Name of the loss on the logits, where the network learns from more than those."""


class SupervisedObjective:
    """Labels teach one network; a network's `auxiliary_losses` (co-learning, shape priors) are added.

    Args:
        fabric: launched.
        learner: of the network.
        loss: of one output.
        class_names: foreground classes, in order of their index from 1; for samples that do not tell of all.
    """

    def __init__(self, fabric: Fabric, learner: Learner[Network], loss: Loss, class_names: Sequence[str] = ()) -> None:
        self.fabric, self.learner, self.loss, self.class_names = fabric, learner, loss, class_names

    @property
    def network(self) -> Network:
        """See `Objective`."""
        return self.learner.network

    @property
    def networks(self) -> Sequence[nn.Module]:
        """See `Objective`."""
        return (self.network,)

    @property
    def learning_rate(self) -> float:
        """See `Objective`."""
        return self.learner.learning_rate

    def loss_of(self, batch: TrainingBatch) -> Loss:
        """The loss for a batch; who is taught by more than labels makes it of both."""
        known = known_classes(batch.samples, self.class_names, batch.labels.device)
        return self.loss if known is None else marginal_loss(self.loss, known)

    def outputs_of(self, batch: TrainingBatch, progress: Progress) -> TrainingOutputs:
        """What the network says of a batch; who learns from its features as well hears them here."""
        return TrainingOutputs.of(self.learner.model(batch.images))

    def further_losses(
        self, batch: TrainingBatch, outputs: TrainingOutputs, progress: Progress
    ) -> Mapping[str, Tensor]:
        """Weighted losses by name beside that on the logits: by default what the network adds of its own."""
        return self.network.auxiliary_losses(outputs, batch.labels)

    def descend(self, total: Tensor, further: Mapping[str, Tensor], progress: Progress) -> None:
        """One step of all that learn.

        Args:
            total: sum of the losses, times the batch's weight.
            further: those of `further_losses`, which are part of it.
            progress: how far the training is.
        """
        descend(self.fabric, total, progress, [self.learner])

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`."""
        loss = self.loss_of(batch)
        outputs = self.outputs_of(batch, progress)
        segmentation = supervised_loss(outputs, batch.labels, loss)
        auxiliary = self.further_losses(batch, outputs, progress)
        # The network's own are summed first: floating-point sums depend on the order, and runs are repeated to the bit.
        total = (segmentation + reduce(add, auxiliary.values()) if auxiliary else segmentation) * batch.weight
        self.descend(total, {name: value * batch.weight for name, value in auxiliary.items()}, progress)
        named = {SEGMENTATION: segmentation, **auxiliary} if auxiliary else {}
        return {TOTAL: total.detach(), **{name: value.detach() * batch.weight for name, value in named.items()}}

    def observe(self, score: float) -> None:
        """See `Objective`."""
        self.learner.schedule.observe(score)

    def state(self) -> Snapshot:
        """See `Objective`."""
        return self.learner.state()

    def restore(self, state: Snapshot) -> None:
        """See `Objective`."""
        self.learner.restore(state)


def supervised_loss(outputs: TrainingOutputs, labels: Tensor, loss: Loss) -> Tensor:
    """Sum over outputs of weight_i loss(output_i, labels_i).

    labels_i are the labels on the grid of output i, taken from the nearest pixel.

    Args:
        outputs: what the network gave in training.
        labels: class of every pixel, (batch, *space).
        loss: of one output.

    Returns:
        Scalar to be made small.

    Raises:
        ValueError: there are not as many weights as outputs.

    Example:
        >>> fine, coarse = torch.full((1, 2, 4, 4), 2.0), torch.full((1, 2, 2, 2), 4.0)
        >>> mean = lambda logits, labels: logits.mean()
        >>> outputs = TrainingOutputs((fine, coarse), (0.75, 0.25))
        >>> float(supervised_loss(outputs, torch.zeros(1, 4, 4, dtype=torch.long), mean))
        2.5
    """
    pairs = zip(outputs.weights, outputs.logits, strict=True)
    return torch.stack([weight * loss(logits, _on_grid(labels, logits)) for weight, logits in pairs if weight]).sum()


def _on_grid(labels: Tensor, output: Tensor) -> Tensor:
    """Labels of the pixels nearest to those of a coarser output."""
    size = output.shape[2:]
    if labels.shape[1:] == size:
        return labels
    # Integers of labels are exact in float32.
    resized = nn.functional.interpolate(labels.unsqueeze(1).float(), size=size, mode="nearest")
    return resized.squeeze(1).to(labels.dtype)
