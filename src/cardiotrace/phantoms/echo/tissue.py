"""What sends the echoes back: how bright each tissue is, and scatterers that move with the heart."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.terms import View
from cardiotrace.phantoms.echo.cloud import Around, WallPlace, wall_place
from cardiotrace.phantoms.echo.plane import Placed, ScanPlane
from cardiotrace.phantoms.heart.anatomy import AORTIC_RADIUS_MM, Tissue
from cardiotrace.phantoms.heart.heart import HeartState
from cardiotrace.phantoms.heart.section import aorta_distance, right_atrium

Points = Float[np.ndarray, " points"]
Place = Callable[[HeartState], Placed]

ELEVATION_MM = 1.6
"""Standard deviation of the beam across the plane: echoes from beside it blend in."""
ATRIAL_WALL_MM = 4.0
TRABECULAR_DEPTH = -0.35
"""How far trabeculae reach into the cavity, in thicknesses of the wall."""


@dataclass(frozen=True)
class Scatterers:
    """Scatterers of one kind: how strong each is, and where all of them are at an instant.

    Squared amplitudes are mean echo energy times the area, mm2, that a scatterer stands for, when the beam's
    profile across the plane is one on average.
    """

    amplitude: Points
    place: Place


WALL_NODES = (-1.0, -0.8, -0.45, -0.2, 0.0, 0.25, 0.5, 0.75, 1.0)
WALL_DB: Mapping[View, tuple[float, ...]] = {
    View.FOUR_CHAMBER: (34, 33, 32, 25, 20.5, 17.5, 19, 24, 30),
    View.TWO_CHAMBER: (32, 31, 29, 23, 19, 17.5, 20, 24, 29),
    View.THREE_CHAMBER: (31, 28, 24, 19, 19, 22, 28, 32, 33),
    View.PLAX: (29, 29, 27, 22, 20, 22, 27, 29, 30),
}
"""Brightness of the wall by view, from the base on the left over the apex to the base on the right, dB: walls along
the beam are faint. The short axis is brightened by the angle between wall and beam instead."""
ATRIAL_NODES = (-1.0, -0.85, -0.6, -0.35, 0.0, 0.4, 0.75, 1.0)
ATRIAL_DB = (42, 36, 27, 31, 37, 31, 28, 36)
"""Likewise of the left atrium's wall, from hinge over roof to hinge."""


def smooth_noise(points_mm: tuple[Points, Points], scale_mm: tuple[float, float], rng: np.random.Generator) -> Points:
    """Gaussian random field of unit variance with the given correlation lengths, as a sum of 32 plane waves."""
    waves = rng.normal(size=(32, 2)) / np.asarray(scale_mm)
    phases = rng.uniform(0, 2 * np.pi, 32)
    field = np.zeros(len(points_mm[0]))
    for (kx, kz), phase in zip(waves, phases, strict=True):
        field += np.cos(kx * points_mm[0] + kz * points_mm[1] + phase)
    return field / 4


def amplitudes(level_db: Points, area_mm2: Points | float, rng: np.random.Generator) -> Points:
    """Random amplitudes whose mean square is the echo energy of the level times the area."""
    return np.asarray(rng.normal(size=level_db.shape) * np.sqrt(10 ** (level_db / 10) * area_mm2))


@dataclass(frozen=True)
class Slab:
    """Points that fill a slab around the plane at end-diastole.

    Args:
        plane: how the heart is cut.
        first: the heart at end-diastole.
        across, along, off: in the plane's coordinates, mm.
        depth_mm: below the probe.
        area_mm2: what each point stands for.
    """

    plane: ScanPlane
    first: HeartState
    across: Points
    along: Points
    off: Points
    area_mm2: float

    @property
    def points(self) -> Placed:
        """(x, y, z) in the heart, mm."""
        return self.plane.lift(self.across, self.along, self.off, self.first)

    def taken(self, index: np.ndarray[tuple[int], np.dtype[np.intp]]) -> "Slab":
        """Some of the points."""
        return Slab(self.plane, self.first, self.across[index], self.along[index], self.off[index], self.area_mm2)


