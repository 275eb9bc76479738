"""One long-axis view through the heart cycle, and two of them together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardiotrace.clinical.axis import outline_mm
from cardiotrace.clinical.curve import area_cm2
from cardiotrace.clinical.cycle import Cycle, Instant, find_cycle
from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.section import Section, plane_mask, plane_spacing, section
from cardiotrace.clinical.validity import (
    METHOD_GAP_PERCENT,
    PLANE_GAP_PERCENT,
    agreement_flags,
    atrium_flags,
    biplane_flags,
    ejection_flags,
    length_flags,
    section_flags,
)
from cardiotrace.clinical.volume import area_length_ml, biplane_lengths_mm, biplane_ml
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, Structure, View

SIMPSON = "discs, one plane"
AREA_LENGTH = "area-length, one plane"
BIPLANE = "discs, biplane"
TRACED = "traced"

_PHASE_WORD = {Phase.ED: "end_diastolic", Phase.ES: "end_systolic"}


@dataclass(frozen=True)
class Atrium:
    """The left atrium at end-systole."""

    area_cm2: float
    length_cm: float | None
    """From the midpoint of the mitral annulus to the farthest point of its outline."""
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Plane:
    """What was traced in one long-axis view."""

    view: View
    cycle: Cycle
    sections: Mapping[Phase, Section]
    atrium: Atrium | None
    is_scaled: bool
    """Whether every image of it has a pixel spacing."""
    flags: tuple[Flag, ...]
    """What is odd about the frames, each with its view and phase."""

    @property
    def instants(self) -> tuple[Instant, ...]:
        """End-diastole and end-systole with their long axes."""
        axes = {instant.label: self.sections[instant.phase].axis for instant in self.cycle.instants}
        return self.cycle.with_axes(axes)

    def frames(self, *phases: Phase) -> tuple[str, ...]:
        """Image and frame of the phases, as "image:frame"."""
        return tuple(instant.label for instant in self.cycle.instants if instant.phase in phases)


def trace_plane(images: Sequence[ExamImage], labels: Mapping[str, LabelMap]) -> Plane | None:
    """Find the cycle of one view and trace its two instants.

    Args:
        images: planar images of one long-axis view.
        labels: their labels, by image name.

    Returns:
        The traced plane; None if no frame shows a left ventricle and none is named.
    """
    sizes = {image.name: _areas(labels[image.name]) for image in images}
    cycle = find_cycle(images, sizes)
    if cycle is None:
        return None
    by_name = {image.name: image for image in images}
    sections: dict[Phase, Section] = {}
    flags: list[Flag] = []
    for instant in cycle.instants:
        image, found = by_name[instant.image], labels[instant.image]
        sections[instant.phase] = section(found, instant.frame, apex_up=_apex_up(image))
        odd = section_flags(image, found, instant.frame, sections[instant.phase])
        flags.extend(flag.of(f"{cycle.view_name} {instant.phase}") for flag in odd)
    is_scaled = all(labels[instant.image].spacing_mm is not None for instant in cycle.instants)
    flags.extend(flag.of(cycle.view_name) for flag in _cycle_flags(cycle, sections, is_scaled))
    return Plane(cycle.view, cycle, sections, _atrium(cycle, sections, by_name, labels), is_scaled, tuple(flags))


def plane_quantities(plane: Plane) -> list[Quantity]:
    """Everything that one plane tells, by discs first, then by area and length."""
    quantities: list[Quantity] = []
    for method, volume in (
        (SIMPSON, lambda found: found.simpson_ml),
        (AREA_LENGTH, lambda found: found.area_length_ml),
    ):
        quantities.extend(_plane_volumes(plane, method, volume))
    quantities.extend(_sizes(plane))
    return [*quantities, *_atrium_quantities(plane)]


def biplane_quantities(planes: Sequence[Plane]) -> list[Quantity]:
    """Volumes and ejection fraction from the four- and the two-chamber view together; empty without both."""
    four = next((plane for plane in planes if plane.view is View.FOUR_CHAMBER), None)
    two = next((plane for plane in planes if plane.view is View.TWO_CHAMBER), None)
    if four is None or two is None or not (four.is_scaled and two.is_scaled):
        return []
    volumes: dict[Phase, float] = {}
    flags: list[Flag] = [*four.flags, *two.flags]
    for phase in (Phase.ED, Phase.ES):
        first, second = four.sections.get(phase), two.sections.get(phase)
        if first is None or second is None or first.discs is None or second.discs is None:
            return []
        (length_mm,) = biplane_lengths_mm([first.discs.length_mm], [second.discs.length_mm])
        volumes[phase] = biplane_ml(first.discs.diameters_mm, second.discs.diameters_mm, length_mm)
        flags.extend(biplane_flags(first.discs.length_mm / 10, second.discs.length_mm / 10, phase=phase))
    fractions = [_plane_ejection(plane) for plane in (four, two)]
    if fractions[0] is not None and fractions[1] is not None:
        gap = agreement_flags(
            fractions[0],
            fractions[1],
            limit=PLANE_GAP_PERCENT,
            between=f"{four.cycle.view_name} and {two.cycle.view_name}",
        )
        flags.extend(gap)
    frames = {phase: (*four.frames(phase), *two.frames(phase)) for phase in volumes}
    return _ejection(volumes, frames, BIPLANE, f"{four.cycle.view_name}+{two.cycle.view_name}", tuple(flags))


def _apex_up(image: ExamImage) -> bool:
    return image.cine.is_apical or image.cine.view is View.UNKNOWN


def _areas(labels: LabelMap) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    counts = np.count_nonzero(labels.mask(Structure.LV)[:, 0], axis=(1, 2))
    height_mm, width_mm = plane_spacing(labels)
    return np.asarray(counts * height_mm * width_mm, np.float64)


def _cycle_flags(cycle: Cycle, sections: Mapping[Phase, Section], is_scaled: bool) -> list[Flag]:
    flags: list[Flag] = []
    if cycle.end_diastole is None or cycle.end_systole is None:
        missing = "end-diastole" if cycle.end_diastole is None else "end-systole"
        return [Flag(Grade.LOOK_TWICE, f"the exam shows no {missing}: no ejection fraction", "one-instant", "LV")]
    end_diastole, end_systole = sections[Phase.ED], sections[Phase.ES]
    if end_diastole.area_cm2 < end_systole.area_cm2:
        text = "the left ventricle is smaller at the named end-diastole than at end-systole: are they swapped?"
        flags.append(Flag(Grade.NOT_USABLE, text, "swapped", "LV"))
    if is_scaled:
        flags.extend(length_flags(end_diastole.length_cm, end_systole.length_cm))
    by_discs = _ejection_percent(end_diastole.simpson_ml, end_systole.simpson_ml)
    by_length = _ejection_percent(end_diastole.area_length_ml, end_systole.area_length_ml)
    if by_discs is not None and by_length is not None:
        flags.extend(ejection_flags(by_discs))
        limit, between = METHOD_GAP_PERCENT, "discs and area-length"
        flags.extend(agreement_flags(by_discs, by_length, limit=limit, between=between))
    return flags


def _ejection_percent(end_diastolic_ml: float | None, end_systolic_ml: float | None) -> float | None:
    if not end_diastolic_ml or end_systolic_ml is None:
        return None
    return ejection_fraction(end_diastolic_ml, end_systolic_ml)


def _plane_ejection(plane: Plane) -> float | None:
    return _ejection_percent(plane.sections[Phase.ED].simpson_ml, plane.sections[Phase.ES].simpson_ml)


def _plane_volumes(plane: Plane, method: str, volume: Callable[[Section], float | None]) -> list[Quantity]:
    volumes = {phase: value for phase, found in plane.sections.items() if (value := volume(found)) is not None}
    frames = {phase: plane.frames(phase) for phase in volumes}
    quantities = _ejection(volumes, frames, method, plane.cycle.view_name, plane.flags)
    return quantities if plane.is_scaled else [item for item in quantities if item.unit == "percent"]


def _ejection(
    volumes: Mapping[Phase, float],
    frames: Mapping[Phase, tuple[str, ...]],
    method: str,
    view: str,
    flags: tuple[Flag, ...],
) -> list[Quantity]:
    """Ejection fraction, volumes and stroke volume by one method."""
    quantities = [
        Quantity(f"{_PHASE_WORD[phase]}_volume", value, "ml", method, view, frames[phase], flags=flags)
        for phase, value in volumes.items()
    ]
    if set(volumes) == set(_PHASE_WORD) and volumes[Phase.ED] > 0:
        both = (*frames[Phase.ED], *frames[Phase.ES])
        percent = ejection_fraction(volumes[Phase.ED], volumes[Phase.ES])
        stroke_ml = stroke_volume_ml(volumes[Phase.ED], volumes[Phase.ES])
        quantities.insert(0, Quantity("ejection_fraction", percent, "percent", method, view, both, flags=flags))
        quantities.append(Quantity("stroke_volume", stroke_ml, "ml", method, view, both, flags=flags))
    return quantities


def _sizes(plane: Plane) -> list[Quantity]:
    """Areas, lengths and the change of area."""
    quantities = []
    unit, factor = ("cm2", 1.0) if plane.is_scaled else ("px2", 100.0)
    view, flags = plane.cycle.view_name, plane.flags
    for phase, found in plane.sections.items():
        name, frames = _PHASE_WORD[phase], plane.frames(phase)
        area = found.area_cm2 * factor
        quantities.append(Quantity(f"{name}_area", area, unit, TRACED, view, frames, flags=flags))
        if found.length_cm is not None and plane.is_scaled:
            length = Quantity(f"{name}_length", found.length_cm, "cm", TRACED, view, frames, flags=flags)
            quantities.append(length)
    if set(plane.sections) == set(_PHASE_WORD) and plane.sections[Phase.ED].area_cm2 > 0:
        change = ejection_fraction(plane.sections[Phase.ED].area_cm2, plane.sections[Phase.ES].area_cm2)
        frames = plane.frames(Phase.ED, Phase.ES)
        quantities.append(Quantity("fractional_area_change", change, "percent", TRACED, view, frames, flags=flags))
    return quantities


def _atrium(
    cycle: Cycle, sections: Mapping[Phase, Section], images: Mapping[str, ExamImage], labels: Mapping[str, LabelMap]
) -> Atrium | None:
    """The left atrium at end-systole, where it is labelled and shown."""
    instant = cycle.end_systole
    if instant is None:
        return None
    found, axis = labels[instant.image], sections[Phase.ES].axis
    mask = plane_mask(found, Structure.LA, instant.frame)
    if mask is None:
        return None
    odd = atrium_flags(images[instant.image], found, instant.frame)
    flags = tuple(flag.of(f"{cycle.view_name} {instant.phase}") for flag in odd)
    if not mask.any():
        return None
    length_cm = None
    if axis is not None:
        ring = outline_mm(mask, plane_spacing(found))
        length_cm = float(np.linalg.norm(ring - axis.base_mm, axis=1).max() / 10)
    return Atrium(area_cm2(found, Structure.LA, instant.frame), length_cm, flags)


def _atrium_quantities(plane: Plane) -> list[Quantity]:
    atrium = plane.atrium
    if atrium is None:
        return []
    view, frames, flags = plane.cycle.view_name, plane.frames(Phase.ES), atrium.flags
    if not plane.is_scaled:
        area_px = atrium.area_cm2 * 100
        return [Quantity("left_atrial_area", area_px, "px2", TRACED, view, frames, flags=flags)]
    quantities = [Quantity("left_atrial_area", atrium.area_cm2, "cm2", TRACED, view, frames, flags=flags)]
    if atrium.length_cm:
        volume_ml = area_length_ml(atrium.area_cm2, atrium.length_cm)
        quantities.append(Quantity("left_atrial_length", atrium.length_cm, "cm", TRACED, view, frames, flags=flags))
        quantities.append(Quantity("left_atrial_volume", volume_ml, "ml", AREA_LENGTH, view, frames, flags=flags))
    return quantities
