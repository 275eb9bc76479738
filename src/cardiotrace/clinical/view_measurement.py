"""One long-axis view through the heart cycle, and two of them together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardiotrace.clinical.axis import outline_mm
from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.expected import Doubt, error_flags
from cardiotrace.clinical.key_frames import PHASE_WORD, KeyFrame, KeyFrames, find_key_frames
from cardiotrace.clinical.long_axis_trace import LongAxisTrace, plane_mask, plane_spacing
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import doubting, flag
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.validity import (
    agreement_flags,
    atrium_flags,
    biplane_flags,
    change_flags,
    ejection_flags,
    geometry_flags,
    length_flags,
    same_size_flags,
    section_flags,
    volume_flags,
)
from cardiotrace.clinical.volume import area_length_ml, biplane_area_length_ml, biplane_lengths_mm, biplane_ml
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, Structure, View

SIMPSON = "method of disks, single plane"
AREA_LENGTH = "area-length, single plane"
BIPLANE = "biplane method of disks"
BIPLANE_AREA_LENGTH = "area-length, biplane"
TRACED = "traced"


@dataclass(frozen=True)
class Atrium:
    """The left atrium at end-systole."""

    area_cm2: float
    length_cm: float | None
    """From the midpoint of the mitral annulus to the farthest point of its outline."""
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class ViewMeasurement:
    """What was traced in one long-axis view."""

    view: View
    key_frames: KeyFrames
    traces: Mapping[Phase, LongAxisTrace]
    atrium: Atrium | None
    is_scaled: bool
    """Whether every image of it has a pixel spacing."""
    flags: tuple[Flag, ...]
    """What is odd about the frames, each with its view and phase."""

    @property
    def instants(self) -> tuple[KeyFrame, ...]:
        """End-diastole and end-systole with what was traced there."""
        return self.key_frames.with_sections(self.traces)

    def frames(self, *phases: Phase) -> tuple[str, ...]:
        """Image and frame of the phases, as "image:frame"."""
        return tuple(instant.label for instant in self.key_frames.instants if instant.phase in phases)


def measure_view(cines: Sequence[TracedCine], doubts: Mapping[str, Doubt] | None = None) -> ViewMeasurement | None:
    """Find the key_frames of one view and what was traced at its two instants.

    Args:
        cines: planar images of one long-axis view.
        doubts: how unsure the model was of each frame, by image name; none where a person drew.

    Returns:
        The traced plane; None if no frame shows a left ventricle and none is named.
    """
    by_name = {cine.name: cine for cine in cines}
    key_frames = find_key_frames([cine.image for cine in cines], {cine.name: cine.areas_cm2 for cine in cines})
    if key_frames is None:
        return None
    traces: dict[Phase, LongAxisTrace] = {}
    flags: list[Flag] = []
    for instant in key_frames.instants:
        cine = by_name[instant.image]
        traces[instant.phase] = cine.traces[instant.frame]
        odd = section_flags(cine, instant.frame)
        flags.extend(item.of(f"{key_frames.view_name} {instant.phase}") for item in odd)
        flags.extend(geometry_flags(cine.image, cine.labels))
    if len(key_frames.instants) == 2:
        both = same_size_flags(*(by_name[instant.image].labels for instant in key_frames.instants))
        flags.extend(item.of(key_frames.view_name) for item in both)
    is_scaled = all(by_name[instant.image].is_scaled for instant in key_frames.instants)
    of_cycle = (*_cycle_flags(key_frames, traces, is_scaled), *_error_flags(key_frames, traces, is_scaled, doubts))
    flags.extend(item.of(key_frames.view_name) for item in of_cycle)
    atrium = _atrium(key_frames, traces, by_name)
    return ViewMeasurement(key_frames.view, key_frames, traces, atrium, is_scaled, tuple(dict.fromkeys(flags)))


def view_quantities(plane: ViewMeasurement) -> list[Quantity]:
    """Everything that one plane tells, by disks first, then by area and length."""
    quantities: list[Quantity] = []
    for method, volume in (
        (SIMPSON, lambda found: found.simpson_ml),
        (AREA_LENGTH, lambda found: found.area_length_ml),
    ):
        quantities.extend(_plane_volumes(plane, method, volume))
    quantities.extend(_sizes(plane))
    return [*quantities, *_atrium_quantities(plane)]


def biplane_quantities(planes: Sequence[ViewMeasurement]) -> list[Quantity]:
    """Volumes and ejection fraction from the four- and the two-chamber view together; empty without both."""
    four = next((plane for plane in planes if plane.view is View.FOUR_CHAMBER), None)
    two = next((plane for plane in planes if plane.view is View.TWO_CHAMBER), None)
    if four is None or two is None or not (four.is_scaled and two.is_scaled):
        return []
    return [*_biplane_volumes(four, two), *_biplane_atrium(four, two)]


def _biplane_volumes(four: ViewMeasurement, two: ViewMeasurement) -> list[Quantity]:
    volumes: dict[Phase, float] = {}
    flags: list[Flag] = [*four.flags, *two.flags]
    for phase in (Phase.ED, Phase.ES):
        first, second = four.traces.get(phase), two.traces.get(phase)
        if first is None or second is None or first.disks is None or second.disks is None:
            return []
        (length_mm,) = biplane_lengths_mm([first.disks.length_mm], [second.disks.length_mm])
        volumes[phase] = biplane_ml(first.disks.diameters_mm, second.disks.diameters_mm, length_mm)
        flags.extend(biplane_flags(first.disks.length_mm / 10, second.disks.length_mm / 10, phase=phase))
    fractions = [_plane_ejection(plane) for plane in (four, two)]
    if fractions[0] is not None and fractions[1] is not None:
        between = f"{four.key_frames.view_name} and {two.key_frames.view_name}"
        flags.extend(agreement_flags("planes-disagree", fractions[0], fractions[1], between=between))
    flags.extend(item.of("biplane") for item in _value_flags(volumes[Phase.ED], volumes[Phase.ES], is_scaled=True))
    frames = {phase: (*four.frames(phase), *two.frames(phase)) for phase in volumes}
    return _ejection(volumes, frames, BIPLANE, f"{four.key_frames.view_name}+{two.key_frames.view_name}", flags)


def _biplane_atrium(four: ViewMeasurement, two: ViewMeasurement) -> list[Quantity]:
    """Volume of the left atrium from both planes, as high as the shorter of its two lengths."""
    first, second = four.atrium, two.atrium
    if first is None or second is None or not first.length_cm or not second.length_cm:
        return []
    value = biplane_area_length_ml(first.area_cm2, second.area_cm2, min(first.length_cm, second.length_cm))
    flags = doubting((*four.flags, *two.flags, *first.flags, *second.flags), "atrium")
    view = f"{four.key_frames.view_name}+{two.key_frames.view_name}"
    frames = (*four.frames(Phase.ES), *two.frames(Phase.ES))
    return [Quantity("left_atrial_volume", value, "ml", BIPLANE_AREA_LENGTH, view, frames, flags=flags)]


def _cycle_flags(key_frames: KeyFrames, traces: Mapping[Phase, LongAxisTrace], is_scaled: bool) -> list[Flag]:
    if key_frames.end_diastole is None or key_frames.end_systole is None:
        missing = "end-diastole" if key_frames.end_diastole is None else "end-systole"
        return [flag("one-instant", f"the exam shows no {missing}: no ejection fraction")]
    diastole, systole = traces[Phase.ED], traces[Phase.ES]
    flags: list[Flag] = []
    if diastole.area_cm2 < systole.area_cm2:
        text = "the left ventricle is smaller at the named end-diastole than at end-systole: are they swapped?"
        flags.append(flag("swapped", text))
    if is_scaled:
        flags.extend(length_flags(diastole, systole))
    flags.extend(change_flags(diastole, systole))
    by_discs = _ejection_percent(diastole.simpson_ml, systole.simpson_ml)
    by_length = _ejection_percent(diastole.area_length_ml, systole.area_length_ml)
    flags.extend(_value_flags(diastole.simpson_ml, systole.simpson_ml, is_scaled=is_scaled))
    if by_discs is not None and by_length is not None:
        flags.extend(agreement_flags("methods-disagree", by_discs, by_length, between="disks and area-length"))
    return flags


def _value_flags(end_diastolic_ml: float | None, end_systolic_ml: float | None, *, is_scaled: bool) -> list[Flag]:
    percent = _ejection_percent(end_diastolic_ml, end_systolic_ml)
    flags = [] if percent is None else [*ejection_flags(percent)]
    return [*flags, *volume_flags(end_diastolic_ml, end_systolic_ml)] if is_scaled else flags


def _error_flags(
    key_frames: KeyFrames, traces: Mapping[Phase, LongAxisTrace], is_scaled: bool, doubts: Mapping[str, Doubt] | None
) -> tuple[Flag, ...]:
    """Whether the model's labels make an error of the ejection fraction likely; nothing of labels drawn by hand."""
    diastole, systole = key_frames.end_diastole, key_frames.end_systole
    if diastole is None or systole is None or doubts is None or systole.image not in doubts:
        return ()
    unsure = float(doubts[systole.image][systole.frame])
    return error_flags(traces[Phase.ED], traces[Phase.ES], unsure, is_scaled=is_scaled)


