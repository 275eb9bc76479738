"""What training and export ask of a network, and what a network is told when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from cardiotrace.learning.models.sides import Divisor

Group = Literal["phases"]
"""What makes samples belong together: two phases of the same slice of the same view of a patient."""


@dataclass(frozen=True)
class NetworkSpec:
    """What a network must fit, whatever its architecture."""

    channels: int
    """Of the images."""
    classes: int
    """Of the output, background included."""
    size: tuple[int, ...] | None = None
    """Sides of every sample that it will see, (height, width) or (depth, height, width); None where they are free."""


class TrainingOutputs(NamedTuple):
    """What a network gives while it trains, where that is more than one block of logits."""

    logits: tuple[Tensor, ...]
    """The one that counts in use first; the others may be coarser."""
    weights: tuple[float, ...]
    """Of the loss on each of the logits; an output of weight 0 is not looked at."""
    features: Mapping[str, Tensor] = {}
    """Whatever else is learned from, by name, such as the motion between two images."""

    @classmethod
    def of(cls, given: "Tensor | TrainingOutputs") -> "TrainingOutputs":
        """The same of a network that gives its logits alone."""
        return cls((given,), (1.0,)) if isinstance(given, Tensor) else given


class Network(nn.Module):
    """Images (batch, channels, *space) to logits (batch, classes, *space); in training also `TrainingOutputs`."""

    divisor: Divisor = 1
    """Sides of the images must be multiples of it: one number for all axes, or one each."""
    group: Group | None = None
    """The `training.group` of samples that it must find side by side in a batch; None where each sample is alone."""

    def auxiliary_losses(self, outputs: TrainingOutputs, labels: Tensor) -> dict[str, Tensor]:
        """What it learns from besides its logits, such as a shape prior or motion: weighted scalars, to be added.

        Args:
            outputs: what its forward pass gave in training, with all that the losses need in `features`.
            labels: class of every pixel, (batch, *space).

        Returns:
            Name, as the training log tells it, to loss; none by default.
        """
        return {}

    def seen(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What it is shown of samples that it is validated on, and what is right there.

        Args:
            images: prepared.
            labels: class of every pixel, (batch, *space).

        Returns:
            Both as they are; of a network that draws label maps anew the maps themselves in place of the images.
        """
        return images, labels
