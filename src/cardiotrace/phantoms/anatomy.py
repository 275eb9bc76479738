"""The heart in three dimensions around the left ventricle: which tissue is where."""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "*points"]

RIGHT_MIDDLE_RAD = math.radians(168)
RIGHT_HALF_ANGLE_RAD = math.radians(72)
"""The right ventricle lies along the wall from 96 to 240 degrees, so that the two-chamber plane only touches it."""
RIGHT_LENGTH_SHARE = 0.86
"""Length of a normal right ventricle over that of the left one's outer surface."""
PERICARDIUM_MM = 2.0
AORTIC_RADIUS_MM = 11.5
AORTIC_ANGLE_RAD = math.radians(120)
AORTIC_LEAN = 0.25
"""How far the aorta leans away from the axis, mm per mm."""
AORTIC_WALL_MM = 1.5


class Tissue(IntEnum):
    """What a point of the phantom is made of."""

    OUTSIDE = 0
    LV = 1
    MYO = 2
    LA = 3
    RV = 4
    RA = 5
    RV_WALL = 6
    PAPILLARY = 7
    AORTA = 8
    PERICARDIUM = 9


@dataclass(frozen=True)
class RightVentricle:
    """A crescent along the left ventricle: its width over the septum, in the directions away from the axis.

    Args:
        width_mm: at its widest, mm.
        length_mm: from the tricuspid plane, which is that of the mitral valve, to its apex, mm.
        wall_mm: thickness of its free wall, mm.
    """

    width_mm: float
    length_mm: float
    wall_mm: float

    def width(self, z_mm: Points, angle_rad: Points) -> Points:
        """Width at a height above the mitral plane and an angle around the axis, mm."""
        return self.width_mm * crescent(z_mm / self.length_mm, angle_rad)

    def wall(self, z_mm: Points, angle_rad: Points) -> Points:
        """Thickness of the free wall, which ends where the crescent does, mm."""
        share, away = z_mm / self.length_mm, _from_middle(angle_rad)
        inside = (share >= 0) & (share < 1) & (np.abs(away) < 1)
        return np.asarray(np.where(inside, self.wall_mm * (1 - away**8) * (1 - np.clip(share, 0, 1) ** 8), 0))


def crescent(share: Points, angle_rad: Points) -> Points:
    """Width of the right ventricle over its greatest one, by height over its length and angle around the axis."""
    around = np.clip(1 - _from_middle(angle_rad) ** 2, 0, 1)
    along = np.clip(1 - np.maximum(share, 0) ** 1.7, 0, 1) ** 0.8
    return np.asarray(np.where(share < 0, 0, around**0.8 * along))


def _from_middle(angle_rad: Points) -> Points:
    """Angle from the middle of the right ventricle over half of the angle that it spans."""
    away: Points = np.remainder(angle_rad - RIGHT_MIDDLE_RAD + np.pi, 2 * np.pi) - np.pi
    return away / RIGHT_HALF_ANGLE_RAD


@dataclass(frozen=True)
class Papillary:
    """A papillary muscle: a rod along the inside of the wall.

    Args:
        angle_rad: where around the axis, rad.
        radius_mm: of the rod, mm.
        root, tip: its ends, heights over the cavity's length.
    """

    angle_rad: float
    radius_mm: float
    root: float = 0.75
    tip: float = 0.33

    def radius(self, share: Points) -> Points:
        """Radius by height over the cavity's length, mm; 0 beyond the ends."""
        middle, half = (self.root + self.tip) / 2, (self.root - self.tip) / 2
        return np.asarray(self.radius_mm * np.sqrt(np.clip(1 - ((share - middle) / half) ** 4, 0, 1)))


PAPILLARIES = (Papillary(math.radians(18), 4.6), Papillary(math.radians(252), 4.2))
"""Anterolateral and posteromedial."""


@dataclass(frozen=True)
class Ellipsoid:
    """A right atrium: the part below the mitral plane of an ellipsoid.

    Args:
        middle_mm: (x, y, z), mm.
        half_mm: half axes, mm.
    """

    middle_mm: tuple[float, float, float]
    half_mm: tuple[float, float, float]

    def level(self, x: Points, y: Points, z: Points) -> Points:
        """Distance from the middle in half axes: 1 on the surface."""
        terms = zip((x, y, z), self.middle_mm, self.half_mm, strict=True)
        return np.asarray(np.sqrt(sum(((value - middle) / half) ** 2 for value, middle, half in terms)))

    def grown(self, by_mm: float) -> "Ellipsoid":
        """The ellipsoid with longer half axes."""
        a, b, c = self.half_mm
        return Ellipsoid(self.middle_mm, (a + by_mm, b + by_mm, c + by_mm))
