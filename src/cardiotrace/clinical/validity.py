"""Where a result should not be trusted. The rules and their limits are those of `rules.toml`."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from cardiotrace.clinical.anatomy.flags import long_axis_anatomy_flags
from cardiotrace.clinical.annulus import IMAGE_DOWN, borders
from cardiotrace.clinical.long_axis_trace import LongAxisTrace, plane_mask
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure


def trace_flags(cine: TracedCine, frame: int) -> tuple[Flag, ...]:
    """What is odd about the left ventricle in one measured frame.

    Args:
        cine: the traced image; its black surround tells the sector.
        frame: the frame that was measured.

    Returns:
        Flags whose sentences do not name the frame; empty if nothing is odd.
    """
    image, labels, found = cine.image, cine.labels, cine.traces[frame]
    cavity = plane_mask(labels, Structure.LV, frame)
    if cavity is None or not cavity.any() or not found.area:
        return (flag("no-ventricle", "no left ventricle was found"),)
    flags = [*_few_pixel_flags(int(np.count_nonzero(cavity)))]
    flags.extend([*anatomy_flags(cine, frame, Structure.LV, Structure.MYO), *edge_flags(cavity, "left ventricle")])
    outside = ~cine.is_lit if image.image.is_apical else np.zeros_like(cavity)
    share = np.count_nonzero(cavity & outside) / np.count_nonzero(cavity)
    if RULES["outside-sector"].breaks(share):
        text = f"{100 * share:.0f} % of the left ventricle lies outside the image sector"
        flags.append(flag("outside-sector", text))
    if _apex_at_edge(found, outside):
        flags.append(flag("apex-cut", "the apex of the left ventricle lies at the edge of what the image shows"))
    myocardium = plane_mask(labels, Structure.MYO, frame)
    if myocardium is not None:
        flags.extend(_enclosure(found, myocardium))
    return (*flags, *_axis_flags(found, has_myocardium=myocardium is not None))


def _few_pixel_flags(count: int) -> tuple[Flag, ...]:
    """Whether so few pixels have a shape."""
    if not RULES["few-pixels"].breaks(count):
        return ()
    return (flag("few-pixels", f"the left ventricle is {count} px large, which is no outline"),)


def anatomy_flags(cine: TracedCine, frame: int, *structures: Structure) -> tuple[Flag, ...]:
    """Whether some structures can be those of a heart in one frame."""
    is_upright = cine.image.image.is_apical and cine.towards_base == IMAGE_DOWN
    return cine.findings.plane(frame).get(
        ("anatomy", structures),
        lambda: long_axis_anatomy_flags(cine.labels, frame, structures, is_upright=is_upright),
        given=is_upright,
    )


def edge_flags(mask: Bool[np.ndarray, "height width"], name: str, *, about: str = "LV") -> tuple[Flag, ...]:
    """Whether a ventricle reaches the edge of the image.

    Args:
        mask: where it is in one frame; not empty.
        name: what it is called.
        about: its structure.

    Example:
        >>> mask = np.zeros((8, 8), bool)
        >>> mask[0:4, 2:6] = True
        >>> print(*edge_flags(mask, "right ventricle", about="RV"))
        the right ventricle reaches the edge of the image and may be cut off
    """
    if not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()):
        return ()
    return (flag("ventricle-cut", f"the {name} reaches the edge of the image and may be cut off", about=about),)


def atrium_flags(cine: TracedCine, frame: int) -> tuple[Flag, ...]:
    """What is odd about the left atrium in one measured frame; deep structures are often cut off by the sector."""
    atrium = plane_mask(cine.labels, Structure.LA, frame)
    if atrium is None or not atrium.any():
        return (flag("no-atrium", "no left atrium was found"),)
    flags = [*anatomy_flags(cine, frame, Structure.LA)]
    # The image's own edge cuts as the sector's does: one pixel beyond it counts as outside.
    pixel = cine.scale.pixel
    beyond = np.pad(~cine.is_lit, 1, constant_values=True)
    ring = cine.outline(Structure.LA, frame) + np.asarray(pixel)
    share = float(borders(ring, beyond, pixel).mean()) if len(ring) else 0.0
    if RULES["atrium-cut"].breaks(share):
        text = "the left atrium reaches the edge of the image and may be cut off: its size is a lower limit"
        flags.append(flag("atrium-cut", text))
    return tuple(flags)


def length_flags(diastole: LongAxisTrace, systole: LongAxisTrace) -> tuple[Flag, ...]:
    """Whether the long axis grows in systole, shortens beyond measure, or cannot be a left ventricle's.

    Example:
        >>> from cardiotrace.clinical.axis import LongAxis
        >>> from cardiotrace.clinical.scale import Scale
        >>> scale = Scale((1.0, 1.0), is_known=True)
        >>> def at(mm):
        ...     return LongAxisTrace(scale, 1.0, LongAxis(np.array([[mm, -20.0], [mm, 20.0]]), np.zeros(2), "annulus"))
        >>> print(*length_flags(at(80.0), at(86.0)))
        the long axis is longer at end-systole (8.6 cm) than at end-diastole (8.0 cm)
        >>> print(*length_flags(at(80.0), at(50.0)))
        the long axis shortens by 38 % in systole (8.0 to 5.0 cm), more than in any reference
    """
    first, second = diastole.length_cm, systole.length_cm
    flags = [] if first is None or second is None else _shortening_flags(first, second)
    for name, length in (("end-diastole", first), ("end-systole", second)):
        rule = _broken(("long-axis-impossible", "long-axis-length"), length)
        if rule is not None:
            text = f"the long axis at {name} is {length:.1f} cm long: check the pixel spacing and the tracing"
            flags.append(flag(rule, text))
    return tuple(flags)


def _shortening_flags(first_cm: float, second_cm: float) -> list[Flag]:
    flags = []
    if RULES["long-axis-grows"].breaks(second_cm / first_cm - 1):
        text = f"the long axis is longer at end-systole ({second_cm:.1f} cm) than at end-diastole ({first_cm:.1f} cm)"
        flags.append(flag("long-axis-grows", text))
    shortening = 1 - second_cm / first_cm
    if RULES["long-axis-shortening"].breaks(shortening):
        lengths = f"{first_cm:.1f} to {second_cm:.1f} cm"
        text = f"the long axis shortens by {100 * shortening:.0f} % in systole ({lengths}), more than in any reference"
        flags.append(flag("long-axis-shortening", text))
    return flags


def _broken(rules: Sequence[str], value: float | None) -> str | None:
    """The first of several rules, the gravest first, that a value breaks."""
    return None if value is None else next((rule for rule in rules if RULES[rule].breaks(value)), None)


def change_flags(diastole: LongAxisTrace, systole: LongAxisTrace) -> tuple[Flag, ...]:
    """What changes more from end-diastole to end-systole than in any reference: annulus, wall, outer border."""
    changes = []
    if diastole.axis is not None and systole.axis is not None:
        widths = (diastole.axis.annulus_width, systole.axis.annulus_width)
        changes.append(("annulus-change", "the mitral annulus", "as wide", *widths))
    if diastole.myocardium_area and systole.myocardium_area:
        walls = (diastole.myocardium_area, systole.myocardium_area)
        changes.append(("wall-area", "the myocardium", "as large", *walls))
        # The outer border moves less than the inner one, as the wall thickens: where it leaps, the labels do rather
        # than the heart.
        outer = (diastole.area + walls[0], systole.area + walls[1])
        changes.append(("outer-area", "the ventricle with its myocardium", "as large", *outer))
    return tuple(
        flag(rule, f"{what} at end-systole is {100 * second / first:.0f} % {how} as at end-diastole: one may be wrong")
        for rule, what, how, first, second in changes
        if first > 0 and RULES[rule].breaks(second / first)
    )


def ejection_flags(percent: float, *, about: str = "LV") -> tuple[Flag, ...]:
    """Whether an ejection fraction can be.

    Example:
        >>> for percent in (-3.0, 55.0, 100.0):
        ...     print([(str(item.grade), item.text) for item in ejection_flags(percent)])
        [('not usable', 'an ejection fraction of -3 % cannot be')]
        []
        [('not usable', 'an ejection fraction of 100 % cannot be')]
    """
    rule = _broken(("ejection-impossible", "ejection-extreme"), percent)
    if rule is None:
        return ()
    low, high = RULES[rule].low, RULES[rule].high
    why = "cannot be" if rule == "ejection-impossible" else f"is outside {low:g}-{high:g} %"
    return (flag(rule, f"an ejection fraction of {percent:.0f} % {why}", about=about),)


def volume_flags(
    end_diastolic_ml: float | None, end_systolic_ml: float | None, *, about: str = "LV"
) -> tuple[Flag, ...]:
    """Whether volumes can be those of a human heart.

    Example:
        >>> print(*volume_flags(178534.0, None))
        an end-diastolic volume of 178534 ml is no human ventricle's: check the pixel size
        >>> print(*volume_flags(150.0, 149.0))
        a stroke volume of 1 ml is outside 6-180 ml
    """
    flags = []
    rule = _broken(("volume-impossible", "volume-extreme"), end_diastolic_ml)
    if rule is not None:
        low, high = RULES[rule].low, RULES[rule].high
        is_extreme = rule == "volume-extreme"
        why = f"is outside {low:g}-{high:g} ml" if is_extreme else "is no human ventricle's: check the pixel size"
        flags.append(flag(rule, f"an end-diastolic volume of {end_diastolic_ml:.0f} ml {why}", about=about))
    # The stroke of an impossible volume is impossible too: one cause, one flag.
    if end_diastolic_ml is not None and end_systolic_ml is not None and rule != "volume-impossible":
        stroke_ml = end_diastolic_ml - end_systolic_ml
        limits = RULES["stroke-volume-extreme"]
        if limits.breaks(stroke_ml):
            text = f"a stroke volume of {stroke_ml:.0f} ml is outside {limits.low:g}-{limits.high:g} ml"
            flags.append(flag("stroke-volume-extreme", text, about=about))
    return tuple(flags)


def agreement_flags(rule: str, first: float, second: float, *, between: str) -> tuple[Flag, ...]:
    """Whether two ejection fractions of the same heart disagree by more than a rule allows.

    Example:
        >>> print(*agreement_flags("methods-disagree", 60.0, 48.0, between="disks and area-length"))
        ejection fractions by disks and area-length differ by 12 points
    """
    gap = abs(first - second)
    text = f"ejection fractions by {between} differ by {gap:.0f} points"
    return (flag(rule, text),) if RULES[rule].breaks(gap) else ()


def biplane_flags(first_cm: float, second_cm: float, *, phase: str) -> tuple[Flag, ...]:
    """Whether one of two planes was foreshortened.

    Example:
        >>> print(*biplane_flags(8.0, 7.0, phase="ED"))
        the long axes of the two planes differ by 12 % at ED: one view may be foreshortened
    """
    gap = abs(first_cm - second_cm) / max(first_cm, second_cm)
    if not RULES["foreshortened"].breaks(gap):
        return ()
    text = f"the long axes of the two planes differ by {100 * gap:.0f} % at {phase}: one view may be foreshortened"
    return (flag("foreshortened", text),)


FEWEST_MOVING = 3
"""Frames from which on a cine shows motion; two are end-diastole and end-systole, which differ."""


def jump_flags(
    sizes: Sequence[float | None], *, what: str = "area", frames: Sequence[int] | None = None
) -> tuple[Flag, ...]:
    """Whether the ventricle's size jumps between neighbouring frames, or is missing in some.

    Args:
        sizes: one per frame, None where there is none.
        what: name of the size, for the words.
        frames: their numbers, where some frames are left out.

    Example:
        >>> print(*jump_flags([30.0, 29.0, 12.0, 28.0, 30.0]))
        the area of the left ventricle jumps by 57 % between frames 1 and 2
    """
    values = np.array([size or 0.0 for size in sizes])
    number = range(len(values)) if frames is None else frames
    if len(values) < 2 or not values.any():
        return ()
    # Told instead of the jump to nothing that it would be as well.
    missing = np.flatnonzero(values == 0)
    if len(missing):
        text = f"no left ventricle was found in {len(missing)} of {len(values)} frames, first in frame"
        return (flag("frames-without", f"{text} {number[int(missing[0])]}"),)
    if len(values) < FEWEST_MOVING:
        return ()
    # As shares of the largest size: against its neighbour's, a few pixels at end-systole would be a leap. Frames
    # between which some are left out may differ.
    jumps = np.where(np.diff(number) == 1, np.abs(np.diff(values)) / values.max(), 0)
    at = int(jumps.argmax())
    if not RULES["jump"].breaks(jumps[at]):
        return ()
    between = f"between frames {number[at]} and {number[at + 1]}"
    return (flag("jump", f"the {what} of the left ventricle jumps by {100 * jumps[at]:.0f} % {between}"),)


def _apex_at_edge(found: LongAxisTrace, outside: Bool[np.ndarray, "height width"]) -> bool:
    """Whether the apex touches the edge of the sector, or of the image: what lies beyond is not known."""
    if found.axis is None:
        return False
    # The image's own edge cuts as the sector's does: one pixel beyond it counts as outside.
    beyond, pixel = np.pad(outside, 1, constant_values=True), found.scale.pixel
    return bool(borders(found.axis.apex[None] + np.asarray(pixel), beyond, pixel)[0])


def _enclosure(found: LongAxisTrace, myocardium: Bool[np.ndarray, "height width"]) -> list[Flag]:
    if not myocardium.any():
        return [flag("no-myocardium", "no myocardium was found")]
    open_share = 1 - float(borders(found.ring, myocardium, found.scale.pixel).mean())
    if not RULES["open-wall"].breaks(open_share):
        return []
    text = f"only {100 * (1 - open_share):.0f} % of the left ventricle's outline is bordered by myocardium"
    return [flag("open-wall", text)]


def _axis_flags(found: LongAxisTrace, *, has_myocardium: bool) -> tuple[Flag, ...]:
    axis = found.axis
    if axis is None:
        return (flag("no-base", "the base of the left ventricle could not be told: no length and no volume"),)
    flags = []
    if axis.method == "chord" and has_myocardium:
        text = "the mitral annulus could not be told from the myocardium; the longest straight base was taken"
        flags.append(flag("base-by-chord", text))
    limits = RULES["annulus-width"]
    if found.scale.is_known and limits.breaks(axis.annulus_width):
        width = f"the mitral annulus is {axis.annulus_width:.0f} mm wide"
        flags.append(flag("annulus-width", f"{width}, outside {limits.low:.0f}-{limits.high:.0f} mm"))
    return tuple(flags)


def same_size_flags(diastole: LabelMap, systole: LabelMap) -> tuple[Flag, ...]:
    """Whether the images of both instants state the same size of a pixel; the thickness of a plane is none.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.label import LV_ONLY
        >>> plane = np.zeros((1, 1, 8, 8), np.uint8)
        >>> grids = [Geometry.of_spacing((1.0, size, size)) for size in (1.25, 1.5625)]
        >>> first, second = (LabelMap(plane, LV_ONLY, grid) for grid in grids)
        >>> print(*same_size_flags(first, second))
        pixels are 1.25 x 1.25 mm at end-diastole and 1.562 x 1.562 mm at end-systole: is one header wrong?
    """
    stated = [labels.spacing_mm for labels in (diastole, systole) if labels.spacing_mm is not None]
    if len(stated) == 1:
        return (flag("sizes-differ", "the pixel size is known at one phase alone: give it with --spacing-mm"),)
    # A single plane has a thickness and no distance to a next one.
    is_stack = min(diastole.array.shape[1], systole.array.shape[1]) > 1
    sizes = np.array([size if is_stack else size[1:] for size in stated])
    if not stated or np.allclose(sizes[0], sizes[1], rtol=_SAME_SIZE, atol=0, equal_nan=True):
        return ()
    first, second = (" x ".join(f"{mm:.4g}" for mm in size) for size in sizes)
    text = f"pixels are {first} mm at end-diastole and {second} mm at end-systole: is one header wrong?"
    return (flag("sizes-differ", text),)


_SAME_SIZE = 0.005
"""Headers round."""


def geometry_flags(image: ExamImage, labels: LabelMap) -> tuple[Flag, ...]:
    """Whether a file contradicts itself about the size of its pixels, or its labels contradict it."""
    doubts = dict.fromkeys((*image.image.geometry.doubts, *labels.geometry.doubts))
    return tuple(flag("sizes-contradict", f"{image.name}: {doubt}") for doubt in doubts)
