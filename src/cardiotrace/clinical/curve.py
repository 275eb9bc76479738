"""How areas, lengths and volumes run through a cine."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cardiotrace.clinical.section import plane_mask, plane_spacing, section
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure


@dataclass(frozen=True)
class Curve:
    """One value per frame of a cine; None where it could not be measured."""

    image: str
    view: str
    times_ms: tuple[float, ...] | None
    """Instants of the frames, ms; None where unknown."""
    series: dict[str, tuple[float | None, ...]]
    """Values by name and unit, such as "left_ventricular_area_cm2"; the first is the size of the left ventricle.
    Units are px and px2 without spacing."""

    def to_plain(self) -> dict[str, Any]:
        """The curve as JSON holds it."""
        series = {
            name: [None if value is None else float(f"{value:.5g}") for value in values]
            for name, values in self.series.items()
        }
        times = {} if self.times_ms is None else {"times_ms": [round(float(time), 2) for time in self.times_ms]}
        return {"image": self.image, "view": self.view, **times, **series}


def long_axis_curve(image: ExamImage, labels: LabelMap, *, frame_rate_hz: float | None = None) -> Curve:
    """Area, length and single-plane volume of the left ventricle in every frame; area of the atrium where labelled.

    Args:
        image: a moving long-axis image.
        labels: its labels.
        frame_rate_hz: gives the times where the image has none of its own.

    Returns:
        The curve, with "left_ventricular_area_cm2", "left_ventricular_length_cm", "left_ventricular_volume_ml" and
        "left_atrial_area_cm2"; without spacing only the areas, "..._px2".
    """
    sections = [section(labels, frame, apex_up=image.cine.is_apical) for frame in range(labels.array.shape[0])]
    scaled = labels.spacing_mm is not None
    unit, factor = ("cm2", 1.0) if scaled else ("px2", 100.0)
    series: dict[str, tuple[float | None, ...]] = {
        f"left_ventricular_area_{unit}": tuple(item.area_cm2 * factor for item in sections)
    }
    if scaled:
        series["left_ventricular_length_cm"] = tuple(item.length_cm for item in sections)
        series["left_ventricular_volume_ml"] = tuple(item.simpson_ml for item in sections)
    if Structure.LA in labels.scheme.values:
        series[f"left_atrial_area_{unit}"] = tuple(
            area_cm2(labels, Structure.LA, frame) * factor for frame in range(len(sections))
        )
    return Curve(image.name, image.cine.view_name, frame_times_ms(image, frame_rate_hz), series)


def stack_curve(image: ExamImage, labels: LabelMap, *, frame_rate_hz: float | None = None) -> Curve:
    """Volumes of the labelled ventricles in every frame of a short-axis stack, by adding its slices.

    Args:
        image: a moving stack.
        labels: its labels, with spacing.
        frame_rate_hz: gives the times where the image has none of its own.

    Returns:
        The curve, with "left_ventricular_volume_ml" and, where labelled, "right_ventricular_volume_ml"; voxels in
        place of millilitres ("..._px") without spacing.
    """
    unit, voxel_ml = ("px", 1.0) if labels.spacing_mm is None else ("ml", float(np.prod(labels.spacing_mm)) / 1000)
    series = {
        f"{name}_volume_{unit}": tuple(labels.mask(structure).sum(axis=(1, 2, 3)) * voxel_ml)
        for structure, name in ((Structure.LV, "left_ventricular"), (Structure.RV, "right_ventricular"))
        if structure in labels.scheme.values
    }
    return Curve(image.name, image.cine.view_name, frame_times_ms(image, frame_rate_hz), series)


def area_cm2(labels: LabelMap, structure: Structure, frame: int) -> float:
    """Area of a structure in one frame of a planar image, cm2 (hundreds of pixels without spacing)."""
    mask = plane_mask(labels, structure, frame)
    height_mm, width_mm = plane_spacing(labels)
    return 0.0 if mask is None else float(np.count_nonzero(mask) * height_mm * width_mm / 100)


def frame_times_ms(image: ExamImage, frame_rate_hz: float | None) -> tuple[float, ...] | None:
    """Instants of an image's frames, ms: its own, or from the exam's frame rate; None where neither is known."""
    if image.cine.times_ms is not None:
        return tuple(float(time) for time in image.cine.times_ms)
    if frame_rate_hz is None or not frame_rate_hz > 0:
        return None
    return tuple(1000 * frame / frame_rate_hz for frame in range(image.cine.grid_shape[0]))
