"""The wall followed through the grey values of a film: where the endocardium of end-diastole goes, frame by frame.

Independent of the labels but for those of end-diastole: what moves is told by the pattern in the wall (speckle,
borders), not by where a border was drawn.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.strain.arcs import ARCS, Arcs
from cardiotrace.clinical.strain.lagrange import goes_round, lagrangian_percent
from cardiotrace.clinical.strain.wall_line import WallLine
from cardiotrace.clinical.strain.walled_view import WalledView
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.terms import Modality
from cardiotrace.geometry.motion import MotionSearch, MotionSettings, alikeness
from cardiotrace.geometry.strip import Field, Strip, StripSize

_LINE_MM = 190.0
"""Length of the endocardium that the sizes below are for: they grow and shrink with it."""
_SIZE_MM = StripSize(beyond=6.0, inside=2.0, outside=8.0, cell=1.0, bend=16.0)
SETTINGS_MM = MotionSettings(
    blurs=(1.2, 0.6),
    tries=2,
    around=(20.0, 8.0),
    without_haze=True,
    margin=15.0,
    smooth=3.0,
    even=0.3,
    volume=0.1,
    lags=(1, 2, 4, 8),
    rounds=4,
    calm=0.1,
)
"""Chosen on phantoms that no table of the documentation uses."""
FEWEST_SYSTOLIC = 6
"""Frames from end-diastole to end-systole: with fewer, tissue goes further between two than its pattern tells."""
_MOST_FRAMES = 45
"""Of one beat that are followed; of more, evenly chosen ones, between which the motion is interpolated."""


@dataclass(frozen=True, eq=False)
class TrackedBeat:
    """The endocardium of one beat's end-diastole in every frame from there on, in the unit of the image's outlines."""

    beat: Beat
    frames: tuple[int, ...]
    """Of the film, from end-diastole on."""
    lines: Float[np.ndarray, "frames points 2"]
    arcs: Int[np.ndarray, "points"]
    """In which arc each point lies, see `Arcs.numbers`: the same muscle in every frame."""
    drift: float | None
    """By how much the length was off at the end of the beat, percent, before that was taken out; None where the end is
    not shown."""
    alike: tuple[float, ...]
    """Correlation of what each arc shows at end-diastole and at end-systole."""

    def lengths(self, count: int) -> Float[np.ndarray, "count"]:
        """Of the line in every frame of a film of so many; NaN where it was not followed."""
        found = np.full(count, np.nan)
        found[list(self.frames)] = _steps(self.lines).sum(axis=1)
        return found

    @property
    def systolic(self) -> int:
        """Frames followed from end-diastole to end-systole."""
        return self.frames.index(self.beat.end_systole)

    @property
    def arc_percent(self) -> Float[np.ndarray, "arcs"]:
        """Strain of each arc at end-systole, percent."""
        steps, at = _steps(self.lines), self.systolic
        lengths = np.stack([steps[:, self.arcs[:-1] == arc].sum(axis=1) for arc in range(2 * ARCS)], axis=1)
        return np.asarray(lagrangian_percent(lengths, 0)[at])


def track_beat(view: WalledView, beat: Beat) -> TrackedBeat | None:
    """Follow the wall of a view through one beat.

    From its end-diastole forward; where the next end-diastole is shown, the wall is taken to be back where it was, and
    what is left between the two is spread over the beat, as a blend of following forward and backward by (T - t) / T
    and t / T does. Without it, the film is followed for as long again as systole lasts.

    Args:
        view: with its wall traced.
        beat: of its film.

    Returns:
        The lines; None where end-diastole has none, end-systole no image, or too few frames lie between.
    """
    film = view.film
    first = None if film is None else view.film_walls[beat.end_diastole]
    if film is None or first is None:
        return None
    frames = _frames_of(beat, film.blank)
    if beat.end_systole not in frames or frames.index(beat.end_systole) < FEWEST_SYSTOLIC:
        return None
    systole, line = frames.index(beat.end_systole), first.endocardium
    chosen = _thinned(len(frames), systole)
    search = _search(film, [frames[index] for index in chosen], line)
    motion, drift = _motion(search, len(chosen), is_closed=beat.stop is not None and frames[-1] == beat.stop)
    arcs = Arcs.of(line).numbers(WallLine(search.strip.line(search.strip.rest)))
    alike = _alike(search, motion, chosen.index(systole), arcs)
    lines = search.strip.line(_at_all(motion, chosen, len(frames)))
    # What goes round has its end-diastole at both ends.
    kept = len(frames) - goes_round(beat)
    return TrackedBeat(beat, tuple(frames[:kept]), lines[:kept], arcs, drift, alike)


def _frames_of(beat: Beat, blank: NDArray[np.bool_]) -> list[int]:
    """Frames to follow, in order from end-diastole; those without an image are stepped over."""
    start, systole, count = beat.end_diastole, beat.end_systole, len(blank)
    if goes_round(beat):
        reach = [*range(start, count), *range(start + 1)]
    elif systole < start:
        reach = [*range(start, systole - 1, -1)]
    else:
        stop = 2 * systole - start if beat.stop is None else beat.stop
        reach = [*range(start, min(stop, count - 1) + 1)]
    return [frame for frame in reach if not blank[frame]]


def _thinned(count: int, systole: int) -> list[int]:
    """Which of so many frames are followed: about `_MOST_FRAMES` of them, first, last and end-systole among these."""
    step = -(-count // _MOST_FRAMES)
    return sorted({*range(0, count, step), systole, count - 1})


def _search(film: TracedCine, chosen: list[int], line: WallLine) -> MotionSearch:
    """What follows a line through some frames, with all lengths in proportion to it, as hearts are of every size."""
    frames = film.image.image.frames[chosen, 0]
    if film.image.image.is_colour:
        frames = frames.mean(axis=-1, dtype=np.float32)
    unit = line.length / _LINE_MM
    size = StripSize(*(unit * length for length in vars(_SIZE_MM).values()))
    settings = replace(
        SETTINGS_MM,
        blurs=tuple(unit * blur for blur in SETTINGS_MM.blurs),
        around=(unit * SETTINGS_MM.around[0], unit * SETTINGS_MM.around[1]),
        margin=unit * SETTINGS_MM.margin,
        # In MRI blood is bright and nothing lies before the tissue.
        without_haze=film.image.image.modality is not Modality.MR,
    )
    return MotionSearch(frames, film.scale.pixel, Strip.beside(line.points, size), settings)


def _motion(search: MotionSearch, count: int, *, is_closed: bool) -> tuple[Field, float | None]:
    """The motion in each of so many frames, and how much it drifted, percent of the line's length."""
    frames, drift = range(count), None
    motion = search.follow(frames)
    if is_closed:
        ends = search.strip.line(motion[[0, -1]])
        drift = float(lagrangian_percent(_steps(ends).sum(axis=1), 0)[1])
        motion = motion - np.linspace(0, 1, count)[:, None, None, None] * motion[-1]
    return search.joined(frames, motion, closed=is_closed), drift


