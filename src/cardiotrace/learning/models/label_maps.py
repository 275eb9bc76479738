"""Label maps as networks of shapes see them: framed, and with a channel for each class."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from cardiotrace.datasets.packed import IGNORED
from cardiotrace.inference.shape_frame import FRAME_WIDTH

Labels = Int64[Tensor, "batch height width"]
Framed = Int64[Tensor, "batch rows columns"]
"""The same on another grid."""


def one_hot(labels: Labels, classes: int) -> Float[Tensor, "batch classes height width"]:
    """Label maps with a channel for each class; a pixel that is not known counts as background."""
    known = torch.where(labels < classes, labels, torch.zeros_like(labels))
    return nn.functional.one_hot(known, classes).permute(0, 3, 1, 2).float()


def framed(labels: Labels, side: int, *, shift: float = 0.0, zoom: float = 0.0) -> Framed:
    """Label maps in the square around what they label, see `inference.shape_frame`; pixels must be squares.

    Args:
        labels: classes, (batch, height, width).
        side: rows and columns of the result.
        shift: the square is moved at random by up to so much of its side.
        zoom: it is larger or smaller at random by up to this share.

    Returns:
        Classes, (batch, side, side), background beyond the maps; of a map without labels all of it.
    """
    height, width = labels.shape[1:]
    inside = ((labels > 0) & (labels != IGNORED)).float()
    area = inside.sum(dim=(1, 2))
    centre = [
        (inside.sum(dim=3 - axis) * (torch.arange(size, device=labels.device) + 0.5)).sum(dim=1)
        / area.clamp(min=1)
        / size
        for axis, size in ((1, height), (2, width))
    ]
    pixels = FRAME_WIDTH * area.sqrt()
    is_empty = area == 0
    random = 2 * torch.rand(3, len(labels), device=labels.device) - 1
    pixels = pixels * (1 + zoom * random[0])
    rows, columns = (torch.where(is_empty, 1.0, pixels / size) for size in (height, width))
    down, across = (torch.where(is_empty, 0.5, place) for place in centre)
    zero = torch.zeros_like(rows)
    turn = torch.stack(
        [
            torch.stack([columns, zero, 2 * (across + shift * random[1] * columns) - 1], dim=1),
            torch.stack([zero, rows, 2 * (down + shift * random[2] * rows) - 1], dim=1),
        ],
        dim=1,
    )
    grid = nn.functional.affine_grid(turn, [len(labels), 1, side, side], align_corners=False)
    known = torch.where(labels == IGNORED, torch.zeros_like(labels), labels)
    return nearest(known, grid)


def nearest(labels: Labels, grid: Tensor) -> Framed:
    """Label maps at the places of a sampling grid, from the nearest pixel each; background beyond the maps."""
    values = nn.functional.grid_sample(labels.unsqueeze(1).float(), grid, mode="nearest", align_corners=False)
    return values.squeeze(1).to(labels.dtype)
