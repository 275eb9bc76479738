"""U-Nets with explicit widths: the two of the CAMUS paper, the original one, and one for free choice."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import Activation, ConvolutionPair, Norm, initialise, norm_and_activation
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.models.sides import check_sides

Down = Literal["max", "strided"]
Up = Literal["nearest", "transposed"]


@dataclass(frozen=True)
class UNetShape:
    """What a U-Net is made of, from the image down to the bottleneck and up again."""

    encoder: tuple[int, ...]
    """Channels of each level before its pooling, finest first."""
    bottleneck: int
    decoder: tuple[int, ...]
    """Channels of each level after its upsampling, coarsest first; as many as `encoder`."""
    norm: Norm = "none"
    activation: Activation = "relu"
    down: Down = "max"
    up: Up = "nearest"
    up_norm: bool = False
    """Whether a transposed convolution is followed by the norm and the activation."""

    def __post_init__(self) -> None:
        if len(self.encoder) != len(self.decoder) or not self.encoder:
            raise ConfigError(
                f"a U-Net needs as many decoder as encoder levels, got {len(self.decoder)} and {len(self.encoder)}"
            )
        if min(*self.encoder, self.bottleneck, *self.decoder) < 1:
            raise ConfigError(f"widths must be positive, got {self.encoder}, {self.bottleneck}, {self.decoder}")


class UNet(Network):
    """Encoder and decoder of convolution pairs, joined by skip connections on every level.

    Weights start as He normal for ReLU with zero biases, drawn from PyTorch's global generator: with
    PyTorch's default, U-Net 1, which has no normalisation, hardly learns at first.

    Args:
        shape: widths and choices.
        channels: channels of the input images.
        classes: classes of the output, background included.

    Source:
        Ronneberger et al. 2015, MICCAI, arXiv:1505.04597 (here with "same" padding);
        He et al. 2015, ICCV, arXiv:1502.01852, for the initialisation.
    """

    def __init__(self, shape: UNetShape, channels: int, classes: int) -> None:
        super().__init__()
        self.divisor: int = 2 ** len(shape.encoder)
        """Both sides of the input must be multiples of this."""
        widths = (*shape.encoder, shape.bottleneck)
        inputs = (channels, *shape.encoder)
        # Strided convolutions halve by themselves; otherwise a pooling before the pair does.
        strides = [1] + [2 if shape.down == "strided" else 1] * len(shape.encoder)
        self.encoder = nn.ModuleList(
            _pair(before, after, shape, stride=stride)
            for before, after, stride in zip(inputs, widths, strides, strict=True)
        )
        self.down = nn.MaxPool2d(2) if shape.down == "max" else nn.Identity()
        below = (shape.bottleneck, *shape.decoder[:-1])
        skips = shape.encoder[::-1]
        self.up = nn.ModuleList(_up(before, skip, shape) for before, skip in zip(below, skips, strict=True))
        self.decoder = nn.ModuleList(
            # A transposed convolution narrows to the width of the skip; repeated pixels keep all their channels.
            _pair(skip + (skip if shape.up == "transposed" else before), after, shape)
            for before, skip, after in zip(below, skips, shape.decoder, strict=True)
        )
        self.head = nn.Conv2d(shape.decoder[-1], classes, 1)
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits of every class at every pixel.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        return self.head(self.decoded(images)[-1])  # type: ignore[no-any-return]

    def decoded(self, images: Float[Tensor, "batch channels height width"]) -> list[Tensor]:
        """Features after each level of the decoder, coarsest first; the last are those that `head` sees.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        skips, features = self.encoded(images)
        return self.raised(features, skips)

    def encoded(self, images: Float[Tensor, "batch channels height width"]) -> tuple[list[Tensor], Tensor]:
        """Features of each level of the encoder, finest first, and those of the bottleneck.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        features = self.encoder[0](images)
        skips = []
        for block in self.encoder[1:]:
            skips.append(features)
            features = block(self.down(features))
        return skips, features

    def raised(self, features: Tensor, skips: list[Tensor]) -> list[Tensor]:
        """Features after each level of the decoder, coarsest first, from those of the bottleneck."""
        levels = []
        for up, block, skip in zip(self.up, self.decoder, reversed(skips), strict=True):
            features = block(torch.cat((skip, up(features)), dim=1))
            levels.append(features)
        return levels


def _pair(before: int, after: int, shape: UNetShape, *, stride: int = 1) -> ConvolutionPair:
    return ConvolutionPair(before, after, norm=shape.norm, activation=shape.activation, stride=stride)


def _up(before: int, after: int, shape: UNetShape) -> nn.Module:
    if shape.up == "nearest":
        # No weights, as in the published U-Net 1: the pair behind it smooths the steps.
        return nn.Upsample(scale_factor=2, mode="nearest")
    transposed = nn.ConvTranspose2d(before, after, 2, stride=2)
    return nn.Sequential(
        transposed, *(norm_and_activation(after, shape.norm, shape.activation) if shape.up_norm else [])
    )


@dataclass(frozen=True)
class UNet1Config:
    """U-Net 1 of the CAMUS paper; the published network has no norm."""

    norm: Norm = "none"


def unet1(config: UNet1Config, spec: NetworkSpec) -> UNet:
    """The fast network of the CAMUS paper: 1,976,644 parameters for 1 channel and 4 classes.

    Its widths follow no rule, and five poolings make both sides multiples of 32.

    Source:
        Leclerc et al. 2019, IEEE TMI 38:2198, supplementary table of U-Net 1.

    Example:
        >>> sum(weights.numel() for weights in unet1(UNet1Config(), NetworkSpec(1, 4)).parameters())
        1976644
    """
    return UNet(unet1_shape(config.norm), spec.channels, spec.classes)


def unet1_shape(norm: Norm = "none") -> UNetShape:
    """Widths of U-Net 1, of which other networks are made too."""
    return UNetShape((32, 32, 64, 128, 128), 128, (128, 128, 64, 32, 16), norm=norm)


@dataclass(frozen=True)
class UNet2Config:
    """U-Net 2 of the CAMUS paper; the published network has batch norm."""

    norm: Norm = "batch"


def unet2(config: UNet2Config, spec: NetworkSpec) -> UNet:
    """The accurate network of the CAMUS paper: 17,466,532 parameters for 1 channel and 4 classes.

    Source:
        Leclerc et al. 2019, IEEE TMI 38:2198, supplementary table of U-Net 2. The paper's own table II
        prints other widths, which do not add up to the 17.5 million that its text states.
    """
    shape = UNetShape((48, 96, 192, 384), 768, (384, 192, 96, 48), norm=config.norm, up="transposed", up_norm=True)
    return UNet(shape, spec.channels, spec.classes)


@dataclass(frozen=True)
class UNetOriginalConfig:
    """The U-Net of 2015; the published network has no norm."""

    norm: Norm = "none"


def unet_original(config: UNetOriginalConfig, spec: NetworkSpec) -> UNet:
    """The first U-Net, 64 to 1024 channels: 31,030,788 parameters for 1 channel and 4 classes.

    Source:
        Ronneberger et al. 2015, MICCAI, arXiv:1505.04597, figure 1; here the convolutions pad, so that
        the output has the size of the input.
    """
    shape = UNetShape((64, 128, 256, 512), 1024, (512, 256, 128, 64), norm=config.norm, up="transposed")
    return UNet(shape, spec.channels, spec.classes)


@dataclass(frozen=True)
class UNetConfig:
    """A U-Net for free choice.

    Without `widths`, level i has min(width * 2^i, widest) channels, as in nnU-Net's plans.
    """

    levels: int = 4
    """Number of halvings; both sides must be multiples of 2^levels."""
    width: int = 32
    widest: int = 512
    widths: tuple[int, ...] | None = None
    """Channels of each level and of the bottleneck: levels + 1 numbers."""
    norm: Norm = "instance"
    activation: Activation = "leaky-relu"
    down: Down = "max"
    up: Up = "transposed"

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 8:
            raise ValueError(f"levels must be 1 to 8, got {self.levels}")
        if self.widths is not None and len(self.widths) != self.levels + 1:
            raise ValueError(f"{self.levels} levels need {self.levels + 1} widths, got {len(self.widths)}")


def unet(config: UNetConfig, spec: NetworkSpec) -> UNet:
    """A symmetric U-Net of any depth.

    With `down="strided"` and the other defaults it is the plain 2D network of nnU-Net without deep supervision.

    Source:
        Isensee et al. 2021, Nature Methods 18:203, for the default widths, norm and activation.
    """
    # Doubling ends at `widest`: the deepest levels have few pixels, and twice the channels are four times the
    # weights.
    *encoder, bottleneck = config.widths or (
        min(config.width * 2**level, config.widest) for level in range(config.levels + 1)
    )
    shape = UNetShape(
        tuple(encoder),
        bottleneck,
        tuple(reversed(encoder)),
        norm=config.norm,
        activation=config.activation,
        down=config.down,
        up=config.up,
    )
    return UNet(shape, spec.channels, spec.classes)
