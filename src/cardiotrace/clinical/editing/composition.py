"""Labels of a plane from an outline that a person drew: the cavity lies within the wall, and nothing overlaps.

What is inside the epicardium and not inside the cavity is wall. At the open base of a long axis, where no wall closes
the cavity, both outlines run along the same line and move together.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.clinical.annulus import annulus_by_myocardium, borders
from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.editing.outline import OUTLINED, Points, outlined
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.component import largest_component
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.geometry.spline import closed_curve, control_points, fill_curve

Mask = Bool[np.ndarray, "height width"]
Plane = UInt8[np.ndarray, "height width"]

_PIXEL = (1.0, 1.0)
_SAME = 1 / 3
"""Share of the points that must have stayed for the rest of the outline to keep its very pixels."""
_ROUNDED = 0.002
"""Pixels."""
_SMOOTHED = 0.04
"""Of an outline: a gap in the wall shorter than this is no opening."""
_UNMOVED = 0.75
"""Pixels by which a corner of the base may seem to move when other points do."""


def with_outline(
    plane: Plane, scheme: LabelScheme, name: str, points: Points, *, before: Points | None = None, is_open: bool
) -> Plane:
    """A plane of labels with one outline drawn anew.

    Where the outline keeps its points, the labels keep their pixels: a curve of few points follows them but nearly. The
    cavity ends at the epicardium, except at an open base. Cavity and wall take their place from other structures; these
    take none from anything.

    Args:
        plane: labels.
        scheme: of them.
        name: of the outline, see `OUTLINED`.
        points: that its closed curve goes through, pixels; see `checked_points`.
        before: the points of the outline as it was; None for those that its labels give.
        is_open: whether this is a long axis, whose cavity is open at the base.

    Returns:
        A new plane.

    Raises:
        InputError: labels of this scheme have no such outline.

    Example:
        >>> from cardiotrace.core.label import CAMUS
        >>> square = np.array([[2.0, 2.0], [2.0, 7.0], [7.0, 7.0], [7.0, 2.0]])
        >>> drawn = with_outline(np.zeros((10, 10), np.uint8), CAMUS, "la", square, is_open=True)
        >>> np.unique(drawn).tolist()
        [0, 3]
    """
    former = outlined(plane, scheme, name)
    points_before = control_points(former) if before is None else before
    points = _settled(points_before, points)
    drawn = _redrawn(former, points_before, points)
    if name not in ("lv", "epi"):
        return _with_other(plane, scheme, OUTLINED[name][0], drawn)
    cavity, wall = (_mask(plane, scheme, structure) for structure in (Structure.LV, Structure.MYO))
    if Structure.MYO not in scheme.values or not (wall.any() or name == "epi"):
        return _filled(plane, scheme, drawn, drawn)
    heart = _Heart(cavity, cavity | wall, is_open=is_open)
    change = _Change(points_before, points)
    inner, outer = heart.with_cavity(drawn, change) if name == "lv" else heart.with_outside(drawn, change)
    return _filled(plane, scheme, inner, outer)


def with_masks(plane: Plane, scheme: LabelScheme, masks: Mapping[str, Mask]) -> Plane:
    """A plane of labels with what some outlines go round; the rest stays, as far as it is not covered.

    Args:
        plane: labels.
        scheme: of them.
        masks: by name of the outline; the cavity is kept within the epicardium.
    """
    cavity = masks.get("lv", _mask(plane, scheme, Structure.LV))
    outside = masks.get("epi", cavity | _mask(plane, scheme, Structure.MYO))
    has_wall = Structure.MYO in scheme.values and (outside & ~cavity).any()
    found = _filled(plane, scheme, cavity & outside if has_wall else cavity, outside)
    for name, mask in masks.items():
        if name not in ("lv", "epi"):
            found = _with_other(found, scheme, OUTLINED[name][0], mask)
    return found


def _settled(before: Points, after: Points) -> Points:
    """The points of an outline with those that did not move as they were: they were rounded on their way."""
    if len(before) != len(after):
        return after
    stayed = (np.abs(after - before) < _ROUNDED).all(axis=1, keepdims=True)
    return np.asarray(np.where(stayed, before, after))


def _redrawn(former: Mask, before: Points, after: Points) -> Mask:
    """What an outline encloses, with the former pixels where it did not move."""
    drawn = fill_curve(after, former.shape)
    if len(before) != len(after) or not np.count_nonzero((before == after).all(axis=1)) > _SAME * len(after):
        return drawn
    moved = drawn ^ fill_curve(before, former.shape)
    return largest_component(np.where(moved, drawn, former))


def _with_other(plane: Plane, scheme: LabelScheme, structure: Structure, drawn: Mask) -> Plane:
    value = scheme.values[structure]
    free = np.isin(plane, [0, value])
    return np.where(drawn & free, value, np.where(plane == value, 0, plane)).astype(np.uint8)


def _filled(plane: Plane, scheme: LabelScheme, cavity: Mask, outside: Mask) -> Plane:
    """The plane with cavity and wall laid over the other structures."""
    found = np.where(np.isin(plane, _values(scheme, Structure.LV, Structure.MYO)), 0, plane)
    for structure, mask in ((Structure.MYO, outside & ~cavity), (Structure.LV, cavity)):
        if structure in scheme.values:
            found[mask] = scheme.values[structure]
    return found.astype(np.uint8)


def _values(scheme: LabelScheme, *structures: Structure) -> list[int]:
    return [scheme.values[structure] for structure in structures if structure in scheme.values]


def _mask(plane: Plane, scheme: LabelScheme, structure: Structure) -> Mask:
    return np.isin(plane, _values(scheme, structure))


@dataclass(frozen=True, eq=False)
class _Change:
    """An outline before and after it was drawn anew."""

    before: Points
    after: Points

    def of_corner(self, outward: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
        """By how much its farthest point in some direction moved."""
        if not len(self.before):
            return np.zeros(2)
        far = [ring[int((ring @ outward).argmax())] for ring in map(closed_curve, (self.before, self.after))]
        return np.asarray(far[1] - far[0])


@dataclass(frozen=True, eq=False)
class _Heart:
    """Cavity and wall of one plane as they were."""

    cavity: Mask
    outside: Mask
    """Cavity and wall together."""
    is_open: bool

    @property
    def wall(self) -> Mask:
        return np.asarray(self.outside & ~self.cavity)

    @property
    def base(self) -> "_Base | None":
        """The corners of the cavity where it leaves the wall; None where it is closed, or they cannot be told."""
        if not self.is_open or not self.cavity.any():
            return None
        ring = outline_of(self.cavity, _PIXEL)
        corners = annulus_by_myocardium(ring, self.wall, _PIXEL, None)
        if corners is None:
            return None
        return _Base(corners, ring.mean(axis=0), outline_of(self.outside, _PIXEL), self.wall)

    def with_cavity(self, drawn: Mask, change: _Change) -> tuple[Mask, Mask]:
        """Cavity and outside once the cavity was drawn anew."""
        outside, base = self.outside.copy(), self.base
        opening = _Opening.of(outline_of(self.cavity, _PIXEL), self.wall, touched=False)
        outside[opening.holds(self.cavity & ~drawn)] = False
        around = _Opening.of(outline_of(self.outside, _PIXEL), self.cavity, touched=True)
        gained = drawn & ~self.outside
        accepted = around.holds(gained)
        if base is not None:
            moves = np.array([change.of_corner(base.outward(side)) for side in (0, 1)])
            accepted |= gained & base.is_beyond(drawn.shape)
            if np.linalg.norm(moves, axis=1).max() > _UNMOVED:
                accepted |= gained & base.swept(moves, drawn.shape)
                outside = base.moved(outside, moves) & ~(self.cavity & ~drawn & (base.beyond(moves, drawn.shape) > 0))
        cavity = drawn & (outside | accepted | self.outside)
        return cavity, outside | cavity

    def with_outside(self, drawn: Mask, change: _Change) -> tuple[Mask, Mask]:
        """Cavity and outside once the epicardium was drawn anew."""
        cavity, base = self.cavity.copy(), self.base
        around = _Opening.of(outline_of(self.outside, _PIXEL), self.cavity, touched=True)
        cavity |= around.holds(drawn & ~self.outside)
        if base is not None:
            moves = np.array([change.of_corner(base.outward_outside(side)) for side in (0, 1)])
            if np.linalg.norm(moves, axis=1).max() > _UNMOVED:
                cavity |= base.swept(moves, drawn.shape)
        return cavity & drawn, drawn


@dataclass(frozen=True, eq=False)
class _Opening:
    """An outline, with which of its points lie at an opening of the wall."""

    ring: Points
    is_open: Bool[np.ndarray, "n"]

    @classmethod
    def of(cls, ring: Points, mask: Mask, *, touched: bool) -> "_Opening":
        """Where an outline touches a mask, or does not; short stretches go with what lies around them."""
        if not len(ring):
            return cls(ring, np.zeros(0, bool))
        width = max(int(_SMOOTHED * len(ring)), 1) * 2 + 1
        found = borders(ring, mask, _PIXEL) == touched
        around = (
            np.resize(found, len(ring) + width - 1) if width > len(ring) else np.pad(found, width // 2, mode="wrap")
        )
        return cls(ring, np.convolve(around, np.ones(width), mode="valid") * 2 > width)

    def holds(self, mask: Mask) -> Mask:
        """The part of a mask whose nearest point of the outline is open."""
        found = np.zeros_like(mask)
        if not mask.any() or not self.is_open.any():
            return found
        from scipy.spatial import cKDTree  # slow to import, and only needed where something was drawn

        places = np.argwhere(mask)
        _, nearest = cKDTree(self.ring).query(places)
        found[tuple(places[self.is_open[nearest]].T)] = True
        return found


@dataclass(frozen=True, eq=False)
class _Base:
    """The open base of a long axis."""

    corners: Points
    """Of the cavity, two."""
    middle: Float[np.ndarray, "2"]
    """Of the cavity's outline."""
    outside: Points
    """Outline of cavity and wall."""
    wall: Mask

    def outward(self, side: int) -> Float[np.ndarray, "2"]:
        """From the middle of the cavity to one of its corners."""
        way = self.corners[side] - self.middle
        return np.asarray(way / max(float(np.linalg.norm(way)), 1e-9))

    def outer(self, side: int) -> Float[np.ndarray, "2"]:
        """The end of the wall at one side."""
        return np.asarray(self.outside[int((self.outside @ self.outward(side)).argmax())])

    def outward_outside(self, side: int) -> Float[np.ndarray, "2"]:
        """From the middle of the cavity to the end of the wall at one side."""
        way = self.outer(side) - self.middle
        return np.asarray(way / max(float(np.linalg.norm(way)), 1e-9))

    def beyond(self, moves: Float[np.ndarray, "2 2"], shape: tuple[int, int]) -> Float[np.ndarray, "height width"]:
        """How far pixels lie beyond the line through both corners, once these have moved; negative before it."""
        first, second = self.corners + moves
        normal = np.array([-(second - first)[1], (second - first)[0]])
        normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
        if normal @ (self.middle - first) > 0:
            normal = -normal
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        return np.asarray((rows - first[0]) * normal[0] + (columns - first[1]) * normal[1])

    def is_beyond(self, shape: tuple[int, int]) -> Mask:
        """Pixels beyond the line through both corners and not aside of them."""
        first, second = self.corners
        way = second - first
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        along = ((rows - first[0]) * way[0] + (columns - first[1]) * way[1]) / max(float(way @ way), 1e-9)
        return np.asarray((self.beyond(np.zeros((2, 2)), shape) > 0) & (along >= 0) & (along <= 1))

    def swept(self, moves: Float[np.ndarray, "2 2"], shape: tuple[int, int]) -> Mask:
        """Pixels that the line between both corners goes over as these move."""
        return fill_polygon(np.concatenate([self.corners, (self.corners + moves)[::-1]]), shape)

    def moved(self, outside: Mask, moves: Float[np.ndarray, "2 2"]) -> Mask:
        """Cavity and wall with both ends of the wall moved along: stretched, or cut off as they ended before."""
        found = outside.copy()
        for side, move in enumerate(moves):
            corner, outer = self.corners[side], self.outer(side)
            found |= fill_polygon(np.array([outer, corner, corner + move, outer + move]), outside.shape)
        still = np.zeros((2, 2))
        reached = self.beyond(still, outside.shape)[self.wall]
        return np.asarray(found & (self.beyond(moves, outside.shape) <= max(float(reached.max(initial=0.0)), 0.0)))