def scatterers_in(slab: Slab, beam: tuple[float, float], rng: np.random.Generator) -> list[Scatterers]:
    """Everything that echoes: the wall and what hangs in it, what surrounds the heart, the valves.

    Args:
        slab: where to look.
        beam: (across, along) of the direction of the beam through the middle of the heart, of length one.
        rng: source of randomness.
    """
    codes = slab.first.tissue(np.stack(slab.points, axis=-1))
    muscle = np.flatnonzero(np.isin(codes, (Tissue.MYO, Tissue.LV, Tissue.PAPILLARY)))
    around = np.flatnonzero(~np.isin(codes, (Tissue.MYO, Tissue.LV, Tissue.PAPILLARY, Tissue.LA, Tissue.AORTA)))
    return [
        _wall(slab.taken(muscle), codes[muscle], beam, rng),
        _around(slab.taken(around), codes[around], rng),
        *valves(slab.plane, slab.first, rng),
    ]


def _wall(
    slab: Slab, codes: UInt8[np.ndarray, " points"], beam: tuple[float, float], rng: np.random.Generator
) -> Scatterers:
    """Myocardium, trabeculae on the inside of the wall and papillary muscles."""
    place = wall_place(slab.points, slab.first)
    in_plane = (slab.across, slab.along)
    level_db = _wall_level_db(slab, place, beam)
    level_db += 4 * smooth_noise(in_plane, (7, 10), rng) + 4 * smooth_noise(in_plane, (2.5, 4), rng)
    strands = 12 + 8 * np.clip(smooth_noise(in_plane, (5, 7), rng), -2, 1.5)
    if slab.plane.view is View.FOUR_CHAMBER:
        # The foot of the anterolateral papillary muscle, of which the plane shows little else.
        strands += 8 * np.exp(-(((place.fan - 0.6) / 0.15) ** 2)) * (slab.across > 0)
    level_db = np.where(codes == Tissue.LV, strands, level_db)
    level_db = np.where(codes == Tissue.PAPILLARY, np.minimum(level_db + 2, 25), level_db)
    # Trabeculae thin out towards the middle of the cavity.
    thinned = rng.uniform(size=len(codes)) < (1 - place.depth / TRABECULAR_DEPTH)
    kept = np.flatnonzero((codes != Tissue.LV) | ((place.depth > TRABECULAR_DEPTH) & thinned & (place.fan < 0.92)))
    area = np.where(codes == Tissue.LV, 1.6, 1.0)[kept] * slab.area_mm2
    sitting = WallPlace(place.fan[kept], place.depth[kept], place.angle_rad[kept])
    return Scatterers(amplitudes(level_db[kept], area, rng), sitting.at)


def _wall_level_db(slab: Slab, place: WallPlace, beam: tuple[float, float]) -> Points:
    if slab.plane.is_short_axis:
        away = np.maximum(np.hypot(slab.across, slab.along), 1e-6)
        facing = (slab.across * beam[0] + slab.along * beam[1]) / away
        return np.asarray(22 + 10 * facing**2 + 4 * (place.depth - 0.5))
    u = place.fan * np.where(slab.across < 0, -1, 1)
    level_db = np.interp(u, WALL_NODES, WALL_DB[slab.plane.view])
    return np.asarray(level_db + np.where(u < 0, -6 * (place.depth - 0.4) ** 2, 8 * (place.depth - 0.5)))


def _around(slab: Slab, codes: UInt8[np.ndarray, " points"], rng: np.random.Generator) -> Scatterers:
    """Right heart, atrial walls, pericardium, lung, diaphragm."""
    place = Around(slab.points, slab.first)
    level_db = _around_level_db(slab, codes, rng)
    return Scatterers(amplitudes(level_db, slab.area_mm2, rng), place.at)


