"""Mass of the left ventricle's wall by ultrasound."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.films.average import matched_beats, over_beats
from cardiotrace.clinical.key_frames import KeyFrames, find_view_beats
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import flag
from cardiotrace.clinical.strain.wall_line import WallLine
from cardiotrace.clinical.strain.walled_view import WalledView
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.clinical.volume import Disks, biplane_lengths_mm, disk_volume, simpson_disks
from cardiotrace.core.terms import Modality, Phase, Structure, View

DENSITY_G_PER_ML = 1.05
MASS = "left_ventricular_mass"


def area_length_mass_g(outer_cm2: float, inner_cm2: float, length_cm: float) -> float:
    """Mass from a short axis and the length of the cavity: 1.05 (5/6 A1 (L + t) - 5/6 A2 L).

    Args:
        outer_cm2: A1, area inside the epicardium in a parasternal short axis at the papillary muscles, cm2.
        inner_cm2: A2, area inside the endocardium there, papillary muscles included, cm2.
        length_cm: L, of the cavity's long axis in an apical view, cm.

    Returns:
        Mass, g; t is the mean thickness sqrt(A1 / pi) - sqrt(A2 / pi).

    Example:
        >>> round(area_length_mass_g(36.0, 18.0, 8.5), 1)
        165.1

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1 (area-length method for mass).
    """
    thickness = np.sqrt(outer_cm2 / np.pi) - np.sqrt(inner_cm2 / np.pi)
    return float(DENSITY_G_PER_ML * 5 / 6 * (outer_cm2 * (length_cm + thickness) - inner_cm2 * length_cm))


def truncated_ellipsoid_mass_g(outer_cm2: float, inner_cm2: float, apical_cm: float, basal_cm: float) -> float:
    """Mass of the shell between two truncated ellipsoids.

    1.05 pi ((b + t)^2 (2/3 (a + t) + d - d^3 / (3 (a + t)^2)) - b^2 (2/3 a + d - d^3 / (3 a^2))), b = sqrt(A2 / pi).

    Args:
        outer_cm2: A1, see `area_length_mass_g`.
        inner_cm2: A2.
        apical_cm: a, from the widest place of the cavity to the apex, cm.
        basal_cm: d, from there to the mitral plane, cm.

    Returns:
        Mass, g.

    Example:
        >>> shell = truncated_ellipsoid_mass_g(np.pi * 9, np.pi * 4, 5.0, 0.0)
        >>> round(shell / 1.05, 2), round(2 / 3 * np.pi * (9 * 6 - 4 * 5), 2)  # half an ellipsoid less another
        (71.21, 71.21)

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1 (truncated ellipsoid method for mass).
    """
    inner, outer = np.sqrt(inner_cm2 / np.pi), np.sqrt(outer_cm2 / np.pi)
    thickness = outer - inner

    def body(radius: float, apical: float) -> float:
        return float(radius**2 * (2 / 3 * apical + basal_cm - basal_cm**3 / (3 * apical**2)))

    return float(DENSITY_G_PER_ML * np.pi * (body(outer, apical_cm + thickness) - body(inner, apical_cm)))


def mass_quantities(views: Sequence[WalledView], stacks: Sequence[TracedStack]) -> list[Quantity]:
    """Mass at end-diastole by ultrasound: from both apical planes, and from a short axis where there is one.

    The mean over beats; those of two films are put together as for volumes, see `matched_beats`.

    Args:
        views: apical views with their walls.
        stacks: short-axis images.
    """
    shown = {
        view.measured.view: view
        for view in views
        if view.measured.modality is Modality.US and view.measured.is_scaled and Phase.ED in view.walls
    }
    return [*_biplane(shown.get(View.FOUR_CHAMBER), shown.get(View.TWO_CHAMBER)), *_by_short_axis(shown, stacks)]


class _Bodies(NamedTuple):
    """Disks of one view at end-diastole."""

    outer: Disks
    inner: Disks


def _biplane(four: WalledView | None, two: WalledView | None) -> list[Quantity]:
    """Density times what lies between epicardium and endocardium, each by biplane disks."""
    if four is None or two is None:
        return []
    first, second = _full_beats(four), _full_beats(two)
    pairs = matched_beats(_durations_ms(first), _durations_ms(second))
    return over_beats([_biplane_of(first[one], second[other]) for one, other in pairs])


def _full_beats(view: WalledView) -> list[WalledView]:
    """Each of its beats that shows the wall at end-diastole."""
    return [beat for beat in view.by_beat if Phase.ED in beat.walls]


def _durations_ms(beats: Sequence[WalledView]) -> list[float | None]:
    return [beat.measured.key_frames.duration_ms for beat in beats]


def _biplane_of(four: WalledView, two: WalledView) -> list[Quantity]:
    """In one beat of each plane."""
    first, second = _bodies(four), _bodies(two)
    if first is None or second is None:
        return []
    outer_ml, inner_ml = (_biplane_ml(*pair) for pair in zip(first, second, strict=True))
    flags = tuple(dict.fromkeys((*four.flags("volume"), *two.flags("volume"))))
    refs = (*four.measured.key_frames.refs(Phase.ED), *two.measured.key_frames.refs(Phase.ED))
    value = DENSITY_G_PER_ML * (outer_ml - inner_ml)
    return [Quantity(MASS, value, "g", Method.BIPLANE_WALL, f"{four.name}+{two.name}", refs, flags=flags)]


def _bodies(view: WalledView) -> _Bodies | None:
    wall = view.walls[Phase.ED]
    return None if wall.epicardium is None else _Bodies(disks_of(wall.epicardium), disks_of(wall.endocardium))


def disks_of(line: WallLine) -> Disks:
    """Disks of what a line encloses above the straight way between its ends."""
    return simpson_disks(line.points, LongAxis(line.hinges, line.apex, "annulus"))


def _biplane_ml(first: Disks, second: Disks) -> float:
    (length_mm,) = biplane_lengths_mm([first.length], [second.length])
    return disk_volume(first.diameters, second.diameters, length_mm) / 1000


def _by_short_axis(shown: dict[View, WalledView], stacks: Sequence[TracedStack]) -> list[Quantity]:
    """By area and length, and as a truncated ellipsoid, where a parasternal short axis and an apical view are shown."""
    slices = [stack for stack in stacks if stack.is_slice and stack.image.image.modality is Modality.US]
    if not shown or not slices:
        return []
    found = find_view_beats(slices)
    view = next((shown[each] for each in (View.FOUR_CHAMBER, View.TWO_CHAMBER) if each in shown), None)
    if found is None or view is None:
        return []
    by_name = {stack.name: stack for stack in slices}
    full = [(by_name[beat.end_diastole.image], beat) for beat in found.beats if beat.end_diastole is not None]
    beats = _full_beats(view)
    if not full:
        return []
    pairs = matched_beats(_durations_ms(beats), [beat.duration_ms for _, beat in full])
    return over_beats([_masses(beats[one], *full[other]) for one, other in pairs])


def _masses(view: WalledView, stack: TracedStack, short_axis: KeyFrames) -> list[Quantity]:
    """By both methods, in one beat of an apical view and of a short axis."""
    diastole = short_axis.end_diastole
    areas = None if diastole is None else _areas_cm2(stack, diastole.frame)
    if diastole is None or areas is None:
        return []
    disks = disks_of(view.walls[Phase.ED].endocardium)
    length_cm = disks.length / 10
    widest = (int(disks.diameters.argmax()) + 0.5) / len(disks.diameters)
    text = "the level of the short axis is not known: mass by area and length wants that of the papillary muscles"
    flags = (*view.flags("volume"), flag("mass-level", text))
    refs = (*view.measured.key_frames.refs(Phase.ED), diastole.ref)
    name = f"{view.name}+{diastole.view_name}"
    masses = {
        Method.AREA_LENGTH_WALL: area_length_mass_g(*areas, length_cm),
        Method.TRUNCATED_ELLIPSOID: truncated_ellipsoid_mass_g(*areas, (1 - widest) * length_cm, widest * length_cm),
    }
    return [Quantity(MASS, value, "g", method, name, refs, flags=flags) for method, value in masses.items()]


def _areas_cm2(stack: TracedStack, frame: int) -> tuple[float, float] | None:
    """Inside of the epicardium and of the endocardium; None without a myocardium or a size of pixels."""
    if Structure.MYO not in stack.counts or stack.labels.spacing_mm is None:
        return None
    inner, wall = (int(stack.counts[each][frame, 0]) for each in (Structure.LV, Structure.MYO))
    if not inner or not wall:
        return None
    height, width = stack.labels.spacing_mm[1:]
    pixel_cm2 = height * width / 100
    return (inner + wall) * pixel_cm2, inner * pixel_cm2
