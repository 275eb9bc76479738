"""Where on a curve of sizes each beat begins, and where its systole ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.beats.smoothing import FEWEST_SMOOTHED, SmoothCurve, smoothed

_LEAST_TURN = 0.35
"""Share of the curve's amplitude by which it must turn, to be another half of a beat."""
_STILL = 1e-6
"""Share of its size by which a ventricle must change to move at all: less is the rounding of numbers."""
_CLEAN = 0.002
"""Share of a beat's amplitude within which the ventricle of a clean curve is as full, or as empty, as it becomes."""
_FULL, _EMPTY = 0.03, 0.025
"""The same at most, of a noisy curve."""
_SHY = 0.7
"""Share of that by which the ventricle's true size lies within top and bottom of the smoothed curve: chosen on noisy
curves of phantoms for the least error of the ejection fraction."""
_FULL_AGAIN = 0.15
"""Share of a beat's amplitude that the last frame may lack to be the next end-diastole."""
_ONSET_MS = 80.0
"""How long the ends of a film are looked at, to tell whether it begins or ends while the heart ejects."""
_FEWEST_EJECTING = 6
"""Frames of an ejection up to which its ends cannot be told."""
_SHORTEST = 0.8
"""Share of the usual time from end-diastole to end-systole below which its beginning is missing."""
_EJECTING = 0.5
"""Share of the fastest change from which on a film begins or ends in the middle of it."""
_SHUT_MS = 50.0
"""How long the ventricle stays as full, at least, before it ejects."""
_ODD = 0.25
"""Share of the ejection that the size of a frame may be off the smoothed curve."""
_BEFORE_R_MS, _AFTER_R_MS = 150.0, 100.0
"""Around an R wave the ventricle is fullest."""


@dataclass(frozen=True, eq=False)
class SizeCurve:
    """The sizes of a ventricle in one moving image, and all that is known of their instants."""

    sizes: Float[np.ndarray, " frames"]
    """0 where there is no ventricle."""
    odd: Bool[np.ndarray, " frames"]
    """Frames that stand out of their neighbours; never chosen."""
    times_ms: Float[np.ndarray, " frames"] | None = None
    r_waves_ms: tuple[float, ...] = ()
    """On the same clock."""
    is_round: bool = False
    """Whether it is one beat gathered from many, whose first frame follows the last one."""

    @cached_property
    def shown(self) -> Bool[np.ndarray, " frames"]:
        """Frames that can be chosen."""
        shown = (self.sizes > 0) & ~self.odd
        return shown if shown.any() else self.sizes > 0

    @cached_property
    def smooth(self) -> SmoothCurve:
        """The curve without its tremble; of whole beats as if the first followed the last again."""
        found = smoothed(self.sizes, self.shown, is_round=self.is_round)
        lowest_end = min(found.values[0], found.values[-1])
        # Mirrored at an end-diastole, the first frame would stand for itself alone.
        is_whole = lowest_end >= found.values.max() - _FULL_AGAIN * found.amplitude
        return smoothed(self.sizes, self.shown, is_round=True) if is_whole and not self.is_round else found

    @property
    def interval_ms(self) -> float | None:
        """Between frames, as a rule."""
        return frame_interval_ms(self.times_ms)

    def duration_ms(self, turn: "Turn") -> float | None:
        """How long a beat lasts; None where its end is not shown or times are not known."""
        return None if turn.stop is None else span_ms(self.times_ms, turn.end_diastole, turn.stop)

    @property
    def shown_r_waves(self) -> tuple[int, ...]:
        """Frames at the R waves that lie in the film."""
        if self.times_ms is None or self.interval_ms is None:
            return ()
        first, last = self.times_ms[0] - self.interval_ms, self.times_ms[-1] + self.interval_ms
        within = [instant for instant in self.r_waves_ms if first <= instant <= last]
        return tuple(int(np.abs(self.times_ms - instant).argmin()) for instant in within)


@dataclass(frozen=True)
class Turn:
    """One end-diastole with the end-systole after it."""

    end_diastole: int
    end_systole: int
    stop: int | None
    """The next end-diastole; None where the film ends before. The same one where the curve goes round."""


@dataclass(frozen=True)
class Found:
    """What a curve shows."""

    turns: tuple[Turn, ...] = ()
    """Of beats whose ejection is shown from its beginning to its end, in order of time."""
    pair: tuple[int, int] | None = None
    """End-diastole and end-systole where there is no such beat: the fullest and the emptiest frame."""
    cut: str = ""
    """What of that beat the film does not show, in words; "" where nothing can be said."""
    doubt: str = ""
    """Why so few frames do not tell whether anything of it is missing, in words; "" where they tell."""
    follows_r_waves: bool = False


