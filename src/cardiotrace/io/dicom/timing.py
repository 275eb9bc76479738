"""When the frames of a recording were taken, and which of the many places in a header says so.

Source:
    DICOM PS3.3 C.7.6.5 (Cine Module) and C.7.6.6 (Multi-frame Module).
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.geometry import Known
from cardiotrace.io.dicom.fact import number, numbers
from cardiotrace.io.dicom.header import value_of

if TYPE_CHECKING:
    from pydicom import Dataset

_INTERVALS_MS = (0.5, 1000.0)
"""Between the frames of a recording of the heart: 2,000 to 1 a second."""
_FRAME_TIME = 0x00181063
"""What FrameIncrementPointer holds where FrameTime counts."""


@dataclass(frozen=True)
class Timing:
    """Instants of the frames, ms from the first, and how they are known."""

    times_ms: NDArray[np.float64] | None = None
    known: Known = Known.UNKNOWN
    notes: tuple[str, ...] = ()

    @property
    def interval_ms(self) -> float | None:
        """Mean time between frames."""
        times = self.times_ms
        return None if times is None or len(times) < 2 else float(np.diff(times).mean())


def timing_of(header: "Dataset", count: int) -> Timing:
    """Instants of a recording: FrameTimeVector or FrameTime, as the header points to one; else the duration of a frame.

    The rates at which a recording is to be played come last, as assumed: they need not be those of the recording.

    Args:
        header: of the object.
        count: of frames.
    """
    if count < 2:
        return Timing()
    by_time, by_vector = _by_interval(header, count, "FrameTime"), _by_vector(header, count)
    points_to_time = value_of(header, "FrameIncrementPointer") == _FRAME_TIME
    stated = (by_time or by_vector) if points_to_time else (by_vector or by_time)
    found = stated or _by_interval(header, count, "ActualFrameDuration") or _by_rate(header, count)
    return replace(found, notes=(*found.notes, *_passed_over(header, count, by_vector)))


def r_waves_of(header: "Dataset") -> tuple[float, ...]:
    """Instants of the R waves, ms from the first frame; none where they are not stated in order."""
    found = numbers(header, "RWaveTimeVector")
    return found if all(later > earlier for earlier, later in pairwise(found)) else ()


def _by_vector(header: "Dataset", count: int) -> Timing | None:
    """From the increments between frames, of which the first is 0."""
    steps = np.array(numbers(header, "FrameTimeVector"))
    if not steps.size:
        return None
    if len(steps) != count or not all(_is_interval(step) for step in steps[1:]):
        return None
    times = np.cumsum(steps, dtype=np.float64) - steps[0]
    return Timing(times, Known.FILE, ("times of its frames from FrameTimeVector",))


def _passed_over(header: "Dataset", count: int, by_vector: Timing | None) -> tuple[str, ...]:
    """What to say of a vector that cannot be."""
    steps = len(numbers(header, "FrameTimeVector"))
    if not steps or by_vector is not None:
        return ()
    what = f"has {steps} entries for {count} frames" if steps != count else "holds times that cannot be"
    return (f"FrameTimeVector {what}, and does not count",)


def _by_interval(header: "Dataset", count: int, keyword: str) -> Timing | None:
    interval = number(header, keyword)
    if interval is None or not _is_interval(interval):
        return None
    times = np.arange(count, dtype=np.float64) * interval
    return Timing(times, Known.FILE, (f"times of its frames from {keyword}, {interval:g} ms",))


def _by_rate(header: "Dataset", count: int) -> Timing:
    for keyword in ("CineRate", "RecommendedDisplayFrameRate"):
        rate = number(header, keyword)
        if rate is not None and rate > 0 and _is_interval(1000 / rate):
            note = f"times of its frames from {keyword}, {rate:g} a second, at which it is played"
            return Timing(np.arange(count, dtype=np.float64) * 1000 / rate, Known.ASSUMED, (note,))
    return Timing(notes=("nothing states when its frames were taken",))


def _is_interval(milliseconds: float) -> bool:
    return _INTERVALS_MS[0] <= milliseconds <= _INTERVALS_MS[1]
