"""A moving image with its curve and its beats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.beats.gating import is_one_beat
from cardiotrace.clinical.beats.search import span_ms
from cardiotrace.clinical.beats.smoothing import smoothed
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.key_frames import image_beats
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_stack import TracedStack

FINE_STEPS = 2000
"""Instants of a beat at which smooth curves are looked at."""


@dataclass(frozen=True, eq=False)
class BeatCurve:
    """A smooth curve over one whole beat, from one end-diastole to the next."""

    times_ms: Float[np.ndarray, " instants"]
    """From the end-diastole on."""
    values: Float[np.ndarray, " instants"]
    rates: Float[np.ndarray, " instants"]
    """Change per second."""
    end_systole: int
    """Number of the instant."""

    @property
    def diastole(self) -> slice:
        """From end-systole on."""
        return slice(self.end_systole, None)

    @property
    def systole(self) -> slice:
        """Up to end-systole."""
        return slice(0, self.end_systole + 1)


@dataclass(frozen=True, eq=False)
class Film:
    """One moving image."""

    source: TracedCine | TracedStack
    curve: Curve
    beats: tuple[Beat, ...]

    @property
    def is_round(self) -> bool:
        """Whether it is one beat gathered from many."""
        return is_one_beat(self.source.image.image)

    @property
    def times_ms(self) -> Float[np.ndarray, " frames"] | None:
        """Instants of its frames."""
        return None if self.curve.times_ms is None else np.array(self.curve.times_ms)

    @property
    def whole_beats(self) -> tuple[Beat, ...]:
        """Those whose diastole is shown to its end."""
        return tuple(beat for beat in self.beats if beat.is_whole)

    def frame_count(self, beat: Beat) -> int:
        """Frames of a whole beat."""
        count = len(self.source.sizes)
        return count if self.is_round else (beat.stop or 0) - beat.end_diastole

    def duration_ms(self, beat: Beat) -> float | None:
        """How long a whole beat lasts; None where times are not known."""
        return None if beat.stop is None else span_ms(self.times_ms, beat.end_diastole, beat.stop)

    def refs(self, beat: Beat) -> tuple[FrameRef, ...]:
        """The frames that bound a beat."""
        frames = dict.fromkeys(frame for frame in (beat.end_diastole, beat.end_systole, beat.stop) if frame is not None)
        return tuple(FrameRef(beat.image, frame) for frame in frames)

    def over(self, values: Sequence[float | None], beat: Beat) -> BeatCurve | None:
        """A smooth curve of some values over a whole beat; None where they or the times are not known.

        Args:
            values: one per frame; None where there is none. Frames that stand out do not count.
            beat: a whole beat of the film.
        """
        times, duration = self.times_ms, self.duration_ms(beat)
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
        shown = np.isfinite(numbers) & (numbers > 0) & ~self.source.odd
        if times is None or duration is None or np.count_nonzero(shown) < len(numbers) / 2:
            return None
        from scipy.interpolate import CubicSpline  # slow to import, so only when needed

        smooth = smoothed(np.nan_to_num(numbers), shown, is_round=self.is_round).values
        if self.is_round:
            around, again = np.append(times, times[0] + duration), np.append(smooth, smooth[0])
            spline = CubicSpline(around, again, bc_type="periodic")
        else:
            spline = CubicSpline(times, smooth)
        start = times[beat.end_diastole]
        instants = np.linspace(0.0, duration, FINE_STEPS)
        systole_ms = (times[beat.end_systole] - start) % duration if self.is_round else times[beat.end_systole] - start
        return BeatCurve(
            instants,
            spline(start + instants),
            1000 * spline(start + instants, 1),
            int(np.abs(instants - systole_ms).argmin()),
        )


def films(sources: Sequence[TracedCine | TracedStack], curves: Sequence[Curve]) -> Iterator[Film]:
    """The moving images of an exam.

    Args:
        sources: traced images, still or moving.
        curves: of the moving ones.
    """
    by_name = {curve.image: curve for curve in curves}
    for source in sources:
        if source.name in by_name:
            yield Film(source, by_name[source.name], image_beats(source))


def lengths_apart(durations_ms: Sequence[float]) -> float:
    """How much the lengths of beats differ, as the mean change from one to the next over their mean.

    Example:
        >>> lengths_apart([800.0, 1000.0, 800.0])
        0.23076923076923078
    """
    changes = [abs(later - earlier) for earlier, later in pairwise(durations_ms)]
    return float(np.mean(changes) / np.mean(durations_ms))
