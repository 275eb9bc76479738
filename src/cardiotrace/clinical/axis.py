"""The long axis of a left ventricle: mitral annulus, apex, length."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.geometry.contour import contours

_SHORTEST_BASE = 0.06  # of the cavity's outline: less is a notch in the myocardium, not the mitral annulus
_LONGEST_BASE = 0.55  # more means that the myocardium is mostly missing
_SMALLEST_GAP = 0.02  # of the outline: shorter runs along either neighbour are pixel noise
_STRAIGHT_MM = 2.5  # how far the outline may leave a base chord
_BULGE_PRICE = 3.0
_CHORD_POINTS = 96
IMAGE_DOWN = (1.0, 0.0)
"""Where the base lies in an apical view by ultrasound, (row, column): the apex is shown at the top."""
_CORNER_POINTS = 4  # of the outline: about two pixels, within which the corner of the base lies
_REACH_PIXELS = 1.6  # an outline lies half a pixel out; its neighbours, the diagonal ones too, are within 1.6


@dataclass(frozen=True)
class LongAxis:
    """Mitral annulus and apex of one frame, as (row, column) in mm from the centre of the first pixel.

    Example:
        >>> axis = LongAxis(np.array([[80.0, 0.0], [80.0, 40.0]]), np.array([0.0, 20.0]), "annulus")
        >>> axis.length_cm
        8.0
    """

    annulus_mm: Float[np.ndarray, "2 2"]
    """The two corners of the cavity at the base, left one first."""
    apex_mm: Float[np.ndarray, "2"]
    method: str
    """"annulus": where the cavity leaves the myocardium; "chord": the longest straight base of the outline."""

    @property
    def base_mm(self) -> Float[np.ndarray, "2"]:
        """Midpoint of the mitral annulus, mm."""
        return np.asarray(self.annulus_mm.mean(axis=0))

    @property
    def length_mm(self) -> float:
        """From the midpoint of the annulus to the apex, mm."""
        return float(np.linalg.norm(self.apex_mm - self.base_mm))

    @property
    def length_cm(self) -> float:
        """From the midpoint of the annulus to the apex, cm."""
        return self.length_mm / 10

    @property
    def annulus_width_mm(self) -> float:
        """Distance of the two annulus points, mm."""
        return float(np.linalg.norm(self.annulus_mm[1] - self.annulus_mm[0]))


def outline_mm(mask: Bool[np.ndarray, "height width"], spacing_mm: tuple[float, float]) -> Float[np.ndarray, "n 2"]:
    """The outline of the largest piece of a mask as an open ring of (row, column) in mm; empty for an empty mask."""
    found = contours(mask)
    if not found:
        return np.zeros((0, 2))
    points = np.asarray(found[0], np.float64)
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    return np.asarray(points * np.asarray(spacing_mm))


def long_axis(
    cavity: Bool[np.ndarray, "height width"],
    myocardium: Bool[np.ndarray, "height width"] | None,
    spacing_mm: tuple[float, float],
    *,
    towards_base: tuple[float, float] | None = IMAGE_DOWN,
) -> LongAxis | None:
    """Long axis of the left ventricle in a long-axis view.

    The annulus points are the ends of the stretch of the cavity's outline that no myocardium borders; without
    myocardium (or without such a stretch) they are the ends of the longest straight chord at the base. The apex is
    the point of the outline farthest from their midpoint.

    Args:
        cavity: the cavity of the left ventricle.
        myocardium: its myocardium on the same grid, None where it is not labelled.
        spacing_mm: (height, width) of a pixel, mm.
        towards_base: (row, column) direction to the half of the cavity in which the base is sought; None for both.

    Returns:
        The long axis; None if the cavity is empty or has no base that could be told.

    Example:
        >>> rows, columns = np.mgrid[:60, :60]
        >>> cavity = (((rows - 50) / 40) ** 2 + ((columns - 30) / 12) ** 2 < 1) & (rows < 50)
        >>> shell = (((rows - 50) / 46) ** 2 + ((columns - 30) / 18) ** 2 < 1) & (rows < 50) & ~cavity
        >>> round(long_axis(cavity, shell, (1.0, 1.0)).length_mm)
        39

    Source:
        Mitchell et al. 2019, J Am Soc Echocardiogr 32:1 (annulus midpoint to the farthest point of the apex).
    """
    return axis_of_outline(outline_mm(cavity, spacing_mm), myocardium, spacing_mm, towards_base=towards_base)


def axis_of_outline(
    ring: Float[np.ndarray, "n 2"],
    myocardium: Bool[np.ndarray, "height width"] | None,
    spacing_mm: tuple[float, float],
    *,
    towards_base: tuple[float, float] | None = IMAGE_DOWN,
) -> LongAxis | None:
    """`long_axis` of a cavity whose outline is already there, as (row, column) in mm."""
    if len(ring) < 8:
        return None
    method, annulus = "annulus", None
    if myocardium is not None and myocardium.any():
        annulus = _annulus(ring, myocardium, spacing_mm, towards_base)
    if annulus is None:
        method, annulus = "chord", _base_chord(ring, towards_base)
    if annulus is None:
        return None
    annulus = annulus[np.argsort(annulus[:, 1], kind="stable")]
    distances = np.linalg.norm(ring - annulus.mean(axis=0), axis=1)
    return LongAxis(annulus, ring[int(distances.argmax())], method)


def borders(
    ring_mm: Float[np.ndarray, "n 2"], mask: Bool[np.ndarray, "height width"], spacing_mm: tuple[float, float]
) -> Bool[np.ndarray, "n"]:
    """Which points of an outline touch another mask: it holds a pixel next to the point, a diagonal one counts."""
    return _gaps(ring_mm, mask, spacing_mm) <= _REACH_PIXELS


def _gaps(
    ring_mm: Float[np.ndarray, "n 2"], mask: Bool[np.ndarray, "height width"], spacing_mm: tuple[float, float]
) -> Float[np.ndarray, "n"]:
    """Distance of each point to the middle of a mask's nearest pixel, in pixels; infinite beyond its neighbours."""
    points = ring_mm / np.asarray(spacing_mm)
    corner = np.floor(points).astype(int)
    padded = np.pad(mask, 2)
    gaps = np.full(len(ring_mm), np.inf)
    for row in (-1, 0, 1, 2):
        for column in (-1, 0, 1, 2):
            pixel = corner + np.array([row, column])
            inside = np.clip(pixel + 2, 0, np.asarray(padded.shape) - 1)
            held = padded[inside[:, 0], inside[:, 1]]
            gaps = np.where(held, np.minimum(gaps, np.linalg.norm(pixel - points, axis=1)), gaps)
    return gaps


