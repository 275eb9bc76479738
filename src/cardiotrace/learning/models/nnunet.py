"""nnU-Net's plain networks of two and three axes: a plan says kernels, strides and widths of every stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import CONVOLUTIONS, TRANSPOSED, Axes, ConvolutionPair, Norm, initialise
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import Divisor, check_size


@dataclass(frozen=True)
class NNUNet2DConfig:
    """A plan; `cardiotrace plan` makes one from a data set. The defaults are for 256x256 and square pixels."""

    kernels: tuple[tuple[int, int], ...] = ((3, 3),) * 7
    """Rows and columns of the kernels of each stage, finest first."""
    strides: tuple[tuple[int, int], ...] = ((1, 1),) + ((2, 2),) * 6
    """By how much rows and columns shrink on entering each stage; the first is (1, 1)."""
    widths: tuple[int, ...] = (32, 64, 128, 256, 512, 512, 512)
    """Channels of each stage."""
    deep_supervision: bool = True
    """Whether training also looks at the coarser outputs, each with half the weight of the finer one."""

    def __post_init__(self) -> None:
        _check_plan(self.kernels, self.strides, self.widths)


@dataclass(frozen=True)
class NNUNet3DConfig:
    """A plan for volumes; `cardiotrace plan --dimensions 3` makes one from a data set.

    The defaults are for short-axis stacks: slices lie far apart, so that they are convolved with each other once rows
    and columns have become as coarse, and the depth is halved twice.
    """

    dimensions: ClassVar[Axes] = 3
    kernels: tuple[tuple[int, int, int], ...] = ((1, 3, 3), (1, 3, 3), *((3, 3, 3),) * 4)
    """Slices, rows and columns of the kernels of each stage, finest first."""
    strides: tuple[tuple[int, int, int], ...] = ((1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2))
    """By how much slices, rows and columns shrink on entering each stage; the first is (1, 1, 1)."""
    widths: tuple[int, ...] = (32, 64, 128, 256, 320, 320)
    """Channels of each stage; (16, 32, 64, 96, 128, 128) is for a CPU."""
    deep_supervision: bool = True
    """Whether training also looks at the coarser outputs, each with half the weight of the finer one."""

    def __post_init__(self) -> None:
        _check_plan(self.kernels, self.strides, self.widths)


def _check_plan(kernels: Sequence[Sequence[int]], strides: Sequence[Sequence[int]], widths: Sequence[int]) -> None:
    if not len(kernels) == len(strides) == len(widths) >= 2:
        raise ConfigError(
            "a plan needs kernels, strides and widths for the same two or more stages, got"
            f" {len(kernels)}, {len(strides)} and {len(widths)}"
        )
    if {*strides[0]} != {1} or not {*chain.from_iterable(strides)} <= {1, 2}:
        raise ConfigError(f"strides must be 1 or 2, and {(1,) * len(strides[0])} for the first stage, got {strides}")
    if any(side < 1 or side % 2 == 0 for side in chain.from_iterable(kernels)):
        raise ConfigError(f"kernels must have odd sides, got {kernels}")
    if min(widths) < 1:
        raise ConfigError(f"widths must be positive, got {widths}")


class PlannedUNet(Network):
    """Encoder of strided convolutions, decoder of transposed ones, a norm, leaky ReLU; of planes or of volumes.

    In training it returns the logits of every decoder stage, the finest first. nnU-Net gives the coarsest of
    them the weight 0; here it has no logits at all.

    Args:
        config: the plan; its kernels tell the number of axes.
        channels: of the images.
        classes: of the output, background included.
        norm: after each convolution; nnU-Net's is that of instances.
    """

    def __init__(
        self, config: NNUNet2DConfig | NNUNet3DConfig, channels: int, classes: int, *, norm: Norm = "instance"
    ) -> None:
        super().__init__()
        widths, kernels, strides = config.widths, config.kernels, config.strides
        axes: Axes = 2 if len(kernels[0]) == 2 else 3
        self.divisor: Divisor = _product(strides)
        options: Any = {"norm": norm, "activation": "leaky-relu", "axes": axes}
        self.encoder = nn.ModuleList(
            ConvolutionPair(before, after, kernel=kernel, stride=stride, **options)
            for before, after, kernel, stride in zip((channels, *widths[:-1]), widths, kernels, strides, strict=True)
        )
        stages = range(len(widths) - 2, -1, -1)
        transposed: Any = TRANSPOSED[axes]
        self.up = nn.ModuleList(
            transposed(widths[stage + 1], widths[stage], strides[stage + 1], stride=strides[stage + 1])
            for stage in stages
        )
        self.decoder = nn.ModuleList(
            ConvolutionPair(2 * widths[stage], widths[stage], kernel=kernels[stage], **options) for stage in stages
        )
        # The coarsest stage has too few pixels to be told where an edge lies.
        outputs = max(1, len(widths) - 2) if config.deep_supervision else 1
        self.heads = nn.ModuleList(CONVOLUTIONS[axes](widths[stage], classes, 1) for stage in range(outputs))
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels *space"]
    ) -> Float[Tensor, "batch classes *space"] | TrainingOutputs:
        """Logits; in training with deep supervision those of the coarser stages too.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_size(images.shape[2:], self.divisor)
        skips = []
        features = images
        for block in self.encoder:
            features = block(features)
            skips.append(features)
        skips.pop()  # the coarsest features are what the decoder begins with
        coarse_first = []
        for up, block in zip(self.up, self.decoder, strict=True):
            features = block(torch.cat((up(features), skips.pop()), dim=1))
            coarse_first.append(features)
        if not self.training or len(self.heads) == 1:
            return self.heads[0](features)  # type: ignore[no-any-return]
        finest_first = coarse_first[::-1][: len(self.heads)]
        logits = tuple(head(stage) for head, stage in zip(self.heads, finest_first, strict=True))
        return TrainingOutputs(logits, deep_supervision_weights(len(logits)))


