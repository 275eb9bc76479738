"""Slices that were taken in different beats, on one clock: parts of the beat, and milliseconds of a common one."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float

from cardiotrace.core.geometry import Known
from cardiotrace.io.dicom.plane import Plane
from cardiotrace.io.dicom.slice_stack import SliceStack, usual_count

_SAME_RATE = 0.05
"""Share by which lengths of the beat may differ without being told of."""
_MS_PER_MINUTE = 60_000.0


@dataclass(frozen=True, eq=False)
class Beat:
    """The planes of a stack at the instants of one beat."""

    planes: tuple[tuple[Plane, ...], ...]
    """By time, then by depth."""
    times_ms: Float[np.ndarray, " time"] | None
    """From the first instant; None where nothing tells."""
    times: Known
    interval_ms: float | None
    first_ms: float | None
    """Of the first instant, from the R wave."""
    notes: tuple[str, ...]

    @property
    def heart_rate_bpm(self) -> float | None:
        """Beats a minute."""
        return None if self.interval_ms is None else _MS_PER_MINUTE / self.interval_ms

    @property
    def r_waves_ms(self) -> tuple[float, ...]:
        """R waves around the instants, on the clock of `times_ms`."""
        if self.first_ms is None or self.interval_ms is None:
            return ()
        return (0.0 - self.first_ms, self.interval_ms - self.first_ms)


def common_beat(stack: SliceStack) -> Beat:
    """The slices of a stack at common instants: parts of the beat, as each slice was taken in beats of its own.

    Slices of as many instants are paired by number. One that has more or fewer gives for each instant the nearest that
    it has: no image is made up.
    """
    slices = stack.slices
    count = usual_count(slices)
    usual = [each for each in slices if len(each.planes) == count]
    fractions = np.mean([each.fractions for each in usual], axis=0)
    columns, notes = [], []
    for number, each in enumerate(slices, start=1):
        if len(each.planes) == count:
            columns.append(each.planes)
            continue
        columns.append(tuple(each.planes[index] for index in _nearest(each.fractions, fractions)))
        notes.append(
            f"slice {number} has {len(each.planes)} instants, others have {count}: the nearest in its beat were taken"
        )
    intervals = [each.interval_ms for each in slices if each.interval_ms is not None]
    interval = float(np.median(intervals)) if intervals else None
    if intervals and max(intervals) > (1 + _SAME_RATE) * min(intervals):
        low, high = (_MS_PER_MINUTE / each for each in (max(intervals), min(intervals)))
        notes.append(f"slices were taken at {low:.0f} to {high:.0f} beats a minute: instants are parts of the beat")
    instants, known, first = _instants(stack, fractions, interval)
    return Beat(
        planes=tuple(zip(*columns, strict=True)),
        times_ms=instants,
        times=known,
        interval_ms=interval,
        first_ms=first,
        notes=tuple(notes),
    )


def _nearest(own: Float[np.ndarray, " phases"], wanted: Float[np.ndarray, " time"]) -> list[int]:
    """Index of the instant that lies nearest to each wanted one, round the beat."""
    apart = (own[None, :] - wanted[:, None] + 0.5) % 1.0 - 0.5
    return cast("list[int]", np.abs(apart).argmin(axis=1).tolist())


def _instants(
    stack: SliceStack, fractions: Float[np.ndarray, " time"], interval_ms: float | None
) -> tuple[Float[np.ndarray, " time"] | None, Known, float | None]:
    """Milliseconds of the instants, how they are known, and the first one's distance from the R wave."""
    count = len(fractions)
    if count == 1:
        return None, Known.UNKNOWN, None
    timed = [each.triggers_ms for each in stack.slices if each.triggers_ms is not None and len(each.planes) == count]
    if timed and interval_ms is not None and len(timed) == sum(len(s.planes) == count for s in stack.slices):
        times = fractions * interval_ms
    elif timed:
        times = np.median(timed, axis=0)
    elif interval_ms is not None and all(each.is_within_a_beat for each in stack.slices):
        # Evenly over the beat, as retrospective gating spreads them.
        return fractions * interval_ms, Known.ASSUMED, None
    else:
        return None, Known.UNKNOWN, None
    return times - times[0], Known.FILE, float(times[0])
