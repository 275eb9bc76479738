"""Both borders of the left ventricle's wall in one long-axis frame, and what is measured between them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.long_axis_trace import plane_mask
from cardiotrace.clinical.strain.wall_line import WallLine, above_chord, wall_line
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.terms import Structure

_THINNEST_PIXELS = 1.0
"""Where both borders are nearer than this, no myocardium lies between them."""


@dataclass(frozen=True)
class Wall:
    """The wall in one frame; points and lengths in the unit of the image's outlines, mm where pixels have a size."""

    endocardium: WallLine
    epicardium: WallLine | None
    """None where no myocardium is labelled."""
    thinnest: float
    """Below which a thickness is none."""

    @cached_property
    def middle(self) -> WallLine | None:
        """Half-way between both borders, each cut into as many equal parts from hinge to hinge."""
        if self.epicardium is None:
            return None
        return WallLine((self.endocardium.points + self.epicardium.points) / 2)

    @cached_property
    def thickness(self) -> Float[np.ndarray, "n"] | None:
        """From each point of the endocardium to the nearest of the epicardium; NaN where there is no wall."""
        if self.epicardium is None:
            return None
        found = _distances(self.endocardium.points, self.epicardium.points)
        return np.where(found > self.thinnest, found, np.nan)


def trace_wall(cine: TracedCine, frame: int) -> Wall | None:
    """The wall's borders in one frame; None where the frame shows no ventricle with a base.

    Args:
        cine: a traced long-axis image.
        frame: from 0.
    """
    if cine.blank[frame]:
        return None
    # Of blank frames there is no trace, whatever their labels; of others it follows from these and the base's side.
    return cine.findings.plane(frame).get("wall", lambda: _traced(cine, frame), given=cine.towards_base)


def _traced(cine: TracedCine, frame: int) -> Wall | None:
    found, pixel = cine.traces[frame], cine.scale.pixel
    if found.axis is None:
        return None
    inner = wall_line(found.ring, found.axis, pixel)
    if inner is None:
        return None
    return Wall(inner, _epicardium(cine, frame, inner), _THINNEST_PIXELS * max(pixel))


def trace_walls(cine: TracedCine) -> tuple[Wall | None, ...]:
    """The wall's borders in every frame."""
    return tuple(trace_wall(cine, frame) for frame in range(len(cine.traces)))


def _epicardium(cine: TracedCine, frame: int, inner: WallLine) -> WallLine | None:
    """The outer border of cavity and myocardium together, down to the line through both hinges."""
    cavity = plane_mask(cine.labels, Structure.LV, frame)
    myocardium = plane_mask(cine.labels, Structure.MYO, frame)
    if cavity is None or myocardium is None or not myocardium.any():
        return None
    pixel = cine.scale.pixel
    return above_chord(outline_of(cavity | myocardium, pixel), inner, pixel)


def _distances(points: Float[np.ndarray, "n 2"], line: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "n"]:
    """From each point to the nearest place on a line, between its points too."""
    steps = np.diff(line, axis=0)
    offsets = points[:, None] - line[:-1]
    shares = np.clip((offsets * steps).sum(axis=2) / np.maximum((steps * steps).sum(axis=1), 1e-12), 0, 1)
    return np.asarray(np.linalg.norm(offsets - shares[..., None] * steps, axis=2).min(axis=1))
