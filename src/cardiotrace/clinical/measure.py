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
from cardiotrace.clinical.stack import StackMeasures, stack_measures
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.validity import jump_flags
from cardiotrace.clinical.vessel import vessel_quantities
from cardiotrace.clinical.view_measurement import ViewMeasurement, biplane_quantities, measure_view, view_quantities
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Flag
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.geometry.blank import blank_planes, blank_words

LONG_AXIS_VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER, View.FIVE_CHAMBER, View.UNKNOWN)
"""Views whose single plane gives a volume, the preferred one first."""
_INDEXED = ("left_ventricular_end_diastolic_volume", "left_ventricular_end_systolic_volume", "left_atrial_volume")

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
    cines, stack = _by_view(shown, labels, blank)
    planes = [plane for group in cines.values() if (plane := measure_view(group, doubts)) is not None]
    found = stack_measures(stack, labels, blank) if stack else StackMeasures((), (), ())
    vessels = vessel_quantities(exam, {name: labels[name] for name in labels if not blank[name].all()})
    long_axis = [*biplane_quantities(planes), *(item for plane in planes for item in view_quantities(plane))]
    is_mri = bool(stack) and stack[0].cine.modality is not Modality.US
    quantities = [*found.quantities, *long_axis] if is_mri else [*long_axis, *found.quantities]
    quantities.extend(vessels)
    quantities.extend(_indexed(quantities, exam.patient))
    curves = _curves(exam, cines, stack, labels, blank)
    flags = [*_blank_flags(blank), *_exam_flags(exam, planes, cines), *_curve_flags(curves, blank), *found.flags]
    flags.extend(_left_out(shown, labels, cines, stack, blank))
    if not cines and not stack and not vessels:
        flags.append(flag("nothing-measured", "no labelled image shows a left ventricle: nothing was measured"))
    for quantity in quantities:
        flags.extend(quantity.flags)
    key_frames = (*(item for plane in planes for item in plane.instants), *found.instants)
    measures = Measures(exam.name, tuple(quantities), tuple(dict.fromkeys(flags)), key_frames, curves)
    return usable_first(with_label_flags(measures, exam, labels))


@dataclass(frozen=True)
class LabelledView:
    """Labels with all that measuring must know of their image, whose pixels nobody has read."""

    labels: LabelMap
    view: View
    phase: Phase = Phase.OTHER
    """Of a still; a moving image's key frames are found."""
    modality: Modality = Modality.UNKNOWN


def measure_labels(labelled: Mapping[str, LabelledView], *, exam: str = "") -> Measures:
    """Measure labels without their images: all that `measure` finds but for what only pixels tell.

    Args:
        labelled: of one patient, by a name for each.
        exam: what the measures are called.
    """
    images = tuple(_unread(name, item) for name, item in labelled.items())
    return measure(Exam(exam, images), {name: item.labels for name, item in labelled.items()}, has_images=False)


def _unread(name: str, item: LabelledView) -> ExamImage:
    """The grid, view and phase of an image; its frames are there in shape alone, and `measure` is told so."""
    labels = item.labels
    nothing = np.broadcast_to(np.uint8(0), labels.array.shape)
    cine = Image(nothing, labels.geometry, view=item.view, source=labels.source, modality=item.modality)
    is_still = len(labels.array) == 1 and item.phase is not Phase.OTHER
    return ExamImage(name, cine, {item.phase: 0} if is_still else {})


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


def _left_out(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    planar: Mapping[View, Sequence[TracedCine]],
    stack: Sequence[ExamImage],
    blank: Blank,
) -> list[Flag]:
    """Images whose labels hold a left ventricle that is not measured."""
    used = {cine.name for cines in planar.values() for cine in cines} | {image.name for image in stack}
    left = [image for image in exam.images if image.name in labels and image.name not in used]
    return [
        flag("not-measured", f"{image.name}: {_what(image)} is not measured", about=image.name)
        for image in left
        if Structure.LV in labels[image.name].scheme.values and not blank[image.name].all()
    ]


