"""What differs between scanners: coils, lines of k-space, windows, and how tissues look; options, and their draws.

Each function draws numbers of a batch on the CPU, and none where its change is not wanted at all: recipes without it
draw what they always drew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cardiotrace.learning.augmentation.draw import Draw, drawn, require_share

CLASSES = 16
"""Classes of labels that get a grey value of their own; further ones share that of the last."""
LARGEST_MOTION = 0.5
"""Of a shift, as a fraction of the side."""


@dataclass(frozen=True)
class BiasField:
    """A smooth factor on grey values, as the sensitivity of receive coils: exp of a cubic B-spline surface.

    Source:
        After Tustison et al. 2010, IEEE TMI 29:1310 (N4), who correct such a field by such a surface.
    """

    amplitude: Draw = field(default_factory=Draw)
    """Largest logarithm of the factor: 0.3 is between 0.74 and 1.35."""
    grid: int = 2
    """Distances between control points along each side."""

    def __post_init__(self) -> None:
        if self.grid < 1:
            raise ValueError(f"grid must be at least 1, got {self.grid}")
        if self.amplitude.low < 0:
            raise ValueError(f"amplitude must not be negative, got low = {self.amplitude.low}")


@dataclass(frozen=True)
class Ghosting:
    """Shifted copies of the image, as of what moves with every breath: all lines but every n-th are weakened.

    n images lie side/n apart along one axis, each of strength/n, and 1 - strength of the image itself is left; the
    mean grey value stays.

    Source:
        After Perez-Garcia et al. 2021, Comput Methods Programs Biomed 208:106236 (TorchIO), who weaken every n-th line
        instead.
    """

    strength: Draw = field(default_factory=Draw)
    """Share of the signal that the copies take, in 0..1."""
    fewest: int = 2
    """Copies at least, the one in place among them."""
    most: int = 6
    """Copies at most."""

    def __post_init__(self) -> None:
        require_share("strength", self.strength)
        if not 2 <= self.fewest <= self.most:
            raise ValueError(f"2 <= fewest <= most must hold, got {self.fewest} and {self.most}")


@dataclass(frozen=True)
class Motion:
    """The patient moves once while lines of k-space are read from the middle outwards: the later show the heart moved.

    Source:
        After Shaw et al. 2019, MIDL, PMLR 102:427, with one movement and lines from the middle outwards, so that the
        image, which the middle decides on, stays where its labels are.
    """

    probability: float = 0.0
    """How often the patient moves."""
    shift: float = 0.03
    """Largest shift along each axis, as a fraction of the side."""
    rotation_degrees: float = 5.0
    """Largest turn."""
    earliest: float = 0.15
    """Share of the lines that are read before the movement, at least."""
    latest: float = 0.6
    """Share of the lines that are read before the movement, at most."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in 0..1, got {self.probability}")
        if not 0 < self.earliest <= self.latest <= 1:
            raise ValueError(f"0 < earliest <= latest <= 1 must hold, got {self.earliest} and {self.latest}")
        if not 0 <= self.shift <= LARGEST_MOTION or self.rotation_degrees < 0:
            raise ValueError(
                f"shift must be in 0..{LARGEST_MOTION} and rotation_degrees not negative, got {self.shift} and"
                f" {self.rotation_degrees}"
            )


@dataclass(frozen=True)
class AmplitudeExchange:
    """Low spatial frequencies take the amplitude of another image of the batch; the phase, and so the shapes, stay.

    Source:
        Yang and Soatto 2020, CVPR, arXiv:2004.05498 (Fourier domain adaptation), here with a share of the amplitude.
    """

    mix: Draw = field(default_factory=Draw)
    """Share of the other image's amplitude, in 0..1."""
    radius: float = 0.03
    """Half the sides of the square of frequencies, as a share of all: the paper's beta."""

    def __post_init__(self) -> None:
        require_share("mix", self.mix)
        if not 0 <= self.radius <= 0.5:
            raise ValueError(f"radius must be in 0..0.5, got {self.radius}")


@dataclass(frozen=True)
class IntensityWindow:
    """Another window of grey values is shown: each end of it is moved by itself, inwards or outwards."""

    probability: float = 0.0
    """How often the window is another one."""
    cut_percent: float = 2.0
    """Percentage of the pixels above black that saturate at an end that is moved inwards, at most."""
    widening: float = 0.2
    """How far an end is moved outwards, as a fraction of the range of grey values, at most."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in 0..1, got {self.probability}")
        if not 0 <= self.cut_percent < 50 or self.widening < 0:
            raise ValueError(
                f"cut_percent must be in 0..50 and widening not negative, got {self.cut_percent} and {self.widening}"
            )


@dataclass(frozen=True)
class RandomContrast:
    """Every class, and every part of the background, gets random grey values: a mean and a standard deviation.

    The background is parted by quantiles of its own grey values. Blur and resolution come after it.

    Source:
        Billot et al. 2023, Med Image Anal 86:102789 (SynthSeg), here mixed with the true image.
    """

    mix: Draw = field(default_factory=Draw)
    """Share of the made image, in 0..1."""
    background_parts: int = 6
    """Into how many the background is parted."""
    largest_sd: float = 0.1
    """Of the grey values of one part; the image's range is 0 to 1."""

    def __post_init__(self) -> None:
        require_share("mix", self.mix)
        if self.background_parts < 1 or not 0 <= self.largest_sd <= 1:
            raise ValueError(
                f"background_parts must be at least 1 and largest_sd in 0..1, got {self.background_parts} and"
                f" {self.largest_sd}"
            )


