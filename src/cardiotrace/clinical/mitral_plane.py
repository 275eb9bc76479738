"""The mitral plane from long axes, and volumes of a short-axis stack that end at it.

Slices are thick. Whether the most basal one counts whole or not at all changes a volume by a tenth; where a long axis
shows the annulus, the part of the slice that lies beyond it can be cut off.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.terms import Structure

_STEEPEST = 1.0
"""Rise over run of the plane against the slices, 45 degrees: more is no mitral plane of this stack."""


@dataclass(frozen=True, eq=False)
class StackFrame:
    """Coordinates of a stack: along its rows, its columns, and across its slices towards the apex, mm."""

    geometry: Geometry
    is_base_first: bool

    @property
    def _axes(self) -> Float[np.ndarray, "3 3"]:
        """Unit vectors of rows, columns and the direction to the apex, one a row."""
        down, right = (self.geometry.affine[:3, axis] for axis in (1, 2))
        down, right = down / np.linalg.norm(down), right / np.linalg.norm(right)
        across = np.cross(down, right)
        along = float(across @ self.geometry.affine[:3, 0])
        # Sheared or turned aside, slices still lie one behind the other across their planes.
        return np.stack([down, right, across * np.sign(along) * (1 if self.is_base_first else -1)])

    def places(self, points_mm: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Patient coordinates in those of the stack."""
        return np.asarray((points_mm - self.geometry.affine[:3, 3]) @ self._axes.T)

    def voxels(self, indices: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Voxels (depth, row, column) in the coordinates of the stack."""
        return self.places(indices @ self.geometry.affine[:3, :3].T + self.geometry.affine[:3, 3])


@dataclass(frozen=True)
class MitralPlane:
    """Height of the annulus over the slices, towards the apex: height = level + slope . (place - middle), mm."""

    level: float
    slope: tuple[float, float]
    middle: tuple[float, float]

    def heights(self, places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n"]:
        """Height at places along rows and columns, mm."""
        return np.asarray(self.level + (places - np.array(self.middle)) @ np.array(self.slope))

    @property
    def is_plausible(self) -> bool:
        """Whether it lies across the ventricle."""
        return float(np.hypot(*self.slope)) <= _STEEPEST


def annulus_points(trace: LongAxisTrace, geometry: Geometry) -> Float[np.ndarray, "2 3"] | None:
    """Both corners of the annulus in patient coordinates, mm; None where it could not be told from the myocardium.

    Args:
        trace: of one frame of a long axis whose place is known.
        geometry: of that image.
    """
    if trace.axis is None or trace.axis.method == "chord":
        return None
    places = trace.axis.annulus / np.array(geometry.pixel_mm)
    return np.stack([geometry.point_mm((0.0, float(row), float(column))) for row, column in places])


def mitral_plane(points: Sequence[Float[np.ndarray, "2 3"]], frame: StackFrame) -> MitralPlane | None:
    """The plane through the annulus as long axes show it.

    Of one long axis the plane is level across it; of two or more it comes nearest to all their corners.

    Args:
        points: corners of the annulus in each long axis, patient coordinates, mm.
        frame: of the stack.

    Returns:
        None where there are no corners, or the plane cannot be that of this stack's ventricle.

    Example:
        >>> stack = StackFrame(Geometry.of_spacing((8.0, 1.0, 1.0)), is_base_first=True)
        >>> corners = np.array([[0.0, -20.0, 10.0], [0.0, 20.0, 14.0]])
        >>> found = mitral_plane([corners], stack)
        >>> round(found.level, 6), [round(value, 6) for value in found.slope]
        (12.0, [-0.1, 0.0])
    """
    if not points:
        return None
    places = frame.places(np.concatenate(list(points)))
    middle = places[:, :2].mean(axis=0)
    # The smallest slope that fits: what one long axis does not show stays level.
    slope, *_ = np.linalg.lstsq(places[:, :2] - middle, places[:, 2] - places[:, 2].mean(), rcond=1e-3)
    found = MitralPlane(
        float(places[:, 2].mean()), (float(slope[0]), float(slope[1])), (float(middle[0]), float(middle[1]))
    )
    return found if found.is_plausible else None


@dataclass(frozen=True)
class CutStack:
    """Volumes on the apex's side of the mitral plane at one instant."""

    cavity_ml: float
    wall_ml: float
    moved_mm: float
    """How much higher, towards the atrium, the volume ends than the slices as they are labelled; negative: lower."""


def cut_stack(stack: TracedStack, frame: int, plane: MitralPlane) -> CutStack | None:
    """Cavity and myocardium between mitral plane and apex.

    Each labelled voxel is a column as high as the distance of the slices, of which the part on the atrium's side is cut
    off. Where the plane lies beyond the most basal slice, what that slice shows goes on up to it, by one more slice at
    most.

    Args:
        stack: whose slice distance is known.
        frame: of it.
        plane: at that instant, in the stack's coordinates.

    Returns:
        None where nothing is labelled, or more than one slice would have to be added.
    """
    step_mm, height_mm, width_mm = stack.labels.spacing_mm or (np.nan, np.nan, np.nan)
    shown = np.flatnonzero(stack.counts[Structure.LV][frame])
    if not len(shown) or not np.isfinite(step_mm):
        return None
    basal = int(shown[0] if stack.is_base_first else shown[-1])
    columns = _Columns(stack, frame, basal, plane)
    moved = columns.top_mm(Structure.LV)
    if moved > step_mm:
        return None
    area = height_mm * width_mm / 1000
    return CutStack(columns.length_mm(Structure.LV) * area, columns.length_mm(Structure.MYO) * area, moved)


@dataclass(frozen=True, eq=False)
class _Columns:
    """The voxels of one frame as columns that the mitral plane cuts."""

    stack: TracedStack
    frame: int
    basal: int
    plane: MitralPlane

    def top_mm(self, structure: Structure) -> float:
        """How far the plane lies above the most basal slice's upper face, on the average of that slice's voxels."""
        voxels = self._voxels(structure)
        return float(self._short_mm(voxels[voxels[:, 0] == self.basal]).mean())

    def length_mm(self, structure: Structure) -> float:
        """Of all columns of a structure together, below the plane."""
        voxels = self._voxels(structure)
        if not len(voxels):
            return 0.0
        # In the most basal slice columns may also grow.
        most = np.where(voxels[:, 0] == self.basal, 2 * self._step_mm, self._step_mm)
        return float(np.clip(self._step_mm + self._short_mm(voxels), 0, most).sum())

    @property
    def _step_mm(self) -> float:
        return self.stack.labels.geometry.spacing_mm[0] if self.stack.labels.geometry.spacing_mm else float("nan")

    def _voxels(self, structure: Structure) -> Float[np.ndarray, "n 3"]:
        if structure not in self.stack.counts:
            return np.zeros((0, 3))
        return np.argwhere(self.stack.labels.mask(structure)[self.frame]).astype(float)

    def _short_mm(self, voxels: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
        """By how much columns fall short of the plane; negative where they rise above it."""
        places = StackFrame(self.stack.labels.geometry, self.stack.is_base_first).voxels(voxels)
        return np.asarray(places[:, 2] - self._step_mm / 2 - self.plane.heights(places[:, :2]))


def planes_at(traces: Iterable[tuple[LongAxisTrace, Geometry]], frame: StackFrame) -> MitralPlane | None:
    """The plane from the long axes that show it at one instant; images whose place is unknown are passed over."""
    shown = (annulus_points(trace, geometry) for trace, geometry in traces if geometry.is_oriented)
    return mitral_plane([points for points in shown if points is not None], frame)
