"""What is drawn over an image: outlines of a few points, the long axis and its disks, of every plane."""

from typing import Any

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.editing.outline import outlines_of
from cardiotrace.clinical.long_axis_trace import EMPTY, LongAxisTrace
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.findings import ExamFindings
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.blank import blank_planes

_DECIMALS = 3
"""Of a pixel."""


def traced_planes(image: ExamImage, labels: LabelMap, known: ExamFindings) -> list[list[dict[str, Any]]]:
    """The traces of all planes, by frame and slice, in pixels of the image's own grid.

    Args:
        image: that they are drawn over.
        labels: of it.
        known: what was found in the exam when it was measured.
    """
    cine = measured_cine(image, labels, known)
    traces = (EMPTY,) * len(labels.array) if cine is None else cine.traces
    return [
        [_plane(labels, frame, depth, traces[frame]) for depth in range(labels.array.shape[1])]
        for frame in range(len(labels.array))
    ]


def measured_cine(image: ExamImage, labels: LabelMap, known: ExamFindings) -> TracedCine | None:
    """The left ventricle of each frame as it is measured; None where no long axis is.

    What was just measured is known: nothing is traced a second time.
    """
    is_long = image.image.view.is_long_axis and labels.array.shape[1] == 1 and Structure.LV in labels.scheme.values
    if not is_long:
        return None
    findings = known.of(image.name, image.image.frames, labels)
    dark = findings.image.get("blank", lambda: blank_planes(image.image.frames))
    return TracedCine(image, labels, dark[:, 0], findings)


def plain_trace(trace: LongAxisTrace) -> dict[str, Any]:
    """Long axis and disks of a plane as they are sent; None where there are none."""
    pixel = np.asarray(trace.scale.pixel)
    axis = disks = None
    if trace.axis is not None:
        axis = {"apex": _plain(trace.axis.apex / pixel), "annulus": _plain(trace.axis.annulus / pixel)}
    if trace.disks is not None:
        disks = _plain(trace.disks.ends / pixel)
    return {"axis": axis, "disks": disks}


def _plane(labels: LabelMap, frame: int, depth: int, trace: LongAxisTrace) -> dict[str, Any]:
    outlines = outlines_of(labels.array[frame, depth], labels.scheme)
    contours = {name: _plain(points) for name, points in outlines.items() if len(points)}
    return {"contours": contours, **plain_trace(trace), "edited": False, "verdict": None}


def _plain(points: Float[np.ndarray, "*n 2"]) -> Any:
    return np.asarray(points).round(_DECIMALS).tolist()
