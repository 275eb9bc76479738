"""What is drawn over an image: outlines of a few points, the long axis and its disks, of every plane."""

from typing import Any

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.editing.outline import outlines_of
from cardiotrace.clinical.long_axis_trace import EMPTY, LongAxisTrace
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.blank import blank_planes

_DECIMALS = 3
"""Of a pixel."""


def traced_planes(image: ExamImage, labels: LabelMap) -> list[list[dict[str, Any]]]:
    """The traces of all planes, by frame and slice, in pixels of the image's own grid.

    Args:
        image: that they are drawn over.
        labels: of it.
    """
    traces = _long_axes(image, labels)
    return [
        [_plane(labels, frame, depth, traces[frame]) for depth in range(labels.array.shape[1])]
        for frame in range(len(labels.array))
    ]


def plain_trace(trace: LongAxisTrace) -> dict[str, Any]:
    """Long axis and disks of a plane as they are sent; None where there are none."""
    pixel = np.asarray(trace.scale.pixel)
    axis = disks = None
    if trace.axis is not None:
        axis = {"apex": _plain(trace.axis.apex / pixel), "annulus": _plain(trace.axis.annulus / pixel)}
    if trace.disks is not None:
        disks = _plain(trace.disks.ends / pixel)
    return {"axis": axis, "disks": disks}


def _long_axes(image: ExamImage, labels: LabelMap) -> tuple[LongAxisTrace, ...]:
    """The left ventricle of each frame as it is measured; empty where no long axis is."""
    is_long = image.image.view.is_long_axis and labels.array.shape[1] == 1 and Structure.LV in labels.scheme.values
    if not is_long:
        return (EMPTY,) * len(labels.array)
    return TracedCine(image, labels, blank_planes(image.image.frames)[:, 0]).traces


def _plane(labels: LabelMap, frame: int, depth: int, trace: LongAxisTrace) -> dict[str, Any]:
    outlines = outlines_of(labels.array[frame, depth], labels.scheme)
    contours = {name: _plain(points) for name, points in outlines.items() if len(points)}
    return {"contours": contours, **plain_trace(trace), "edited": False, "verdict": None}


def _plain(points: Float[np.ndarray, "*n 2"]) -> Any:
    return np.asarray(points).round(_DECIMALS).tolist()
