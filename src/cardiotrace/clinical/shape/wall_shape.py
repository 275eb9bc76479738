"""Thickness of the wall, curvature of its inner border, and how round the cavity is, in long-axis views."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.films.average import segments_over_beats
from cardiotrace.clinical.key_frames import PHASE_WORD
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.strain.arcs import Arcs
from cardiotrace.clinical.strain.contour_strain import combined
from cardiotrace.clinical.strain.wall import Wall
from cardiotrace.clinical.strain.wall_line import WallLine
from cardiotrace.clinical.strain.walled_view import WalledView
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase

_LEAST_SHARE = 0.5
"""Of an arc that must have a wall for its thickness to be one."""
THICKNESS, CURVATURE = "wall_thickness", "endocardial_curvature"
THICKENING = "wall_thickening"


def sphericity_index(line: WallLine) -> float:
    """Width of the cavity half-way up its long axis over the length of that axis: 1 for a ball, smaller for a cone.

    Example:
        >>> angle = np.linspace(np.pi, 0, 721)
        >>> half = WallLine(np.stack([-80 * np.sin(angle), 25 * np.cos(angle)], axis=1))
        >>> round(sphericity_index(half), 3)  # 2 x 25 sqrt(3 / 4) wide, 80 long
        0.541

    Source:
        Di Donato et al. 2006, Eur J Cardiothorac Surg 29 Suppl 1:S225 (short over long axis of the ventricle).
    """
    foot = line.hinges.mean(axis=0)
    axis = line.apex - foot
    length = float(np.linalg.norm(axis))
    up = axis / length
    offsets = line.points - foot
    height, aside = offsets @ up, offsets @ np.array([-up[1], up[0]])
    above = height > length / 2
    crossed = np.flatnonzero(above[:-1] != above[1:])
    share = (length / 2 - height[crossed]) / (height[crossed + 1] - height[crossed])
    places = aside[crossed] + share * (aside[crossed + 1] - aside[crossed])
    return float(np.ptp(places)) / length


def shape_quantities(view: WalledView) -> list[Quantity]:
    """Sphericity index of both key frames of a beat, and mean thickness of the wall where pixels have a size."""
    quantities = []
    for phase, wall in view.walls.items():
        name, refs = f"left_ventricular_{PHASE_WORD[phase]}", view.measured.key_frames.refs(phase)
        index = sphericity_index(wall.endocardium)
        about = (Method.TRACED, view.name, refs)
        quantities.append(Quantity(f"{name}_sphericity_index", index, "ratio", *about, flags=view.flags("size")))
        thickness = _mean(wall.thickness, np.ones(len(wall.endocardium.points), bool))
        if thickness is not None and view.measured.is_scaled:
            flags = (*view.flags("size"), *_thickness_flags(view, phase, thickness))
            quantities.append(Quantity(f"{name}_{THICKNESS}", thickness, "mm", *about, flags=flags))
    return quantities


def _thickness_flags(view: WalledView, phase: Phase, thickness_mm: float) -> tuple[Flag, ...]:
    rule = RULES["mean-wall-thickness"]
    if not rule.breaks(thickness_mm):
        return ()
    text = f"the wall is {thickness_mm:.0f} mm thick on average, outside {rule.low:g} to {rule.high:g} mm"
    return (flag("mean-wall-thickness", text).of(f"{view.name} {phase}"),)


def shape_segments(views: Sequence[WalledView]) -> list[SegmentValues]:
    """Thickness of the wall and curvature of the endocardium in the segments of each view, and of all together.

    Means over beats. Arcs at end-systole are those of end-diastole, each at its share of the long axis.
    """
    named = [view for view in views if view.sides is not None and view.measured.is_scaled]
    per_view = [segments_over_beats([_segments_of(beat) for beat in view.by_beat]) for view in named]
    names = dict.fromkeys(each.name for found in per_view for each in found)
    segments: list[SegmentValues] = []
    for name in names:
        same = [each for found in per_view for each in found if each.name == name]
        segments.extend([combined(same), *same] if len(same) > 1 else same)
    return segments


def _segments_of(view: WalledView) -> list[SegmentValues]:
    """Of one beat of a view, end-diastole first."""
    thickness = {phase: _by_segment(view, phase, lambda wall: wall.thickness) for phase in view.walls}
    curvature = {phase: _by_segment(view, phase, lambda wall: 10 * wall.endocardium.curvature) for phase in view.walls}
    found = [
        _values(view, f"{PHASE_WORD[phase]}_{THICKNESS}", "mm", values, phase) for phase, values in thickness.items()
    ]
    if len(thickness) == 2:
        first, last = thickness[Phase.ED], thickness[Phase.ES]
        grown = {number: 100 * (last[number] / first[number] - 1) for number in first if number in last}
        found.append(_values(view, THICKENING, "percent", grown, Phase.ED, Phase.ES))
    found.extend(
        _values(view, f"{PHASE_WORD[phase]}_{CURVATURE}", "1/cm", values, phase) for phase, values in curvature.items()
    )
    return [each for each in found if each.values]


def _values(view: WalledView, name: str, unit: str, values: dict[int, float], *phases: Phase) -> SegmentValues:
    flags: tuple[Flag, ...] = (*view.flags("size"), *view.side_flags)
    refs = view.measured.key_frames.refs(*phases)
    return SegmentValues(name, unit, Method.TRACED, view.name, values, refs, tuple(dict.fromkeys(flags)))


def _by_segment(
    view: WalledView, phase: Phase, of: Callable[[Wall], Float[np.ndarray, "n"] | None]
) -> dict[int, float]:
    """Mean of something along the wall in each segment that has it."""
    assert view.sides is not None
    wall = view.walls[phase]
    arcs = Arcs.of(view.walls.get(Phase.ED, wall).endocardium)
    numbers = arcs.numbers(wall.endocardium)
    means = {segment: _mean(of(wall), numbers == arc) for arc, segment in enumerate(view.sides.segments)}
    return {segment: value for segment, value in means.items() if value is not None}


def _mean(values: Float[np.ndarray, "n"] | None, chosen: np.ndarray) -> float | None:
    """Mean over some points; None where fewer than half of them have a value."""
    if values is None or not chosen.any():
        return None
    known = values[chosen][np.isfinite(values[chosen])]
    return float(known.mean()) if len(known) >= _LEAST_SHARE * np.count_nonzero(chosen) else None
