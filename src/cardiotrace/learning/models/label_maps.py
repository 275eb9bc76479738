"""Label maps as networks of shapes see them: framed, and with a channel for each class."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Unsteady:
    """How far frames are moved at random: what spoils a map moves its frame, and hearts lie as they like."""

    shift: float = 0.0
    """Of the middle, as a share of the frame's side."""
    zoom: float = 0.0
    """Of the side, as a share of it."""
    turn: float = 0.0
    """Degrees."""
    shear: float = 0.0
    """Columns for each row."""


_STEADY = Unsteady()


def framed(labels: Labels, side: int, unsteady: Unsteady = _STEADY) -> Framed:
    """Label maps in the square around what they label, see `inference.shape_frame`; pixels must be squares.

    Draws from torch's global generator.

    Args:
        labels: classes, (batch, height, width).
        side: rows and columns of the result.
        unsteady: each frame is moved, enlarged, turned and sheared at random by up to so much either way.

    Returns:
        Classes, (batch, side, side), background beyond the maps; of a map without labels all of it.
    """
    known = torch.where(labels == IGNORED, torch.zeros_like(labels), labels)
    inside = (known > 0).float()
    area = inside.sum(dim=(1, 2))
    size = torch.tensor(labels.shape[1:], device=labels.device, dtype=torch.float32)  # rows, columns
    # Middle and side as shares of the map; of an empty one all of it is looked at.
    middle = torch.stack([_mean(inside.sum(dim=2), area), _mean(inside.sum(dim=1), area)], dim=1)
    reach = (FRAME_WIDTH * area.sqrt())[:, None] / size
    middle, reach = (torch.where(area[:, None] > 0, value, empty) for value, empty in ((middle, 0.5), (reach, 1.0)))
    drawn = 2 * torch.rand(5, len(labels), device=labels.device) - 1
    middle = middle + unsteady.shift * drawn[:2].T * reach
    reach = reach * (1 + unsteady.zoom * drawn[2])[:, None]
    angle, lean = torch.deg2rad(unsteady.turn * drawn[3]), unsteady.shear * drawn[4]
    cosine, sine = angle.cos(), angle.sin()
    # From places in the frame, (x, y), to those in the map: sheared, turned, enlarged and moved.
    turned = torch.stack(
        [torch.stack([cosine, lean * cosine - sine], dim=1), torch.stack([sine, lean * sine + cosine], dim=1)], dim=1
    )
    place = torch.cat([turned * reach.flip(1)[:, :, None], 2 * middle.flip(1)[:, :, None] - 1], dim=2)
    grid = nn.functional.affine_grid(place, [len(labels), 1, side, side], align_corners=False)
    return nearest(known, grid)


def _mean(counts: Float[Tensor, "batch places"], area: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Mean place of what is counted along an axis, as a share of the axis."""
    places = torch.arange(counts.shape[1], device=counts.device) + 0.5
    return (counts * places).sum(dim=1) / area.clamp(min=1) / counts.shape[1]


def nearest(labels: Labels, grid: Tensor) -> Framed:
    """Label maps at the places of a sampling grid, from the nearest pixel each; background beyond the maps."""
    values = nn.functional.grid_sample(labels.unsqueeze(1).float(), grid, mode="nearest", align_corners=False)
    return values.squeeze(1).to(labels.dtype)
