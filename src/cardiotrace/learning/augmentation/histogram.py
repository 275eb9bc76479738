"""Changes of the histogram of grey values: that of another image, or another window."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

QUANTILES = 65
"""Of which a histogram consists."""
_PIXELS = 4096
"""At most so many, evenly spread, are sorted: sorting all would cost more than the warp."""


def quantiles(
    images: Float[Tensor, "batch channels height width"], shares: Float[Tensor, "batch shares"]
) -> Float[Tensor, "batch channels shares"]:
    """Quantiles of the grey values above black, which is what lies beyond the body or the image.

    Args:
        images: grey values, not negative.
        shares: of the pixels that lie below, 0..1.

    Example:
        >>> quantiles(torch.tensor([[[[0.0, 0.2, 0.6, 0.4]]]]), torch.tensor([[0.0, 0.75]]))[0, 0].tolist()
        [0.20000000298023224, 0.5]
    """
    height, width = images.shape[-2:]
    step = math.ceil(math.sqrt(height * width / _PIXELS))
    values = images[..., ::step, ::step].flatten(2).sort(dim=2).values
    count = values.shape[2]
    # Black pixels are sorted first. Of an image that is all black every quantile is black.
    black = (values <= 0).sum(dim=2, keepdim=True).clamp(max=count - 1)
    place = black + shares.unsqueeze(1) * (count - 1 - black)
    low = place.floor().long().clamp(max=count - 1)
    high = (low + 1).clamp(max=count - 1)
    return torch.lerp(values.gather(2, low), values.gather(2, high), place - low)


def match(images: Tensor, others: Tensor, mix: Tensor) -> Tensor:
    """Images with the histograms of others, mixed with themselves; black stays black.

    Quantile to quantile, linearly between: a monotone map of grey values for each image and channel.

    Args:
        images: (batch, channels, height, width).
        others: of the same shape.
        mix: share of the mapped image, (batch).

    Source:
        After Nyul and Udupa 1999, Magn Reson Med 42:1072, whose landmarks are those of a population.
    """
    shares = torch.linspace(0, 1, QUANTILES, device=images.device).expand(len(images), -1)
    own, other = quantiles(images, shares), quantiles(others, shares)
    zero = torch.zeros_like(own[..., :1])
    # From black to the darkest that is not black: a line.
    sources, targets = torch.cat([zero, own], dim=2), torch.cat([zero, other], dim=2)
    flat = images.flatten(2).contiguous()
    above = torch.searchsorted(sources, flat, right=True).clamp(1, sources.shape[2] - 1)
    low, high = sources.gather(2, above - 1), sources.gather(2, above)
    place = ((flat - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    mapped = torch.lerp(targets.gather(2, above - 1), targets.gather(2, above), place)
    mapped = torch.where(flat > 0, mapped, flat).view_as(images)
    return torch.lerp(images, mapped, mix[:, None, None, None])


def show_through_window(images: Tensor, ends: Tensor) -> Tensor:
    """Each image through its own window, so that what lies below is black and what lies above is white.

    Args:
        images: (batch, channels, height, width).
        ends: (batch, 2) of lower and upper end: a percentage that is cut, or minus the fraction by which it is widened.
    """
    cut, widened = ends.clamp(min=0) / 100, (-ends).clamp(min=0)
    shares = torch.stack([cut[:, 0], 1 - cut[:, 1]], dim=1)
    # Channels together: they are one picture, whose colours, or slices, must stay in proportion.
    inside = quantiles(images.flatten(1, 2).unsqueeze(1), shares)[:, 0]
    low = torch.where(ends[:, 0] > 0, inside[:, 0], -widened[:, 0])[:, None, None, None]
    high = torch.where(ends[:, 1] > 0, inside[:, 1], 1 + widened[:, 1])[:, None, None, None]
    # An image of hardly any grey values has no window.
    return ((images - low) / (high - low).clamp(min=1e-3)).clamp_(0, 1)