def frame_interval_ms(times_ms: Float[np.ndarray, " frames"] | None) -> float | None:
    """Usual time between frames, ms; None where it is not known."""
    if times_ms is None or len(times_ms) < 2:
        return None
    interval = float(np.median(np.diff(times_ms)))
    return interval if interval > 0 else None


def span_ms(times_ms: Float[np.ndarray, " frames"] | None, start: int, stop: int) -> float | None:
    """Time from a frame to a later one, ms; None where it is not known.

    A beat that ends in the frame that it begins in goes round: the step from its last frame to its first is taken to be
    as long as the others.

    Example:
        >>> times_ms = np.array([0.0, 30.0, 60.0, 90.0])
        >>> span_ms(times_ms, 1, 3), span_ms(times_ms, 1, 1)
        (60.0, 120.0)
    """
    interval_ms = frame_interval_ms(times_ms)
    if times_ms is None or interval_ms is None:
        return None
    if stop == start:
        return float(times_ms[-1] - times_ms[0]) + interval_ms
    return float(times_ms[stop] - times_ms[start])


def find_turns(curve: SizeCurve) -> Found:
    """Find the beats of a film.

    The smoothed curve is cut at R waves where they are stated and the ventricle is full there, else where it turns by
    more than a third of its amplitude. End-diastole is where filling ends, end-systole where ejection ends: both are
    followed by a short time in which all valves are shut and the size stays as it is, so that the very largest and
    smallest frame would come late. Of the frames beside it, the one whose size is nearest to the smoothed curve is
    taken.

    Args:
        curve: sizes of one moving image; at least one frame shows a ventricle.

    Example:
        >>> beats = 100 + 40 * np.cos(np.arange(60) * 2 * np.pi / 25)
        >>> found = find_turns(SizeCurve(beats, np.zeros(60, bool)))
        >>> [(turn.end_diastole, turn.stop) for turn in found.turns]
        [(0, 25), (25, 50)]
    """
    if np.count_nonzero(curve.shown) < FEWEST_SMOOTHED:
        return _found_in_few(curve, *_extremes(curve))
    if np.ptp(curve.smooth.values) <= _STILL * curve.smooth.values.max():
        frame = int(curve.shown.argmax())
        return Found(pair=(frame, frame))
    if curve.is_round:
        full, empty = (int(at) for at in (curve.smooth.values.argmax(), curve.smooth.values.argmin()))
        return Found((_placed(curve, full, empty, full),))
    corners, follows = _r_wave_corners(curve), True
    if not corners:
        corners, follows = _corners(curve.smooth), False
    turns = _whole(curve, corners)
    if turns:
        # A single beat that begins with the film has no other to be compared with.
        doubt = _doubt_of_few(curve, turns[0].end_diastole, turns[0].end_systole) if len(turns) == 1 else ""
        return Found(tuple(turns), doubt=doubt, follows_r_waves=follows)
    return Found(pair=_extremes(curve), cut=_what_is_cut(curve, corners))


@dataclass(frozen=True)
class _Corner:
    """Where a curve turns."""

    frame: int
    is_full: bool


def _corners(smooth: SmoothCurve) -> list[_Corner]:
    """Fullest and emptiest frames in turn, the ends of the film among them."""
    values = smooth.values
    least = max(_LEAST_TURN * float(np.subtract(*np.percentile(values, [97.5, 2.5]))), 3 * smooth.error)
    corners: list[_Corner] = []
    high = low = 0
    for frame, value in enumerate(values):
        if value > values[high]:
            high = frame
        if value < values[low]:
            low = frame
        is_after_full = bool(corners) and corners[-1].is_full
        is_after_empty = bool(corners) and not corners[-1].is_full
        if not is_after_full and values[high] - value > least:
            corners.append(_Corner(high, is_full=True))
            low = frame
        elif not is_after_empty and value - values[low] > least:
            corners.append(_Corner(low, is_full=False))
            high = frame
    if corners:
        last = low if corners[-1].is_full else high
        corners.append(_Corner(last, is_full=not corners[-1].is_full))
    return corners


def _r_wave_corners(curve: SizeCurve) -> list[_Corner]:
    """The same from R waves; none where too few lie in the film, or the ventricle is not full at them."""
    interval, values = curve.interval_ms, curve.smooth.values
    marks = curve.shown_r_waves
    if interval is None or not marks:
        return []
    before, after = (round(span / interval) for span in (_BEFORE_R_MS, _AFTER_R_MS))
    full = []
    for mark in marks:
        first = max(0, mark - before)
        full.append(first + int(values[first : mark + after + 1].argmax()))
    full = sorted(set(full))
    half = round(float(np.median(np.diff(full))) / 2) if len(full) > 1 else len(values)
    around = [values[max(0, frame - half) : frame + half + 1] for frame in full]
    if any(values[frame] < near.max() - _FULL_AGAIN * np.ptp(near) for frame, near in zip(full, around, strict=True)):
        return []
    corners = [_Corner(full[0], is_full=True)]
    for start, stop in pairwise([*full, len(values)]):
        empty = start + int(values[start:stop].argmin())
        corners.append(_Corner(empty, is_full=False))
        if stop < len(values):
            corners.append(_Corner(stop, is_full=True))
    tail = corners[-1].frame + int(values[corners[-1].frame :].argmax())
    return [*corners, _Corner(tail, is_full=True)]


