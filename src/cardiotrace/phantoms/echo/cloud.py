"""Scatterers that fill a slab of the chest and move with the heart in three dimensions."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.phantoms.echo.plane import Placed
from cardiotrace.phantoms.heart.anatomy import crescent
from cardiotrace.phantoms.heart.heart import HeartState

Points = Float[np.ndarray, " points"]
FADE_MM = 20.0
"""Distance over which the tissue around the heart ceases to follow its surface."""


@dataclass(frozen=True)
class WallPlace:
    """Where a scatterer sits in the muscle, whatever the heart does.

    Lines run from the inner to the outer surface and fan out from the axis at the apex to the mitral plane.

    Args:
        fan: which line: 0 the axis, 1 the mitral plane.
        depth: along it: 0 at the endocardium, 1 at the epicardium, negative in the cavity.
        angle_rad: around the axis.
    """

    fan: Points
    depth: Points
    angle_rad: Points

    def at(self, heart: HeartState) -> Placed:
        """(x, y, z) at an instant, mm."""
        (inner, low), (outer, high) = _ends(heart, self.fan, self.angle_rad)
        radius = np.maximum(inner + self.depth * (outer - inner), 0)
        z = low + self.depth * (high - low)
        angle = self.angle_rad + math.radians(heart.twist_deg) * (z / heart.cavity.length_mm - 0.3)
        return radius * np.cos(angle) + heart.bend(z), radius * np.sin(angle), z


def _ends(heart: HeartState, fan: Points, angle_rad: Points) -> tuple[tuple[Points, Points], tuple[Points, Points]]:
    """Distance from the axis and height of the inner and the outer end of each line."""
    cavity, outer = heart.cavity, heart.epicardium
    low = cavity.equator_mm + cavity.long_mm * np.cos(fan * cavity.base_angle_rad)
    high = outer.equator_mm + outer.long_mm * np.cos(fan * outer.base_angle_rad)
    low, high = np.maximum(low, 0), np.maximum(high, 0)
    return (heart.wall.inner_radius(low, angle_rad), low), (heart.wall.outer_radius(high, angle_rad), high)


def wall_place(points: Placed, heart: HeartState) -> WallPlace:
    """Where points in the wall, or near it in the cavity, sit: by halving, which line each lies on."""
    x, y, z = points
    x = x - heart.bend(z)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    low, high = np.zeros_like(z), np.ones_like(z)
    # Lines fan out without crossing, so which side of a line a point lies on tells in which half its own line is: 26
    # halvings find it to a hundred-millionth of the fan.
    for _ in range(26):
        middle = (low + high) / 2
        (inner, z_in), (outer, z_out) = _ends(heart, middle, angle)
        beyond = (radius - inner) * (z_out - z_in) - (z - z_in) * (outer - inner) > 0
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    (inner, z_in), (outer, z_out) = _ends(heart, low, angle)
    along = (outer - inner, z_out - z_in)
    depth = ((radius - inner) * along[0] + (z - z_in) * along[1]) / np.maximum(along[0] ** 2 + along[1] ** 2, 1e-9)
    return WallPlace(low, depth, angle - math.radians(heart.twist_deg) * (z / heart.cavity.length_mm - 0.3))


class Around:
    """Where scatterers outside of the left ventricle's wall go: they follow the nearest surface of the heart.

    Args:
        points: (x, y, z) at end-diastole, mm.
        first: the heart at end-diastole.
    """

    def __init__(self, points: Placed, first: HeartState) -> None:
        x, y, z = points
        x = x - first.bend(z)
        self._first, self._z = first, z
        self._radius = np.hypot(x, y)
        away = np.maximum(self._radius, 1e-9)
        self._cosine, self._sine = x / away, y / away
        self._angle = np.arctan2(y, x)
        self._share = np.clip(z / first.epicardium.length_mm, 0, 1)
        ratio = first.epicardium.length_mm / first.right.length_mm
        self._crescent = crescent(self._share * ratio, self._angle, first.right.half_angle_rad)
        self._outer = self._surface(first)
        self._edge = self._outer + first.right.width_mm * self._crescent
        self._base = self._base_radius(first)
        self.is_right: Bool[np.ndarray, " points"] = (self._radius < self._edge) & (z >= 0)
        self._fade = np.exp(-np.maximum(self._radius - self._edge, 0) / FADE_MM)
        self._base_fade = np.exp(-np.maximum(self._radius - self._base, 0) / FADE_MM)
        self._blend = np.exp(np.minimum(z, 0) / 8)
        # What is far to the side of the heart does not go up and down with it.
        self._hold = np.exp(-np.maximum(self._radius - np.maximum(self._edge, 30), 0) / (2 * FADE_MM))

    def at(self, heart: HeartState) -> Placed:
        """(x, y, z) at an instant, mm."""
        first = self._first
        z = self._height(heart)
        outer = self._surface(heart)
        widened = heart.right.width_mm - first.right.width_mm
        pushed = (outer - self._outer + widened * self._crescent) * self._fade
        # Inside of the right ventricle blood keeps its share of the way from septum to free wall; outside, tissue is
        # pushed by both, less and less with distance.
        inside = outer - self._outer + (self._radius - self._outer) * widened / first.right.width_mm
        upper = np.where(self.is_right, inside, pushed)
        lower = (self._base_radius(heart) - self._base) * self._base_fade
        radius = np.maximum(self._radius + np.where(self._z < 0, lower + self._blend * (upper - lower), upper), 0)
        return radius * self._cosine + heart.bend(z), radius * self._sine, z

    def _height(self, heart: HeartState) -> Points:
        """Heights: stretched along ventricle and atrium, fixed in the chest beyond them and far aside."""
        first, z = self._first, self._z
        roof, grown = first.atrium.length_mm, heart.epicardium.length_mm - first.epicardium.length_mm
        above = self._share * heart.epicardium.length_mm + np.maximum(z - first.epicardium.length_mm, 0)
        below = np.where(z > -roof, z * (heart.atrium.length_mm / roof), z + grown)
        followed = np.where(z >= 0, above, below)
        return np.asarray(followed + (1 - self._hold) * (z + grown - followed))

    def _surface(self, heart: HeartState) -> Points:
        return heart.wall.outer_radius(self._share * heart.epicardium.length_mm, self._angle)

    def _base_radius(self, heart: HeartState) -> Points:
        share = np.clip(-self._z / self._first.atrium.length_mm, 0, 1)
        return heart.atrium.radius_mm(share * heart.atrium.length_mm)
