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
from cardiotrace.learning.augmentation.histogram import match, show_through_window
from cardiotrace.learning.augmentation.kspace import change_kspace
from cardiotrace.learning.augmentation.parameters import Parameters
from cardiotrace.learning.augmentation.partner import partners_of, places_of
from cardiotrace.learning.augmentation.space import warp
from cardiotrace.learning.augmentation.tissue import paint


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
    return change_intensities(warped, parameters, moved), moved


def change_intensities(
    images: Float[Tensor, "batch channels height width"],
    parameters: Parameters,
    labels: Int[Tensor, "batch height width"] | None = None,
) -> Float[Tensor, "batch channels height width"]:
    """The grey-value part of `apply`: looks of tissues, k-space, resolution, colour, levels, window, gamma, noise.

    Args:
        images: grey values in 0..1.
        parameters: from `sample`.
        labels: classes, which random contrast is made from.

    Raises:
        ValueError: random contrast is asked for without labels.
    """
    result = images.clone()
    _change_looks(result, images, parameters, labels)
    change_kspace(result, images, parameters)
    _change_sharpness(result, parameters)
    if images.shape[1] == CHANNELS:
        colours = torch.cat([parameters.mixing, parameters.channel_contrast.unsqueeze(1)], dim=1)
        put_in_place(result, _is_recoloured(parameters), colours, _change_colours)
    levels, neutral = _levels(parameters)
    put_in_place(result, (levels != neutral).any(dim=1), levels, change_levels)
    put_in_place(result, (parameters.window != 0).any(dim=1), parameters.window, show_through_window)
    raised = partial(raise_to, keeps_statistics=parameters.gamma_keeps_statistics)
    put_in_place(result, parameters.gamma != 1, parameters.gamma, raised)
    put_in_place(result, parameters.inverted_gamma != 1, parameters.inverted_gamma, partial(raised, inverted=True))
    noise = torch.Generator(images.device).manual_seed(parameters.noise_seed)
    put_in_place(result, parameters.noise_sd > 0, parameters.noise_sd, partial(add_noise, generator=noise))
    return result


def _change_looks(result: Tensor, images: Tensor, parameters: Parameters, labels: Tensor | None) -> None:
    """Grey values of tissues, made from labels or taken from another image, in place."""
    painted = rows_of(parameters.random_contrast > 0)
    if len(painted):
        if labels is None:
            raise ValueError("random contrast is made from labels: give them too")
        # Far from the seed of the noise, and from those of other processes beside it.
        texture = torch.Generator(images.device).manual_seed(parameters.noise_seed + 2**62)
        rows = painted.to(images.device)
        levels, mix = (values[painted].to(images) for values in (parameters.part_levels, parameters.random_contrast))
        result[rows] = paint(result[rows], labels[rows], levels, mix, generator=texture)
    matched = rows_of(parameters.histogram_matching > 0)
    if len(matched):
        rows, others = (index.to(images.device) for index in (matched, partners_of(parameters)[matched]))
        result[rows] = match(result[rows], images[others], parameters.histogram_matching[matched].to(images))


def _change_sharpness(result: Tensor, parameters: Parameters) -> None:
    """Resolution and blur, in place."""
    # One by one: each has a coarse grid of its own size.
    for row in rows_of(parameters.low_resolution < 1).tolist():
        result[row] = coarsen(result[row], float(parameters.low_resolution[row]))
    # Known on the CPU: asking a GPU for it would wait for all that it has in hand.
    radius = math.ceil(3 * float(parameters.blur_sigma.max()))
    put_in_place(result, parameters.blur_sigma > 0, parameters.blur_sigma, partial(blur, radius=radius))


def _levels(parameters: Parameters) -> tuple[Tensor, Tensor]:
    """Numbers that `change_levels` takes, (batch, 2 + n^2), and those that change nothing."""
    of_slice = parameters.slice_brightness
    factors = of_slice.gather(1, (places_of(parameters) % of_slice.shape[1]).unsqueeze(1)).squeeze(1)
    brightness = parameters.brightness * factors
    field = parameters.bias_field.flatten(1)
    levels = torch.cat([brightness[:, None], parameters.contrast[:, None], field], dim=1)
    return levels, torch.tensor([1.0, 1.0] + [0.0] * field.shape[1])


def _is_recoloured(parameters: Parameters) -> Tensor:
    mixed = (parameters.mixing != torch.eye(CHANNELS)).flatten(1).any(dim=1)
    return mixed | (parameters.channel_contrast != 1).any(dim=1)


def _change_colours(images: Tensor, colours: Tensor) -> Tensor:
    return change_colours(images, colours[:, :CHANNELS], colours[:, CHANNELS])
