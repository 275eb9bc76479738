"""Changes of the histogram of grey values: that of another image, or another window."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

QUANTILES = 65
"""Of which a histogram consists."""
LEVELS = 1024
"""Of grey at which a curve is known."""
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
    """Images with the histograms of others, mixed with themselves; black stays black, nothing is taken of black ones.

    Quantile to quantile, linearly between: a monotone map of grey values for each image and channel.

    Args:
        images: (batch, channels, height, width).
        others: of the same shape.
        mix: share of the mapped image, (batch).

    Source:
        After Nyul and Udupa 1999, Magn Reson Med 42:1072, whose landmarks are those of a population.
    """
    shares = torch.linspace(0, 1, QUANTILES, device=images.device).expand(len(images), -1)
    curve = _curve(quantiles(images, shares), quantiles(others, shares))
    scaled = images.flatten(2) * LEVELS
    # The curve at a few levels and lines between: finding its piece for every pixel would cost three times as much.
    below = scaled.long().clamp_(max=LEVELS - 1)
    mapped = torch.lerp(curve.gather(2, below), curve.gather(2, below + 1), scaled - below)
    mix = mix * is_shown(others)
    return torch.lerp(images, mapped.view_as(images), mix[:, None, None, None]).clamp_(0, 1)


def is_shown(images: Tensor) -> Tensor:
    """Which images are not all black, as slices are that fill up a volume: (batch)."""
    return images.flatten(1).amax(dim=1) > 0


def _curve(sources: Tensor, targets: Tensor) -> Tensor:
    """The map from quantiles to quantiles at evenly spread levels: (batch, channels, LEVELS + 1)."""
    black, step = torch.zeros_like(sources[..., :1]), torch.ones_like(sources[..., :1])
    # A line from black to the darkest that is not, and beyond the brightest that was sorted.
    sources = torch.cat([black, sources, sources[..., -1:] + step], dim=2)
    targets = torch.cat([black, targets, targets[..., -1:] + step], dim=2)
    levels = torch.linspace(0, 1, LEVELS + 1, device=sources.device, dtype=sources.dtype)
    levels = levels.expand(*sources.shape[:2], -1).contiguous()
    above = torch.searchsorted(sources, levels, right=True).clamp_(1, sources.shape[2] - 1)
    low, high = sources.gather(2, above - 1), sources.gather(2, above)
    place = ((levels - low) / (high - low).clamp(min=1e-6)).clamp_(0, 1)
    curve = torch.lerp(targets.gather(2, above - 1), targets.gather(2, above), place)
    curve[..., 0] = 0
    return curve


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
