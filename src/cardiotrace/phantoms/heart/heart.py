"""A beating heart, known in closed form or by quadrature at every instant."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.phantoms.heart.anatomy import RIGHT_LENGTH_SHARE, RightVentricle, crescent
from cardiotrace.phantoms.heart.cycle import CardiacCycle
from cardiotrace.phantoms.heart.region import Scar, Thickening
from cardiotrace.phantoms.heart.section import find_tissue
from cardiotrace.phantoms.heart.spheroid import TruncatedSpheroid
from cardiotrace.phantoms.heart.wall import Points, Radius, Wall, integral_ml, nodes
from cardiotrace.phantoms.limits import check_ranges

MYOCARDIAL_DENSITY_G_PER_ML = 1.05
LATE_EQUATOR_SHARE, EARLY_EQUATOR_SHARE = 0.27, 0.40
"""Height of the widest circle over the cavity's length at end-systole and end-diastole: the mitral
ring narrows less than the cavity does."""
ATRIAL_FILLING = 0.30
"""Growth of the left atrium's width over the beat, in widths of the mitral ring."""
RIGHT_WALL_MM = 3.5

Outline = Float[np.ndarray, "count 2"]


@dataclass(frozen=True, kw_only=True)
class Heart:
    """Size and work of the ventricles.

    Args:
        end_diastolic_ml: left cavity volume at end-diastole, ml, 40 to 400.
        ejection_fraction_percent: share of it that a beat ejects, percent, 5 to 80.
        heart_rate_bpm: beats per minute, 40 to 150.
        sphericity: largest radius over length of the cavity at end-diastole, 0.2 to 0.5.
        wall_thickness_mm: at the equator at end-diastole, away from scar and thickening, mm, 4 to 20.
        bend_mm: how far the middle of the axis is bent towards the lateral wall, mm, -10 to 10. Every slice
            across the axis only slides sideways, so volume and area stay as they are.
        longitudinal_share: shortening of the cavity's length over its ejection fraction, 0.05 to 0.4.
        right_end_diastolic_ml: volume of the right ventricle at end-diastole, ml, 40 to 500.
        right_ejection_fraction_percent: share of it that a beat ejects, percent, 5 to 80.
        twist_deg: turn of the apex against the base at end-systole, degrees, -30 to 30; the shape does not turn,
            the muscle in it does.
        scar: part of the wall that does not work.
        thickening: part of the wall that is thicker than the rest.
        apical_share: thickness of the wall at the apex over that at the equator, 0.2 to 1.
        atrial_width: greatest width of the left atrium over that of the mitral ring at end-diastole, 1.01 to 1.8.
        atrial_length_mm: length of the left atrium at end-diastole, mm, 25 to 70; its roof stays where it is, so the
            atrium grows as the valve plane rises.
        right_half_angle_deg: half of the angle around the axis along which the right ventricle lies, degrees, 50 to 80;
            of one volume, a narrower one reaches further out.
        right_atrial_size: half axes of the right atrium over their usual ones, 0.7 to 1.5.

    Raises:
        InputError: a value is out of range.
    """

    end_diastolic_ml: float = 120.0
    ejection_fraction_percent: float = 60.0
    heart_rate_bpm: float = 65.0
    sphericity: float = 0.31
    wall_thickness_mm: float = 10.0
    bend_mm: float = 2.0
    longitudinal_share: float = 0.25
    right_end_diastolic_ml: float = 140.0
    right_ejection_fraction_percent: float = 57.0
    twist_deg: float = 0.0
    scar: Scar | None = None
    thickening: Thickening | None = None
    apical_share: float = 0.85
    atrial_width: float = 1.06
    atrial_length_mm: float = 42.0
    right_half_angle_deg: float = 72.0
    right_atrial_size: float = 1.0

    def as_keywords(self) -> dict[str, Any]:
        """The heart alone, without what a phantom adds to it: keywords of every phantom that is to have this heart."""
        return {name: getattr(self, name) for name in Heart.__dataclass_fields__}

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)

    @property
    def end_systolic_ml(self) -> float:
        """Left cavity volume at end-systole, ml."""
        return self.end_diastolic_ml * (1 - self.ejection_fraction_percent / 100)

    @property
    def right_end_systolic_ml(self) -> float:
        """Volume of the right ventricle at end-systole, ml."""
        return self.right_end_diastolic_ml * (1 - self.right_ejection_fraction_percent / 100)

    @property
    def longitudinal_shortening_percent(self) -> float:
        """How much shorter the cavity is at end-systole, percent; a quarter of the ejection fraction by default."""
        return self.ejection_fraction_percent * self.longitudinal_share

    @property
    def cycle(self) -> CardiacCycle:
        """The timing of the beat."""
        return CardiacCycle(self.heart_rate_bpm)

    def at(self, times_ms: Float[np.ndarray, " time"]) -> tuple["HeartState", ...]:
        """The heart at the given instants, ms from end-diastole."""
        filling = self.cycle.filling(times_ms)
        openings = (self.cycle.mitral_opening(times_ms), self.cycle.aortic_opening(times_ms))
        first = _first(self)
        return tuple(
            _state(self, first, float(full), (float(mitral), float(aortic)))
            for full, mitral, aortic in zip(filling, *openings, strict=True)
        )


