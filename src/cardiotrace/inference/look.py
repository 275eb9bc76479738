"""The same image as another machine would show it: other tones, another sharpness; nothing in it moves."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

_FLAT = 1e-6
"""Deviation below which a channel is the same everywhere."""


@runtime_checkable
class Look(Protocol):
    """A change of tones of what a network sees."""

    def apply(self, batch: Float[np.ndarray, "batch channels *axes"]) -> Float[np.ndarray, "batch channels *axes"]:
        """The changed input, of the same shape."""
        ...


@dataclass(frozen=True)
class Style:
    """Another tone curve and sharpness; mean and deviation of each channel stay, as normalising has set them.

    Example:
        >>> image = np.array([0, 1, 4], np.float32).reshape(1, 1, 1, 3)
        >>> Style().apply(image) is image
        True
        >>> dark = Style(gamma=2.0).apply(image).ravel()
        >>> bool(dark[1] - dark[0] < 1 and abs(dark.mean() - image.mean()) < 1e-6)
        True
    """

    gamma: float = 1.0
    """Exponent on each sample's values between its own extremes; below 1 the dark ones are spread."""
    sharpness: float = 0.0
    """Share of what a blur of about one pixel takes away that is added: below 0 the image is blurred, -1 wholly."""

    def apply(self, batch: Float[np.ndarray, "batch channels *axes"]) -> Float[np.ndarray, "batch channels *axes"]:
        """See `Look`."""
        if self == AS_IT_IS:
            return batch
        axes = tuple(range(2, batch.ndim))
        low = batch.min(axis=axes, keepdims=True)
        extent = np.maximum(batch.max(axis=axes, keepdims=True) - low, _FLAT)
        changed = ((batch - low) / extent) ** self.gamma
        changed = changed + self.sharpness * (changed - _blurred(changed)) if self.sharpness else changed
        mean, deviation = (each(changed, axis=axes, keepdims=True) for each in (np.mean, np.std))
        wanted = batch.std(axis=axes, keepdims=True)
        back = (changed - mean) / np.maximum(deviation, _FLAT) * wanted + batch.mean(axis=axes, keepdims=True)
        return np.asarray(back, np.float32)


AS_IT_IS = Style()
STYLES: tuple[Style, ...] = (
    AS_IT_IS,
    Style(gamma=0.7),
    Style(gamma=1.4),
    Style(sharpness=-0.8),
    Style(sharpness=0.8),
)
"""The image itself, with dark tones spread and pressed, blurred and sharpened."""


@dataclass(frozen=True)
class ToneCurve:
    """Brings values at known places of one distribution to those of another, linearly between them.

    Beyond the outermost places values are moved as the nearest one is.

    Example:
        >>> curve = ToneCurve((0.0, 1.0, 2.0), (0.0, 2.0, 4.0))
        >>> curve.apply(np.array([0.5, 1.5, 3.0], np.float32).reshape(1, 1, 1, 3)).ravel().round(4).tolist()
        [1.0, 3.0, 5.0]
    """

    before: tuple[float, ...]
    after: tuple[float, ...]

    def apply(self, batch: Float[np.ndarray, "batch channels *axes"]) -> Float[np.ndarray, "batch channels *axes"]:
        """See `Look`."""
        places, moves = np.array(self.before), np.subtract(self.after, self.before)
        # Tones that many pixels share stand at several places; `interp` needs them to rise.
        places = np.maximum.accumulate(places + _FLAT * np.arange(len(places)))
        return np.asarray(batch + np.interp(batch, places, moves), np.float32)


def _blurred(batch: Float[np.ndarray, "batch channels *axes"]) -> Float[np.ndarray, "batch channels *axes"]:
    """In plane, by a binomial kernel of five pixels, whose standard deviation is one pixel."""
    kernel = [math.comb(4, place) / 16 for place in range(5)]
    for axis in (-2, -1):
        around = [(2, 2) if batch.ndim + axis == each else (0, 0) for each in range(batch.ndim)]
        padded, side = np.pad(batch, around, mode="edge"), batch.shape[axis]
        parts = [weight * np.take(padded, range(at, at + side), axis=axis) for at, weight in enumerate(kernel)]
        batch = np.sum(parts, axis=0)
    return batch
