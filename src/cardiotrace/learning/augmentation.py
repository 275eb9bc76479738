"""Random changes of training images and their labels, in batches, on the CPU or the GPU.

Three steps: `sample` draws all that is random, from one generator; the drawn `Parameters` are a record
that can be kept and replayed; `apply` is a pure function of images, labels and record. All spatial changes
are composed into one map, so that an image is interpolated once. Images are in [0, 1] and not yet normalised.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from cardiotrace.learning.colour import CHANNELS, change_colours, hue_rotation
from cardiotrace.learning.draw import Draw, drawn
from cardiotrace.learning.grey import add_noise, blur, change_levels, coarsen, put_in_place, raise_to, rows_of
from cardiotrace.learning.sector import SectorAugmentation, Sectors, is_sector_moved, sample_sector, through_sector

PLANE_AXES = ("width", "height")
"""Axes of a plane in the order of the coordinates (x, y)."""


@dataclass(frozen=True)
class Elastic:
    """A smooth random deformation: cubic B-splines over a coarse grid of displacements.

    `amplitude` is the largest displacement of a control point as a fraction of the side. Below 0.4 of the
    distance between control points the map cannot fold, so more is refused.

    Source:
        Rueckert et al. 1999, IEEE TMI 18:712 (the model); Choi and Lee 2000, Graphical Models 62:411 (the limit).
    """

    probability: float = 0.0
    amplitude: float = 0.05
    grid: int = 6
    """Distances between control points along each side."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in 0..1, got {self.probability}")
        if self.grid < 1 or not 0 <= self.amplitude <= 0.4 / self.grid:
            raise ValueError(
                f"amplitude must be in 0..0.4/grid, or the deformation may fold; got {self.amplitude}, grid {self.grid}"
            )


@dataclass(frozen=True)
class Augmentation:
    """What may be changed, how much and how often; by default nothing.

    Mirroring is not here: whether it is allowed is a fact of the data set (apical views have a left and a
    right), so its axes are given to `sample`.
    """

    rotation_degrees: Draw = field(default_factory=Draw)
    """Counter-clockwise as displayed, about the middle of the image."""
    scale: Draw = field(default_factory=Draw)
    """Above 1 enlarges what is shown."""
    shift: Draw = field(default_factory=Draw)
    """Fraction of the side, drawn for each axis; positive is down and to the right."""
    shear: Draw = field(default_factory=Draw)
    """Columns to the right per row down."""
    elastic: Elastic = field(default_factory=Elastic)
    sector: SectorAugmentation | None = None
    """Changes of an ultrasound sector about its apex, before the others; none by default."""
    low_resolution: Draw = field(default_factory=Draw)
    """Factor of the sides of a coarser image that is shown enlarged, in (0, 1]."""
    blur_sigma: Draw = field(default_factory=Draw)
    """Standard deviation of the Gaussian, pixels."""
    brightness: Draw = field(default_factory=Draw)
    """Factor on all grey values."""
    contrast: Draw = field(default_factory=Draw)
    """Factor on the distance of grey values from their mean."""
    gamma: Draw = field(default_factory=Draw)
    """Exponent; below 1 brightens."""
    noise_sd: Draw = field(default_factory=Draw)
    """Standard deviation of additive Gaussian noise; the image's range is 0 to 1."""
    channel_brightness: Draw = field(default_factory=Draw)
    """Factor on each channel of a colour image, drawn for each; grey images have no colour to change."""
    channel_contrast: Draw = field(default_factory=Draw)
    """Factor on the distance from its mean, drawn for each channel of a colour image."""
    hue_degrees: Draw = field(default_factory=Draw)
    """Turn of the hues of a colour image; greys stay grey."""
    outside: Literal["zero", "edge"] = "zero"
    """What the image shows where the warp looks beyond it: black, as around an echo sector, or the nearest edge."""

    def __post_init__(self) -> None:
        for name in ("scale", "low_resolution", "gamma"):
            draw: Draw = getattr(self, name)
            if draw.probability > 0 and draw.low <= 0:
                raise ValueError(f"{name} must be above 0, got low = {draw.low}")
        if self.low_resolution.high > 1:
            raise ValueError(f"low_resolution must not be above 1, got {self.low_resolution.high}")
        for name in _NOT_NEGATIVE:
            if getattr(self, name).low < 0:
                raise ValueError(f"{name} must not be negative, got low = {getattr(self, name).low}")