_RANGES = (
    ("end_diastolic_ml", 40, 400),
    ("ejection_fraction_percent", 5, 80),
    ("heart_rate_bpm", 40, 150),
    ("sphericity", 0.2, 0.5),
    ("wall_thickness_mm", 4, 20),
    ("bend_mm", -10, 10),
    ("longitudinal_share", 0.05, 0.4),
    ("right_end_diastolic_ml", 40, 500),
    ("right_ejection_fraction_percent", 5, 80),
    ("twist_deg", -30, 30),
    ("apical_share", 0.2, 1.0),
    ("atrial_width", 1.01, 1.8),
    ("atrial_length_mm", 25, 70),
    ("right_half_angle_deg", 50, 80),
    ("right_atrial_size", 0.7, 1.5),
)


@dataclass(frozen=True)
class HeartState:
    """The heart at one instant, in coordinates that move with the mitral plane.

    Origin in the middle of the mitral plane, x to the lateral wall, y to the anterior wall, z to the apex, mm. The
    epicardial apex stays in place in the chest: a point that does not move in the chest and has the height z at
    end-diastole has the height z - `rise_mm` here.
    """

    wall: Wall
    atrium: TruncatedSpheroid
    """Hangs below the mitral plane: its own z counts downwards."""
    right: RightVentricle
    bend_mm: float
    mitral_opening: float
    aortic_opening: float
    filling: float
    """1 at end-diastole, 0 at end-systole."""
    rise_mm: float
    """How much nearer to the apex the mitral plane is than at end-diastole."""
    twist_deg: float
    right_atrial_size: float = 1.0

    @property
    def cavity(self) -> TruncatedSpheroid:
        """Inner surface of the left ventricle's working wall."""
        return self.wall.cavity

    @property
    def epicardium(self) -> TruncatedSpheroid:
        """Outer surface of the left ventricle's working wall."""
        return self.wall.epicardium

    @property
    def volume_ml(self) -> float:
        """Volume of the left cavity, papillary muscles included, ml."""
        return self.wall.inner_ml

    @property
    def wall_ml(self) -> float:
        """Myocardial volume of the left ventricle, without papillary muscles, ml."""
        return self.wall.outer_ml - self.wall.inner_ml

    @property
    def right_ml(self) -> float:
        """Volume of the right ventricle, ml, by quadrature."""

        def outside(z: Points, angle: Points) -> Points:
            return np.asarray(self.wall.outer_radius(z, angle) + self.right.width(z, angle))

        length = self.right.length_mm
        return integral_ml(outside, length) - integral_ml(self.wall.outer_radius, length)

    @property
    def thickness_mm(self) -> float:
        """Thickness of the working wall at the equator, mm."""
        return self.epicardium.short_mm - self.cavity.short_mm

    def bend(self, z_mm: Points) -> Points:
        """Sideways shift of the slice at height z, mm: none at the mitral plane and at the cavity's apex."""
        share = z_mm / self.cavity.length_mm
        return np.asarray(np.where(z_mm > 0, 4 * self.bend_mm * share * (1 - share), 0.0))

    def tissue(self, points_mm: Float[np.ndarray, "*points 3"]) -> UInt8[np.ndarray, "*points"]:
        """Which `Tissue` is at each point (x, y, z), mm."""
        codes: UInt8[np.ndarray, "*points"] = find_tissue(self, points_mm)
        return codes

    def endocardium_outline(self, count: int = 181, *, plane_deg: float = 0.0) -> Outline:
        """Cavity's edge (x, z), mm, from the septal over the apex to the lateral hinge of the mitral valve.

        Args:
            count: number of points.
            plane_deg: angle of the plane about the axis: 0 four-chamber, 60 two-chamber, 120 three-chamber; x
                counts in the direction of that angle.
        """
        return self._traced(self.cavity.outline(count), self.wall.inner_radius, self.wall.scar is None, plane_deg)

    def epicardium_outline(self, count: int = 181, *, plane_deg: float = 0.0) -> Outline:
        """Outer edge of the wall (x, z), mm, open at the mitral plane; see `endocardium_outline`."""
        return self._traced(self.epicardium.outline(count), self.wall.outer_radius, self.wall.is_round, plane_deg)

    def atrium_outline(self, count: int = 121) -> Outline:
        """Edge of the left atrium (x, z), mm, from hinge over roof to hinge, in any plane through the axis."""
        return np.asarray(self.atrium.outline(count) * np.array([1.0, -1.0]))

    def _traced(self, outline: Outline, radius: Radius, is_round: bool, plane_deg: float) -> Outline:
        """Section of a surface by a plane through the axis, at the heights of an outline."""
        x, z = outline.T
        z = np.maximum(z, 0.0)
        shift = self.bend(z)
        if is_round and plane_deg == 0:
            return np.stack([x + shift, z], axis=1)
        angle = math.radians(plane_deg)
        along, across = shift * math.cos(angle), shift * math.sin(angle)
        side = np.sign(x) + (x == 0)
        # The axis may miss the plane where it is bent: the edge is looked for from the foot of its perpendicular.
        # The radius depends on the angle, which depends on where the edge is: halving needs no formula for either.
        low, high = np.zeros_like(z), np.full_like(z, 200.0)
        for _ in range(44):
            middle = (low + high) / 2
            turned = angle + np.arctan2(across, side * middle)
            inside = np.hypot(middle, across) < radius(z, turned)
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        return np.stack([along + side * low, z], axis=1)


