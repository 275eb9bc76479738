"""What is no heart in the key frames of an exam, as flags: each failed criterion a reason in words."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from cardiotrace.clinical.anatomy.criterion import LA, LV, MYO, RV, Axis, Measured
from cardiotrace.clinical.anatomy.limits import Failure, preset
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.core.findings import ImageFindings
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure

FLAGGED_BY = "references"
"""The set of limits that raises flags: the published one fails too many references."""
_RULE_OF: Mapping[Structure, str] = {
    LV: "anatomy-ventricle",
    RV: "anatomy-ventricle",
    MYO: "anatomy-wall",
    LA: "anatomy-atrium",
}
_ABOUT = {LV: "LV", RV: "RV", MYO: "LV", LA: "LA"}
"""What flags say that they concern: the wall is the left ventricle's."""
_TOLD_OTHERWISE = ("frontier_ratio_lv_bg",)
"""Criteria whose fault another rule tells: `open-wall`, which needs neither an atrium nor an apex at the top."""
_OF_WALL = "frontier_lv_background"
"""What a left ventricle fails everywhere without a wall."""
_TOLD = 3
"""How many slices are named with their reasons; the others are counted."""


def long_axis_anatomy_flags(
    labels: LabelMap, frame: int, about: Collection[Structure], *, is_upright: bool = False
) -> tuple[Flag, ...]:
    """Whether structures in one frame of a long-axis view can be those of a heart.

    What is missing is no fault of shape: other rules tell it.

    Args:
        labels: planar.
        frame: the frame that was measured.
        about: the structures.
        is_upright: whether the apex is known to be at the top; criteria that are counted along rows are left out else.

    Returns:
        A flag for each criterion that fails, without view and phase.

    Example:
        >>> import numpy as np
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.label import LV_ONLY
        >>> array = np.zeros((1, 1, 40, 40), np.uint8)
        >>> array[..., 2:22, 5:25] = array[..., 30:35, 5:9] = 1
        >>> print(*long_axis_anatomy_flags(LabelMap(array, LV_ONLY, NO_GEOMETRY), 0, (Structure.LV,)))
        4.8 % of the left ventricle lie apart from its largest piece
    """
    measured = Measured.of(Plane.of(labels, frame, is_upright=is_upright), Axis.LONG, about=about)
    return tuple(
        flag(_RULE_OF[item.criterion.about], item.words, about=_ABOUT[item.criterion.about])
        for item in _failures(measured, Axis.LONG)
        if item.criterion.name not in _TOLD_OTHERWISE
    )


def short_axis_anatomy_flags(
    labels: LabelMap, frame: int, depths: Iterable[int], findings: ImageFindings | None = None
) -> tuple[Flag, ...]:
    """Whether the slices of one frame of a short-axis stack can be a heart.

    A slice in fifty of traced hearts is odd, mostly at base or apex, so that one stack in seven holds one; that makes
    no volume wrong. Several do.

    Args:
        labels: of a stack, or a single slice.
        frame: the frame that was measured.
        depths: slices that show an image.
        findings: what is known of the labels.

    Returns:
        One flag that names the slices and what is wrong there, or none; without view and phase.
    """
    known = ImageFindings.none(labels) if findings is None else findings
    measured = {
        depth: known.plane(frame, depth).get("anatomy", partial(_slice, labels, frame, depth)) for depth in depths
    }
    # A stack in which nobody labelled a wall says nothing of where it is.
    has_wall = MYO in labels.scheme.values and bool((labels.array[frame] == labels.scheme.value(MYO)).any())
    found = {
        depth: [item for item in _failures(each, Axis.SHORT) if has_wall or item.criterion.name != _OF_WALL]
        for depth, each in measured.items()
        if each.values
    }
    odd = {depth: failures for depth, failures in found.items() if failures}
    if not RULES["anatomy-slices"].breaks(len(odd)):
        return ()
    reasons = [f"slice {depth}: {failures[0].words}" for depth, failures in odd.items()]
    more = f" and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    text = f"{len(odd)} of {len(found)} slices are no heart's: {'; '.join(reasons[:_TOLD])}{more}"
    return (flag("anatomy-slices", text, about=""),)


def _slice(labels: LabelMap, frame: int, depth: int) -> Measured:
    return Measured.of(Plane.of(labels, frame, depth), Axis.SHORT)


def _failures(measured: Measured, axis: Axis) -> list[Failure]:
    return [item for item in preset(FLAGGED_BY).failures(measured, axis) if not item.is_missing]
