"""The wall of the left ventricle between its two surfaces, and the quadrature over bodies around an axis."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float

from cardiotrace.phantoms.heart.region import Scar, Thickening
from cardiotrace.phantoms.heart.spheroid import TruncatedSpheroid

HEIGHT_NODES, ANGLE_NODES = 48, 144

Points = Float[np.ndarray, "*points"]
Radius = Callable[[Points, Points], Points]
"""Distance of a surface from the axis, mm, by height, mm, and angle, rad."""


@dataclass(frozen=True)
class Wall:
    """The two surfaces of the left ventricle's wall, which need not be round.

    Where there is neither scar nor thickening both are spheroids. A scar keeps a share of each surface where it
    was at end-diastole, at the same share of the length; a thickening moves the outer surface outwards.

    Args:
        cavity: inner surface of the working wall.
        epicardium: outer surface of the working wall.
        start: both at end-diastole.
        scar: part that does not work.
        thickening: part that is thicker.
    """

    cavity: TruncatedSpheroid
    epicardium: TruncatedSpheroid
    start: tuple[TruncatedSpheroid, TruncatedSpheroid]
    scar: Scar | None = None
    thickening: Thickening | None = None

    @property
    def is_round(self) -> bool:
        """Whether every section across the axis is a ring."""
        return self.scar is None and self.thickening is None

    def inner_radius(self, z_mm: Points, angle_rad: Points) -> Points:
        """Distance of the endocardium from the axis, mm; 0 above the apex and below the mitral plane."""
        radius: Points = self.cavity.radius_mm(z_mm)
        if self.scar is None:
            return radius
        share = z_mm / self.cavity.length_mm
        still = self.scar.stillness * self.scar.patch.weight(share, angle_rad)
        return np.asarray(radius + still * (self.start[0].radius_mm(share * self.start[0].length_mm) - radius))

    def outer_radius(self, z_mm: Points, angle_rad: Points) -> Points:
        """Distance of the epicardium from the axis, mm; 0 above the apex and below the mitral plane."""
        radius: Points = self.epicardium.radius_mm(z_mm)
        if self.is_round:
            return radius
        share = z_mm / self.epicardium.length_mm
        excess = np.zeros_like(radius)
        if self.thickening is not None:
            excess = self.thickening.excess * self.thickening.patch.weight(share, angle_rad)
        moved: Points = radius * (1 + excess * (1 - self.cavity.short_mm / self.epicardium.short_mm))
        if self.scar is None:
            return moved
        weight = self.scar.patch.weight(share, angle_rad)
        inner, outer = self.start
        kept = 1 + (excess - self.scar.thinning * weight) * (1 - inner.short_mm / outer.short_mm)
        return np.asarray(
            moved + self.scar.stillness * weight * (outer.radius_mm(share * outer.length_mm) * kept - moved)
        )

    @cached_property
    def inner_ml(self) -> float:
        """Volume of the cavity, ml."""
        return self.cavity.volume_ml if self.scar is None else integral_ml(self.inner_radius, self.cavity.length_mm)

    @cached_property
    def outer_ml(self) -> float:
        """Volume of cavity and wall, ml."""
        epicardium = self.epicardium
        return epicardium.volume_ml if self.is_round else integral_ml(self.outer_radius, epicardium.length_mm)


def integral_ml(radius: Radius, length_mm: float) -> float:
    """Volume inside of a surface given by its distance from the axis, ml, by quadrature."""
    z, angle, area = nodes(length_mm)
    return float((area * radius(z, angle) ** 2).sum()) / 2000


@lru_cache(maxsize=1)
def _unit_nodes() -> tuple[Points, Points, Points]:
    """Shares of the length, angles and weights, rad, of a quadrature: Gauss along, equidistant around."""
    # Gauss nodes integrate the smooth profile along the axis exactly to many digits; around it, equidistant nodes do so
    # for whatever is periodic.
    heights, weights = np.polynomial.legendre.leggauss(HEIGHT_NODES)
    angles = np.arange(ANGLE_NODES) * (2 * np.pi / ANGLE_NODES)
    share, angle = np.meshgrid((heights + 1) / 2, angles, indexing="ij")
    return share, angle, np.repeat(weights[:, None] / 2, ANGLE_NODES, axis=1) * (2 * np.pi / ANGLE_NODES)


def nodes(length_mm: float) -> tuple[Points, Points, Points]:
    """Heights, mm, angles, rad, and weights, mm rad, of a quadrature over a body."""
    share, angle, weight = _unit_nodes()
    return share * length_mm, angle, weight * length_mm
