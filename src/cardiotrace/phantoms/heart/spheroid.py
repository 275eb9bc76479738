"""The truncated spheroid: a chamber shape whose volume, section and outline are known in closed form."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError


@dataclass(frozen=True)
class TruncatedSpheroid:
    """Body of revolution r(z) = a sqrt(1 - ((z - e) / c)^2) from the base plane z = 0 to the apex z = e + c.

    Args:
        equator_mm: height e of the widest circle above the base plane, mm, 0 <= e < c.
        long_mm: semi-axis c along the axis of revolution, mm.
        short_mm: semi-axis a across it, mm.

    Raises:
        InputError: a semi-axis is not positive, or the equator lies outside of the body.

    Example:
        >>> hemisphere = TruncatedSpheroid(0.0, 30.0, 30.0)
        >>> round(hemisphere.volume_ml, 3), round(hemisphere.area_mm2, 3)
        (56.549, 1413.717)
    """

    equator_mm: float
    long_mm: float
    short_mm: float

    def __post_init__(self) -> None:
        if not (self.short_mm > 0 and 0 <= self.equator_mm < self.long_mm):
            raise InputError(
                f"no truncated spheroid has equator {self.equator_mm}, semi-axes {self.long_mm} and {self.short_mm} mm",
                remedy="semi-axes must be positive, the equator between 0 and the long semi-axis.",
            )

    @property
    def length_mm(self) -> float:
        """Distance from the centre of the base plane to the apex, mm."""
        return self.equator_mm + self.long_mm

    @property
    def base_radius_mm(self) -> float:
        """Radius of the circle in the base plane, mm."""
        return self.short_mm * math.sqrt(1 - (self.equator_mm / self.long_mm) ** 2)

    @property
    def base_angle_rad(self) -> float:
        """Eccentric angle of the base plane: 0 at the apex, pi / 2 at the equator."""
        return math.acos(-self.equator_mm / self.long_mm)

    @property
    def volume_ml(self) -> float:
        """Volume pi a^2 (e + 2c/3 - e^3 / (3 c^2)), ml."""
        e, c, a = self.equator_mm, self.long_mm, self.short_mm
        return math.pi * a**2 * (e + 2 * c / 3 - e**3 / (3 * c**2)) / 1000

    @property
    def area_mm2(self) -> float:
        """Area of a section through the axis: a c (pi/2 + asin t + t sqrt(1 - t^2)) with t = e / c, mm2."""
        share = self.equator_mm / self.long_mm
        return self.short_mm * self.long_mm * (math.pi / 2 + math.asin(share) + share * math.sqrt(1 - share**2))

    def radius_mm(self, z_mm: Float[np.ndarray, "*points"]) -> Float[np.ndarray, "*points"]:
        """Radius at the heights `z_mm` above the base plane, mm; 0 above the apex and below the base."""
        # Beyond the apex there is no body: a radius of 0 and not the root of a negative number.
        inside = np.maximum(1 - ((z_mm - self.equator_mm) / self.long_mm) ** 2, 0)
        return np.asarray(np.where(z_mm < 0, 0.0, self.short_mm * np.sqrt(inside)))

    def outline(self, count: int = 181) -> Float[np.ndarray, "count 2"]:
        """Points (x, z), mm, of the section through the axis, from the left end of the base over the apex."""
        # Even steps of the eccentric angle lie closest at the apex, where the outline bends most.
        angle = np.linspace(-self.base_angle_rad, self.base_angle_rad, count)
        return np.stack([self.short_mm * np.sin(angle), self.equator_mm + self.long_mm * np.cos(angle)], axis=1)
