"""Styles of ultrasound scanners and how well they see, as data."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """What makes an image good or poor.

    Args:
        noise_db: level of the noise, which changes from frame to frame.
        haze_db: level of the clutter that stands still.
        dropout_db: how much the beams through the lateral wall lose.
        unevenness_db: spread of the gain from beam to beam.
        shadow_db: how much the beams lose that a rib or the lung is in front of.
        reverberation_db: level of the second echo between chest wall and probe, over the first.
    """

    noise_db: float
    haze_db: float
    dropout_db: float
    unevenness_db: float
    shadow_db: float
    reverberation_db: float


QUALITIES: Mapping[str, Quality] = {
    "good": Quality(10.5, 9.5, 2.0, 1.0, 2.0, -32.0),
    "medium": Quality(12.5, 12.0, 4.0, 1.5, 7.0, -27.0),
    "poor": Quality(14.0, 15.0, 8.0, 2.5, 14.0, -22.0),
}


@dataclass(frozen=True)
class Vendor:
    """What a maker's scanner does to an echo.

    Args:
        half_angle_deg: half of the sector's angle.
        beam_count: beams over it.
        wavelength_mm: of what is transmitted.
        axial_mm: standard deviation of the point-spread function along the beam.
        lateral_deg: the same across it, near the tip and at full depth.
        grain_mm: the same of the noise, along the beam.
        gain_db: added to every echo.
        grey_per_db: slope of the log compression; 255 over it is the dynamic range.
        stretch: bending of the grey map: grey + stretch grey^2.
        smoothing: how many times neighbours are averaged to calm the speckle.
        near_db: clutter right under the probe.
    """

    half_angle_deg: float = 37.3
    beam_count: int = 160
    wavelength_mm: float = 0.77
    axial_mm: float = 0.38
    lateral_deg: tuple[float, float] = (0.65, 0.9)
    grain_mm: float = 0.22
    gain_db: float = 0.0
    grey_per_db: float = 4.0
    stretch: float = 0.0009
    smoothing: int = 1
    near_db: float = 14.0


VENDORS: Mapping[str, Vendor] = {
    "camus": Vendor(),
    "smooth": Vendor(
        half_angle_deg=42.0, beam_count=150, axial_mm=0.55, lateral_deg=(0.85, 1.2), grain_mm=0.45, smoothing=3,
        grey_per_db=3.6, stretch=0.0004, near_db=10.0,
    ),
    "contrast": Vendor(
        half_angle_deg=40.0, beam_count=192, wavelength_mm=0.6, axial_mm=0.32, lateral_deg=(0.5, 0.75), grain_mm=0.2,
        gain_db=-4.0, grey_per_db=5.0, stretch=0.0012,
    ),
    "portable": Vendor(
        half_angle_deg=35.0, beam_count=96, axial_mm=0.6, lateral_deg=(1.0, 1.5), grain_mm=0.5, gain_db=2.0,
        grey_per_db=4.6, stretch=0.0, near_db=20.0,
    ),
}  # fmt: skip
"""Styles by name; "camus" is matched to the statistics of that data set, the others are variations."""
