"""Ventricles as continuous shapes whose base is not what the measuring code assumes: curved, tilted, ragged.

A shape is a body of revolution about its long axis, cut by a base that may lean and may bulge. Its truth is found from
the continuous shape alone, by numerical integration and root finding; nothing of `cardiotrace.clinical` is used for it.
It is drawn as labels on pixels of any size, turned by any angle.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.integrate import dblquad
from scipy.optimize import brentq

from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Modality, Phase, View

CANVAS_MM = 160.0
OFF_GRID_MM = (0.13, 0.21)
"""The shape stands off the grid, so that no border runs exactly through the middles of pixels."""


@dataclass(frozen=True)
class Shape:
    """A ventricle; heights rise from the plane of an undisturbed base (0) to the apex, mm."""

    radius_mm: float = 25.0
    length_mm: float = 80.0
    is_bullet: bool = False
    """A cylinder with half a sphere on it, in place of half an ellipsoid."""
    slope: float = 0.0
    """How much the base rises to the right."""
    dome_mm: float = 0.0
    """How far the middle of the base bulges into the cavity; negative: towards the atrium."""
    wall_mm: float = 9.0
    overhang_mm: float = 0.0
    """How far the myocardium reaches beyond the base; negative: stops short of it."""
    ripple_mm: float = 0.0
    """Amplitude of a random wave on the walls, of 5 to 12 periods from base to apex."""
    seed: int = 0

    def half_width(self, height: np.ndarray | float) -> np.ndarray:
        """Of the smooth body at a height; below the base it goes on as a cylinder."""
        above = np.maximum(np.asarray(height, float), 0.0)
        if self.is_bullet:
            above, reach = np.maximum(above - (self.length_mm - self.radius_mm), 0.0), self.radius_mm
        else:
            reach = self.length_mm
        return self.radius_mm * np.sqrt(np.maximum(1 - (above / reach) ** 2, 0.0))

    def top(self, aside: np.ndarray | float) -> np.ndarray:
        """Height of the wall over a distance from the axis."""
        share = np.sqrt(np.maximum(1 - (np.asarray(aside, float) / self.radius_mm) ** 2, 0.0))
        return self.length_mm - self.radius_mm * (1 - share) if self.is_bullet else self.length_mm * share

    def base(self, aside: np.ndarray | float, behind: np.ndarray | float = 0.0) -> np.ndarray:
        """Height of the base at a place in the plane, and behind the plane."""
        square = (np.asarray(aside, float) ** 2 + np.asarray(behind, float) ** 2) / self.radius_mm**2
        return self.slope * np.asarray(aside, float) + self.dome_mm * (1 - square)

    @cached_property
    def volume_ml(self) -> float:
        """Between base and wall, integrated over the disc that the body covers."""

        def height(angle: float, radius: float) -> float:
            aside, behind = radius * np.cos(angle), radius * np.sin(angle)
            return float(max(self.top(radius) - self.base(aside, behind), 0.0)) * radius

        return dblquad(height, 0, self.radius_mm, 0, 2 * np.pi, epsabs=1e-2, epsrel=1e-5)[0] / 1000

    @cached_property
    def annulus(self) -> np.ndarray:
        """(aside, height) of the two corners where the base meets the wall, left one first."""
        corners = []
        for side in (-1.0, 1.0):

            def inside(reach: float, side: float = side) -> float:
                return float(self.half_width(self.base(side * reach)) - reach)

            reach = self.radius_mm if inside(self.radius_mm) >= 0 else brentq(inside, 0, self.radius_mm)
            corners.append((side * reach, float(self.base(side * reach))))
        return np.array(corners)

    @property
    def annulus_width_mm(self) -> float:
        return float(np.linalg.norm(self.annulus[1] - self.annulus[0]))

    @cached_property
    def apex(self) -> np.ndarray:
        """(aside, height) of the point of the wall farthest from the middle of the annulus."""
        aside = np.linspace(-self.radius_mm, self.radius_mm, 20001)
        wall = np.stack([aside, self.top(aside)], axis=1)
        return wall[np.linalg.norm(wall - self.annulus.mean(axis=0), axis=1).argmax()]

    @property
    def axis_mm(self) -> float:
        """Length from the middle of the annulus to the apex."""
        return float(np.linalg.norm(self.apex - self.annulus.mean(axis=0)))

    def disk_ml(self, count: int = 20) -> float:
        """What disks across that axis come to, from the continuous shape: what the method itself is off by stays in."""
        foot = self.annulus.mean(axis=0)
        up = (self.apex - foot) / self.axis_mm
        reach = np.linspace(-80, 80, 32001)
        total = 0.0
        for middle in (np.arange(count) + 0.5) * self.axis_mm / count:
            aside, height = (foot + middle * up)[:, None] + np.array([[-up[1]], [up[0]]]) * reach
            width = np.count_nonzero(self.holds(aside, height)) * (reach[1] - reach[0])
            total += np.pi / 4 * width**2 * self.axis_mm / count
        return total / 1000

    @cached_property
    def _waves(self) -> np.ndarray:
        random = np.random.default_rng(self.seed)
        return np.stack([random.integers(5, 13, (2, 4)), random.uniform(0, 2 * np.pi, (2, 4))])

    def _wall(self, aside: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Half-width with its ripple, other on the left than on the right; none at the apex."""
        smooth = self.half_width(height)
        if not self.ripple_mm:
            return smooth
        periods, phases = self._waves[:, (aside > 0).astype(int)]
        waves = np.sin(2 * np.pi * periods * height[..., None] / self.length_mm + phases).mean(axis=-1) * 2
        return smooth + self.ripple_mm * waves * (smooth > 0.2 * self.radius_mm)

    def holds(self, aside: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Whether places of the plane lie in the cavity."""
        return (np.abs(aside) < self._wall(aside, height)) & (height > self.base(aside)) & (height < self.length_mm)

    def walls(self, aside: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Whether places lie in the myocardium or in the cavity that it encloses."""
        grown = Shape(self.radius_mm + self.wall_mm, self.length_mm + self.wall_mm, self.is_bullet)
        return (np.abs(aside) < grown.half_width(height)) & (height > self.base(aside) - self.overhang_mm)

    def draw(self, pixel_mm: tuple[float, float] = (0.5, 0.5), turn_deg: float = 0.0) -> np.ndarray:
        """CAMUS labels without an atrium; turned clockwise about the middle of the canvas, apex up at 0."""
        rows, columns = (round(CANVAS_MM / size) for size in pixel_mm)
        down, right = np.mgrid[:rows, :columns] * np.asarray(pixel_mm)[:, None, None] - CANVAS_MM / 2
        down, right = down + OFF_GRID_MM[0], right + OFF_GRID_MM[1]
        angle = np.deg2rad(turn_deg)
        height = -np.cos(angle) * down + np.sin(angle) * right + self.length_mm / 2
        aside = np.sin(angle) * down + np.cos(angle) * right
        labels = np.zeros((rows, columns), np.uint8)
        cavity = self.holds(aside, height)
        beyond = np.abs(aside) < self.half_width(height)
        # The atrium's side of the base is neither: the wall goes on beside it, not across it.
        labels[self.walls(aside, height) & ~(beyond & (height <= self.base(aside)))] = 2
        labels[beyond & (height > self.base(aside)) & ~cavity] = 2
        labels[cavity] = 1
        return labels


def label_map(planes: list[np.ndarray], pixel_mm: tuple[float, float] = (0.5, 0.5)) -> LabelMap:
    return LabelMap(np.stack(planes)[:, None], CAMUS, Geometry.of_spacing((1.0, *pixel_mm)))


def image_of(
    labels: LabelMap,
    name: str = "loop",
    *,
    view: View = View.FOUR_CHAMBER,
    modality: Modality = Modality.US,
    phases: dict[Phase, int] | None = None,
) -> ExamImage:
    """An image for the labels, bright everywhere: no surround, no sector."""
    grey = np.random.default_rng(0).integers(60, 200, labels.array.shape).astype(np.uint8)
    return ExamImage(name, Image(grey, labels.geometry, view=view, modality=modality), phases or {})
