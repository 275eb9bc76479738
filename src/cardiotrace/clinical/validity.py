"""Where a result should not be trusted, in words. Flags never alter a value.

The limits lie outside everything seen in the 798 reference masks of CAMUS that are not in its validation or testing
list (399 patients, apical four-chamber), so that a correct tracing is not flagged: annulus 11-52 mm wide, long axis
4.6-10.0 cm, at end-systole at most as long as at end-diastole, myocardium along at least 76 % of the cavity's outline.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Shaped

from cardiotrace.clinical.axis import LongAxis, borders, outline_mm
from cardiotrace.clinical.section import Section, plane_mask, plane_spacing
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.component import largest_component

PIECE_SHARE = 0.02
"""Share of a structure outside its largest piece above which the pieces are reported."""
OPEN_SHARE = 0.30
"""Share of the cavity's outline without myocardium above which the tracing is doubted."""
OUTSIDE_SHARE = 0.03
"""Share of a cavity outside the image sector above which it is reported."""
CUT_SHARE = 0.06
"""Share of an atrium's outline along the sector's edge above which it counts as cut off."""
ANNULUS_MM = (10.0, 55.0)
LENGTH_CM = (4.0, 13.0)
EJECTION_PERCENT = (5.0, 85.0)
METHOD_GAP_PERCENT = 8.0
"""Difference of the ejection fractions by two methods in one plane; the references stay below 5.7."""
PLANE_GAP_PERCENT = 15.0
LENGTH_GAP_SHARE = 0.10
"""Difference of the two planes' long axes, Mitchell et al. 2019."""
JUMP_SHARE = 0.25
"""Change of the cavity's area from one frame to the next, of its largest area."""

_NAMES = {Structure.LV: "left ventricle", Structure.LA: "left atrium", Structure.MYO: "myocardium"}


def section_flags(image: ExamImage, labels: LabelMap, frame: int, found: Section) -> tuple[Flag, ...]:
    """What is odd about the left ventricle in one measured frame.

    Args:
        image: the image that the labels lie on; its black surround tells the sector.
        labels: planar labels.
        frame: the frame that was measured.
        found: what was measured there.

    Returns:
        Sentences without the name of the frame; empty if nothing is odd.
    """
    cavity = plane_mask(labels, Structure.LV, frame)
    if cavity is None or not cavity.any():
        return (_doubt("no left ventricle was found", "no-ventricle"),)
    flags = [*_pieces(cavity, Structure.LV), *_edge(cavity)]
    outside = ~sector(image.cine.frames[:, 0]) if image.cine.is_apical else np.zeros_like(cavity)
    share = np.count_nonzero(cavity & outside) / np.count_nonzero(cavity)
    if share > OUTSIDE_SHARE:
        flags.append(
            _doubt(f"{100 * share:.0f} % of the left ventricle lies outside the image sector", "outside-sector")
        )
    myocardium = plane_mask(labels, Structure.MYO, frame)
    if myocardium is not None:
        flags.extend(_enclosure(cavity, myocardium, labels))
    return (*flags, *_axis_flags(found.axis, labels, has_myocardium=myocardium is not None))


def atrium_flags(image: ExamImage, labels: LabelMap, frame: int) -> tuple[Flag, ...]:
    """What is odd about the left atrium in one measured frame; deep structures are often cut off by the sector."""
    atrium = plane_mask(labels, Structure.LA, frame)
    if atrium is None or not atrium.any():
        return (_atrial("no left atrium was found", "no-atrium"),)
    flags = [*_pieces(atrium, Structure.LA)]
    spacing_mm = plane_spacing(labels)
    # The image's own edge cuts as the sector's does.
    beyond = np.pad(~sector(image.cine.frames[:, 0]), 1, constant_values=True)
    ring = outline_mm(atrium, spacing_mm) + np.asarray(spacing_mm)
    share = float(borders(ring, beyond, spacing_mm).mean()) if len(ring) else 0.0
    if share > CUT_SHARE:
        text = "the left atrium reaches the edge of the image and may be cut off: its size is a lower limit"
        flags.append(_atrial(text, "atrium-cut"))
    return tuple(flags)


