"""A variational autoencoder of label maps: few numbers say which heart it is, and what they say is always one."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import initialise, norm_and_activation
from cardiotrace.learning.models.label_maps import framed, one_hot
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import check_sides

_COARSEST = 4
_MEAN, _LOG_VARIANCE = "mean", "log_variance"


@dataclass(frozen=True)
class ShapeAutoencoderConfig:
    """An autoencoder of label maps."""

    code: int = 24
    """Numbers that describe a shape."""
    side: Literal[32, 64, 128] = 64
    """Rows and columns that label maps are averaged to before they are coded. Shapes are drawn on twice as many."""
    width: int = 16
    """Channels of the finest level; doubled at each further one, up to `widest`."""
    widest: int = 64
    divergence_weight: float = 5e-4
    """Weight of the divergence of codes from a standard normal distribution: neighbours in it are alike for that."""

    def __post_init__(self) -> None:
        if min(self.code, self.width, self.widest) < 1 or self.divergence_weight < 0:
            raise ConfigError("code, width and widest must be positive, divergence_weight not negative")

    @property
    def widths(self) -> list[int]:
        """Channels of each level, the finest first; the last has 4 x 4 places."""
        levels = (self.side // _COARSEST).bit_length() - 1
        return [min(self.width * 2**level, self.widest) for level in range(levels)]


class ShapeAutoencoder(Network):
    """Label maps, a channel for each class, to a code and back to logits.

    In training the code is drawn from the distribution that the encoder tells; in use it is the mean of that.

    Args:
        config: sides, widths, length of the code.
        channels: of what is coded: the classes of label maps, background included.
        classes: of the output, background included.
    """

    def __init__(self, config: ShapeAutoencoderConfig, channels: int, classes: int) -> None:
        super().__init__()
        self.config, self.classes, self.divisor = config, classes, config.side
        widths = config.widths
        down: list[nn.Module] = []
        for before, after in zip([channels, *widths[:-1]], widths, strict=True):
            down += [nn.Conv2d(before, after, 3, stride=2, padding=1), *norm_and_activation(after, "batch")]
        places = widths[-1] * _COARSEST**2
        self.coarsened = nn.Sequential(*down, nn.Flatten())
        self.mean, self.log_variance = nn.Linear(places, config.code), nn.Linear(places, config.code)
        up: list[nn.Module] = [nn.Linear(config.code, places), nn.Unflatten(1, (widths[-1], _COARSEST, _COARSEST))]
        for before, after in zip(widths[::-1], [*widths[-2::-1], config.width], strict=True):
            up += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1)]
            up += norm_and_activation(after, "batch")
        # Borders between pixels: logits are smooth, and where two are equal lies between them.
        up += [nn.Conv2d(config.width, classes, 3, padding=1), nn.Upsample(scale_factor=2, mode="bilinear")]
        self.decoder = nn.Sequential(*up)
        initialise(self)

    def encode(self, maps: Float[Tensor, "batch channels side side"]) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of the code of each map, (batch, code)."""
        places = self.coarsened(maps)
        return self.mean(places), self.log_variance(places).clamp(-12, 6)

    def decode(self, codes: Float[Tensor, "batch code"]) -> Float[Tensor, "batch classes fine fine"]:
        """Logits of the shapes that codes stand for, twice as many rows and columns as `side`."""
        logits: Tensor = self.decoder(codes)
        return logits

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Tensor | TrainingOutputs:
        """Logits of the shape that is nearest to each map.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_sides(images.shape[-2], images.shape[-1], self.config.side)
        size = images.shape[-2:]
        mean, log_variance = self.encode(nn.functional.adaptive_avg_pool2d(images, self.config.side))
        if not self.training:
            return self._shape(mean, size)
        drawn = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return TrainingOutputs((self._shape(drawn, size),), (1.0,), {_MEAN: mean, _LOG_VARIANCE: log_variance})

    def _shape(self, codes: Tensor, size: torch.Size) -> Tensor:
        logits = self.decode(codes)
        if logits.shape[-2:] == size:
            return logits
        return nn.functional.interpolate(logits, size=tuple(size), mode="bilinear")

    def seen(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The framed label maps, as they are to be given back."""
        maps = framed(labels, 2 * self.config.side)
        return one_hot(maps, self.classes), maps

    def averaged(self, labels: Tensor) -> Float[Tensor, "batch classes side side"]:
        """What `encode` takes, of label maps (batch, height, width)."""
        maps, _ = self.seen(labels, labels)
        return nn.functional.adaptive_avg_pool2d(maps, self.config.side)

    def auxiliary_losses(self, outputs: TrainingOutputs, labels: Tensor) -> dict[str, Tensor]:
        """How far the distributions of codes are from a standard normal one."""
        mean, log_variance = outputs.features[_MEAN].float(), outputs.features[_LOG_VARIANCE].float()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        return {"divergence": self.config.divergence_weight * divergence}


def shape_autoencoder(config: ShapeAutoencoderConfig, spec: NetworkSpec) -> ShapeAutoencoder:
    """A convolutional variational autoencoder of label maps.

    Example:
        >>> network = shape_autoencoder(ShapeAutoencoderConfig(), NetworkSpec(4, 4))
        >>> sum(weights.numel() for weights in network.parameters())
        198980

    Source:
        Kingma and Welling 2014, ICLR, arXiv:1312.6114; of cardiac label maps, Painchaud et al. 2020, IEEE Trans Med
        Imaging 39:3703, who do not print their layers.
    """
    return ShapeAutoencoder(config, spec.channels, spec.classes)