def _ejection_percent(end_diastolic_ml: float | None, end_systolic_ml: float | None) -> float | None:
    if not end_diastolic_ml or end_systolic_ml is None:
        return None
    return ejection_fraction(end_diastolic_ml, end_systolic_ml)


def _plane_ejection(plane: ViewMeasurement) -> float | None:
    return _ejection_percent(plane.traces[Phase.ED].simpson_ml, plane.traces[Phase.ES].simpson_ml)


def _plane_volumes(
    plane: ViewMeasurement, method: str, volume: Callable[[LongAxisTrace], float | None]
) -> list[Quantity]:
    volumes = {phase: value for phase, found in plane.traces.items() if (value := volume(found)) is not None}
    frames = {phase: plane.frames(phase) for phase in volumes}
    quantities = _ejection(volumes, frames, method, plane.key_frames.view_name, plane.flags)
    return quantities if plane.is_scaled else [item for item in quantities if item.unit == "percent"]


def _ejection(
    volumes: Mapping[Phase, float],
    frames: Mapping[Phase, tuple[str, ...]],
    method: str,
    view: str,
    flags: Sequence[Flag],
) -> list[Quantity]:
    """Ejection fraction, volumes and stroke volume by one method."""
    of_volume, of_ejection = doubting(flags, "volume"), doubting(flags, "ejection")
    quantities = [
        Quantity(
            f"left_ventricular_{PHASE_WORD[phase]}_volume", value, "ml", method, view, frames[phase], flags=of_volume
        )
        for phase, value in volumes.items()
    ]
    if set(volumes) == set(PHASE_WORD) and volumes[Phase.ED] > 0:
        both = (*frames[Phase.ED], *frames[Phase.ES])
        percent = ejection_fraction(volumes[Phase.ED], volumes[Phase.ES])
        stroke_ml = stroke_volume_ml(volumes[Phase.ED], volumes[Phase.ES])
        quantities.insert(
            0, Quantity("left_ventricular_ejection_fraction", percent, "percent", method, view, both, flags=of_ejection)
        )
        of_both = tuple(dict.fromkeys((*of_ejection, *of_volume)))
        quantities.append(
            Quantity("left_ventricular_stroke_volume", stroke_ml, "ml", method, view, both, flags=of_both)
        )
    return quantities