def _whole(curve: SizeCurve, corners: Sequence[_Corner]) -> list[Turn]:
    """The beats whose ejection is shown from beginning to end."""
    values = curve.smooth.values
    beginning = 0 if corners and corners[0].is_full else 1
    fulls, empties = corners[beginning::2], corners[beginning + 1 :: 2]
    if not empties:
        return []
    turns = []
    for number, (full, empty) in enumerate(zip(fulls, empties, strict=False)):
        others = [values[corner.frame] for corner in fulls if corner is not full]
        following = fulls[number + 1].frame if number + 1 < len(fulls) else None
        usual = float(np.median(others)) if others else float(values[full.frame])
        if _is_cut(curve, full, empty, usual, len(values) - 1 if following is None else following):
            continue
        turns.append(_placed(curve, full.frame, empty.frame, _stop(curve, full.frame, empty.frame, following)))
    return turns


def _stop(curve: SizeCurve, full: int, empty: int, following: int | None) -> int | None:
    """The next end-diastole, unless the film ends while the ventricle still fills."""
    if following is None:
        return None
    values, last = curve.smooth.values, len(curve.smooth.values) - 1
    lacking = values[full] - values[following]
    is_shown = following < last or lacking <= _FULL_AGAIN * (values[full] - values[empty])
    return following if is_shown else None


def _is_cut(curve: SizeCurve, full: _Corner, empty: _Corner, usual: float, again: int) -> bool:
    """Whether the film begins after this ejection began, or ends before it ended; `again`: where it is full again."""
    values = curve.smooth.values
    amplitude = values[full.frame] - values[empty.frame]
    if not amplitude > _LEAST_TURN * curve.smooth.amplitude:
        return True
    # A level that other beats of the film pass is none at which this one was full.
    is_low = full.frame == 0 and usual - values[0] > _LEAST_TURN * amplitude
    is_short = full.frame == 0 and _is_short(curve, empty.frame, again)
    begins = is_short or _begins_ejecting(curve, full.frame, empty.frame)
    return is_low or begins or _ends_ejecting(curve, full.frame, empty.frame)


def _begins_ejecting(curve: SizeCurve, full: int, empty: int) -> bool:
    return full == 0 and _is_fast(curve, full, empty, at=0)


def _is_short(curve: SizeCurve, empty: int, again: int) -> bool:
    """Whether a film that begins with its fullest frame is at end-systole sooner than a whole systole lasts.

    Systole lasts about 500 ms less 2 ms for each beat a minute, hardly longer or shorter in one heart than in another.
    A beat lasts at least to where the film is full again, or ends.

    Source:
        Weissler et al. 1968, Circulation 37:149 (from the Q wave to the end of ejection, less 46 ms to end-diastole).
    """
    if curve.times_ms is None:
        return False
    values = curve.smooth.values
    systole = _instant(curve, empty, _EMPTY, float(values[0] - values[empty]))
    beat_ms, systole_ms = (float(curve.times_ms[at] - curve.times_ms[0]) for at in (again, systole))
    return systole_ms < _SHORTEST * (500 - 2 * 60_000 / beat_ms)


def _ends_ejecting(curve: SizeCurve, full: int, empty: int) -> bool:
    return empty == len(curve.sizes) - 1 and _is_fast(curve, full, empty, at=-1)


def _is_fast(curve: SizeCurve, full: int, empty: int, *, at: int) -> bool:
    """Whether the ventricle already empties at the first, or still at the last of the frames in between."""
    # Of the sizes as they are: smoothing levels the ends.
    sizes = np.interp(np.arange(full, empty + 1), np.flatnonzero(curve.shown), curve.sizes[curve.shown])
    span = max(2, round(_ONSET_MS / (curve.interval_ms or 40.0)))
    if len(sizes) <= max(span + 1, _FEWEST_EJECTING):
        return False
    steps = np.arange(span + 1) - span / 2
    squares = float(steps @ steps)
    speeds = -np.convolve(sizes, steps[::-1], mode="valid") / squares
    # A slope that may be noise is no ejection.
    return bool(speeds[at] - 2 * curve.smooth.noise / np.sqrt(squares) > _EJECTING * speeds.max())


