"""Which tissue is at any point of the heart."""

import math
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.phantoms.heart.anatomy import (
    AORTIC_ANGLE_RAD,
    AORTIC_LEAN,
    AORTIC_RADIUS_MM,
    AORTIC_WALL_MM,
    PAPILLARIES,
    PERICARDIUM_MM,
    Ellipsoid,
    Points,
    RightVentricle,
    Tissue,
)
from cardiotrace.phantoms.heart.spheroid import TruncatedSpheroid
from cardiotrace.phantoms.heart.wall import Wall

BELOW_MM = 95.0
"""How far below the mitral plane anything is looked for."""


class Shape(Protocol):
    """What has to be known of a heart at one instant; `HeartState` says what each is."""

    @property
    def wall(self) -> Wall:
        """Wall of the left ventricle."""
        ...

    @property
    def atrium(self) -> TruncatedSpheroid:
        """Left atrium."""
        ...

    @property
    def right(self) -> RightVentricle:
        """Right ventricle."""
        ...

    @property
    def filling(self) -> float:
        """1 at end-diastole, 0 at end-systole."""
        ...

    @property
    def twist_deg(self) -> float:
        """Turn of the apex against the base."""
        ...

    @property
    def right_atrial_size(self) -> float:
        """Half axes of the right atrium over their usual ones."""
        ...

    def bend(self, z_mm: Points) -> Points:
        """Sideways shift of the axis, mm."""
        ...


def find_tissue(heart: Shape, points_mm: Float[np.ndarray, "*points 3"]) -> UInt8[np.ndarray, "*points"]:
    """The tissue of each point (x, y, z), mm, in the coordinates of the state."""
    points = np.asarray(points_mm)
    x, y, z = (points[..., axis].ravel() for axis in range(3))
    codes = np.zeros(x.size, np.uint8)
    reach = heart.wall.epicardium.short_mm * 1.5 + heart.right.width_mm + 20
    # A cheap cylinder first: most points of an image lie outside of the heart, and each shape costs roots and angles.
    near = (x * x + y * y < reach**2) & (z > -BELOW_MM) & (z < heart.wall.epicardium.length_mm + PERICARDIUM_MM)
    above, below = np.flatnonzero(near & (z >= 0)), np.flatnonzero(near & (z < 0))
    codes[above] = _ventricles(heart, x[above], y[above], z[above])
    codes[below] = _atria(heart, x[below], y[below], z[below])
    return codes.reshape(points.shape[:-1])


def _ventricles(heart: Shape, x: Points, y: Points, z: Points) -> UInt8[np.ndarray, " points"]:
    """Tissue above the mitral plane."""
    wall = heart.wall
    x = x - heart.bend(z)
    radius = np.hypot(x, y)
    angle = np.arctan2(y, x)
    outer = wall.outer_radius(z, angle)
    codes = np.zeros(x.size, np.uint8)
    inside = radius < outer
    codes[inside] = Tissue.MYO
    core = np.flatnonzero(inside)
    core = core[radius[core] < wall.inner_radius(z[core], angle[core])]
    codes[core] = Tissue.LV
    codes[core[_papillary(heart, x[core], y[core], z[core])]] = Tissue.PAPILLARY
    rest = np.flatnonzero(~inside)
    codes[rest] = _right(heart, radius[rest], angle[rest], z[rest], outer[rest])
    return codes


def _papillary(heart: Shape, x: Points, y: Points, z: Points) -> Bool[np.ndarray, " points"]:
    """Whether a point of the cavity lies in a papillary muscle; x counts from the bent axis."""
    found = np.zeros(x.size, bool)
    share = z / heart.wall.cavity.length_mm
    for muscle in PAPILLARIES:
        if not ((share > muscle.tip) & (share < muscle.root)).any():
            continue
        # A muscle turns with the wall that it springs from, the more the nearer to the apex.
        turned = np.full_like(z, muscle.angle_rad) + math.radians(heart.twist_deg) * (share - 0.3)
        away = heart.wall.inner_radius(z, turned) - 0.55 * muscle.radius_mm - 3.5 * np.clip(muscle.root - share, 0, 1)
        found |= np.hypot(x - away * np.cos(turned), y - away * np.sin(turned)) < muscle.radius(share)
    return found


def _right(heart: Shape, radius: Points, angle: Points, z: Points, outer: Points) -> UInt8[np.ndarray, " n"]:
    """Tissue outside of the left ventricle, above the mitral plane."""
    edge = outer + heart.right.width(z, angle)
    free = edge + heart.right.wall(z, angle)
    grown = heart.wall.epicardium
    # Close to the apex the layer is measured along the axis.
    cap = np.hypot(
        radius / (grown.short_mm + PERICARDIUM_MM), (z - grown.equator_mm) / (grown.long_mm + PERICARDIUM_MM)
    )
    layer = (radius < free + PERICARDIUM_MM) & ((outer > 0) | (cap < 1))
    codes = np.where(layer, np.uint8(Tissue.PERICARDIUM), np.uint8(Tissue.OUTSIDE))
    codes[radius < free] = Tissue.RV_WALL
    codes[radius < edge] = Tissue.RV
    return codes


def _atria(heart: Shape, x: Points, y: Points, z: Points) -> UInt8[np.ndarray, " points"]:
    """Tissue below the mitral plane: the atria, the aorta, and their walls as pericardium."""
    codes = np.zeros(x.size, np.uint8)
    # Painted one over the other: walls before what they enclose, and last the aorta, which lies before both atria.
    right = right_atrium(heart)
    codes[right.grown(PERICARDIUM_MM).level(x, y, z) < 1] = Tissue.PERICARDIUM
    codes[right.level(x, y, z) < 1] = Tissue.RA
    atrium, radius = heart.atrium, np.hypot(x, y)
    long, short = atrium.long_mm + PERICARDIUM_MM, atrium.short_mm + PERICARDIUM_MM
    codes[np.hypot(radius / short, (-z - atrium.equator_mm) / long) < 1] = Tissue.PERICARDIUM
    codes[radius < atrium.radius_mm(-z)] = Tissue.LA
    aside = aorta_distance(heart, x, y, z)
    codes[aside < AORTIC_RADIUS_MM + AORTIC_WALL_MM] = Tissue.PERICARDIUM
    codes[aside < AORTIC_RADIUS_MM] = Tissue.AORTA
    return codes


def aorta_distance(heart: Shape, x: Points, y: Points, z: Points) -> Points:
    """Distance of each point from the middle of the aorta at its height, mm."""
    # Never so near to the axis that it would show in the four-chamber or two-chamber plane, 60 degrees away.
    least = (AORTIC_RADIUS_MM + AORTIC_WALL_MM) / math.sin(math.radians(60)) + 0.5
    middle = max(heart.wall.cavity.base_radius_mm - 0.55 * AORTIC_RADIUS_MM, least) - AORTIC_LEAN * z
    return np.asarray(np.hypot(x - middle * math.cos(AORTIC_ANGLE_RAD), y - middle * math.sin(AORTIC_ANGLE_RAD)))


def right_atrium(heart: Shape) -> Ellipsoid:
    """The right atrium: beside the left one, as wide as the right ventricle is at its base."""
    size = heart.right_atrial_size
    across = float(np.clip(0.55 * heart.right.width_mm, 17.0, 34.0)) * (1.12 - 0.12 * heart.filling) * size
    middle = heart.wall.cavity.base_radius_mm + 5.0 + across
    # It opens into the right ventricle, however large it is: its middle moves away as it grows.
    return Ellipsoid((-middle, -2.0, -20.0 * size), (across, 21.0 * size, 24.0 * size))