def _first(heart: Heart) -> Wall:
    """The wall at end-diastole."""
    cavity = _cavity(heart, 1.0)
    outer = _epicardium(cavity, heart.wall_thickness_mm, heart.apical_share)
    return Wall(cavity, outer, (cavity, outer), heart.scar, heart.thickening)


def _state(heart: Heart, first: Wall, filling: float, openings: tuple[float, float]) -> HeartState:
    """The heart when its ventricle is `filling` full: 1 at end-diastole, 0 at end-systole."""
    cavity = _cavity(heart, filling)
    if heart.scar is not None and filling < 1:
        cavity = _working(cavity, first)
    wall = first if filling == 1 else _thickened(cavity, first, heart.apical_share)
    # The epicardial apex stays in place, so the mitral plane rises by what the outer shape loses in length.
    rise = first.epicardium.length_mm - wall.epicardium.length_mm
    bulge = heart.atrial_width + ATRIAL_FILLING * (1 - filling)
    atrium = _atrium(cavity.base_radius_mm, heart.atrial_length_mm + rise, bulge)
    right_ml = heart.right_end_systolic_ml + filling * (heart.right_end_diastolic_ml - heart.right_end_systolic_ml)
    # A dilated right ventricle reaches further towards the apex.
    share = min(0.98, RIGHT_LENGTH_SHARE * (heart.right_end_diastolic_ml / heart.end_diastolic_ml) ** 0.15)
    right_wall_mm = RIGHT_WALL_MM * (1.35 - 0.35 * filling)
    right = _right(wall, share, right_ml, right_wall_mm, math.radians(heart.right_half_angle_deg))
    twist = heart.twist_deg * (1 - filling)
    return HeartState(wall, atrium, right, heart.bend_mm, *openings, filling, rise, twist, heart.right_atrial_size)


