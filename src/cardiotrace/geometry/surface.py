"""Surfaces of masks on a grid, and how far they lie from each other in millimetres.

A surface voxel is a voxel of the mask that has a face neighbour outside it; beyond the border of the
image everything is outside. This is the definition of MedPy, MONAI and of most published tables;
libraries that measure between boundary elements (DeepMind's surface-distance) or to the zero level of
a signed distance (SimpleITK) differ from it by up to about half a voxel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from cardiotrace.geometry.box import bounding_box

_OFFSETS_WANTED = 512
"""Neighbours that are looked up one by one before the rest goes to a tree: about 12 pixels around in 2-D."""
_FIRST_RING = 24
_LOOKUPS_AT_ONCE = 1 << 21
"""Bounds the memory of one ring of look-ups to some 20 MB."""


def surface_voxels(mask: Bool[np.ndarray, "*space"]) -> Bool[np.ndarray, "*space"]:
    """Voxels of the mask with a face neighbour outside; the border of the array counts as outside.

    Example:
        >>> int(surface_voxels(np.ones((3, 4), bool)).sum())
        10
    """
    padded = _padded(mask, (1,) * mask.ndim)
    surface = np.zeros(padded.size, bool)
    surface[_surface_indices(padded)] = True
    return surface.reshape(padded.shape)[(slice(1, -1),) * mask.ndim]


def nearest_distances(
    from_points: Float[np.ndarray, "n axes"], to_points: Float[np.ndarray, "m axes"]
) -> Float[np.ndarray, " n"]:
    """Distance from each point to the nearest of the others; infinite where there are none.

    Example:
        >>> nearest_distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]])).tolist()
        [0.0, 5.0]
    """
    if len(to_points) == 0 or len(from_points) == 0:
        return np.full(len(from_points), np.inf)
    from scipy.spatial import cKDTree  # costs as much as the rest of the metrics together, so only when needed

    distances: Float[np.ndarray, " n"] = cKDTree(to_points).query(from_points)[0]
    return distances


def surface_to_surface_mm(
    first: Bool[np.ndarray, "*space"], second: Bool[np.ndarray, "*space"], spacing_mm: Sequence[float]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Distance of every surface voxel of one mask to the nearest of the other, both ways.

    Surfaces that are compared usually lie close together. So each voxel looks at the neighbours of its
    own place on the other surface in order of their distance, ring by ring, and is done at the first
    hit; only what lies far out is left to a k-d tree. The distances are exact.

    Args:
        first: a mask of two or three axes.
        second: a mask of the same shape.
        spacing_mm: one voxel size for each axis, mm, > 0.

    Returns:
        Distances in mm from `first` to `second` and from `second` to `first`. Infinite where the
        other mask is empty; an array of length 0 where a mask is itself empty.

    Example:
        >>> row = np.arange(8) < 4
        >>> there, back = surface_to_surface_mm(row[None], ~row[None], (1.0, 0.5))
        >>> there.tolist()
        [2.0, 1.5, 1.0, 0.5]
    """
    spacing = tuple(float(value) for value in spacing_mm)
    # Nothing outside the box of both holds a surface.
    box = bounding_box(first | second)
    offsets, lengths = _neighbours(spacing)
    # Around the box lies as much background as any neighbour can reach: no look-up needs a check of bounds, and none
    # wraps round into the next row of the flat array.
    margin = np.abs(offsets).max(axis=0, initial=1).tolist()
    grids = [_padded(mask[box], margin) for mask in (first, second)]
    surfaces = [_surface_indices(grid) for grid in grids]
    rings = _Rings(grids[0].shape, spacing, offsets @ np.array(_strides(grids[0].shape)), lengths)
    return rings.search(surfaces[0], surfaces[1]), rings.search(surfaces[1], surfaces[0])


