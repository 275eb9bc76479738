"""The sector of an ultrasound scanner: its polar grid, its point-spread function and its way to the screen."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float, Int

HALF_ANGLE_RAD = np.deg2rad(37.3)
"""Median of CAMUS: the sector is 1.21 times as wide as deep, its tip is in the middle of the top row."""


@dataclass(frozen=True)
class BeamSector:
    """Polar sampling of a sector and the pixels that show it.

    Args:
        shape: (height, width) of the image, pixels.
        spacing_mm: size of a square pixel, mm.
        beam_count: beams over the full angle.
        range_step_mm: distance between samples along a beam, mm.
        half_angle_rad: half of the sector's angle.
    """

    shape: tuple[int, int]
    spacing_mm: float
    beam_count: int = 160
    range_step_mm: float = 0.45
    half_angle_rad: float = float(HALF_ANGLE_RAD)

    @property
    def depth_mm(self) -> float:
        """Radius of the sector, mm."""
        return (self.shape[0] - 1) * self.spacing_mm

    @cached_property
    def ranges_mm(self) -> Float[np.ndarray, " range"]:
        """Distance from the tip of each sample of a beam, mm."""
        return np.arange(0, self.depth_mm + self.range_step_mm, self.range_step_mm)

    @cached_property
    def angles_rad(self) -> Float[np.ndarray, " beam"]:
        """Direction of each beam, 0 straight down, rad."""
        return np.linspace(-self.half_angle_rad, self.half_angle_rad, self.beam_count)

    @property
    def beam_step_rad(self) -> float:
        """Angle between neighbouring beams, rad."""
        return 2 * self.half_angle_rad / (self.beam_count - 1)

    def pixels(self, points_mm: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """(row, column) of points (x, depth) in mm from the tip; pixel centres are whole numbers."""
        columns = points_mm[:, 0] / self.spacing_mm + (self.shape[1] - 1) / 2
        return np.stack([points_mm[:, 1] / self.spacing_mm, columns], axis=1)

    def places(self) -> tuple[Int[np.ndarray, " pixels"], Float[np.ndarray, " pixels"], Float[np.ndarray, " pixels"]]:
        """Flat indices of the pixels inside of the sector, and their (x, depth) from the tip, mm."""
        inside = self._screen[0]
        rows, columns = np.divmod(inside, self.shape[1])
        return inside, (columns - (self.shape[1] - 1) / 2) * self.spacing_mm, rows * self.spacing_mm

    @cached_property
    def _screen(self) -> tuple[Int[np.ndarray, " pixels"], Int[np.ndarray, " pixels"], Float[np.ndarray, "4 pixels"]]:
        """Pixels inside of the sector, the polar sample above left of each, and its four bilinear weights."""
        rows, columns = np.indices(self.shape)
        x = (columns - (self.shape[1] - 1) / 2) * self.spacing_mm
        depth = rows * self.spacing_mm
        sample = np.hypot(x, depth) / self.range_step_mm
        beam = (np.arctan2(x, depth) + self.half_angle_rad) / self.beam_step_rad
        inside = (sample * self.range_step_mm <= self.depth_mm) & (beam >= 0) & (beam <= self.beam_count - 1)
        sample, beam = sample[inside], beam[inside]
        # Pixels on the far rim and on the last beam have no sample beyond them: they take the last cell with weight
        # one.
        i = np.minimum(sample.astype(np.intp), len(self.ranges_mm) - 2)
        j = np.minimum(beam.astype(np.intp), self.beam_count - 2)
        down, right = sample - i, beam - j
        weights = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
        return np.flatnonzero(inside.ravel()), i * self.beam_count + j, weights.astype(np.float32)

    def show(self, polar: Float[np.ndarray, "range beam"]) -> Float[np.ndarray, "height width"]:
        """Scan conversion by bilinear interpolation; 0 outside of the sector."""
        pixels, corner, weights = self._screen
        flat = polar.ravel()
        shown = np.zeros(self.shape[0] * self.shape[1], np.float32)
        steps = (0, 1, self.beam_count, self.beam_count + 1)
        shown[pixels] = sum(weight * flat[corner + step] for weight, step in zip(weights, steps, strict=True))
        return shown.reshape(self.shape)

    def splat(
        self,
        range_mm: Float[np.ndarray, " points"],
        angle_rad: Float[np.ndarray, " points"],
        strength: Complex[np.ndarray, " points"],
    ) -> Complex[np.ndarray, "range beam"]:
        """Spread point scatterers bilinearly onto the polar grid; what lies outside is dropped."""
        sample = range_mm / self.range_step_mm
        beam = (angle_rad + self.half_angle_rad) / self.beam_step_rad
        height, width = len(self.ranges_mm), self.beam_count
        kept = (sample >= 0) & (sample < height - 1) & (beam >= 0) & (beam < width - 1)
        sample, beam, strength = sample[kept], beam[kept], strength[kept]
        i, j = sample.astype(np.intp), beam.astype(np.intp)
        down, right = sample - i, beam - j
        corner = i * width + j
        index = np.concatenate([corner, corner + 1, corner + width, corner + width + 1])
        weights = ((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right)
        spread = np.concatenate([weight * strength for weight in weights])
        size = height * width
        # Scatterers that share a cell must add up, which fancy assignment would not do; `bincount` sums real numbers
        # only.
        real = np.bincount(index, spread.real, size)
        imaginary = np.bincount(index, spread.imag, size)
        grid: Complex[np.ndarray, " cells"] = real + 1j * imaginary
        return grid.astype(np.complex64).reshape(height, width)


@dataclass(frozen=True)
class PointSpread:
    """Gaussian point-spread function: constant along the beam, growing with depth across it.

    Args:
        sector: the grid it acts on.
        axial_mm: standard deviation along the beam, mm.
        lateral_rad: standard deviation across it near the tip and at full depth, rad.
        side_lobe: strength of a second, four times wider lobe over that of the first.
    """

    sector: BeamSector
    axial_mm: float
    lateral_rad: tuple[float, float]
    side_lobe: float = 0.0

    @cached_property
    def _axial(self) -> Float[np.ndarray, "frequency 1"]:
        """Response to each frequency along the beam, at unit gain of incoherent energy."""
        from scipy import fft

        # Padded by six standard deviations, so that the far end does not wrap around to the tip.
        count = len(self.sector.ranges_mm) + int(np.ceil(6 * self.axial_mm / self.sector.range_step_mm))
        frequency = 2 * np.pi * np.fft.fftfreq(fft.next_fast_len(count), self.sector.range_step_mm)
        response = np.exp(-0.5 * (frequency * self.axial_mm) ** 2)
        scaled: Float[np.ndarray, "frequency 1"] = (response / np.sqrt((response**2).mean()))[:, None]
        return scaled.astype(np.float32)

    @cached_property
    def _lateral(self) -> Float[np.ndarray, "range frequency"]:
        """Response to each frequency across the beams, at unit gain of incoherent energy, per depth."""
        frequency = 2 * np.pi * np.fft.fftfreq(self.sector.beam_count, self.sector.beam_step_rad)
        width = np.linspace(*self.lateral_rad, len(self.sector.ranges_mm))[:, None]
        response = np.exp(-0.5 * (frequency * width) ** 2)
        # Four times as wide in space is a quarter as wide in frequency, and four times as high for the same peak.
        response += 4 * self.side_lobe * np.exp(-0.5 * (4 * frequency * width) ** 2)
        scaled: Float[np.ndarray, "range frequency"] = response / np.sqrt((response**2).mean(1, keepdims=True))
        return scaled.astype(np.float32)

    def blur(self, echoes: Complex[np.ndarray, "range beam"]) -> Complex[np.ndarray, "range beam"]:
        """Filter complex echoes; white noise keeps its variance."""
        from scipy import fft

        # Along the beam the response is the same everywhere, so one product in frequency does for all; across, it
        # differs with depth, so each range has a response of its own. No pads there: beams at the rim see the other rim
        # faintly.
        along = fft.fft(echoes, len(self._axial), axis=0) * self._axial
        along = fft.ifft(along, axis=0)[: len(echoes)]
        return np.asarray(fft.ifft(fft.fft(along, axis=1) * self._lateral, axis=1))
