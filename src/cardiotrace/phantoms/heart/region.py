"""What makes one part of the wall differ from the rest: a scar that does not move, a septum that is too thick."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError

Points = Float[np.ndarray, "*points"]


@dataclass(frozen=True)
class Patch:
    """A smooth patch on the wall: 1 in its middle, 0 at its rim and outside.

    Args:
        angle_deg: its middle around the axis: 0 anterolateral, 60 anterior, 120 anteroseptal, 180 inferoseptal,
            240 inferior, 300 inferolateral.
        half_angle_deg: from middle to rim, around the axis; 360 or more for all around.
        height: its middle over the length of the body, 0 at the mitral plane, 1 at the apex.
        half_height: from middle to rim, over the length of the body.
    """

    angle_deg: float
    half_angle_deg: float
    height: float
    half_height: float

    def __post_init__(self) -> None:
        if not (self.half_angle_deg > 0 and self.half_height > 0):
            raise InputError("a patch of the wall has no extent", remedy="give positive half angle and half height.")

    def weight(self, share: Points, angle_rad: Points) -> Points:
        """How much of the patch is at a height, over the length, and an angle: 0 to 1."""
        away = np.abs(np.remainder(angle_rad - math.radians(self.angle_deg) + np.pi, 2 * np.pi) - np.pi)
        around = _bump(away / math.radians(self.half_angle_deg)) if self.half_angle_deg < 360 else 1.0
        return np.asarray(around * _bump((share - self.height) / self.half_height))


@dataclass(frozen=True)
class Scar:
    """An infarct: wall that is thinner and does not work.

    Args:
        patch: where it is.
        stillness: share of its motion that its middle has lost; above 1 it moves outwards in systole.
        thinning: share of its thickness that its middle has lost.
    """

    patch: Patch
    stillness: float = 1.0
    thinning: float = 0.3


@dataclass(frozen=True)
class Thickening:
    """Wall that is thicker than the rest, as the septum in hypertrophic cardiomyopathy.

    Args:
        patch: where it is.
        excess: additional thickness of its middle over that of the rest.
    """

    patch: Patch
    excess: float = 0.5


def _bump(share: Points) -> Points:
    """Smooth bump that is nearly flat on top: 1 at 0, 0 from 1 on."""
    return np.asarray(np.clip(1 - share**2, 0, 1) ** 2 * (1 + 2 * np.clip(share, -1, 1) ** 2))
