"""Thickness, thickening and strain of the wall in a short-axis stack: values of the whole and of its segments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cardiotrace.clinical.key_frames import KeyFrames
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.regional.contraction import (
    LINES,
    greatest_thickness,
    mean_thickness,
    ring_strain,
    segment_thickening,
    segment_thickness,
)
from cardiotrace.clinical.regional.division import FEWEST_SLICES, Division, divide, rings_of
from cardiotrace.clinical.rule import RULES, doubting, flag
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, Structure


@dataclass(frozen=True)
class RegionalMeasurement:
    """What was measured of the wall in one view."""

    quantities: tuple[Quantity, ...] = ()
    segments: tuple[SegmentValues, ...] = ()
    flags: tuple[Flag, ...] = ()


def measure_wall(key_frames: KeyFrames, stacks: Mapping[Phase, TracedStack]) -> RegionalMeasurement:
    """The wall in the slices of a stack that show it closed, at end-diastole and end-systole.

    Args:
        key_frames: of the stack.
        stacks: the image that each lies in.

    Returns:
        Nothing of single slices, or where the labels hold no myocardium. Without a pixel size strain alone, which is a
        ratio; without a way round of the walls no segments, and a flag that says why.
    """
    if any(stack.is_slice or Structure.MYO not in stack.counts for stack in stacks.values()):
        return RegionalMeasurement()
    wall = _Wall(key_frames, stacks)
    flags = tuple(item.of(key_frames.view_name) for item in wall.flags())
    return RegionalMeasurement(tuple(wall.quantities(flags)), tuple(wall.segments(flags)), flags)


@dataclass(frozen=True, eq=False)
class _Wall:
    """The stacks of one view at its key frames, divided."""

    key_frames: KeyFrames
    stacks: Mapping[Phase, TracedStack]

    @cached_property
    def divisions(self) -> Mapping[Phase, Division]:
        """Rings and segments of each key frame."""
        return {found.phase: divide(self.stacks[found.phase], found.frame) for found in self.key_frames}

    @property
    def is_scaled(self) -> bool:
        """Whether thickness can be had in mm."""
        return all(stack.scale.is_known for stack in self.stacks.values())

    @property
    def are_alike(self) -> bool:
        """Whether slices of both key frames can be compared one by one."""
        shapes = {stack.labels.array.shape[1:] for stack in self.stacks.values()}
        sizes = {stack.scale.pixel for stack in self.stacks.values()}
        return self.key_frames.are_both and len(shapes) == len(sizes) == 1

    def quantities(self, flags: Sequence[Flag]) -> list[Quantity]:
        """Of the whole wall."""
        found: list[Quantity] = []
        diastole = self.divisions.get(Phase.ED)
        if self.is_scaled and diastole is not None and diastole.rings:
            rings = diastole.rings.values()
            found.append(self._quantity("maximal_wall_thickness", greatest_thickness(rings), "mm", flags))
            found.append(self._quantity("mean_wall_thickness", mean_thickness(rings), "mm", flags))
        strain = ring_strain(*(self.divisions[phase].rings for phase in self.divisions)) if self.are_alike else None
        if strain is not None:
            around = zip((f"{line}_circumferential_strain" for line in LINES), strain.circumferential, strict=True)
            for name, value in (*around, ("radial_strain", strain.radial)):
                found.append(self._quantity(name, value, "percent", flags, Phase.ED, Phase.ES))
        return found

    def _quantity(self, name: str, value: float, unit: str, flags: Sequence[Flag], *phases: Phase) -> Quantity:
        method = Method.CONTOUR_LENGTH if "circumferential" in name else Method.CENTRELINE
        refs = self.key_frames.refs(*(phases or (Phase.ED,)))
        doubts = doubting(flags, "wall")
        return Quantity(f"left_ventricular_{name}", value, unit, method, self.key_frames.view_name, refs, flags=doubts)

    def segments(self, flags: Sequence[Flag]) -> list[SegmentValues]:
        """Of each segment."""
        found = []
        for phase, division in self.divisions.items():
            if self.is_scaled and division.middles:
                name = f"{_WORDS[phase]}_wall_thickness"
                found.append(self._segments(name, "mm", segment_thickness(division), flags, phase))
        both = tuple(self.divisions.values())
        if self.key_frames.are_both and self.is_scaled and all(division.middles for division in both):
            found.append(self._segments("wall_thickening", "percent", segment_thickening(*both), flags, *_WORDS))
        return found

    def _segments(
        self, name: str, unit: str, values: Mapping[int, float], flags: Sequence[Flag], *phases: Phase
    ) -> SegmentValues:
        refs, view = self.key_frames.refs(*phases), self.key_frames.view_name
        return SegmentValues(name, unit, Method.CENTRELINE, view, values, refs, doubting(flags, "wall"))

    def flags(self) -> list[Flag]:
        """What is odd about the wall, and why segments are missing, each once."""
        flags: list[Flag] = []
        for phase, division in self.divisions.items():
            flags.extend(item.of(phase) for item in _division_flags(division))
        diastole = self.divisions.get(Phase.ED)
        if self.is_scaled and diastole is not None and diastole.rings:
            value = greatest_thickness(diastole.rings.values())
            if RULES["wall-thickness"].breaks(value):
                flags.append(flag("wall-thickness", f"the wall is up to {value:.0f} mm thick at end-diastole"))
        reasons = dict.fromkeys(division.why_unnamed for division in self.divisions.values() if division.why_unnamed)
        flags.extend(flag("segments-unnamed", f"no values by segment of the wall: {why}") for why in reasons)
        return flags


_WORDS = {Phase.ED: "end_diastolic", Phase.ES: "end_systolic"}


def _division_flags(division: Division) -> list[Flag]:
    """What is odd about one frame."""
    flags = []
    count = len(division.levels) - len(division.rings)
    if division.levels and RULES["open-rings"].breaks(count / len(division.levels)):
        text = f"{count} of {len(division.levels)} slices show no closed wall and are left out of its thickness"
        flags.append(flag("open-rings", text))
    if not division.middles:
        return flags
    levels = [division.levels[depth] for depth in division.middles]
    if RULES["thin-levels"].breaks(min(levels.count(level) for level in range(FEWEST_SLICES))):
        flags.append(flag("thin-levels", "a third of the ventricle is known from one slice or none"))
    # At the apex the right ventricle ends, and with it what can be said of the span.
    spans = [septum.span for depth, septum in division.septa.items() if division.levels[depth] < FEWEST_SLICES - 1]
    if spans and RULES["septal-span"].breaks(float(np.median(spans))):
        text = (
            f"the insertions of the right ventricle are {np.median(spans):.0f} degrees apart, as seen from the left one"
        )
        flags.append(flag("septal-span", text))
    return flags


def strain_series(stack: TracedStack, diastole: int) -> dict[str, tuple[float | None, ...]]:
    """Strain in every frame of a moving stack, percent of one frame, by name and unit; None where no ring is shared.

    Args:
        stack: with its myocardium labelled.
        diastole: the frame that is compared with.

    Source:
        Lagrangian strain e(t) = 100 (L(t) - L(0)) / L(0).
    """
    if stack.is_slice or Structure.MYO not in stack.counts:
        return {}
    frames = [rings_of(stack, frame) for frame in range(len(stack.blank))]
    found = [ring_strain(frames[diastole], rings) for rings in frames]
    series: dict[str, tuple[float | None, ...]] = {}
    for index, line in enumerate(LINES):
        name = f"left_ventricular_{line}_circumferential_strain_percent"
        series[name] = tuple(None if each is None else each.circumferential[index] for each in found)
    radial = tuple(None if each is None else each.radial for each in found)
    return series | {"left_ventricular_radial_strain_percent": radial} if any(found) else {}
