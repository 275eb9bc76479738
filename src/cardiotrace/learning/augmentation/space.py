"""The spatial part of augmentation: all of it one map, so that an image is interpolated once."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from cardiotrace.learning.augmentation.grey import rows_of
from cardiotrace.learning.augmentation.parameters import Parameters
from cardiotrace.learning.augmentation.sector import is_sector_moved, through_sector
from cardiotrace.learning.augmentation.spline import spline_weights
from cardiotrace.learning.transfer import sent


def warp(
    images: Float[Tensor, "batch channels height width"],
    labels: Int[Tensor, "batch height width"],
    parameters: Parameters,
    shape: tuple[int, int] | None = None,
) -> tuple[Float[Tensor, "batch channels new_height new_width"], Int[Tensor, "batch new_height new_width"]]:
    """The spatial part of `apply`: images interpolate linearly, labels take the nearest value, 0 beyond the image."""
    own = (images.shape[-2], images.shape[-1])
    shape = shape or own
    # What nothing moves stays as it is, to the bit: even a map onto itself would round when it interpolates.
    moving = rows_of(_is_moved(parameters)) if shape == own else torch.arange(len(images))
    if len(moving) == 0:
        return images, labels
    where = _sampling_grid(parameters, moving, shape, images.device)
    grid = through_sector(where, parameters.sector[moving], own).permute(0, 2, 3, 1).to(images.dtype)
    if len(moving) == len(images):
        return _sampled(images, labels, grid, parameters.outside)
    chosen = sent(moving, images.device)
    new_images, new_labels = _sampled(images[chosen], labels[chosen], grid, parameters.outside)
    return images.index_copy(0, chosen, new_images), labels.index_copy(0, chosen, new_labels)


def _sampled(images: Tensor, labels: Tensor, grid: Tensor, outside: Literal["zero", "edge"]) -> tuple[Tensor, Tensor]:
    """Images and labels at the places of a grid (batch, height, width, 2)."""
    padding = "zeros" if outside == "zero" else "border"
    new_images = functional.grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    # Whatever the image shows beyond its edge, there is no label of it. Classes are exact in floating point.
    classes = labels.unsqueeze(1).to(grid.dtype)
    new_labels = functional.grid_sample(classes, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return new_images, new_labels.squeeze(1).to(labels.dtype)


def _is_moved(parameters: Parameters) -> Tensor:
    affine = (parameters.to_source != torch.eye(2, 3)).flatten(1).any(dim=1)
    return affine | (parameters.displacement != 0).flatten(1).any(dim=1) | is_sector_moved(parameters.sector)


def _sampling_grid(parameters: Parameters, rows: Tensor, shape: tuple[int, int], device: torch.device) -> Tensor:
    """Where each pixel of the result looks in the image: (rows, 2, height, width) of (x, y) in -1..1."""
    to_source = sent(parameters.to_source[rows], device)
    planes = affine_places(to_source, shape)
    displacement = sent(parameters.displacement[rows], device)
    if displacement.numel():
        weights_y, weights_x = (
            spline_weights(side, points, device) for side, points in zip(shape, displacement.shape[-2:], strict=True)
        )
        # The linear part acts on the few coefficients instead of on every pixel, which is the same: splines are linear.
        coefficients = torch.einsum("bij,bjrc->birc", to_source[:, :, :2], displacement)
        planes += weights_y @ coefficients @ weights_x.T
    return planes


def affine_places(to_source: Float[Tensor, "rows 2 3"], shape: tuple[int, int]) -> Float[Tensor, "rows 2 height width"]:
    """Where affine maps of (x, y, 1) look, in -1..1.

    Two planes vectorise six times better than pairs; `grid_sample` reads any layout.
    """
    along_x, along_y, offset = (to_source[:, :, column, None, None] for column in range(3))
    y, x = ((2 * torch.arange(side, device=to_source.device) + 1) / side - 1 for side in shape)
    return torch.addcmul(along_y * y[:, None] + offset, along_x, x)
