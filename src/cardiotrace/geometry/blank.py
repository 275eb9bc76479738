"""Frames that show no image: black, white, flat, mere noise, or a title in a video of something else."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped
from numpy.typing import NDArray

_OUTER_PERCENT = 0.5
"""Grey values beyond these percentiles do not count: a line of text on black is no image."""
_FLAT_SHARE = 0.02
"""Of the whole image's range of grey values: a plane that spans less is flat. Planes of real hearts span over 0.2."""
_FLAT_GREYS = 4
"""An image of whole numbers that spans less has no grey values to speak of, unless neighbours go together."""
_NOISE_CORRELATION, _IMAGE_CORRELATION = 0.3, 0.6
"""Of neighbouring pixels: below the first is noise, above the second an image. CAMUS reaches .98, cine-MRI .88."""
_STRANGER_CORRELATION, _VIDEO_CORRELATION = 0.25, 0.6
"""With the median frame of a video: a frame below the first in a video whose frames are mostly above the second shows
something else."""
_FEWEST_FRAMES = 4
"""From which on a video tells what its frames have in common."""
_SMALLEST_SIDE = 16
"""Fewer pixels tell nothing."""
_SIDE = 96
"""Planes are looked at with about as many pixels along each side."""


def blank_planes(frames: Shaped[np.ndarray, "time depth height width *channel"]) -> Bool[np.ndarray, "time depth"]:
    """Which planes show no image.

    Blank is a plane that is flat (all but single pixels of one grey value, within 2 percent of the image's range), that
    is mere noise among images (neighbouring pixels have nothing in common), or, in a video, that has nothing in common
    with the other frames, such as a title.

    Args:
        frames: grey values or colours.

    Returns:
        True where there is no image.

    Example:
        >>> ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
        >>> blank_planes(np.stack([ramp, np.full_like(ramp, 255)])[:, None]).tolist()
        [[False], [True]]
    """
    if min(frames.shape[2:4]) < _SMALLEST_SIDE:
        return np.zeros(frames.shape[:2], bool)
    grey = frames.max(axis=4) if frames.ndim == 5 else frames
    rows, columns = (max(1, size // _SIDE) for size in grey.shape[2:])
    small = np.asarray(grey[:, :, ::rows, ::columns], np.float32)
    small = np.where(np.isfinite(small), small, 0)
    blank: Bool[np.ndarray, "time depth"] = _flat(small, is_whole=np.issubdtype(frames.dtype, np.integer))
    blank |= _noisy(grey, ~blank)
    for depth in range(grey.shape[1]):
        blank[:, depth] |= _strangers(small[:, depth], ~blank[:, depth])
    return blank


def blank_words(blank: Bool[np.ndarray, "time depth"]) -> str:
    """Which planes of an image are blank, as a sentence; "" where none is.

    Example:
        >>> blank_words(np.array([[True], [False], [True], [True]]))
        'frames 0 and 2-3 are blank'
        >>> blank_words(np.array([[True, True, False], [True, True, False]]))
        'slices 0-1 are blank'
        >>> blank_words(np.ones((1, 1), bool))
        'the image is blank'
    """
    if not blank.any():
        return ""
    if blank.all():
        return "the image is blank" if len(blank) == 1 else f"all {len(blank)} frames are blank"
    frames, slices = np.flatnonzero(blank.all(axis=1)), np.flatnonzero(blank.all(axis=0))
    # Planes that are blank by themselves: neither their frame nor their slice is blank as a whole.
    alone = blank & ~blank.all(axis=1, keepdims=True) & ~blank.all(axis=0)
    parts = [listed("frame", frames), listed("slice", slices), _alone(int(np.count_nonzero(alone)))]
    count = len(frames) + len(slices) + int(np.count_nonzero(alone))
    return f"{' and '.join(filter(None, parts))} {'is' if count == 1 else 'are'} blank"


def _alone(count: int) -> str:
    """Blank planes here and there, in words; "" for none."""
    return {0: "", 1: "a slice in one frame"}.get(count, f"{count} slices in single frames")


def runs_of(numbers: Int[np.ndarray, "n"]) -> list[str]:
    """Rising numbers with runs drawn together.

    Example:
        >>> runs_of(np.array([0, 2, 3, 4]))
        ['0', '2-4']
    """
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if len(run)]


def listed(what: str, numbers: NDArray[np.int64]) -> str:
    """Numbers with runs drawn together, such as "frames 0 and 2-3"; "" for none."""
    if not len(numbers):
        return ""
    words = runs_of(numbers)
    many = f"{what}s" if len(numbers) > 1 else what
    joined = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{many} {joined}"


def _flat(small: NDArray[np.float32], *, is_whole: bool) -> NDArray[np.bool_]:
    # Spans are held against the whole image's: a slice beyond the apex is dim and still an image, a flat one is not.
    low, high = np.percentile(small, (_OUTER_PERCENT, 100 - _OUTER_PERCENT), axis=(2, 3))
    spans = high - low
    floor = _FLAT_SHARE * max(float(high.max() - low.min()), float(spans.max()))
    flat = np.asarray(spans <= floor)
    if is_whole and spans.max() < _FLAT_GREYS:
        for time, depth in np.argwhere(~flat):
            flat[time, depth] = _coherence(small[time, depth]) < _NOISE_CORRELATION
    return flat


def _noisy(grey: NDArray[Any], shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Planes of mere noise among planes that are images; an image of nothing but noise is left as it is."""
    # In an image neighbours resemble each other, in noise they do not, however bright either is. Where no plane is an
    # image, noise is what was meant to be shown.
    coherence = np.full(shown.shape, np.nan)
    for time, depth in np.argwhere(shown):
        coherence[time, depth] = _coherence(grey[time, depth])
    noisy: NDArray[np.bool_] = coherence < _NOISE_CORRELATION
    return noisy if np.any(coherence >= _IMAGE_CORRELATION) else np.zeros_like(shown)


def _coherence(plane: NDArray[Any]) -> float:
    """Correlation of neighbouring pixels, along rows or columns, whichever is higher; 1 in tiny planes."""
    height, width = plane.shape
    # The middle alone, where the object is: black borders agree with themselves and would hide noise.
    top, left = max(height // 8, height // 2 - _SIDE), max(width // 8, width // 2 - _SIDE)
    middle = np.asarray(plane[top : height - top, left : width - left], np.float64)
    return max(_correlation(middle[1:], middle[:-1]), _correlation(middle[:, 1:], middle[:, :-1]))


def _strangers(video: NDArray[np.float32], shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    strange = np.zeros(len(video), bool)
    if np.count_nonzero(shown) < _FEWEST_FRAMES:
        return strange
    # The median frame is what the video has in common; a title has nothing of it, a beating heart most of it. Where
    # frames are not alike at all, as in a slide show, nobody is a stranger.
    typical = np.median(video[shown], axis=0)
    alike = np.array([_correlation(frame, typical) for frame in video])
    if np.median(alike[shown]) > _VIDEO_CORRELATION:
        strange = shown & (alike < _STRANGER_CORRELATION)
    return strange


def _correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    one, other = first - first.mean(), second - second.mean()
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / size if size > 0 else 0.0