def _sizes(plane: ViewMeasurement) -> list[Quantity]:
    """Areas, lengths and the change of area; of a frame without a ventricle there are none."""
    quantities = []
    unit, factor = ("cm2", 1.0) if plane.is_scaled else ("px2", 100.0)
    view, flags = plane.key_frames.view_name, doubting(plane.flags, "size")
    shown = {phase: found for phase, found in plane.traces.items() if found.area_cm2 > 0}
    for phase, found in shown.items():
        name, frames = f"left_ventricular_{PHASE_WORD[phase]}", plane.frames(phase)
        area = found.area_cm2 * factor
        quantities.append(Quantity(f"{name}_area", area, unit, TRACED, view, frames, flags=flags))
        if found.length_cm is not None and plane.is_scaled:
            length = Quantity(f"{name}_length", found.length_cm, "cm", TRACED, view, frames, flags=flags)
            quantities.append(length)
    if set(shown) == set(PHASE_WORD):
        change = ejection_fraction(shown[Phase.ED].area_cm2, shown[Phase.ES].area_cm2)
        frames, doubted = plane.frames(Phase.ED, Phase.ES), doubting(plane.flags, "ejection")
        quantities.append(
            Quantity("left_ventricular_fractional_area_change", change, "percent", TRACED, view, frames, flags=doubted)
        )
    return quantities


def _atrium(
    key_frames: KeyFrames, traces: Mapping[Phase, LongAxisTrace], cines: Mapping[str, TracedCine]
) -> Atrium | None:
    """The left atrium at end-systole, where it is labelled and shown."""
    instant = key_frames.end_systole
    if instant is None:
        return None
    cine, found = cines[instant.image], traces[Phase.ES]
    mask = plane_mask(cine.labels, Structure.LA, instant.frame)
    if mask is None:
        return None
    flags = tuple(item.of(f"{key_frames.view_name} {instant.phase}") for item in atrium_flags(cine, instant.frame))
    if not mask.any():
        return Atrium(0.0, None, flags)
    length_cm = None
    if found.axis is not None:
        ring = outline_mm(mask, plane_spacing(cine.labels))
        length_cm = float(np.linalg.norm(ring - found.axis.base_mm, axis=1).max() / 10)
    return Atrium(found.atrium_cm2, length_cm, flags)


def _atrium_quantities(plane: ViewMeasurement) -> list[Quantity]:
    atrium = plane.atrium
    if atrium is None or not atrium.area_cm2:
        return []
    view, frames = plane.key_frames.view_name, plane.frames(Phase.ES)
    flags = doubting((*plane.flags, *atrium.flags), "atrium")
    if not plane.is_scaled:
        area_px = atrium.area_cm2 * 100
        return [Quantity("left_atrial_area", area_px, "px2", TRACED, view, frames, flags=flags)]
    quantities = [Quantity("left_atrial_area", atrium.area_cm2, "cm2", TRACED, view, frames, flags=flags)]
    if atrium.length_cm:
        volume_ml = area_length_ml(atrium.area_cm2, atrium.length_cm)
        quantities.append(Quantity("left_atrial_length", atrium.length_cm, "cm", TRACED, view, frames, flags=flags))
        quantities.append(Quantity("left_atrial_volume", volume_ml, "ml", AREA_LENGTH, view, frames, flags=flags))
    return quantities
