"""From a complex object to a magnitude image: what the scanner measures of it in k-space."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float


@dataclass(frozen=True)
class Readout:
    """The part of k-space that is measured, the filter over it, and the noise in it.

    Args:
        shape: (height, width) of the image, pixels.
        acquired: share of rows and columns that is measured; zeros fill the rest.
        partial_fourier: share of those rows that is really measured, from 0.5.
        roll_off: share of k-space, from its edge, over which the filter falls.
        noise: standard deviation of the noise of either channel in the image.
    """

    shape: tuple[int, int]
    acquired: tuple[float, float] = (1.0, 1.0)
    partial_fourier: float = 1.0
    roll_off: float = 0.0
    noise: float = 0.0

    @cached_property
    def _counts(self) -> tuple[int, int]:
        """Rows and columns of k-space that the image knows of."""
        height, width = (max(8, round(n * share)) for n, share in zip(self.shape, self.acquired, strict=True))
        return min(height, self.shape[0]), min(width, self.shape[1])

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the measured frequencies lie in the transform."""
        rows, columns = (np.arange(count) - count // 2 for count in self._counts)
        return np.remainder(rows, self.shape[0])[:, None], np.remainder(columns, self.shape[1])[None]

    @cached_property
    def _filter(self) -> Float[np.ndarray, "rows columns"]:
        """Weight of each measured frequency: a window with cosine flanks, and zero in rows left out."""
        rows, columns = (_window(count, self.roll_off) for count in self._counts)
        # Rows on one side are never read: what they would hold is the mirror of the others for a real object, and zero
        # here.
        left_out = self._counts[0] - math.ceil(self._counts[0] * self.partial_fourier)
        rows[:left_out] = 0
        return np.asarray(rows[:, None] * columns[None], np.float32)

    @cached_property
    def _noise_scale(self) -> float:
        """Standard deviation in k-space that gives the wanted one in the image."""
        # The inverse transform divides by all pixels and adds the noise of all measured frequencies, weighted by the
        # filter; variances add, so the weights do as their squares.
        return self.noise * self.shape[0] * self.shape[1] / math.sqrt(float((self._filter**2).sum()))

    @property
    def cycles(self) -> tuple[Float[np.ndarray, "rows 1"], Float[np.ndarray, "1 columns"]]:
        """Measured frequencies down and across, cycles per pixel."""
        rows, columns = ((np.arange(count) - count // 2) / n for count, n in zip(self._counts, self.shape, strict=True))
        return rows[:, None], columns[None]

    def measured(self, object_: Complex[np.ndarray, "height width"]) -> Complex[np.ndarray, "rows columns"]:
        """The part of an object's k-space that is measured, without noise."""
        from scipy import fft  # slow to import, so only when needed

        return np.asarray(fft.fft2(object_.astype(np.complex64, copy=False))[self._places])

    def image(
        self, measured: Complex[np.ndarray, "rows columns"], rng: np.random.Generator
    ) -> Float[np.ndarray, "height width"]:
        """Magnitude of what was measured: truncated, so that edges ring, and with noise in both channels.

        Example:
            >>> readout = Readout((16, 16), acquired=(0.5, 0.5))
            >>> flat = readout.image(readout.measured(np.full((16, 16), 2 + 0j)), np.random.default_rng(0))
            >>> bool(np.allclose(flat, 2))
            True
        """
        from scipy import fft  # slow to import, so only when needed

        if self.noise > 0:
            parts = rng.standard_normal((2, *self._counts), np.float32) * np.float32(self._noise_scale)
            measured = measured + parts[0] + 1j * parts[1]
        # What was not measured stays zero: the image keeps its pixels and loses sharpness, as on scanners.
        filled = np.zeros(self.shape, np.complex64)
        filled[self._places] = measured * self._filter
        return np.asarray(np.abs(fft.ifft2(filled)))


def _window(count: int, roll_off: float) -> Float[np.ndarray, " count"]:
    """Flat in the middle, falling as a cosine to 0.15 over the outer share on both sides."""
    if roll_off <= 0:
        return np.ones(count)
    away = np.abs(np.arange(count) - count // 2) / (count / 2)
    fall = np.clip((away - (1 - roll_off)) / roll_off, 0, 1)
    return np.asarray(0.15 + 0.85 * 0.5 * (1 + np.cos(np.pi * fall)))