def deep_supervision_weights(outputs: int) -> tuple[float, ...]:
    """1, 1/2, 1/4, ... made to sum to 1.

    Example:
        >>> [round(weight, 3) for weight in deep_supervision_weights(3)]
        [0.571, 0.286, 0.143]
    """
    # Made to sum to 1, a learning rate means the same however many stages a plan has.
    total = 2 - 0.5 ** (outputs - 1)
    return tuple(0.5**output / total for output in range(outputs))


def _product(strides: Sequence[Sequence[int]]) -> Divisor:
    sides = tuple(int(side) for side in np.prod(strides, axis=0))
    return sides[0] if len(set(sides)) == 1 else sides


def nnunet2d(config: NNUNet2DConfig, spec: NetworkSpec) -> PlannedUNet:
    """nnU-Net's plain convolutional U-Net in two dimensions.

    Its size follows from the plan; with the default of seven stages for 1 channel and 4 classes:

    Example:
        >>> sum(weights.numel() for weights in nnunet2d(NNUNet2DConfig(), NetworkSpec(1, 4)).parameters())
        33472788
        >>> nnunet2d(NNUNet2DConfig(((3, 1), (3, 3)), ((1, 1), (1, 2)), (8, 16)), NetworkSpec(1, 4)).divisor
        (1, 2)

    Source:
        Isensee et al. 2021, Nature Methods 18:203, with the weights of the losses, and the 512 channels at
        most, of its supplement.
    """
    return PlannedUNet(config, spec.channels, spec.classes)


def nnunet3d(config: NNUNet3DConfig, spec: NetworkSpec) -> PlannedUNet:
    """nnU-Net's plain convolutional U-Net of volumes at full resolution.

    Its size follows from the plan; with the default of six stages for 1 channel and 4 classes:

    Example:
        >>> network = nnunet3d(NNUNet3DConfig(), NetworkSpec(1, 4))
        >>> sum(weights.numel() for weights in network.parameters()), network.divisor
        (30339280, (4, 32, 32))

    Source:
        Isensee et al. 2021, Nature Methods 18:203, with at most 320 channels, as its supplement has it for volumes.
    """
    return PlannedUNet(config, spec.channels, spec.classes)


@dataclass(frozen=True)
class GenericUNetConfig:
    """The U-Net that nnU-Net was first published with; the defaults are those of its class."""

    levels: int = 6
    """Number of halvings; both sides must be multiples of 2^levels."""
    width: int = 30
    """Channels of the finest stage, doubled on each level up to `widest`."""
    widest: int = 480
    norm: Norm = "batch"
    deep_supervision: bool = True
    """Whether training also looks at the coarser outputs, each with half the weight of the finer one."""

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 8:
            raise ConfigError(f"levels must be 1 to 8, got {self.levels}")
        if not 1 <= self.width <= self.widest:
            raise ConfigError(f"width must lie in 1 to widest, got {self.width} and {self.widest}")

    @property
    def plan(self) -> NNUNet2DConfig:
        """The same stage by stage."""
        widths = tuple(min(self.width * 2**level, self.widest) for level in range(self.levels + 1))
        stages = len(widths)
        return NNUNet2DConfig(((3, 3),) * stages, ((1, 1), *((2, 2),) * self.levels), widths, self.deep_supervision)


def generic_unet(config: GenericUNetConfig, spec: NetworkSpec) -> PlannedUNet:
    """`Generic_UNet` with batch norm and leaky ReLU: 30 to 480 channels, six strided convolutions, deep supervision.

    Short and long axis are learned by submodules that share no weight: each is a network of its own here, trained by
    a run of its own on the samples of its views. That gives what both would learn side by side in one network, and one
    sealed model for each view. Momentum, learning rate adjustment (schedule "plateau") and first weights from an
    earlier run with random ones where they do not fit (`training.initial_weights = "fitting"`) stand in the recipe.

    Example:
        >>> sum(weights.numel() for weights in generic_unet(GenericUNetConfig(), NetworkSpec(1, 4)).parameters())
        29421020

    Source:
        Isensee et al. 2018, arXiv:1809.10486: 30 channels, 480 at most in two dimensions. Its code drops features
        out where nothing else is said, and pools where here convolutions stride.
    """
    return PlannedUNet(config.plan, spec.channels, spec.classes, norm=config.norm)