def _around_level_db(slab: Slab, codes: UInt8[np.ndarray, " points"], rng: np.random.Generator) -> Points:
    """Brightness by region, with the unevenness of real tissue, dB."""
    first, in_plane = slab.first, (slab.across, slab.along)
    x, y, z = slab.points
    ring = first.cavity.base_radius_mm
    aside = np.hypot(x, y)
    level = 22 + 7.5 * smooth_noise(in_plane, (18, 18), rng) + 6 * smooth_noise(in_plane, (9, 3.5), rng)
    uneven = 0.3 * (level - 22)
    shifted, angle = x - first.bend(z), np.arctan2(y, x - first.bend(z))
    outer = np.where(z > -15, first.wall.outer_radius(np.maximum(z, 0), angle), 0)
    width = first.right.width(np.maximum(z, 0), angle)
    away = np.where(outer > 0, np.hypot(shifted, y) - outer, 30.0)
    # Bright pericardium along the free wall of the left ventricle, haze of the lung behind it.
    free = (width < 1) & (z > -15) & (outer > 0)
    level += np.where(free, 11 * np.exp(-(((away - 2.5) / 2.2) ** 2)) - 0.1 * np.maximum(away, 0), 0)
    # Fibrous tissue around the valves, posterior pericardium and spine below the atria.
    level += 8 * np.exp(-(((z + 4) / 9) ** 2)) * (aside < 2.4 * ring)
    deep = -first.atrium.length_mm - ATRIAL_WALL_MM
    level += 16 * np.exp(-np.maximum(z - deep, 0) / 8) * (z < 0) * (shifted < 1.5 * ring)
    # A bright free wall of the right ventricle.
    level += np.where(width > 3, 8 * np.exp(-(((away - width - 2) / 2) ** 2)), 0)
    level = np.where(codes == Tissue.RV, 9 + uneven, level)
    right = right_atrium(first)
    rim = (right.level(x, y, z) - 1) * 20
    level = np.where(z <= 0, level + 9 * np.exp(-((rim - 2) ** 2) / 5), level)
    level = np.where(codes == Tissue.RA, 11 + uneven, level)
    return _base_level_db(slab, level, rng)


def _base_level_db(slab: Slab, level: Points, rng: np.random.Generator) -> Points:
    """With the walls of the left atrium and of the aorta."""
    first, atrium = slab.first, slab.first.atrium
    x, y, z = slab.points
    aside, below = np.hypot(x, y), -z - atrium.equator_mm
    outside = np.hypot(aside / (atrium.short_mm + ATRIAL_WALL_MM), below / (atrium.long_mm + ATRIAL_WALL_MM))
    side = np.where(slab.across < 0, -1, 1)
    u = side * np.arctan2(aside / atrium.short_mm, below / atrium.long_mm) / atrium.base_angle_rad
    wall = np.interp(u, ATRIAL_NODES, ATRIAL_DB)
    wall += 4 * smooth_noise((slab.across, slab.along), (6, 6), rng)
    level = np.where((z < 0) & (outside < 1), wall, level)
    tube = aorta_distance(first, x, y, z) - AORTIC_RADIUS_MM
    return np.asarray(np.where((z < 2) & (tube < 2.5), 35.0, level))


@dataclass(frozen=True)
class Leaflet:
    """A valve leaflet in the plane of a view: hinge and closed tip, its length, how it opens.

    Args:
        hinge: x of the hinge, in radii of the mitral ring.
        closed: tip of the closed leaflet: x in radii of the ring, z in mm.
        length_mm: from hinge to tip.
        lean: sine of the angle between the open leaflet and the axis, towards the right of the image.
        level_db: brightness.
        is_aortic: opens away from the ventricle, in systole.
    """

    hinge: float
    closed: tuple[float, float]
    length_mm: float
    lean: float
    level_db: float = 36.0
    is_aortic: bool = False


