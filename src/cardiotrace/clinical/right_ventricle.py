"""Areas of the right ventricle in a long axis, and their change over the beat."""

from collections.abc import Mapping, Sequence

from cardiotrace.clinical.ejection import ejection_fraction
from cardiotrace.clinical.key_frames import PHASE_WORD, KeyFrames
from cardiotrace.clinical.long_axis_trace import plane_mask
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import doubting, flag
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.validity import anatomy_flags, edge_flags, same_size_flags
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, Structure, View

NAME = "right ventricle"


def right_areas(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine]) -> dict[Phase, float]:
    """Area of the right ventricle in the key frames that show it, squares of the unit of each image's scale."""
    areas = {found.phase: cines[found.phase].traces[found.frame].right_area for found in key_frames}
    return {phase: area for phase, area in areas.items() if area > 0}


def right_flags(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine]) -> tuple[Flag, ...]:
    """What is odd about the right ventricle in the key frames, each headed by the view; nothing where it is not shown.

    Args:
        key_frames: end-diastole and end-systole, which are those of the left ventricle.
        cines: the image that each lies in.
    """
    areas = right_areas(key_frames, cines)
    if key_frames.view is not View.FOUR_CHAMBER or not areas:
        return ()
    flags: list[Flag] = []
    for found in key_frames:
        cine = cines[found.phase]
        mask = plane_mask(cine.labels, Structure.RV, found.frame)
        if mask is not None and mask.any():
            odd = anatomy_flags(cine, found.frame, Structure.RV) + edge_flags(mask, NAME, about=Structure.RV.value)
            flags.extend(item.of(f"{key_frames.view_name} {found.phase}") for item in odd)
    return (*flags, *(item.of(key_frames.view_name) for item in _change_flags(key_frames, cines, areas)))


def _change_flags(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine], areas: Mapping[Phase, float]) -> list[Flag]:
    """Whether it is lost at one instant, or larger at end-systole."""
    if not key_frames.are_both:
        return []
    about = Structure.RV.value
    lost = [found.phase for found in key_frames if found.phase not in areas]
    if lost:
        return [flag("lost", f"no {NAME} was found at {lost[0]}, but at the other instant", about=about)]
    if _has_one_unit(cines) and areas[Phase.ED] < areas[Phase.ES]:
        change = ejection_fraction(areas[Phase.ED], areas[Phase.ES])
        return [
            flag("right-grows", f"the {NAME} is larger at end-systole than at end-diastole", about=about),
            flag("ejection-impossible", f"a fractional area change of {change:.0f} % cannot be", about=about),
        ]
    return []


def right_quantities(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine], flags: Sequence[Flag]) -> list[Quantity]:
    """Areas at end-diastole and end-systole of the left ventricle, and the fractional area change.

    Only of a four-chamber view, in which the change is defined; a three-chamber view cuts the outflow tract. No volume
    is made of one plane: the right ventricle has no axis about which it is round.

    Args:
        key_frames: end-diastole and end-systole.
        cines: the image that each lies in.
        flags: those of `right_flags`.

    Source:
        Rudski et al. 2010, J Am Soc Echocardiogr 23:685 (fractional area change, four chambers).
    """
    areas = right_areas(key_frames, cines)
    if key_frames.view is not View.FOUR_CHAMBER or not areas:
        return []
    doubts = (*flags, *_size_flags(cines))
    quantities = []
    for phase, value in areas.items():
        area, unit = cines[phase].scale.area_to_report(value)
        name = f"right_ventricular_{PHASE_WORD[phase]}_area"
        refs = key_frames.refs(phase)
        doubted = doubting(doubts, "size")
        quantities.append(Quantity(name, area, unit, Method.TRACED, key_frames.view_name, refs, flags=doubted))
    if len(areas) == len(PHASE_WORD) and _has_one_unit(cines):
        change = ejection_fraction(areas[Phase.ED], areas[Phase.ES])
        name, refs = "right_ventricular_fractional_area_change", key_frames.refs(Phase.ED, Phase.ES)
        doubted = doubting(doubts, "ejection")
        quantities.append(Quantity(name, change, "percent", Method.TRACED, key_frames.view_name, refs, flags=doubted))
    return quantities


def _size_flags(cines: Mapping[Phase, TracedCine]) -> tuple[Flag, ...]:
    """Whether both images state one size of a pixel."""
    if len(cines) < len(PHASE_WORD):
        return ()
    return same_size_flags(cines[Phase.ED].labels, cines[Phase.ES].labels)


def _has_one_unit(cines: Mapping[Phase, TracedCine]) -> bool:
    return len({cine.scale.unit for cine in cines.values()}) == 1