def _at_all(motion: Field, chosen: list[int], count: int) -> Float[np.ndarray, "all functions 2 2"]:
    """Motion in all of so many frames, from that in the chosen ones."""
    if len(chosen) == count:
        return motion
    way = np.interp(np.arange(count), chosen, np.arange(len(chosen)))
    low = np.minimum(way.astype(int), len(chosen) - 2)
    share = (way - low)[:, None, None, None]
    return np.asarray((1 - share) * motion[low] + share * motion[low + 1])


def _alike(search: MotionSearch, motion: Field, systole: int, arcs: Int[np.ndarray, "points"]) -> tuple[float, ...]:
    """How well each arc's pattern at end-diastole is found again at end-systole."""
    first, last = search.look(0, motion[0]), search.look(systole, motion[systole])
    offset = int(np.searchsorted(search.strip.along, -1e-6))
    found = []
    for arc in range(2 * ARCS):
        points = np.flatnonzero(arcs == arc)
        found.append(alikeness(first, last, slice(offset + points[0], offset + points[-1] + 1)) if len(points) else 0.0)
    return tuple(found)


def _steps(lines: Float[np.ndarray, "frames points 2"]) -> Float[np.ndarray, "frames steps"]:
    """Distances between neighbouring points."""
    return np.asarray(np.linalg.norm(np.diff(lines, axis=1), axis=2))
