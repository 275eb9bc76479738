"""Volumes and mass from a stack of short-axis slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.cycle import Cycle, Instant, find_cycle
from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.validity import ejection_flags
from cardiotrace.clinical.volume import stack_ml
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, Structure

SLICES = "sum of slices"
MYOCARDIUM_G_PER_ML = 1.05
FEWEST_SLICES = 5

_PHASE_WORD = {Phase.ED: "end_diastolic", Phase.ES: "end_systolic"}
_CHAMBERS = ((Structure.LV, ""), (Structure.RV, "right_ventricular_"))


@dataclass(frozen=True)
class StackMeasures:
    """What a short-axis stack tells."""

    quantities: tuple[Quantity, ...]
    instants: tuple[Instant, ...]
    flags: tuple[Flag, ...]


def stack_measures(images: Sequence[ExamImage], labels: Mapping[str, LabelMap]) -> StackMeasures:
    """Volumes of the labelled ventricles, their ejection fractions, and the mass of the myocardium at end-diastole.

    Args:
        images: short-axis stacks of one exam: one moving, or one per instant.
        labels: their labels, by image name; the depth spacing is the distance between slice centres.

    Returns:
        Quantities, instants and flags.

    Source:
        Volume = voxels times their size; mass = 1.05 g/ml times the volume of the myocardium.
    """
    cycle = find_cycle(images, {image.name: _counts(labels[image.name]) for image in images})
    if cycle is None:
        return StackMeasures((), (), (_doubt("no left ventricle was found", "no-ventricle"),))
    flags = _flags(cycle, labels)
    if any(labels[instant.image].spacing_mm is None for instant in cycle.instants):
        unknown = _doubt("the voxel spacing is unknown: no volumes", "no-pixel-size")
        return StackMeasures((), cycle.instants, (*flags, unknown))
    quantities: list[Quantity] = []
    for structure, prefix in _CHAMBERS:
        quantities.extend(_chamber(cycle, labels, structure, prefix, flags))
    return StackMeasures((*quantities, *_mass(cycle, labels, flags)), cycle.instants, flags)


def _counts(labels: LabelMap) -> Float[np.ndarray, "frames"]:
    return np.asarray(np.count_nonzero(labels.mask(Structure.LV), axis=(1, 2, 3)), np.float64)


def _volume_ml(labels: LabelMap, structure: Structure, frame: int) -> float | None:
    if labels.spacing_mm is None or structure not in labels.scheme.values:
        return None
    return stack_ml(labels.mask(structure)[frame], labels.spacing_mm)


def _chamber(
    cycle: Cycle, labels: Mapping[str, LabelMap], structure: Structure, prefix: str, flags: tuple[Flag, ...]
) -> list[Quantity]:
    volumes: dict[Phase, float] = {}
    frames: dict[Phase, tuple[str, ...]] = {}
    for instant in cycle.instants:
        volume = _volume_ml(labels[instant.image], structure, instant.frame)
        if volume:
            volumes[instant.phase], frames[instant.phase] = volume, (instant.label,)
    quantities = [
        Quantity(
            f"{prefix}{_PHASE_WORD[phase]}_volume", value, "ml", SLICES, cycle.view_name, frames[phase], flags=flags
        )
        for phase, value in volumes.items()
    ]
    if len(volumes) == 2:
        both = (*frames[Phase.ED], *frames[Phase.ES])
        percent = ejection_fraction(volumes[Phase.ED], volumes[Phase.ES])
        stroke = stroke_volume_ml(volumes[Phase.ED], volumes[Phase.ES])
        odd = ejection_flags(percent, about=structure.value)
        doubts = (*flags, *(flag.of(f"SAX {structure}") for flag in odd))
        fraction = Quantity(
            f"{prefix}ejection_fraction", percent, "percent", SLICES, cycle.view_name, both, flags=doubts
        )
        quantities.insert(0, fraction)
        quantities.append(Quantity(f"{prefix}stroke_volume", stroke, "ml", SLICES, cycle.view_name, both, flags=doubts))
    return quantities


def _mass(cycle: Cycle, labels: Mapping[str, LabelMap], flags: tuple[Flag, ...]) -> list[Quantity]:
    instant = cycle.end_diastole
    if instant is None:
        return []
    volume = _volume_ml(labels[instant.image], Structure.MYO, instant.frame)
    if not volume:
        return []
    mass_g = MYOCARDIUM_G_PER_ML * volume
    return [Quantity("myocardial_mass", mass_g, "g", SLICES, cycle.view_name, (instant.label,), flags=flags)]


def _flags(cycle: Cycle, labels: Mapping[str, LabelMap]) -> tuple[Flag, ...]:
    flags = []
    sizes = {}
    for instant in cycle.instants:
        shown = labels[instant.image].mask(Structure.LV)[instant.frame].any(axis=(1, 2))
        sizes[instant.phase] = int(np.count_nonzero(labels[instant.image].mask(Structure.LV)[instant.frame]))
        between = np.flatnonzero(shown)
        if len(between) < FEWEST_SLICES:
            text = f"only {len(between)} slices show the left ventricle"
            flags.append(_doubt(text, "few-slices", instant.phase))
        elif len(between) != between[-1] - between[0] + 1:
            text = "the left ventricle is missing in a slice between base and apex"
            flags.append(_doubt(text, "slice-missing", instant.phase))
    if len(sizes) < 2:
        flags.append(_doubt("the exam shows only one instant: no ejection fraction", "one-instant"))
    elif sizes[Phase.ED] < sizes[Phase.ES]:
        text = "SAX: the left ventricle is smaller at the named end-diastole than at end-systole: swapped?"
        flags.append(Flag(Grade.NOT_USABLE, text, "swapped", "LV"))
    return tuple(flags)


def _doubt(text: str, rule: str, phase: Phase | None = None) -> Flag:
    return Flag(Grade.LOOK_TWICE, text, rule, "LV").of("SAX" if phase is None else f"SAX {phase}")
