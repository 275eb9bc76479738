"""The long axis of a left ventricle: mitral annulus, apex, length.

Points are (row, column) from the centre of the first pixel. They and lengths are in the unit of the pixels' size: mm,
or pixels where that size is not known, see `Scale`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.annulus import (
    IMAGE_DOWN,
    Direction,
    PixelSize,
    annulus_by_chord,
    annulus_by_myocardium,
)
from cardiotrace.geometry.contour import largest_contour

_FEWEST_POINTS = 8
"""Of an outline that an axis is sought in: fewer are two pixels."""


@dataclass(frozen=True)
class LongAxis:
    """Mitral annulus and apex of one frame.

    Example:
        >>> axis = LongAxis(np.array([[80.0, 0.0], [80.0, 40.0]]), np.array([0.0, 20.0]), "annulus")
        >>> axis.length, axis.annulus_width
        (80.0, 40.0)
    """

    annulus: Float[np.ndarray, "2 2"]
    """The two corners of the cavity at the base, left one first."""
    apex: Float[np.ndarray, "2"]
    method: str
    """"annulus": where the cavity leaves the myocardium; "chord": the longest straight base of the outline."""

    @cached_property
    def base(self) -> Float[np.ndarray, "2"]:
        """Midpoint of the mitral annulus."""
        return np.asarray(self.annulus.mean(axis=0))

    @cached_property
    def length(self) -> float:
        """From the midpoint of the annulus to the apex."""
        return float(np.linalg.norm(self.apex - self.base))

    @cached_property
    def annulus_width(self) -> float:
        """Distance of the two annulus points."""
        return float(np.linalg.norm(self.annulus[1] - self.annulus[0]))


def outline_of(mask: Bool[np.ndarray, "height width"], pixel: PixelSize) -> Float[np.ndarray, "n 2"]:
    """The outline of the largest piece of a mask as an open ring of (row, column); empty for an empty mask.

    Args:
        mask: a structure in one plane.
        pixel: (height, width) of a pixel, mm; (1, 1) for an outline in pixels.
    """
    points = largest_contour(mask)
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    return np.asarray(points * np.asarray(pixel))


def long_axis(
    cavity: Bool[np.ndarray, "height width"],
    myocardium: Bool[np.ndarray, "height width"] | None,
    pixel: PixelSize,
    *,
    towards_base: Direction | None = IMAGE_DOWN,
) -> LongAxis | None:
    """Long axis of the left ventricle in a long-axis view.

    The annulus points are the ends of the stretch of the cavity's outline that no myocardium borders; without
    myocardium (or without such a stretch) they are the ends of the longest straight chord at the base. The apex is
    the point of the outline farthest from their midpoint.

    Args:
        cavity: the cavity of the left ventricle.
        myocardium: its myocardium on the same grid, None where it is not labelled.
        pixel: (height, width) of a pixel, mm; (1, 1) where it is not known.
        towards_base: (row, column) direction to the half of the cavity in which the base is sought; None for both.

    Returns:
        The long axis; None if the cavity is empty or has no base that could be told.

    Example:
        >>> rows, columns = np.mgrid[:60, :60]
        >>> cavity = (((rows - 50) / 40) ** 2 + ((columns - 30) / 12) ** 2 < 1) & (rows < 50)
        >>> shell = (((rows - 50) / 46) ** 2 + ((columns - 30) / 18) ** 2 < 1) & (rows < 50) & ~cavity
        >>> found = long_axis(cavity, shell, (1.0, 1.0))
        >>> round(found.length), round(found.annulus_width)
        (39, 23)

    Source:
        Mitchell et al. 2019, J Am Soc Echocardiogr 32:1 (annulus midpoint to the farthest point of the apex).
    """
    return axis_of_outline(outline_of(cavity, pixel), myocardium, pixel, towards_base=towards_base)


def axis_of_outline(
    ring: Float[np.ndarray, "n 2"],
    myocardium: Bool[np.ndarray, "height width"] | None,
    pixel: PixelSize,
    *,
    towards_base: Direction | None = IMAGE_DOWN,
) -> LongAxis | None:
    """`long_axis` of a cavity whose outline is already there."""
    if len(ring) < _FEWEST_POINTS:
        return None
    method, annulus = "annulus", None
    # The myocardium is asked first: it ends where the leaflets are hinged, whatever shape the cavity has. A straight
    # edge at the base is only how most people close an outline.
    if myocardium is not None and myocardium.any():
        annulus = annulus_by_myocardium(ring, myocardium, pixel, towards_base)
    if annulus is None:
        method, annulus = "chord", annulus_by_chord(ring, towards_base)
    if annulus is None:
        return None
    # By columns, so that a corner keeps its place in files and drawings from frame to frame.
    annulus = annulus[np.argsort(annulus[:, 1], kind="stable")]
    # Farthest from the base and not topmost: where the heart lies aslant, the highest point is beside the apex.
    distances = np.linalg.norm(ring - annulus.mean(axis=0), axis=1)
    return LongAxis(annulus, ring[int(distances.argmax())], method)
