"""The heart cycle: how full the ventricle is, and how far the mitral valve is open, at every instant."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError

EARLY_FILLING_SHARE = 0.68
DIASTASIS_SHARE = 0.04
"""Shares of the stroke volume that come in during rapid filling and diastasis; the atrial kick brings the rest."""


@dataclass(frozen=True)
class CardiacCycle:
    """One beat from end-diastole to the next, cut into its phases.

    Ejection lasts 413 - 1.7 HR ms; isovolumic relaxation takes 9 % of the beat, so that twelve frames or more
    per beat always catch end-systole exactly; diastasis is what is left, and vanishes in fast hearts.

    Args:
        heart_rate_bpm: beats per minute, 40 to 150.

    Raises:
        InputError: the heart rate is out of range.

    Example:
        >>> cycle = CardiacCycle(60.0)
        >>> cycle.filling(np.array([0.0, cycle.end_systole_ms, 1000.0])).tolist()
        [1.0, 0.0, 1.0]

    Source:
        Weissler et al. 1968, Circulation 37:149 (ejection time against heart rate).
    """

    heart_rate_bpm: float = 65.0

    def __post_init__(self) -> None:
        if not 40 <= self.heart_rate_bpm <= 150:
            raise InputError(f"heart rate {self.heart_rate_bpm} /min is out of range", remedy="give 40 to 150 /min.")

    @property
    def duration_ms(self) -> float:
        """Length of the beat, ms."""
        return 60_000 / self.heart_rate_bpm

    @property
    def bounds_ms(self) -> tuple[float, ...]:
        """Ends of isovolumic contraction, ejection, isovolumic relaxation, rapid filling, diastasis and beat, ms."""
        ejection = 413 - 1.7 * self.heart_rate_bpm
        systole = (50.0, ejection, 0.09 * self.duration_ms)
        left = self.duration_ms - sum(systole)
        scale = min(1.0, left / 270)
        diastole = (160 * scale, left - 270 * scale, 110 * scale)
        return tuple(float(bound) for bound in np.cumsum((*systole, *diastole)))

    @property
    def end_systole_ms(self) -> float:
        """The instant at which ejection ends, ms."""
        return self.bounds_ms[1]

    def times_ms(self, frame_count: int) -> Float[np.ndarray, " time"]:
        """Equidistant instants over one beat, the first at end-diastole, ms."""
        return np.asarray(np.linspace(0, self.duration_ms, frame_count, endpoint=False), np.float64)

    def filling(self, times_ms: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """How full the ventricle is: 1 at end-diastole, 0 at end-systole.

        Smooth, constant in both isovolumic phases, falling in ejection, rising in rapid filling, diastasis
        and atrial kick. The volume is ESV + filling (EDV - ESV).
        """
        contraction, ejection, relaxation, early, diastasis, end = self.bounds_ms
        time = np.mod(times_ms, self.duration_ms)
        kick = 1 - EARLY_FILLING_SHARE - DIASTASIS_SHARE
        # What a short diastasis has no time for comes in early, or the volume would jump in fast hearts.
        slow = DIASTASIS_SHARE * min(1.0, (diastasis - early) / 100)
        emptied = _ramp(np.clip((time - contraction) / (ejection - contraction), 0, 1) ** 0.85)
        filled = (
            (1 - kick - slow) * _ramp((time - relaxation) / (early - relaxation))
            + slow * _ramp((time - early) / max(diastasis - early, 1e-9))
            + kick * _ramp((time - diastasis) / (end - diastasis))
        )
        return np.asarray(np.where(time < ejection, 1 - emptied, filled))

    def mitral_opening(self, times_ms: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """How far the mitral leaflets are open, 0 to 1: wide in rapid filling, half shut in diastasis, wide again."""
        _, _, relaxation, early, diastasis, end = self.bounds_ms
        knots = [0.0, relaxation, 0.65 * relaxation + 0.35 * early, early, diastasis]
        heights = [0.0, 0.0, 1.0, 0.35, 0.3]
        knots += [0.5 * (diastasis + end), end]
        heights += [0.75, 0.0]
        return np.asarray(np.interp(np.mod(times_ms, self.duration_ms), knots, heights))

    def aortic_opening(self, times_ms: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """How far the aortic cusps are open, 0 to 1: only during ejection, quickly open, slowly drifting shut."""
        contraction, ejection = self.bounds_ms[:2]
        knots = [0.0, contraction, contraction + 30, 0.75 * ejection, ejection, self.duration_ms]
        return np.asarray(np.interp(np.mod(times_ms, self.duration_ms), knots, [0.0, 0.0, 1.0, 0.8, 0.0, 0.0]))


def _ramp(share: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Smooth step from 0 to 1 with level ends."""
    held = np.clip(share, 0, 1)
    return np.asarray(held * held * (3 - 2 * held))
