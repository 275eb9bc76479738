"""A small U-Net for real time on a CPU: all of its work is done on a grid four times coarser."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import ConvolutionPair, Norm, initialise, norm_and_activation
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.models.sides import check_sides


@dataclass(frozen=True)
class SmallUNetConfig:
    """Widths that are multiples of 16, which CPU convolutions compute in whole vectors."""

    patch: int = 4
    """Side of the square of pixels that becomes one position of the finest level."""
    widths: tuple[int, ...] = (32, 48, 64, 96)
    """Channels of each level, finest first; the last is the bottleneck."""
    norm: Norm = "batch"
    """Batch norm costs nothing in use: the runtime folds it into the convolution before it."""

    def __post_init__(self) -> None:
        if self.patch < 1 or len(self.widths) < 2 or min(self.widths) < 1:
            raise ConfigError(f"patch and two or more widths must be positive, got {self.patch} and {self.widths}")


class SmallUNet(Network):
    """A narrow U-Net between a strided convolution and pixels shuffled back out of channels.

    The first convolution sees overlapping patches and takes each to one position; the last gives patch^2
    logits per class and position, which are laid out as pixels. Between them is a U-Net that adds its skips.

    Args:
        config: patch, widths, norm.
        channels: of the images.
        classes: of the output, background included.

    Source:
        Shi et al. 2016, CVPR, arXiv:1609.05158, for the shuffled pixels. The rest is chosen by measuring.
    """

    def __init__(self, config: SmallUNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        widths, norm = config.widths, config.norm
        self.divisor: int = config.patch * 2 ** (len(widths) - 1)
        # Wider than a patch: neighbours overlap, so that no seam shows between them.
        reach = config.patch + 2 * (config.patch // 2)
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], reach, stride=config.patch, padding=config.patch // 2),
            *norm_and_activation(widths[0], norm),
        )
        self.encoder = nn.ModuleList(
            ConvolutionPair(before, after, norm=norm, stride=stride)
            for before, after, stride in zip(
                (widths[0], *widths[:-1]), widths, (1, *(2,) * (len(widths) - 1)), strict=True
            )
        )
        # Narrowed before they are enlarged: repeating pixels and a 1x1 convolution give the same in either order, and
        # this one costs a quarter.
        self.narrow = nn.ModuleList(
            nn.Conv2d(below, width, 1) for width, below in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.decoder = nn.ModuleList(ConvolutionPair(width, width, norm=norm) for width in widths[-2::-1])
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.head = nn.Sequential(
            nn.Conv2d(widths[0], classes * config.patch**2, 3, padding=1), nn.PixelShuffle(config.patch)
        )
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits of every class at every pixel.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        features = self.stem(images)
        skips: list[Tensor] = []
        for block in self.encoder:
            features = block(features)
            skips.append(features)
        skips.pop()
        for narrow, block in zip(self.narrow, self.decoder, strict=True):
            features = block(skips.pop() + self.up(narrow(features)))
        return self.head(features)  # type: ignore[no-any-return]


def small_unet(config: SmallUNetConfig, spec: NetworkSpec) -> SmallUNet:
    """A network of our own for real time: less than a tenth of U-Net 1's multiply-adds.

    Example:
        >>> sum(weights.numel() for weights in small_unet(SmallUNetConfig(), NetworkSpec(1, 4)).parameters())
        423216

    Source:
        This project; `benchmarks/small.py` measures it.
    """
    return SmallUNet(config, spec.channels, spec.classes)
