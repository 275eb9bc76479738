"""A beating left heart in the apical four-chamber plane, known in closed form at every instant."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms.cycle import Cycle
from cardiotrace.phantoms.spheroid import TruncatedSpheroid

MYOCARDIAL_DENSITY_G_PER_ML = 1.05
APICAL_THICKNESS_SHARE = 0.85
"""Wall thickness at the apex over that at the equator."""
LATE_EQUATOR_SHARE, EARLY_EQUATOR_SHARE = 0.27, 0.40
"""Height of the widest circle over the cavity's length at end-systole and end-diastole: the mitral
ring narrows less than the cavity does."""
ATRIAL_LENGTH_MM = 42.0
"""Length of the atrium at end-diastole; its roof stays where it is, so the atrium grows as the valve plane rises."""


@dataclass(frozen=True, kw_only=True)
class Heart:
    """Size and work of a left ventricle.

    Args:
        end_diastolic_ml: cavity volume at end-diastole, ml, 40 to 400.
        ejection_fraction_percent: share of it that a beat ejects, percent, 5 to 80.
        heart_rate_bpm: beats per minute, 40 to 150.
        sphericity: largest radius over length of the cavity at end-diastole, 0.2 to 0.5.
        wall_thickness_mm: at the equator at end-diastole, mm, 4 to 20.
        bend_mm: how far the middle of the axis is bent towards the lateral wall, mm, -10 to 10. Every slice
            across the axis only slides sideways, so volume and area stay as they are.

    Raises:
        InputError: a value is out of range.
    """

    end_diastolic_ml: float = 120.0
    ejection_fraction_percent: float = 60.0
    heart_rate_bpm: float = 65.0
    sphericity: float = 0.31
    wall_thickness_mm: float = 10.0
    bend_mm: float = 2.0

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} = {value} is out of range", remedy=f"give {low} to {high}.")

    @property
    def end_systolic_ml(self) -> float:
        """Cavity volume at end-systole, ml."""
        return self.end_diastolic_ml * (1 - self.ejection_fraction_percent / 100)

    @property
    def longitudinal_shortening_percent(self) -> float:
        """How much shorter the cavity is at end-systole: a quarter of the ejection fraction, percent."""
        return self.ejection_fraction_percent / 4

    @property
    def cycle(self) -> Cycle:
        """The timing of the beat."""
        return Cycle(self.heart_rate_bpm)

    def at(self, times_ms: Float[np.ndarray, " time"]) -> tuple["HeartState", ...]:
        """The heart at the given instants, ms from end-diastole."""
        filling = self.cycle.filling(times_ms)
        opening = self.cycle.mitral_opening(times_ms)
        return tuple(_state(self, float(full), float(wide)) for full, wide in zip(filling, opening, strict=True))


_RANGES = (
    ("end_diastolic_ml", 40, 400),
    ("ejection_fraction_percent", 5, 80),
    ("heart_rate_bpm", 40, 150),
    ("sphericity", 0.2, 0.5),
    ("wall_thickness_mm", 4, 20),
    ("bend_mm", -10, 10),
)


@dataclass(frozen=True)
class HeartState:
    """The heart at one instant, in its own plane: x to the lateral wall, z from the mitral plane to the apex, mm."""

    cavity: TruncatedSpheroid
    epicardium: TruncatedSpheroid
    atrium: TruncatedSpheroid
    """Hangs below the mitral plane: its own z counts downwards."""
    bend_mm: float
    mitral_opening: float

    @property
    def wall_ml(self) -> float:
        """Myocardial volume, ml."""
        return self.epicardium.volume_ml - self.cavity.volume_ml

    @property
    def thickness_mm(self) -> float:
        """Wall thickness at the equator, mm."""
        return self.epicardium.short_mm - self.cavity.short_mm

    def bend(self, z_mm: Float[np.ndarray, "*points"]) -> Float[np.ndarray, "*points"]:
        """Sideways shift of the slice at height z, mm: none at the mitral plane and at the cavity's apex."""
        share = z_mm / self.cavity.length_mm
        return np.asarray(np.where(z_mm > 0, 4 * self.bend_mm * share * (1 - share), 0.0))

    def endocardium_outline(self, count: int = 181) -> Float[np.ndarray, "count 2"]:
        """Cavity's edge (x, z), mm, from the septal over the apex to the lateral hinge of the mitral valve."""
        return self._bent(self.cavity.outline(count))

    def epicardium_outline(self, count: int = 181) -> Float[np.ndarray, "count 2"]:
        """Outer edge of the wall (x, z), mm, open at the mitral plane."""
        return self._bent(self.epicardium.outline(count))

    def atrium_outline(self, count: int = 121) -> Float[np.ndarray, "count 2"]:
        """Edge of the left atrium (x, z), mm, from hinge over roof to hinge."""
        return np.asarray(self.atrium.outline(count) * np.array([1.0, -1.0]))

    def _bent(self, outline: Float[np.ndarray, "count 2"]) -> Float[np.ndarray, "count 2"]:
        x, z = outline.T
        return np.stack([x + self.bend(z), z], axis=1)


