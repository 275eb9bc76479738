"""Longitudinal strain from the borders of the wall: of each view, of all together, and of each segment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cardiotrace.clinical.films.average import segments_over_beats
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.strain.arcs import Arcs
from cardiotrace.clinical.strain.lagrange import BeatStrain, beat_strain, film_percent, frames_of, lagrangian_percent
from cardiotrace.clinical.strain.sides import WALLS
from cardiotrace.clinical.strain.wall import Wall
from cardiotrace.clinical.strain.walled_view import WalledView
from cardiotrace.clinical.validity import biplane_flags
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase

GLS = "left_ventricular_global_longitudinal_strain"
PEAK_SYSTOLIC = "left_ventricular_peak_systolic_longitudinal_strain"
POST_SYSTOLIC = "left_ventricular_post_systolic_longitudinal_strain"
DRIFT = "left_ventricular_longitudinal_strain_drift"
SEGMENTAL = "longitudinal_strain"


def endocardial_length(wall: Wall) -> float:
    """Of the endocardium from hinge to hinge."""
    return wall.endocardium.length


def middle_length(wall: Wall) -> float | None:
    """Of the line half-way through the wall; None where no myocardium is labelled."""
    return None if wall.middle is None else wall.middle.length


LINES: tuple[tuple[Method, Callable[[Wall], float | None]], ...] = (
    (Method.ENDOCARDIAL_CONTOUR, endocardial_length),
    (Method.MIDWALL_CONTOUR, middle_length),
)


@dataclass(frozen=True)
class ViewStrain:
    """Strain of one line in the beats of one view."""

    view: WalledView
    method: Method
    beats: tuple[BeatStrain, ...]
    """In order of time, at least one."""
    flags: tuple[Flag, ...]

    @property
    def values(self) -> Mapping[str, tuple[float, ...]]:
        """Of each quantity its value in the beats that have one; of stills that at end-systole alone."""
        values = {GLS: tuple(each.end_systolic for each in self.beats)}
        if self.view.beats:
            values[PEAK_SYSTOLIC] = _known(each.peak_systolic for each in self.beats)
            values[POST_SYSTOLIC] = _known(each.post_systolic for each in self.beats)
        return values | {DRIFT: _known(each.drift for each in self.beats)}

    @property
    def end_systolic(self) -> float:
        """Mean over beats."""
        return float(np.mean(self.values[GLS]))


def strain_of_view(view: WalledView, method: Method, of: Callable[[Wall], float | None]) -> ViewStrain | None:
    """Strain of one line; None where end-diastole or end-systole does not show it in any beat.

    Args:
        view: with its wall.
        method: what the line is called.
        of: length of the line.
    """
    if not view.measured.key_frames.are_both or not view.measured.has_one_unit:
        return None
    lengths = view.lengths(of)
    found = tuple(each for beat in view.counted if (each := beat_strain(lengths, beat)) is not None)
    if not found:
        return None
    plain = ViewStrain(view, method, found, ())
    flags = [*view.flags("strain"), *(item.of(view.name) for item in _strain_flags(plain))]
    return replace(plain, flags=tuple(dict.fromkeys(flags)))


def strain_quantities(views: Sequence[WalledView]) -> list[Quantity]:
    """Strain by the endocardium first, then through the middle of the wall, see `quantities_of`."""
    quantities: list[Quantity] = []
    for method, of in LINES:
        found = [each for view in views if (each := strain_of_view(view, method, of)) is not None]
        quantities.extend(quantities_of(found))
    return quantities


def quantities_of(found: Sequence[ViewStrain]) -> list[Quantity]:
    """Strain of all apical views together where there are several, then of each view."""
    apical = [each for each in found if each.view.measured.view in WALLS]
    together = _quantities(apical) if len(apical) > 1 else []
    return [*together, *(item for each in found for item in _quantities([each]))]


def _quantities(found: Sequence[ViewStrain]) -> list[Quantity]:
    """Means over the beats of a view; of several views the mean of theirs, where all of them have it."""
    name = "+".join(each.view.name for each in found)
    refs = tuple(dict.fromkeys(ref for each in found for ref in each.view.refs))
    flags = tuple(dict.fromkeys(item for each in found for item in each.flags))
    flags = (*flags, *_lengths_differ(found), *_views_differ(found))
    quantities = []
    # How far the films of two views drift says nothing of both together.
    for key in (GLS, PEAK_SYSTOLIC, POST_SYSTOLIC, *([DRIFT] if len(found) == 1 else [])):
        values = [each.values.get(key, ()) for each in found]
        if all(values):
            mean = float(np.mean([np.mean(each) for each in values]))
            # Films of two views are of different beats.
            by_beat = values[0] if len(found) == 1 and len(values[0]) > 1 else ()
            plain = Quantity(key, mean, "percent", found[0].method, name, refs, flags=flags)
            quantities.append(replace(plain, by_beat=by_beat))
    return quantities


def _lengths_differ(found: Sequence[ViewStrain]) -> tuple[Flag, ...]:
    """Whether the long axis of one view is so short that the view may miss the apex."""
    traces = [each.view.measured.traces.get(Phase.ED) for each in found]
    lengths_cm = [trace.length_cm for trace in traces if trace is not None and trace.length_cm is not None]
    return biplane_flags(max(lengths_cm), min(lengths_cm), phase=Phase.ED) if len(lengths_cm) > 1 else ()


def _views_differ(found: Sequence[ViewStrain]) -> tuple[Flag, ...]:
    values = {each.view.name: each.end_systolic for each in found}
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    gap = values[high] - values[low]
    if not RULES["strain-views-differ"].breaks(gap):
        return ()
    return (flag("strain-views-differ", f"longitudinal strain of {low} and {high} differs by {gap:.0f} points"),)


def _strain_flags(found: ViewStrain) -> Iterable[Flag]:
    """What speaks against its values, in words without the view."""
    view, systolic, drift = found.view, found.end_systolic, max(found.values[DRIFT], key=abs, default=0.0)
    rule = next((each for each in ("strain-impossible", "strain-extreme") if RULES[each].breaks(systolic)), None)
    if rule is not None:
        low, high = RULES[rule].low, RULES[rule].high
        yield flag(rule, f"a longitudinal strain of {systolic:.0f} % is outside {low:g} to {high:g} %")
    if not all(cine.scale.is_known for cine in view.measured.cines.values()):
        yield flag("strain-square-pixels", "strain takes the pixels for square, as their size is not known")
    if RULES["strain-drift"].breaks(drift):
        yield flag("strain-drift", f"the strain ends {drift:+.1f} points off zero, which a ramp took out")
    yield from _missing_flags(view)
    if view.beats and any(each.peak_systolic is None for each in found.beats):
        yield flag("strain-order", "end-systole comes before end-diastole in the film: no peak of the strain")


def _missing_flags(view: WalledView) -> Iterable[Flag]:
    """Whether frames of the beats have no line."""
    if view.film is None:
        return
    walls, blank = view.film_walls, view.film.blank
    reach = {frame for beat in view.beats for frame in frames_of(beat, len(walls))}
    # Of frames without an image the exam speaks anyway.
    frames = [frame for frame in reach if not blank[frame]]
    lost = sum(walls[frame] is None for frame in frames)
    if lost:
        yield flag("strain-frames-without", f"the wall was not found in {lost} of {len(frames)} frames of the beat")


def strain_series(view: WalledView) -> dict[str, tuple[float | None, ...]]:
    """Strain in every frame of the view's film, by the name of a curve; empty of stills."""
    if not view.beats:
        return {}
    series = {}
    for name, (_, of) in zip(("longitudinal", "midwall_longitudinal"), LINES, strict=True):
        lengths = view.lengths(of)
        if np.isfinite(lengths[[beat.end_diastole for beat in view.beats]]).all():
            percent = film_percent(lengths, view.beats)
            values = tuple(float(value) if np.isfinite(value) else None for value in percent)
            series[f"left_ventricular_{name}_strain_percent"] = values
    return series


