"""The rules of `lint` that look at one case."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cardiotrace.datasets.inspection import Inspection

SPACING_TOLERANCE = 1e-3
"""Relative difference of image and label spacing that rounding in headers explains."""


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Training on it or scoring with it gives wrong numbers, or fails."""
    WARNING = "warning"
    """Probably wrong: look at it."""
    INFORMATION = "information"
    """Worth knowing."""


@dataclass(frozen=True)
class CaseRule:
    """A rule on one case: `check` says what is wrong, or None."""

    name: str
    severity: Severity
    check: Callable[[Inspection], str | None]
    remedy: str


def _unreadable_image(seen: Inspection) -> str | None:
    return None if seen.image_error is None or _bad_spacing(seen) else seen.image_error


def _unreadable_labels(seen: Inspection) -> str | None:
    return None if seen.labels_error is None or seen.strange_values or _bad_spacing(seen) else seen.labels_error


def _bad_spacing(seen: Inspection) -> str | None:
    for what, spacing in (("image", seen.image_header_spacing), ("labels", seen.labels_header_spacing)):
        if spacing is not None and not all(np.isfinite(value) and value > 0 for value in spacing):
            return f"a pixel size of {shown(spacing)} mm stands in the header of the {what}"
    return None


def _mask_255(seen: Inspection) -> str | None:
    if set(seen.strange_values) != {255}:
        return None
    return "the mask holds 0 and 255" if not seen.known_values else "the mask holds 255 beside its labels"


def _strange_values(seen: Inspection) -> str | None:
    if not seen.strange_values or _mask_255(seen):
        return None
    shown = ", ".join(f"{value:g}" for value in seen.strange_values[:6])
    return f"label values {shown} are in no scheme of this data set"


def _grid_mismatch(seen: Inspection) -> str | None:
    if seen.image_shape is None or seen.labels_shape is None or seen.image_shape == seen.labels_shape:
        return None
    return f"image {_size(seen.image_shape)} and labels {_size(seen.labels_shape)} differ in size"


def _spacing_mismatch(seen: Inspection) -> str | None:
    image, labels = seen.image_spacing_mm, seen.labels_spacing_mm
    if image is None or labels is None:
        return None
    is_plane = seen.image_shape is not None and seen.image_shape[1] == 1  # its thickness says nothing
    pairs = [pair for pair in zip(image, labels, strict=True) if not np.isnan(pair).any()]
    if all(math.isclose(*pair, rel_tol=SPACING_TOLERANCE) for pair in pairs[is_plane:]):
        return None
    return f"image {shown(image)} mm and labels {shown(labels)} mm differ in pixel size"


def _contradicting_sizes(seen: Inspection) -> str | None:
    return "; ".join(seen.doubts) or None


def _slice_distance(seen: Inspection) -> str | None:
    lacks = seen.image_spacing_mm is not None and math.isnan(seen.image_spacing_mm[0])
    return "the distance between the slices is not stated" if lacks else None


def _voxel_order(seen: Inspection) -> str | None:
    if seen.order is None or seen.order.is_same or seen.axis_codes is None:
        return None
    return f"labels lie in another voxel order than the image: {' against '.join(seen.axis_codes)}"


def _other_place(seen: Inspection) -> str | None:
    is_explained = seen.misplacement is None or _grid_mismatch(seen) or _spacing_mismatch(seen)
    return None if is_explained else f"the label map {seen.misplacement}"


def _no_orientation(seen: Inspection) -> str | None:
    return None if seen.order is None or not seen.order.note else seen.order.note


def _empty_labels(seen: Inspection) -> str | None:
    is_empty = seen.labels_shape is not None and not any(seen.sizes.values())
    return "the label map is empty" if is_empty else None


def _lacking_structure(seen: Inspection) -> str | None:
    lacking = [structure for structure, size in seen.sizes.items() if size == 0]
    if not lacking or len(lacking) == len(seen.sizes):
        return None
    return f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} nowhere in the label map"


def _blank_image(seen: Inspection) -> str | None:
    return "every pixel of the image has the same value" if seen.is_blank else None


def _label_order(seen: Inspection) -> str | None:
    return seen.order_doubt


CASE_RULES: tuple[CaseRule, ...] = (
    CaseRule(
        "unreadable-image", Severity.ERROR, _unreadable_image, "copy or download the file again, or leave the case out."
    ),
    CaseRule(
        "unreadable-labels", Severity.ERROR, _unreadable_labels, "copy or download it again, or leave the case out."
    ),
    CaseRule("impossible-spacing", Severity.ERROR, _bad_spacing, "correct the header: lengths and volumes need it."),
    CaseRule("mask-0-255", Severity.ERROR, _mask_255, "divide by 255, or choose a scheme whose value is 255."),
    CaseRule("label-values", Severity.ERROR, _strange_values, "choose the scheme of these files, or correct them."),
    CaseRule("grid-mismatch", Severity.ERROR, _grid_mismatch, "resample the labels onto the image, by nearest label."),
    CaseRule(
        "spacing-mismatch",
        Severity.ERROR,
        _spacing_mismatch,
        "find out which header is right, and copy it to the other.",
    ),
    CaseRule(
        "contradicting-sizes",
        Severity.ERROR,
        _contradicting_sizes,
        "find out which is right, and correct the header: volumes depend on it.",
    ),
    CaseRule(
        "no-slice-distance",
        Severity.WARNING,
        _slice_distance,
        "without it there are no volumes: set it in the header, or give it as `spacing_mm`.",
    ),
    CaseRule(
        "voxel-order",
        Severity.ERROR,
        _voxel_order,
        "here they are turned exactly; other programs may lay them onto the image wrongly: write them in its order.",
    ),
    CaseRule("other-place", Severity.ERROR, _other_place, "resample the labels onto the image, by nearest label."),
    CaseRule(
        "no-orientation",
        Severity.INFORMATION,
        _no_orientation,
        "look at one overlay; copy the image's header to the labels.",
    ),
    CaseRule("empty-labels", Severity.WARNING, _empty_labels, "trace the case, or leave it out."),
    CaseRule(
        "lacking-structure", Severity.INFORMATION, _lacking_structure, "expected where the image does not show it."
    ),
    CaseRule("blank-image", Severity.WARNING, _blank_image, "export the image again."),
    CaseRule(
        "label-order",
        Severity.ERROR,
        _label_order,
        "ACDC has 1 RV, 2 MYO, 3 LV, M&Ms 1 LV, 2 MYO, 3 RV, CAMUS 1 LV, 2 MYO, 3 LA: choose what these files follow.",
    ),
)


def shown(spacing: Iterable[float]) -> str:
    """Sizes to four digits, such as "8 x 1.4 x 1.4"."""
    return " x ".join(f"{value:.4g}" for value in spacing)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