def _state(heart: Heart, filling: float, opening: float) -> HeartState:
    """The heart when its ventricle is `filling` full: 1 at end-diastole, 0 at end-systole."""
    first = _cavity(heart, 1.0)
    outer = _epicardium(first, heart.wall_thickness_mm)
    wall_ml = outer.volume_ml - first.volume_ml
    cavity = _cavity(heart, filling)
    epicardium = _epicardium(cavity, _thickness_mm(cavity, wall_ml))
    # The epicardial apex stays in place, so the mitral plane rises by what the outer shape loses in length.
    rise = outer.length_mm - epicardium.length_mm
    atrium = _atrium(cavity.base_radius_mm, ATRIAL_LENGTH_MM + rise, 1.06 + 0.30 * (1 - filling))
    return HeartState(cavity, epicardium, atrium, heart.bend_mm, opening)


def _cavity(heart: Heart, filling: float) -> TruncatedSpheroid:
    """Cavity of the right volume, shortened along its axis in step with what was ejected."""
    equator = LATE_EQUATOR_SHARE + (EARLY_EQUATOR_SHARE - LATE_EQUATOR_SHARE) * filling
    full = TruncatedSpheroid(EARLY_EQUATOR_SHARE, 1 - EARLY_EQUATOR_SHARE, heart.sphericity)
    full_length = (heart.end_diastolic_ml / full.volume_ml) ** (1 / 3)
    length = full_length * (1 - heart.longitudinal_shortening_percent / 100 * (1 - filling))
    volume_ml = heart.end_systolic_ml + filling * (heart.end_diastolic_ml - heart.end_systolic_ml)
    unit = TruncatedSpheroid(equator * length, (1 - equator) * length, 1.0)
    return TruncatedSpheroid(unit.equator_mm, unit.long_mm, math.sqrt(volume_ml / unit.volume_ml))


def _epicardium(cavity: TruncatedSpheroid, thickness_mm: float) -> TruncatedSpheroid:
    """Outer surface of a wall around the cavity, cut by the same base plane."""
    return TruncatedSpheroid(
        cavity.equator_mm,
        cavity.long_mm + APICAL_THICKNESS_SHARE * thickness_mm,
        cavity.short_mm + thickness_mm,
    )


def _thickness_mm(cavity: TruncatedSpheroid, wall_ml: float) -> float:
    """Thickness that gives the wall its volume, by halving: muscle cannot be compressed."""
    low, high = 0.0, 100.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if _epicardium(cavity, middle).volume_ml - cavity.volume_ml < wall_ml:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _atrium(base_radius_mm: float, length_mm: float, bulge: float) -> TruncatedSpheroid:
    """Atrium that is as wide as the mitral ring at its base, and `bulge` times as wide further down."""
    share = math.sqrt(1 - 1 / bulge**2)
    long_mm = length_mm / (1 + share)
    return TruncatedSpheroid(long_mm * share, long_mm, base_radius_mm * bulge)
