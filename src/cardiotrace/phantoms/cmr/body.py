"""The chest around the heart: what a cine-MRI image shows besides the heart."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.phantoms.cmr.bssfp import Substance
from cardiotrace.phantoms.cmr.texture import Texture

Coordinates = Float[np.ndarray, " points"]
Vector = tuple[float, float, float]

HEART_MM: Vector = (34.0, 27.0, 2.0)
"""Middle of the left ventricle at end-diastole, in the coordinates of the chest."""


@dataclass(frozen=True)
class Axes:
    """How the heart lies in the chest: unit vectors of its axes in chest coordinates, and its origin there, mm.

    Chest coordinates: x to the person's left, y to the front, z to the head; origin in the middle of the chest at
    the height of the left ventricle.
    """

    x: Vector
    y: Vector
    z: Vector
    origin_mm: Vector

    @classmethod
    def of(cls, lie_deg: float, turn_deg: float, roll_deg: float, half_length_mm: float) -> "Axes":
        """The axes from three angles.

        Args:
            lie_deg: how steeply the heart's axis falls towards the feet.
            turn_deg: how far it turns from the front to the left.
            roll_deg: turn of the heart about its own axis.
            half_length_mm: half of the left ventricle's length; its middle is at `HEART_MM`.
        """
        lie, turn, roll = (math.radians(angle) for angle in (lie_deg, turn_deg, roll_deg))
        apex = np.array([math.cos(lie) * math.sin(turn), math.cos(lie) * math.cos(turn), -math.sin(lie)])
        up = np.array([0.0, 0.0, 1.0])
        # The part of `up` across the heart's axis, so that the three axes stay at right angles.
        anterior = up - apex * (up @ apex)
        anterior /= np.linalg.norm(anterior)
        lateral = -np.cross(anterior, apex)
        lateral, anterior = (
            lateral * math.cos(roll) + anterior * math.sin(roll),
            anterior * math.cos(roll) - lateral * math.sin(roll),
        )
        origin = np.array(HEART_MM) - half_length_mm * apex
        return cls(*(_vector(axis) for axis in (lateral, anterior, apex, origin)))

    @cached_property
    def matrix(self) -> Float[np.ndarray, "3 3"]:
        """Rows are the heart's axes: chest vector = heart vector @ matrix."""
        return np.array([self.x, self.y, self.z])

    def to_chest(self, points_mm: Float[np.ndarray, "*points 3"]) -> Float[np.ndarray, "*points 3"]:
        """Heart coordinates at end-diastole to chest coordinates, mm."""
        return np.asarray(points_mm @ self.matrix + np.array(self.origin_mm))