@dataclass(frozen=True)
class _Rings:
    """A padded grid and the neighbours of a voxel on it, nearest first, the voxel itself leading."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    steps: Int[np.ndarray, " k"]
    """To each neighbour, in elements of the flat grid."""
    lengths: Float[np.ndarray, " k"]
    """To each neighbour, mm."""

    def search(self, start: Int[np.ndarray, " n"], goal: Int[np.ndarray, " m"]) -> Float[np.ndarray, " n"]:
        """Distance from each flat index in `start` to the nearest in `goal`."""
        found = np.full(len(start), np.inf)
        if len(goal) == 0 or len(start) == 0:
            return found
        # One bit a voxel instead of coordinates: a neighbour is one addition and one look-up away.
        is_goal = np.zeros(math.prod(self.shape), bool)
        is_goal[goal] = True
        is_hit = is_goal[start]
        found[is_hit] = 0.0
        pending = np.flatnonzero(~is_hit)
        # Rings double: most voxels are done in the first, and the few that are left justify longer ones.
        done, width = 1, _FIRST_RING
        while len(pending) and done < len(self.steps):
            ring = slice(done, done + min(width, _LOOKUPS_AT_ONCE // len(pending) + 1))
            hits = is_goal.take(start[pending, None] + self.steps[ring])
            # Neighbours are sorted by length, so the first hit is the nearest of all: no later ring can beat it.
            nearest = hits.argmax(axis=1)
            is_hit = hits[np.arange(len(pending)), nearest]
            found[pending[is_hit]] = self.lengths[ring][nearest[is_hit]]
            pending = pending[~is_hit]
            done, width = ring.stop, 2 * width
        if len(pending):
            # Farther than any neighbour that was looked up: a tree costs more to build, and less for each of these.
            found[pending] = nearest_distances(self._points(start[pending]), self._points(goal))
        return found

    def _points(self, indices: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n axes"]:
        points: Float[np.ndarray, "n axes"] = np.stack(np.unravel_index(indices, self.shape), axis=1) * np.array(
            self.spacing
        )
        return points


@lru_cache(maxsize=32)
def _neighbours(spacing: tuple[float, ...]) -> tuple[Int[np.ndarray, "k axes"], Float[np.ndarray, " k"]]:
    """Every grid offset within some radius, nearest first, and its length in mm; the zero offset leads."""
    axes = len(spacing)
    # A ball, not a box: beyond the nearest side of a box lie voxels that are nearer than its corners. The ball holds as
    # many voxels as are wanted, so that thick slices get few neighbours across and many along.
    unit_ball = math.pi ** (axes / 2) / math.gamma(axes / 2 + 1)
    radius = (_OFFSETS_WANTED * math.prod(spacing) / unit_ball) ** (1 / axes)
    reach = [np.arange(-int(radius / size), int(radius / size) + 1) for size in spacing]
    offsets = np.stack(np.meshgrid(*reach, indexing="ij"), axis=-1).reshape(-1, axes)
    lengths = np.sqrt(np.square(offsets * np.array(spacing)).sum(axis=1))
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] <= radius]
    return offsets[order], lengths[order]


def _padded(mask: Bool[np.ndarray, "*space"], margin: Sequence[int]) -> Bool[np.ndarray, "*padded"]:
    """The mask with so many false elements around; several times faster than `np.pad`."""
    padded = np.zeros([size + 2 * wide for size, wide in zip(mask.shape, margin, strict=True)], bool)
    inside = tuple(slice(wide, wide + size) for size, wide in zip(mask.shape, margin, strict=True))
    padded[inside] = mask
    return padded


def _surface_indices(padded: Bool[np.ndarray, "*padded"]) -> Int[np.ndarray, " n"]:
    """Flat indices of surface voxels; at least one false element all around makes flat shifts safe."""
    flat = padded.ravel()
    # A step along the slowest axis is the longest shift: what lies nearer to the ends than that is padding.
    edge = max(_strides(padded.shape))
    core = slice(edge, flat.size - edge)
    inner = flat[core].copy()
    for stride in _strides(padded.shape):
        # Inside is who has all neighbours inside, before and after, along every axis.
        inner &= flat[core.start - stride : core.stop - stride]
        inner &= flat[core.start + stride : core.stop + stride]
    return np.flatnonzero(flat[core] & ~inner) + edge


def _strides(shape: Sequence[int]) -> list[int]:
    """Elements from one index to the next along each axis of a C-ordered array."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
