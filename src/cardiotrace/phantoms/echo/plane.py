"""How a view cuts the heart, and how the heart lies under the probe."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from cardiotrace.core.terms import View
from cardiotrace.phantoms.echo.sector import HALF_ANGLE_RAD, BeamSector
from cardiotrace.phantoms.heart.heart import HeartState
from cardiotrace.phantoms.heart.view import PLANE_DEG

Points = Float[np.ndarray, " points"]
Placed = tuple[Points, Points, Points]
"""Three coordinates of each point, mm."""
Outline = Float[np.ndarray, "_ 2"]
MARGIN_MM = 1.5
"""Least distance between a contour and the edge of the sector."""
SHORT_AXIS_TURN_RAD = math.radians(30)
"""Turn of the short axis that brings the anterior wall to the top."""
ShortAxis = Literal["mitral", "papillary", "apical"]
SHORT_AXIS_SHARES: Mapping[ShortAxis, float] = {"mitral": 0.2, "papillary": 0.5, "apical": 0.78}
"""Height of a short-axis plane over the cavity's length at end-diastole."""


@dataclass(frozen=True)
class ScanPlane:
    """A plane that stands still in the chest.

    Its points are (across, along), mm, and off the plane. Along an apical plane counts from the epicardial apex,
    towards which it grows; along a short axis counts from the axis of the ventricle to the chest wall.

    Args:
        view: what it shows; the parasternal long axis is the three-chamber plane from another window.
        height_mm: of a short axis, above the mitral plane of end-diastole.
    """

    view: View
    height_mm: float = 0.0

    @property
    def angle_rad(self) -> float:
        """Angle about the axis of a plane that holds it."""
        return math.radians(PLANE_DEG.get(self.view, PLANE_DEG[View.THREE_CHAMBER]))

    @property
    def is_short_axis(self) -> bool:
        """Whether the plane lies across the axis."""
        return self.view is View.SAX

    def project(self, points: Placed, heart: HeartState) -> Placed:
        """(x, y, z) in the heart to (across, along, off the plane)."""
        x, y, z = points
        angle = SHORT_AXIS_TURN_RAD if self.is_short_axis else -self.angle_rad
        sine, cosine = math.sin(angle), math.cos(angle)
        across, off = x * cosine - y * sine, x * sine + y * cosine
        if self.is_short_axis:
            return across, off, z + heart.rise_mm - self.height_mm
        return across, z - heart.epicardium.length_mm, off

    def lift(self, across: Points, along: Points, off: Points, heart: HeartState) -> Placed:
        """The inverse of `project`."""
        angle = SHORT_AXIS_TURN_RAD if self.is_short_axis else -self.angle_rad
        sine, cosine = math.sin(angle), math.cos(angle)
        if self.is_short_axis:
            height = self.height_mm - heart.rise_mm
            return across * cosine + along * sine, -across * sine + along * cosine, off + height
        return (
            across * cosine + off * sine,
            -across * sine + off * cosine,
            along + heart.epicardium.length_mm,
        )

    def outlines(self, heart: HeartState, count: int = 181) -> tuple[Outline, Outline, Outline]:
        """Endocardium, epicardium and left atrium as (across, along), mm; those that the plane misses are empty."""
        if self.is_short_axis:
            return self._ring(heart, count, inner=True), self._ring(heart, count, inner=False), np.empty((0, 2))
        angle, down = math.degrees(self.angle_rad), np.array([0.0, heart.epicardium.length_mm])
        return (
            heart.endocardium_outline(count, plane_deg=angle) - down,
            heart.epicardium_outline(count, plane_deg=angle) - down,
            heart.atrium_outline() - down,
        )

    def _ring(self, heart: HeartState, count: int, *, inner: bool) -> Outline:
        """Section of a surface across the axis."""
        turned = np.linspace(0, 2 * np.pi, count, endpoint=False)
        z = np.full(count, self.height_mm - heart.rise_mm)
        radius = heart.wall.inner_radius(z, turned) if inner else heart.wall.outer_radius(z, turned)
        if not radius.any():
            return np.empty((0, 2))
        across, along, _ = self.project((radius * np.cos(turned) + heart.bend(z), radius * np.sin(turned), z), heart)
        return np.stack([across, along], axis=1)


