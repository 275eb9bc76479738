"""Styles of features: mean and standard deviation of each channel of an encoder's first levels, changed in training.

A change is a forward hook on a level of the network, so it has no weights, and validation, use and export, where the
network is in its evaluation mode, know nothing of it. Numbers come from torch's global generator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError

_SMALLEST_VARIANCE = 1e-6


@dataclass(frozen=True)
class MixStyle:
    """Features take a part of the style of another image of the batch.

    Source:
        Zhou et al. 2021, ICLR, arXiv:2104.02008, with images paired at random.
    """

    probability: float = 0.5
    """How often a batch is mixed, decided for each level."""
    alpha: float = 0.1
    """Of the Beta distribution of an image's own share: small values keep nearly all of one of the two."""
    levels: tuple[int, ...] = (0, 1)
    """Levels of the encoder, 0 is the finest."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in 0..1, got {self.probability}")
        if self.alpha <= 0:
            raise ValueError(f"alpha must be above 0, got {self.alpha}")
        _check_levels(self.levels)


@dataclass(frozen=True)
class MaxStyle:
    """Features take the style that the network is worst at, near to those of the batch; it learns from both.

    Each step costs a pass forward and back more, beside twice the images in the last.

    Source:
        Chen et al. 2022, MICCAI, arXiv:2206.01737, here on the encoder's own features, without the decoder that
        makes images of them.
    """

    steps: int = 3
    """Of gradient ascent on the style."""
    rate: float = 0.1
    """Of Adam, which makes them."""
    levels: tuple[int, ...] = (0, 1)
    """Levels of the encoder, 0 is the finest."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.rate <= 0:
            raise ValueError(f"steps must be at least 1 and rate above 0, got {self.steps} and {self.rate}")
        _check_levels(self.levels)


def _check_levels(levels: tuple[int, ...]) -> None:
    if not levels or min(levels) < 0 or len(set(levels)) < len(levels):
        raise ValueError(f"levels must be different whole numbers from 0, got {list(levels)}")


