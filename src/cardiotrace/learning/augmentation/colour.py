"""Random changes of colour: what varies between cameras, lamps and eyes."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

CHANNELS = 3


def hue_rotation(angle_degrees: Float[Tensor, " batch"]) -> Float[Tensor, "batch 3 3"]:
    """Rotation of (red, green, blue) about the axis of greys: greys stay, hues turn.

    Example:
        >>> turned = hue_rotation(torch.tensor([120.0])) @ torch.tensor([1.0, 0.0, 0.0])
        >>> [round(abs(value), 4) for value in turned[0].tolist()]
        [0.0, 1.0, 0.0]

    Source:
        Rodrigues' formula for the axis (1, 1, 1) / sqrt(3).
    """
    angle = torch.deg2rad(angle_degrees)[:, None, None]
    turn = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    mean = torch.full((CHANNELS, CHANNELS), 1 / CHANNELS)
    return angle.cos() * torch.eye(CHANNELS) + (1 - angle.cos()) * mean + angle.sin() * turn


def change_colours(
    images: Float[Tensor, "batch 3 height width"],
    mixing: Float[Tensor, "batch 3 3"],
    contrast: Float[Tensor, "batch 3"],
) -> Float[Tensor, "batch 3 height width"]:
    """Contrast of each channel about its own mean, then new channels as sums of the old; one matrix product in all."""
    flat = images.flatten(2)
    mean = flat.mean(dim=2, keepdim=True)
    # mixing (c (x - m) + m) = (mixing c) x + mixing (1 - c) m: a product and a sum for each pixel, whatever was
    # drawn.
    offset = mixing @ ((1 - contrast).unsqueeze(2) * mean)
    return torch.baddbmm(offset, mixing * contrast.unsqueeze(1), flat).clamp_(0, 1).view_as(images)
