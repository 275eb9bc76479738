"""Two small U-Nets in a row: the second corrects what the first has seen."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cardiotrace.learning.models.blocks import Norm
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.unet import UNet, UNetShape


@dataclass(frozen=True)
class WNetConfig:
    """Size of each of the two U-Nets; level i has width * 2^i channels."""

    levels: int = 2
    """Number of halvings; both sides must be multiples of 2^levels."""
    width: int = 8
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 6 or self.width < 1:
            raise ValueError(f"levels must be 1 to 6 and width positive, got {self.levels} and {self.width}")


class WNet(Network):
    """A U-Net, and another one that sees the image beside the logits of the first.

    Both are supervised: in training `forward` returns the second's logits and the first's, with equal weights.

    Args:
        shape: of each of the two.
        channels: channels of the input images.
        classes: classes of the output, background included.

    Source:
        Galdran et al. 2022, Sci Rep 12:6174. There each block has a residual connection, and skip connections a
        convolution.
    """

    def __init__(self, shape: UNetShape, channels: int, classes: int) -> None:
        super().__init__()
        self.first = UNet(shape, channels, classes)
        self.second = UNet(shape, channels + classes, classes)
        self.divisor: int = self.first.divisor
        """Both sides of the input must be multiples of this."""

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"] | TrainingOutputs:
        """Logits of every class at every pixel; while training, the final ones and those of the first U-Net.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        first: Tensor = self.first(images)
        # Logits, not probabilities: where the first is sure, a softmax would let hardly any gradient of the second
        # through.
        final: Tensor = self.second(torch.cat((images, first), dim=1))
        return TrainingOutputs((final, first), (0.5, 0.5)) if self.training else final


def wnet(config: WNetConfig, spec: NetworkSpec) -> WNet:
    """Two U-Nets with 8, 16 and 32 channels: no more parameters than a small photograph has pixels.

    Source:
        Galdran et al. 2022, Sci Rep 12:6174, who reach 68 thousand parameters with residual blocks.

    Example:
        >>> sum(weights.numel() for weights in wnet(WNetConfig(), NetworkSpec(3, 2)).parameters())
        59732
    """
    *encoder, bottleneck = (config.width * 2**level for level in range(config.levels + 1))
    shape = UNetShape(tuple(encoder), bottleneck, tuple(reversed(encoder)), norm=config.norm, up="transposed")
    return WNet(shape, spec.channels, spec.classes)
