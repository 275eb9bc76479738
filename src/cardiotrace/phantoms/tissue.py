"""What sends the echoes back: scatterers that sit in tissues and move with them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.phantoms.heart import HeartState

Points = Float[np.ndarray, " points"]
Placed = tuple[Points, Points]
"""x and z in the heart's plane, mm."""
Place = Callable[[HeartState], Placed]

HIDDEN_MM = 1e6
"""Where scatterers go that a moving cavity covers: far outside of every sector."""
ATRIAL_WALL_MM = 4.0
RIGHT_BASE_MM = 32.0
"""Width of the right ventricle at its valve."""


@dataclass(frozen=True)
class Tissue:
    """Scatterers of one tissue: how strong each is, and where all of them are at an instant.

    Squared amplitudes are mean echo energy times the area, mm2, that a scatterer stands for.
    """

    amplitude: Points
    place: Place


def moving_tissues(first: HeartState, rng: np.random.Generator) -> list[Tissue]:
    """Walls, trabeculae, valves and valve rings, from the heart at end-diastole."""
    return [
        _wall(first, rng),
        _trabeculae(first, rng),
        _atrial_wall(first, rng),
        *(_leaflet(leaflet, rng) for leaflet in _LEAFLETS),
        *(_ring(side, level_db, rng) for side, level_db in ((-1.0, 46.0), (1.0, 40.0), (-2.0, 34.0))),
    ]


def smooth_noise(points_mm: Placed, scale_mm: tuple[float, float], rng: np.random.Generator) -> Points:
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


def shell(u: Points, w: Points) -> Place:
    """Places in the wall: u from the septal end (-1) over the apex to the lateral end (1), w from inside to out."""

    def place(heart: HeartState) -> Placed:
        cavity, outer = heart.cavity, heart.epicardium
        short = cavity.short_mm + w * (outer.short_mm - cavity.short_mm)
        long = cavity.long_mm + w * (outer.long_mm - cavity.long_mm)
        angle = u * np.arccos(-cavity.equator_mm / long)
        z = cavity.equator_mm + long * np.cos(angle)
        return short * np.sin(angle) + heart.bend(z), z

    return place


def _area(place: Callable[[Points, Points], Place], u: Points, w: Points, heart: HeartState) -> Points:
    """Area per unit of u and w at each point, mm2, by small differences."""
    step = 1e-4
    x, z = place(u, w)(heart)
    x_u, z_u = place(u + step, w)(heart)
    x_w, z_w = place(u, w + step)(heart)
    return np.asarray(np.abs((x_u - x) * (z_w - z) - (x_w - x) * (z_u - z)) / step**2)


def _wall(first: HeartState, rng: np.random.Generator) -> Tissue:
    """Myocardium: the septum stands out, the apex and the lateral wall run along the beam and are faint."""
    count = 9000
    u, w = rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    level_db = np.interp(u, [-1, -0.8, -0.45, -0.2, 0, 0.25, 0.5, 0.75, 1], [32, 31, 30, 23, 19, 16, 17.5, 22, 28])
    place = shell(u, w)
    at = place(first)
    level_db += 4 * smooth_noise(at, (7, 10), rng) + 4 * smooth_noise(at, (2.5, 4), rng)
    level_db += np.where(u < 0, -6 * (w - 0.4) ** 2, 8 * (w - 0.5))
    area = _area(shell, u, w, first) * (2 / count)
    return Tissue(amplitudes(level_db, area, rng), place)


def _trabeculae(first: HeartState, rng: np.random.Generator) -> Tissue:
    """Muscle strands on the inside of the wall and the papillary muscle of the lateral wall."""
    count = 2500
    u, w = rng.uniform(-0.9, 0.9, count), -0.35 * rng.beta(1, 2, count)
    place = shell(u, w)
    patches = smooth_noise(place(first), (5, 7), rng)
    level_db = 12 + 8 * np.clip(patches, -2, 1.5) + 8 * np.exp(-(((u - 0.6) / 0.15) ** 2))
    area = _area(shell, u, w, first) * (1.8 * 0.35 / count)
    return Tissue(amplitudes(level_db, area, rng), place)