_NOT_NEGATIVE = ("blur_sigma", "brightness", "contrast", "noise_sd", "channel_brightness", "channel_contrast")


@dataclass(frozen=True)
class Parameters:
    """One drawn change per image, on the CPU; the first axis of every tensor is the batch."""

    to_source: Float[Tensor, "batch 2 3"]
    """From (x, y, 1) of the result to (x, y) of the image, both in -1..1 from edge to edge."""
    displacement: Float[Tensor, "batch 2 rows columns"]
    """B-spline coefficients added to the (x, y) where the result looks, before the affine map; may be 0x0."""
    low_resolution: Float[Tensor, " batch"]
    blur_sigma: Float[Tensor, " batch"]
    brightness: Float[Tensor, " batch"]
    contrast: Float[Tensor, " batch"]
    gamma: Float[Tensor, " batch"]
    noise_sd: Float[Tensor, " batch"]
    noise_seed: int
    mixing: Float[Tensor, "batch 3 3"]
    """Channels of the new colours (rows) as sums of those of the old (columns)."""
    channel_contrast: Float[Tensor, "batch 3"]
    sector: Float[Tensor, "batch numbers"]
    """Apex, aspect, turn, opening and depth, see `learning.sector`; may have no columns."""
    outside: Literal["zero", "edge"] = "zero"

    def __len__(self) -> int:
        return len(self.to_source)


def identity(count: int) -> Parameters:
    """Parameters that change nothing, for `count` images."""
    one, zero = torch.ones(count), torch.zeros(count)
    return Parameters(
        to_source=torch.eye(2, 3).expand(count, 2, 3),
        displacement=torch.zeros(count, 2, 0, 0),
        low_resolution=one,
        blur_sigma=zero,
        brightness=one,
        contrast=one,
        gamma=one,
        noise_sd=zero,
        noise_seed=0,
        mixing=torch.eye(CHANNELS).expand(count, CHANNELS, CHANNELS),
        channel_contrast=torch.ones(count, CHANNELS),
        sector=torch.zeros(count, 0),
    )


def sample(
    config: Augmentation,
    count: int,
    shape: tuple[int, int],
    generator: torch.Generator,
    *,
    mirror_axes: Sequence[str] = (),
    sectors: Sectors | None = None,
) -> Parameters:
    """Draw the changes of `count` images; every random number comes from `generator`.

    Args:
        config: what to draw from.
        count: number of images.
        shape: their height and width, pixels: a rotation must not distort an image that is not square.
        generator: on the CPU; how far it advances does not depend on what it draws.
        mirror_axes: axes along which half of the images are mirrored, "height" and "width"; the data set's fact.
        sectors: where the sector of each image lies, if `config.sector` wants to change it.

    Returns:
        The record that `apply` takes.

    Raises:
        ValueError: an axis has another name.

    Example:
        >>> config = Augmentation(rotation_degrees=Draw(1.0, 90.0, 90.0))
        >>> images, labels = torch.tensor([[[[0.1, 0.2], [0.3, 0.4]]]]), torch.tensor([[[1, 2], [3, 4]]])
        >>> parameters = sample(config, 1, (2, 2), torch.Generator().manual_seed(0))
        >>> apply(images, labels, parameters)[1].tolist()
        [[[2, 4], [1, 3]]]
    """
    if not set(mirror_axes) <= set(PLANE_AXES):
        raise ValueError(f"mirror axes are height and width, got {', '.join(map(str, mirror_axes))}")
    return Parameters(
        to_source=_sample_affine(config, count, shape, generator, mirror_axes),
        displacement=_sample_displacement(config.elastic, count, generator),
        low_resolution=drawn(config.low_resolution, count, 1.0, generator),
        blur_sigma=drawn(config.blur_sigma, count, 0.0, generator),
        brightness=drawn(config.brightness, count, 1.0, generator),
        contrast=drawn(config.contrast, count, 1.0, generator),
        gamma=drawn(config.gamma, count, 1.0, generator),
        noise_sd=drawn(config.noise_sd, count, 0.0, generator),
        # Noise itself is drawn where the images are: moving it there would cost more than all the rest.
        noise_seed=int(torch.randint(2**62, (), generator=generator)),
        mixing=_sample_mixing(config, count, generator),
        channel_contrast=drawn(config.channel_contrast, count, 1.0, generator, axes=CHANNELS),
        outside=config.outside,
        # Last, so that recipes without it draw what they always drew.
        sector=sample_sector(config.sector, sectors, count, generator),
    )


