"""What moving blood does to its signal: fresh spins make it brighter, jets and eddies darker."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.phantoms.cmr.bssfp import Sequence
from cardiotrace.phantoms.cmr.texture import Texture
from cardiotrace.phantoms.heart.anatomy import AORTIC_ANGLE_RAD
from cardiotrace.phantoms.heart.heart import HeartState

FRESH_SHARE = 0.22
"""Share of the blood in a slice that comes from outside of what the pulses reach; the rest swirls about in it."""
SWIRL_MM_S = 35.0
HEIGHT_COUNT = 64


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Brightness of blood by place and frame.

    Args:
        states: the heart in every frame.
        frame_ms: time from frame to frame, ms.
        sequence: what images it.
        relaxation_ms: T1 and T2 of blood, ms.
        thickness_mm: of the slice.
        across: cosine of the angle between the heart's axis and the slice's normal.
        strength: of all effects, 1 as in life.
        seed: of the eddies.
    """

    states: tuple[HeartState, ...]
    frame_ms: float
    sequence: Sequence
    relaxation_ms: tuple[float, float]
    thickness_mm: float
    across: float
    strength: float
    seed: int

    @cached_property
    def left_rate_ml_s(self) -> Float[np.ndarray, " frames"]:
        """By how much the left ventricle grows in each frame, ml/s."""
        return self._rate([state.volume_ml for state in self.states])

    @cached_property
    def right_rate_ml_s(self) -> Float[np.ndarray, " frames"]:
        """The same of the right ventricle."""
        return self._rate([state.right_ml for state in self.states])

    def _rate(self, volumes_ml: list[float]) -> Float[np.ndarray, " frames"]:
        """Central differences; the first frame follows the last, as beat follows beat."""
        volumes = np.array(volumes_ml)
        return np.asarray((np.roll(volumes, -1) - np.roll(volumes, 1)) / (2e-3 * self.frame_ms))

    @cached_property
    def _eddies(self) -> Texture:
        return Texture((self.seed, 51), 3.5)

    def left(
        self, index: int, state: HeartState, points_mm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, " points"]:
        """Factor on the signal of the blood of the left heart and the aorta at points of a frame."""
        heights = np.linspace(0, state.cavity.length_mm, HEIGHT_COUNT)
        # A rest of section at the apex, or blood would be without bound in its speed there.
        area = np.pi * state.cavity.radius_mm(heights) ** 2 + 60
        # What passes a height is what the cavity beyond it gains or loses: speed follows from area and continuity.
        beyond = np.cumsum(area[::-1])[::-1] / area.sum()
        speed = abs(self.left_rate_ml_s[index]) * 1000 * beyond / area
        bright = self._brightness(np.asarray(speed))
        factor = np.interp(points_mm[:, 2], heights, bright) * self._swirl(index, points_mm)
        return np.asarray(factor * (1 - self.strength * self._jets(index, state, points_mm)))

    def right(
        self, index: int, state: HeartState, points_mm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, " points"]:
        """The same for the right heart."""
        section = state.right_ml * 1000 / state.right.length_mm
        speed = abs(self.right_rate_ml_s[index]) * 1000 / section
        bright = self._brightness(np.array([speed * 0.6]))[0]
        return np.asarray(bright * self._swirl(index, points_mm))

    def _brightness(self, speed_mm_s: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
        """Gain by fresh blood, 1 for blood that stays."""
        through = SWIRL_MM_S + self.across * speed_mm_s
        share = FRESH_SHARE * np.clip(through / 200, 0.25, 1.5)
        gain = self.sequence.inflow(*self.relaxation_ms, through, self.thickness_mm) - 1
        return np.asarray(1 + self.strength * share * gain)

    def _swirl(self, index: int, points_mm: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Eddies that change from frame to frame and are the same again after a beat."""
        turn = 2 * np.pi * index / len(self.states)
        x, y, z = points_mm.T
        # Walked through on a circle: after a beat the texture is where it began, without a seam.
        eddies = self._eddies.at(x + 30 * np.float32(np.cos(turn)), y, z + 30 * np.float32(np.sin(turn)), 2.2)
        return np.asarray(np.clip(1 + 0.15 * self.strength * eddies, 0.3, 1.6))

    def _jets(
        self, index: int, state: HeartState, points_mm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, " points"]:
        """Share of the signal lost where blood shears: around the mitral jet, and under the aortic valve."""
        x, y, z = points_mm.T
        rate = self.left_rate_ml_s[index]
        ring = 0.55 * state.cavity.base_radius_mm
        fill = min(max(rate, 0.0) / 450, 1.0)
        edge = np.exp(-(((np.hypot(x - 2, y) - ring) / 3.0) ** 2) - np.maximum(z, 0) / 28) * (z > -6)
        empty = min(max(-rate, 0.0) / 450, 1.0)
        middle = 0.6 * state.cavity.base_radius_mm
        outlet = np.hypot(x - middle * math.cos(AORTIC_ANGLE_RAD), y - middle * math.sin(AORTIC_ANGLE_RAD))
        under = np.exp(-((outlet / 9) ** 2) - (np.abs(z + 2) / 16) ** 2)
        return np.asarray(0.4 * fill * edge + 0.45 * empty * under)