def sector(frames: Shaped[np.ndarray, "time height width *channel"]) -> Bool[np.ndarray, "height width"]:
    """Where an image shows something in any frame: between the first and last bright pixel of its row and column.

    Args:
        frames: grey values; black outside the sector.

    Returns:
        True inside the sector; all True where the picture has no black surround.
    """
    brightest = frames.max(axis=0)
    if brightest.ndim == 3:
        brightest = brightest.max(axis=2)
    lit = brightest > brightest.min() + 0.02 * (float(brightest.max()) - float(brightest.min()))
    spans = [
        np.logical_or.accumulate(lit, axis=axis)
        & np.flip(np.logical_or.accumulate(np.flip(lit, axis), axis=axis), axis)
        for axis in (0, 1)
    ]
    inside: Bool[np.ndarray, "height width"] = spans[0] & spans[1]
    return inside


def _doubt(text: str, rule: str) -> Flag:
    return Flag(Grade.LOOK_TWICE, text, rule, "LV")


def _atrial(text: str, rule: str) -> Flag:
    return Flag(Grade.NOTE, text, rule, "LA")


def length_flags(end_diastolic_cm: float | None, end_systolic_cm: float | None) -> tuple[Flag, ...]:
    """Whether the long axis grows in systole or cannot be a left ventricle's.

    Example:
        >>> print(*length_flags(8.0, 8.6))
        the long axis is longer at end-systole (8.6 cm) than at end-diastole (8.0 cm)
    """
    flags = []
    if end_diastolic_cm is not None and end_systolic_cm is not None and end_systolic_cm > 1.03 * end_diastolic_cm:
        text = (
            f"the long axis is longer at end-systole ({end_systolic_cm:.1f} cm) than at end-diastole "
            f"({end_diastolic_cm:.1f} cm)"
        )
        flags.append(_doubt(text, "long-axis-grows"))
    for name, length in (("end-diastole", end_diastolic_cm), ("end-systole", end_systolic_cm)):
        if length is not None and not LENGTH_CM[0] <= length <= LENGTH_CM[1]:
            text = f"the long axis at {name} is {length:.1f} cm long: check the pixel spacing and the tracing"
            flags.append(_doubt(text, "long-axis-length"))
    return tuple(flags)


def ejection_flags(percent: float, *, about: str = "LV") -> tuple[Flag, ...]:
    """Whether an ejection fraction can be.

    Example:
        >>> print(*ejection_flags(-3.0))
        an ejection fraction of -3 % is outside 5-85 %
        >>> ejection_flags(55.0)
        ()
    """
    low, high = EJECTION_PERCENT
    if low <= percent <= high:
        return ()
    text = f"an ejection fraction of {percent:.0f} % is outside {low:.0f}-{high:.0f} %"
    return (Flag(Grade.LOOK_TWICE, text, "ejection-fraction", about),)


def agreement_flags(first: float, second: float, *, limit: float, between: str) -> tuple[Flag, ...]:
    """Whether two ejection fractions of the same heart disagree.

    Example:
        >>> print(*agreement_flags(60.0, 48.0, limit=8.0, between="Simpson and area-length"))
        ejection fractions by Simpson and area-length differ by 12 points
    """
    gap = abs(first - second)
    if gap <= limit:
        return ()
    return (_doubt(f"ejection fractions by {between} differ by {gap:.0f} points", "methods-disagree"),)


