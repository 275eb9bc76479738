"""How areas, lengths and volumes run through a cine."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.terms import Structure, View


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
            # Five digits are more than a tracing can tell, and keep the files of long videos short.
            name: [None if value is None else float(f"{value:.5g}") for value in values]
            for name, values in self.series.items()
        }
        times = {} if self.times_ms is None else {"times_ms": [round(float(time), 2) for time in self.times_ms]}
        return {"image": self.image, "view": self.view, **times, **series}


def long_axis_curve(cine: TracedCine, *, frame_rate_hz: float | None = None) -> Curve:
    """Area, length and single-plane volume of the left ventricle in every frame, areas of other chambers.

    The left atrium's is there where it is labelled, the right ventricle's in four chambers.

    Args:
        cine: a moving long-axis image.
        frame_rate_hz: gives the times where the image has none of its own.

    Returns:
        The curve, with "left_ventricular_area_cm2", "left_ventricular_length_cm", "left_ventricular_volume_ml",
        "left_atrial_area_cm2" and "right_ventricular_area_cm2"; without spacing only the areas, "..._px2". None in
        frames without an image.
    """
    traces, image, scale = cine.traces, cine.image, cine.scale
    _, unit = scale.area_to_report(0.0)

    def areas(values: Iterable[float]) -> tuple[float | None, ...]:
        # An image without a ventricle has area 0; where no image is shown, 0 would be a measurement that nobody made.
        pairs = zip(values, cine.blank, strict=True)
        return tuple(None if blank else scale.area_to_report(value)[0] for value, blank in pairs)

    series = {f"left_ventricular_area_{unit}": areas(item.area for item in traces)}
    if scale.is_known:
        series["left_ventricular_length_cm"] = tuple(item.length_cm for item in traces)
        series["left_ventricular_volume_ml"] = tuple(item.simpson_ml for item in traces)
    if Structure.LA in cine.labels.scheme.values:
        series[f"left_atrial_area_{unit}"] = areas(item.atrium_area for item in traces)
    if Structure.RV in cine.labels.scheme.values and image.image.view is View.FOUR_CHAMBER:
        series[f"right_ventricular_area_{unit}"] = areas(item.right_area for item in traces)
    return Curve(image.name, image.image.view_name, frame_times_ms(image, frame_rate_hz), series)


def stack_curve(stack: TracedStack, *, frame_rate_hz: float | None = None) -> Curve:
    """Volumes of the labelled ventricles in every frame of a short-axis stack, by adding its slices; areas of one.

    Args:
        stack: a moving stack.
        frame_rate_hz: gives the times where the image has none of its own.

    Returns:
        The curve, with "left_ventricular_volume_ml" and, where labelled, "right_ventricular_volume_ml"; voxels in
        place of millilitres ("..._px") where a voxel's size is not known. Of a single slice "..._area_cm2" or
        "..._area_px2": it is no volume, however thick. None in frames without an image.
    """
    image, known_ml = stack.image, stack.voxel_ml
    if stack.is_slice:
        factor, unit = stack.scale.area_to_report(stack.scale.pixel_area)
        size = f"area_{unit}"
    else:
        size, factor = ("volume_px", 1.0) if known_ml is None else ("volume_ml", known_ml)
    series = {
        f"{name}_{size}": tuple(
            None if dark else float(count) * factor
            for count, dark in zip(stack.counts[structure].sum(axis=1), stack.is_blank, strict=True)
        )
        for structure, name in ((Structure.LV, "left_ventricular"), (Structure.RV, "right_ventricular"))
        if structure in stack.counts
    }
    return Curve(image.name, image.image.view_name, frame_times_ms(image, frame_rate_hz), series)


def frame_times_ms(image: ExamImage, frame_rate_hz: float | None) -> tuple[float, ...] | None:
    """Instants of an image's frames, ms: its own, or from the exam's frame rate; None where neither is known."""
    if image.image.times_ms is not None:
        return tuple(float(time) for time in image.image.times_ms)
    if frame_rate_hz is None or not frame_rate_hz > 0:
        return None
    return tuple(1000 * frame / frame_rate_hz for frame in range(image.image.grid_shape[0]))
