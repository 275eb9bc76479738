"""Longitudinal strain of the endocardium that was followed through the film, beside that of its traced contour."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.segment import SEGMENTS, SegmentValues
from cardiotrace.clinical.strain.contour_strain import GLS, SEGMENTAL, ViewStrain, combined, quantities_of
from cardiotrace.clinical.strain.lagrange import BeatStrain, beat_strain, film_percent
from cardiotrace.clinical.strain.tracking import FEWEST_SYSTOLIC, TrackedBeat, track_beat
from cardiotrace.clinical.strain.walled_view import WalledView
from cardiotrace.core.flag import Flag

SERIES = "left_ventricular_tracked_longitudinal_strain_percent"


@dataclass(frozen=True, eq=False)
class TrackedView:
    """A view whose wall was followed in at least one beat."""

    view: WalledView
    beats: tuple[TrackedBeat, ...]

    @property
    def strains(self) -> list[BeatStrain]:
        """Of each beat, with the drift that was taken out while following."""
        count = len(self.view.film_walls)
        found = ((beat_strain(each.lengths(count), each.beat), each.drift) for each in self.beats)
        return [replace(strain, drift=drift) for strain, drift in found if strain is not None]

    @property
    def drift(self) -> float | None:
        """Of the beat that has the largest, either way."""
        return max((each.drift for each in self.beats if each.drift is not None), key=abs, default=None)


def track_views(views: Sequence[WalledView]) -> tuple[list[TrackedView], tuple[Flag, ...]]:
    """Follow the wall of every view with a film, and say of which that could not be done."""
    tracked, flags = [], []
    for view in views:
        found = [each for beat in view.beats if (each := track_beat(view, beat)) is not None]
        if found:
            tracked.append(TrackedView(view, tuple(found)))
        else:
            text = f"no film shows end-diastole, end-systole and {FEWEST_SYSTOLIC - 1} frames between: nothing tracked"
            flags.append(flag("tracking-no-film", text).of(view.name))
    return tracked, tuple(flags)


def tracked_quantities(tracked: Sequence[TrackedView]) -> list[Quantity]:
    """Strain of all views together, then of each."""
    return quantities_of([_strain_of(each) for each in tracked])


def _strain_of(tracked: TrackedView) -> ViewStrain:
    found = ViewStrain(tracked.view, Method.TRACKED, tuple(tracked.strains), ())
    flags = [
        *tracked.view.flags("strain"),
        *(item.of(tracked.view.name) for item in _flags(tracked, found.end_systolic)),
    ]
    return replace(found, flags=tuple(dict.fromkeys(flags)))


def _flags(tracked: TrackedView, systolic: float) -> Iterator[Flag]:
    """What speaks against a value, in words without the view."""
    rule = next((each for each in ("strain-impossible", "strain-extreme") if RULES[each].breaks(systolic)), None)
    if rule is not None:
        low, high = RULES[rule].low, RULES[rule].high
        yield flag(rule, f"a tracked longitudinal strain of {systolic:.0f} % is outside {low:g} to {high:g} %")
    if tracked.drift is not None and RULES["tracking-drift"].breaks(tracked.drift):
        yield flag(
            "tracking-drift", f"the tracked wall ends {tracked.drift:+.1f} points off zero, which was spread out"
        )
    if tracked.drift is None:
        yield flag("tracking-open", "the film ends before its beat: how far the tracked wall drifts is not known")
    fewest = min(beat.systolic for beat in tracked.beats)
    if RULES["tracking-sparse"].breaks(fewest):
        yield flag("tracking-sparse", f"{fewest} frames from end-diastole to end-systole: tracking comes out too small")
    poor = min(len([each for each in beat.alike if RULES["tracking-poor"].breaks(each)]) for beat in tracked.beats)
    if poor:
        text = f"{poor} of {len(tracked.beats[0].alike)} pieces of the wall are not found again at end-systole"
        yield flag("tracking-poor", text)
    lost = len(tracked.view.beats) - len(tracked.beats)
    if lost:
        yield flag("tracking-no-film", f"{lost} of {len(tracked.view.beats)} beats have too few frames to be tracked")


def tracked_series(tracked: TrackedView) -> dict[str, tuple[float | None, ...]]:
    """Strain in every frame that was followed, by the name of a curve."""
    count = len(tracked.view.film_walls)
    percent = np.full(count, np.nan)
    for each in tracked.beats:
        own = film_percent(each.lengths(count), (each.beat,))
        percent = np.where(np.isfinite(own), own, percent)
    return {SERIES: tuple(float(value) if np.isfinite(value) else None for value in percent)}


def tracked_segments(tracked: Sequence[TrackedView]) -> list[SegmentValues]:
    """End-systolic strain of the muscle that lay in each segment at end-diastole; those that were lost are left out."""
    found = [each for view in tracked if (each := _segments_of(view)) is not None]
    return [combined(found), *found] if len(found) > 1 else found


def _segments_of(tracked: TrackedView) -> SegmentValues | None:
    """Mean over beats; None where which wall is which is not known."""
    view = tracked.view
    if view.sides is None:
        return None
    strains = np.array([each.arc_percent for each in tracked.beats])
    lost = np.array([[RULES["tracking-poor"].breaks(alike) for alike in each.alike] for each in tracked.beats])
    values, missing = {}, []
    for number, strain, gone in zip(view.sides.segments, strains.T, lost.T, strict=True):
        known = strain[~gone & np.isfinite(strain)]
        if len(known):
            values[number] = float(known.mean())
        else:
            missing.append(str(SEGMENTS[number]))
    flags = [*view.flags("strain"), *view.side_flags]
    if missing:
        text = f"not found again at end-systole, and left out: {', '.join(missing)}"
        flags.append(flag("tracking-poor", text).of(view.name))
    return SegmentValues(
        SEGMENTAL, "percent", Method.TRACKED, view.name, values, view.refs, tuple(dict.fromkeys(flags))
    )


def side_by_side(quantities: Sequence[Quantity]) -> list[Quantity]:
    """Quantities with a flag on strain by contour and by tracking of one view where the two disagree."""
    flags = {}
    for tracked in (item for item in quantities if item.name == GLS and item.method is Method.TRACKED):
        contour = _contour_of(quantities, tracked.view)
        if contour is not None and RULES["tracking-disagrees"].breaks(abs(tracked.value - contour.value)):
            text = f"longitudinal strain is {contour.value:.1f} % by the contour and {tracked.value:.1f} % by tracking"
            flags[tracked.view] = flag("tracking-disagrees", text).of(tracked.view)
    return [
        replace(item, flags=(*item.flags, flags[item.view])) if _is_compared(item) and item.view in flags else item
        for item in quantities
    ]


def _is_compared(item: Quantity) -> bool:
    return item.name == GLS and item.method in (Method.TRACKED, Method.ENDOCARDIAL_CONTOUR)


def _contour_of(quantities: Sequence[Quantity], view: str) -> Quantity | None:
    return next(
        (q for q in quantities if q.name == GLS and q.method is Method.ENDOCARDIAL_CONTOUR and q.view == view), None
    )
