"""Changes of grey values, each image by its own strength: resolution, blur, levels, field, gamma and noise."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from cardiotrace.learning.augmentation.spline import spline_weights
from cardiotrace.learning.transfer import sent


def rows_of(chosen: Tensor) -> Tensor:
    """Indices of the images that are chosen: known on the CPU, so that a GPU need not be waited for."""
    return chosen.nonzero().squeeze(1)


def put_in_place(images: Tensor, chosen: Tensor, values: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Put change(image, value) in place of the chosen images."""
    rows = rows_of(chosen)
    if len(rows) == 0:
        return
    value = sent(values[rows].to(images.dtype), images.device)
    if len(rows) == len(images):
        images.copy_(change(images, value))
        return
    on_device = sent(rows, images.device)
    images.index_copy_(0, on_device, change(images[on_device], value))


def coarsen(image: Tensor, factor: float) -> Tensor:
    """One image (channels, height, width) as seen at a lower resolution: nearest down, linear up."""
    height, width = image.shape[-2:]
    coarse = (max(round(height * factor), 1), max(round(width * factor), 1))
    small = functional.interpolate(image.unsqueeze(0), coarse, mode="nearest-exact")
    return functional.interpolate(small, (height, width), mode="bilinear", align_corners=False).squeeze(0)


def blur(images: Tensor, sigma: Tensor, *, radius: int) -> Tensor:
    """Gaussian blur, each image with its own sigma in pixels, up to 3 sigma; the edge repeats beyond the image."""
    offsets = torch.arange(-radius, radius + 1, device=images.device)
    weights = torch.exp(-0.5 * (offsets / sigma.unsqueeze(1)) ** 2)
    # Each image's own reach: its result must not depend on which others are in the batch.
    weights = weights * (offsets.abs() <= torch.ceil(3 * sigma).unsqueeze(1))
    weights = (weights / weights.sum(dim=1, keepdim=True)).to(images.dtype)
    planes = images.shape[0] * images.shape[1]
    padded = functional.pad(images, (radius,) * 4, mode="replicate")
    padded = padded.reshape(1, planes, *padded.shape[-2:])
    kernels = weights.repeat_interleave(images.shape[1], dim=0)
    # A Gaussian of two axes is a product of two: rows, then columns, cost 2 (2r + 1) products a pixel, not (2r +
    # 1)^2. One group for each plane gives every image its own kernel.
    rows = functional.conv2d(padded, kernels[:, None, :, None], groups=planes)
    both = functional.conv2d(rows, kernels[:, None, None, :], groups=planes)
    return both.reshape(images.shape)


def change_levels(images: Tensor, levels: Tensor) -> Tensor:
    """Brightness factor, smooth field, then contrast factor about the new mean.

    Args:
        images: (batch, channels, height, width).
        levels: (batch, 2 + n^2) of brightness, contrast, and B-spline coefficients of the field's logarithm, if any.
    """
    brightness, contrast = (levels[:, column, None, None, None] for column in (0, 1))
    lit = images * _field(levels[:, 2:], images) if levels.shape[1] > 2 else images
    mean = lit.mean(dim=(1, 2, 3), keepdim=True)
    return torch.addcmul(brightness * (1 - contrast) * mean, lit, brightness * contrast).clamp_(0, 1)


def _field(coefficients: Tensor, images: Tensor) -> Tensor:
    """A factor for every pixel, the same for all channels: (batch, 1, height, width)."""
    points = math.isqrt(coefficients.shape[1])
    rows, columns = (spline_weights(side, points, images.device).to(images) for side in images.shape[-2:])
    return (rows @ coefficients.view(-1, 1, points, points) @ columns.T).exp_()


def raise_to(images: Tensor, gamma: Tensor, *, keeps_statistics: bool = False, inverted: bool = False) -> Tensor:
    """Each image to the power of its own gamma.

    Args:
        images: (batch, channels, height, width).
        gamma: (batch).
        keeps_statistics: whether each image's mean and standard deviation are restored, within 0..1.
        inverted: whether it is the distance from white that is raised.
    """
    base = 1 - images if inverted else images
    raised = base.clamp(min=0) ** gamma[:, None, None, None]
    result = 1 - raised if inverted else raised
    return _with_statistics_of(images, result) if keeps_statistics else result


def _with_statistics_of(images: Tensor, changed: Tensor) -> Tensor:
    """Changed images with the mean and standard deviation of the former ones, within unit range."""
    axes = (1, 2, 3)
    sd, mean = torch.std_mean(images, dim=axes, keepdim=True)
    new_sd, new_mean = torch.std_mean(changed, dim=axes, keepdim=True)
    factor = sd / new_sd.clamp(min=1e-6)
    return torch.addcmul(mean - factor * new_mean, changed, factor).clamp_(0, 1)


def add_noise(images: Tensor, sd: Tensor, *, generator: torch.Generator) -> Tensor:
    """Normal noise, each image with its own standard deviation, within unit range."""
    noise = torch.randn(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return torch.addcmul(images, noise, sd[:, None, None, None]).clamp_(0, 1)