def _cavity(heart: Heart, filling: float) -> TruncatedSpheroid:
    """Round cavity of the right volume, shortened along its axis in step with what was ejected."""
    equator = LATE_EQUATOR_SHARE + (EARLY_EQUATOR_SHARE - LATE_EQUATOR_SHARE) * filling
    full = TruncatedSpheroid(EARLY_EQUATOR_SHARE, 1 - EARLY_EQUATOR_SHARE, heart.sphericity)
    full_length = (heart.end_diastolic_ml / full.volume_ml) ** (1 / 3)
    length = full_length * (1 - heart.longitudinal_shortening_percent / 100 * (1 - filling))
    volume_ml = heart.end_systolic_ml + filling * (heart.end_diastolic_ml - heart.end_systolic_ml)
    unit = TruncatedSpheroid(equator * length, (1 - equator) * length, 1.0)
    return TruncatedSpheroid(unit.equator_mm, unit.long_mm, math.sqrt(volume_ml / unit.volume_ml))


def _working(cavity: TruncatedSpheroid, first: Wall) -> TruncatedSpheroid:
    """The round cavity narrowed until, with the scar that stays outside of it, the volume is that of before."""

    def narrowed(factor: float) -> TruncatedSpheroid:
        return TruncatedSpheroid(cavity.equator_mm, cavity.long_mm, cavity.short_mm * factor)

    def excess_ml(factor: float) -> float:
        return Wall(narrowed(factor), first.epicardium, first.start, first.scar).inner_ml - cavity.volume_ml

    return narrowed(_root(excess_ml, 0.02, 1.5))


def _epicardium(cavity: TruncatedSpheroid, thickness_mm: float, apical_share: float) -> TruncatedSpheroid:
    """Outer surface of a wall around the cavity, cut by the same base plane."""
    return TruncatedSpheroid(
        cavity.equator_mm,
        cavity.long_mm + apical_share * thickness_mm,
        cavity.short_mm + thickness_mm,
    )


def _thickened(cavity: TruncatedSpheroid, first: Wall, apical_share: float) -> Wall:
    """The wall whose thickness gives it its volume: muscle cannot be compressed."""

    def of(thickness_mm: float) -> Wall:
        return Wall(cavity, _epicardium(cavity, thickness_mm, apical_share), first.start, first.scar, first.thickening)

    # What muscle and cavity take up together follows from the cavity alone, as muscle keeps its volume.
    whole_ml = first.outer_ml - first.inner_ml + of(1.0).inner_ml
    return of(_root(lambda thickness_mm: of(thickness_mm).outer_ml - whole_ml, 0.0, 40.0))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a growing function is zero, by false position (Illinois rule)."""
    below, above, kept = function(low), function(high), 0
    for _ in range(60):
        middle = (low * above - high * below) / (above - below)
        value = function(middle)
        if abs(value) < 1e-10 or high - low < 1e-12:
            break
        # An end that stays twice in a row pulls the chord towards it; halving its value is what the Illinois rule does.
        if value < 0:
            low, below = middle, value
            above = above / 2 if kept < 0 else above
        else:
            high, above = middle, value
            below = below / 2 if kept > 0 else below
        kept = -1 if value < 0 else 1
    return middle


def _atrium(base_radius_mm: float, length_mm: float, bulge: float) -> TruncatedSpheroid:
    """Atrium that is as wide as the mitral ring at its base, and `bulge` times as wide further down."""
    share = math.sqrt(1 - 1 / bulge**2)
    long_mm = length_mm / (1 + share)
    return TruncatedSpheroid(long_mm * share, long_mm, base_radius_mm * bulge)


def _right(wall: Wall, length_share: float, volume_ml: float, wall_mm: float, half_angle_rad: float) -> RightVentricle:
    """The crescent of the given volume along a left ventricle: volume = w b + w^2 a, solved for the width w."""
    length = length_share * wall.epicardium.length_mm
    z, angle, area = nodes(length)
    shape = crescent(z / length, angle, half_angle_rad)
    # The crescent is the outer radius plus w times a shape: squaring it leaves a quadratic in w, with one positive
    # root.
    a = float((area * shape**2).sum()) / 2000
    b = float((area * shape * wall.outer_radius(z, angle)).sum()) / 1000
    width_mm = (math.sqrt(b**2 + 4 * a * volume_ml) - b) / (2 * a)
    return RightVentricle(width_mm, length, wall_mm, half_angle_rad)