def view_plane(view: View, first: HeartState, level: ShortAxis = "papillary") -> ScanPlane:
    """The plane of a view through a heart at end-diastole.

    Args:
        view: what it shows.
        first: the heart at end-diastole.
        level: of a short axis.
    """
    return ScanPlane(view, SHORT_AXIS_SHARES[level] * first.cavity.length_mm)


@dataclass(frozen=True)
class Pose:
    """Where the plane lies under the probe.

    Args:
        origin_mm: (x, depth) of the plane's origin from the tip of the sector, mm.
        tilt_deg: lean of its axis; positive when what lies below the origin lies further right.
    """

    origin_mm: tuple[float, float]
    tilt_deg: float

    def to_sector(self, across: Points, along: Points) -> tuple[Points, Points]:
        """(across, along) in the plane to (x, depth) under the probe, mm."""
        sine, cosine = math.sin(math.radians(self.tilt_deg)), math.cos(math.radians(self.tilt_deg))
        x0, depth0 = self.origin_mm
        return x0 + across * cosine - along * sine, depth0 - across * sine - along * cosine

    def to_plane(self, x: Points, depth: Points) -> tuple[Points, Points]:
        """The inverse of `to_sector`."""
        sine, cosine = math.sin(math.radians(self.tilt_deg)), math.cos(math.radians(self.tilt_deg))
        x, depth = x - self.origin_mm[0], depth - self.origin_mm[1]
        return x * cosine - depth * sine, -x * sine - depth * cosine

    def trace(self, outline: Outline) -> Outline:
        """An outline in the plane as points (x, depth) under the probe, mm."""
        return np.stack(self.to_sector(*outline.T), axis=1)


@dataclass(frozen=True)
class EchoView:
    """How one view sees the heart: where it is cut, where the cut lies under the probe, and which sector shows it."""

    plane: ScanPlane
    pose: Pose
    sector: BeamSector

    def pixels(self, outline: Outline) -> Outline:
        """An outline in the plane, mm, as (row, column) of the image."""
        return self.sector.pixels(self.pose.trace(outline))


def fit_pose(
    plane: ScanPlane,
    states: tuple[HeartState, ...],
    tilt_deg: float,
    probe_mm: float,
    half_angle_rad: float = float(HALF_ANGLE_RAD),
) -> tuple[Pose, float]:
    """The pose that shows a heart, and the depth that it reaches, mm.

    Args:
        plane: how the heart is cut.
        states: the beat.
        tilt_deg: lean of the heart's axis away from how the view usually holds it.
        probe_mm: distance from the probe to the heart if nothing is in the way.
        half_angle_rad: of the sector.
    """
    if plane.view.is_long_axis:
        return _fit_apical(plane, states, tilt_deg, probe_mm, half_angle_rad)
    turn = tilt_deg - 4.0 + (76.0 if plane.view is View.PLAX else 0.0)
    points = np.concatenate(plane.outlines(states[0])[:2])
    placed = Pose((0.0, 0.0), turn).trace(points)
    # The right ventricle and its wall lie between the chest wall and the left one.
    top = probe_mm + 0.7 * states[0].right.width_mm + 6
    middle = placed[:, 0].mean()
    if plane.view is View.PLAX:
        # The image ends before the apex: the middle of its basal half is the middle of the sector.
        base = Pose((0.0, 0.0), turn).trace(plane.outlines(states[0])[0])
        middle = 0.65 * base[[0, -1], 0].mean() + 0.35 * middle
    pose = Pose((-float(middle), top - float(placed[:, 1].min())), turn)
    return pose, float(placed[:, 1].max()) + pose.origin_mm[1] + 32.0


def _fit_apical(
    plane: ScanPlane, states: tuple[HeartState, ...], tilt_deg: float, apex_depth_mm: float, half_angle_rad: float
) -> tuple[Pose, float]:
    """The pose with the heart centred and as near to the probe as it fits whole."""
    middle = states[0].epicardium.length_mm / 2
    sideways = -0.8 * middle * math.sin(math.radians(tilt_deg))
    pose = Pose((sideways, apex_depth_mm), tilt_deg)
    points = np.concatenate([pose.trace(outline) for state in states for outline in plane.outlines(state)])
    room = points[:, 1] - (np.abs(points[:, 0]) + MARGIN_MM / math.cos(half_angle_rad)) / math.tan(half_angle_rad)
    lower = max(0.0, -float(room.min()))
    reach = float(np.hypot(points[:, 0], points[:, 1] + lower).max()) + MARGIN_MM
    return Pose((sideways, apex_depth_mm + lower), tilt_deg), reach
