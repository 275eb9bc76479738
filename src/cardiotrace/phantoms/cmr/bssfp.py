"""What balanced steady-state free precession makes of each substance, in closed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Complex, Float

from cardiotrace.core.errors import InputError

FAT_SHIFT_PPM = -3.4
HZ_PER_PPM = 42.577
"""Of protons at one tesla."""


class Substance(IntEnum):
    """What a point of the body is made of, as far as its signal goes."""

    AIR = 0
    ARTERIAL = 1
    VENOUS = 2
    MYOCARDIUM = 3
    MUSCLE = 4
    FAT = 5
    LUNG = 6
    LIVER = 7
    SPLEEN = 8
    KIDNEY = 9
    MARROW = 10
    CORTEX = 11
    FLUID = 12
    GUT = 13
    PERICARDIUM = 14
    EPICARDIAL = 15
    """Fat, vessels and connective tissue around the heart, finer than a pixel: their signals partly cancel."""
    RIGHT = 16
    """Blood of the right heart: venous, but it flows in as fast as that of the left."""


@dataclass(frozen=True)
class Relaxation:
    """Protons and their relaxation.

    Args:
        density: of protons, 1 in blood.
        t1_ms, t2_ms: relaxation times at 1.5 T, ms.
        t1_high_ms, t2_high_ms: at 3 T, ms.
        fat_share: share of the protons that belong to fat.
    """

    density: float
    t1_ms: float
    t2_ms: float
    t1_high_ms: float
    t2_high_ms: float
    fat_share: float = 0.0

    def at(self, field_t: float) -> tuple[float, float]:
        """T1 and T2 at a field strength, ms, on a straight line between the two that are known."""
        share = (field_t - 1.5) / 1.5
        return (
            self.t1_ms + share * (self.t1_high_ms - self.t1_ms),
            self.t2_ms + share * (self.t2_high_ms - self.t2_ms),
        )


RELAXATION: Mapping[Substance, Relaxation] = {
    Substance.ARTERIAL: Relaxation(1.0, 1550, 250, 1930, 180),
    Substance.VENOUS: Relaxation(1.0, 1550, 170, 1930, 100),
    Substance.RIGHT: Relaxation(1.0, 1550, 165, 1930, 100),
    Substance.MYOCARDIUM: Relaxation(0.84, 1000, 50, 1180, 45),
    Substance.MUSCLE: Relaxation(0.85, 1010, 38, 1410, 36),
    Substance.FAT: Relaxation(0.82, 290, 75, 370, 68, fat_share=1.0),
    Substance.LUNG: Relaxation(0.5, 1170, 30, 1300, 24),
    Substance.LIVER: Relaxation(0.62, 580, 45, 810, 34),
    Substance.SPLEEN: Relaxation(0.85, 1060, 79, 1330, 61),
    Substance.KIDNEY: Relaxation(0.85, 1000, 85, 1190, 65),
    Substance.MARROW: Relaxation(0.7, 550, 49, 590, 45, fat_share=0.3),
    Substance.CORTEX: Relaxation(0.15, 500, 8, 500, 8),
    Substance.FLUID: Relaxation(1.0, 2800, 1200, 3000, 1000),
    Substance.GUT: Relaxation(0.85, 900, 70, 1100, 60),
    Substance.EPICARDIAL: Relaxation(0.6, 900, 58, 1100, 52),
    Substance.PERICARDIUM: Relaxation(0.25, 900, 25, 1100, 22),
}
"""After de Bazelaire et al. 2004, Radiology 230:652; Stanisz et al. 2005, Magn Reson Med 54:507; von Knobelsdorff-
Brenkenhoff et al. 2013, J Cardiovasc Magn Reson 15:53 (myocardium); densities by the contrast of ACDC."""


@dataclass(frozen=True)
class Sequence:
    """Balanced steady-state free precession with alternating pulses, read in the middle between two of them.

    Args:
        field_t: field strength, T, 0.5 to 3.
        repetition_ms: time between pulses, ms.
        flip_deg: flip angle, degrees.

    Raises:
        InputError: a value is out of range.
    """

    field_t: float
    repetition_ms: float
    flip_deg: float

    def __post_init__(self) -> None:
        for name, low, high in (("field_t", 0.5, 3.0), ("repetition_ms", 1, 20), ("flip_deg", 1, 90)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} = {value} is out of range", remedy=f"give {low} to {high}.")

    def steady(
        self, t1_ms: float, t2_ms: float, off_hz: Float[np.ndarray, "*points"]
    ) -> Complex[np.ndarray, "*points"]:
        """Signal of spins that have seen many pulses, per unit of protons.

        M = (1 - E1) sin a (1 - E2 exp(-i p)) / (C cos p + D) with C = E2 (E1 - 1)(1 + cos a),
        D = 1 - E1 cos a - (E1 - cos a) E2^2 and p the turn between two pulses plus pi, which the alternation of
        the pulses adds; times exp(-TE/T2) and the turn until the echo at TE = TR/2.

        Args:
            t1_ms: longitudinal relaxation time, ms.
            t2_ms: transverse relaxation time, ms.
            off_hz: how far off resonance the spins are, Hz.

        Example:
            >>> sequence = Sequence(1.5, 3.0, 60.0)
            >>> abs(sequence.steady(1000.0, 50.0, np.array([0.0, 1000 / 6]))).round(3).tolist()
            [0.075, 0.003]

        Source:
            Freeman and Hill 1971, J Magn Reson 4:366.
        """
        e1, e2 = np.exp(-self.repetition_ms / t1_ms), np.exp(-self.repetition_ms / t2_ms)
        flip = np.deg2rad(self.flip_deg)
        turn = 2e-3 * np.pi * self.repetition_ms * np.asarray(off_hz, np.float64)
        p = turn + np.pi
        denominator = e2 * (e1 - 1) * (1 + np.cos(flip)) * np.cos(p)
        denominator = denominator + 1 - e1 * np.cos(flip) - (e1 - np.cos(flip)) * e2**2
        magnetisation = (1 - e1) * np.sin(flip) * (1 - e2 * np.exp(-1j * p)) / denominator
        return np.asarray(magnetisation * np.sqrt(e2) * np.exp(1j * turn / 2))

    def signal(self, substance: Substance, off_hz: Float[np.ndarray, "*points"]) -> Complex[np.ndarray, "*points"]:
        """Steady signal of a substance; its fat lies 3.4 ppm below its water."""
        if substance is Substance.AIR:
            return np.zeros(np.shape(off_hz), np.complex128)
        made = RELAXATION[substance]
        t1, t2 = made.at(self.field_t)
        water = self.steady(t1, t2, off_hz)
        if made.fat_share == 0:
            return made.density * water
        shift = FAT_SHIFT_PPM * HZ_PER_PPM * self.field_t
        # Two signals of one substance, added with their phases: where the bands of one fall on the other, they
        # cancel.
        fat = self.steady(t1, t2, np.asarray(off_hz) + shift)
        return np.asarray(made.density * ((1 - made.fat_share) * water + made.fat_share * fat))

    def inflow(
        self, t1_ms: float, t2_ms: float, speed_mm_s: Float[np.ndarray, "*points"], thickness_mm: float
    ) -> Float[np.ndarray, "*points"]:
        """How much brighter blood is that crosses the slice than blood that stays, 1 or more.

        Fresh spins start at sin(a/2) and fall to the steady state by l = E1 cos^2(a/2) + E2 sin^2(a/2) a pulse;
        blood stays n = thickness / (speed TR) pulses, and the mean over those is
        1 + (sin(a/2) / M - 1)(1 - l^n) / (n (1 - l)).

        Source:
            Scheffler 2003, Magn Reson Med 49:781 (decay of the transient).
        """
        flip = np.deg2rad(self.flip_deg)
        e1, e2 = np.exp(-self.repetition_ms / t1_ms), np.exp(-self.repetition_ms / t2_ms)
        decay = e1 * np.cos(flip / 2) ** 2 + e2 * np.sin(flip / 2) ** 2
        steady = float(abs(self.steady(t1_ms, t2_ms, np.zeros(1))[0]))
        # Blood that crosses within one pulse has seen one pulse: no faster blood is brighter.
        stay = np.maximum(thickness_mm * 1000 / (np.maximum(speed_mm_s, 1e-3) * self.repetition_ms), 1.0)
        # `expm1` keeps the digits where blood hardly moves and the decay is all but complete.
        held = -np.expm1(stay * np.log(decay)) / (stay * (1 - decay))
        return np.asarray(1 + max(np.sin(flip / 2) / steady - 1, 0.0) * held)