def _placed(curve: SizeCurve, full: int, empty: int, stop: int | None) -> Turn:
    """The instants themselves, from the corners of the smoothed curve."""
    amplitude = float(curve.smooth.values[full] - curve.smooth.values[empty])
    if stop is None or stop == full:
        diastole, systole = _instant(curve, full, _FULL, amplitude), _instant(curve, empty, _EMPTY, amplitude)
        return Turn(diastole, systole, None if stop is None else diastole)
    return Turn(
        _instant(curve, full, _FULL, amplitude),
        _instant(curve, empty, _EMPTY, amplitude),
        _instant(curve, stop, _FULL, amplitude),
    )


def _instant(curve: SizeCurve, corner: int, most: float, amplitude: float) -> int:
    level = min(most * amplitude, _CLEAN * amplitude + curve.smooth.error) if amplitude > 0 else 0.0
    return _typical(curve, _onset(curve, corner, level), corner, level)


def _onset(curve: SizeCurve, corner: int, level: float) -> int:
    """The first frame, going back from a corner, in which the size is as it is there."""
    values, frame = curve.smooth.values, corner
    for _ in range(len(values)):
        before = frame - 1
        if (before < 0 and not curve.is_round) or abs(values[before] - values[corner]) > level:
            break
        frame = before % len(values)
    return frame


def _typical(curve: SizeCurve, frame: int, corner: int, level: float) -> int:
    """Of a frame and its neighbours, the one whose own size is nearest to what the ventricle's is at a corner."""
    count, values = len(curve.sizes), curve.smooth.values
    # Past the corner ejection, or filling, begins, unless frames are so near that all valves are still shut. A corner
    # that is no heart's size drew the curve to itself.
    is_odd = abs(curve.sizes[frame] - values[frame]) > _ODD * np.ptp(values)
    is_last = frame == corner and not is_odd and not (curve.interval_ms or np.inf) <= _SHUT_MS
    around = [frame + step for step in ((0, -1) if is_last else (0, -1, 1))]
    around = [at % count for at in around] if curve.is_round else [at for at in around if 0 <= at < count]
    close = [at for at in around if curve.shown[at] and abs(values[at] - values[frame]) <= 2 * level]
    if close:
        # The top of a noisy curve is where its noise is highest, its bottom where that is lowest.
        is_full = values[corner] > values.mean()
        size = values[corner] - (_SHY if is_full else -_SHY) * level
        return min(close, key=lambda at: abs(float(curve.sizes[at] - size)))
    shown = np.flatnonzero(curve.shown)
    return int(shown[np.abs(shown - frame).argmin()])


def _found_in_few(curve: SizeCurve, full: int, empty: int) -> Found:
    """The fullest and the emptiest frame of a film too short to be smoothed, and what it may not show."""
    # Two frames are end-diastole and end-systole, picked by somebody.
    if curve.is_round or len(curve.sizes) <= 2 or full == empty:
        return Found(pair=(full, empty))
    if empty < full or _begins_ejecting(curve, full, empty) or _ends_ejecting(curve, full, empty):
        return Found(pair=(full, empty), cut=_words_of_cut(curve, full, empty))
    return Found(pair=(full, empty), doubt=_doubt_of_few(curve, full, empty))


def _doubt_of_few(curve: SizeCurve, full: int, empty: int) -> str:
    """Whether the fullest frame is the first, or the emptiest the last, and too few lie between to look at speeds."""
    values, last = curve.smooth.values, len(curve.sizes) - 1
    if empty - full >= _FEWEST_EJECTING:
        return ""
    found = []
    if full == 0 and values[0] - values[last] > _FULL_AGAIN * (values[full] - values[empty]):
        found.append("the fullest frame of the film is its first")
    if empty == last:
        found.append("the emptiest frame of the film is its last")
    return f"{' and '.join(found)}: too few show the ejection to tell whether a part of it is missing" if found else ""


def _extremes(curve: SizeCurve) -> tuple[int, int]:
    """The fullest and the emptiest frame of the smoothed curve among those that can be chosen."""
    frames = np.flatnonzero(curve.shown)
    values = curve.smooth.values[frames]
    return int(frames[values.argmax()]), int(frames[values.argmin()])


def _what_is_cut(curve: SizeCurve, corners: Sequence[_Corner]) -> str:
    fulls = [corner.frame for corner in corners if corner.is_full]
    empties = [corner.frame for corner in corners if not corner.is_full]
    return _words_of_cut(curve, *_extremes(curve)) if fulls and empties else ""


def _words_of_cut(curve: SizeCurve, full: int, empty: int) -> str:
    if empty < full:
        taken = "the fullest frame after end-systole was taken for end-diastole"
        return f"shows no ejection from its beginning to its end: {taken}"
    if _begins_ejecting(curve, full, empty) or not (full or _ends_ejecting(curve, full, empty)):
        return "begins while the ventricle ejects: the end-diastolic volume may be too small"
    return "ends while the ventricle ejects: the end-systolic volume may be too large"
