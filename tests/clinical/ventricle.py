"""Half-ellipsoid left hearts with analytic areas, lengths and volumes."""

from dataclasses import dataclass

import numpy as np

from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import Geometry, Spacing
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, Phase, Structure, View


@dataclass(frozen=True)
class Ventricle:
    """Half an ellipsoid, apex up, tilted about the middle of its base; an atrium hangs below."""

    radius_mm: float = 25.0
    length_mm: float = 80.0
    wall_mm: float = 10.0
    tilt_deg: float = 0.0
    atrium_mm: float = 30.0

    @property
    def volume_ml(self) -> float:
        return 2 / 3 * np.pi * self.radius_mm**2 * self.length_mm / 1000

    @property
    def area_cm2(self) -> float:
        return np.pi / 2 * self.radius_mm * self.length_mm / 100

    def draw(self, spacing_mm: tuple[float, float] = (0.4, 0.4), size_mm: float = 150.0) -> np.ndarray:
        """CAMUS labels (height, width)."""
        rows, columns = int(size_mm / spacing_mm[0]), int(size_mm / spacing_mm[1])
        down, right = np.mgrid[:rows, :columns] * np.asarray(spacing_mm)[:, None, None]
        down, right = down - 0.68 * size_mm, right - 0.5 * size_mm
        angle = np.deg2rad(self.tilt_deg)
        up = -np.cos(angle) * down + np.sin(angle) * right
        aside = np.sin(angle) * down + np.cos(angle) * right
        cavity = ((up / self.length_mm) ** 2 + (aside / self.radius_mm) ** 2 < 1) & (up > 0)
        outer = (up / (self.length_mm + self.wall_mm)) ** 2 + (aside / (self.radius_mm + self.wall_mm)) ** 2 < 1
        atrium = ((up / self.atrium_mm) ** 2 + (aside / (self.radius_mm - 5)) ** 2 < 1) & (up <= 0)
        labels = np.zeros((rows, columns), np.uint8)
        labels[outer & (up > 0)], labels[cavity], labels[atrium] = 2, 1, 3
        return labels


def label_map(
    planes: list[np.ndarray], spacing_mm: Spacing | None = (1.0, 0.4, 0.4), scheme: LabelScheme = CAMUS
) -> LabelMap:
    stacked = np.stack(planes)[:, None]
    if scheme is not CAMUS:
        return LabelMap(stacked, CAMUS, Geometry.of_spacing(spacing_mm)).to(scheme)
    return LabelMap(stacked, CAMUS, Geometry.of_spacing(spacing_mm))


def image_of(
    name: str, labels: LabelMap, *, view: View = View.FOUR_CHAMBER, phases: dict[Phase, int] | None = None
) -> ExamImage:
    """A speckled image of the labels, without a black surround."""
    grey = np.where(labels.array == labels.scheme.values.get(Structure.MYO, 255), 170, 60)
    speckle = np.random.default_rng(0).integers(0, 40, labels.array.shape)
    return ExamImage(
        name, Image((grey + speckle).astype(np.uint8), labels.geometry, view=view, modality=Modality.US), phases or {}
    )
