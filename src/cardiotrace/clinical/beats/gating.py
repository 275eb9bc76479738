"""Whether a film is one beat gathered from many."""

from cardiotrace.clinical.beats.search import frame_interval_ms
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality

_FEWEST = 3
"""Frames from which on a film shows a beat; two are end-diastole and end-systole."""
_LONGEST_MS = 1600.0
"""A film of more is of several beats, where no heart rate is stated."""
_ONE_BEAT = 0.15
"""Share of the stated beat by which a film of one may be longer or shorter."""


def is_one_beat(image: Image) -> bool:
    """Whether the first frame follows the last one again, as in gated cine-MRI, which runs from R wave to R wave.

    A film of MRI that is longer or shorter than the stated beat is none: it was taken in real time, or lacks the end of
    diastole. Ultrasound is never gathered.

    Example:
        >>> import numpy as np
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> frames = np.zeros((20, 1, 2, 2), np.uint8)
        >>> is_one_beat(Image(frames, NO_GEOMETRY, modality=Modality.MR))
        True
        >>> is_one_beat(Image(frames, NO_GEOMETRY, np.arange(20) * 200.0, modality=Modality.MR))
        False
    """
    count, interval_ms = len(image.frames), frame_interval_ms(image.times_ms)
    if image.modality is not Modality.MR or count < _FEWEST:
        return False
    if interval_ms is None:
        return True
    rate = image.acquisition.heart_rate_bpm
    if not rate or rate <= 0:
        return count * interval_ms <= _LONGEST_MS
    return abs(count * interval_ms * rate / 60_000 - 1) <= _ONE_BEAT
