"""Steps on values: sample by sample and channel by channel, for numpy and torch alike."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped

Values = TypeVar("Values", bound=Any)
"""A numpy array or a torch tensor whose last axes are a sample: the intensity steps are written for both."""


@runtime_checkable
class IntensityStep(Protocol):
    """Changes values, sample by sample and channel by channel."""

    def normalise(self, values: Values, dimensions: int) -> Values:
        """New values of the same shape; the last axes, `dimensions` of them, are a sample."""
        ...


@dataclass(frozen=True)
class ZScore:
    """Subtract the mean of each image, channel by channel, and divide by its standard deviation."""

    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive: some images are flat")

    def normalise(self, values: Values, dimensions: int) -> Values:
        """See `IntensityStep`."""
        # Counted from the end: in front of a sample's axes are its channels, and in training a batch.
        axes = tuple(range(-dimensions, 0))
        centred = values - values.mean(axis=axes, keepdims=True)
        # By hand and not by `std`, which numpy and torch define unlike each other.
        normalised: Values = centred / ((centred * centred).mean(axis=axes, keepdims=True) ** 0.5 + self.epsilon)
        return normalised


@dataclass(frozen=True)
class MinMax:
    """Stretch the values of each image, channel by channel, over an interval."""

    low: float = 0.0
    high: float = 1.0
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive: some images are flat")
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")

    def normalise(self, values: Values, dimensions: int) -> Values:
        """See `IntensityStep`."""
        # As one axis: `min` over several is written unlike in numpy and torch.
        flat = values.reshape(*values.shape[:-dimensions], -1)
        least, most = flat.min(-1), flat.max(-1)
        if not hasattr(least, "dtype") or hasattr(least, "values"):  # torch returns (values, indices)
            least, most = least.values, most.values
        least, most = (each.reshape(*each.shape, *(1,) * dimensions) for each in (least, most))
        stretched: Values = (values - least) / (most - least + self.epsilon) * (self.high - self.low) + self.low
        return stretched


@dataclass(frozen=True)
class Multiply:
    """Multiply all values by a constant.

    255 gives the network the bytes of the file: what some call no normalisation. Without any intensity step
    the values are those bytes divided by 255.
    """

    factor: float = 255.0

    def __post_init__(self) -> None:
        if self.factor == 0:
            raise ValueError("factor must not be 0")

    def normalise(self, values: Values, dimensions: int) -> Values:
        """See `IntensityStep`."""
        multiplied: Values = values * self.factor
        return multiplied


@dataclass(frozen=True)
class Percentiles:
    """Stretch what lies between two percentiles of each image over 0 to 1, and clip the rest.

    A few bright pixels, such as of flowing blood or fat at the coil, do not darken all others then.
    """

    low: float = 1.0
    """Percent of the pixels that become 0."""
    high: float = 99.0
    """Percent of the pixels below 1."""
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(f"low and high must be percentages, low below high, got {self.low} and {self.high}")
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive: some images are flat")

    def normalise(self, values: Values, dimensions: int) -> Values:
        """See `IntensityStep`."""
        low, high = _percentiles(values, (self.low, self.high), dimensions)
        stretched: Values = ((values - low) / (high - low + self.epsilon)).clip(0.0, 1.0)
        return stretched


LANDMARK_PERCENTS = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
"""Percentiles that are brought to the standard's: the deciles, and almost the darkest and the brightest."""


@dataclass(frozen=True)
class HistogramStandard:
    """Bring the deciles of each image to those of a standard histogram, linearly between them; clip what lies beyond.

    Source:
        Nyul and Udupa 1999, Magn Reson Med 42:1072; with deciles as in Nyul et al. 2000, IEEE TMI 19:143.
    """

    landmarks: tuple[float, ...] = (0.0, 0.026, 0.062, 0.103, 0.148, 0.201, 0.266, 0.355, 0.483, 0.661, 1.0)
    """Values of the standard at the 1st, 10th, 20th ... 90th and 99th percentile, from 0 to 1. The default is the mean
    of ACDC's short-axis planes, 128 x 128 pixels of 1.4 mm around the heart (`benchmarks/landmarks.py`)."""
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        count = len(LANDMARK_PERCENTS)
        if len(self.landmarks) != count or any(below > above for below, above in pairwise(self.landmarks)):
            raise ValueError(f"landmarks must be {count} numbers that never fall, got {self.landmarks}")
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive: some images are flat")

    def normalise(self, values: Values, dimensions: int) -> Values:
        """See `IntensityStep`."""
        found = _percentiles(values, LANDMARK_PERCENTS, dimensions)
        standard: Any = self.landmarks[0]
        # The share of each decile that lies below a value, times what the standard rises over it.
        for (low, high), (before, after) in zip(pairwise(found), pairwise(self.landmarks), strict=True):
            standard = standard + ((values - low) / (high - low + self.epsilon)).clip(0.0, 1.0) * (after - before)
        moved: Values = standard
        return moved


def landmarks_of(images: Float[np.ndarray, "batch channels *axes"], dimensions: int = 2) -> tuple[float, ...]:
    """Landmarks of a standard histogram: the mean of those of images, each stretched between its outermost ones.

    Example:
        >>> ramp = np.linspace(0, 1, 101, dtype=np.float32).reshape(1, 1, 1, 101)
        >>> [round(value, 2) for value in landmarks_of(ramp)[:3]]
        [0.0, 0.09, 0.19]
    """
    stretched = Percentiles(LANDMARK_PERCENTS[0], LANDMARK_PERCENTS[-1]).normalise(images, dimensions)
    return tuple(float(found.mean()) for found in _percentiles(stretched, LANDMARK_PERCENTS, dimensions))


def _percentiles(values: Any, percents: tuple[float, ...], dimensions: int) -> list[Any]:
    """Percentiles of each sample and channel, linear between pixels, with axes of length 1 in place of the sample's."""
    flat = values.reshape(*values.shape[:-dimensions], -1)
    # numpy sorts in place and returns nothing, torch returns values and places.
    ordered = np.sort(flat, axis=-1) if isinstance(flat, np.ndarray) else flat.sort(-1).values
    last = ordered.shape[-1] - 1
    found = []
    for percent in percents:
        place = percent / 100 * last
        below = min(int(place), max(last - 1, 0))
        low, high = ordered[..., below], ordered[..., min(below + 1, last)]
        value = low + (high - low) * (place - below)
        found.append(value.reshape(*value.shape, *(1,) * dimensions))
    return found


def unit_range(values: Shaped[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Values as float32 in 0..1: bytes are divided by 255, anything else is stretched from its own extremes.

    Example:
        >>> unit_range(np.array([0, 51], np.uint8)).tolist()
        [0.0, 0.20000000298023224]
    """
    if values.dtype == np.uint8:
        return values.astype(np.float32) / np.float32(255)
    floats = values.astype(np.float32)
    low, high = float(floats.min()), float(floats.max())
    return (floats - np.float32(low)) / np.float32(max(high - low, 1e-12))
