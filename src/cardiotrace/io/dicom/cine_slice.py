"""The instants of one slice over the beat, put in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.io.dicom.plane import BEAT_MS, Place, Plane
from cardiotrace.io.dicom.series_kind import MIN_PHASES

_SAME_MS = 0.01
_LONGEST = 1.5
"""Beats over which trigger times may run; longer ones are no times from an R wave."""
_LEAST_MS = 100.0
"""That the trigger times of a cine run over at least; shorter ones are in another unit."""
_SAME_PLACE_MM = 0.5
_OF_THICKNESS = 0.1
"""Share of its thickness by which a slice may lie aside of where it lay before."""
_MOST_ASIDE_MM = 1.0
"""Whatever is stated as thickness: neighbours must stay apart."""
_OF_BEAT = 0.8
"""Share of the time between the first and the last instant at a place that every whole acquisition goes through."""

_ORDERS = (
    ("trigger_ms", "trigger times"),
    ("temporal", "temporal positions"),
    ("acquired_s", "acquisition times"),
    ("content_s", "content times"),
    ("instance", "instance numbers"),
)
"""What orders the instants of a slice, the first that tells all of them apart."""


@dataclass(frozen=True, eq=False)
class CineSlice:
    """One slice over the beat."""

    planes: tuple[Plane, ...]
    """In order of time."""
    is_timed: bool = False
    """Whether trigger times order it."""
    notes: tuple[str, ...] = ()
    frame_of_reference: str = ""
    """Slices of one share their coordinates; those of none share them within their series alone."""

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self.planes[0].place

    @property
    def age(self) -> tuple[float, float, float]:
        """Orders acquisitions of the same slice, the later one last."""
        return max(plane.age for plane in self.planes)

    @cached_property
    def interval_ms(self) -> float | None:
        """Length of its beat; None where it is not stated."""
        stated = [plane.interval_ms for plane in self.planes if plane.interval_ms is not None]
        return float(np.median(stated)) if stated else None

    @property
    def is_within_a_beat(self) -> bool:
        """Whether no trigger times speak against its instants being those of one beat."""
        stated = [plane.clock.trigger_ms for plane in self.planes if plane.clock.trigger_ms is not None]
        return not stated or self.interval_ms is None or max(stated) - min(stated) <= _LONGEST * self.interval_ms

    @cached_property
    def triggers_ms(self) -> Float[np.ndarray, " phases"] | None:
        """Instants from the R wave; None where others order them."""
        if not self.is_timed:
            return None
        return np.array([plane.clock.trigger_ms for plane in self.planes], np.float64)

    @cached_property
    def fractions(self) -> Float[np.ndarray, " phases"]:
        """Instants as parts of the beat: by trigger times and length of the beat where they are known, else evenly."""
        if self.triggers_ms is not None and self.interval_ms is not None:
            return self.triggers_ms / self.interval_ms
        return np.arange(len(self.planes)) / len(self.planes)

    def along_mm(self, normal: Float[np.ndarray, " 3"]) -> float:
        """Where it lies along a direction."""
        return float(self.place.corner @ normal)


def tolerance_mm(plane: Plane) -> float:
    """How far apart two planes may lie to be the same slice."""
    return min(max(_SAME_PLACE_MM, _OF_THICKNESS * (plane.thickness_mm or 0.0)), _MOST_ASIDE_MM)


def by_place(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Parallel planes by where they lie, in order along their normal."""
    normal, tolerance = planes[0].place.normal, tolerance_mm(planes[0])
    corners = np.stack([plane.place.corner for plane in planes])
    order = np.argsort(corners @ normal, kind="stable")
    cuts = np.flatnonzero(np.diff((corners @ normal)[order]) > tolerance) + 1
    found: list[list[Plane]] = []
    for members in np.split(order, cuts):
        found.extend(_at_one_corner([planes[index] for index in members], tolerance))
    return found


def _at_one_corner(planes: Sequence[Plane], tolerance: float) -> list[list[Plane]]:
    """Planes of one height; apart where the picture was moved sideways between two acquisitions."""
    groups: list[list[Plane]] = []
    for plane in planes:
        near = (g for g in groups if np.linalg.norm(g[0].place.corner - plane.place.corner) <= 2 * tolerance)
        group = next(near, None)
        if group is None:
            groups.append([plane])
        else:
            group.append(plane)
    return groups


