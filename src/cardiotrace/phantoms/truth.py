"""What is true of a phantom: its quantities from the formulas, its contours on the picture, its labels."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.phantoms.heart import MYOCARDIAL_DENSITY_G_PER_ML, Heart, HeartState
from cardiotrace.phantoms.sector import HALF_ANGLE_RAD, Sector

Outline = Float[np.ndarray, "points 2"]
MARGIN_MM = 1.5
"""Least distance between a contour and the edge of the sector."""


@dataclass(frozen=True)
class Truth:
    """The answer: one entry per frame, quantities from closed forms, contours as (row, column) of the picture."""

    times_ms: Float[np.ndarray, " time"]
    volume_ml: Float[np.ndarray, " time"]
    area_cm2: Float[np.ndarray, " time"]
    """Cavity in the four-chamber plane."""
    length_mm: Float[np.ndarray, " time"]
    """Cavity from the middle of the mitral plane to the apex."""
    contour_length_mm: Float[np.ndarray, " time"]
    """Endocardium from hinge to hinge."""
    wall_ml: Float[np.ndarray, " time"]
    end_diastolic_frame: int
    end_systolic_frame: int
    endocardium: tuple[Outline, ...]
    """From the septal hinge of the mitral valve over the apex to the lateral one; the mitral plane closes it."""
    epicardium: tuple[Outline, ...]
    """Likewise, open at the mitral plane."""
    atrium: tuple[Outline, ...]
    """Left atrium, from hinge over roof to hinge."""

    @property
    def end_diastolic_ml(self) -> float:
        """Largest cavity volume, ml."""
        return float(self.volume_ml[self.end_diastolic_frame])

    @property
    def end_systolic_ml(self) -> float:
        """Smallest cavity volume, ml."""
        return float(self.volume_ml[self.end_systolic_frame])

    @property
    def ejection_fraction_percent(self) -> float:
        """Share of the end-diastolic volume that the beat ejects, percent."""
        return 100 * (1 - self.end_systolic_ml / self.end_diastolic_ml)

    @property
    def mass_g(self) -> float:
        """Mass of the left ventricle's wall, g."""
        return float(self.wall_ml[0]) * MYOCARDIAL_DENSITY_G_PER_ML

    @property
    def global_longitudinal_strain_percent(self) -> float:
        """Change of the endocardial contour's length from end-diastole to end-systole, percent, negative."""
        first, last = (self.contour_length_mm[i] for i in (self.end_diastolic_frame, self.end_systolic_frame))
        return float(100 * (last / first - 1))


@dataclass(frozen=True)
class Pose:
    """Where the heart lies under the probe: its epicardial apex stays put, its axis leans by the tilt.

    Args:
        apex_mm: (x, depth) of the epicardial apex from the tip of the sector, mm.
        tilt_deg: lean of the axis; positive when the base lies further right than the apex.
    """

    apex_mm: tuple[float, float]
    tilt_deg: float

    def to_sector(self, points_mm: Outline, heart: HeartState) -> Outline:
        """(x, z) in the heart's plane to (x, depth) under the probe, mm."""
        sine, cosine = math.sin(math.radians(self.tilt_deg)), math.cos(math.radians(self.tilt_deg))
        x, down = points_mm[:, 0], heart.epicardium.length_mm - points_mm[:, 1]
        return np.stack(
            [self.apex_mm[0] + x * cosine + down * sine, self.apex_mm[1] - x * sine + down * cosine], axis=1
        )

    def to_heart(self, points_mm: Outline, heart: HeartState) -> Outline:
        """The inverse of `to_sector`."""
        sine, cosine = math.sin(math.radians(self.tilt_deg)), math.cos(math.radians(self.tilt_deg))
        x, depth = points_mm[:, 0] - self.apex_mm[0], points_mm[:, 1] - self.apex_mm[1]
        return np.stack([x * cosine - depth * sine, heart.epicardium.length_mm - x * sine - depth * cosine], axis=1)


def fit_pose(states: tuple[HeartState, ...], tilt_deg: float, apex_depth_mm: float) -> tuple[Pose, float]:
    """The pose with the heart centred and as near to the probe as it fits, and the depth that it reaches, mm."""
    middle = states[0].epicardium.length_mm / 2
    sideways = -0.8 * middle * math.sin(math.radians(tilt_deg))
    pose = Pose((sideways, apex_depth_mm), tilt_deg)
    points = np.concatenate([_outlines(pose, state) for state in states])
    room = points[:, 1] - (np.abs(points[:, 0]) + MARGIN_MM / math.cos(HALF_ANGLE_RAD)) / math.tan(HALF_ANGLE_RAD)
    lower = max(0.0, -float(room.min()))
    reach = float(np.hypot(points[:, 0], points[:, 1] + lower).max()) + MARGIN_MM
    return Pose((sideways, apex_depth_mm + lower), tilt_deg), reach


def _outlines(pose: Pose, state: HeartState) -> Outline:
    """Every labelled outline in one list of points under the probe, mm."""
    outlines = (state.endocardium_outline(), state.epicardium_outline(), state.atrium_outline())
    return np.concatenate([pose.to_sector(outline, state) for outline in outlines])


def find_truth(heart: Heart, states: tuple[HeartState, ...], pose: Pose, sector: Sector) -> Truth:
    """All that is true of the states of one beat, seen in a sector."""

    def traced(outlines: list[Outline]) -> tuple[Outline, ...]:
        return tuple(
            sector.pixels(pose.to_sector(outline, state)) for outline, state in zip(outlines, states, strict=True)
        )

    inner = [state.endocardium_outline() for state in states]
    volume_ml = np.array([state.cavity.volume_ml for state in states])
    return Truth(
        times_ms=heart.cycle.times_ms(len(states)),
        volume_ml=volume_ml,
        area_cm2=np.array([state.cavity.area_mm2 / 100 for state in states]),
        length_mm=np.array([state.cavity.length_mm for state in states]),
        contour_length_mm=np.array([np.hypot(*np.diff(outline, axis=0).T).sum() for outline in inner]),
        wall_ml=np.array([state.wall_ml for state in states]),
        end_diastolic_frame=int(np.argmax(volume_ml)),
        end_systolic_frame=int(np.argmin(volume_ml)),
        endocardium=traced(inner),
        epicardium=traced([state.epicardium_outline() for state in states]),
        atrium=traced([state.atrium_outline() for state in states]),
    )


def label_frame(truth: Truth, frame: int, shape: tuple[int, int]) -> UInt8[np.ndarray, "height width"]:
    """Labels of one frame by the CAMUS numbers, drawn from the contours."""
    labels = np.zeros(shape, np.uint8)
    labels[fill_polygon(truth.atrium[frame], shape)] = CAMUS.value(Structure.LA)
    labels[fill_polygon(truth.epicardium[frame], shape)] = CAMUS.value(Structure.MYO)
    labels[fill_polygon(truth.endocardium[frame], shape)] = CAMUS.value(Structure.LV)
    return labels
