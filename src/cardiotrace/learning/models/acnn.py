"""Anatomically constrained network: an autoencoder of label maps teaches a U-Net what shapes hearts have."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import Norm, initialise
from cardiotrace.learning.models.label_maps import one_hot
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import check_sides
from cardiotrace.learning.models.unet import UNet, unet1_shape


@dataclass(frozen=True)
class ACNNConfig:
    """U-Net 1 with a shape prior."""

    code: int = 32
    """Numbers that the autoencoder describes a label map with."""
    side: int = 64
    """Rows and columns that label maps are averaged to before they are coded; a power of two, at least 16."""
    width: int = 14
    """Channels of the autoencoder's finest level."""
    prior_weight: float = 0.01
    """Weight of the squared distance between the codes of prediction and reference."""
    prior_steps: int = 500
    """Steps at the start in which the autoencoder learns and does not yet teach; then it stays as it is."""
    norm: Norm = "none"

    def __post_init__(self) -> None:
        if self.side < 16 or self.side & (self.side - 1):
            raise ConfigError(f"side must be a power of two of at least 16, got {self.side}")
        if min(self.code, self.width) < 1 or self.prior_weight < 0 or self.prior_steps < 1:
            raise ConfigError("code, width and prior_steps must be positive, prior_weight not negative")


class ShapeAutoencoder(nn.Module):
    """Label maps as probabilities, (batch, classes, side, side), to a code and back to logits.

    Args:
        config: sides, widths, length of the code.
        classes: background included.
    """

    def __init__(self, config: ACNNConfig, classes: int) -> None:
        super().__init__()
        # Halved down to 4 x 4 whatever the side, so that the code's own layer is as large for all.
        widths = [min(config.width * 2**level, 8 * config.width) for level in range(config.side.bit_length() - 3)]
        coarse = (widths[-1], 4, 4)
        down: list[nn.Module] = []
        for before, after in zip([classes, *widths[:-1]], widths, strict=True):
            down += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(widths[-1] * 16, config.code))
        up: list[nn.Module] = [nn.Linear(config.code, widths[-1] * 16), nn.Unflatten(1, coarse)]
        for before, after in zip(widths[::-1], [*widths[-2::-1], classes], strict=True):
            up += [nn.ReLU(inplace=True), nn.ConvTranspose2d(before, after, 2, stride=2)]
        self.decoder = nn.Sequential(*up)
        initialise(self)

    def forward(self, maps: Tensor) -> Tensor:
        """Logits of the map that is made again from its code."""
        logits: Tensor = self.decoder(self.encoder(maps))
        return logits


class ACNN(Network):
    """U-Net 1 whose loss includes how far the shape that it predicts is from the true one.

    Two stages in one training. For `prior_steps` steps the U-Net learns from its pixels alone, while the
    autoencoder learns to give label maps again. From then on the autoencoder's weights stay as they are, and
    prior_weight * mean over the batch of ||f(p) - f(y)||^2 is added to the U-Net's loss, where f is the encoder,
    p the predicted probabilities and y the reference. In use nothing of the autoencoder runs.

    Args:
        config: choices of the prior.
        channels: of the images.
        classes: of the output, background included.
    """

    steps_taken: Tensor

    def __init__(self, config: ACNNConfig, channels: int, classes: int) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.segmenter = UNet(unet1_shape(config.norm), channels, classes)
        self.prior = ShapeAutoencoder(config, classes)
        self.divisor: int = self.segmenter.divisor
        self.register_buffer("steps_taken", torch.zeros((), dtype=torch.int64))

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits of every class at every pixel.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.divisor)
        if self.training:
            self.steps_taken.add_(1)
        return self.segmenter(images)  # type: ignore[no-any-return]

    def auxiliary_losses(self, outputs: TrainingOutputs, labels: Tensor) -> dict[str, Tensor]:
        """At first what the autoencoder loses of the label maps, then the distance between the codes."""
        if int(self.steps_taken) <= self.config.prior_steps:
            return {"reconstruction": self.reconstruction_loss(labels)}
        return {"shape": self.config.prior_weight * self.shape_distance(outputs.logits[0], labels)}

    def reconstruction_loss(self, labels: Tensor) -> Tensor:
        """Cross-entropy of the maps made again against the averaged label maps; reaches the autoencoder alone."""
        maps = self._averaged(one_hot(labels, self.classes))
        return nn.functional.cross_entropy(self.prior(maps), maps)

    def shape_distance(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch of ||f(p) - f(y)||^2; reaches the U-Net alone."""
        # The gradient passes through the encoder and must not reach it: a prior that gives way teaches nothing.
        frozen = {name: value.detach() for name, value in self.prior.encoder.named_parameters()}
        predicted, reference = (
            torch.func.functional_call(self.prior.encoder, frozen, (self._averaged(maps),))
            for maps in (logits.float().softmax(dim=1), one_hot(labels, self.classes))
        )
        distance: Tensor = (predicted - reference).square().sum(dim=1).mean()
        return distance

    def _averaged(self, maps: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(maps, self.config.side)


def acnn(config: ACNNConfig, spec: NetworkSpec) -> ACNN:
    """U-Net 1 with a shape prior of 32 numbers: 2.2 million parameters with the autoencoder.

    Example:
        >>> sum(weights.numel() for weights in acnn(ACNNConfig(), NetworkSpec(1, 4)).parameters())
        2201212

    Source:
        Oktay et al. 2018, IEEE TMI 37:384, arXiv:1705.08302; Leclerc et al. 2019, IEEE TMI 38:2198, for U-Net 1, the
        length of the code and the 2.2 million. They train the autoencoder before the U-Net, and choose the
        weight so that both losses start alike.
    """
    return ACNN(config, spec.channels, spec.classes)
