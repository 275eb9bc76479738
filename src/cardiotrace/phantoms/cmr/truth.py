"""What is true of a cine-MRI: the heart's own numbers, and what slices give when every section is known exactly."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.phantoms.cmr.slices import section_areas
from cardiotrace.phantoms.heart.heart import MYOCARDIAL_DENSITY_G_PER_ML, HeartState
from cardiotrace.phantoms.heart.truth import Series, Truth, volumes_of


@dataclass(frozen=True, kw_only=True)
class CmrTruth(Truth):
    """The answer: one entry per frame.

    Volumes are of the heart itself; those that begin with `sliced` are what the stack's slices give when every
    section is known exactly: areas times the distance between slices, of the slices where breath put them.
    """

    slice_heights_mm: Float[np.ndarray, " slices"]
    """Of the slices' middles above the mitral plane of end-diastole."""
    sliced_volume_ml: Series
    sliced_right_ml: Series
    sliced_wall_ml: Series

    @property
    def sliced_mass_g(self) -> float:
        """Mass that the end-diastolic slices give, g."""
        return float(self.sliced_wall_ml[self.end_diastolic_frame]) * MYOCARDIAL_DENSITY_G_PER_ML


def cmr_truth(
    states: tuple[HeartState, ...], times_ms: Series, heights_mm: Float[np.ndarray, " slices"], step_mm: float
) -> CmrTruth:
    """All that is true of the states of one beat.

    Args:
        states: the beat.
        times_ms: its instants.
        heights_mm: at which the slices cut the heart, above the mitral plane of end-diastole.
        step_mm: distance between slices.
    """
    sliced = [section_areas(state, heights_mm) for state in states]
    volumes = volumes_of(states)
    return CmrTruth(
        times_ms=times_ms,
        volume_ml=volumes.left,
        right_ml=volumes.right,
        wall_ml=volumes.wall,
        slice_heights_mm=heights_mm,
        sliced_volume_ml=np.array([areas.left.sum() for areas in sliced]) * step_mm / 1000,
        sliced_right_ml=np.array([areas.right.sum() for areas in sliced]) * step_mm / 1000,
        sliced_wall_ml=np.array([areas.wall.sum() for areas in sliced]) * step_mm / 1000,
    )