def _what(image: ExamImage) -> str:
    depth = image.cine.grid_shape[1]
    view = f"view {image.cine.view_name}"
    return view if depth == 1 else f"{view} in {depth} slices"


def _by_view(
    exam: Exam, labels: Mapping[str, LabelMap], blank: Blank
) -> tuple[dict[View, list[TracedCine]], list[ExamImage]]:
    """Labelled images with a left ventricle: long-axis ones by view in order of preference, and short-axis stacks."""
    planar: dict[View, list[TracedCine]] = {view: [] for view in LONG_AXIS_VIEWS}
    stack: list[ExamImage] = []
    for image in exam.images:
        if image.name not in labels or Structure.LV not in labels[image.name].scheme.values:
            continue
        view, depth = image.cine.view, image.cine.grid_shape[1]
        if blank[image.name].all():
            continue
        if view is View.SAX or (view is View.UNKNOWN and depth > 1):
            stack.append(image)
        elif view in planar and depth == 1:
            planar[view].append(TracedCine(image, labels[image.name], blank[image.name][:, 0]))
    return {view: cines for view, cines in planar.items() if cines}, stack


def _curves(
    exam: Exam,
    planar: Mapping[View, Sequence[TracedCine]],
    stack: Sequence[ExamImage],
    labels: Mapping[str, LabelMap],
    blank: Blank,
) -> tuple[Curve, ...]:
    """One of each moving image, long axis first."""
    rate = exam.frame_rate_hz
    moving = [cine for cines in planar.values() for cine in cines if len(cine.blank) > 1]
    stacks = [image for image in stack if image.cine.grid_shape[0] > 1]
    return (
        *(long_axis_curve(cine, frame_rate_hz=rate) for cine in moving),
        *(
            stack_curve(image, labels[image.name], np.all(blank[image.name], axis=1), frame_rate_hz=rate)
            for image in stacks
        ),
    )


def _curve_flags(curves: Sequence[Curve], blank: Blank) -> list[Flag]:
    flags: list[Flag] = []
    for curve in curves:
        name, values = next(iter(curve.series.items()))
        what = "volume" if "volume" in name else "area"
        frames = np.flatnonzero(~blank[curve.image].all(axis=1)).tolist()
        found = jump_flags([values[frame] for frame in frames], what=what, frames=frames)
        flags.extend(item.of(curve.view) for item in found)
    return flags


def _exam_flags(
    exam: Exam, planes: Sequence[ViewMeasurement], planar: Mapping[View, Sequence[TracedCine]]
) -> list[Flag]:
    """What concerns the exam as a whole."""
    flags = [item for plane in planes for item in plane.flags]
    flags.extend(item for plane in planes if plane.atrium is not None for item in plane.atrium.flags)
    if View.UNKNOWN in planar:
        flags.append(flag("view-unknown", "the view is not stated: it was measured as a long-axis view of the heart"))
    if any(not plane.is_scaled for plane in planes):
        text = "the pixel spacing is unknown: areas are in pixels, there are no volumes; the ratios hold"
        flags.append(flag("no-pixel-size", text))
    ages = exam.patient.age_years
    if ages is not None and ages < 18:
        flags.append(flag("under-18", "the patient is under 18: the normal ranges are those of adults"))
    return flags


def _indexed(quantities: Sequence[Quantity], patient: Patient) -> list[Quantity]:
    """The preferred volumes and mass per square metre of body surface, where height and weight are known."""
    if not patient.height_cm or not patient.weight_kg:
        return []
    area_m2 = body_surface_area_m2(patient.height_cm, patient.weight_kg)
    if not (np.isfinite(area_m2) and 0.2 < area_m2 < 4):
        return []
    indexed = []
    for name in (*_INDEXED, "left_ventricular_mass"):
        found = next((quantity for quantity in quantities if quantity.name == name), None)
        if found is not None and found.unit in ("ml", "g"):
            indexed.append(
                Quantity(
                    f"{name}_index",
                    found.value / area_m2,
                    f"{found.unit}/m2",
                    found.method,
                    found.view,
                    found.frames,
                    flags=found.flags,
                )
            )
    return indexed
