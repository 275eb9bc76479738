"""From an exam and its labels to everything that can be measured in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from cardiotrace.clinical.curve import Curve, long_axis_curve, stack_curve
from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.labelling import labels_in_place, with_label_flags
from cardiotrace.clinical.normal import body_surface_area_m2
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.rule import flag
from cardiotrace.clinical.stack_measurement import measure_stack
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.clinical.validity import jump_flags
from cardiotrace.clinical.vessel import vessel_quantities
from cardiotrace.clinical.view_measurement import ViewMeasurement, biplane_quantities, measure_view, view_quantities
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Structure, View
from cardiotrace.geometry.blank import blank_planes, blank_words

LONG_AXIS_VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER, View.FIVE_CHAMBER, View.UNKNOWN)
"""Views whose single plane gives a volume, the preferred one first."""
_INDEXED = (
    *("left_ventricular_end_diastolic_volume", "left_ventricular_end_systolic_volume"),
    *("left_atrial_volume", "left_ventricular_mass"),
)
_BODY_M2 = (0.2, 4.0)
"""Surfaces that a human body can have; else height or weight are wrong."""

Blank = Mapping[str, Bool[np.ndarray, "time depth"]]
"""Planes without an image, by image name."""


def measure(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    *,
    doubts: Mapping[str, Doubt] | None = None,
    has_images: bool = True,
) -> Measures:
    """Measure an exam: areas, lengths, volumes and ejection fraction of the left ventricle, size of the left atrium.

    Long-axis views give volumes by disks and by area and length, two apical views together the biplane volume; a
    short-axis stack gives volumes by adding its slices, and the mass of the myocardium. The preferred value of each
    quantity stands first: in MRI the sum of slices, then biplane, then the disks of the four-chamber view. What is not
    usable stands behind what is. Photographs of the retina give the density of vessels. Frames without an image are
    not measured, whatever their labels.

    Args:
        exam: its images, with end-diastole and end-systole named or not.
        labels: labels of the images, by image name; images without labels are skipped.
        doubts: how unsure the model was of each frame, by image name; none for labels that a person drew.
        has_images: whether the images hold images; False where they stand for labels alone.

    Returns:
        The quantities, with flags where one should not be trusted. Without pixel spacing only areas in
        pixels and the ejection fraction.

    Raises:
        InputError: labels that belong to no image, or lie elsewhere than theirs.

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1; Mitchell et al. 2019, J Am Soc Echocardiogr 32:1.
    """
    labels = labels_in_place(exam, labels)
    blank = {
        image.name: blank_planes(image.cine.frames) if has_images else np.zeros(image.cine.grid_shape[:2], bool)
        for image in exam.images
        if image.name in labels
    }
    shown = replace(exam, images=tuple(_without_blank(image, blank) for image in exam.images))
    traced = _Traced.of(shown, labels, blank)
    views = [found for cines in traced.cines.values() if (found := measure_view(cines, doubts)) is not None]
    stack = measure_stack(traced.stacks)
    vessels = vessel_quantities(exam, {name: labels[name] for name in labels if not blank[name].all()})
    long_axis = [*biplane_quantities(views), *(item for found in views for item in view_quantities(found))]
    by_rank = [*stack.quantities, *long_axis] if traced.is_mri else [*long_axis, *stack.quantities]
    quantities = [*by_rank, *vessels, *_indexed([*by_rank, *vessels], exam.patient)]
    curves = traced.curves(exam.frame_rate_hz)
    flags = [
        *_blank_flags(blank),
        *_exam_flags(exam, views, traced),
        *_curve_flags(curves, blank),
        *stack.flags,
        *_left_out_flags(shown, labels, blank, traced),
        *(item for quantity in quantities for item in quantity.flags),
    ]
    if not vessels and not traced.names:
        flags.append(_nothing_flag(shown, labels, blank))
    key_frames = (*(item for found in views for item in found.traced_key_frames), *stack.key_frames)
    measures = Measures(exam.name, tuple(quantities), tuple(dict.fromkeys(flags)), key_frames, curves)
    return usable_first(with_label_flags(measures, exam, labels))


@dataclass(frozen=True)
class _Traced:
    """The images of an exam in which a left ventricle is measured, each traced once."""

    cines: Mapping[View, Sequence[TracedCine]]
    """Long-axis images by view, in order of preference."""
    stacks: Sequence[TracedStack]
    """Short-axis images."""

    @classmethod
    def of(cls, exam: Exam, labels: Mapping[str, LabelMap], blank: Blank) -> "_Traced":
        """Those of an exam that hold an image, and labels with a left ventricle."""
        cines: dict[View, list[TracedCine]] = {view: [] for view in LONG_AXIS_VIEWS}
        stacks: list[TracedStack] = []
        for image in exam.images:
            if not _shows_ventricle(image, labels, blank):
                continue
            view, depth = image.cine.view, image.cine.grid_shape[1]
            if view is View.SAX or (view is View.UNKNOWN and depth > 1):
                stacks.append(TracedStack(image, labels[image.name], blank[image.name]))
            elif view in cines and depth == 1:
                cines[view].append(TracedCine(image, labels[image.name], blank[image.name][:, 0]))
        return cls({view: found for view, found in cines.items() if found}, stacks)

    @property
    def names(self) -> set[str]:
        """Of all images."""
        return {cine.name for found in self.cines.values() for cine in found} | {stack.name for stack in self.stacks}

    @property
    def is_mri(self) -> bool:
        """Whether there is a stack, and not of ultrasound: then the sum of its slices is preferred."""
        return bool(self.stacks) and self.stacks[0].image.cine.modality is not Modality.US

    def curves(self, frame_rate_hz: float | None) -> tuple[Curve, ...]:
        """One of each moving image, long axis first."""
        cines = [cine for found in self.cines.values() for cine in found if len(cine.blank) > 1]
        stacks = [stack for stack in self.stacks if len(stack.blank) > 1]
        return (
            *(long_axis_curve(cine, frame_rate_hz=frame_rate_hz) for cine in cines),
            *(stack_curve(stack, frame_rate_hz=frame_rate_hz) for stack in stacks),
        )


def _shows_ventricle(image: ExamImage, labels: Mapping[str, LabelMap], blank: Blank) -> bool:
    """Whether an image shows something, and its labels can hold a left ventricle."""
    found = labels.get(image.name)
    return found is not None and Structure.LV in found.scheme.values and not blank[image.name].all()


def usable_first(measures: Measures) -> Measures:
    """The measures with the quantities that are not usable behind those that are."""
    ordered = sorted(measures.quantities, key=lambda quantity: not quantity.is_usable)
    return replace(measures, quantities=tuple(ordered))


def _without_blank(image: ExamImage, blank: Blank) -> ExamImage:
    """The image without phases that name a frame without an image."""
    dark = blank.get(image.name)
    if dark is None:
        return image
    kept = {phase: frame for phase, frame in image.phases.items() if not dark[frame].all()}
    return replace(image, phases=kept)


def _blank_flags(blank: Blank) -> list[Flag]:
    flags = []
    for name, dark in blank.items():
        words = blank_words(dark)
        if words:
            flags.append(flag("all-blank" if dark.all() else "blank", f"{name}: {words}", about=name))
    return flags


def _left_out(exam: Exam, labels: Mapping[str, LabelMap], blank: Blank, traced: _Traced) -> list[ExamImage]:
    """Images whose labels can hold a left ventricle that is not measured."""
    return [image for image in exam.images if image.name not in traced.names and _shows_ventricle(image, labels, blank)]


def _left_out_flags(exam: Exam, labels: Mapping[str, LabelMap], blank: Blank, traced: _Traced) -> list[Flag]:
    return [
        flag("not-measured", f"{image.name}: {_what(image)} is not measured", about=image.name)
        for image in _left_out(exam, labels, blank, traced)
    ]


def _nothing_flag(exam: Exam, labels: Mapping[str, LabelMap], blank: Blank) -> Flag:
    """Why nothing was measured: no labels of a ventricle, or none in a view that is measured."""
    if any(_shows_ventricle(image, labels, blank) for image in exam.images):
        measured = "apical views, long axes and short axes"
        return flag("nothing-measured", f"no labelled image is of a view that is measured: {measured}")
    return flag("nothing-measured", "no labelled image shows a left ventricle: nothing was measured")


def _what(image: ExamImage) -> str:
    depth = image.cine.grid_shape[1]
    view = f"view {image.cine.view_name}"
    return view if depth == 1 else f"{view} in {depth} slices"


def _curve_flags(curves: Sequence[Curve], blank: Blank) -> list[Flag]:
    flags: list[Flag] = []
    for curve in curves:
        name, values = next(iter(curve.series.items()))
        what = "volume" if "volume" in name else "area"
        frames = np.flatnonzero(~blank[curve.image].all(axis=1)).tolist()
        found = jump_flags([values[frame] for frame in frames], what=what, frames=frames)
        flags.extend(item.of(curve.view) for item in found)
    return flags


def _exam_flags(exam: Exam, views: Sequence[ViewMeasurement], traced: _Traced) -> list[Flag]:
    """What concerns the exam as a whole."""
    flags = [item for found in views for item in found.flags]
    flags.extend(item for found in views if found.atrium is not None for item in found.atrium.flags)
    if View.UNKNOWN in traced.cines:
        flags.append(flag("view-unknown", "the view is not stated: it was measured as a long-axis view of the heart"))
    if any(not found.is_scaled for found in views):
        text = "the pixel spacing is unknown: areas are in pixels, there are no volumes; the ratios hold"
        flags.append(flag("no-pixel-size", text))
    age = exam.patient.age_years
    if age is not None and age < 18:
        flags.append(flag("under-18", "the patient is under 18: the normal ranges are those of adults"))
    return flags


def _indexed(quantities: Sequence[Quantity], patient: Patient) -> list[Quantity]:
    """The preferred volumes and mass per square metre of body surface, where height and weight are known."""
    if not patient.height_cm or not patient.weight_kg:
        return []
    area_m2 = body_surface_area_m2(patient.height_cm, patient.weight_kg)
    if not (np.isfinite(area_m2) and _BODY_M2[0] < area_m2 < _BODY_M2[1]):
        return []
    preferred = {item.name: item for item in reversed(quantities) if item.unit in ("ml", "g")}
    return [
        replace(found, name=f"{name}_index", value=found.value / area_m2, unit=f"{found.unit}/m2")
        for name in _INDEXED
        if (found := preferred.get(name)) is not None
    ]