def _atrial_shell(u: Points, w: Points) -> Place:
    def place(heart: HeartState) -> Placed:
        atrium = heart.atrium
        long = atrium.long_mm + w * ATRIAL_WALL_MM
        angle = u * np.arccos(-atrium.equator_mm / long)
        return (atrium.short_mm + w * ATRIAL_WALL_MM) * np.sin(angle), -atrium.equator_mm - long * np.cos(angle)

    return place


def _atrial_wall(first: HeartState, rng: np.random.Generator) -> Tissue:
    """Wall of the left atrium: bright crux and roof, a thin middle of the septum, a fainter lateral wall."""
    count = 3000
    u, w = rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    level_db = np.interp(u, [-1, -0.85, -0.6, -0.35, 0, 0.4, 0.75, 1], [42, 36, 27, 31, 37, 31, 28, 36])
    place = _atrial_shell(u, w)
    level_db += 4 * smooth_noise(place(first), (6, 6), rng)
    area = _area(_atrial_shell, u, w, first) * (2 / count)
    return Tissue(amplitudes(level_db, area, rng), place)


@dataclass(frozen=True)
class _Leaflet:
    """A valve leaflet: hinge and closed tip in radii of the valve ring, length in mm; side -2 is the right heart."""

    hinge: float
    closed: tuple[float, float]
    """x in radii of the ring, z in mm."""
    length_mm: float
    lean: float
    """Sine of the angle between the open leaflet and the axis, towards the lateral wall."""


_LEAFLETS = (
    _Leaflet(-1.0, (0.2, 4.5), 21.0, 0.35),
    _Leaflet(1.0, (0.2, 4.5), 13.0, -0.3),
    _Leaflet(-2.0, (-2.7, 3.5), 16.0, -0.15),
    _Leaflet(-3.6, (-2.7, 3.5), 15.0, 0.3),
)


def _leaflet(leaflet: _Leaflet, rng: np.random.Generator) -> Tissue:
    count = 500
    along, across = rng.uniform(0, 1, count), rng.normal(0, 0.7, count)
    level_db = 36 + 3 * along * (leaflet.hinge > -2) - 5 * (leaflet.hinge <= -2) + rng.normal(0, 1.5, count)

    def place(heart: HeartState) -> Placed:
        ring = heart.cavity.base_radius_mm
        hinge = leaflet.hinge * ring
        open_x = hinge + leaflet.lean * leaflet.length_mm
        open_z = math.sqrt(1 - leaflet.lean**2) * leaflet.length_mm
        wide = heart.mitral_opening
        tip_x = (1 - wide) * leaflet.closed[0] * ring + wide * open_x
        tip_z = (1 - wide) * leaflet.closed[1] + wide * open_z
        # The belly of a closed leaflet bulges towards the ventricle less than its tip.
        bow = 2.5 * (1 - wide) * np.sin(np.pi * along)
        return hinge + along * (tip_x - hinge) + across, along * tip_z - bow + across

    return Tissue(amplitudes(level_db, leaflet.length_mm * 2.5 / count, rng), place)


def _ring(side: float, level_db: float, rng: np.random.Generator) -> Tissue:
    """Fibrous ring that a valve hangs in: the brightest spots of the plane."""
    count = 300
    dx, dz = rng.normal(0, 2.2, count), rng.normal(0, 1.8, count)
    levels = np.full(count, level_db)

    def place(heart: HeartState) -> Placed:
        return side * heart.cavity.base_radius_mm + math.copysign(3.0, side) + dx, dz - 1.0

    return Tissue(amplitudes(levels, 4 * np.pi * 2.2 * 1.8 / count, rng), place)


