"""Where the planes of a cine-MRI lie, and what slices of a heart measure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.phantoms.heart.anatomy import Tissue
from cardiotrace.phantoms.heart.heart import HeartState

Vector = tuple[float, float, float]

ANGLE_COUNT = 360
LABELLED = {
    Tissue.LV: Structure.LV,
    Tissue.PAPILLARY: Structure.LV,
    Tissue.MYO: Structure.MYO,
    Tissue.RV: Structure.RV,
    Tissue.LA: Structure.LA,
    Tissue.RA: Structure.RA,
}
"""What experts trace in cine-MRI, as far as a scheme holds it: papillary muscles belong to the cavity."""


@dataclass(frozen=True)
class ImagingPlane:
    """A plane through the chest, in the coordinates of the heart at end-diastole, mm.

    Args:
        middle_mm: middle of the image.
        right, down: unit vectors along rows and columns of the image.
    """

    middle_mm: Vector
    right: Vector
    down: Vector

    @property
    def normal(self) -> Float[np.ndarray, "3"]:
        """Unit vector across the plane."""
        return np.cross(np.array(self.right), np.array(self.down))

    def moved(self, shift_mm: Float[np.ndarray, "3"]) -> "ImagingPlane":
        """The plane moved by a vector."""
        x, y, z = (float(value) for value in np.array(self.middle_mm) + shift_mm)
        return ImagingPlane((x, y, z), self.right, self.down)

    def points(
        self,
        rows: Float[np.ndarray, "*points"],
        columns: Float[np.ndarray, "*points"],
        across_mm: float | np.ndarray = 0.0,
    ) -> Float[np.ndarray, "*points 3"]:
        """Points at distances from the middle of the image, mm."""
        right, down, normal = np.array(self.right), np.array(self.down), self.normal
        middle = np.array(self.middle_mm)
        return np.stack(
            [middle[i] + columns * right[i] + rows * down[i] + across_mm * normal[i] for i in range(3)], axis=-1
        )


def pixel_places(
    shape: tuple[int, int], spacing_mm: float
) -> tuple[Float[np.ndarray, "height width"], Float[np.ndarray, "height width"]]:
    """Row and column distances of the pixel centres from the middle of the image, mm."""
    rows, columns = ((np.arange(size) - (size - 1) / 2) * spacing_mm for size in shape)
    down, right = np.meshgrid(rows, columns, indexing="ij")
    return down, right


def label_table(scheme: LabelScheme) -> UInt8[np.ndarray, "256"]:
    """Look-up table from `Tissue` to the values of a scheme; what the scheme lacks is background."""
    table = np.zeros(256, np.uint8)
    for tissue, structure in LABELLED.items():
        table[tissue] = scheme.values.get(structure, 0)
    return table


@dataclass(frozen=True)
class Areas:
    """Areas of a short-axis section by height, mm2: left cavity, left wall, right cavity."""

    left: Float[np.ndarray, " slices"]
    wall: Float[np.ndarray, " slices"]
    right: Float[np.ndarray, " slices"]


def section_areas(state: HeartState, heights_mm: Float[np.ndarray, " slices"]) -> Areas:
    """Areas of the sections at heights above the mitral plane of end-diastole, mm2, by quadrature around the axis.

    Example:
        >>> from cardiotrace.phantoms.heart.heart import Heart
        >>> state = Heart(end_diastolic_ml=120.0).at(np.zeros(1))[0]
        >>> heights = np.arange(0.05, 120, 0.1)
        >>> round(float(section_areas(state, heights).left.sum()) * 0.1 / 1000, 2)
        120.0
    """
    z = (np.asarray(heights_mm, np.float64) - state.rise_mm)[:, None]
    angle = (np.arange(ANGLE_COUNT) * (2 * np.pi / ANGLE_COUNT))[None]
    z, angle = np.broadcast_arrays(z, angle)
    inner, outer = state.wall.inner_radius(z, angle), state.wall.outer_radius(z, angle)
    width = np.where(z >= 0, state.right.width(z, angle), 0.0)
    left, whole, right = (
        values.mean(axis=1) * np.pi for values in (inner**2, outer**2, (outer + width) ** 2 - outer**2)
    )
    return Areas(left, whole - left, right)


def section_outlines(
    state: HeartState, height_mm: float
) -> tuple[Float[np.ndarray, "angles 2"], Float[np.ndarray, "angles 2"]] | None:
    """Endocardium and epicardium of the section at a height above the mitral plane of end-diastole, as (x, y), mm.

    Returns:
        One point a degree around the axis, in the coordinates of the state; None where there is no cavity.
    """
    z = np.full(ANGLE_COUNT, height_mm - state.rise_mm)
    angle = np.arange(ANGLE_COUNT) * (2 * np.pi / ANGLE_COUNT)
    inner, outer = state.wall.inner_radius(z, angle), state.wall.outer_radius(z, angle)
    if z[0] < 0 or not inner.all():
        return None
    way = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    aside = np.stack([state.bend(z), np.zeros_like(z)], axis=1)
    return aside + inner[:, None] * way, aside + outer[:, None] * way
