"""Fill the intervals of measured quantities from what the models that traced them were calibrated to."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.calibration import NOT_CALIBRATED, ErrorCalibration, IntervalCalibration
from cardiotrace.clinical.intervals.signs import SeenPhase, signs_of, signs_of_stack
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.terms import Phase
from cardiotrace.geometry.soft_mask import SoftMask

EJECTION = "left_ventricular_ejection_fraction"
DIASTOLIC = "left_ventricular_end_diastolic_volume"
CALIBRATED_EJECTION = "left_ventricular_calibrated_ejection_fraction"
UNLIKE = "interval-unlike"
"""The rule that says why an interval is wider than usual."""


class Lacking(StrEnum):
    """Why the ejection fraction has no interval though a model traced it."""

    MODEL = "model"
    """The model was calibrated for nothing."""
    VARIANTS = "variants"
    """It was calibrated with, or without, means over changed versions of each image; here it is the other way."""
    WAY = "way"
    """It was calibrated for other views or methods."""
    SIGNS = "signs"
    """What the width follows is not known here, such as the size of a ventricle without a pixel size."""
    PART = "part"
    """The slices show a part of the heart; it was calibrated on whole ones."""


_OF_PARTS = frozenset({"few-slices", "slice-missing", "blank-beside"})
"""Rules that speak where a stack shows a part of the heart alone."""


@dataclass(frozen=True)
class TracedBy:
    """What is to be known of the model that traced an image, and of how sure it was."""

    calibration: IntervalCalibration = NOT_CALIBRATED
    doubt: Doubt | None = None
    """Of each frame."""
    soft: Sequence[SoftMask | None] = ()
    """Probability of the ventricle in each frame; empty of stacks."""
    with_variants: bool = False
    """Whether it is the mean over changed versions of the image."""
    unlikeness: Float[np.ndarray, "time"] | None = None
    """Of each frame to those that the model was tried on, 1 at the limit; None or NaN where it does not tell."""

    def seen(self, frame: KeyFrame) -> SeenPhase | None:
        """One phase; None where nothing was traced in a long axis."""
        if frame.trace is None:
            return None
        doubt = math.nan if self.doubt is None else float(self.doubt[frame.frame])
        return SeenPhase(frame.trace, doubt, self.soft[frame.frame] if len(self.soft) else None)

    def unlike(self, frame: KeyFrame) -> float:
        """How unlike a frame is; NaN where nobody knows."""
        return math.nan if self.unlikeness is None else float(self.unlikeness[frame.frame])


def with_intervals(measures: Measures, traced_by: Mapping[str, TracedBy], *, quality: str = "") -> Measures:
    """The measures with the intervals that calibrated models give, and the ejection fraction that biplane would be.

    The interval that is shown is that of the largest error that was calibrated: of one plane against the stated
    ejection fraction, where there is such a truth.

    Args:
        measures: as they were measured.
        traced_by: what traced each image, by its name; images that a person traced are left out.
        quality: of the images, as the data set states it; "" where it does not.

    Returns:
        All quantities in their order; a calibrated ejection fraction stands behind all of them.
    """
    names = {part for item in measures for part in item.view.split("+")}
    views = {name: signs for name in names if (signs := _View.of(name, measures, traced_by))}
    views |= {item.view: both for item in measures if (both := _View.together(item.view, views))}
    group = quality.lower()
    filled = tuple(_filled(item, views.get(item.view), group) for item in measures)
    further = tuple(
        found for item in filled for found in _as_biplane(item, views.get(item.view), group) if item.name == EJECTION
    )
    lacking = _why_lacking(filled, views)
    doubts = dict.fromkeys(doubt for item in (*filled, *further) for doubt in item.flags)
    flags = tuple(dict.fromkeys((*measures.flags, *(doubt for doubt in doubts if doubt.rule == UNLIKE))))
    return replace(measures, quantities=(*filled, *further), flags=flags, not_calibrated=lacking)


@dataclass(frozen=True)
class _View:
    """One view: its signs, and what its model was calibrated to."""

    signs: Mapping[str, float]
    calibration: IntervalCalibration
    fits: bool
    """Whether it was calibrated on images that were traced in the same way."""
    unlikeness: float = math.nan
    """The largest of its key frames, 1 at the limit; NaN where nobody knows."""

    @classmethod
    def of(cls, view: str, measures: Measures, traced_by: Mapping[str, TracedBy]) -> "_View | None":
        """None where a model did not trace all of its key frames."""
        frames = {found.phase: found for found in measures.key_frames if found.view_name == view}
        if not frames or not all(found.image in traced_by for found in frames.values()):
            return None
        tracers = {phase: traced_by[found.image] for phase, found in frames.items()}
        one, *others = tracers.values()
        # Stills of one view by two models: neither was calibrated on that.
        if any(each.calibration != one.calibration for each in others):
            return cls({}, NOT_CALIBRATED, fits=True)
        seen = {phase: tracers[phase].seen(found) for phase, found in frames.items()}
        diastole, systole = seen.get(Phase.ED), seen.get(Phase.ES)
        fits = one.with_variants == one.calibration.with_variants
        unlike = [tracers[phase].unlike(found) for phase, found in frames.items()]
        unlikeness = max((each for each in unlike if math.isfinite(each)), default=math.nan)
        if diastole is None or systole is None:
            return cls(_signs_of_slices(view, measures), one.calibration, fits, unlikeness)
        signs = signs_of(diastole, systole, correlation=one.calibration.correlation) if one.calibration.errors else {}
        return cls(signs, one.calibration, fits, unlikeness)

    @classmethod
    def together(cls, view: str, views: Mapping[str, "_View"]) -> "_View | None":
        """Several views of one value, such as "A4C+A2C", without signs of their own; None of a single one.

        None, too, where not all of them were traced by models that were calibrated alike.
        """
        parts = [views.get(name) for name in view.split("+")]
        known = [each for each in parts if each is not None]
        if len(parts) == 1 or len(known) < len(parts) or any(e.calibration != known[0].calibration for e in known):
            return None
        unlike = [each.unlikeness for each in known if math.isfinite(each.unlikeness)]
        return cls({}, known[0].calibration, known[0].fits, max(unlike, default=math.nan))

    def errors(self, item: Quantity) -> tuple[ErrorCalibration, ...]:
        """What the model was calibrated to for a quantity; nothing where a sign that it looks at is not known."""
        found = self.calibration.of(item.key, item.view, item.method) if self.fits else ()
        return tuple(
            each for each in found if all(math.isfinite(self.signs.get(name, math.nan)) for name in each.signs)
        )


def _signs_of_slices(view: str, measures: Measures) -> dict[str, float]:
    """Of a view without outlines of a long axis: from what was measured in its slices."""
    found = {item.name: item.value for item in measures if (item.view, item.method) == (view, Method.SUM_OF_SLICES)}
    return signs_of_stack(found.get(EJECTION, math.nan), found.get(DIASTOLIC, math.nan))


def _filled(item: Quantity, view: _View | None, group: str) -> Quantity:
    errors = () if view is None or not item.is_usable else view.errors(item)
    if view is None or not errors or _is_of_part(item):
        return item
    intervals = tuple(each.interval(item.value, view.signs, group, unlikeness=view.unlikeness) for each in errors)
    flags = (*item.flags, *_unlike_flags(item.view, errors[0], view.unlikeness))
    return replace(item, interval=(intervals[0].low, intervals[0].high), intervals=intervals, flags=flags)


def _is_of_part(item: Quantity) -> bool:
    """Whether slices lack: what they lack was in no error that was counted."""
    return any(flag.rule in _OF_PARTS for flag in item.flags)


def _unlike_flags(view: str, error: ErrorCalibration, unlikeness: float) -> Iterator[Flag]:
    """Why an interval is wider than usual, and whether it may be too narrow all the same."""
    known = error.widening
    if not known.holds(unlikeness):
        text = (
            f"intervals in {view} may be too narrow: the image is {unlikeness:.1f} times as unlike as a usual one may"
            " be, and nobody counted how often they hold of such"
        )
        yield Flag(Grade.LOOK_TWICE, text, UNLIKE)
    elif known.factor(unlikeness) > 1:
        text = (
            f"intervals in {view} are wider than usual: the image is {unlikeness:.1f} times as unlike as a usual one"
            " may be"
        )
        yield Flag(Grade.NOTE, text, UNLIKE)


def _as_biplane(item: Quantity, view: _View | None, group: str) -> Iterator[Quantity]:
    """What the stated ejection fraction is expected to be, as far as it was calibrated."""
    for found in () if view is None or not item.is_usable else view.errors(item):
        if found.error is Error.WHOLE and view is not None:
            value = min(max(found.expected_value(item.value, view.signs), 0.0), 100.0)
            own = found.interval(item.value, view.signs, group, unlikeness=view.unlikeness)
            yield replace(
                item,
                name=CALIBRATED_EJECTION,
                value=value,
                method=Method.CALIBRATED,
                interval=(own.low, own.high),
                intervals=(own,),
                by_beat=(),
            )


def _why_lacking(quantities: Sequence[Quantity], views: Mapping[str, _View]) -> str:
    """Why the preferred ejection fraction has no interval; "" where it has one, or no model traced it."""
    preferred = next((item for item in quantities if item.name == EJECTION), None)
    # What cannot be used needs no interval, and its flag says why.
    if preferred is None or preferred.interval is not None or not preferred.is_usable:
        return ""
    planes = [views.get(name) for name in (preferred.view, *preferred.view.split("+"))]
    view = next((found for found in planes if found is not None), None)
    if view is None:
        return ""
    if not view.calibration.errors:
        return Lacking.MODEL
    if not view.fits:
        return Lacking.VARIANTS
    if _is_of_part(preferred):
        return Lacking.PART
    known = view.calibration.of(preferred.key, preferred.view, preferred.method)
    return Lacking.SIGNS if known else Lacking.WAY
