"""What is true of a picture of a phantom: its quantities, its contours, its labels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.phantoms.anatomy import Tissue
from cardiotrace.phantoms.heart import MYOCARDIAL_DENSITY_G_PER_ML, Heart, HeartState
from cardiotrace.phantoms.plane import Outline, Plane, Pose
from cardiotrace.phantoms.sector import Sector
from cardiotrace.phantoms.view import discs_of

_CODES = np.zeros(len(Tissue), np.uint8)
_CODES[[Tissue.LV, Tissue.PAPILLARY]] = CAMUS.value(Structure.LV)
_CODES[Tissue.MYO] = CAMUS.value(Structure.MYO)
_CODES[Tissue.LA] = CAMUS.value(Structure.LA)


@dataclass(frozen=True)
class Truth:
    """The answer for one view: one entry per frame, contours as (row, column) of the picture."""

    times_ms: Float[np.ndarray, " time"]
    volume_ml: Float[np.ndarray, " time"]
    """Cavity of the whole ventricle."""
    area_cm2: Float[np.ndarray, " time"]
    """Cavity in the plane of the view."""
    length_mm: Float[np.ndarray, " time"]
    """Cavity in the view, from the middle of the mitral plane to the farthest point; nan across the axis."""
    contour_length_mm: Float[np.ndarray, " time"]
    """Endocardium from hinge to hinge; all around in the short axis."""
    simpson_ml: Float[np.ndarray, " time"]
    """What twenty discs on the true contour of this view give; nan across the axis."""
    wall_ml: Float[np.ndarray, " time"]
    end_diastolic_frame: int
    end_systolic_frame: int
    endocardium: tuple[Outline, ...]
    """From the left hinge of the mitral valve over the apex to the right one; the mitral plane closes it."""
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


def find_truth(
    heart: Heart, states: tuple[HeartState, ...], plane: Plane, pose: Pose, sector: Sector, *, count: int = 361
) -> Truth:
    """All that is true of the states of one beat, cut by a plane and seen in a sector."""
    outlines = [plane.outlines(state, count) for state in states]
    inner = [outline for outline, _, _ in outlines]
    closed = [np.concatenate([ring, ring[:1]]) if plane.is_short_axis else ring for ring in inner]
    discs = [None if plane.is_short_axis else discs_of(outline) for outline in inner]
    volume_ml = np.array([state.volume_ml for state in states])
    traced = [tuple(sector.pixels(pose.trace(outline[part])) for outline in outlines) for part in range(3)]
    return Truth(
        times_ms=heart.cycle.times_ms(len(states)),
        volume_ml=volume_ml,
        area_cm2=np.array([_area_mm2(outline) / 100 for outline in inner]),
        length_mm=np.array([np.nan if disc is None else disc.length_mm for disc in discs]),
        contour_length_mm=np.array([np.hypot(*np.diff(outline, axis=0).T).sum() for outline in closed]),
        simpson_ml=np.array([np.nan if disc is None else disc.volume_ml for disc in discs]),
        wall_ml=np.array([state.wall_ml for state in states]),
        end_diastolic_frame=int(np.argmax(volume_ml)),
        end_systolic_frame=int(np.argmin(volume_ml)),
        endocardium=traced[0],
        epicardium=traced[1],
        atrium=traced[2],
    )


def _area_mm2(outline: Outline) -> float:
    x, z = outline.T
    return float(abs((x * np.roll(z, -1) - z * np.roll(x, -1)).sum()) / 2)


class Labeller:
    """Labels of one view by the CAMUS numbers: what tissue is at the middle of each pixel of the sector."""

    def __init__(self, plane: Plane, pose: Pose, sector: Sector) -> None:
        self._plane, self._shape = plane, sector.shape
        self._inside, x, depth = sector.places()
        self._across, self._along = pose.to_plane(x, depth)

    def frame(self, heart: HeartState) -> UInt8[np.ndarray, "height width"]:
        """Labels at one instant."""
        points = self._plane.lift(self._across, self._along, np.zeros_like(self._across), heart)
        labels = np.zeros(self._shape, np.uint8)
        labels.ravel()[self._inside] = _CODES[heart.tissue(np.stack(points, axis=-1))]
        return labels