def segment_strains(views: Sequence[WalledView]) -> list[SegmentValues]:
    """End-systolic strain of the segments of each view, the mean over its beats, and of all views together.

    A segment that two views cut gets the mean of both. The apex cap, segment 17, gets none: it is muscle beyond the end
    of the cavity, along which no border of the cavity runs.
    """
    found: list[SegmentValues] = []
    for view in views:
        found.extend(segments_over_beats([each for beat in view.by_beat if (each := _segments_of(beat))]))
    return found if len(found) < 2 else [combined(found), *found]


def combined(found: Sequence[SegmentValues]) -> SegmentValues:
    """Values of several views as one; a segment that several have gets their mean."""
    numbers = sorted({number for each in found for number in each.values})
    values = {
        number: float(np.mean([each.values[number] for each in found if number in each.values])) for number in numbers
    }
    first = found[0]
    frames = tuple(dict.fromkeys(frame for each in found for frame in each.frames))
    flags = tuple(dict.fromkeys(item for each in found for item in each.flags))
    view = "+".join(each.view for each in found)
    return SegmentValues(first.name, first.unit, first.method, view, values, frames, flags)


def _segments_of(view: WalledView) -> list[SegmentValues]:
    """Strain of the six arcs of a view in one beat; empty where which wall is which is not known."""
    first, last = view.walls.get(Phase.ED), view.walls.get(Phase.ES)
    if view.sides is None or first is None or last is None or not view.measured.has_one_unit:
        return []
    arcs = Arcs.of(first.endocardium)
    lengths = np.stack([arcs.lengths(line) for line in (first.endocardium, last.endocardium)])
    pairs = zip(view.sides.segments, lagrangian_percent(lengths, 0)[1].ravel(), strict=True)
    values = {number: float(value) for number, value in pairs if np.isfinite(value)}
    text = "borders do not show which muscle is where along them: each arc is taken to keep its share of the long axis"
    flags = (*view.flags("strain"), *view.side_flags, flag("strain-by-height", text))
    refs, once = view.measured.key_frames.refs(Phase.ED, Phase.ES), tuple(dict.fromkeys(flags))
    return [SegmentValues(SEGMENTAL, "percent", Method.ENDOCARDIAL_CONTOUR, view.name, values, refs, once)]


def _known(values: Iterable[float | None]) -> tuple[float, ...]:
    """Those that are there."""
    return tuple(value for value in values if value is not None)
