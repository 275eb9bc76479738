"""The heart in three dimensions around the left ventricle: which tissue is where."""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "*points"]

RIGHT_MIDDLE_RAD = math.radians(168)
RIGHT_HALF_ANGLE_RAD = math.radians(72)
"""The right ventricle usually lies along the wall from 96 to 240 degrees: the two-chamber plane only touches it."""
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
        half_angle_rad: half of the angle around the axis along which it lies.
    """

    width_mm: float
    length_mm: float
    wall_mm: float
    half_angle_rad: float = RIGHT_HALF_ANGLE_RAD

    def width(self, z_mm: Points, angle_rad: Points) -> Points:
        """Width at a height above the mitral plane and an angle around the axis, mm."""
        return self.width_mm * crescent(z_mm / self.length_mm, angle_rad, self.half_angle_rad)

    def wall(self, z_mm: Points, angle_rad: Points) -> Points:
        """Thickness of the free wall, which ends where the crescent does, mm."""
        share, away = z_mm / self.length_mm, _from_middle(angle_rad, self.half_angle_rad)
        inside = (share >= 0) & (share < 1) & (np.abs(away) < 1)
        return np.asarray(np.where(inside, self.wall_mm * (1 - _eighth(away)) * (1 - _eighth(share)), 0))


def crescent(share: Points, angle_rad: Points, half_angle_rad: float = RIGHT_HALF_ANGLE_RAD) -> Points:
    """Width of the right ventricle over its greatest one, by height over its length and angle around the axis."""
    flat, away = np.asarray(share, np.float64), _from_middle(angle_rad, half_angle_rad)
    width = np.zeros(flat.shape)
    # Powers are slow: only where there is anything.
    inside = (flat >= 0) & (flat < 1) & (np.abs(away) < 1)
    height, side = flat[inside], away[inside]
    width[inside] = ((1 - side * side) * (1 - height**1.7)) ** 0.8
    return width


def _eighth(value: Points) -> Points:
    """Eighth power, by squaring."""
    square = value * value
    square = square * square
    return np.asarray(square * square)


def _from_middle(angle_rad: Points, half_angle_rad: float) -> Points:
    """Angle, -pi to pi or 0 to 2 pi, from the middle of the right ventricle over half of the angle it spans."""
    away = angle_rad - RIGHT_MIDDLE_RAD
    return np.asarray(np.where(away < -np.pi, away + 2 * np.pi, away) / half_angle_rad)


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
        square = ((share - middle) / half) ** 2
        return np.asarray(self.radius_mm * np.sqrt(np.maximum(1 - square * square, 0)))


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
        total = np.zeros_like(x)
        for value, middle, half in zip((x, y, z), self.middle_mm, self.half_mm, strict=True):
            total += np.square((value - middle) / half)
        return np.asarray(np.sqrt(total))

    def grown(self, by_mm: float) -> "Ellipsoid":
        """The ellipsoid with longer half axes."""
        a, b, c = self.half_mm
        return Ellipsoid(self.middle_mm, (a + by_mm, b + by_mm, c + by_mm))
