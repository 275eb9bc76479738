"""Volumes and mass from a stack of short-axis slices; areas from a single one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cardiotrace.clinical.anatomy.flags import short_axis_anatomy_flags
from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.films.average import alike, over_beats, segments_over_beats
from cardiotrace.clinical.key_frames import PHASE_WORD, KeyFrame, KeyFrames, find_view_beats
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.regional.measurement import measure_wall
from cardiotrace.clinical.rule import RULES, doubting, flag
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.slices import Slices, ventricle_flags
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.clinical.validity import ejection_flags, geometry_flags, same_size_flags, volume_flags
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, Structure

MYOCARDIUM_G_PER_ML = 1.05
MASS_NAMES = {Phase.ED: "left_ventricular_mass", Phase.ES: "left_ventricular_end_systolic_mass"}

_OF_STACK = (
    *("few-slices", "slice-missing", "blank-beside"),
    *("stack-height", "stack-height-impossible", "sizes-differ", "sizes-contradict"),
)
"""Rules that doubt every ventricle of the stack, although they look at the left one."""
_VENTRICLES = {Structure.LV: "left ventricle", Structure.RV: "right ventricle"}


@dataclass(frozen=True)
class StackMeasurement:
    """All that is measured in short-axis stacks of one exam: means over its beats, and the frames of the usual one."""

    quantities: Sequence[Quantity] = ()
    key_frames: tuple[KeyFrame, ...] = ()
    flags: tuple[Flag, ...] = ()
    segments: tuple[SegmentValues, ...] = ()
    """Thickness and thickening of the wall, segment by segment."""
    stacks: Mapping[Phase, TracedStack] = field(default_factory=dict)
    """The image that each key frame lies in."""
    beats: "tuple[StackMeasurement, ...]" = ()
    """Every beat by itself, in order of time."""


def measure_stack(stacks: Sequence[TracedStack]) -> StackMeasurement:
    """Volumes of the labelled ventricles, their ejection fractions, mass of the myocardium, and what its wall does.

    Where voxel size or slice distance is not known, the ejection fractions stay: they are ratios. A single slice gives
    areas.

    Args:
        stacks: of one exam: one moving, or one per phase.

    Returns:
        Quantities, key frames and flags.

    Source:
        Volume = voxels times their size; mass = 1.05 g/ml times the volume of the myocardium.
    """
    if not stacks:
        return StackMeasurement()
    found = find_view_beats(stacks)
    if found is None:
        view = stacks[0].image.image.view_name
        return StackMeasurement(flags=(flag("no-ventricle", f"{view}: no left ventricle was found"),))
    by_name = {stack.name: stack for stack in stacks}
    of_film = [item.of(found.beats[0].view_name) for item in found.flags]
    beats = [_measure_beat(key_frames, by_name, of_film) for key_frames in found.beats]
    flags = alike(item for beat in beats for item in beat.flags)
    return replace(
        beats[found.usual],
        quantities=over_beats([beat.quantities for beat in beats]),
        flags=flags,
        segments=segments_over_beats([beat.segments for beat in beats]),
        beats=tuple(beats),
    )


def _measure_beat(
    key_frames: KeyFrames, by_name: Mapping[str, TracedStack], of_film: Sequence[Flag]
) -> StackMeasurement:
    """All that is measured in one beat."""
    beat = _Beat(key_frames, {found.phase: by_name[found.image] for found in key_frames})
    flags = [*of_film, *_stack_flags(beat), *_stroke_flags(beat)]
    quantities: list[Quantity] = []
    for ventricle in beat.sizes:
        found = _Ventricle.of(beat, ventricle, flags).quantities()
        quantities.extend(found)
        flags.extend(item for quantity in found for item in quantity.flags)
    wall = measure_wall(key_frames, beat.stacks)
    quantities.extend((*_masses(beat, flags), *wall.quantities))
    flags.extend(wall.flags)
    once = tuple(dict.fromkeys(flags))
    return StackMeasurement(tuple(quantities), tuple(key_frames), once, wall.segments, beat.stacks)


@dataclass(frozen=True, eq=False)
class _Beat:
    """The stacks of one view at its key frames."""

    key_frames: KeyFrames
    stacks: Mapping[Phase, TracedStack]
    """The image that each key frame lies in."""

    @property
    def view(self) -> str:
        """What a cardiologist calls the view."""
        return self.key_frames.view_name

    @property
    def is_slice(self) -> bool:
        """Whether no image has more than one slice."""
        return all(stack.is_slice for stack in self.stacks.values())

    @property
    def is_scaled(self) -> bool:
        """Whether the pixel size of every image is known."""
        return all(stack.scale.is_known for stack in self.stacks.values())

    @cached_property
    def unit(self) -> str:
        """What sizes are in: "ml", or "cm2" of a single slice; "px" where the size of voxels is not known."""
        if not self.is_scaled:
            return "px"
        if self.is_slice:
            return "cm2"
        return "px" if any(stack.voxel_ml is None for stack in self.stacks.values()) else "ml"

    @cached_property
    def sizes(self) -> Mapping[Structure, Mapping[Phase, float]]:
        """Volume or area of the ventricles that every image has labels for, in `unit`."""
        held = [item for item in _VENTRICLES if all(item in stack.counts for stack in self.stacks.values())]
        return {
            structure: {found.phase: self._size(structure, found) for found in self.key_frames} for structure in held
        }

    def _size(self, structure: Structure, found: KeyFrame) -> float:
        stack = self.stacks[found.phase]
        count = float(stack.counts[structure][found.frame].sum())
        if self.unit == "ml":
            return count * (stack.voxel_ml or 0.0)
        # Without a slice distance the ratio still needs the pixels of both key frames to be alike.
        return count * stack.scale.pixel_area / 100 if self.is_scaled else count

    def shown_sizes(self, structure: Structure) -> dict[Phase, float]:
        """Those of a ventricle in the key frames that show it."""
        return {phase: size for phase, size in self.sizes[structure].items() if size > 0}

    def slices(self) -> dict[Phase, Slices]:
        """What each slice holds in the key frames."""
        return {found.phase: Slices.of(self.stacks[found.phase], found.frame) for found in self.key_frames}


@dataclass(frozen=True, eq=False)
class _Ventricle:
    """One ventricle of a beat."""

    beat: _Beat
    structure: Structure
    flags: Sequence[Flag]
    """What speaks against any of its values."""

    @classmethod
    def of(cls, beat: _Beat, structure: Structure, flags: Sequence[Flag]) -> "_Ventricle":
        """A ventricle with those of the stack's flags that concern it, and those of its own values."""
        own = [item for item in flags if item.about in (structure.value, "") or item.rule in _OF_STACK]
        values = _value_flags(beat, structure)
        return cls(beat, structure, [*own, *(item.of(f"{beat.view} {structure.value}") for item in values)])

    def quantities(self) -> list[Quantity]:
        """Ejection fraction, volumes and stroke volume; areas and their change of a single slice."""
        sizes, is_slice = self.beat.shown_sizes(self.structure), self.beat.is_slice
        found = []
        if len(sizes) == 2:
            percent = ejection_fraction(sizes[Phase.ED], sizes[Phase.ES])
            # The heart moves through a fixed slice as its base descends: the change of area there is no ejection
            # fraction, and must not be called one.
            name = "fractional_area_change" if is_slice else "ejection_fraction"
            found.append(self._quantity(name, percent, "percent", tuple(sizes), ("ejection",)))
        word, kind = ("area", "size") if is_slice else ("volume", "volume")
        if self.beat.unit != "px":
            for phase, size in sizes.items():
                found.append(self._quantity(f"{PHASE_WORD[phase]}_{word}", size, self.beat.unit, (phase,), (kind,)))
        if len(sizes) == 2 and self.beat.unit == "ml":
            stroke_ml = stroke_volume_ml(sizes[Phase.ED], sizes[Phase.ES])
            found.append(self._quantity("stroke_volume", stroke_ml, "ml", tuple(sizes), ("ejection", "volume")))
        return found

    def _quantity(
        self, name: str, value: float, unit: str, phases: tuple[Phase, ...], kinds: tuple[str, ...]
    ) -> Quantity:
        """One of them, with the flags that doubt its kinds."""
        name = f"{_VENTRICLES[self.structure].replace(' ventricle', '_ventricular')}_{name}"
        method = Method.TRACED_SLICE if self.beat.is_slice else Method.SUM_OF_SLICES
        doubts = tuple(dict.fromkeys(item for kind in kinds for item in doubting(self.flags, kind)))
        return Quantity(name, value, unit, method, self.beat.view, self.beat.key_frames.refs(*phases), flags=doubts)


