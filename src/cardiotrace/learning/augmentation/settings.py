"""What may be changed of training images, how much and how often."""

from dataclasses import dataclass, field
from typing import Literal

from cardiotrace.learning.augmentation.draw import Draw
from cardiotrace.learning.augmentation.sector import SectorAugmentation


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
        # At 0 a scale has no inverse, an image no pixels, and a power leaves nothing but white.
        for name in ("scale", "low_resolution", "gamma"):
            draw: Draw = getattr(self, name)
            if draw.probability > 0 and draw.low <= 0:
                raise ValueError(f"{name} must be above 0, got low = {draw.low}")
        if self.low_resolution.high > 1:
            raise ValueError(f"low_resolution must not be above 1, got {self.low_resolution.high}")
        # Below 0 a factor would show the negative of an image, which no scanner does.
        for name in _NOT_NEGATIVE:
            if getattr(self, name).low < 0:
                raise ValueError(f"{name} must not be negative, got low = {getattr(self, name).low}")

    @property
    def changes_colours(self) -> bool:
        """Whether the channels of an image may be changed unlike each other."""
        return any(draw.probability > 0 for draw in (self.channel_brightness, self.channel_contrast, self.hue_degrees))


_NOT_NEGATIVE = ("blur_sigma", "brightness", "contrast", "noise_sd", "channel_brightness", "channel_contrast")