def biplane_flags(first_cm: float, second_cm: float, *, phase: str) -> tuple[Flag, ...]:
    """Whether one of two planes was foreshortened.

    Example:
        >>> print(*biplane_flags(8.0, 7.0, phase="ED"))
        the long axes of the two planes differ by 12 % at ED: one view may be foreshortened
    """
    gap = abs(first_cm - second_cm) / max(first_cm, second_cm)
    if gap <= LENGTH_GAP_SHARE:
        return ()
    text = f"the long axes of the two planes differ by {100 * gap:.0f} % at {phase}: one view may be foreshortened"
    return (_doubt(text, "foreshortened"),)


FEWEST_MOVING = 3
"""Frames from which on a cine shows motion; two are end-diastole and end-systole, which differ."""


def jump_flags(sizes: Sequence[float | None], *, what: str = "area") -> tuple[Flag, ...]:
    """Whether the ventricle's size jumps between neighbouring frames, or is missing in some.

    Args:
        sizes: one per frame, None where there is none.
        what: name of the size, for the words.

    Example:
        >>> print(*jump_flags([30.0, 29.0, 12.0, 28.0, 30.0]))
        the area of the left ventricle jumps by 57 % between frames 1 and 2
    """
    values = np.array([size or 0.0 for size in sizes])
    if len(values) < 2 or not values.any():
        return ()
    missing = np.flatnonzero(values == 0)
    if len(missing):
        text = f"no left ventricle was found in {len(missing)} of {len(values)} frames, first in frame {missing[0]}"
        return (_doubt(text, "frames-without"),)
    if len(values) < FEWEST_MOVING:
        return ()
    jumps = np.abs(np.diff(values)) / values.max()
    at = int(jumps.argmax())
    if jumps[at] <= JUMP_SHARE:
        return ()
    text = f"the {what} of the left ventricle jumps by {100 * jumps[at]:.0f} % between frames {at} and {at + 1}"
    return (_doubt(text, "jump"),)


def _pieces(mask: Bool[np.ndarray, "height width"], structure: Structure) -> list[Flag]:
    share = np.count_nonzero(largest_component(mask, connectivity="full")) / np.count_nonzero(mask)
    if 1 - share <= PIECE_SHARE:
        return []
    text = f"the {_NAMES[structure]} falls into pieces; the largest holds {100 * share:.0f} %"
    return [_atrial(text, "pieces") if structure is Structure.LA else _doubt(text, "pieces")]


def _edge(mask: Bool[np.ndarray, "height width"]) -> list[Flag]:
    touches = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
    text = "the left ventricle reaches the edge of the image and may be cut off"
    return [_doubt(text, "ventricle-cut")] if touches else []


def _enclosure(
    cavity: Bool[np.ndarray, "height width"], myocardium: Bool[np.ndarray, "height width"], labels: LabelMap
) -> list[Flag]:
    if not myocardium.any():
        return [_doubt("no myocardium was found", "no-myocardium")]
    spacing_mm = plane_spacing(labels)
    ring = outline_mm(cavity, spacing_mm)
    open_share = 1 - float(borders(ring, myocardium, spacing_mm).mean())
    if open_share <= OPEN_SHARE:
        return []
    text = f"only {100 * (1 - open_share):.0f} % of the left ventricle's outline is bordered by myocardium"
    return [_doubt(text, "open-wall")]


def _axis_flags(axis: LongAxis | None, labels: LabelMap, *, has_myocardium: bool) -> tuple[Flag, ...]:
    if axis is None:
        return (_doubt("the base of the left ventricle could not be told: no length and no volume", "no-base"),)
    flags = []
    if axis.method == "chord" and has_myocardium:
        text = "the mitral annulus could not be told from the myocardium; the longest straight base was taken"
        flags.append(_doubt(text, "base-by-chord"))
    low, high = ANNULUS_MM
    if labels.spacing_mm is not None and not low <= axis.annulus_width_mm <= high:
        text = f"the mitral annulus is {axis.annulus_width_mm:.0f} mm wide, outside {low:.0f}-{high:.0f} mm"
        flags.append(_doubt(text, "annulus-width"))
    return tuple(flags)
