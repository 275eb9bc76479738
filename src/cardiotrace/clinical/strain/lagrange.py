"""Lagrangian strain of a line over a beat, and the values that are read off it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.beats.beat import Beat

Lengths = Float[np.ndarray, "frames *lines"]
"""Of a line, or several, in every frame, in any unit; NaN where it is not there."""


@dataclass(frozen=True)
class BeatStrain:
    """What a line does in one beat, percent of its length at end-diastole; negative: it shortens."""

    end_systolic: float
    """At end-systole."""
    peak_systolic: float | None
    """The deepest from end-diastole to end-systole; None where the frames between them are not shown."""
    post_systolic: float | None
    """The deepest after end-systole, where that is deeper than all before; None where it is not."""
    drift: float | None
    """What was left at the end of the beat, and was taken out; None where the end is not shown, or is the beginning."""


def lagrangian_percent(lengths: Lengths, start: int) -> Lengths:
    """Strain against one frame: e(t) = 100 (L(t) - L(start)) / L(start), percent.

    Example:
        >>> lagrangian_percent(np.array([200.0, 180.0, 160.0]), 0).tolist()
        [0.0, -10.0, -20.0]
    """
    # Of a line without length, as an arc of a few pixels may be, there is no share.
    first = np.where(lengths[start] > 0, lengths[start], np.nan)
    return np.asarray(100 * (lengths - first) / first)


def without_drift(percent: Lengths, start: int, stop: int) -> Lengths:
    """Strain of one beat with what is left at its end taken out by a ramp: zero at both ends.

    Args:
        percent: strain against frame `start`.
        start: first frame of the beat.
        stop: first frame of the next.

    Example:
        >>> without_drift(np.array([0.0, -20.0, 2.0]), 0, 2).tolist()
        [0.0, -21.0, 0.0]
    """
    share = np.clip((np.arange(len(percent)) - start) / (stop - start), 0, 1)
    return np.asarray(percent - percent[stop] * share)


def goes_round(beat: Beat) -> bool:
    """Whether the film is one beat whose last frame leads to its first, as gated images are: it cannot drift."""
    return beat.stop == beat.end_diastole


def frames_of(beat: Beat, count: int) -> range:
    """The frames of a beat, the next end-diastole with them where it is shown.

    Args:
        beat: of a film.
        count: frames of the film.

    Example:
        >>> list(frames_of(Beat("loop", "A4C", 2, 3, None), 5)), list(frames_of(Beat("gated", "4CH", 1, 2, 1), 4))
        ([2, 3, 4], [0, 1, 2, 3])
    """
    if goes_round(beat):
        return range(count)
    return range(beat.end_diastole, count if beat.stop is None else beat.stop + 1)


def beat_strain(lengths: Lengths, beat: Beat) -> BeatStrain | None:
    """The strain of a line in one beat.

    Args:
        lengths: of the line in every frame of the film.
        beat: which frames.

    Returns:
        Its values; None where end-diastole or end-systole has no line.

    Example:
        >>> beat = Beat("loop", "A4C", 0, 2, 4)
        >>> beat_strain(np.array([200.0, 170.0, 160.0, 190.0, 200.0]), beat)
        BeatStrain(end_systolic=-20.0, peak_systolic=-20.0, post_systolic=None, drift=0.0)
    """
    start, systole, stop = beat.end_diastole, beat.end_systole, beat.stop
    if goes_round(beat):
        lengths = np.roll(lengths, -start)
        start, systole, stop = 0, (systole - start) % len(lengths), None
    if np.isnan(lengths[[start, systole]]).any():
        return None
    percent = lagrangian_percent(lengths, start)
    drift = None
    if stop is not None and np.isfinite(percent[stop]):
        drift, percent = float(percent[stop]), without_drift(percent, start, stop)
    if systole < start:
        return BeatStrain(float(percent[systole]), None, None, drift)
    peak = float(np.nanmin(percent[start : systole + 1]))
    after = percent[systole + 1 : stop]
    late = float(np.nanmin(after)) if np.isfinite(after).any() else np.inf
    return BeatStrain(float(percent[systole]), peak, late if late < peak else None, drift)


def film_percent(lengths: Lengths, beats: tuple[Beat, ...]) -> Lengths:
    """Strain in every frame of a film, each against the end-diastole of its beat; before the first, against that one.

    Args:
        lengths: of the line in every frame.
        beats: in order, at least one.
    """
    percent = lagrangian_percent(lengths, beats[0].end_diastole)
    for beat in beats:
        own = lagrangian_percent(lengths, beat.end_diastole)
        if goes_round(beat):
            return own
        if beat.stop is not None and np.isfinite(own[beat.stop]):
            own = without_drift(own, beat.end_diastole, beat.stop)
        percent[beat.end_diastole : beat.stop] = own[beat.end_diastole : beat.stop]
    return percent
