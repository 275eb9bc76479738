"""nnU-Net's plain 2D network: its plan says kernels, strides and widths of every stage."""

from dataclasses import dataclass
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import ConvolutionPair, initialise
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import Divisor, check_sides


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
        if not len(self.kernels) == len(self.strides) == len(self.widths) >= 2:
            raise ConfigError(
                "a plan needs kernels, strides and widths for the same two or more stages, got"
                f" {len(self.kernels)}, {len(self.strides)} and {len(self.widths)}"
            )
        if self.strides[0] != (1, 1) or not {*chain.from_iterable(self.strides)} <= {1, 2}:
            raise ConfigError(f"strides must be 1 or 2, and (1, 1) for the first stage, got {self.strides}")
        if any(side < 1 or side % 2 == 0 for side in chain.from_iterable(self.kernels)):
            raise ConfigError(f"kernels must have odd sides, got {self.kernels}")
        if min(self.widths) < 1:
            raise ConfigError(f"widths must be positive, got {self.widths}")


class NNUNet2D(Network):
    """Encoder of strided convolutions, decoder of transposed ones, instance norm, leaky ReLU.

    In training it returns the logits of every decoder stage, the finest first. nnU-Net gives the coarsest of
    them the weight 0; here it has no logits at all.

    Args:
        config: the plan.
        channels: of the images.
        classes: of the output, background included.
    """

    def __init__(self, config: NNUNet2DConfig, channels: int, classes: int) -> None:
        super().__init__()
        widths, kernels, strides = config.widths, config.kernels, config.strides
        self.divisor: Divisor = _product(strides)
        self.encoder = nn.ModuleList(
            _pair(before, after, kernel=kernel, stride=stride)
            for before, after, kernel, stride in zip((channels, *widths[:-1]), widths, kernels, strides, strict=True)
        )
        stages = range(len(widths) - 2, -1, -1)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(widths[stage + 1], widths[stage], strides[stage + 1], stride=strides[stage + 1])
            for stage in stages
        )
        self.decoder = nn.ModuleList(_pair(2 * widths[stage], widths[stage], kernel=kernels[stage]) for stage in stages)
        # The coarsest stage has too few pixels to be told where an edge lies.
        outputs = max(1, len(widths) - 2) if config.deep_supervision else 1
        self.heads = nn.ModuleList(nn.Conv2d(widths[stage], classes, 1) for stage in range(outputs))
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"] | TrainingOutputs:
        """Logits; in training with deep supervision those of the coarser stages too.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
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


def _pair(before: int, after: int, *, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)) -> ConvolutionPair:
    return ConvolutionPair(before, after, norm="instance", activation="leaky-relu", kernel=kernel, stride=stride)


def _product(strides: tuple[tuple[int, int], ...]) -> Divisor:
    rows = columns = 1
    for down, right in strides:
        rows, columns = rows * down, columns * right
    return rows if rows == columns else (rows, columns)


def nnunet2d(config: NNUNet2DConfig, spec: NetworkSpec) -> NNUNet2D:
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
    return NNUNet2D(config, spec.channels, spec.classes)
