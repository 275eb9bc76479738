"""What is true of a heart over one beat, whatever images it, and the exam that knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from cardiotrace.core.exam import Exam
from cardiotrace.core.label import LabelMap
from cardiotrace.phantoms.heart.heart import MYOCARDIAL_DENSITY_G_PER_ML, HeartState

Series = Float[np.ndarray, " time"]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The answer of the heart itself: one entry per frame.

    Args:
        times_ms: instants.
        volume_ml: left cavity, papillary muscles included.
        right_ml: right cavity.
        wall_ml: left myocardium, papillary muscles excluded.
    """

    times_ms: Series
    volume_ml: Series
    right_ml: Series
    wall_ml: Series

    @property
    def end_diastolic_frame(self) -> int:
        """Where the left cavity is largest, from zero."""
        return int(np.argmax(self.volume_ml))

    @property
    def end_systolic_frame(self) -> int:
        """Where the left cavity is smallest, from zero."""
        return int(np.argmin(self.volume_ml))

    @property
    def end_diastolic_ml(self) -> float:
        """Largest left cavity volume, ml."""
        return float(self.volume_ml[self.end_diastolic_frame])

    @property
    def end_systolic_ml(self) -> float:
        """Smallest left cavity volume, ml."""
        return float(self.volume_ml[self.end_systolic_frame])

    @property
    def ejection_fraction_percent(self) -> float:
        """Share of the left end-diastolic volume that the beat ejects, percent."""
        return 100 * (1 - self.end_systolic_ml / self.end_diastolic_ml)

    @property
    def right_ejection_fraction_percent(self) -> float:
        """Share of the right ventricle's end-diastolic volume that the beat ejects, percent."""
        return float(100 * (1 - self.right_ml[self.end_systolic_frame] / self.right_ml[self.end_diastolic_frame]))

    @property
    def mass_g(self) -> float:
        """Mass of the left ventricle's wall, g."""
        return float(self.wall_ml[self.end_diastolic_frame]) * MYOCARDIAL_DENSITY_G_PER_ML


class Volumes(NamedTuple):
    """Volumes of a heart, per state, ml."""

    left: Series
    right: Series
    wall: Series


def volumes_of(states: tuple[HeartState, ...]) -> Volumes:
    """Volumes of the cavities and the left wall in each state, ml."""
    values = [(state.volume_ml, state.right_ml, state.wall_ml) for state in states]
    return Volumes(*(np.array(series) for series in zip(*values, strict=True)))


AnyTruth = TypeVar("AnyTruth", bound=Truth, covariant=True)


@dataclass(frozen=True)
class PhantomExam(Generic[AnyTruth]):
    """An exam that was made, not measured: its labels by image name, and what is true of it."""

    exam: Exam
    labels: Mapping[str, LabelMap]
    truth: AnyTruth