def _vector(values: Float[np.ndarray, "3"]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


@dataclass(frozen=True, kw_only=True)
class Chest:
    """One person's chest and upper belly.

    Args:
        half_width_mm, half_depth_mm: of the trunk without its fat.
        fat_mm: thickness of the fat under the skin, in the middle of the front.
        breast_mm: how far the breasts stand out; 0 for none.
        diaphragm_mm: how much higher than usual the diaphragm stands.
        stomach: what the stomach holds.
        seed: of the small shapes: vessels, ribs, fat, guts.
    """

    half_width_mm: float = 150.0
    half_depth_mm: float = 105.0
    fat_mm: float = 14.0
    breast_mm: float = 0.0
    diaphragm_mm: float = 0.0
    stomach: Substance = Substance.GUT
    seed: int = 0

    @cached_property
    def _textures(self) -> tuple[Texture, Texture]:
        """Coarse and fine noise."""
        return Texture((self.seed, 21), 4.0), Texture((self.seed, 22), 2.2)

    def noise(
        self, which: int, x: Coordinates, y: Coordinates, z: Coordinates, grain_mm: float
    ) -> Float[np.ndarray, " points"]:
        """Smooth noise of unit spread at points of the chest."""
        return self._textures[which].at(x, y, z, grain_mm / 2)

    def substance(
        self, points_mm: Float[np.ndarray, "*points 3"], breath_mm: float = 0.0
    ) -> UInt8[np.ndarray, "*points"]:
        """The `Substance` of each point (x, y, z) of the chest, without the heart.

        Args:
            points_mm: chest coordinates, mm.
            breath_mm: how far the diaphragm and all below it have moved towards the head.
        """
        points = np.asarray(points_mm, np.float32)
        x, y, z = (points[..., axis].ravel() for axis in range(3))
        codes = np.zeros(x.size, np.uint8)
        depth = self._depth_mm(x, y, z)
        body = np.flatnonzero(depth > 0)
        codes[body] = self._shell(x[body], y[body], z[body], depth[body])
        self._arms(codes, x, y, z)
        inside = np.flatnonzero(depth > self._shell_mm(x, y, z))
        x, y, z = x[inside], y[inside], z[inside]
        # Diaphragm and belly move with the breath, ribs and spine do not.
        height = z - self._diaphragm(x, y) - breath_mm
        inner = np.where(height > 0, self._thorax(x, y, z, height), np.uint8(0))
        below = np.flatnonzero(height <= 0)
        inner[below] = self._belly(x[below], y[below], z[below] - np.float32(breath_mm), height[below])
        self._spine(inner, x, y, z)
        codes[inside] = inner
        return codes.reshape(points.shape[:-1])

    def _fat(self, x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
        """Thickness of the fat under the skin, mm."""
        front = np.clip(y / self.half_depth_mm, -1, 1)
        fat = self.fat_mm * (0.9 + 0.1 * front - 0.0035 * np.clip(z, -100, 60))
        if self.breast_mm > 0:
            for side in (-1, 1):
                near = ((x - side * 78) / 58) ** 2 + ((z - 18) / 62) ** 2
                fat = fat + self.breast_mm * np.clip(1 - near, 0, 1) ** 0.8 * (front > 0)
        return np.asarray(np.maximum(fat, 3.0))

    def _depth_mm(self, x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
        """How far below the skin, about; negative outside."""
        widen = 1 + np.clip(-z - 40, 0, 120) * 0.0006 - np.clip(z - 20, 0, 150) * 0.0007
        a, b = self.half_width_mm * widen, self.half_depth_mm * widen
        # A power between that of an ellipse and a box: a trunk is flatter in front and at the back than an ellipse.
        share = (np.abs(x / a) ** 2.5 + np.abs((y + 6) / b) ** 2.5) ** np.float32(0.4)
        radius = np.hypot(x, y + 6)
        # Distance along the ray from the middle, shortened by its slant against the surface.
        core = (1 - share) * np.minimum(radius / np.maximum(share, 0.05), a)
        return np.asarray(core * 0.96 + self._fat(x, y, z))

    def _shell_mm(self, x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
        """Thickness of skin, fat, muscle and ribs, mm."""
        return np.asarray(self._fat(x, y, z) + self._muscle(x, y, z) + 11)

    def _muscle(self, x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
        """Thickness of the muscle on the ribs, mm: thick over the upper breast, at the back, under the arms."""
        pectoral = 11 * (y > 20) * np.clip((z + 10) / 50, 0, 1) * (np.abs(x) > 18)
        back = 13 * np.clip((-y - 40) / 40, 0, 1) * (np.abs(x) > 8)
        side = 10 * np.clip((np.abs(x) - 90) / 40, 0, 1)
        return np.asarray(4 + pectoral + back + side)

    def _shell(
        self, x: Coordinates, y: Coordinates, z: Coordinates, depth: Coordinates
    ) -> UInt8[np.ndarray, " points"]:
        """Skin, fat, muscle, ribs."""
        fat, muscle = self._fat(x, y, z), self._muscle(x, y, z)
        under = depth - fat
        codes = np.full(x.size, Substance.FAT, np.uint8)
        # Thin walls of connective tissue run through the fat, much thinner than a pixel.
        codes[(np.abs(self.noise(0, x, y, z, 9.0)) < 0.035) & (depth > 5)] = Substance.MARROW
        codes[depth < 1.8] = Substance.MUSCLE
        in_muscle = (under > 0) & (under <= muscle)
        streaks = np.abs(self.noise(0, x, y, z, 5.5)) < 0.1
        codes[in_muscle] = np.where(streaks[in_muscle], Substance.SPLEEN, Substance.MUSCLE)
        ribs = under > muscle
        slant = z - 0.5 * (y + 6) + 0.15 * np.abs(x)
        where = np.remainder(slant, 27.0) - 13.5
        middle = under - muscle - 5.5
        rib = np.hypot(where / 1.25, middle)
        fatty = (np.abs(middle) > 2.6) & (self.noise(0, x, y, z, 6.0) > 0.1)
        codes[ribs] = np.where(fatty[ribs], Substance.FAT, Substance.MUSCLE)
        codes[ribs & (rib < 6.2)] = Substance.CORTEX
        codes[ribs & (rib < 3.9)] = Substance.MARROW
        sternum = (np.abs(x) < 17) & (y > 40) & (under > 3)
        codes[sternum] = np.where((np.abs(x) < 14) & (under > 5) & (under < 14), Substance.MARROW, Substance.CORTEX)[
            sternum
        ]
        return codes

    def _arms(self, codes: UInt8[np.ndarray, " points"], x: Coordinates, y: Coordinates, z: Coordinates) -> None:
        """Both upper arms beside the trunk."""
        edge = self.half_width_mm + self.fat_mm + 46
        for side in (-1, 1):
            radius = np.hypot(x - side * (edge + 0.1 * z), (y + 22) / 1.1)
            # Where there is still air: an arm lies against a wide trunk and never cuts into it.
            arm = np.flatnonzero((radius < 44) & (codes == Substance.AIR))
            codes[arm] = Substance.FAT
            codes[arm[radius[arm] < 44 - 0.6 * self.fat_mm]] = Substance.MUSCLE
            codes[arm[radius[arm] < 12]] = Substance.CORTEX
            codes[arm[radius[arm] < 9]] = Substance.MARROW

    def _diaphragm(self, x: Coordinates, y: Coordinates) -> Coordinates:
        """Height of the diaphragm, mm: two domes, a saddle under the heart, low at the rim."""
        right = 27 * np.exp(-(((x + 72) / 52) ** 2) - ((y + 8) / 62) ** 2)
        left = 20 * np.exp(-(((x - 88) / 40) ** 2) - ((y + 22) / 52) ** 2)
        rim = 62 * ((x / 150) ** 2 + ((y + 6) / 108) ** 2) ** 2
        return np.asarray(-37 + self.diaphragm_mm + right + left - rim)

    def _thorax(
        self, x: Coordinates, y: Coordinates, z: Coordinates, height: Coordinates
    ) -> UInt8[np.ndarray, " points"]:
        """Lung with its vessels, the middle of the chest with the great vessels."""
        codes = np.full(x.size, Substance.LUNG, np.uint8)
        near = np.clip(1.2 - np.hypot((x - 10) / 95, (y + 15) / 80), 0, 1)
        # Where two noises that know nothing of each other are both near 0 are curves in space: they wind and meet as
        # vessels do.
        vessels = np.hypot(self.noise(0, x, y, z, 5.0), self.noise(1, x, y, z, 7.0)) < 0.05 + 0.12 * near
        codes[vessels] = Substance.VENOUS
        ragged = 4 * self.noise(0, x, y, z, 9.0)
        back = np.abs(x - 8) + ragged < 30 - 0.3 * (y + 30)
        codes[(y < -14) & back] = Substance.FAT
        codes[(np.abs(x - 4) + ragged < 22) & (y > 42)] = Substance.FAT
        fat = codes == Substance.FAT
        mixed = self.noise(0, x, y, z, 4.0)
        codes[fat & (mixed > 0.55)] = Substance.MUSCLE
        codes[fat & (mixed < -1.6)] = Substance.VENOUS
        codes[height < 2.6] = Substance.MUSCLE
        self._vessels(codes, x, y, z)
        return codes

    def _vessels(self, codes: UInt8[np.ndarray, " points"], x: Coordinates, y: Coordinates, z: Coordinates) -> None:
        """Descending aorta, oesophagus, lower caval vein, vessels of the lung's root."""
        self._tube(codes, np.hypot(x - 27, y + 48), 11.0, Substance.ARTERIAL)
        self._tube(codes, np.hypot((x - 9) / 1.4, y + 40), 5.5, Substance.MUSCLE)
        self._tube(codes, np.hypot(x + 24, y + 6 + 0.1 * z), 11.0, Substance.VENOUS)
        above = z > 12
        for side, reach in ((-1, 60), (1, 75)):
            along = side * (x - 10)
            branch = np.hypot(y + 22 - 0.15 * along, z - 38 + 0.35 * along)
            self._tube(codes, np.where(above & (along > 0) & (along < reach), branch, 99), 8.0, Substance.VENOUS)

    @staticmethod
    def _tube(codes: UInt8[np.ndarray, " points"], radius: Coordinates, radius_mm: float, substance: Substance) -> None:
        """A vessel with a thin wall."""
        codes[radius < radius_mm + 1.6] = Substance.PERICARDIUM
        codes[radius < radius_mm] = substance

    def _belly(
        self, x: Coordinates, y: Coordinates, z: Coordinates, height: Coordinates
    ) -> UInt8[np.ndarray, " points"]:
        """Liver, stomach, spleen, kidney, guts in fat under the diaphragm; heights without the breath."""
        ragged = self.noise(0, x, y, z, 8.0)
        codes = np.where(self.noise(0, x, y, z, 4.5) > 0.75, np.uint8(Substance.GUT), np.uint8(Substance.FAT))
        codes[np.abs(self.noise(0, x, y, z, 6.5)) < 0.13] = Substance.MUSCLE
        codes[self.noise(1, x, y, z, 6.0) > 2.2] = Substance.VENOUS
        self._kidneys(codes, x, y, z)
        spleen = _ball(x, y, z, (112, -52, -62), (24, 44, 42))
        codes[spleen < 1] = Substance.SPLEEN
        stomach = _ball(x, y, z, (66, 18, -76), (40, 46, 32)) + 0.07 * ragged
        codes[stomach < 1.0] = Substance.MUSCLE
        codes[stomach < 0.9] = self.stomach
        codes[(stomach < 0.8) & (ragged > 0.9)] = Substance.FLUID
        top = (stomach < 0.86) & (y > 34 + 2 * ragged)
        codes[top] = Substance.AIR
        liver = np.maximum((x - 62 + 0.55 * np.clip(-z - 30, 0, 200)) / 60, (-y - 72) / 40)
        deep = (liver < 0.04 * ragged) & (height < -2.8) & (z > -118 + 0.35 * (x + 60) + 0.25 * y) & (stomach > 1.08)
        codes[deep] = Substance.LIVER
        branches = np.hypot(self.noise(0, x, y, z, 11.0), self.noise(1, x, y, z, 16.0)) < 0.14
        codes[deep & branches] = Substance.VENOUS
        self._tube(codes, np.hypot(x - 22, y + 46), 10.0, Substance.ARTERIAL)
        self._tube(codes, np.hypot(x + 24, y + 8), 11.5, Substance.VENOUS)
        codes[height > -2.8] = Substance.MUSCLE
        return codes

    def _kidneys(self, codes: UInt8[np.ndarray, " points"], x: Coordinates, y: Coordinates, z: Coordinates) -> None:
        ragged = 0.3 * self.noise(0, x, y, z, 5.0)
        for middle in ((62.0, -62.0, -118.0), (-66.0, -62.0, -132.0)):
            kidney = _ball(x, y, z, middle, (27, 24, 50))
            codes[kidney < 1.35] = Substance.FAT
            codes[kidney < 1] = Substance.KIDNEY
            codes[kidney + ragged < 0.4] = Substance.FAT

    def _spine(self, codes: UInt8[np.ndarray, " points"], x: Coordinates, y: Coordinates, z: Coordinates) -> None:
        """Vertebral bodies with discs, canal with cord, and the muscle on both sides."""
        back = np.flatnonzero((y < -46) & (np.abs(x) < 66))
        x, y, z = x[back], y[back], z[back]
        part = codes[back]
        part[(y < -84) & (np.abs(x) < 58)] = Substance.MUSCLE
        body = np.hypot(x / 21, (y + 71) / 16)
        disc = np.remainder(z + 0.3 * y, 30) < 6
        part[body < 1] = Substance.CORTEX
        part[body < 0.9] = np.where(disc[body < 0.9], Substance.MUSCLE, Substance.MARROW)
        canal = np.hypot(x, y + 96)
        part[canal < 11] = Substance.CORTEX
        part[canal < 8.5] = Substance.FLUID
        part[canal < 4.5] = Substance.MUSCLE
        codes[back] = part


def _ball(x: Coordinates, y: Coordinates, z: Coordinates, middle: Vector, half: Vector) -> Coordinates:
    """Distance from the middle of an ellipsoid in half axes."""
    total = sum(((v - m) / h) ** 2 for v, m, h in zip((x, y, z), middle, half, strict=True))
    return np.asarray(np.sqrt(total))
