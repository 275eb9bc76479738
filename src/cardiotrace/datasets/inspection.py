"""What there is to see in one case: read once, pixels let go, numbers kept."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import CardioTraceError, InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Spacing
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure, View
from cardiotrace.geometry.alignment import VoxelOrder, voxel_order
from cardiotrace.geometry.enclosure import order_doubt
from cardiotrace.io import read_image, read_metadata

Read = TypeVar("Read")
Shape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Inspection:
    """What was seen in a case; None or empty where it could not be read."""

    case: Case
    image_error: str | None = None
    labels_error: str | None = None
    image_shape: Shape | None = None
    """(time, depth, height, width)"""
    labels_shape: Shape | None = None
    image_spacing_mm: Spacing | None = None
    labels_spacing_mm: Spacing | None = None
    """In the image's order of axes, where both are one grid."""
    order: VoxelOrder | None = None
    """How the label file's voxels come into the image's order; None where they cannot."""
    misplacement: str | None = None
    """Why they cannot."""
    axis_codes: tuple[str, str] | None = None
    """Directions of (x, y, z), of the labels and of the image."""
    doubts: tuple[str, ...] = ()
    """In words, where a header contradicts itself."""
    image_header_spacing: tuple[float, ...] | None = None
    """As the header states it, looked up where the image could not be read."""
    labels_header_spacing: tuple[float, ...] | None = None
    is_blank: bool = False
    digest: str | None = None
    """Of the image's pixels."""
    sizes: Mapping[Structure, float] = field(default_factory=dict)
    """Extent of each structure: mm3, pixels where there is no spacing, NaN where the slice distance is unknown."""
    order_doubt: str | None = None
    """In words, where the label values must mean something else than the scheme says."""
    known_values: tuple[float, ...] = ()
    """Values other than 0 of a label file that its scheme refused, those that the scheme knows."""
    strange_values: tuple[float, ...] = ()
    """Those that it does not."""


def inspect(case: Case, scheme: LabelScheme, root: Path) -> Inspection:
    """Read a case and note what the rules need; nothing that a file can hold makes it fail.

    Args:
        case: the case; if it has files of its own, the image is named first, the reference second.
        scheme: labels of the data set.
        root: what the case's files are relative to.
    """
    cine, image_error = _attempt(case.read_image)
    labels, labels_error = _attempt(case.read_stored_labels or case.read_labels)
    found: dict[str, Any] = {"image_error": image_error, "labels_error": labels_error}
    if cine is not None:
        found |= _of_image(cine)
    elif case.files:
        found["image_header_spacing"] = _header_spacing(root / case.files[0])
    if labels is not None:
        found |= _of_labels(labels, case.view) | ({} if cine is None else _of_both(labels, cine))
    elif case.read_labels is not None and len(case.files) > 1:
        found |= _of_refused_labels(root / case.files[1], scheme)
    return Inspection(case, **found, doubts=(*_doubts("image", cine), *_doubts("labels", labels)))


def _doubts(what: str, read: Image | LabelMap | None) -> Iterator[str]:
    return (f"{what}: {doubt}" for doubt in (() if read is None else read.geometry.doubts))


def _attempt(read: Callable[[], Read] | None) -> tuple[Read | None, str | None]:
    if read is None:
        return None, None
    try:
        return read(), None
    except CardioTraceError as error:
        return None, error.what
    except (OSError, ValueError, MemoryError) as error:
        return None, f"{type(error).__name__}: {error}"


def _of_image(cine: Image) -> dict[str, Any]:
    frames = cine.frames
    return {
        "image_shape": cine.grid_shape,
        "image_spacing_mm": cine.spacing_mm,
        "is_blank": bool(frames.min() == frames.max()),
        "digest": hashlib.blake2b(frames.tobytes(), digest_size=16).hexdigest() + str(frames.shape),
    }


def _of_labels(labels: LabelMap, view: View) -> dict[str, Any]:
    counts = np.bincount(labels.array.ravel(), minlength=256)
    unit = 1.0 if labels.spacing_mm is None else float(np.prod(labels.spacing_mm))
    return {
        "labels_shape": labels.array.shape,
        "labels_spacing_mm": labels.spacing_mm,
        "sizes": {
            structure: unit * int(counts[value]) if counts[value] else 0.0
            for structure, value in labels.scheme.values.items()
        },
        "order_doubt": order_doubt(labels, view),
    }


def _of_both(labels: LabelMap, cine: Image) -> dict[str, Any]:
    """How the label file lies beside its image."""
    codes = (labels.geometry.axis_codes[::-1], cine.geometry.axis_codes[::-1])
    try:
        order = voxel_order(labels.grid, cine.grid)
    except InputError as error:
        return {"misplacement": error.what, "axis_codes": codes}
    time, *lengths = labels.array.shape
    spacing = labels.spacing_mm
    return {
        "order": order,
        "axis_codes": codes,
        "labels_shape": (time, *(lengths[axis] for axis in order.axes)),
        "labels_spacing_mm": None if spacing is None else tuple(spacing[axis] for axis in order.axes),
    }


def _of_refused_labels(path: Path, scheme: LabelScheme) -> dict[str, Any]:
    """Why labels were refused: the values of the file, and the pixel size of its header."""
    raw, _ = _attempt(lambda: read_image(path))
    values: NDArray[Any] = np.unique([] if raw is None else raw.frames)
    known = np.isin(values, [0, *scheme.values.values()])
    return {
        "labels_header_spacing": _header_spacing(path),
        "known_values": tuple(value for value in values[known].tolist() if value),
        "strange_values": tuple(values[~known].tolist()),
    }


def _header_spacing(path: Path) -> tuple[float, ...] | None:
    metadata, _ = _attempt(lambda: read_metadata(path))
    spacing = None if metadata is None else metadata["spacing_mm"]
    return None if spacing is None else tuple(spacing)
