"""How the images of one maker, field strength and centre differ from those of another: cine-MRI styles as a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from cardiotrace.phantoms.cmr.bssfp import Sequence


@dataclass(frozen=True, kw_only=True)
class CmrStyle:
    """A scanner, its cine protocol and what its reconstruction does.

    Args:
        vendor: maker of the scanner.
        centre: number of the hospital, which has its own protocol.
        sequence: field strength, repetition time and flip angle.
        shape: (height, width) of the image, pixels.
        spacing_mm: size of a square pixel, mm.
        thickness_mm, gap_mm: of short-axis slices, mm.
        acquired: share of the rows and columns of k-space that are measured; zeros fill the rest.
        partial_fourier: share of the measured rows that are really measured.
        roll_off: share of k-space, from its edge, over which the filter falls; 0 rings most.
        snr: signal of left-ventricular blood over the standard deviation of the noise in either channel.
        shading: how much of the coils' sensitivity is left in the image, 0 to 1.
        unevenness_ppm: spread of the field, parts per million.
        white: grey value of left-ventricular blood.
    """

    vendor: str
    centre: int
    sequence: Sequence
    shape: tuple[int, int] = (256, 216)
    spacing_mm: float = 1.4
    thickness_mm: float = 8.0
    gap_mm: float = 2.0
    acquired: tuple[float, float] = (0.7, 0.85)
    partial_fourier: float = 1.0
    roll_off: float = 0.35
    snr: float = 100.0
    shading: float = 0.65
    unevenness_ppm: float = 0.45
    white: float = 320.0


@dataclass(frozen=True, kw_only=True)
class CmrQuality:
    """What makes the images of one scanner good or poor.

    Args:
        snr: factor on the signal over noise.
        breath_mm: added to the spread of the diaphragm's height from breath-hold to breath-hold: slices that do not
            lie over each other.
        off_resonance: factor on the unevenness of the field: dark bands.
        trigger_ms: spread from heartbeat to heartbeat of the instant that a frame shows: blur and ghosts of what beats.
        drift_mm: spread from heartbeat to heartbeat of where the chest lies: ghosts of everything.
    """

    snr: float = 1.0
    breath_mm: float = 0.0
    off_resonance: float = 1.0
    trigger_ms: float = 0.0
    drift_mm: float = 0.0


QUALITIES: Mapping[str, CmrQuality] = {
    "good": CmrQuality(),
    "medium": CmrQuality(snr=0.55, breath_mm=1.5, off_resonance=1.4, trigger_ms=25.0, drift_mm=0.4),
    "poor": CmrQuality(snr=0.3, breath_mm=4.0, off_resonance=2.0, trigger_ms=55.0, drift_mm=1.0),
}
"""Good images are as the style makes them; the others are set by eye, not matched to real ones."""


STYLES: Mapping[str, CmrStyle] = {
    "siemens_1.5t": CmrStyle(
        vendor="Siemens", centre=1, sequence=Sequence(1.5, 3.0, 62), spacing_mm=1.45,
    ),
    "siemens_3t": CmrStyle(
        vendor="Siemens", centre=2, sequence=Sequence(3.0, 2.8, 48), spacing_mm=1.56, snr=120.0, shading=0.75,
        unevenness_ppm=0.5, white=420.0,
    ),
    "siemens_1.5t_thin": CmrStyle(
        vendor="Siemens", centre=3, sequence=Sequence(1.5, 2.8, 58), shape=(224, 160), spacing_mm=1.7,
        thickness_mm=5.0, gap_mm=0.0, acquired=(0.8, 0.9), snr=70.0, shading=0.6, white=190.0,
    ),
    "philips_1.5t": CmrStyle(
        vendor="Philips", centre=4, sequence=Sequence(1.5, 3.1, 60), shape=(288, 288), spacing_mm=1.2, gap_mm=1.9,
        acquired=(0.62, 0.68), roll_off=0.5, snr=85.0, shading=0.15, white=700.0,
    ),
    "philips_3t": CmrStyle(
        vendor="Philips", centre=5, sequence=Sequence(3.0, 2.7, 45), shape=(288, 288), spacing_mm=1.25,
        acquired=(0.62, 0.68), roll_off=0.5, snr=105.0, shading=0.2, unevenness_ppm=0.5, white=800.0,
    ),
    "ge_1.5t": CmrStyle(
        vendor="GE", centre=6, sequence=Sequence(1.5, 3.6, 50), shape=(256, 256), spacing_mm=1.37,
        acquired=(0.75, 0.85), partial_fourier=0.75, roll_off=0.2, snr=75.0, shading=0.9, white=1600.0,
    ),
    "ge_3t": CmrStyle(
        vendor="GE", centre=7, sequence=Sequence(3.0, 2.9, 45), shape=(256, 256), spacing_mm=1.48,
        acquired=(0.75, 0.85), roll_off=0.2, snr=100.0, shading=0.9, unevenness_ppm=0.55, white=2200.0,
    ),
    "canon_1.5t": CmrStyle(
        vendor="Canon", centre=8, sequence=Sequence(1.5, 3.6, 55), shape=(384, 384), spacing_mm=0.9,
        acquired=(0.45, 0.55), roll_off=0.4, snr=75.0, shading=0.35, white=4500.0,
    ),
    "canon_3t": CmrStyle(
        vendor="Canon", centre=9, sequence=Sequence(3.0, 2.8, 42), shape=(320, 320), spacing_mm=1.1, thickness_mm=7.0,
        gap_mm=1.0, acquired=(0.55, 0.65), roll_off=0.3, snr=90.0, shading=0.35, unevenness_ppm=0.5, white=5200.0,
    ),
}  # fmt: skip
"""Pixel sizes, matrices and slices after ACDC (Siemens; Bernard et al. 2018) and M&Ms (Siemens, Philips, GE and Canon
of six centres; Campello et al. 2021)."""