def with_shared_geometry(parameters: Parameters, members: int) -> Parameters:
    """Parameters by which each image moves as the first of its unit does; grey values change one by one.

    Args:
        parameters: of whole units, one after the other.
        members: images of a unit.
    """
    if members == 1:
        return parameters
    first = torch.arange(len(parameters)) // members * members
    return replace(parameters, **{name: getattr(parameters, name)[first] for name in _GEOMETRY})


_GEOMETRY = ("to_source", "displacement", "sector")


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


def warp(
    images: Float[Tensor, "batch channels height width"],
    labels: Int[Tensor, "batch height width"],
    parameters: Parameters,
    shape: tuple[int, int] | None = None,
) -> tuple[Float[Tensor, "batch channels new_height new_width"], Int[Tensor, "batch new_height new_width"]]:
    """The spatial part of `apply`: images interpolate linearly, labels take the nearest value, 0 beyond the image."""
    own = (images.shape[-2], images.shape[-1])
    shape = shape or own
    moving = rows_of(_is_moved(parameters)) if shape == own else torch.arange(len(images))
    if len(moving) == 0:
        return images, labels
    everything = len(moving) == len(images)
    chosen = moving.to(images.device)
    where = _sampling_grid(parameters, moving, shape, images.device)
    grid = through_sector(where, parameters.sector[moving], own).permute(0, 2, 3, 1).to(images.dtype)
    padding = "zeros" if parameters.outside == "zero" else "border"
    new_images = functional.grid_sample(
        images if everything else images[chosen], grid, mode="bilinear", padding_mode=padding, align_corners=False
    )
    new_labels = functional.grid_sample(
        (labels if everything else labels[chosen]).unsqueeze(1).to(grid.dtype),
        grid,
        mode="nearest",
        padding_mode="zeros",
        align_corners=False,
    )
    new_labels = new_labels.squeeze(1).to(labels.dtype)
    if everything:
        return new_images, new_labels
    return images.index_copy(0, chosen, new_images), labels.index_copy(0, chosen, new_labels)


def change_intensities(
    images: Float[Tensor, "batch channels height width"], parameters: Parameters
) -> Float[Tensor, "batch channels height width"]:
    """The grey-value part of `apply`: resolution, blur, colour, brightness and contrast, gamma, noise."""
    result = images.clone()
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


# Drawing


