"""A retinal vessel, the law by which it branches, and the course that it takes around the macula.

Positions are millimetres on the retina from the middle of the optic disc: +x towards the macula, +y down.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

FOVEA_MM = (4.5, 0.45)
"""The fovea lies 15 degrees temporal of the disc and a little below."""
RAPHE_MM = 10.5
"""Where on the horizontal the temporal vessels of both halves would meet."""
RAPHE_PULL = 0.8
RAPHE_BARE_MM = 2.2
"""Around that place no vessel runs."""
AVASCULAR_MM = 0.35
"""Radius of the zone around the fovea that no vessel enters."""

Point = tuple[float, float]


@dataclass(frozen=True)
class TreeShape:
    """What makes one patient's tree of one kind of vessel.

    Args:
        trunk_radius_mm: of the central vessel in the disc.
        least_radius_mm: where a vessel becomes too fine to be followed.
        tortuosity: how much vessels wind; 1 is ordinary.
        spacing: distance between branchings; 1 is ordinary.
    """

    trunk_radius_mm: float
    least_radius_mm: float = 0.008
    tortuosity: float = 1.0
    spacing: float = 1.0


@dataclass(frozen=True)
class Vessel:
    """One vessel between two branchings, from the disc outwards."""

    points_mm: Float[np.ndarray, "points 2"]
    radii_mm: Float[np.ndarray, " points"]
    parent: int
    """Index of the vessel it springs from, -1 for the trunk."""
    radius_at_branching_mm: float
    """Before any taper: what obeys Murray's law."""


def daughters(radius: float, asymmetry: float) -> tuple[float, float]:
    """Radii of two daughters: r0^3 = r1^3 + r2^3 with r2 = asymmetry r1.

    Args:
        radius: of the parent.
        asymmetry: smaller over larger daughter, 0 to 1.

    Example:
        >>> larger, smaller = daughters(60.0, 0.5)
        >>> round(larger**3 + smaller**3, 6), round(smaller / larger, 6)
        (216000.0, 0.5)

    Source:
        Murray 1926, PNAS 12:207.
    """
    larger = radius / (1 + asymmetry**3) ** (1 / 3)
    return larger, asymmetry * larger


def branching_angles_rad(parent: float, larger: float, smaller: float) -> tuple[float, float]:
    """By how much the larger and the smaller daughter turn away from the parent's course, radians.

    cos a1 = (r0^4 + r1^4 - r2^4) / (2 r0^2 r1^2), and the same with the daughters exchanged.

    Example:
        >>> [round(math.degrees(angle), 1) for angle in branching_angles_rad(1.0, *daughters(1.0, 1.0))]
        [37.5, 37.5]

    Source:
        Murray 1926, J Gen Physiol 9:835.
    """

    def turn(own: float, other: float) -> float:
        cosine = (parent**4 + own**4 - other**4) / (2 * parent**2 * own**2)
        return math.acos(max(-1.0, min(1.0, cosine)))

    return turn(larger, smaller), turn(smaller, larger)


def course_rad(point: Point) -> float:
    """Course that a vessel takes here: field lines of a source in the disc and a weaker sink on the temporal raphe.

    They leave the disc in all directions, and those on the temporal side arch over and under the macula.
    """
    x, y = point
    source = max(x * x + y * y, 0.05)
    dx, dy = x - RAPHE_MM, y - 1.3 * FOVEA_MM[1]
    sink = max(dx * dx + dy * dy, 0.05)
    return math.atan2(y / source - RAPHE_PULL * dy / sink, x / source - RAPHE_PULL * dx / sink)


def streamline(points_mm: Float[np.ndarray, "*points 2"]) -> Float[np.ndarray, "*points"]:
    """Which field line of `course_rad` runs through each point: constant along it, radians at the disc."""
    x, y = points_mm[..., 0], points_mm[..., 1]
    return np.asarray(np.arctan2(y, x) - RAPHE_PULL * np.arctan2(y - 1.3 * FOVEA_MM[1], RAPHE_MM - x) * -1)
