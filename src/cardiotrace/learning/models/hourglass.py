"""Stacked hourglasses: light U-Nets in a row, each seeing the image and what the one before made of it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import Norm
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import check_sides
from cardiotrace.learning.models.unet import UNet, UNetShape


def light_unet1(norm: Norm = "none") -> UNetShape:
    """U-Net 1 narrowed to 1.5 million parameters: 108 instead of 128 channels on its coarse levels."""
    return UNetShape((32, 32, 64, 108, 108), 108, (108, 108, 64, 32, 16), norm=norm)


@dataclass(frozen=True)
class StackedHourglassConfig:
    """Stacked hourglasses as they were compared on CAMUS."""

    stages: int = 3
    """Number of U-Nets in a row."""
    residual: bool = False
    """Whether a stage corrects the logits of the one before instead of making new ones."""
    norm: Norm = "none"

    def __post_init__(self) -> None:
        if self.stages < 2:
            raise ConfigError(f"stages must be at least 2, got {self.stages}")


class StackedHourglass(Network):
    """U-Nets in a row; each after the first sees the image beside the probabilities of the one before.

    In training it returns the logits of all stages, the last first, with equal weights.

    Args:
        config: stages, residual or not, norm.
        channels: of the images.
        classes: of the output, background included.
    """

    def __init__(self, config: StackedHourglassConfig, channels: int, classes: int) -> None:
        super().__init__()
        shape = light_unet1(config.norm)
        self.residual = config.residual
        self.stages = nn.ModuleList(
            UNet(shape, channels + (classes if stage else 0), classes) for stage in range(config.stages)
        )
        self.divisor: int = 2 ** len(shape.encoder)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"] | TrainingOutputs:
        """Logits of the last stage; in training those of every stage, the last first.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        outputs = [self.stages[0](images)]
        for stage in self.stages[1:]:
            # Probabilities, since logits have no scale of their own; and the image again, as what a stage made of it
            # has lost the fine detail.
            refined = stage(torch.cat((images, outputs[-1].softmax(dim=1)), dim=1))
            outputs.append(outputs[-1] + refined if self.residual else refined)
        if not self.training:
            return outputs[-1]  # type: ignore[no-any-return]
        return TrainingOutputs(tuple(reversed(outputs)), (1.0 / len(outputs),) * len(outputs))


def stacked_hourglass(config: StackedHourglassConfig, spec: NetworkSpec) -> StackedHourglass:
    """Three light U-Net 1 in a row: 4.5 million parameters for 1 channel and 4 classes.

    The papers state 1.5 million for each and not how they were made light.

    Example:
        >>> network = stacked_hourglass(StackedHourglassConfig(), NetworkSpec(1, 4))
        >>> sum(weights.numel() for weights in network.parameters())
        4460676

    Source:
        Newell et al. 2016, ECCV, arXiv:1603.06937, for the idea; Leclerc et al. 2019, IEEE TMI 38:2198, for the sizes,
        a loss on every output, and stages that act as residual blocks (`residual`);
        Leclerc et al. 2019, IEEE IUS, p. 1160, for what the later stages see.
    """
    return StackedHourglass(config, spec.channels, spec.classes)
