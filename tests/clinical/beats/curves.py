"""Curves of volumes whose instants are known: the heart cycle of the phantoms."""

from dataclasses import dataclass

import numpy as np

from cardiotrace.clinical.beats.search import SizeCurve
from cardiotrace.clinical.beats.smoothing import stands_out
from cardiotrace.phantoms.heart.heart import Heart

HEART = Heart()


@dataclass(frozen=True)
class Known:
    """A film of a heart that beats regularly, from any instant of its beat on."""

    heart: Heart = HEART
    rate_hz: float = 50.0
    beats: float = 1.0
    start: float = 0.0
    """Where in the beat it begins, as a share of the beat."""

    @property
    def times_ms(self) -> np.ndarray:
        return np.arange(round(self.beats * self.period_ms * self.rate_hz / 1000)) * 1000 / self.rate_hz

    @property
    def period_ms(self) -> float:
        return self.heart.cycle.duration_ms

    @property
    def volumes_ml(self) -> np.ndarray:
        filling = self.heart.cycle.filling(self.times_ms + self.start * self.period_ms)
        return self.heart.end_systolic_ml + filling * (self.heart.end_diastolic_ml - self.heart.end_systolic_ml)

    def frames_of(self, instant_ms: float) -> np.ndarray:
        """Frames, with parts, at which an instant of the beat is shown."""
        first = instant_ms - self.start * self.period_ms
        shown = first + self.period_ms * np.arange(-1, self.beats + 2)
        return shown * self.rate_hz / 1000

    @property
    def end_diastoles(self) -> np.ndarray:
        return self.frames_of(0.0)

    @property
    def end_systoles(self) -> np.ndarray:
        return self.frames_of(self.heart.cycle.end_systole_ms)


def curve_of(known: Known, noise: float = 0.0, seed: int = 0, *, is_round: bool = False, **facts) -> SizeCurve:
    """Its curve, each frame wrong by a share of its size."""
    sizes = known.volumes_ml * (1 + noise * np.random.default_rng(seed).standard_normal(len(known.times_ms)))
    odd = stands_out(sizes, interval_ms=1000 / known.rate_hz, is_round=is_round)
    return SizeCurve(sizes, odd, known.times_ms, is_round=is_round, **facts)


def nearest(frame: int, known: np.ndarray) -> float:
    """Distance of a frame from the nearest of the known ones."""
    return float(np.abs(frame - known).min())
