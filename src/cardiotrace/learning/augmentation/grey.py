"""Changes of grey values: resolution, blur, brightness, contrast, gamma and noise, each image with its own strength."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

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
    """Brightness factor, then contrast factor about the new mean: one multiplication and one addition."""
    brightness, contrast = (levels[:, column, None, None, None] for column in (0, 1))
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.addcmul(brightness * (1 - contrast) * mean, images, brightness * contrast).clamp_(0, 1)


def raise_to(images: Tensor, gamma: Tensor) -> Tensor:
    """Each image to the power of its own gamma."""
    return images.clamp(min=0) ** gamma[:, None, None, None]


def add_noise(images: Tensor, sd: Tensor, *, generator: torch.Generator) -> Tensor:
    """Normal noise, each image with its own standard deviation, within unit range."""
    noise = torch.randn(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return torch.addcmul(images, noise, sd[:, None, None, None]).clamp_(0, 1)
