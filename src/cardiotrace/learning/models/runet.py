"""RU-Net: a first U-Net says where to look, a second one segments what is left of the image."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import Norm
from cardiotrace.learning.models.hourglass import light_unet1
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import check_sides
from cardiotrace.learning.models.unet import UNet, unet1_shape


@dataclass(frozen=True)
class RegionConfig:
    """How a segmentation becomes a region of interest."""

    dilation: int = 11
    """Side of the square that the foreground is dilated with, pixels; 11 in table II of the paper, 30 in table III."""
    further_dilations: tuple[int, ...] = ()
    """More dilations side by side: the next U-Net sees one image for each."""
    shift: float = 0.5
    """Foreground probability at which the first threshold lies; 0.5 in table II, 0.7 in table III."""
    second_shift: float = 0.01
    """Share of foreground in the square at which the second threshold lies."""
    slope: float = 100.0
    """Steepness of both thresholds."""
    second_slope: float | None = None
    """Steepness of the second threshold alone; none: `slope`. With 1000 what is far away is black."""

    def __post_init__(self) -> None:
        if min((self.dilation, *self.further_dilations)) < 1:
            raise ConfigError(f"a dilation must be at least 1 pixel, got {(self.dilation, *self.further_dilations)}")
        if self.slope <= 0 or (self.second_slope is not None and self.second_slope <= 0):
            raise ConfigError("a slope must be positive")


@dataclass(frozen=True)
class RUNetConfig(RegionConfig):
    """RU-Net with its parameters of table II; the variants of the paper's discussion are options."""

    stages: int = 2
    """U-Nets in a row, each seeing the region of the one before; 4 are two cascaded RU-Nets."""
    refined_weight: float = 0.5
    """Weight of the last output's loss; the outputs before share the rest."""
    pretraining_steps: int = 0
    """Steps at the start in which only the first U-Net learns."""
    light: bool = False
    """Take the U-Nets of 1.5 million parameters that stacked hourglasses are made of."""
    norm: Norm = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stages < 2:
            raise ConfigError(f"stages must be at least 2, got {self.stages}")
        if not 0 < self.refined_weight <= 1:
            raise ConfigError(f"refined_weight must lie in (0, 1], got {self.refined_weight}")
        if self.pretraining_steps < 0:
            raise ConfigError("pretraining_steps must not be negative")


def soft_threshold(values: Tensor, *, slope: float, shift: float) -> Tensor:
    """1 / (1 + exp(-slope (x - shift))): almost a step at `shift`, with a gradient.

    Example:
        >>> [round(float(value), 3) for value in soft_threshold(torch.tensor([0.4, 0.5, 0.6]), slope=100, shift=0.5)]
        [0.0, 0.5, 1.0]

    Source:
        Leclerc et al. 2019, IEEE IUS, p. 1160, equation 1.
    """
    return torch.sigmoid(slope * (values - shift))


def dilated(mask: Tensor, side: int) -> Tensor:
    """Share of a square around each pixel that is covered: a convolution with side x side values of 1 / side^2.

    Done as one column and one row of means, which is the same and grows with the side, not with its square.
    An even square reaches one pixel further down and right. Outside the image nothing is covered.

    Args:
        mask: (batch, 1, height, width), 0..1.
        side: of the square, pixels.

    Example:
        >>> mask = torch.zeros(1, 1, 3, 5)
        >>> mask[..., 1, 1] = 1
        >>> (dilated(mask, 3)[0, 0, 0] * 9).round().tolist()
        [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    before, after = side // 2, (side - 1) // 2
    padded = nn.functional.pad(mask, (before, after, before, after))
    # Not by pooling: ONNX Runtime joins the padding to a pooling, and then refuses pads as long as the kernel.
    column = mask.new_full((1, 1, side, 1), 1 / side)
    rows = nn.functional.conv2d(padded, column)
    return nn.functional.conv2d(rows, column.transpose(2, 3))


def region(logits: Tensor, config: RegionConfig, side: int) -> Tensor:
    """Region of interest, 0..1, from the logits of a segmentation with the background as class 0.

    threshold(dilate(threshold(1 - p_background))), (batch, 1, height, width).

    With the paper's numbers the second threshold is 1 / (1 + exp(1)) = 0.27 where no foreground is near: the
    rest of the image is darkened to a quarter, not blackened; `second_slope` can change that.
    """
    # Soft at both thresholds, so that the second U-Net's loss can move the region that the first one finds.
    foreground = 1 - logits.softmax(dim=1)[:, :1]
    covered = dilated(soft_threshold(foreground, slope=config.slope, shift=config.shift), side)
    return soft_threshold(covered, slope=config.second_slope or config.slope, shift=config.second_shift)


class RUNet(Network):
    """U-Nets in a row, each seeing the image multiplied with the region that the one before found.

    In training it returns the logits of all U-Nets, the last first.

    Args:
        config: region, number of U-Nets, weights of their losses.
        channels: of the images.
        classes: of the output, background included.
    """

    steps_taken: Tensor

    def __init__(self, config: RUNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        shape = light_unet1(config.norm) if config.light else unet1_shape(config.norm)
        self.config = config
        self.sides = (config.dilation, *config.further_dilations)
        self.stages = nn.ModuleList(
            UNet(shape, channels * (len(self.sides) if stage else 1), classes) for stage in range(config.stages)
        )
        self.divisor: int = 2 ** len(shape.encoder)
        if config.pretraining_steps:
            self.register_buffer("steps_taken", torch.zeros((), dtype=torch.int64))

    def output_weights(self) -> tuple[float, ...]:
        """Weights of the losses now, the last output's first."""
        others = self.config.stages - 1
        if self.config.pretraining_steps and int(self.steps_taken) <= self.config.pretraining_steps:
            return (0.0,) * others + (1.0,)
        return (self.config.refined_weight, *((1 - self.config.refined_weight) / others,) * others)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"] | TrainingOutputs:
        """Logits of the last U-Net; in training those of every U-Net, the last first.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        outputs: list[Tensor] = [self.stages[0](images)]
        for stage in self.stages[1:]:
            seen = [images * region(outputs[-1], self.config, side) for side in self.sides]
            outputs.append(stage(torch.cat(seen, dim=1)))
        if not self.training:
            return outputs[-1]
        if self.config.pretraining_steps:
            # Counted in a buffer: a checkpoint knows how far pre-training is.
            self.steps_taken.add_(1)
        return TrainingOutputs(tuple(reversed(outputs)), self.output_weights())


def runet(config: RUNetConfig, spec: NetworkSpec) -> RUNet:
    """RU-Net, two U-Net 1 with a region of interest between them: 3.95 million parameters.

    Example:
        >>> sum(weights.numel() for weights in runet(RUNetConfig(), NetworkSpec(1, 4)).parameters())
        3953288

    Source:
        Leclerc et al. 2019, IEEE International Ultrasonics Symposium, p. 1160, which states 3.9 million. It does
        not say how the dilation is normalised (here to the share of the square) nor how the pixels' foreground is
        taken (here one minus the background's probability).
    """
    return RUNet(config, spec.channels, spec.classes)
