"""Values of several beats as one, and which beats of two films are put together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.core.flag import Flag

_UNKNOWN_COST = 1e6
_NUMBER = re.compile(r"(?<![A-Za-z\d])\d[\d.]*(?![A-Za-z\d])")
"""But for those in names of views, such as A4C and 2CH."""


def over_beats(beats: Sequence[Sequence[Quantity]]) -> list[Quantity]:
    """The mean of each quantity over the beats that it was measured in, with the value of each beat.

    Each value is averaged by itself, the ejection fraction too: in beats of unlike size it is not quite that of the
    mean volumes.

    Args:
        beats: what was measured in each, in order of time.

    Returns:
        The quantities as they were where there is one beat. Else their means, with the frames and the flags of all
        beats.

    Example:
        >>> def ejection(percent):
        ...     return Quantity("left_ventricular_ejection_fraction", percent, "percent", Method.TRACED, "A4C", ())
        >>> (mean,) = over_beats([[ejection(50.0)], [ejection(56.0)]])
        >>> mean.value, mean.by_beat, round(mean.spread, 1)
        (53.0, (50.0, 56.0), 4.2)
    """
    if len(beats) == 1:
        return list(beats[0])
    groups: dict[tuple[str, Method, str], list[Quantity]] = {}
    for beat in beats:
        for item in beat:
            groups.setdefault((item.name, item.method, item.view), []).append(item)
    return [_mean(group) if len(group) > 1 else group[0] for group in groups.values()]


def _mean(group: Sequence[Quantity]) -> Quantity:
    values = tuple(item.value for item in group)
    frames = tuple(dict.fromkeys(frame for item in group for frame in item.frames))
    flags = alike(found for item in group for found in item.flags)
    mean = replace(group[0], value=float(np.mean(values)), frames=frames, flags=flags, by_beat=values)
    return replace(mean, flags=(*flags, *_spread_flags(mean)))


def segments_over_beats(beats: Sequence[Sequence[SegmentValues]]) -> tuple[SegmentValues, ...]:
    """The mean of each segment over the beats that it was measured in.

    Args:
        beats: what was measured in each, in order of time.

    Example:
        >>> def thickness(**values):
        ...     values = {int(number[1:]): value for number, value in values.items()}
        ...     return SegmentValues("end_diastolic_wall_thickness", "mm", Method.CENTRELINE, "SAX", values)
        >>> (mean,) = segments_over_beats([[thickness(_1=8.0, _2=9.0)], [thickness(_1=10.0)]])
        >>> mean.values
        {1: 9.0, 2: 9.0}
    """
    groups: dict[tuple[str, Method, str], list[SegmentValues]] = {}
    for beat in beats:
        for item in beat:
            groups.setdefault((item.name, item.method, item.view), []).append(item)
    return tuple(_mean_segments(group) if len(group) > 1 else group[0] for group in groups.values())


def _mean_segments(group: Sequence[SegmentValues]) -> SegmentValues:
    numbers = sorted({number for item in group for number in item.values})
    values = {
        number: float(np.mean([item.values[number] for item in group if number in item.values])) for number in numbers
    }
    frames = tuple(dict.fromkeys(frame for item in group for frame in item.frames))
    flags = alike(found for item in group for found in item.flags)
    return replace(group[0], values=values, frames=frames, flags=flags)


def _spread_flags(mean: Quantity) -> tuple[Flag, ...]:
    """Whether the beats eject unlike shares; told once for a view, not for each method."""
    low, high = min(mean.by_beat), max(mean.by_beat)
    is_told = mean.name == "left_ventricular_ejection_fraction" and mean.method is not Method.AREA_LENGTH
    if not is_told or not RULES["beats-differ"].breaks(high - low):
        return ()
    text = f"{mean.view}: the ejection fraction runs from {low:.0f} to {high:.0f} % over {len(mean.by_beat)} beats"
    return (flag("beats-differ", text),)


def alike(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Of flags whose sentences differ in their numbers alone, the first: what is odd in each beat is told once.

    Example:
        >>> found = [flag("annulus-width", f"the mitral annulus is {width} mm wide") for width in (57, 58)]
        >>> [str(item) for item in alike(found)]
        ['the mitral annulus is 57 mm wide']
    """
    kept: dict[tuple[str, str, str], Flag] = {}
    for item in flags:
        kept.setdefault((item.rule, item.about, _NUMBER.sub("", item.text)), item)
    return tuple(kept.values())


def matched_beats(first_ms: Sequence[float | None], second_ms: Sequence[float | None]) -> list[tuple[int, int]]:
    """Which beats of two films are put together: each of the film that has fewer, with one of about its length.

    The films of two views are of different beats, and a beat fills as long as it lasts. The pairs are those whose
    lengths differ least in sum; where lengths are not known, they are taken in order.

    Args:
        first_ms: length of each beat of one film, None where it is not known.
        second_ms: of the other.

    Returns:
        Pairs of numbers, in order of the first film.

    Example:
        >>> matched_beats([800.0, 1000.0], [990.0, 700.0, 810.0])
        [(0, 2), (1, 0)]
        >>> matched_beats([None, None], [None])
        [(0, 0)]
    """
    if len(first_ms) == len(second_ms) == 1:
        return [(0, 0)]
    from scipy.optimize import linear_sum_assignment  # slow to import, so only when needed

    costs = np.array([[_cost(a, b) for b in second_ms] for a in first_ms])
    order = np.abs(np.subtract.outer(np.arange(len(first_ms)), np.arange(len(second_ms))))
    rows, columns = linear_sum_assignment(costs + 1e-3 * order)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def _cost(first_ms: float | None, second_ms: float | None) -> float:
    return _UNKNOWN_COST if first_ms is None or second_ms is None else abs(first_ms - second_ms)