def _annulus(
    ring: Float[np.ndarray, "n 2"],
    myocardium: Bool[np.ndarray, "height width"],
    spacing_mm: tuple[float, float],
    towards_base: tuple[float, float] | None,
) -> Float[np.ndarray, "2 2"] | None:
    """Ends of the longest stretch of the outline along no myocardium, if it can be a mitral annulus."""
    gaps = _gaps(ring, myocardium, spacing_mm)
    touches = gaps <= _REACH_PIXELS
    if touches.all() or not touches.any():
        return None
    steps = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    total = steps.sum()
    runs = _merged(_runs(touches, steps), _SMALLEST_GAP * total, len(ring))
    middle = (ring.min(axis=0) + ring.max(axis=0)) / 2
    candidates = [
        (length, start, stop)
        for value, start, stop, length in runs
        if not value and (towards_base is None or (_centre(ring, start, stop) - middle) @ np.asarray(towards_base) > 0)
    ]
    if not candidates:
        return None
    length, start, stop = max(candidates)
    if not _SHORTEST_BASE * total <= length <= _LONGEST_BASE * total:
        return None
    return _corners(ring, gaps, start, (stop - 1) % len(ring))


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


def _centre(ring: Float[np.ndarray, "n 2"], start: int, stop: int) -> Float[np.ndarray, "2"]:
    return np.asarray((ring[start] + ring[(stop - 1) % len(ring)]) / 2)


Run = tuple[bool, int, int, float]


def _runs(values: Bool[np.ndarray, "n"], steps: Float[np.ndarray, "n"]) -> list[Run]:
    """Stretches of equal value around a ring: (value, start, stop, length); stop may exceed the ring's size."""
    starts = np.flatnonzero(values != np.roll(values, 1))
    stops = np.append(starts[1:], starts[0] + len(values))
    return [
        (bool(values[start]), int(start), int(stop), float(steps.take(range(start, stop - 1), mode="wrap").sum()))
        for start, stop in zip(starts, stops, strict=True)
    ]


def _merged(runs: list[Run], shortest: float, size: int) -> list[Run]:
    """Absorb runs below `shortest` into their neighbours, the shortest first; `size` is that of the ring."""
    while len(runs) > 2:
        index = min(range(len(runs)), key=lambda position: runs[position][3])
        if runs[index][3] >= shortest:
            break
        before = (index - 1) % len(runs)
        (value, start, _, first), (_, _, _, gap), (_, _, stop, last), *others = runs[before:] + runs[:before]
        runs = [(value, start, start + ((stop - start) % size or size), first + gap + last), *others]
    return runs


def _base_chord(
    ring: Float[np.ndarray, "n 2"], towards_base: tuple[float, float] | None
) -> Float[np.ndarray, "2 2"] | None:
    """The longest chord that the outline follows closely; across the half at the base where that is known."""
    points = _resampled(ring, _CHORD_POINTS)
    best, found = 0.0, None
    for count in range(4, _CHORD_POINTS // 2):
        between = points[(np.arange(_CHORD_POINTS)[:, None] + np.arange(count + 1)) % _CHORD_POINTS]
        offsets = between - between[:, :1]
        chords = offsets[:, -1]
        lengths = np.linalg.norm(chords, axis=1)
        crosses = np.abs(offsets[..., 0] * chords[:, None, 1] - offsets[..., 1] * chords[:, None, 0]).max(axis=1)
        bulges = crosses / np.maximum(lengths, 1e-9)
        # Without a price on the bulge the ends would creep up the walls.
        scores = np.where(bulges <= _STRAIGHT_MM, lengths - _BULGE_PRICE * bulges, 0)
        if towards_base is not None:
            down = np.asarray(towards_base)
            scores *= np.abs(chords @ np.array([-down[1], down[0]])) >= np.abs(chords @ down)
            scores *= (between.mean(axis=1) - points.mean(axis=0)) @ down > 0
        start = int(scores.argmax())
        if scores[start] > best:
            best, found = float(scores[start]), np.stack([between[start, 0], between[start, -1]])
    return found


def _resampled(ring: Float[np.ndarray, "n 2"], count: int) -> Float[np.ndarray, "count 2"]:
    """`count` points equally spaced along a closed ring."""
    closed = np.vstack([ring, ring[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)
