"""Slices over the beat, put together to stacks by where they lie in the patient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from jaxtyping import Float

from cardiotrace.io.dicom.cine_slice import CineSlice, tolerance_mm
from cardiotrace.io.dicom.plane import Place

MIN_SLICES = 3
"""Slices that make a stack without being called one."""
FAR_MM = 120.0
"""No left ventricle is so long: one that lies on this side of such a gap does not lie on the other as well."""

_SAME_DIRECTION = 5e-3
"""Distance of two unit vectors up to which they are one direction: a third of a degree."""
_EVEN = 0.1
"""Share of the median step by which one step may differ: scanners round positions."""
_WHOLE = 0.5
"""Share of the instants of most slices below which a slice is a fragment."""
_SHIFTED_MM = 1.0
"""How far a slice may lie beside the line of the others."""


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Parallel slices, evenly spaced, in order along a direction."""

    slices: tuple[CineSlice, ...]
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where the first slice lies."""
        return self.slices[0].place

    @property
    def step(self) -> Float[np.ndarray, " 3"]:
        """From one slice to the next, mm; across the plane by its thickness, or 1 mm, where there is but one."""
        if len(self.slices) == 1:
            return self.place.normal * (self.slices[0].planes[0].thickness_mm or 1.0)
        # Over the whole stack: the step between two neighbours holds the rounding of both.
        whole = self.slices[-1].place.corner - self.slices[0].place.corner
        step: Float[np.ndarray, " 3"] = whole / (len(self.slices) - 1)
        return step


@dataclass(frozen=True)
class Refusal:
    """Slices that are no image, and why."""

    slices: tuple[CineSlice, ...]
    reason: str


def parallel_groups(slices: Sequence[CineSlice]) -> list[list[CineSlice]]:
    """Slices of one grid and frame of reference that lie parallel to each other, in the order given."""
    groups: list[list[CineSlice]] = []
    for each in slices:
        group = next((group for group in groups if _is_like(each, group[0])), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return groups


def _is_like(one: CineSlice, other: CineSlice) -> bool:
    first, second = one.place, other.place
    return (
        first.shape == second.shape
        and bool(np.allclose(first.pixel_mm, second.pixel_mm, rtol=1e-4))
        and one.frame_of_reference == other.frame_of_reference
        and are_parallel(first, second)
    )


def are_parallel(one: Place, other: Place) -> bool:
    """Whether rows and columns of two planes run the same way."""
    apart = np.abs(one.right - other.right).max(), np.abs(one.down - other.down).max()
    return bool(max(apart) <= _SAME_DIRECTION)


def stacks_of_slices(
    slices: Sequence[CineSlice], towards: Float[np.ndarray, " 3"]
) -> tuple[list[SliceStack], list[Refusal]]:
    """Parallel slices as stacks in order along a direction, and those that are none.

    Of a slice that was acquired twice the later one is taken. Slices that are not evenly spaced together are as many
    stacks as there are series, or parts of a series far from each other, whose own slices are.

    Args:
        slices: see `parallel_groups`.
        towards: the direction of their normal in which the first comes before the last.
    """
    whole, fragments = _whole(slices)
    together = _stack(whole, towards)
    if isinstance(together, SliceStack):
        return [together], fragments
    by_series = [list(members) for _, members in groupby(sorted(whole, key=_series), key=_series)]
    parts = [part for members in by_series for part in _far_apart(members, towards)]
    apart = [_stack(part, towards) for part in parts if len(part) >= MIN_SLICES]
    stacks = [found for found in apart if isinstance(found, SliceStack)]
    if not stacks:
        return [], [*fragments, together]
    refused = [found for found in apart if isinstance(found, Refusal)]
    beside = [member for part in parts if len(part) < MIN_SLICES for member in part]
    lone = [Refusal((each,), "fits to the slices of no stack") for each in beside]
    return stacks, [*fragments, *refused, *lone]


def _far_apart(slices: Sequence[CineSlice], towards: Float[np.ndarray, " 3"]) -> list[list[CineSlice]]:
    """Slices cut where the gap between two is larger than a ventricle."""
    ordered = sorted(slices, key=lambda each: each.along_mm(towards))
    along = [each.along_mm(towards) for each in ordered]
    cuts = [place for place in range(1, len(ordered)) if along[place] - along[place - 1] > FAR_MM]
    return [ordered[start:end] for start, end in pairwise((0, *cuts, len(ordered)))]


def _series(cine: CineSlice) -> tuple[float, tuple[str, ...]]:
    series = cine.planes[0].series
    return series.number or 0.0, series.key


def _whole(slices: Sequence[CineSlice]) -> tuple[list[CineSlice], list[Refusal]]:
    """Slices with about as many instants as most have, and the others."""
    usual = usual_count(slices)
    whole = [each for each in slices if len(each.planes) >= _WHOLE * usual]
    fragments = [each for each in slices if len(each.planes) < _WHOLE * usual]
    return whole, [
        Refusal((each,), f"a slice with {len(each.planes)} instants, where others have {usual}") for each in fragments
    ]


def usual_count(slices: Sequence[CineSlice]) -> int:
    """How many instants most slices have, the larger number of two that are as frequent."""
    counts = [len(each.planes) for each in slices]
    return max(counts, key=lambda count: (counts.count(count), count))


def _stack(slices: Sequence[CineSlice], towards: Float[np.ndarray, " 3"]) -> SliceStack | Refusal:
    latest, notes = _latest(sorted(slices, key=lambda each: each.along_mm(towards)), towards)
    if len(latest) == 1:
        return SliceStack(tuple(latest), notes)
    stack = SliceStack(tuple(latest), notes)
    along = np.array([each.along_mm(towards) for each in latest])
    steps = np.diff(along)
    usual = float(np.median(steps))
    if np.abs(steps - usual).max() > _EVEN * usual:
        apart = " and ".join(f"{step:.3g}" for step in sorted({round(float(step), 1) for step in steps}))
        return Refusal(
            tuple(slices), f"its slices lie {apart} mm apart: one is missing, turned, or belongs to another stack"
        )
    corners = np.stack([each.place.corner for each in latest])
    straight = corners[0] + np.arange(len(latest))[:, None] * stack.step
    aside = (corners - straight) - ((corners - straight) @ towards)[:, None] * towards
    if np.linalg.norm(aside, axis=1).max() > _SHIFTED_MM:
        return Refusal(tuple(slices), "its slices are shifted sideways against each other")
    return stack


def _latest(slices: Sequence[CineSlice], towards: Float[np.ndarray, " 3"]) -> tuple[list[CineSlice], tuple[str, ...]]:
    """One slice at each place: the one that was acquired last."""
    kept, twice = [], 0
    for members in _at_one_place(slices, towards):
        kept.append(max(members, key=lambda each: each.age))
        twice += len(members) > 1
    if not twice:
        return kept, ()
    return kept, (f"{twice} of {len(kept)} slices were acquired more than once: the last of each was taken",)


def _at_one_place(slices: Sequence[CineSlice], towards: Float[np.ndarray, " 3"]) -> Iterator[list[CineSlice]]:
    """Slices, in order along a direction, by where they lie on it."""
    members: list[CineSlice] = []
    for each in slices:
        if members and each.along_mm(towards) - members[0].along_mm(towards) > tolerance_mm(each.planes[0]):
            yield members
            members = []
        members.append(each)
    yield members
