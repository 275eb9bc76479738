"""What each view of the heart would measure: sections, Simpson's disks, strain."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core.terms import View
from cardiotrace.phantoms.heart.heart import Heart, HeartState, Outline
from cardiotrace.phantoms.heart.truth import Series, Truth, volumes_of

PLANE_DEG: Mapping[View, float] = {View.FOUR_CHAMBER: 0.0, View.TWO_CHAMBER: 60.0, View.THREE_CHAMBER: 120.0}
"""Angle of each apical plane about the axis; x of its outlines counts in the direction of this angle."""
DISKS = 20


@dataclass(frozen=True)
class HeartDisks:
    """Simpson's disks of one contour: their diameters and what they add up to.

    Args:
        diameters_mm: across the long axis, from the base to the apex, mm.
        length_mm: from the middle of the mitral plane to the farthest point of the contour, mm.
    """

    diameters_mm: Float[np.ndarray, " disks"]
    length_mm: float

    @property
    def volume_ml(self) -> float:
        """Single-plane volume pi / 4 sum d^2 L / n, ml."""
        return self.with_second(self)

    def with_second(self, other: "HeartDisks") -> float:
        """Biplane volume pi / 4 sum a b L / n with the longer of both lengths, ml."""
        # The longer, as a plane that misses the apex is short and never long.
        height = max(self.length_mm, other.length_mm) / len(self.diameters_mm)
        return float(np.pi / 4 * (self.diameters_mm * other.diameters_mm).sum() * height / 1000)


def disks_of(outline: Outline, count: int = DISKS) -> HeartDisks:
    """Diameters of a contour (across, along), mm, open at the mitral plane, in the middle of each disk.

    Example:
        >>> from cardiotrace.phantoms import TruncatedSpheroid
        >>> body = TruncatedSpheroid(30.0, 50.0, 25.0)
        >>> abs(disks_of(body.outline(721)).volume_ml / body.volume_ml - 1) < 0.002
        True

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1, biplane method of disks.
    """
    base = (outline[0] + outline[-1]) / 2
    away = outline - base
    apex = away[np.argmax(np.hypot(*away.T))]
    length = float(np.hypot(*apex))
    along = apex / length
    height, aside = away @ along, away @ np.array([along[1], -along[0]])
    top = int(np.argmax(height))
    # In the middle of each disk, where its diameter makes an error of second order in its height alone.
    levels = (np.arange(count) + 0.5) / count * length
    # `interp` needs heights that rise, and beside a bent apex an outline may turn back for a step.
    left = np.interp(levels, np.maximum.accumulate(height[: top + 1]), aside[: top + 1])
    right = np.interp(levels, np.maximum.accumulate(height[top:][::-1]), aside[top:][::-1])
    return HeartDisks(np.abs(right - left), length)


@dataclass(frozen=True)
class ViewTruth:
    """What is true of the left ventricle in one apical view, per frame.

    Args:
        area_cm2: of the cavity.
        length_mm: long axis of the cavity, from the middle of the mitral plane to the farthest point.
        contour_length_mm: endocardium from hinge to hinge.
        disks: Simpson's disks on the true contour.
    """

    area_cm2: Series
    length_mm: Series
    contour_length_mm: Series
    disks: tuple[HeartDisks, ...]

    @property
    def simpson_ml(self) -> Series:
        """Single-plane volume by twenty disks, ml."""
        return np.array([disks.volume_ml for disks in self.disks])

    @property
    def strain_percent(self) -> Series:
        """Change of the endocardium's length since the first frame, percent."""
        return np.asarray(100 * (self.contour_length_mm / self.contour_length_mm[0] - 1))


@dataclass(frozen=True, kw_only=True)
class HeartTruth(Truth):
    """What is true of the whole heart, per frame, the first at end-diastole.

    Args:
        views: what each apical view shows.
    """

    views: Mapping[View, ViewTruth]

    @property
    def biplane_ml(self) -> Series:
        """Volume by Simpson's disks in the four- and two-chamber views, ml."""
        pairs = zip(self.views[View.FOUR_CHAMBER].disks, self.views[View.TWO_CHAMBER].disks, strict=True)
        return np.array([first.with_second(second) for first, second in pairs])

    @property
    def global_longitudinal_strain_percent(self) -> float:
        """Peak of the mean strain of the apical views, percent, negative."""
        return float(np.mean([view.strain_percent for view in self.views.values()], axis=0).min())


def view_truth(states: tuple[HeartState, ...], plane_deg: float, count: int = 361) -> ViewTruth:
    """What is true in the plane through the axis at an angle, degrees."""
    inner = [state.endocardium_outline(count, plane_deg=plane_deg) for state in states]
    disks = tuple(disks_of(outline) for outline in inner)
    return ViewTruth(
        area_cm2=np.array([_area_mm2(outline) / 100 for outline in inner]),
        length_mm=np.array([disk.length_mm for disk in disks]),
        contour_length_mm=np.array([np.hypot(*np.diff(outline, axis=0).T).sum() for outline in inner]),
        disks=disks,
    )


def heart_truth(heart: Heart, times_ms: Series, *, count: int = 361) -> HeartTruth:
    """All that is true of a heart at some instants, ms; the first should be end-diastole.

    Args:
        heart: the heart.
        times_ms: instants, ms.
        count: points on each outline.

    Example:
        >>> truth = heart_truth(Heart(bend_mm=0), np.array([0.0, Heart().cycle.end_systole_ms]))
        >>> round(truth.ejection_fraction_percent, 6), (np.round(truth.biplane_ml / truth.volume_ml, 2)).tolist()
        (60.0, [1.0, 1.0])
    """
    states = heart.at(times_ms)
    volumes = volumes_of(states)
    return HeartTruth(
        times_ms=times_ms,
        volume_ml=volumes.left,
        right_ml=volumes.right,
        wall_ml=volumes.wall,
        views={view: view_truth(states, angle, count) for view, angle in PLANE_DEG.items()},
    )


def greatest_thickness_mm(state: HeartState) -> float:
    """Largest thickness of the left ventricle's wall, across the axis, over its lower three quarters, mm."""
    z, angle = np.meshgrid(
        np.linspace(0, 0.75 * state.cavity.length_mm, 40), np.linspace(0, 2 * math.pi, 72, endpoint=False)
    )
    return float((state.wall.outer_radius(z, angle) - state.wall.inner_radius(z, angle)).max())


def _area_mm2(outline: Outline) -> float:
    """Area that an outline and the line between its ends enclose, mm2."""
    x, z = outline.T
    return float(abs((x * np.roll(z, -1) - z * np.roll(x, -1)).sum()) / 2)