def sample_bias_field(
    config: BiasField | None, count: int, generator: torch.Generator
) -> Float[Tensor, "batch rows columns"]:
    """B-spline coefficients of the logarithm of each field; 0x0 if never wanted."""
    if config is None:
        return torch.zeros(count, 0, 0)
    amplitude = drawn(config.amplitude, count, 0.0, generator)
    points = config.grid + 3
    return amplitude[:, None, None] * (2 * torch.rand((count, points, points), generator=generator) - 1)


def sample_ghosting(config: Ghosting | None, count: int, generator: torch.Generator) -> Float[Tensor, "batch 3"]:
    """Number of copies, strength, and the axis along which they lie: 0 height, 1 width."""
    if config is None:
        return torch.tensor([1.0, 0.0, 0.0]).repeat(count, 1)
    strength = drawn(config.strength, count, 0.0, generator)
    copies = torch.randint(config.fewest, config.most + 1, (count,), generator=generator)
    return torch.stack([copies.float(), strength, _axis(count, generator)], dim=1)


def sample_motion(config: Motion | None, count: int, generator: torch.Generator) -> Float[Tensor, "batch 5"]:
    """Turn in radians, shift (x, y) as a fraction of the side, share of lines read before, and their axis."""
    if config is None:
        return torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0]).repeat(count, 1)
    happens = torch.rand((count, 1), generator=generator) < config.probability
    uniform = 2 * torch.rand((count, 3), generator=generator) - 1
    largest = torch.deg2rad(torch.tensor(config.rotation_degrees)), config.shift, config.shift
    share = config.earliest + (config.latest - config.earliest) * torch.rand((count, 1), generator=generator)
    axis = _axis(count, generator).unsqueeze(1)
    values = torch.cat([uniform * torch.tensor(largest), share, axis], dim=1)
    return torch.where(happens, values, torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0]))


def sample_exchange(
    config: AmplitudeExchange | None, count: int, generator: torch.Generator
) -> Float[Tensor, "batch 2"]:
    """Share of the other image's amplitude, and radius."""
    if config is None:
        return torch.zeros(count, 2)
    mix = drawn(config.mix, count, 0.0, generator)
    return torch.stack([mix, torch.full((count,), config.radius)], dim=1)


def sample_window(config: IntensityWindow | None, count: int, generator: torch.Generator) -> Float[Tensor, "batch 2"]:
    """For the lower and the upper end: percentage that is cut, or minus the fraction by which it is widened."""
    if config is None:
        return torch.zeros(count, 2)
    happens = torch.rand((count, 1), generator=generator) < config.probability
    uniform = 2 * torch.rand((count, 2), generator=generator) - 1
    return torch.where(happens, uniform * torch.where(uniform > 0, config.cut_percent, config.widening), 0.0)


def sample_contrast(
    config: RandomContrast | None, count: int, generator: torch.Generator
) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch parts 2"]]:
    """Share of the made image, and (mean, standard deviation) of each class and then of each part of the background.

    The first class is the background itself, whose numbers nothing uses. No parts if never wanted.
    """
    if config is None:
        return torch.zeros(count), torch.zeros(count, 0, 2)
    mix = drawn(config.mix, count, 0.0, generator)
    levels = torch.rand((count, CLASSES + config.background_parts, 2), generator=generator)
    return mix, levels * torch.tensor([1.0, config.largest_sd])


def sample_partners(
    count: int, domains: Sequence[str] | None, generator: torch.Generator | None
) -> Int[Tensor, "batch 2"]:
    """Each image's own index, and that of another one of the batch, of another domain if there is any.

    Args:
        count: number of images.
        domains: of each image, such as its vendor; empty where it is not known.
        generator: None where no change asks for another image: then each is its own.

    Raises:
        ValueError: there are not as many domains as images.

    Example:
        >>> sample_partners(3, ["GE", "GE", "Philips"], torch.Generator().manual_seed(0))[:2].tolist()
        [[0, 2], [1, 2]]
    """
    if domains is not None and len(domains) != count:
        raise ValueError(f"{len(domains)} domains of {count} images")
    own = torch.arange(count)
    if generator is None or count == 0:
        return torch.stack([own, own], dim=1)
    names = list(domains) if domains is not None else [""] * count
    codes = torch.tensor([sorted(set(names)).index(name) for name in names])
    is_known = torch.tensor([bool(name) for name in names])
    is_foreign = (codes[:, None] != codes) & is_known[:, None] & is_known
    # In three steps of preference: another domain, another image, itself.
    wish = torch.rand((count, count), generator=generator) + is_foreign.float() - 2 * torch.eye(count)
    return torch.stack([own, wish.argmax(dim=1)], dim=1)


def _axis(count: int, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) < 0.5).float()
