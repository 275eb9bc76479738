"""Thin things in the blood: trabeculae along the inside of both ventricles, leaflets of the mitral valve."""

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.phantoms.cmr.texture import Texture
from cardiotrace.phantoms.heart.heart import HeartState

LEFT_REACH_MM, RIGHT_REACH_MM = 4.0, 4.6
"""Depth from the wall over which the share of strands falls to a third or so."""
LEAFLET_SHUT_MM, LEAFLET_OPEN_MM = 4.0, 16.0
"""How far the tips reach below the ring."""


class Strands:
    """Strands that move with the wall, and are pressed together as it moves inwards.

    Args:
        first: the heart at end-diastole.
        seed: of where the strands are.
    """

    def __init__(self, first: HeartState, seed: int) -> None:
        self._first = first
        self._texture = Texture((seed, 41), 1.6)
        self._patches = Texture((seed, 42), 4.0)

    def left(self, state: HeartState, points_mm: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
        """Whether points of the left cavity lie in a strand; there are more towards the apex."""
        x, y, z = points_mm.T
        x = x - state.bend(z)
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        share = z / state.cavity.length_mm
        away = state.wall.inner_radius(z, angle) - radius
        pressed = np.sqrt(state.cavity.short_mm / self._first.cavity.short_mm)
        reach = LEFT_REACH_MM * pressed * (0.35 + 1.3 * np.clip(share, 0, 1))
        return self._found(angle, share, away / pressed, away / reach - 0.25, self._first.cavity.short_mm)

    def right(self, state: HeartState, points_mm: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
        """Whether points of the right cavity lie in a strand: along the free wall and around the apex."""
        x, y, z = points_mm.T
        x = x - state.bend(z)
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        share = z / state.right.length_mm
        width = state.right.width(z, angle)
        away = state.wall.outer_radius(z, angle) + width - radius
        reach = RIGHT_REACH_MM * (0.4 + 1.6 * np.clip(share, 0, 1))
        return self._found(angle, share, away, away / reach - 0.1, self._first.epicardium.short_mm + 15)

    def _found(
        self,
        angle: Float[np.ndarray, " points"],
        share: Float[np.ndarray, " points"],
        away: Float[np.ndarray, " points"],
        level: Float[np.ndarray, " points"],
        radius_mm: float,
    ) -> Bool[np.ndarray, " points"]:
        """Where the noise, in coordinates of the wall, exceeds a level that rises with the distance from it."""
        length = self._first.cavity.length_mm
        around = (angle + np.float32(np.pi)) * np.float32(radius_mm)
        # Strands run along the ventricle: they are longer there than wide.
        noise = self._texture.at(around, share * np.float32(length * 0.7), away, 1.0)
        patches = self._patches.at(around, share * np.float32(length), away, 2.0)
        return np.asarray(noise + 0.9 * patches > 1.5 * level)


def mitral_leaflets(
    state: HeartState, points_mm: Float[np.ndarray, "points 3"], thickness_mm: float
) -> Bool[np.ndarray, " points"]:
    """Whether points of the left heart lie in a leaflet: a flat cone when shut, a funnel when open."""
    x, y, z = points_mm.T
    ring, wide = state.cavity.base_radius_mm, state.mitral_opening
    tip = 0.65 * ring * wide
    slope = (LEAFLET_SHUT_MM + (LEAFLET_OPEN_MM - LEAFLET_SHUT_MM) * wide) / (ring - tip)
    radius = np.hypot(x, y)
    away = np.abs(z - slope * (ring - radius)) / np.sqrt(1 + slope**2)
    return np.asarray((away < thickness_mm / 2) & (radius > tip) & (radius < ring))
