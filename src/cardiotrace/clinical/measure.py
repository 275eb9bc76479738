"""From an exam and its labels to everything that can be measured in it."""

from collections.abc import Mapping, Sequence

import numpy as np

from cardiotrace.clinical.curve import Curve, long_axis_curve, stack_curve
from cardiotrace.clinical.normal import body_surface_area_m2
from cardiotrace.clinical.plane import Plane, biplane_quantities, plane_quantities, trace_plane
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.stack import stack_measures
from cardiotrace.clinical.validity import jump_flags
from cardiotrace.clinical.vessel import vessel_quantities
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure, View

LONG_AXIS_VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.UNKNOWN)
"""Views whose single plane gives a volume, the preferred one first."""
_INDEXED = ("end_diastolic_volume", "end_systolic_volume", "left_atrial_volume")


def measure(exam: Exam, labels: Mapping[str, LabelMap]) -> Measures:
    """Measure an exam: areas, lengths, volumes and ejection fraction of the left ventricle, size of the left atrium.

    Long-axis views give volumes by discs and by area and length, two apical views together the biplane volume; a
    short-axis stack gives volumes by adding its slices, and the mass of the myocardium. The preferred value of each
    quantity stands first: biplane, then the discs of the four-chamber view. Photographs of the
    retina give the density of vessels.

    Args:
        exam: its images, with end-diastole and end-systole named or not.
        labels: labels of the images, by image name; images without labels are skipped.

    Returns:
        The quantities, with flags in words where one should not be trusted. Without pixel spacing only areas in
        pixels and the ejection fraction.

    Raises:
        InputError: labels that belong to no image, or lie on another grid than theirs.

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1; Mitchell et al. 2019, J Am Soc Echocardiogr 32:1.
    """
    _check(exam, labels)
    planar, stacks = _by_view(exam, labels)
    planes = [plane for images in planar.values() if (plane := trace_plane(images, labels)) is not None]
    curves = _curves(exam, planar, stacks, labels)
    quantities = [*biplane_quantities(planes)]
    for plane in planes:
        quantities.extend(plane_quantities(plane))
    instants = [instant for plane in planes for instant in plane.instants]
    vessels = vessel_quantities(exam, labels)
    quantities.extend(vessels)
    flags = [*_exam_flags(exam, planes, planar), *_curve_flags(curves)]
    if not planar and not stacks and not vessels:
        text = "no labelled image shows a left ventricle: nothing was measured"
        flags.append(Flag(Grade.LOOK_TWICE, text, "nothing-measured"))
    for images in stacks:
        found = stack_measures(images, labels)
        quantities.extend(found.quantities)
        instants.extend(found.instants)
        flags.extend(found.flags)
    quantities.extend(_indexed(quantities, exam.patient))
    for quantity in quantities:
        flags.extend(quantity.flags)
    return Measures(exam.name, tuple(quantities), tuple(dict.fromkeys(flags)), tuple(instants), curves)


def _check(exam: Exam, labels: Mapping[str, LabelMap]) -> None:
    images = {image.name: image for image in exam.images}
    for name, found in labels.items():
        if name not in images:
            raise InputError(f"labels for {name!r}, which is no image of exam {exam.name!r}", remedy=_listed(images))
        if found.array.shape != images[name].cine.grid_shape:
            raise InputError(
                f"labels of {name!r} have shape {found.array.shape}, the image {images[name].cine.grid_shape}",
                remedy="labels must lie on the grid of their image.",
            )


def _listed(images: Mapping[str, ExamImage]) -> str:
    return f"its images: {', '.join(images)}."


def _by_view(exam: Exam, labels: Mapping[str, LabelMap]) -> tuple[dict[View, list[ExamImage]], list[list[ExamImage]]]:
    """Labelled images with a left ventricle: long-axis ones by view in order of preference, and short-axis stacks."""
    planar: dict[View, list[ExamImage]] = {view: [] for view in LONG_AXIS_VIEWS}
    stack: list[ExamImage] = []
    for image in exam.images:
        if image.name not in labels or Structure.LV not in labels[image.name].scheme.values:
            continue
        view, depth = image.cine.view, image.cine.grid_shape[1]
        if view is View.SAX or (view is View.UNKNOWN and depth > 1):
            stack.append(image)
        elif view in planar and depth == 1:
            planar[view].append(image)
    return {view: images for view, images in planar.items() if images}, [stack] if stack else []


def _curves(
    exam: Exam,
    planar: Mapping[View, Sequence[ExamImage]],
    stacks: Sequence[Sequence[ExamImage]],
    labels: Mapping[str, LabelMap],
) -> tuple[Curve, ...]:
    """One of each moving image, long axis first."""
    kinds = ((long_axis_curve, planar.values()), (stack_curve, stacks))
    return tuple(
        make(image, labels[image.name], frame_rate_hz=exam.frame_rate_hz)
        for make, groups in kinds
        for images in groups
        for image in images
        if image.cine.grid_shape[0] > 1
    )


def _curve_flags(curves: Sequence[Curve]) -> list[Flag]:
    flags: list[Flag] = []
    for curve in curves:
        name, values = next(iter(curve.series.items()))
        what = "volume" if "volume" in name else "area"
        flags.extend(flag.of(curve.view) for flag in jump_flags(values, what=what))
    return flags


def _exam_flags(exam: Exam, planes: Sequence[Plane], planar: Mapping[View, Sequence[ExamImage]]) -> list[Flag]:
    """What concerns the exam as a whole."""
    flags = [flag for plane in planes for flag in plane.flags]
    if View.UNKNOWN in planar:
        text = "the view is not stated: it was measured as an apical view with the apex at the top"
        flags.append(Flag(Grade.LOOK_TWICE, text, "view-unknown"))
    if any(not plane.is_scaled for plane in planes):
        text = "the pixel spacing is unknown: areas are in pixels, there are no volumes; the ratios hold"
        flags.append(Flag(Grade.NOTE, text, "no-pixel-size"))
    ages = exam.patient.age_years
    if ages is not None and ages < 18:
        text = "the patient is under 18: the normal ranges are those of adults"
        flags.append(Flag(Grade.NOTE, text, "under-18"))
    return flags


def _indexed(quantities: Sequence[Quantity], patient: Patient) -> list[Quantity]:
    """The preferred volumes and mass per square metre of body surface, where height and weight are known."""
    if not patient.height_cm or not patient.weight_kg:
        return []
    area_m2 = body_surface_area_m2(patient.height_cm, patient.weight_kg)
    if not (np.isfinite(area_m2) and 0.2 < area_m2 < 4):
        return []
    indexed = []
    for name in (*_INDEXED, "myocardial_mass"):
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
