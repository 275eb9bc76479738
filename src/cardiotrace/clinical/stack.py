"""Volumes and mass from a stack of short-axis slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.curve import voxel_ml
from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.key_frames import PHASE_WORD, KeyFrame, KeyFrames, find_key_frames
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, doubting, flag
from cardiotrace.clinical.slices import Slices, ventricle_flags
from cardiotrace.clinical.validity import ejection_flags, geometry_flags, same_size_flags, volume_flags
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, Structure

SLICES = "sum of slices"
ONE_SLICE = "traced, one slice"
MYOCARDIUM_G_PER_ML = 1.05

_OF_STACK = (
    *("few-slices", "slice-missing", "blank-beside"),
    *("stack-height", "stack-height-impossible", "sizes-differ", "sizes-contradict"),
)
"""Rules that doubt every ventricle of the stack, although they look at the left one."""
_CHAMBERS = (
    (Structure.LV, "left_ventricular_", "left ventricle"),
    (Structure.RV, "right_ventricular_", "right ventricle"),
)


@dataclass(frozen=True)
class StackMeasures:
    """What a short-axis stack tells."""

    quantities: tuple[Quantity, ...]
    instants: tuple[KeyFrame, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class _Chamber:
    structure: Structure
    prefix: str
    sizes: Mapping[Phase, float]
    """Volume, ml; voxels where their size is not known; area, cm2 or pixels, of a single slice."""


def stack_measures(
    images: Sequence[ExamImage],
    labels: Mapping[str, LabelMap],
    blank: Mapping[str, Bool[np.ndarray, "time depth"]],
) -> StackMeasures:
    """Volumes of the labelled ventricles, their ejection fractions, and the mass of the myocardium at end-diastole.

    Where voxel size or slice distance is not known, the ejection fractions stay: they are ratios. A single slice gives
    areas.

    Args:
        images: short-axis stacks of one exam: one moving, or one per instant.
        labels: their labels, by image name; the depth spacing is the distance between slice centres.
        blank: slices without an image, by image name; a frame without any is no key frame.

    Returns:
        Quantities, instants and flags.

    Source:
        Volume = voxels times their size; mass = 1.05 g/ml times the volume of the myocardium.
    """
    counts = {image.name: _counts(labels[image.name], blank[image.name]) for image in images}
    key_frames = find_key_frames(images, counts)
    view = images[0].cine.view_name
    if key_frames is None:
        return StackMeasures((), (), (flag("no-ventricle", f"{view}: no left ventricle was found"),))
    by_name = {image.name: image for image in images}
    flags = _flags(key_frames, labels, blank)
    for instant in key_frames.instants:
        flags.extend(geometry_flags(by_name[instant.image], labels[instant.image]))
    chambers = [
        _Chamber(structure, prefix, _sizes(key_frames, labels, structure))
        for structure, prefix, _ in _CHAMBERS
        if all(structure in labels[instant.image].scheme.values for instant in key_frames.instants)
    ]
    flags.extend(item.of(view) for item in _stroke_flags(chambers))
    quantities: list[Quantity] = []
    for chamber in chambers:
        found = _chamber_quantities(key_frames, chamber, labels, flags)
        quantities.extend(found)
        flags.extend(item for quantity in found for item in quantity.flags)
    quantities.extend(_mass(key_frames, labels, flags))
    return StackMeasures(tuple(quantities), key_frames.instants, tuple(dict.fromkeys(flags)))


def _counts(labels: LabelMap, blank: Bool[np.ndarray, "time depth"]) -> Float[np.ndarray, "frames"]:
    counts = np.count_nonzero(labels.mask(Structure.LV), axis=(1, 2, 3))
    return np.where(blank.all(axis=1), 0.0, counts.astype(np.float64))


def _unit(key_frames: KeyFrames, labels: Mapping[str, LabelMap]) -> str:
    """What sizes are in: "ml", or "cm2" of a single slice; "px" where the size of voxels is not known."""
    used = [labels[instant.image] for instant in key_frames.instants]
    if any(found.spacing_mm is None for found in used):
        return "px"
    if all(found.array.shape[1] == 1 for found in used):
        return "cm2"
    return "px" if any(voxel_ml(found) is None for found in used) else "ml"


def _sizes(key_frames: KeyFrames, labels: Mapping[str, LabelMap], structure: Structure) -> dict[Phase, float]:
    unit = _unit(key_frames, labels)
    sizes: dict[Phase, float] = {}
    for instant in key_frames.instants:
        found = labels[instant.image]
        count = np.count_nonzero(found.mask(structure)[instant.frame])
        pixel_cm2 = 1.0 if found.spacing_mm is None else found.spacing_mm[1] * found.spacing_mm[2] / 100
        # Without a slice distance the ratio still needs the pixels of both instants to be alike.
        sizes[instant.phase] = float(count) * ((voxel_ml(found) or 1.0) if unit == "ml" else pixel_cm2)
    return sizes


def _chamber_quantities(
    key_frames: KeyFrames, chamber: _Chamber, labels: Mapping[str, LabelMap], flags: Sequence[Flag]
) -> list[Quantity]:
    """Volumes, ejection fraction and stroke volume of one ventricle; areas of a single slice."""
    unit, about = _unit(key_frames, labels), chamber.structure.value
    is_slice = all(labels[instant.image].array.shape[1] == 1 for instant in key_frames.instants)
    method = ONE_SLICE if is_slice else SLICES
    sizes = {phase: size for phase, size in chamber.sizes.items() if size > 0}
    frames = {instant.phase: (instant.label,) for instant in key_frames.instants}
    flags = [item for item in flags if item.about in (about, "") or item.rule in _OF_STACK]
    flags.extend(item.of(f"{key_frames.view_name} {about}") for item in _value_flags(sizes, unit, about, is_slice))
    word, of_size = ("area", "size") if is_slice else ("volume", "volume")
    quantities = [
        Quantity(
            f"{chamber.prefix}{PHASE_WORD[phase]}_{word}",
            size,
            unit,
            method,
            key_frames.view_name,
            frames[phase],
            flags=doubting(flags, of_size),
        )
        for phase, size in sizes.items()
        if unit != "px"
    ]
    if len(sizes) < 2:
        return quantities
    both, doubts = (*frames[Phase.ED], *frames[Phase.ES]), doubting(flags, "ejection")
    name = f"{chamber.prefix}{'fractional_area_change' if is_slice else 'ejection_fraction'}"
    percent = ejection_fraction(sizes[Phase.ED], sizes[Phase.ES])
    quantities.insert(0, Quantity(name, percent, "percent", method, key_frames.view_name, both, flags=doubts))
    if unit == "ml":
        stroke_ml = stroke_volume_ml(sizes[Phase.ED], sizes[Phase.ES])
        doubts = tuple(dict.fromkeys((*doubts, *doubting(flags, "volume"))))
        name = f"{chamber.prefix}stroke_volume"
        quantities.append(Quantity(name, stroke_ml, "ml", method, key_frames.view_name, both, flags=doubts))
    return quantities


def _value_flags(sizes: Mapping[Phase, float], unit: str, about: str, is_slice: bool) -> list[Flag]:
    if is_slice:
        return []
    flags: list[Flag] = []
    if len(sizes) == 2:
        flags.extend(ejection_flags(ejection_fraction(sizes[Phase.ED], sizes[Phase.ES]), about=about))
    if unit == "ml":
        flags.extend(volume_flags(sizes.get(Phase.ED), sizes.get(Phase.ES), about=about))
    return flags


def _mass(key_frames: KeyFrames, labels: Mapping[str, LabelMap], flags: Sequence[Flag]) -> list[Quantity]:
    instant = key_frames.end_diastole
    if instant is None or _unit(key_frames, labels) != "ml" or Structure.MYO not in labels[instant.image].scheme.values:
        return []
    found = labels[instant.image]
    volume = np.count_nonzero(found.mask(Structure.MYO)[instant.frame]) * (voxel_ml(found) or 0.0)
    if not volume:
        return []
    mass_g, doubts = MYOCARDIUM_G_PER_ML * volume, doubting(flags, "mass")
    return [
        Quantity("left_ventricular_mass", mass_g, "g", SLICES, key_frames.view_name, (instant.label,), flags=doubts)
    ]


def _flags(
    key_frames: KeyFrames, labels: Mapping[str, LabelMap], blank: Mapping[str, Bool[np.ndarray, "time depth"]]
) -> list[Flag]:
    """What is odd about slices and instants, headed by the view."""
    view = key_frames.view_name
    flags: list[Flag] = []
    unit = _unit(key_frames, labels)
    if unit == "cm2" or all(labels[instant.image].array.shape[1] == 1 for instant in key_frames.instants):
        flags.append(flag("single-slice", "a single slice gives areas, no volumes"))
    elif unit == "px" and any(labels[instant.image].spacing_mm is None for instant in key_frames.instants):
        flags.append(flag("no-pixel-size", "the voxel spacing is unknown: no volumes; the ratios hold"))
    elif unit == "px":
        text = "the distance of the slices is unknown: no volumes; give it with --spacing-mm HEIGHT WIDTH DEPTH"
        flags.append(flag("no-slice-distance", text))
    slices = {
        instant.phase: Slices.of(labels[instant.image], blank[instant.image], instant.frame)
        for instant in key_frames.instants
    }
    for instant in key_frames.instants:
        height = _height_flags(slices[instant.phase], labels[instant.image])
        flags.extend(item.of(instant.phase) for item in height)
    if key_frames.end_diastole is not None and key_frames.end_systole is not None:
        flags.extend(same_size_flags(labels[key_frames.end_diastole.image], labels[key_frames.end_systole.image]))
    if len(slices) < 2:
        flags.append(flag("one-instant", "the exam shows only one instant: no ejection fraction"))
    elif slices[Phase.ED].ventricle.sum() < slices[Phase.ES].ventricle.sum():
        text = "the left ventricle is smaller at the named end-diastole than at end-systole: swapped?"
        flags.append(flag("swapped", text))
    return [*(item.of(view) for item in flags), *ventricle_flags(slices, view)]


def _height_flags(found: Slices, labels: LabelMap) -> list[Flag]:
    """Whether the slices that show the left ventricle are together as high as one; few of them are low anyway."""
    distance_mm = float("nan") if labels.spacing_mm is None else labels.spacing_mm[0]
    height_mm = len(found.shown) * distance_mm
    is_few = RULES["few-slices"].breaks(len(found.shown))
    if len(found.ventricle) == 1 or height_mm != height_mm or (is_few and height_mm <= RULES["stack-height"].high):
        return []
    for rule in ("stack-height-impossible", "stack-height"):
        if RULES[rule].breaks(height_mm):
            text = f"the left ventricle is {height_mm:.0f} mm high, {len(found.shown)} slices of {distance_mm:.4g} mm"
            return [flag(rule, f"{text}: check the distance of the slices")]
    return []


def _stroke_flags(chambers: Sequence[_Chamber]) -> list[Flag]:
    """Whether a ventricle is lost at one instant, and whether both eject about as much."""
    flags: list[Flag] = []
    names = {structure: name for structure, _, name in _CHAMBERS}
    for chamber in chambers:
        lost = [phase for phase, size in chamber.sizes.items() if not size]
        if len(lost) == 1 and len(chamber.sizes) == 2:
            text = f"no {names[chamber.structure]} was found at {lost[0]}, but at the other instant"
            flags.append(flag("lost", text, about=chamber.structure.value))
    complete = [chamber.sizes for chamber in chambers if len(chamber.sizes) == 2 and all(chamber.sizes.values())]
    if len(complete) == 2:
        strokes = [sizes[Phase.ED] - sizes[Phase.ES] for sizes in complete]
        filling = (complete[0][Phase.ED] + complete[1][Phase.ED]) / 2
        share = abs(strokes[0] - strokes[1]) / filling
        if RULES["stroke-volumes-differ"].breaks(share):
            text = f"the ventricles' stroke volumes differ by {100 * share:.0f} % of their filling"
            flags.append(flag("stroke-volumes-differ", text, about=""))
    return flags