def style_of(features: Float[Tensor, "batch channels *space"]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of each image, (batch, channels, 1, ...), without gradient."""
    space = tuple(range(2, features.ndim))
    variance, mean = torch.var_mean(features.detach().float(), dim=space, keepdim=True, correction=0)
    return mean, (variance + _SMALLEST_VARIANCE).sqrt()


def with_style(features: Float[Tensor, "batch channels *space"], mean: Tensor, sd: Tensor) -> Tensor:
    """The same features with another mean and standard deviation of each channel."""
    own_mean, own_sd = style_of(features)
    return ((features - own_mean) / own_sd * sd + mean).to(features.dtype)


def levels_of(network: nn.Module, levels: Sequence[int], option: str) -> list[nn.Module]:
    """The chosen levels of a network's encoder.

    Raises:
        ConfigError: it has no such levels.
    """
    encoder = getattr(network, "encoder", None)
    count = len(encoder) if isinstance(encoder, nn.ModuleList) else 0
    if not isinstance(encoder, nn.ModuleList) or max(levels) >= count:
        raise ConfigError(
            f"{option} acts on levels {', '.join(map(str, levels))} of an encoder, and this network has {count} levels",
            remedy="choose a U-Net (unet, unet1, unet2, nnunet2d, unet-small), lower levels, or leave the option out.",
        )
    return [encoder[level] for level in levels]


def attach_mixstyle(network: nn.Module, config: MixStyle) -> None:
    """Let a network mix the styles of a batch while it trains.

    Raises:
        ConfigError: it has no encoder of so many levels.
    """

    def mix(module: nn.Module, inputs: Any, features: Tensor) -> Tensor | None:
        return mixed(features, config) if module.training else None

    for level in levels_of(network, config.levels, "augmentation.mixstyle"):
        level.register_forward_hook(uncompiled(mix))


def uncompiled(hook: Callable[..., Any]) -> Callable[..., Any]:
    """The hook, before which a compiled network steps out of its graph: what is drawn is no constant."""
    disabled: Callable[..., Any] = torch.compiler.disable(hook)  # type: ignore[no-untyped-call]
    return disabled


def mixed(features: Float[Tensor, "batch channels *space"], config: MixStyle) -> Tensor:
    """Features with the mixed styles of pairs of images; as often as the configuration says."""
    count = len(features)
    share = torch.distributions.Beta(config.alpha, config.alpha).sample((count,))
    happens = torch.rand(()) < config.probability
    other = torch.randperm(count)
    # Drawn whatever happens, so that a run with another probability meets the same pairs.
    if not happens:
        return features
    share = _on_axes(share.to(features.device), features.ndim)
    mean, sd = style_of(features)
    other = other.to(features.device)
    return with_style(features, torch.lerp(mean[other], mean, share), torch.lerp(sd[other], sd, share))


class StyleSearch:
    """Styles of the levels of one network, which an objective draws, moves and puts into its features.

    Args:
        network: whose levels are hooked, for good.
        config: which levels.

    Raises:
        ConfigError: it has no encoder of so many levels.
    """

    def __init__(self, network: nn.Module, config: MaxStyle) -> None:
        self.config = config
        self._drawn: dict[int, _Style] = {}
        self._is_on = False
        for index, level in enumerate(levels_of(network, config.levels, "augmentation.maxstyle")):
            level.register_forward_hook(self._hook(index))

    def _hook(self, index: int) -> Callable[..., Any]:
        def put(module: nn.Module, inputs: Any, features: Tensor) -> Tensor | None:
            if not (self._is_on and module.training):
                return None
            if index not in self._drawn:
                self._drawn[index] = _Style.drawn(features, self.config.rate)
            return self._drawn[index].put_on_last(features)

        return uncompiled(put)

    def __enter__(self) -> "StyleSearch":
        """New styles from here; until the end the network's features have them."""
        self._drawn, self._is_on = {}, True
        return self

    def __exit__(self, *raised: object) -> None:
        self._drawn, self._is_on = {}, False

    def ascended(self, loss: Tensor) -> None:
        """One step of all styles up the gradient of a loss."""
        free = [part for style in self._drawn.values() for part in style.free]
        for part, gradient in zip(free, torch.autograd.grad(loss, free), strict=True):
            part.grad = gradient
        for style in self._drawn.values():
            style.optimiser.step()
            with torch.no_grad():
                style.share.clamp_(0, 1)


@dataclass(frozen=True)
class _Style:
    """Style of one level: mean and sd are lambda own + (1 - lambda) other's + epsilon times their sd in the batch."""

    share: Tensor
    shift: Tensor
    scale: Tensor
    other: Tensor
    optimiser: torch.optim.Optimizer

    @property
    def free(self) -> tuple[Tensor, Tensor, Tensor]:
        """What is moved."""
        return self.share, self.shift, self.scale

    @classmethod
    def drawn(cls, features: Tensor, rate: float) -> "_Style":
        """Share uniform, noise normal, a partner at random: as MaxStyle begins."""
        count, channels = features.shape[:2]
        share = _on_axes(torch.rand(count), features.ndim)
        noise = (_on_axes(torch.randn(count, channels), features.ndim) for _ in range(2))
        share, shift, scale = (part.to(features.device).requires_grad_() for part in (share, *noise))
        other = torch.randperm(count).to(features.device)
        return cls(share, shift, scale, other, torch.optim.Adam([share, shift, scale], lr=rate, maximize=True))

    def put_on_last(self, features: Tensor) -> Tensor:
        """The style on the last images of a batch, as many as it was drawn for; those before stay as they are."""
        first = len(features) - len(self.other)
        styled = features[first:]
        mean, sd = style_of(styled)
        # How much styles vary between the images of a batch.
        mean_sd, sd_sd = (part.std(dim=0, keepdim=True, correction=0) for part in (mean, sd))
        new_mean = torch.lerp(mean[self.other], mean, self.share) + self.shift * mean_sd
        new_sd = torch.lerp(sd[self.other], sd, self.share) + self.scale * sd_sd
        changed = with_style(styled, new_mean, new_sd)
        return torch.cat([features[:first], changed]) if first else changed


def _on_axes(values: Tensor, axes: int) -> Tensor:
    """Values with so many axes, the further ones of length 1."""
    return values.reshape(*values.shape, *[1] * (axes - values.ndim))