_POSTERIOR = Leaflet(-1.0, (-0.15, 4.5), 13.0, 0.3)
LEAFLETS: Mapping[View, tuple[Leaflet, ...]] = {
    View.FOUR_CHAMBER: (
        Leaflet(-1.0, (0.2, 4.5), 21.0, 0.35),
        Leaflet(1.0, (0.2, 4.5), 13.0, -0.3),
        Leaflet(-2.0, (-2.7, 3.5), 16.0, -0.15, 31.0),
        Leaflet(-3.6, (-2.7, 3.5), 15.0, 0.3, 31.0),
    ),
    View.TWO_CHAMBER: (Leaflet(-1.0, (0.0, 4.5), 15.0, 0.3), Leaflet(1.0, (0.0, 4.5), 15.0, -0.3)),
    View.THREE_CHAMBER: (
        _POSTERIOR,
        Leaflet(0.18, (-0.15, 5.0), 19.0, 0.15),
        Leaflet(0.2, (0.62, -3.0), 10.0, 0.05, 33.0, is_aortic=True),
        Leaflet(1.04, (0.62, -3.0), 10.0, 0.1, 33.0, is_aortic=True),
    ),
}
RINGS: Mapping[View, tuple[tuple[float, float], ...]] = {
    View.FOUR_CHAMBER: ((-1.0, 46.0), (1.0, 40.0), (-2.0, 34.0)),
    View.TWO_CHAMBER: ((-1.0, 42.0), (1.0, 40.0)),
    View.THREE_CHAMBER: ((-1.0, 41.0), (0.1, 40.0)),
}
"""Fibrous rings that the valves hang in, the brightest spots of each plane: x in radii of the ring, dB."""


def valves(plane: ScanPlane, first: HeartState, rng: np.random.Generator) -> list[Scatterers]:
    """Leaflets and rings of the plane; a short axis at the papillary muscles has none."""
    if plane.is_short_axis:
        return []
    view = View.THREE_CHAMBER if plane.view is View.PLAX else plane.view
    return [
        *(_leaflet(leaflet, plane.angle_rad, rng) for leaflet in LEAFLETS[view]),
        *(_ring(side, level_db, plane.angle_rad, rng) for side, level_db in RINGS[view]),
    ]


def _leaflet(leaflet: Leaflet, angle_rad: float, rng: np.random.Generator) -> Scatterers:
    count = 500
    along, across = rng.uniform(0, 1, count), rng.normal(0, 0.7, count)
    level_db = leaflet.level_db + 3 * along * (leaflet.level_db > 32) + rng.normal(0, 1.5, count)
    upwards = -1.0 if leaflet.is_aortic else 1.0

    def place(heart: HeartState) -> Placed:
        ring = heart.cavity.base_radius_mm
        hinge = leaflet.hinge * ring
        open_x = hinge + leaflet.lean * leaflet.length_mm
        open_z = upwards * math.sqrt(1 - leaflet.lean**2) * leaflet.length_mm
        wide = heart.aortic_opening if leaflet.is_aortic else heart.mitral_opening
        tip_x = (1 - wide) * leaflet.closed[0] * ring + wide * open_x
        tip_z = (1 - wide) * leaflet.closed[1] + wide * open_z
        # The belly of a closed leaflet bulges towards the ventricle less than its tip.
        bow = 2.5 * (1 - wide) * np.sin(np.pi * along)
        return _in_plane(hinge + along * (tip_x - hinge) + across, along * tip_z - bow + across, angle_rad)

    return Scatterers(amplitudes(level_db, leaflet.length_mm * 2.5 / count, rng), place)


def _ring(side: float, level_db: float, angle_rad: float, rng: np.random.Generator) -> Scatterers:
    """Fibrous ring that a valve hangs in."""
    count = 300
    dx, dz = rng.normal(0, 2.2, count), rng.normal(0, 1.8, count)
    levels = np.full(count, level_db)

    def place(heart: HeartState) -> Placed:
        return _in_plane(side * heart.cavity.base_radius_mm + math.copysign(3.0, side) + dx, dz - 1.0, angle_rad)

    return Scatterers(amplitudes(levels, 4 * np.pi * 2.2 * 1.8 / count, rng), place)


def _in_plane(across: Points, z: Points, angle_rad: float) -> Placed:
    """(x, y, z) of points in a plane through the axis."""
    return across * math.cos(angle_rad), across * math.sin(angle_rad), z
