"""Fundus cameras and how well they see, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

MM_PER_DEGREE = 0.3
"""On the retina, per degree of the camera's angle: 15 degrees from disc to fovea are 4.5 mm."""


@dataclass(frozen=True)
class FundusCamera:
    """How a fundus camera sees.

    Args:
        shape: (height, width) of its images, pixels.
        centre: (row, column) of the field of view, pixels.
        radius_px: of the field of view.
        angle_deg: that the field of view covers.
        aim: share of the way from the disc to the fovea on which it is pointed.
        colour: mean (red, green, blue) of the retina, grey levels.
        blur_px: standard deviation of its point-spread function.
        noise: standard deviation of its noise, grey levels.
    """

    shape: tuple[int, int]
    centre: tuple[float, float]
    radius_px: float
    angle_deg: float
    aim: float
    colour: tuple[float, float, float]
    blur_px: float
    noise: float

    @property
    def px_per_mm(self) -> float:
        """Pixels per mm of the retina."""
        return 2 * self.radius_px / (self.angle_deg * MM_PER_DEGREE)


CAMERAS: Mapping[str, FundusCamera] = {
    # Measured on the twenty photographs of CHASE_DB1 (Nidek NM-200-D, 30 degrees, disc in the middle).
    "chase": FundusCamera((960, 999), (477.5, 492.0), 458.0, 30.0, 0.0, (163.0, 57.0, 9.5), 1.1, 2.0),
    # As their publications describe DRIVE (Canon CR5, 45 degrees) and STARE (TopCon TRV-50, 35 degrees).
    "drive": FundusCamera((584, 565), (292.0, 282.0), 268.0, 45.0, 0.85, (150.0, 82.0, 48.0), 0.8, 3.0),
    "stare": FundusCamera((605, 700), (302.0, 350.0), 318.0, 35.0, 0.55, (170.0, 95.0, 38.0), 1.1, 4.5),
}


@dataclass(frozen=True)
class PhotographQuality:
    """What makes a photograph good or poor.

    Args:
        defocus_px: blur beyond the camera's own.
        unevenness: of the light over the field.
        haze: share of light that a cloudy medium scatters over everything.
        noise: factor on the camera's.
    """

    defocus_px: float
    unevenness: float
    haze: float
    noise: float


PHOTOGRAPH_QUALITIES: Mapping[str, PhotographQuality] = {
    "good": PhotographQuality(0.0, 0.6, 0.0, 1.0),
    "medium": PhotographQuality(0.7, 1.0, 0.08, 1.2),
    "poor": PhotographQuality(1.8, 1.5, 0.22, 1.7),
}
