"""Where an outline of the left ventricle leaves the myocardium: the mitral annulus of a long-axis view.

Points and pixel sizes are in one unit, mm where the size of a pixel is known.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.geometry.contour import resample_polyline

PixelSize = tuple[float, float]
"""(height, width) of a pixel; (1, 1) where it is not known."""
Direction = tuple[float, float]
"""(row, column) of a unit vector."""
IMAGE_DOWN: Direction = (1.0, 0.0)
"""Where the base lies in an apical view by ultrasound: the apex is shown at the top."""

_SHORTEST_BASE = 0.06  # of the cavity's outline: less is a notch in the myocardium, not the mitral annulus
_LONGEST_BASE = 0.55  # more means that the myocardium is mostly missing
_SMALLEST_GAP = 0.02  # of the outline: shorter runs along either neighbour are pixel noise
_STRAIGHT = 2.5  # how far the outline may leave a base chord, mm
_BULGE_PRICE = 3.0
_CHORD_POINTS = 96
_REACH = 1.6  # pixels: an outline lies half a pixel out; its neighbours, the diagonal ones too, are within 1.6
_AROUND = np.stack(np.meshgrid(range(-1, 3), range(-1, 3), indexing="ij"), axis=-1).reshape(-1, 2)
"""The sixteen pixels nearest to a point between pixels, as offsets from the one above and left of it."""
_CORNER_POINTS = 4  # of the outline: about two pixels, within which the corner of the base lies


def borders(
    ring: Float[np.ndarray, "n 2"], mask: Bool[np.ndarray, "height width"], pixel: PixelSize
) -> Bool[np.ndarray, "n"]:
    """Which points of an outline touch another mask: it holds a pixel next to the point, a diagonal one counts."""
    return _gaps(ring, mask, pixel) <= _REACH


def annulus_by_myocardium(
    ring: Float[np.ndarray, "n 2"],
    myocardium: Bool[np.ndarray, "height width"],
    pixel: PixelSize,
    towards_base: Direction | None,
) -> Float[np.ndarray, "2 2"] | None:
    """Both ends of the longest stretch of the outline along no myocardium.

    Args:
        ring: outline of the cavity, open.
        myocardium: on the grid of the cavity.
        pixel: its size.
        towards_base: only stretches on this side of the cavity's middle count; None for all.

    Returns:
        Two (row, column) points; None if no stretch can be a mitral annulus: too short, or most of the outline.
    """
    gaps = _gaps(ring, myocardium, pixel)
    touches = gaps <= _REACH
    if touches.all() or not touches.any():
        return None
    steps = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    total = float(steps.sum())
    free = [run for run in _merged(_runs(touches, steps), _SMALLEST_GAP * total, len(ring)) if not run.touches]
    if towards_base is not None:
        # The middle of the extent, not of the points: these crowd where the outline runs aslant.
        middle = (ring.min(axis=0) + ring.max(axis=0)) / 2
        free = [run for run in free if (ring[list(run.ends(len(ring)))].mean(axis=0) - middle) @ towards_base > 0]
    longest = max(free, key=lambda run: (run.length, run.start, run.stop), default=None)
    if longest is None or not _SHORTEST_BASE * total <= longest.length <= _LONGEST_BASE * total:
        return None
    return _corners(ring, gaps, *longest.ends(len(ring)))


def annulus_by_chord(ring: Float[np.ndarray, "n 2"], towards_base: Direction | None) -> Float[np.ndarray, "2 2"] | None:
    """Both ends of the longest chord that the outline follows closely; across the half at the base where it is known.

    Args:
        ring: outline of the cavity, open.
        towards_base: see `annulus_by_myocardium`.

    Returns:
        Two (row, column) points; None if no part of the outline is straight.
    """
    points = resample_polyline(ring, _CHORD_POINTS, closed=True)
    starts = np.arange(_CHORD_POINTS)
    best, found = 0.0, None
    # All chords that span `count` steps of the outline at once, then the next longer ones: up to half the outline.
    for count in range(4, _CHORD_POINTS // 2):
        between = points[(starts[:, None] + np.arange(count + 1)) % _CHORD_POINTS]
        offsets = between - between[:, :1]
        chords = offsets[:, -1]
        lengths = np.linalg.norm(chords, axis=1)
        # The cross product with the chord, over its length, is the distance from it.
        crosses = np.abs(offsets[..., 0] * chords[:, None, 1] - offsets[..., 1] * chords[:, None, 0]).max(axis=1)
        bulges = crosses / np.maximum(lengths, 1e-9)
        # Without a price on the bulge the ends would creep up the walls.
        scores = np.where(bulges <= _STRAIGHT, lengths - _BULGE_PRICE * bulges, 0)
        if towards_base is not None:
            down = np.asarray(towards_base)
            # A base lies rather across than along the way to it, and beyond the cavity's middle.
            scores *= np.abs(chords @ np.array([-down[1], down[0]])) >= np.abs(chords @ down)
            scores *= (between.mean(axis=1) - points.mean(axis=0)) @ down > 0
        start = int(scores.argmax())
        if scores[start] > best:
            best, found = float(scores[start]), np.stack([between[start, 0], between[start, -1]])
    return found


def _gaps(
    ring: Float[np.ndarray, "n 2"], mask: Bool[np.ndarray, "height width"], pixel: PixelSize
) -> Float[np.ndarray, "n"]:
    """Distance of each point to the middle of a mask's nearest pixel, in pixels; infinite beyond its neighbours."""
    points = ring / np.asarray(pixel)
    # Sixteen look-ups around each point cost less than a distance map of the whole plane.
    rows, columns = np.moveaxis(np.floor(points).astype(int)[:, None] + _AROUND, 2, 0)
    (height, width), (row, column) = mask.shape, points.T
    is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    is_held = is_inside & mask[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    gaps = np.sqrt((rows - row[:, None]) ** 2 + (columns - column[:, None]) ** 2)
    return np.asarray(np.where(is_held, gaps, np.inf).min(axis=1, initial=np.inf))


def _corners(
    ring: Float[np.ndarray, "n 2"], gaps: Float[np.ndarray, "n"], first: int, last: int
) -> Float[np.ndarray, "2 2"]:
    """The corners of the cavity at both ends of a free stretch of its outline, the points `first` to `last`.

    The stretch ends where myocardium comes within reach, which is about one and a half pixels short of the corner at
    either end. The corner is where the outline, followed on, first comes nearest to the myocardium: there it has
    turned up along the wall by half a pixel, so that the point is put back onto the line through both ends.
    """
    ends = ring[[first, last]]
    beyond = np.arange(1, _CORNER_POINTS + 1)
    outward = ((first - beyond) % len(ring), (last + beyond) % len(ring))
    walls = np.stack([ring[way[int(gaps[way].argmin())]] for way in outward])
    chord = ends[1] - ends[0]
    square = float(chord @ chord)
    if square == 0:
        return walls
    shares = (walls - ends[0]) @ chord / square
    return np.asarray(ends[0] + shares[:, None] * chord)


class _Run(NamedTuple):
    """A stretch of an outline that touches the myocardium all along, or nowhere."""

    touches: bool
    start: int
    stop: int
    """One beyond its last point; may exceed the number of points, since the outline is closed."""
    length: float

    def ends(self, size: int) -> tuple[int, int]:
        """Its first and last point on an outline of so many points."""
        return self.start, (self.stop - 1) % size


def _runs(touches: Bool[np.ndarray, "n"], steps: Float[np.ndarray, "n"]) -> list[_Run]:
    """Stretches of equal value around a ring."""
    starts = np.flatnonzero(touches != np.roll(touches, 1))
    stops = np.append(starts[1:], starts[0] + len(touches))
    return [
        _Run(bool(touches[start]), int(start), int(stop), float(steps.take(range(start, stop - 1), mode="wrap").sum()))
        for start, stop in zip(starts, stops, strict=True)
    ]


def _merged(runs: list[_Run], shortest: float, size: int) -> list[_Run]:
    """Absorb runs below `shortest` into their neighbours, the shortest first; `size` is that of the ring."""
    while len(runs) > 2:
        index = min(range(len(runs)), key=lambda position: runs[position].length)
        gap = runs[index]
        if gap.length >= shortest:
            break
        # Turned so that the one before comes first: runs alternate, so both neighbours have the other value.
        before = (index - 1) % len(runs)
        first, _, last, *others = runs[before:] + runs[:before]
        # Over the whole ring start and stop are one point: its size, not 0.
        stop = first.start + ((last.stop - first.start) % size or size)
        runs = [_Run(first.touches, first.start, stop, first.length + gap.length + last.length), *others]
    return runs
