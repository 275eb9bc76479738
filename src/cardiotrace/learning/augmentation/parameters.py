"""All that is random in a batch's changes, drawn from one generator: a record that can be kept and replayed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cardiotrace.learning.augmentation.acquisition import (
    sample_bias_field,
    sample_contrast,
    sample_exchange,
    sample_ghosting,
    sample_motion,
    sample_partners,
    sample_window,
)
from cardiotrace.learning.augmentation.colour import CHANNELS, hue_rotation
from cardiotrace.learning.augmentation.draw import drawn
from cardiotrace.learning.augmentation.sector import Sectors, sample_sector
from cardiotrace.learning.augmentation.settings import Augmentation, Elastic

PLANE_AXES = ("width", "height")
"""Axes of a plane in the order of the coordinates (x, y)."""


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
    """Apex, aspect, turn, opening and depth, see `sector`; may have no columns."""
    bias_field: Float[Tensor, "batch points points"]
    """B-spline coefficients of the logarithm of a factor on grey values; may be 0x0."""
    slice_brightness: Float[Tensor, "batch slices"]
    """Factor on each slice where images are volumes, the first of them on a plane; further slices begin anew."""
    inverted_gamma: Float[Tensor, " batch"]
    window: Float[Tensor, "batch 2"]
    """Of the lower and the upper end: percentage that is cut, or minus the fraction by which it is widened."""
    acquired_resolution: Float[Tensor, " batch"]
    gibbs: Float[Tensor, " batch"]
    ghosting: Float[Tensor, "batch 3"]
    """Number of copies, strength, and their axis: 0 height, 1 width."""
    motion: Float[Tensor, "batch 5"]
    """Turn in radians, shift (x, y) as a fraction of the side, share of the lines read before, and their axis."""
    amplitude_exchange: Float[Tensor, "batch 2"]
    """Share of the partner's amplitude, and radius."""
    histogram_matching: Float[Tensor, " batch"]
    """Share of the image with the partner's histogram."""
    random_contrast: Float[Tensor, " batch"]
    """Share of the image that is made from labels."""
    part_levels: Float[Tensor, "batch parts 2"]
    """Mean and standard deviation of each class, then of each part of the background; may have no parts."""
    partner: Int[Tensor, "batch 2"]
    """Own index when the record was drawn, and that of another image, see `partners_of`."""
    gamma_keeps_statistics: bool = False
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
        **_sample_acquisition(Augmentation(), count, torch.Generator(), None),
    )


def sample(
    config: Augmentation,
    count: int,
    shape: tuple[int, int],
    generator: torch.Generator,
    *,
    mirror_axes: Sequence[str] = (),
    sectors: Sectors | None = None,
    domains: Sequence[str] | None = None,
) -> Parameters:
    """Draw the changes of `count` images; every random number comes from `generator`.

    Args:
        config: what to draw from.
        count: number of images.
        shape: their height and width, pixels: a rotation must not distort an image that is not square.
        generator: on the CPU; how far it advances does not depend on what it draws.
        mirror_axes: axes along which half of the images are mirrored, "height" and "width"; the data set's fact.
        sectors: where the sector of each image lies, if `config.sector` wants to change it.
        domains: of each image, such as its vendor, empty where it is not known: what takes looks from another image
            takes them from another domain if there is one.

    Returns:
        The record that `apply` takes.

    Raises:
        ValueError: an axis has another name, or there are not as many domains as images.

    Example:
        >>> from cardiotrace.learning.augmentation import Draw, apply
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
        gamma_keeps_statistics=bool(config.gamma_keeps_statistics),
        # Last, so that recipes without them draw what they always drew.
        sector=sample_sector(config.sector, sectors, count, generator),
        **_sample_acquisition(config, count, generator, domains),
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


_SLICES = 32
_GEOMETRY = ("to_source", "displacement", "sector")


def _sample_acquisition(
    config: Augmentation, count: int, generator: torch.Generator, domains: Sequence[str] | None
) -> dict[str, Any]:
    """What differs between scanners; takes no random numbers for changes that are not wanted at all."""
    part_mix, part_levels = sample_contrast(config.random_contrast, count, generator)
    has_slices = config.slice_brightness is not None
    has_partners = config.amplitude_exchange is not None or config.histogram_matching is not None
    return {
        "random_contrast": part_mix,
        "part_levels": part_levels,
        "bias_field": sample_bias_field(config.bias_field, count, generator),
        "slice_brightness": drawn(config.slice_brightness, count, 1.0, generator, axes=_SLICES if has_slices else 1),
        "inverted_gamma": drawn(config.inverted_gamma, count, 1.0, generator),
        "window": sample_window(config.intensity_window, count, generator),
        "acquired_resolution": drawn(config.acquired_resolution, count, 1.0, generator),
        "gibbs": drawn(config.gibbs, count, 1.0, generator),
        "ghosting": sample_ghosting(config.ghosting, count, generator),
        "motion": sample_motion(config.motion, count, generator),
        "amplitude_exchange": sample_exchange(config.amplitude_exchange, count, generator),
        "histogram_matching": drawn(config.histogram_matching, count, 0.0, generator),
        "partner": sample_partners(count, domains, generator if has_partners else None),
    }


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
    # The inverse, since each pixel of the result asks where it comes from. Turned in pixels and then put into -1 to
    # 1: in those, a rotation would shear what is not square.
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
