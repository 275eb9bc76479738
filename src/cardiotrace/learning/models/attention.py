"""Attention U-Net: what a skip connection brings is weighed by what the coarser level has seen."""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import ConvolutionPair, Norm, initialise, norm_and_activation
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.models.sides import check_sides


@dataclass(frozen=True)
class AttentionUNetConfig:
    """Widths of the authors' published code, for two dimensions."""

    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Channels of each level, finest first; the last is the bottleneck."""
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        if len(self.widths) < 3 or min(self.widths) < 2:
            raise ConfigError(f"an attention U-Net needs three widths of at least 2, got {self.widths}")


class AttentionGate(nn.Module):
    """Weighs features x by a gating signal g of half their resolution.

    alpha = sigmoid(psi(ReLU(theta(x) + phi(g)))), one value per 2x2 pixels, brought to the size of x
    bilinearly; the result is norm(W (alpha x)). theta is a 2x2 convolution of stride 2 without bias, phi, psi
    and W are 1x1.

    Args:
        width: channels of x and of the result.
        gate_width: channels of g.
        norm: after the last convolution.

    Source:
        Oktay et al. 2018, arXiv:1804.03999, figure 2 and equation 2.
    """

    def __init__(self, width: int, gate_width: int, norm: Norm) -> None:
        super().__init__()
        inner = max(1, width // 2)
        self.theta = nn.Conv2d(width, inner, 2, stride=2, bias=False)
        self.phi = nn.Conv2d(gate_width, inner, 1)
        self.psi = nn.Conv2d(inner, 1, 1)
        self.out = nn.Sequential(nn.Conv2d(width, width, 1), *norm_and_activation(width, norm)[:-1])

    def coefficients(self, features: Tensor, gate: Tensor) -> Tensor:
        """alpha, (batch, 1, height, width) in 0..1, at the resolution of the features."""
        joined = torch.relu(self.theta(features) + self.phi(gate))
        alpha = torch.sigmoid(self.psi(joined))
        return nn.functional.interpolate(alpha, scale_factor=2.0, mode="bilinear", align_corners=False)

    def forward(self, features: Tensor, gate: Tensor) -> Tensor:
        """The weighed features."""
        weighed: Tensor = self.out(self.coefficients(features, gate) * features)
        return weighed


class AttentionUNet(Network):
    """A U-Net with a gate on every skip connection but the finest.

    Args:
        config: widths and norm.
        channels: of the images.
        classes: of the output, background included.
    """

    def __init__(self, config: AttentionUNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        widths, norm = config.widths, config.norm
        self.divisor: int = 2 ** (len(widths) - 1)
        self.encoder = nn.ModuleList(
            ConvolutionPair(before, after, norm=norm)
            for before, after in zip((channels, *widths[:-1]), widths, strict=True)
        )
        self.down = nn.MaxPool2d(2)
        self.gating = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1), *norm_and_activation(widths[-1], norm))
        coarse_first = list(itertools.pairwise(widths))[::-1]
        # The finest features have seen too little of the image to be told where to look.
        self.gates = nn.ModuleList(AttentionGate(width, below, norm) for width, below in coarse_first[:-1])
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.decoder = nn.ModuleList(ConvolutionPair(width + below, width, norm=norm) for width, below in coarse_first)
        self.head = nn.Conv2d(widths[0], classes, 1)
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits of every class at every pixel.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        skips = []
        features = self.encoder[0](images)
        for block in self.encoder[1:]:
            skips.append(features)
            features = block(self.down(features))
        gate = self.gating(features)
        for level, (block, skip) in enumerate(zip(self.decoder, reversed(skips), strict=True)):
            # Each gate is told by the features just decoded; only those of the bottleneck pass a convolution of their
            # own first.
            if level < len(self.gates):
                skip = self.gates[level](skip, gate if level == 0 else features)
            features = block(torch.cat((skip, self.up(features)), dim=1))
        return self.head(features)  # type: ignore[no-any-return]


def attention_unet(config: AttentionUNetConfig, spec: NetworkSpec) -> AttentionUNet:
    """The attention U-Net in two dimensions.

    The paper's network is three-dimensional, with 6.4 million parameters; the same widths with flat
    kernels, for 1 channel and 4 classes, make 2.1 million:

    Example:
        >>> network = attention_unet(AttentionUNetConfig(), NetworkSpec(1, 4))
        >>> sum(weights.numel() for weights in network.parameters())
        2118551

    Source:
        Oktay et al. 2018, MIDL, arXiv:1804.03999. The paper joins the outputs of all scales before its last
        layer; here, as in a U-Net, the last layer sees the finest scale only.
    """
    return AttentionUNet(config, spec.channels, spec.classes)
