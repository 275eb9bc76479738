"""A small U-Net for real time on a CPU: all of its work is done on a coarser grid. Of planes, or of stacks of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import Axes, ConvolutionPair, Norm, initialise, norm_and_activation
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.models.sides import Divisor, check_sides, check_size

Block = Callable[[Tensor], Tensor]
"""What makes features of features on one level."""


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
        self.divisor: Divisor = config.patch * 2 ** (len(widths) - 1)
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
        return self.logits(images, [*self.encoder], [*self.decoder])

    def logits(
        self, planes: Float[Tensor, "batch channels height width"], down: Sequence[Block], up: Sequence[Block]
    ) -> Float[Tensor, "batch classes height width"]:
        """What `forward` gives with these blocks on the way down, finest first, and up, coarsest first."""
        features = self.stem(planes)
        skips: list[Tensor] = []
        for block in down:
            features = block(features)
            skips.append(features)
        skips.pop()
        for narrow, block in zip(self.narrow, up, strict=True):
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


@dataclass(frozen=True)
class SmallStackUNetConfig(SmallUNetConfig):
    """The small U-Net, and how many of its levels see the slices above and below."""

    dimensions: ClassVar[Axes] = 3
    joined: int = 3
    """Levels, coarsest first, whose features are joined through the stack: on the way down, and on the way up."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.joined <= len(self.widths):
            raise ConfigError(f"joined must be 1 to the number of widths, got {self.joined} of {len(self.widths)}")


class ThroughStack(nn.Module):
    """Adds to the features of each slice what those above and below tell, two slices each way.

    It begins as nothing: its last convolution is 0, so that a network which learned from planes goes on from there.

    Args:
        width: channels; half as many tell of a slice.
        norm: between both convolutions.
    """

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        told = max(1, width // 2)
        # Slices and the pixels of a plane are the two axes of these convolutions: with the channels last that is the
        # same memory, and nothing is copied.
        self.first = nn.Conv2d(width, told, (3, 1), padding=(1, 0))
        self.between = nn.Sequential(*norm_and_activation(told, norm))
        self.last = nn.Conv2d(told, width, (3, 1), padding=(1, 0))

    def forward(
        self, features: Float[Tensor, "planes width rows columns"], seen: Float[Tensor, "batch 1 depth 1"]
    ) -> Float[Tensor, "planes width rows columns"]:
        """Features of all slices of all stacks, one stack after the other; `seen` is 0 where a slice shows nothing."""
        planes, width, rows, columns = features.shape
        depth = seen.shape[2]
        stacks = features.permute(0, 2, 3, 1).reshape(-1, depth, rows * columns, width).permute(0, 3, 1, 2)
        told: Tensor = self.last(self.between(self.first(stacks * seen)) * seen)
        return features + told.permute(0, 2, 3, 1).reshape(planes, rows, columns, width).permute(0, 3, 1, 2)


class SmallStackUNet(SmallUNet):
    """The small U-Net on every slice of a stack, which learn of each other on the coarse levels.

    Whether a slice shows ventricles or atria, its neighbours and its place in the stack tell. A slice that is the
    same all over, such as those that fill a stack up, is as if the stack ended there.

    Args:
        config: patch, widths, norm, joined levels.
        channels: of the images.
        classes: of the output, background included.
    """

    def __init__(self, config: SmallStackUNetConfig, channels: int, classes: int) -> None:
        super().__init__(config, channels, classes)
        side = config.patch * 2 ** (len(config.widths) - 1)
        self.divisor = (1, side, side)
        coarse_first = config.widths[::-1][: config.joined]
        self.through_down = nn.ModuleList(ThroughStack(width, config.norm) for width in reversed(coarse_first))
        self.through_up = nn.ModuleList(ThroughStack(width, config.norm) for width in coarse_first[1:])
        for joint in (*self.through_down, *self.through_up):
            initialise(joint)
            nn.init.zeros_(joint.last.weight)

    def forward(
        self, images: Float[Tensor, "batch channels depth height width"]
    ) -> Float[Tensor, "batch classes depth height width"]:
        """Logits of every class at every voxel.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_size(images.shape[2:], self.divisor)
        depth = images.shape[2]
        seen = _shows_something(images).unsqueeze(1).unsqueeze(-1).to(images.dtype)

        def joined(block: nn.Module, joint: nn.Module) -> Block:
            return lambda features: joint(block(features), seen)

        fine = len(self.encoder) - len(self.through_down)
        down = [*self.encoder[:fine], *map(joined, self.encoder[fine:], self.through_down)]
        coarse = len(self.through_up)
        up = [*map(joined, self.decoder[:coarse], self.through_up), *self.decoder[coarse:]]
        planes = images.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        logits = self.logits(planes, down, up)
        return logits.reshape(-1, depth, *logits.shape[1:]).transpose(1, 2)


def _shows_something(images: Float[Tensor, "batch channels depth height width"]) -> Bool[Tensor, "batch depth"]:
    return (images.amax(dim=(-2, -1)) > images.amin(dim=(-2, -1))).any(dim=1)


def small_stack_unet(config: SmallStackUNetConfig, spec: NetworkSpec) -> SmallStackUNet:
    """The small U-Net of stacks: a sixth more weights, hardly more work.

    Example:
        >>> sum(weights.numel() for weights in small_stack_unet(SmallStackUNetConfig(), NetworkSpec(1, 4)).parameters())
        490064

    Source:
        This project. Convolutions along one axis that are added to those of planes follow the pseudo-3D blocks of
        Qiu et al. 2017, ICCV, arXiv:1711.10305.
    """
    return SmallStackUNet(config, spec.channels, spec.classes)