def _sample_affine(
    config: Augmentation, count: int, shape: tuple[int, int], generator: torch.Generator, mirror_axes: Sequence[str]
) -> Tensor:
    """Inverse of shift * rotation * shear * scale * mirror, in coordinates from -1 to 1."""
    angle = torch.deg2rad(drawn(config.rotation_degrees, count, 0.0, generator).double())
    scale = drawn(config.scale, count, 1.0, generator).double()
    shift = drawn(config.shift, count, 0.0, generator, axes=2).double()
    shear = drawn(config.shear, count, 0.0, generator).double()
    is_mirrored = torch.rand((count, 2), generator=generator) < 0.5
    allowed = torch.tensor([axis in mirror_axes for axis in PLANE_AXES])
    sign = torch.where(is_mirrored & allowed, -1.0, 1.0).double()
    # Vectors are (x, y) with y down, where a rotation that looks counter-clockwise has this sign.
    rotation = _matrix(angle.cos(), angle.sin(), -angle.sin(), angle.cos())
    forward = rotation @ _matrix(scale, scale * shear, torch.zeros_like(scale), scale) @ torch.diag_embed(sign)
    half_side = torch.tensor([shape[1] / 2, shape[0] / 2], dtype=torch.float64)
    linear = torch.linalg.inv(forward) * half_side / half_side.unsqueeze(1)
    offset = -linear @ (2 * shift).unsqueeze(2)
    return torch.cat([linear, offset], dim=2).float()


def _matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([torch.stack([a, b], dim=-1), torch.stack([c, d], dim=-1)], dim=-2)


def _sample_displacement(elastic: Elastic, count: int, generator: torch.Generator) -> Tensor:
    """B-spline coefficients (count, 2, grid + 3, grid + 3) in units where the side is 2; 0x0 if never wanted."""
    if elastic.probability == 0 or elastic.amplitude == 0:
        return torch.zeros(count, 2, 0, 0)
    happens = torch.rand((count, 1, 1, 1), generator=generator) < elastic.probability
    points = elastic.grid + 3
    uniform = 2 * torch.rand((count, 2, points, points), generator=generator) - 1
    return torch.where(happens, 2 * elastic.amplitude * uniform, 0.0)


def _sample_mixing(config: Augmentation, count: int, generator: torch.Generator) -> Tensor:
    """Brightness of each channel, then the turn of hues: (count, 3, 3)."""
    brightness = drawn(config.channel_brightness, count, 1.0, generator, axes=CHANNELS)
    turned = hue_rotation(drawn(config.hue_degrees, count, 0.0, generator))
    return turned * brightness.unsqueeze(1)


# Space


def _is_moved(parameters: Parameters) -> Tensor:
    affine = (parameters.to_source != torch.eye(2, 3)).flatten(1).any(dim=1)
    return affine | (parameters.displacement != 0).flatten(1).any(dim=1) | is_sector_moved(parameters.sector)


def _sampling_grid(parameters: Parameters, rows: Tensor, shape: tuple[int, int], device: torch.device) -> Tensor:
    """Where each pixel of the result looks in the image: (rows, 2, height, width) of (x, y) in -1..1.

    Two planes vectorise six times better than pairs; `grid_sample` reads any layout.
    """
    to_source = parameters.to_source[rows].to(device)
    along_x, along_y, offset = (to_source[:, :, column, None, None] for column in range(3))
    y, x = ((2 * torch.arange(side, device=device) + 1) / side - 1 for side in shape)
    planes = torch.addcmul(along_y * y[:, None] + offset, along_x, x)
    displacement = parameters.displacement[rows].to(device)
    if displacement.numel():
        weights_y, weights_x = (
            _spline_weights(side, points).to(device)
            for side, points in zip(shape, displacement.shape[-2:], strict=True)
        )
        coefficients = torch.einsum("bij,bjrc->birc", to_source[:, :, :2], displacement)
        planes += weights_y @ coefficients @ weights_x.T
    return planes


def _spline_weights(side: int, points: int) -> Tensor:
    """Cubic B-spline weights of every control point (columns) at every pixel centre (rows); rows sum to 1."""
    position = (torch.arange(side) + 0.5) / side * (points - 3)
    distance = (position[:, None] - torch.arange(-1, points - 1)).abs()
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far)


# Colours


def _is_recoloured(parameters: Parameters) -> Tensor:
    mixed = (parameters.mixing != torch.eye(CHANNELS)).flatten(1).any(dim=1)
    return mixed | (parameters.channel_contrast != 1).any(dim=1)


def _change_colours(images: Tensor, colours: Tensor) -> Tensor:
    return change_colours(images, colours[:, :CHANNELS], colours[:, CHANNELS])
