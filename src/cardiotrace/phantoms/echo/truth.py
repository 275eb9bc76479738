"""What is true of an image of a phantom: its quantities, its contours, its labels."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.phantoms.echo.plane import EchoView, Outline
from cardiotrace.phantoms.heart.anatomy import Tissue
from cardiotrace.phantoms.heart.heart import Heart, HeartState
from cardiotrace.phantoms.heart.truth import Series, Truth, volumes_of
from cardiotrace.phantoms.heart.view import disks_of

_OUTLINE_POINTS = 361
_CODES = np.zeros(len(Tissue), np.uint8)
_CODES[[Tissue.LV, Tissue.PAPILLARY]] = CAMUS.value(Structure.LV)
_CODES[Tissue.MYO] = CAMUS.value(Structure.MYO)
_CODES[Tissue.LA] = CAMUS.value(Structure.LA)


@dataclass(frozen=True, kw_only=True)
class EchoTruth(Truth):
    """The answer for one view: one entry per frame, contours as (row, column) of the image."""

    area_cm2: Series
    """Cavity in the plane of the view."""
    length_mm: Series
    """Cavity in the view, from the middle of the mitral plane to the farthest point; nan across the axis."""
    contour_length_mm: Series
    """Endocardium from hinge to hinge; all around in the short axis."""
    simpson_ml: Series
    """What twenty disks on the true contour of this view give; nan across the axis."""
    endocardium: tuple[Outline, ...]
    """From the left hinge of the mitral valve over the apex to the right one; the mitral plane closes it."""
    epicardium: tuple[Outline, ...]
    """Likewise, open at the mitral plane."""
    atrium: tuple[Outline, ...]
    """Left atrium, from hinge over roof to hinge."""

    @property
    def global_longitudinal_strain_percent(self) -> float:
        """Change of the endocardial contour's length from end-diastole to end-systole, percent, negative."""
        first, last = (self.contour_length_mm[i] for i in (self.end_diastolic_frame, self.end_systolic_frame))
        return float(100 * (last / first - 1))


def echo_truth(heart: Heart, states: tuple[HeartState, ...], view: EchoView) -> EchoTruth:
    """All that is true of the states of one beat, cut by a plane and seen in a sector."""
    outlines = [view.plane.outlines(state, _OUTLINE_POINTS) for state in states]
    sizes = [_sizes(inner, view.plane.is_short_axis) for inner, _, _ in outlines]
    volumes = volumes_of(states)
    endocardium, epicardium, atrium = (tuple(map(view.pixels, lines)) for lines in zip(*outlines, strict=True))
    return EchoTruth(
        times_ms=heart.cycle.times_ms(len(states)),
        volume_ml=volumes.left,
        right_ml=volumes.right,
        wall_ml=volumes.wall,
        area_cm2=np.array([item.area_cm2 for item in sizes]),
        length_mm=np.array([item.length_mm for item in sizes]),
        contour_length_mm=np.array([item.contour_length_mm for item in sizes]),
        simpson_ml=np.array([item.simpson_ml for item in sizes]),
        endocardium=endocardium,
        epicardium=epicardium,
        atrium=atrium,
    )


class _Sizes(NamedTuple):
    """Of the cavity in one frame of a view; see `EchoTruth`."""

    area_cm2: float
    length_mm: float
    contour_length_mm: float
    simpson_ml: float


def _sizes(endocardium: Outline, is_short_axis: bool) -> _Sizes:
    """Sizes by the contour alone; across the axis it is closed, and neither length nor disks mean anything."""
    area_cm2 = _area_mm2(endocardium) / 100
    if is_short_axis:
        return _Sizes(area_cm2, np.nan, _length_mm(np.concatenate([endocardium, endocardium[:1]])), np.nan)
    disks = disks_of(endocardium)
    return _Sizes(area_cm2, disks.length_mm, _length_mm(endocardium), disks.volume_ml)


def _length_mm(line: Outline) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _area_mm2(outline: Outline) -> float:
    x, z = outline.T
    return float(abs((x * np.roll(z, -1) - z * np.roll(x, -1)).sum()) / 2)


class Labeller:
    """Labels of one view by the CAMUS numbers: what tissue is at the middle of each pixel of the sector."""

    def __init__(self, view: EchoView) -> None:
        self._plane, self._shape = view.plane, view.sector.shape
        self._inside, x, depth = view.sector.places()
        self._across, self._along = view.pose.to_plane(x, depth)

    def frame(self, heart: HeartState) -> UInt8[np.ndarray, "height width"]:
        """Labels at one instant."""
        points = self._plane.lift(self._across, self._along, np.zeros_like(self._across), heart)
        labels = np.zeros(self._shape, np.uint8)
        labels.ravel()[self._inside] = _CODES[heart.tissue(np.stack(points, axis=-1))]
        return labels
