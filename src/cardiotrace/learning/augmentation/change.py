"""Change images and labels as a record says."""

import math
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cardiotrace.learning.augmentation.colour import CHANNELS, change_colours
from cardiotrace.learning.augmentation.grey import (
    add_noise,
    blur,
    change_levels,
    coarsen,
    put_in_place,
    raise_to,
    rows_of,
)
from cardiotrace.learning.augmentation.parameters import Parameters
from cardiotrace.learning.augmentation.space import warp


def apply(
    images: Float[Tensor, "batch channels height width"],
    labels: Int[Tensor, "batch height width"],
    parameters: Parameters,
    shape: tuple[int, int] | None = None,
) -> tuple[Float[Tensor, "batch channels new_height new_width"], Int[Tensor, "batch new_height new_width"]]:
    """Change images and labels as the record says; the inputs stay as they are.

    Args:
        images: grey values in 0..1.
        labels: classes, at most 2^24; background is 0.
        parameters: from `sample`.
        shape: height and width of the results; by default those of the images.

    Returns:
        New images in 0..1 and labels. The same record gives the same bytes on the same kind of device.

    Raises:
        ValueError: the record is of another number of images.
    """
    if not len(images) == len(labels) == len(parameters):
        raise ValueError(f"parameters of {len(parameters)} for {len(images)} images and {len(labels)} label maps")
    if len(images) == 0:
        return images, labels
    warped, moved = warp(images, labels, parameters, shape)
    return change_intensities(warped, parameters), moved


def change_intensities(
    images: Float[Tensor, "batch channels height width"], parameters: Parameters
) -> Float[Tensor, "batch channels height width"]:
    """The grey-value part of `apply`: resolution, blur, colour, brightness and contrast, gamma, noise."""
    result = images.clone()
    # One by one: each has a coarse grid of its own size.
    for row in rows_of(parameters.low_resolution < 1).tolist():
        result[row] = coarsen(result[row], float(parameters.low_resolution[row]))
    # Known on the CPU: asking a GPU for it would wait for all that it has in hand.
    radius = math.ceil(3 * float(parameters.blur_sigma.max()))
    put_in_place(result, parameters.blur_sigma > 0, parameters.blur_sigma, partial(blur, radius=radius))
    if images.shape[1] == CHANNELS:
        colours = torch.cat([parameters.mixing, parameters.channel_contrast.unsqueeze(1)], dim=1)
        put_in_place(result, _is_recoloured(parameters), colours, _change_colours)
    levels = torch.stack([parameters.brightness, parameters.contrast], dim=1)
    put_in_place(result, (levels != 1).any(dim=1), levels, change_levels)
    put_in_place(result, parameters.gamma != 1, parameters.gamma, raise_to)
    noise = torch.Generator(images.device).manual_seed(parameters.noise_seed)
    put_in_place(result, parameters.noise_sd > 0, parameters.noise_sd, partial(add_noise, generator=noise))
    return result


def _is_recoloured(parameters: Parameters) -> Tensor:
    mixed = (parameters.mixing != torch.eye(CHANNELS)).flatten(1).any(dim=1)
    return mixed | (parameters.channel_contrast != 1).any(dim=1)


def _change_colours(images: Tensor, colours: Tensor) -> Tensor:
    return change_colours(images, colours[:, :CHANNELS], colours[:, CHANNELS])
