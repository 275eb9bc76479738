"""How trees of retinal vessels grow: from the optic disc, step by step, without touching others of their kind.

Positions are as in `cardiotrace.phantoms.fundus.vessel`.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from cardiotrace.phantoms.fundus.vessel import (
    AVASCULAR_MM,
    FOVEA_MM,
    RAPHE_BARE_MM,
    RAPHE_MM,
    Point,
    TreeShape,
    Vessel,
    branching_angles_rad,
    course_rad,
    daughters,
)

STEP_MM = 0.06
"""Length of one step of a growing vessel."""
_CELL_MM = 0.04
"""Size of a cell of the ground."""
_CLEARANCE_MM = 0.19
"""Vessels of one kind keep at least this distance, but where they part."""
_LOOKS_RAD = (0.0, 0.35, -0.35, 0.75, -0.75)
"""Directions, off the own heading, in which a vessel looks for free ground, in this order."""


@dataclass(order=True)
class _Tip:
    """Where a vessel is about to begin; the largest are grown first."""

    rank: tuple[float, int]
    point: Point = field(compare=False)
    heading: float = field(compare=False)
    radius: float = field(compare=False)
    lean: float = field(compare=False)
    """Angle that it keeps to the course of the large vessels."""
    parent: int = field(compare=False)
    length: float = field(compare=False)
    """Length to its next branching, mm."""
    forced: tuple["_Fork", ...] = field(compare=False, default=())


@dataclass(frozen=True)
class _Fork:
    """A branching whose daughters are prescribed: the first ones, in and around the disc."""

    asymmetry: float
    headings: tuple[float, float]
    lengths_mm: tuple[float, float]
    then: tuple[tuple["_Fork", ...], tuple["_Fork", ...]] = ((), ())


class Ground:
    """The retina while trees grow on it: which cells hold a vessel of which kind, and which lie close to one.

    Args:
        inside: whether a point may hold a vessel.
        half_mm: the ground reaches as far on all sides of the disc.
    """

    def __init__(self, inside: Callable[[float, float], bool], half_mm: float = 12.0) -> None:
        self.inside = inside
        self._half = half_mm
        self._count = int(2 * half_mm / _CELL_MM)
        self._held, self._near = self._empty(), self._empty()
        self._parents: dict[str, list[int]] = {"artery": [], "vein": []}

    def _empty(self) -> dict[str, Int[np.ndarray, "rows columns"]]:
        return {kind: np.full((self._count, self._count), -1, np.int32) for kind in ("artery", "vein")}

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        row, column = int((y + self._half) / _CELL_MM), int((x + self._half) / _CELL_MM)
        return min(max(row, 0), self._count - 1), min(max(column, 0), self._count - 1)

    def holder(self, kind: str, x: float, y: float) -> int:
        """Index of the vessel of this kind that covers a point, -1 if none does."""
        return int(self._held[kind][self._cell(x, y)])

    def neighbour(self, kind: str, x: float, y: float) -> int:
        """Index of a vessel of this kind that runs close by a point, -1 if none does."""
        return int(self._near[kind][self._cell(x, y)])

    def add(self, kind: str, parent: int) -> None:
        """Note that a vessel has grown out of another of its kind."""
        self._parents[kind].append(parent)

    def parent(self, kind: str, index: int) -> int:
        """The vessel that a vessel of this kind springs from."""
        return self._parents[kind][index]

    def occupy(self, kind: str, x: float, y: float, radius: float, index: int) -> None:
        """Mark the cells around a point of a vessel as taken by it."""
        row, column = self._cell(x, y)
        for grid, clearance in ((self._held[kind], 0.0), (self._near[kind], _CLEARANCE_MM)):
            reach = round((radius + clearance) / _CELL_MM)
            area = grid[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
            area[area < 0] = index


@dataclass(frozen=True)
class _Tree:
    """A tree while it grows; see `grow_tree`."""

    kind: str
    shape: TreeShape
    ground: Ground
    rng: np.random.Generator


def grow_tree(kind: str, shape: TreeShape, ground: Ground, rng: np.random.Generator) -> tuple[Vessel, ...]:
    """One tree, from the central vessel to the finest that can be followed.

    Vessels of one kind never cross each other; those of different kinds do, but do not run on top of each other.

    Args:
        kind: "artery" or "vein".
        shape: of the tree.
        ground: holds what has grown already, and gets what grows now.
        rng: source of randomness.
    """
    tree = _Tree(kind, shape, ground, rng)
    tips = [_trunk(kind, shape, rng), *_rim_twigs(shape, rng)]
    heapq.heapify(tips)
    vessels: list[Vessel] = []
    while tips:
        tip = heapq.heappop(tips)
        grown = _Growth(tree, tip, len(vessels)).run()
        if grown is None:
            continue
        vessel, end, heading = grown
        vessels.append(vessel)
        ground.add(kind, tip.parent)
        if end is not None:
            for daughter in _branch(tree, tip, end, heading, len(vessels) - 1):
                heapq.heappush(tips, daughter)
    return tuple(vessels)


def _trunk(kind: str, shape: TreeShape, rng: np.random.Generator) -> _Tip:
    """The central vessel, which comes up in the disc and parts there until vessels leave it on all sides."""
    side = 1.0 if kind == "vein" else -1.0
    start = (-0.16 + 0.07 * side + float(rng.normal(0, 0.03)), float(rng.normal(0.02, 0.06)))
    up, down = (_papillary(vertical, side, rng) for vertical in (-1.0, 1.0))
    headings = (math.radians(rng.normal(-98, 8)), math.radians(rng.normal(98, 8)))
    first = _Fork(float(rng.uniform(0.85, 1.0)), headings, _lengths(0.25, 0.5, rng), ((up,), (down,)))
    return _Tip((-1.0, 0), start, headings[int(rng.integers(2))], shape.trunk_radius_mm, 0.0, -1, 0.13, (first,))


def _rim_twigs(shape: TreeShape, rng: np.random.Generator) -> list[_Tip]:
    """Fine vessels that come up at the rim of the disc by themselves, most of them on the side of the macula."""
    twigs = []
    for index in range(int(rng.integers(3, 6))):
        angle = math.radians(rng.uniform(-55, 55) if rng.uniform() < 0.65 else rng.uniform(145, 215))
        start = (0.62 * math.cos(angle), 0.7 * math.sin(angle))
        radius = float(rng.uniform(0.1, 0.2)) * shape.trunk_radius_mm
        length = _length_mm(radius, shape, rng) + 1.0
        twigs.append(_Tip((-radius, -1 - index), start, angle, radius, 0.0, -1, length))
    return twigs


def _papillary(vertical: float, side: float, rng: np.random.Generator) -> _Fork:
    """How the upper (-1) or lower (1) half parts: an arcade with a twig for the macula, a nasal vessel with a twig."""
    arcade, nasal, macular, level, upright = (
        vertical * math.radians(rng.normal(*angle))
        for angle in ((60 + 5 * side, 6), (128 + 6 * side, 8), (24 + 5 * side, 9), (164, 8), (97 - 8 * side, 6))
    )
    to_macula = _Fork(float(rng.uniform(0.28, 0.5)), (arcade, macular), _lengths(0.9, 2.2, rng))
    to_nose = _Fork(float(rng.uniform(0.5, 0.85)), (nasal, level), _lengths(0.8, 2.0, rng))
    # One more leaves almost upright, sometimes from the arcade, sometimes from the nasal vessel.
    further = _Fork(float(rng.uniform(0.4, 0.75)), (arcade, upright), _lengths(0.1, 0.35, rng), ((to_macula,), ()))
    if rng.uniform() < 0.4:
        further = _Fork(float(rng.uniform(0.4, 0.75)), (nasal, upright), _lengths(0.1, 0.35, rng), ((to_nose,), ()))
        return _Fork(
            float(rng.uniform(0.7, 0.95)), (arcade, nasal), _lengths(0.1, 0.3, rng), ((to_macula,), (further,))
        )
    return _Fork(float(rng.uniform(0.65, 0.9)), (arcade, nasal), _lengths(0.1, 0.3, rng), ((further,), (to_nose,)))


def _lengths(low: float, high: float, rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(low, high)), float(rng.uniform(low, high))


def _branch(tree: _Tree, tip: _Tip, end: Point, heading: float, parent: int) -> list[_Tip]:
    """The two vessels that a vessel ends in."""
    if tip.forced:
        return _forced_branch(tip, end, parent)
    radius, rng = tip.radius, tree.rng
    # Large vessels run on and give off twigs; small ones part more evenly.
    evenness = 0.35 if radius > 0.028 else 0.65
    asymmetry = float(0.3 + evenness * rng.beta(1.2, 1.7))
    larger, smaller = daughters(radius, asymmetry)
    turns = branching_angles_rad(radius, larger, smaller)
    side = float(rng.choice([-1.0, 1.0]))
    spread = math.radians(float(rng.uniform(20, 60))) * (1 - 0.45 * asymmetry)
    made = []
    for index, (own, turn, sign) in enumerate(((larger, turns[0], -side), (smaller, turns[1], side))):
        # Beyond the branching the twig keeps off the large vessels' course; what runs on hardly leaves it.
        lean = tip.lean + (sign * spread if index else 0.25 * sign * spread * asymmetry)
        length = _length_mm(own, tree.shape, rng)
        made.append(_Tip((-own, 10 * parent + index), end, heading + sign * turn, own, lean, parent, length))
    return made


def _forced_branch(tip: _Tip, end: Point, parent: int) -> list[_Tip]:
    """The two vessels of a prescribed branching: radii by Murray's law, headings and lengths as prescribed."""
    fork = tip.forced[0]
    radii = daughters(tip.radius, fork.asymmetry)
    return [
        _Tip((-own, 10 * parent + index), end, way, own, 0.0, parent, length, then)
        for index, (own, way, length, then) in enumerate(
            zip(radii, fork.headings, fork.lengths_mm, fork.then, strict=True)
        )
    ]


