"""U-Net++: U-Nets of every depth in one, joined by dense connections, each taught by its own output."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import ConvolutionPair, Norm, initialise
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import check_sides


@dataclass(frozen=True)
class UNetPlusPlusConfig:
    """U-Net++ as it was compared on CAMUS: no dropout, outputs not averaged."""

    widths: tuple[int, ...] = (32, 32, 64, 88, 88)
    """Channels of each level, finest first."""
    norm: Norm = "none"
    depth: int = 0
    """Which of the nested U-Nets answers in use, 1 the shallowest; 0 is the deepest."""

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ConfigError(f"a U-Net++ needs two widths that are positive, got {self.widths}")
        if not 0 <= self.depth < len(self.widths):
            raise ConfigError(f"depth must be 0 to {len(self.widths) - 1}, got {self.depth}")


class UNetPlusPlus(Network):
    """Nodes X(i, j) on level i: X(i, 0) is the encoder, X(i, j) sees X(i, 0..j-1) and what is below, upsampled.

    In training it returns the logits of X(0, depth), ..., X(0, 1), deepest first; the one that is used in
    evaluation comes first, and what only deeper ones need is left out then.

    Args:
        config: widths, norm, depth in use.
        channels: of the images.
        classes: of the output, background included.
    """

    def __init__(self, config: UNetPlusPlusConfig, channels: int, classes: int) -> None:
        super().__init__()
        widths = config.widths
        self.depths: int = len(widths) - 1
        self.depth: int = config.depth or self.depths
        self.divisor: int = 2**self.depths
        self.encoder = nn.ModuleList(
            ConvolutionPair(before, after, norm=config.norm)
            for before, after in zip((channels, *widths[:-1]), widths, strict=True)
        )
        self.nested = nn.ModuleList(
            nn.ModuleList(
                ConvolutionPair(column * widths[level] + widths[level + 1], widths[level], norm=config.norm)
                for level in range(len(widths) - column)
            )
            for column in range(1, len(widths))
        )
        self.heads = nn.ModuleList(nn.Conv2d(widths[0], classes, 1) for _ in range(self.depths))
        self.down, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest")
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"] | TrainingOutputs:
        """Logits; in training those of every depth.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        # In use a shallower network leaves the deeper levels out: that it can be cut is what the nesting is for.
        depths = self.depths if self.training else self.depth
        finest = self._finest_row(images, depths)
        if not self.training:
            return self.heads[self.depth - 1](finest[-1])  # type: ignore[no-any-return]
        logits = [head(features) for head, features in zip(self.heads, finest, strict=True)]
        used = logits.pop(self.depth - 1)
        return TrainingOutputs((used, *reversed(logits)), (1.0 / self.depths,) * self.depths)

    def _finest_row(self, images: Tensor, depths: int) -> list[Tensor]:
        """X(0, 1), ..., X(0, depths)."""
        rows: list[list[Tensor]] = []
        for level in range(depths + 1):
            rows.append([self.encoder[level](images if level == 0 else self.down(rows[-1][0]))])
        # Column by column: X(i, j) needs X(i + 1, j - 1), which the column before has made.
        for column in range(1, depths + 1):
            for level, block in enumerate(self.nested[column - 1][: depths + 1 - column]):  # type: ignore[index]
                below = self.up(rows[level + 1][column - 1])
                rows[level].append(block(torch.cat((*rows[level], below), dim=1)))
        return rows[0][1:]


def unet_plus_plus(config: UNetPlusPlusConfig, spec: NetworkSpec) -> UNetPlusPlus:
    """U-Net++ with deep supervision: 1.1 million parameters for 1 channel and 4 classes.

    The CAMUS paper states 1.1 million and that the layers are those of U-Net 1. The first five levels of U-Net 1
    (32, 32, 64, 128, 128) would make 1,679,856; here the two coarsest are narrowed until the number is met.

    Example:
        >>> sum(weights.numel() for weights in unet_plus_plus(UNetPlusPlusConfig(), NetworkSpec(1, 4)).parameters())
        1143936
        >>> wide = UNetPlusPlusConfig(widths=(32, 32, 64, 128, 128))
        >>> sum(weights.numel() for weights in unet_plus_plus(wide, NetworkSpec(1, 4)).parameters())
        1679856

    Source:
        Zhou et al. 2018, DLMIA, arXiv:1807.10165; Leclerc et al. 2019, IEEE TMI 38:2198.
    """
    return UNetPlusPlus(config, spec.channels, spec.classes)
