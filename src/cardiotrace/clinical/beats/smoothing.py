"""A curve of sizes without the tremble of its outlines, and the frames that stand out of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

FEWEST_SMOOTHED = 10
"""Frames from which on a curve is smoothed: fewer are hardly more than the curve has turns."""
_STEEPNESS = 6
"""Power of the frequency in the filter: 6 is a penalty on the third derivative."""
_FILTERS = 24
"""How many widths of the filter are tried."""
_CARE = 1.15
"""Weight of a degree of freedom in cross-validation: a little over 1, since short curves else follow their noise."""
_BRIEF_MS = 120.0
"""No ventricle fills and empties again in less time."""
_USUAL_INTERVAL_MS = 40.0
"""Between frames whose instants are not known."""
_MOST_ODD = 0.15
"""Share of a film's frames beyond which they are no slips: a heart of 200 beats a minute and more is as brief."""
_LEAST_EXCURSION = 0.10
"""Share of the largest size below which a brief excursion is not odd."""


@dataclass(frozen=True, eq=False)
class SmoothCurve:
    """A smoothed curve, one value per frame."""

    values: Float[np.ndarray, " frames"]
    error: float
    """Standard error of the values that noise leaves, in their unit."""
    noise: float
    """Standard deviation of the sizes about the curve."""

    @property
    def amplitude(self) -> float:
        """From the smallest to the largest value."""
        return float(np.ptp(self.values))


def smoothed(
    values: Float[np.ndarray, " frames"], shown: Bool[np.ndarray, " frames"], *, is_round: bool = False
) -> SmoothCurve:
    """Smooth a curve as much as its own noise asks for.

    A filter G = 1 / (1 + (f / c)^6) on the frequencies of the curve, which is the least-squares curve with a penalty on
    its third derivative; the width c is that of the smallest error by generalised cross-validation, so that a clean
    curve stays as it is. A curve that does not go round is mirrored at its ends.

    Args:
        values: one per frame.
        shown: the frames that count; the others are filled in between their neighbours.
        is_round: whether the first frame follows the last one.

    Returns:
        The curve; as it was where fewer than `FEWEST_SMOOTHED` frames count.

    Example:
        >>> beat = 100 + 30 * np.cos(np.arange(40) * 2 * np.pi / 40)
        >>> noise = np.random.default_rng(0).normal(0, 3, 40)
        >>> found = smoothed(beat + noise, np.ones(40, bool), is_round=True)
        >>> bool(np.abs(found.values - beat).max() < 3 < np.abs(noise).max())
        True

    Source:
        Craven and Wahba 1979, Numer Math 31:377 (cross-validation); Garcia 2010, Comput Stat Data Anal 54:1167 (by
        frequencies).
    """
    filled = _filled(values, shown, is_round=is_round)
    if np.count_nonzero(shown) < FEWEST_SMOOTHED:
        return SmoothCurve(filled, 0.0, 0.0)
    count, copies = len(filled), 1 if is_round else 2
    long = filled if is_round else np.concatenate([filled, filled[::-1]])
    spectrum, frequencies = np.fft.rfft(long), np.fft.rfftfreq(len(long))
    # Each frequency but the first and the middle one stands for two.
    weights = np.where((frequencies == 0) | (frequencies == 0.5), 1.0, 2.0)
    best_score, best, error, noise = np.inf, np.ones_like(weights), 0.0, 0.0
    for width in np.geomspace(2 / len(long), 0.5, _FILTERS):
        passed = 1 / (1 + (frequencies / width) ** _STEEPNESS)
        freedom = float((weights * passed).sum()) / copies
        rest = float((weights * np.abs((1 - passed) * spectrum) ** 2).sum()) / len(long) / copies
        left = count - _CARE * freedom
        if left > 0 and count * rest / left**2 < best_score:
            best_score, best = count * rest / left**2, passed
            noise = float(np.sqrt(rest / max(count - freedom, 1)))
            error = noise * float(np.sqrt(freedom / count))
    return SmoothCurve(np.fft.irfft(best * spectrum, len(long))[:count], error, noise)


def _filled(
    values: Float[np.ndarray, " frames"], shown: Bool[np.ndarray, " frames"], *, is_round: bool
) -> Float[np.ndarray, " frames"]:
    frames = np.arange(len(values), dtype=np.float64)
    period = float(len(values)) if is_round else None
    return np.asarray(np.interp(frames, frames[shown], np.asarray(values, np.float64)[shown], period=period))


def stands_out(
    values: Float[np.ndarray, " frames"], *, interval_ms: float | None = None, is_round: bool = False
) -> Bool[np.ndarray, " frames"]:
    """Frames in which a size leaves the curve and is back sooner than a heart could be.

    An excursion of less than 120 ms by more than a tenth of the largest size, and by more than five times the curve's
    own noise: a foreshortened or badly traced frame. A steady change, however fast, is none.

    Args:
        values: size or length in each frame; not finite or 0 where there is none.
        interval_ms: between frames; that of a usual video where it is not known.
        is_round: whether the first frame follows the last one.

    Example:
        >>> stands_out(np.array([30.0, 30, 29, 19, 28, 27, 25, 22, 20, 18, 18, 19])).nonzero()[0].tolist()
        [3]
    """
    shown = np.isfinite(values) & (values > 0)
    width = int(_BRIEF_MS // (interval_ms or _USUAL_INTERVAL_MS))
    if np.count_nonzero(shown) < FEWEST_SMOOTHED or width < 2:
        return np.zeros(len(values), bool)
    filled = _filled(np.nan_to_num(values), shown, is_round=is_round)
    # The median is not moved by the very frames that are sought; 20 is the sum of squares of the differences' weights.
    noise = 1.4826 * float(np.median(np.abs(np.diff(filled, 3)))) / np.sqrt(20)
    limit = max(_LEAST_EXCURSION * float(filled.max()), 5 * noise)
    odd = np.zeros(len(values), bool)
    # The largest first: beside a slip its neighbours stand out as well.
    for _ in range(int(_MOST_ODD * len(values)) + 1):
        excursions = np.where(shown & ~odd, _excursions(filled, width, is_round=is_round), 0.0)
        worst = int(excursions.argmax())
        if excursions[worst] <= limit:
            return odd
        odd[worst] = True
        filled = _filled(filled, ~odd, is_round=is_round)
    # So many are no slips.
    return np.zeros(len(values), bool)


def _excursions(values: Float[np.ndarray, " frames"], width: int, *, is_round: bool) -> Float[np.ndarray, " frames"]:
    """How far each value lies from the curve without dips and peaks that are briefer than a number of frames."""
    padded = np.pad(values, width, mode="wrap" if is_round else "edge")
    from scipy.ndimage import grey_closing, grey_opening  # slow to import, so only when needed

    dips = grey_closing(padded, size=width) - padded
    peaks = padded - grey_opening(padded, size=width)
    return np.asarray(np.maximum(dips, peaks)[width:-width])