def cine_slice(planes: Sequence[Plane], frame_of_reference: str = "") -> CineSlice:
    """Planes at one place as a cine: in order of time, each instant once.

    Of an instant, or of all instants, that are there twice the later acquisition is taken.

    Args:
        planes: in any order.
        frame_of_reference: of the slice.
    """
    kept, notes = _last_run(planes)
    for attribute, name in _ORDERS:
        usable, doubled = _by_clock(kept, attribute)
        if usable is None:
            continue
        if doubled:
            notes = (*notes, f"{doubled} instants were acquired more than once: the later ones were taken")
        is_timed = attribute == "trigger_ms"
        ordering = () if is_timed else (f"no usable trigger times: instants are in the order of {name}",)
        return _checked(CineSlice(tuple(usable), is_timed, (*notes, *ordering), frame_of_reference))
    unordered = "nothing states the order of instants: they are in the order of the files"
    return _checked(CineSlice(tuple(kept), False, (*notes, unordered), frame_of_reference))


def _checked(cine: CineSlice) -> CineSlice:
    """The slice with what its own numbers say against it."""
    stated, found = cine.planes[0].phase_count, len(cine.planes)
    notes = list(cine.notes)
    if stated is not None and found < stated <= 4 * found:
        notes.append(f"{stated - found:g} of {stated:g} instants are missing")
    temporal = [plane.clock.temporal for plane in cine.planes]
    numbers = [value for value in temporal if value is not None]
    if cine.is_timed and len(set(numbers)) == found and numbers != sorted(numbers):
        notes.append("trigger times and temporal positions order the instants differently: the former were followed")
    return replace(cine, notes=tuple(notes))


def _last_run(planes: Sequence[Plane]) -> tuple[Sequence[Plane], tuple[str, ...]]:
    """The last of several whole acquisitions at one place."""
    for runs in _possible_runs(planes):
        if len(runs) > 1 and all(_is_whole(run, planes) for run in runs):
            latest = max(runs, key=lambda run: max(plane.age for plane in run))
            return latest, (f"a slice was acquired {len(runs)} times: the last one was taken",)
    return planes, ()


def _possible_runs(planes: Sequence[Plane]) -> Iterator[list[list[Plane]]]:
    """Planes apart by what acquisitions may differ in; or in order, as many together as one is stated to have."""
    for told in _TOLD_APART:
        runs: dict[float | None, list[Plane]] = {}
        for plane in planes:
            runs.setdefault(told(plane), []).append(plane)
        yield list(runs.values())
    stated = int(planes[0].phase_count or 0)
    if stated and len(planes) % stated == 0:
        ordered = sorted(planes, key=lambda plane: plane.age)
        yield [ordered[first : first + stated] for first in range(0, len(ordered), stated)]


_TOLD_APART: tuple[Callable[[Plane], float | None], ...] = (
    lambda plane: plane.acquisition,
    lambda plane: plane.clock.acquired_s,
    lambda plane: plane.interval_ms,
)


def _is_whole(run: Sequence[Plane], planes: Sequence[Plane]) -> bool:
    """Whether some of the planes at a place go through the beat as all of them do."""
    if len(run) < MIN_PHASES:
        return False
    for attribute in ("trigger_ms", "temporal"):
        times = [getattr(plane.clock, attribute) for plane in planes]
        if None not in times and max(times) > min(times):
            own = [getattr(plane.clock, attribute) for plane in run]
            return bool(max(own) - min(own) >= _OF_BEAT * (max(times) - min(times)))
    return len(run) == planes[0].phase_count


def _by_clock(planes: Sequence[Plane], attribute: str) -> tuple[list[Plane] | None, int]:
    """The planes in the order of one of their times, and how many gave way to later ones of the same time.

    None where the time does not tell them apart.
    """
    latest: dict[float, Plane] = {}
    for plane in planes:
        time = getattr(plane.clock, attribute)
        if time is None:
            return None, 0
        key = round(time / _SAME_MS) * _SAME_MS if attribute == "trigger_ms" else time
        if key not in latest or latest[key].age <= plane.age:
            latest[key] = plane
    doubled = len(planes) - len(latest)
    # Instants that share a time are acquisitions of it only where the times go through a beat.
    if doubled and (attribute not in ("trigger_ms", "temporal") or len(latest) < MIN_PHASES):
        return None, 0
    if attribute == "trigger_ms" and not _are_triggers(latest, planes[0].interval_ms):
        return None, 0
    return [latest[key] for key in sorted(latest)], doubled


def _are_triggers(times: dict[float, Plane], interval_ms: float | None) -> bool:
    longest = _LONGEST * interval_ms if interval_ms is not None else BEAT_MS[1]
    return len(times) == 1 or _LEAST_MS <= max(times) - min(times) <= longest
