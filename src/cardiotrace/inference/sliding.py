"""A window that slides over samples which are larger than what a network sees at once."""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from jaxtyping import Float

STEP = 0.5
"""Of a window's side, at most: neighbours overlap by half."""
SIGMA = 1 / 8
"""Of a window's side: standard deviation of the weight of its answer about its middle."""

Ask = Callable[[Float[np.ndarray, "channels *window"]], Float[np.ndarray, "classes *window"]]
"""Class probabilities of a window."""


def slide(
    sample: Float[np.ndarray, "channels *axes"], window: tuple[int, ...], ask: Ask
) -> Float[np.ndarray, "classes *axes"]:
    """Class probabilities of a sample, as the weighted mean of those of all windows that show a pixel.

    Windows lie at equal distances of at most half a side. A network is surest in the middle of what it sees: answers
    are weighted by a Gaussian about it, of an eighth of the side along each axis.

    Args:
        sample: any sides.
        window: sides of a window, one for each axis. Where a sample is smaller, `ask` is given all of it.
        ask: what answers for one window.

    Returns:
        Probabilities, which sum to 1. They are averaged, not logits: so are those of test-time variants and ensembles,
        and no window outvotes the others by large numbers.

    Source:
        Isensee et al. 2021, Nature Methods 18:203, whose code averages logits.

    Example:
        >>> values = np.linspace(0, 1, 10, dtype=np.float32).reshape(1, 1, 10)
        >>> found = slide(values, (1, 4), lambda part: np.concatenate([1 - part, part]))
        >>> bool(np.allclose(found[1], values[0]))
        True
    """
    shape = sample.shape[1:]
    sides = tuple(min(side, whole) for side, whole in zip(window, shape, strict=True))
    if sides == shape:
        return ask(sample)
    weights = importance(sides)
    total: Any = None
    votes = np.zeros(shape, np.float32)
    for part in windows_of(shape, sides):
        answer = ask(sample[(slice(None), *part)])
        if total is None:
            total = np.zeros((len(answer), *shape), np.float32)
        total[(slice(None), *part)] += answer * weights
        votes[part] += weights
    return np.asarray(total / votes)


def windows_of(shape: tuple[int, ...], sides: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Windows that cover a sample: the first begins at its first pixel, the last ends at its last.

    Args:
        shape: sides of the sample.
        sides: of a window, none larger.

    Example:
        >>> [(rows.start, columns.start) for rows, columns in windows_of((4, 10), (4, 4))]
        [(0, 0), (0, 2), (0, 4), (0, 6)]
    """
    starts = [_starts(whole, side) for whole, side in zip(shape, sides, strict=True)]
    for first in itertools.product(*starts):
        yield tuple(slice(start, start + side) for start, side in zip(first, sides, strict=True))


def _starts(whole: int, side: int) -> list[int]:
    last = whole - side
    steps = math.ceil(last / max(1, side * STEP))
    return [round(last * step / steps) for step in range(steps + 1)] if steps else [0]


@lru_cache(maxsize=8)
def importance(sides: tuple[int, ...]) -> Float[np.ndarray, "*window"]:
    """Weight of each pixel of a window: a Gaussian, 1 in the middle, never so small that sums lose it.

    Example:
        >>> [round(float(weight), 3) for weight in importance((8,))]
        [0.002, 0.044, 0.325, 0.882, 0.882, 0.325, 0.044, 0.002]
    """
    axes = [np.exp(-0.5 * (((np.arange(side) + 0.5) / side - 0.5) / SIGMA) ** 2) for side in sides]
    weights: Float[np.ndarray, "*window"] = reduce(np.multiply.outer, axes).astype(np.float32)
    weights = np.maximum(weights, np.float32(1e-6))
    weights.setflags(write=False)  # shared by everyone who asks for these sides
    return weights


def filled(
    values: Float[np.ndarray, "channels *axes"], window: tuple[int, ...]
) -> Float[np.ndarray, "channels *window"]:
    """Normalised values as large as a window: what is missing follows the last pixels, and is 0 as in training."""
    missing = [(0, side - has) for side, has in zip(window, values.shape[1:], strict=True)]
    return values if not any(more for _, more in missing) else np.pad(values, [(0, 0), *missing])