def _value_flags(beat: _Beat, ventricle: Structure) -> list[Flag]:
    """Whether volumes and ejection fraction can be."""
    if beat.is_slice:
        return []
    sizes = beat.shown_sizes(ventricle)
    flags: list[Flag] = []
    # Ratios and volumes are checked alone: one can be had without the other.
    if len(sizes) == 2:
        percent = ejection_fraction(sizes[Phase.ED], sizes[Phase.ES])
        flags.extend(ejection_flags(percent, about=ventricle.value))
    if beat.unit == "ml":
        flags.extend(volume_flags(sizes.get(Phase.ED), sizes.get(Phase.ES), about=ventricle.value))
    return flags


def _masses(beat: _Beat, flags: Sequence[Flag]) -> list[Quantity]:
    """Mass of the myocardium at end-diastole and at end-systole, where it is labelled."""
    found = []
    for key_frame in beat.key_frames:
        stack = beat.stacks[key_frame.phase]
        if beat.unit != "ml" or Structure.MYO not in stack.counts:
            continue
        wall_ml = float(stack.counts[Structure.MYO][key_frame.frame].sum()) * (stack.voxel_ml or 0.0)
        if wall_ml:
            name, doubts = MASS_NAMES[key_frame.phase], doubting(flags, "mass")
            mass_g, refs = MYOCARDIUM_G_PER_ML * wall_ml, (key_frame.ref,)
            found.append(Quantity(name, mass_g, "g", Method.SUM_OF_SLICES, beat.view, refs, flags=doubts))
    return found


