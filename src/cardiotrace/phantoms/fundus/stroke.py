"""Draw tapering lines with smooth edges: how much of each pixel a vessel covers, and how thick its blood is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

MARGIN_PX = 1.5
"""Beyond its radius a stroke changes pixels this far."""
_REFLEX_FROM_PX = 1.8
"""Least radius of a vessel with a light reflex."""
_MOST_AT_ONCE = 4000
"""Segments that are drawn together."""


@dataclass(frozen=True)
class Strokes:
    """What was drawn, on the pixel grid."""

    coverage: Float[np.ndarray, "height width"]
    """Share of the pixel that is covered, 0 to 1."""
    depth: Float[np.ndarray, "height width"]
    """Length of the line of sight through the round vessel, pixels."""
    reflex: Float[np.ndarray, "height width"]
    """Nearness to the middle line, 0 to 1, of vessels wide enough to show a light reflex."""
    extent: Float[np.ndarray, "height width"]
    """Largest of radius minus distance to the middle line, pixels; at least 0 inside."""


@dataclass(frozen=True)
class _Segments:
    start: Float[np.ndarray, "segments 2"]
    end: Float[np.ndarray, "segments 2"]
    radii: Float[np.ndarray, "segments 2"]


def draw_strokes(
    lines: Sequence[tuple[Float[np.ndarray, "_ 2"], Float[np.ndarray, " _"]]],
    shape: tuple[int, int],
) -> Strokes:
    """Rasterise polylines by the distance of each pixel's middle to the segments, box by box.

    Args:
        lines: (row, column) of the points, and the radius at each, pixels.
        shape: (height, width).

    Example:
        >>> line = (np.array([[10.0, 0.0], [10.0, 40.0]]), np.array([3.0, 3.0]))
        >>> made = draw_strokes([line], (21, 41))
        >>> round(float(made.coverage[:, 20].sum()), 6), float(made.depth[10, 20])
        (6.0, 6.0)
    """
    size = shape[0] * shape[1]
    coverage, depth, reflex = (np.zeros(size, np.float32) for _ in range(3))
    extent = np.full(size, -1e3, np.float32)
    for batch in _batches(_segments(lines)):
        index, distance, radius = _near(batch, shape)
        # Segments overlap at their joints and vessels at their crossings: the most of each counts, never the sum.
        np.maximum.at(extent, index, radius - distance)
        np.maximum.at(coverage, index, _covered(distance, radius))
        chord = np.sqrt(np.maximum(radius**2 - distance**2, 0))
        # A vessel finer than a pixel darkens it by what it holds, spread over the pixel.
        thin = np.minimum(radius, 0.5) * np.clip(1.0 - distance, 0, 1)
        np.maximum.at(depth, index, 2 * np.maximum(chord, thin))
        shown = np.exp(-((distance / (0.36 * radius)) ** 2)) * np.clip((radius - _REFLEX_FROM_PX) / 1.5, 0, 1)
        np.maximum.at(reflex, index, shown.astype(np.float32))
    return Strokes(*(field.reshape(shape) for field in (coverage, depth, reflex, extent)))


def _covered(distance: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Share of a pixel inside a straight band of this radius, for a pixel at this distance from its middle."""
    # A pixel is a unit interval across the band: what both edges leave of it, exactly for a straight band along the
    # grid.
    high = np.clip(radius - distance, -0.5, 0.5)
    low = np.clip(-radius - distance, -0.5, 0.5)
    return np.asarray(high - low)


def _segments(lines: Sequence[tuple[Float[np.ndarray, "_ 2"], Float[np.ndarray, " _"]]]) -> _Segments:
    starts, ends, radii = [np.empty((0, 2))], [np.empty((0, 2))], [np.empty((0, 2))]
    for points, own in lines:
        starts.append(points[:-1])
        ends.append(points[1:])
        radii.append(np.stack([own[:-1], own[1:]], axis=1))
    return _Segments(np.concatenate(starts), np.concatenate(ends), np.concatenate(radii))


def _batches(segments: _Segments) -> Iterator[tuple[_Segments, int]]:
    """Segments with boxes of one size, at most so many at once; the size is the half width of the box, pixels."""
    half_length = np.abs(segments.end - segments.start).max(axis=1) / 2
    half = np.ceil(half_length + segments.radii.max(axis=1) + MARGIN_PX).astype(int)
    half = np.where(half > 4, 2 * ((half + 1) // 2), half)
    for size in np.unique(half):
        (chosen,) = np.nonzero(half == size)
        for first in range(0, len(chosen), _MOST_AT_ONCE):
            part = chosen[first : first + _MOST_AT_ONCE]
            yield _Segments(segments.start[part], segments.end[part], segments.radii[part]), int(size)


def _near(
    batch: tuple[_Segments, int], shape: tuple[int, int]
) -> tuple[np.ndarray, Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Flat index of the pixels around each segment, their distance to it and its radius there."""
    segments, half = batch
    middle = np.rint((segments.start + segments.end) / 2).astype(np.int64)
    offsets = np.arange(-half, half + 1)
    rows = middle[:, 0, None, None] + offsets[None, :, None]
    columns = middle[:, 1, None, None] + offsets[None, None, :]
    along = (segments.end - segments.start)[:, None, None]
    dy, dx = rows - segments.start[:, 0, None, None], columns - segments.start[:, 1, None, None]
    squared = np.maximum((along**2).sum(-1), 1e-12)
    share = np.clip((dy * along[..., 0] + dx * along[..., 1]) / squared, 0, 1)
    distance = np.hypot(dy - share * along[..., 0], dx - share * along[..., 1])
    first, last = (segments.radii[:, side, None, None] for side in (0, 1))
    radius = first + share * (last - first)
    wanted = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    wanted = wanted & (distance < radius + MARGIN_PX)
    index = (rows * shape[1] + columns)[wanted]
    return index, distance[wanted].astype(np.float32), radius[wanted].astype(np.float32)