def _length_mm(radius: float, shape: TreeShape, rng: np.random.Generator) -> float:
    """Distance to the next branching: larger vessels run further."""
    mean = shape.spacing * (1.25 + 9.0 * radius)
    return float(mean * (0.35 + rng.gamma(2.0, 0.33)))


class _Growth:
    """One vessel growing step by step."""

    def __init__(self, tree: _Tree, tip: _Tip, index: int) -> None:
        self._kind, self._other = tree.kind, "artery" if tree.kind == "vein" else "vein"
        self._shape, self._ground, self._rng = tree.shape, tree.ground, tree.rng
        self._tip, self._index = tip, index

    def run(self) -> tuple[Vessel, Point | None, float] | None:
        """The vessel, where it branches (None where it ends) and its heading there; None if nothing could grow."""
        tip, shape = self._tip, self._shape
        if tip.radius < shape.least_radius_mm:
            return None
        count = max(2, math.ceil(tip.length / STEP_MM))
        waves = self._waves(count)
        (x, y), heading = tip.point, tip.heading
        points, end = [(x, y)], None
        for step in range(count):
            heading = self._steer(x, y, heading, step) + waves[step]
            free = self._free_heading(x, y, heading, step * STEP_MM)
            if free is None:
                break
            heading = free
            x, y = x + STEP_MM * math.cos(heading), y + STEP_MM * math.sin(heading)
            if not self._ground.inside(x, y) or _is_bare(x, y):
                break
            points.append((x, y))
        else:
            # Only a vessel that ran its whole length parts; one that was stopped ends here.
            end = (x, y)
        if len(points) < 3:
            return None
        # Taken only now: a vessel is not in its own way.
        for px, py in points[:: max(1, int(_CELL_MM / STEP_MM))]:
            self._ground.occupy(self._kind, px, py, tip.radius, self._index)
        return self._vessel(points, ended=end is None), end, heading

    def _waves(self, count: int) -> Float[np.ndarray, " steps"]:
        """Turns per step that make the vessel wind: smooth noise, the finer the vessel the stronger."""
        strength = self._shape.tortuosity * (0.030 + 0.03 * math.exp(-self._tip.radius / 0.02))
        white = self._rng.normal(0, 1, count + 12)
        return np.asarray(np.convolve(white, np.hanning(15)[1:-1] / 2.2, "valid") * strength)

    def _steer(self, x: float, y: float, heading: float, step: int) -> float:
        """Turn towards the course of this place, leant as this vessel leans; near the macula inwards to it."""
        wanted = course_rad((x, y)) + self._tip.lean
        dx, dy = FOVEA_MM[0] - x, FOVEA_MM[1] - y
        to_fovea = math.hypot(dx, dy)
        if to_fovea < 2.6 and self._tip.radius < 0.03:
            inwards = math.atan2(dy, dx)
            wanted += 0.55 * (1 - to_fovea / 2.6) * _turn(inwards, wanted)
        # Vessels hardly bend in the disc, where they climb out of the cup.
        stiffness = 0.35 + 1.1 * math.exp(-math.hypot(x, y) / 0.8)
        return heading + STEP_MM / stiffness * 0.55 * _turn(wanted, heading)

    def _free_heading(self, x: float, y: float, heading: float, gone: float) -> float | None:
        """The nearest heading without a vessel of the same kind ahead; None if there is none."""
        if math.hypot(x, y) < 0.95:
            return heading
        reach = 0.12 + self._tip.radius
        for look in _LOOKS_RAD:
            ahead = heading + look
            px, py = x + reach * math.cos(ahead), y + reach * math.sin(ahead)
            if self._is_free(px, py, gone) and not self._rides(x, y, px, py):
                return heading + 0.45 * look
        # Running on top of the other kind is better than ending, ending better than touching one's own.
        px, py = x + reach * math.cos(heading), y + reach * math.sin(heading)
        is_large = self._tip.radius > 0.02 and self._ground.holder(self._kind, px, py) < 0
        return heading if is_large or self._is_free(px, py, gone) else None

    def _is_free(self, x: float, y: float, gone: float) -> bool:
        """Whether no vessel of the same kind is close to a point; the closest relatives may be, near the branching."""
        near = self._ground.neighbour(self._kind, x, y)
        if near < 0:
            return True
        if gone > 1.0:
            return False
        return near == self._tip.parent or self._ground.parent(self._kind, near) == self._tip.parent

    def _rides(self, x: float, y: float, px: float, py: float) -> bool:
        """Whether a vessel of the other kind lies both here and ahead: on top of it rather than across."""
        here, ahead = self._ground.holder(self._other, x, y), self._ground.holder(self._other, px, py)
        return here >= 0 and here == ahead

    def _vessel(self, points: list[Point], *, ended: bool) -> Vessel:
        taper = np.linspace(1.0, 0.94, len(points))
        if ended and self._tip.radius < 3 * self._shape.least_radius_mm:
            taper = taper * np.linspace(1.0, 0.55, len(points))
        if self._tip.parent < 0:  # comes up from the depth of the disc
            taper[: len(points) // 2] *= np.linspace(0.4, 1.0, len(points) // 2)
        return Vessel(np.array(points), self._tip.radius * taper, self._tip.parent, self._tip.radius)


def _is_bare(x: float, y: float) -> bool:
    """Where no vessel runs: at the fovea, and at the far end of the raphe, which vessels would circle."""
    at_raphe = math.dist((x, y), (RAPHE_MM, 1.3 * FOVEA_MM[1])) < RAPHE_BARE_MM
    return at_raphe or math.dist((x, y), FOVEA_MM) < AVASCULAR_MM


def _turn(wanted: float, heading: float) -> float:
    """Signed angle from a heading to the wanted one, -pi to pi."""
    return math.remainder(wanted - heading, 2 * math.pi)