def _stack_flags(beat: _Beat) -> list[Flag]:
    """What is odd about units, slices and key frames, headed by the view; then what files say against themselves."""
    slices = beat.slices()
    flags = _unit_flags(beat)
    for phase, each in slices.items():
        flags.extend(item.of(phase) for item in _height_flags(each, beat.stacks[phase]))
    flags.extend(_phase_flags(beat))
    for found in beat.key_frames:
        stack = beat.stacks[found.phase]
        shown = np.flatnonzero(~stack.blank[found.frame]).tolist()
        odd = short_axis_anatomy_flags(stack.labels, found.frame, shown, stack.findings)
        flags.extend(item.of(found.phase) for item in odd)
    files = [item for stack in beat.stacks.values() for item in geometry_flags(stack.image, stack.labels)]
    return [*(item.of(beat.view) for item in flags), *ventricle_flags(slices, beat.view), *files]


def _unit_flags(beat: _Beat) -> list[Flag]:
    """What cannot be had of a single slice, without a pixel size, without a slice distance."""
    if beat.is_slice:
        text = "a single slice gives areas and their change over the beat; no volumes, no ejection fraction, no mass"
        return [flag("single-slice", text)]
    if not beat.is_scaled:
        return [flag("no-pixel-size", "the voxel spacing is unknown: no volumes; the ratios hold")]
    if beat.unit == "px":
        text = "the distance of the slices is unknown: no volumes; give it with --spacing-mm HEIGHT WIDTH DEPTH"
        return [flag("no-slice-distance", text)]
    return []


def _phase_flags(beat: _Beat) -> list[Flag]:
    """Whether both phases are there, of one size of pixels, and each what it is called."""
    if not beat.key_frames.are_both:
        text = "the exam shows only one instant: no ejection fraction"
        if not all(found.is_named for found in beat.key_frames):
            # Its volume goes by the name of a phase that nobody has stated.
            text += "; nothing says which, and it is called end-diastole"
        return [flag("one-instant", text)]
    flags = [*same_size_flags(beat.stacks[Phase.ED].labels, beat.stacks[Phase.ES].labels)]
    counts = {
        found.phase: beat.stacks[found.phase].counts[Structure.LV][found.frame].sum() for found in beat.key_frames
    }
    if counts[Phase.ED] < counts[Phase.ES]:
        text = "the left ventricle is smaller at the named end-diastole than at end-systole: swapped?"
        flags.append(flag("swapped", text))
    return flags


def _height_flags(found: Slices, stack: TracedStack) -> list[Flag]:
    """Whether the slices that show the left ventricle are together as high as one; few of them are low anyway."""
    distance_mm = float("nan") if stack.labels.spacing_mm is None else stack.labels.spacing_mm[0]
    height_mm = len(found.shown) * distance_mm
    is_few = RULES["few-slices"].breaks(len(found.shown))
    is_unknown = height_mm != height_mm
    if stack.is_slice or is_unknown or (is_few and height_mm <= RULES["stack-height"].high):
        return []
    # The gravest alone: one wrong distance is not told twice.
    for rule in ("stack-height-impossible", "stack-height"):
        if RULES[rule].breaks(height_mm):
            text = f"the left ventricle is {height_mm:.0f} mm high, {len(found.shown)} slices of {distance_mm:.4g} mm"
            return [flag(rule, f"{text}: check the distance of the slices")]
    return []


def _stroke_flags(beat: _Beat) -> list[Flag]:
    """Whether a ventricle is lost in one key frame, and whether both eject about as much, headed by the view."""
    flags = [item for ventricle in beat.sizes for item in _lost_flags(beat, ventricle)]
    complete = [sizes for ventricle in beat.sizes if len(sizes := beat.shown_sizes(ventricle)) == 2]
    if len(complete) == 2:
        left, right = complete
        # Both ventricles pass on the same blood. As a share of the filling, since in ml a small heart would never be
        # doubted and a dilated one always.
        filling = (left[Phase.ED] + right[Phase.ED]) / 2
        share = abs(left[Phase.ED] - left[Phase.ES] - (right[Phase.ED] - right[Phase.ES])) / filling
        if RULES["stroke-volumes-differ"].breaks(share):
            text = f"the ventricles' stroke volumes differ by {100 * share:.0f} % of their filling"
            flags.append(flag("stroke-volumes-differ", text, about=""))
    return [item.of(beat.view) for item in flags]


def _lost_flags(beat: _Beat, ventricle: Structure) -> list[Flag]:
    lost = [phase for phase, size in beat.sizes[ventricle].items() if not size]
    # Missing at both instants, it is a structure that nobody labelled; missing at one, something went wrong.
    if len(lost) != 1 or not beat.key_frames.are_both:
        return []
    text = f"no {_VENTRICLES[ventricle]} was found at {lost[0]}, but at the other instant"
    return [flag("lost", text, about=ventricle.value)]
