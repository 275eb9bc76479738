"""Random grey values of tissues, made from labels."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from cardiotrace.learning.augmentation.acquisition import CLASSES
from cardiotrace.learning.augmentation.histogram import LEVELS, quantiles

_NO_CLASS = 255
"""Label of pixels without a reference: they look like background."""
_BLOCK = 4
"""Side of the blocks, pixels, that the background is parted by."""


def paint(
    images: Float[Tensor, "batch channels height width"],
    labels: Int[Tensor, "batch height width"],
    levels: Float[Tensor, "batch parts 2"],
    mix: Float[Tensor, " batch"],
    *,
    generator: torch.Generator,
) -> Float[Tensor, "batch channels height width"]:
    """Images mixed with ones whose every part has grey values of its own; all channels share the labels.

    Args:
        images: grey values in 0..1.
        labels: classes, or 255 where there is no reference.
        levels: mean and standard deviation of each class, then of each part of the background.
        mix: share of the made image.
        generator: on the device of the images.
    """
    parts = _parts(images, labels, levels.shape[1] - CLASSES).flatten(1)
    mean, sd = (levels[:, :, column].gather(1, parts).view_as(images) for column in (0, 1))
    noise = torch.randn(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    made = torch.addcmul(mean, sd, noise).clamp_(0, 1)
    return torch.lerp(images, made, mix[:, None, None, None])


def _parts(images: Tensor, labels: Tensor, parts: int) -> Tensor:
    """Index of the part that each pixel belongs to, of the shape of the images."""
    is_background = ((labels == 0) | (labels == _NO_CLASS)).unsqueeze(1)
    # Black is left out of quantiles, and so is what has a class.
    smooth = _smoothed(images)
    background = torch.where(is_background, smooth, 0.0)
    shares = torch.arange(1, parts, device=images.device) / parts
    limits = quantiles(background, shares.expand(len(images), -1))
    # By levels of grey: comparing every pixel with every limit would cost three times as much.
    levels = torch.linspace(0, 1, LEVELS + 1, device=images.device, dtype=images.dtype)
    table = CLASSES + torch.searchsorted(limits, levels.expand(*limits.shape[:2], -1).contiguous())
    part = table.gather(2, (smooth.flatten(2) * LEVELS).long().clamp_(max=LEVELS)).view_as(images)
    return torch.where(is_background, part, labels.clamp(max=CLASSES - 1).unsqueeze(1))


def _smoothed(images: Tensor) -> Tensor:
    """Means of blocks, linearly between: parts of noise would be salt and pepper, not organs."""
    sides = images.shape[-2:]
    coarse = functional.interpolate(images, tuple(max(side // _BLOCK, 1) for side in sides), mode="area")
    return functional.interpolate(coarse, tuple(sides), mode="bilinear", align_corners=False)
