"""What moving blood does to its signal: fresh spins make it brighter, jets and eddies darker."""

import math

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

    def __init__(
        self,
        states: tuple[HeartState, ...],
        *,
        frame_ms: float,
        sequence: Sequence,
        relaxation_ms: tuple[float, float],
        thickness_mm: float,
        across: float,
        strength: float,
        seed: int,
    ) -> None:
        self._strength, self._across = strength, across
        self._sequence, self._relaxation_ms, self._thickness_mm = sequence, relaxation_ms, thickness_mm
        self._eddies = Texture((seed, 51), 3.5)
        volumes = np.array([state.volume_ml for state in states])
        right = np.array([state.right_ml for state in states])
        # ml per s, by central differences around the beat.
        self._rate = (np.roll(volumes, -1) - np.roll(volumes, 1)) / (2e-3 * frame_ms)
        self._right_rate = (np.roll(right, -1) - np.roll(right, 1)) / (2e-3 * frame_ms)
        self._count = len(states)

    def left(
        self, index: int, state: HeartState, points_mm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, " points"]:
        """Factor on the signal of the blood of the left heart and the aorta at points of a frame."""
        heights = np.linspace(0, state.cavity.length_mm, HEIGHT_COUNT)
        area = np.pi * state.cavity.radius_mm(heights) ** 2 + 60
        beyond = np.cumsum(area[::-1])[::-1] / area.sum()
        speed = abs(self._rate[index]) * 1000 * beyond / area
        bright = self._brightness(np.asarray(speed))
        factor = np.interp(points_mm[:, 2], heights, bright) * self._swirl(index, points_mm)
        return np.asarray(factor * (1 - self._strength * self._jets(index, state, points_mm)))

    def right(
        self, index: int, state: HeartState, points_mm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, " points"]:
        """The same for the right heart."""
        section = state.right_ml * 1000 / state.right.length_mm
        speed = abs(self._right_rate[index]) * 1000 / section
        bright = self._brightness(np.array([speed * 0.6]))[0]
        return np.asarray(bright * self._swirl(index, points_mm))

    def _brightness(self, speed_mm_s: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
        """Gain by fresh blood, 1 for blood that stays."""
        through = SWIRL_MM_S + self._across * speed_mm_s
        share = FRESH_SHARE * np.clip(through / 200, 0.25, 1.5)
        gain = self._sequence.inflow(*self._relaxation_ms, through, self._thickness_mm) - 1
        return np.asarray(1 + self._strength * share * gain)

    def _swirl(self, index: int, points_mm: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " points"]:
        """Eddies that change from frame to frame and are the same again after a beat."""
        turn = 2 * np.pi * index / self._count
        x, y, z = points_mm.T
        eddies = self._eddies.at(x + 30 * np.float32(np.cos(turn)), y, z + 30 * np.float32(np.sin(turn)), 2.2)
        return np.asarray(np.clip(1 + 0.15 * self._strength * eddies, 0.3, 1.6))

    def _jets(
        self, index: int, state: HeartState, points_mm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, " points"]:
        """Share of the signal lost where blood shears: around the mitral jet, and under the aortic valve."""
        x, y, z = points_mm.T
        rate = self._rate[index]
        ring = 0.55 * state.cavity.base_radius_mm
        fill = min(max(rate, 0.0) / 450, 1.0)
        edge = np.exp(-(((np.hypot(x - 2, y) - ring) / 3.0) ** 2) - np.maximum(z, 0) / 28) * (z > -6)
        empty = min(max(-rate, 0.0) / 450, 1.0)
        middle = 0.6 * state.cavity.base_radius_mm
        outlet = np.hypot(x - middle * math.cos(AORTIC_ANGLE_RAD), y - middle * math.sin(AORTIC_ANGLE_RAD))
        under = np.exp(-((outlet / 9) ** 2) - (np.abs(z + 2) / 16) ** 2)
        return np.asarray(0.4 * fill * edge + 0.45 * empty * under)
