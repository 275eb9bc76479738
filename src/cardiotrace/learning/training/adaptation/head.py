"""A head that tells domains apart, and the gradient that comes back from it reversed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cardiotrace.learning.models.blocks import CONVOLUTIONS, Axes, initialise
from cardiotrace.learning.training.adaptation.features import Level

_DECODER_WIDTHS = (32, 64, 128, 256)
"""Channels of the decoder's branch, as published."""


class Reversal(torch.autograd.Function):
    """The same on the way there, -factor times the gradient on the way back.

    Source:
        Ganin et al. 2016, JMLR 17:59, arXiv:1505.07818. The factor stands here and nowhere else: the head itself learns
        from the whole loss.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, factor: float) -> Tensor:
        """The values as they are."""
        ctx.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The gradient of the values; the factor has none."""
        return -ctx.factor * gradients[0], None


def reversed_gradient(values: Tensor, factor: float) -> Tensor:
    """The values, whose gradient comes back times -factor.

    Example:
        >>> weight = torch.tensor(2.0, requires_grad=True)
        >>> (3 * reversed_gradient(weight, 0.5)).backward()
        >>> float(weight.grad)
        -1.5
    """
    reversed_values: Tensor = Reversal.apply(values, factor)  # type: ignore[no-untyped-call]
    return reversed_values


class DomainHead(nn.Module):
    """Features of one level or two to logits of domains.

    The deepest features are averaged over the image. With the decoder's, those go through four times (3x3 convolution,
    batch norm, ReLU, pooling) down to the deepest ones, with which they meet in a 1x1 convolution.

    Args:
        shapes: (channels, *space) of each level, "bottleneck" among them.
        domains: how many are told apart.
        width: of the hidden layer.
        dropout: share of it that is silent in training.

    Source:
        Scannell et al. 2020, STACOM, arXiv:2008.11776, for two levels; the average over places takes the place of its
        dense layer on all of them, so that any size of image will do.
    """

    def __init__(
        self, shapes: Mapping[Level, tuple[int, ...]], domains: int, *, width: int = 128, dropout: float = 0.0
    ) -> None:
        super().__init__()
        channels, *space = shapes["bottleneck"]
        axes: Axes = 3 if len(space) == 3 else 2
        self.branch = _branch(shapes["decoder"][0], axes) if "decoder" in shapes else None
        if self.branch is not None:
            self.meeting = nn.Sequential(*_layer(channels + _DECODER_WIDTHS[-1], 2 * width, axes, kernel=1))
            channels = 2 * width
        self.classifier = nn.Sequential(
            nn.Linear(channels, width), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(width, domains)
        )
        initialise(self)

    def forward(self, bottleneck: Tensor, decoder: Tensor | None = None) -> Tensor:
        """Logits of every domain, (batch, domains)."""
        features = bottleneck
        if self.branch is not None and decoder is not None:
            pool = nn.functional.adaptive_avg_pool3d if features.ndim == 5 else nn.functional.adaptive_avg_pool2d
            coarse = pool(self.branch(decoder), features.shape[2:])
            features = self.meeting(torch.cat((features, coarse), dim=1))
        logits: Tensor = self.classifier(features.flatten(2).mean(dim=2))
        return logits


def _branch(channels: int, axes: Axes) -> nn.Sequential:
    pooling = nn.MaxPool3d if axes == 3 else nn.MaxPool2d
    layers: list[nn.Module] = []
    for before, after in zip((channels, *_DECODER_WIDTHS), _DECODER_WIDTHS, strict=False):
        # Of odd or short sides the rest is kept: a stack has few slices.
        layers += [*_layer(before, after, axes, kernel=3), pooling(2, ceil_mode=True)]
    return nn.Sequential(*layers)


def _layer(before: int, after: int, axes: Axes, *, kernel: int) -> list[nn.Module]:
    norm = nn.BatchNorm3d if axes == 3 else nn.BatchNorm2d
    return [CONVOLUTIONS[axes](before, after, kernel, padding=kernel // 2), norm(after), nn.ReLU(inplace=True)]


def domain_loss(logits: Tensor, domains: Tensor) -> Tensor:
    """Cross-entropy of the right domain, in which every domain of the batch counts alike.

    Args:
        logits: (batch, domains).
        domains: index of the right one, (batch,).

    Example:
        >>> sure_of_the_first = torch.tensor([[9.0, 0.0]] * 4)
        >>> round(float(domain_loss(sure_of_the_first, torch.tensor([0, 0, 0, 1]))), 2)
        4.5
    """
    losses = nn.functional.cross_entropy(logits.float(), domains, reduction="none")
    return torch.stack([losses[domains == domain].mean() for domain in domains.unique()]).mean()
