"""Volumes and mass of a short-axis stack that end at the mitral plane, as long axes show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.films.average import alike, over_beats
from cardiotrace.clinical.key_frames import PHASE_WORD, KeyFrame
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.mitral_plane import CutStack, StackFrame, cut_stack, planes_at
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, doubting, flag
from cardiotrace.clinical.stack_measurement import MASS_NAMES, MYOCARDIUM_G_PER_ML, StackMeasurement
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.clinical.view_measurement import ViewMeasurement
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Modality, Phase, View

_VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER)
"""Long axes that show the mitral annulus. Three chambers show the aortic valve beside it."""


@dataclass(frozen=True)
class PlaneMeasurement:
    """What was measured of a stack with its long axes."""

    quantities: tuple[Quantity, ...] = ()
    flags: tuple[Flag, ...] = ()


def measure_to_plane(found: StackMeasurement, views: Sequence[ViewMeasurement]) -> PlaneMeasurement:
    """Volumes, ejection fraction and mass of the left ventricle between mitral plane and apex.

    Args:
        found: what was measured in the stack.
        views: long axes of the same exam; what counts are those of MRI in four and two chambers whose place in the
            patient is known.

    Returns:
        Nothing where the stack's place or slice distance is not known, or where no long axis shows the annulus at each
        key frame of the stack.
    """
    used = [view for view in views if view.view in _VIEWS and view.modality is Modality.MR]
    used = [view for view in used if all(cine.labels.geometry.is_oriented for cine in view.cines.values())]
    beats = [_measure_beat(beat, used) for beat in found.beats] if used else []
    # A mean over some beats would stand before the mean over all of them by whole slices.
    if not all(beat.quantities for beat in beats):
        return PlaneMeasurement()
    quantities = over_beats([beat.quantities for beat in beats])
    return PlaneMeasurement(tuple(quantities), alike(item for beat in beats for item in beat.flags))


def _measure_beat(found: StackMeasurement, used: Sequence[ViewMeasurement]) -> PlaneMeasurement:
    """One beat of the stack, between the planes that the long axes show in the usual one of theirs."""
    cut = {each.phase: _cut(each, found.stacks[each.phase], used) for each in found.key_frames}
    known = {phase: value for phase, value in cut.items() if value is not None}
    # Volumes of one kind at one instant and of another at the other would make an ejection fraction of neither.
    if not known or len(known) < len(cut):
        return PlaneMeasurement()
    view = "+".join([found.key_frames[0].view_name, *(each.view_name for each in used)])
    return _Measured(found, known, used, view).measurement()


def _cut(key_frame: KeyFrame, stack: TracedStack, views: Sequence[ViewMeasurement]) -> CutStack | None:
    if not stack.labels.geometry.is_oriented or stack.is_slice or stack.voxel_ml is None:
        return None
    frame = StackFrame(stack.labels.geometry, stack.is_base_first)
    shown = [view for view in views if key_frame.phase in view.traces]
    pairs = [(view.traces[key_frame.phase], view.cines[key_frame.phase].labels.geometry) for view in shown]
    plane = planes_at(pairs, frame)
    return None if plane is None else cut_stack(stack, key_frame.frame, plane)


@dataclass(frozen=True)
class _Measured:
    found: StackMeasurement
    cut: Mapping[Phase, CutStack]
    views: Sequence[ViewMeasurement]
    view: str

    def measurement(self) -> PlaneMeasurement:
        """The quantities, each with what doubts the stack, and with what the plane itself is doubted for."""
        own = tuple(item.of(self.view) for item in self._flags())
        flags = (*self.found.flags, *own)
        volumes = {phase: each.cavity_ml for phase, each in self.cut.items()}
        quantities = []
        if len(volumes) == len(PHASE_WORD) and volumes[Phase.ED] > 0:
            percent = ejection_fraction(volumes[Phase.ED], volumes[Phase.ES])
            quantities.append(self._quantity("left_ventricular_ejection_fraction", percent, "percent", flags))
        for phase, volume_ml in volumes.items():
            name = f"left_ventricular_{PHASE_WORD[phase]}_volume"
            quantities.append(self._quantity(name, volume_ml, "ml", flags, phase))
        if len(volumes) == len(PHASE_WORD):
            stroke_ml = stroke_volume_ml(volumes[Phase.ED], volumes[Phase.ES])
            quantities.append(self._quantity("left_ventricular_stroke_volume", stroke_ml, "ml", flags))
        for phase, each in self.cut.items():
            if each.wall_ml:
                mass_g = each.wall_ml * MYOCARDIUM_G_PER_ML
                quantities.append(self._quantity(MASS_NAMES[phase], mass_g, "g", flags, phase))
        return PlaneMeasurement(tuple(quantities), own)

    def _quantity(
        self, name: str, value: float, unit: str, flags: Sequence[Flag], phase: Phase | None = None
    ) -> Quantity:
        phases = set(self.cut) if phase is None else {phase}
        frames = [each for each in self.found.key_frames if each.phase in phases]
        frames += [each for view in self.views for each in view.key_frames if each.phase in phases]
        of_unit = {"percent": "ejection", "ml": "volume", "g": "mass"}[unit]
        kinds = ("ejection", of_unit) if name.endswith("stroke_volume") else (of_unit,)
        doubts = tuple(dict.fromkeys(item for kind in kinds for item in doubting(flags, kind)))
        refs = tuple(each.ref for each in frames)
        return Quantity(name, value, unit, Method.SLICES_TO_PLANE, self.view, refs, flags=doubts)

    def _flags(self) -> list[Flag]:
        flags = []
        for phase, each in self.cut.items():
            step_mm = self.found.stacks[phase].labels.geometry.spacing_mm
            slices = abs(each.moved_mm) / (step_mm[0] if step_mm else float("nan"))
            if RULES["mitral-plane-far"].breaks(slices):
                text = f"the mitral plane lies {abs(each.moved_mm):.0f} mm from where the labelled slices end"
                flags.append(flag("mitral-plane-far", text).of(phase))
        return flags


def plane_series(stack: TracedStack, cines: Sequence[TracedCine]) -> dict[str, tuple[float | None, ...]]:
    """Volume to the mitral plane in every frame of a moving stack, by name and unit.

    Args:
        stack: whose place and slice distance are known.
        cines: long axes of the same exam; those with as many frames as the stack count.

    Returns:
        Nothing where no long axis shows the annulus in any frame; None in frames in which none does.
    """
    geometry = stack.labels.geometry
    used = [cine for cine in cines if cine.image.image.view in _VIEWS and len(cine.blank) == len(stack.blank)]
    if not used or not geometry.is_oriented or stack.is_slice or stack.voxel_ml is None:
        return {}
    frame = StackFrame(geometry, stack.is_base_first)
    values: list[float | None] = []
    for index in range(len(stack.blank)):
        plane = planes_at([(cine.traces[index], cine.labels.geometry) for cine in used], frame)
        cut = None if plane is None else cut_stack(stack, index, plane)
        values.append(None if cut is None else cut.cavity_ml)
    known = any(value is not None for value in values)
    return {"left_ventricular_volume_to_mitral_plane_ml": tuple(values)} if known else {}