def surroundings(x: Points, z: Points, area_mm2: Points, first: HeartState, rng: np.random.Generator) -> Tissue:
    """Everything outside of the left heart: right heart, pericardium, lung, diaphragm.

    Args:
        x: positions of the scatterers at end-diastole, mm.
        z: the same.
        area_mm2: what each stands for.
        first: the heart at end-diastole.
        rng: source of randomness.
    """
    level_db = _surrounding_level_db(x, z, first, rng)
    top = first.epicardium.length_mm
    away = np.maximum(_outside(x, z, first), 0) * first.epicardium.short_mm
    sideways = np.sign(x) * np.exp(-away / 20) * (z > -5)
    height = np.clip(1 - z / top, 0, 1) ** 1.5
    lengthwise = np.where(z > 0, height, np.exp(np.minimum(z, 0) / 25)) * np.exp(-np.maximum(np.abs(x) - 30, 0) / 60)

    def place(heart: HeartState) -> Placed:
        moved_x = x + sideways * (heart.epicardium.short_mm - first.epicardium.short_mm)
        # Heights are counted from the moving mitral plane; far tissue keeps its distance from the fixed apex.
        sunk = heart.epicardium.length_mm - top
        moved_z = z + sunk * (1 - lengthwise)
        covered = _covered(moved_x, moved_z, heart)
        return np.where(covered, HIDDEN_MM, moved_x), moved_z

    return Tissue(amplitudes(level_db, area_mm2, rng), place)


def _outside(x: Points, z: Points, heart: HeartState) -> Points:
    """How far outside of the epicardium, in its radii; negative inside."""
    outer = heart.epicardium
    return np.asarray(np.hypot((x - heart.bend(z)) / outer.short_mm, (z - outer.equator_mm) / outer.long_mm) - 1)


def _covered(x: Points, z: Points, heart: HeartState) -> Points:
    """Whether the ventricle or the atrium lies over the point."""
    atrium = heart.atrium
    below = np.hypot(
        x / (atrium.short_mm + ATRIAL_WALL_MM), (-z - atrium.equator_mm) / (atrium.long_mm + ATRIAL_WALL_MM)
    )
    return np.asarray(np.where(z >= 0, _outside(x, z, heart) < 0, below < 1))


def _surrounding_level_db(x: Points, z: Points, first: HeartState, rng: np.random.Generator) -> Points:
    """Brightness by region, with the unevenness of real tissue, dB."""
    ring, top = first.cavity.base_radius_mm, first.epicardium.length_mm
    outer = first.epicardium
    away = _outside(x, z, first) * outer.short_mm
    level = 23 + 6 * smooth_noise((x, z), (18, 18), rng) + 5 * smooth_noise((x, z), (9, 3.5), rng)
    # Bright pericardium along the lateral wall, haze of the lung behind it.
    lateral = (x > 0) & (z > -15)
    level += np.where(lateral, 11 * np.exp(-(((away - 2.5) / 2.2) ** 2)) - 0.1 * np.maximum(away, 0), 0)
    # Fibrous tissue around the valves, posterior pericardium and spine below the atria.
    level += 8 * np.exp(-(((z + 4) / 9) ** 2)) * (np.abs(x) < 2.4 * ring)
    deep = -first.atrium.length_mm - ATRIAL_WALL_MM
    level += 16 * np.exp(-np.maximum(z - deep, 0) / 8) * (x < 1.5 * ring)
    # Right ventricle: a crescent along the septum, with a bright free wall; right atrium below it.
    width = RIGHT_BASE_MM * np.sqrt(np.clip(1 - (np.maximum(z, 0) / (0.8 * top)) ** 2, 0, 1))
    septum = np.where(z > 0, -outer.radius_mm(np.maximum(z, 0)) + first.bend(z), -ring - 5)
    gap = septum - x
    right = (z > 0) & (gap > 0)
    level = np.where(right & (gap < width), 9 + 0.3 * (level - 23), level)
    level += np.where(right, 8 * np.exp(-(((gap - width - 2) / 2) ** 2)) * (width > 3), 0)
    atrium = np.hypot((x + ring + 5 + 19) / 19, (z + 20) / 24) - 1
    level = np.where((z <= 0) & (atrium < 0), 11 + 0.3 * (level - 23), level)
    return np.asarray(level + np.where(z <= 0, 9 * np.exp(-((atrium * 20 - 2) ** 2) / 5), 0))
