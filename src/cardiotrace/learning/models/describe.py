"""Architectures as rows of a table."""

from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.models.blocks import Axes
from cardiotrace.learning.models.catalog import ARCHITECTURES, axes_of
from cardiotrace.learning.models.network import NetworkSpec

SIDE = 256
"""Rows and columns of the image that multiply-adds are counted for."""
SLICES = 4
"""Of the volume that they are counted for, divided by them: an image costs a quarter."""


def parameter_count(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def multiply_adds(model: nn.Module, *, channels: int = 1, size: tuple[int, ...] = (SIDE, SIDE)) -> int:
    """Multiplications, each with its addition, of all convolutions and matrix products for one image in use.

    Norms, activations and pooling are not counted. No memory is taken where the model lies on the meta device.

    Args:
        model: put into evaluation mode.
        channels: of the image.
        size: (height, width) of the image, or (depth, height, width).

    Example:
        >>> multiply_adds(nn.Conv2d(1, 8, 3, padding=1), size=(10, 10))
        7200
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model.eval()(torch.zeros(1, channels, *size, device=device))
    return counter.get_total_flops() // 2


def describe_architectures(*, channels: int = 1, classes: int = 4) -> list[dict[str, Any]]:
    """Name, parameters, multiply-adds for an image of 256x256, summary and source of each architecture by default."""
    rows = []
    for entry in ARCHITECTURES:
        with torch.device("meta"):
            model = ARCHITECTURES.make(Choice(entry.name), NetworkSpec(channels, classes))
        rows.append(
            {
                "architecture": entry.name,
                "parameters": parameter_count(model),
                "multiply_adds": _per_image(model, axes_of(Choice(entry.name)), channels),
                "summary": entry.summary,
                "source": entry.source,
            }
        )
    return rows


def _per_image(model: nn.Module, axes: Axes, channels: int) -> int:
    if axes == 2:
        return multiply_adds(model, channels=channels)
    return multiply_adds(model, channels=channels, size=(SLICES, SIDE, SIDE)) // SLICES
