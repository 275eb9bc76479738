"""From an exam and its labels to everything that can be measured in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cardiotrace.clinical.curve import Curve, frame_times_ms
from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.films.film import Film, films
from cardiotrace.clinical.films.flow import atrium_quantities, flow_flags, flow_quantities
from cardiotrace.clinical.films.output import cardiac_index, cardiac_output
from cardiotrace.clinical.films.rhythm import heart_rate, rhythm_flags
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.labelling import labels_in_place, with_label_flags
from cardiotrace.clinical.normal import body_surface_area_m2
from cardiotrace.clinical.plane_measurement import PlaneMeasurement, measure_to_plane
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.stack_measurement import StackMeasurement, measure_stack
from cardiotrace.clinical.traced_exam import (
    Blank,
    TracedExam,
    find_blank,
    without_blank_phases,
    without_rejected,
)
from cardiotrace.clinical.validity import jump_flags
from cardiotrace.clinical.vessel import vessel_quantities
from cardiotrace.clinical.view_measurement import ViewMeasurement, biplane_quantities, measure_views, view_quantities
from cardiotrace.clinical.wall_measurement import WallMeasurement, measure_walls
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.findings import ExamFindings
from cardiotrace.core.flag import Flag
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.geometry.blank import blank_words, runs_of

_INDEXED = (
    *("left_ventricular_end_diastolic_volume", "left_ventricular_end_systolic_volume"),
    *("left_atrial_volume", "left_ventricular_mass"),
    *("right_ventricular_end_diastolic_volume", "right_ventricular_end_systolic_volume"),
)


def measure(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    *,
    doubts: Mapping[str, Doubt] | None = None,
    has_images: bool = True,
    tracking: bool = False,
    known: ExamFindings | None = None,
) -> Measures:
    """Measure an exam: areas, lengths, volumes and ejection fraction of the left ventricle, size of the left atrium.

    Long-axis views give volumes by disks and by area and length, two apical views together the biplane volume; a
    short-axis stack gives volumes by adding its slices, the mass of the myocardium, and what its wall does, as a whole
    and by segment. The preferred value of each quantity stands first: in MRI slices to the mitral plane, then whole
    slices, then biplane, then the disks of the four-chamber view. What is not usable stands behind what is.
    Photographs of the retina give the density of vessels. Frames without an image are not measured, whatever their
    labels.

    Args:
        exam: its images, with end-diastole and end-systole named or not.
        labels: labels of the images, by image name; images without labels are skipped.
        doubts: how unsure the model was of each frame, by image name; none for labels that a person drew.
        has_images: whether the images hold images; False where they stand for labels alone.
        tracking: follow the wall through the grey values of films as well, for a second strain; 2 s of a processor for
            60 frames.
        known: what earlier measurements of this exam found, and what this one finds: after an edit of few frames little
            is found anew. The values are the same with and without.

    Returns:
        The quantities, with flags where one should not be trusted. Without pixel spacing only areas in
        pixels and the ejection fraction.

    Raises:
        InputError: labels that belong to no image, or lie elsewhere than theirs; tracking without images.

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1; Mitchell et al. 2019, J Am Soc Echocardiogr 32:1.
    """
    if tracking and not has_images:
        raise InputError("labels without their images cannot be tracked", remedy="hand the images over as well.")
    labels = labels_in_place(exam, labels)
    time_flags, exam = _time_flags(exam, labels), _with_times(exam)
    known = ExamFindings() if known is None else known
    findings = {
        image.name: known.of(image.name, image.image.frames, labels[image.name])
        for image in exam.images
        if image.name in labels
    }
    dark = find_blank(exam, findings, has_images=has_images)
    blank = without_rejected(exam, dark)
    traced = TracedExam.of(without_blank_phases(exam, blank), labels, blank, findings)
    vessels = vessel_quantities(exam, {name: found for name, found in labels.items() if not blank[name].all()})
    views, curves = measure_views(traced.cines.values(), doubts), traced.curves(exam.frame_rate_hz)
    moving = tuple(films(traced.sources, curves))
    beats = tuple(beat for film in moving for beat in film.beats)
    walls = measure_walls(views, traced.stacks, beats, tracking=tracking)
    found = _Found(traced, views, measure_stack(traced.stacks), vessels, walls, moving)
    quantities, curves = found.quantities(exam.patient), walls.added_to(curves)
    flags = [
        *_blank_flags(dark),
        *_rejected_flags(exam, labels),
        *time_flags,
        *_view_flags(found),
        *_patient_flags(exam.patient),
        *_curve_flags(curves, blank),
        *rhythm_flags(found.images, found.measured_films),
        *(item for film in found.measured_films for item in flow_flags(film)),
        *found.stack.flags,
        *walls.flags,
        *found.to_plane.flags,
        *_left_out_flags(found),
        *(item for quantity in quantities for item in quantity.flags),
    ]
    measures = Measures(
        exam.name,
        quantities,
        tuple(dict.fromkeys(flags)),
        found.key_frames,
        curves,
        beats,
        (*found.stack.segments, *walls.segments),
    )
    return usable_first(with_label_flags(measures, exam, labels, findings))


_NOBODY = Patient()
"""Of whom nothing is known."""


@dataclass(frozen=True)
class _Found:
    """What was found in an exam, by kind of image."""

    traced: TracedExam
    views: Sequence[ViewMeasurement]
    stack: StackMeasurement
    vessels: Sequence[Quantity]
    walls: WallMeasurement
    films: Sequence[Film]
    """Every moving image."""

    @property
    def images(self) -> Sequence[ExamImage]:
        """Those that hold a key frame."""
        names = {key_frame.image for key_frame in self.key_frames}
        return [source.image for source in self.traced.sources if source.name in names]

    @property
    def measured_films(self) -> Sequence[Film]:
        """Those of them that move."""
        names = {image.name for image in self.images}
        return [film for film in self.films if film.source.name in names]

    def quantities(self, patient: Patient) -> tuple[Quantity, ...]:
        """All of them, the preferred methods first, those per body surface last."""
        long_axis = [*biplane_quantities(self.views), *(item for view in self.views for item in view_quantities(view))]
        groups = [long_axis, (*self.to_plane.quantities, *self.stack.quantities)]
        ranked = [item for group in (reversed(groups) if self.traced.is_mri else groups) for item in group]
        ranked.extend(self.walls.quantities)
        ranked.extend(self._over_time(ranked, patient))
        return (*ranked, *self.vessels, *_indexed(ranked, patient))

    @cached_property
    def to_plane(self) -> PlaneMeasurement:
        """Volumes of the stack that end at the mitral plane of the long axes."""
        return measure_to_plane(self.stack, self.views)

    def _over_time(self, ranked: Sequence[Quantity], patient: Patient) -> Iterator[Quantity]:
        """Rates of flow, the heart rate, and what the heart pumps in a minute."""
        films = self.measured_films
        for film in reversed(films) if self.traced.is_mri else films:
            flags = self._flags_of(film)
            yield from flow_quantities(film, flags)
            yield from atrium_quantities(film, flags)
        rate = heart_rate(self.images, self.measured_films)
        if rate is None:
            return
        yield rate
        stroke = next((item for item in ranked if item.name == "left_ventricular_stroke_volume"), None)
        if stroke is not None:
            output, area_m2 = cardiac_output(stroke, rate), _body_m2(patient)
            yield output
            if area_m2 is not None:
                yield cardiac_index(output, area_m2)

    def _flags_of(self, film: Film) -> Sequence[Flag]:
        """What speaks against the view that a film was measured in."""
        by_view = {view.view_name: (*view.flags, *view.atrium_flags) for view in self.views}
        return by_view.get(film.curve.view, self.stack.flags)

    @property
    def key_frames(self) -> tuple[KeyFrame, ...]:
        """Those of all views, long axes first."""
        return (*(item for view in self.views for item in view.traced_key_frames), *self.stack.key_frames)


@dataclass(frozen=True)
class LabelledView:
    """Labels with all that measuring must know of their image, whose pixels nobody has read."""

    labels: LabelMap
    view: View
    phase: Phase = Phase.OTHER
    """Of a still; a moving image's key frames are found."""
    modality: Modality = Modality.UNKNOWN


def measure_labels(labelled: Mapping[str, LabelledView], *, exam: str = "", patient: Patient = _NOBODY) -> Measures:
    """Measure labels without their images: all that `measure` finds but for what only pixels tell.

    Args:
        labelled: of one patient, by a name for each.
        exam: what the measures are called.
        patient: height and weight, for values by body surface.
    """
    images = tuple(_unread(name, item) for name, item in labelled.items())
    return measure(
        Exam(exam, images, patient), {name: item.labels for name, item in labelled.items()}, has_images=False
    )


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


def _blank_flags(blank: Blank) -> list[Flag]:
    flags = []
    for name, dark in blank.items():
        words = blank_words(dark)
        if words:
            flags.append(flag("all-blank" if dark.all() else "blank", f"{name}: {words}", about=name))
    return flags


def _rejected_flags(exam: Exam, labels: Mapping[str, LabelMap]) -> Iterator[Flag]:
    """Which frames a person refused."""
    for image in exam.images:
        if image.rejected and image.name in labels:
            frames = ", ".join(runs_of(np.array(sorted(image.rejected))))
            text = f"{image.name}: rejected by a person, and not measured: {frames}"
            yield flag("rejected", text, about=image.name)


def _view_flags(found: _Found) -> list[Flag]:
    """What is odd about long-axis views, and what cannot be told of them."""
    flags = [item for view in found.views for item in view.flags]
    flags.extend(item for view in found.views for item in (*view.atrium_flags, *view.right_flags))
    flags.extend(_plane_flags(found))
    if View.UNKNOWN in found.traced.cines:
        flags.append(flag("view-unknown", "the view is not stated: it was measured as a long-axis view of the heart"))
    if not all(view.is_scaled for view in found.views):
        text = "the pixel spacing is unknown: areas are in pixels, there are no volumes; the ratios hold"
        flags.append(flag("no-pixel-size", text))
    return flags


def _patient_flags(patient: Patient) -> list[Flag]:
    flags = []
    if patient.height_cm and patient.weight_kg and _body_m2(patient) is None:
        size = f"{patient.height_cm:g} cm and {patient.weight_kg:g} kg are no human body"
        flags.append(flag("body-impossible", f"{size}: there are no values by body surface"))
    if patient.age_years is not None and patient.age_years < 18:
        flags.append(flag("under-18", "the patient is under 18: the normal ranges are those of adults"))
    return flags


def _plane_flags(found: _Found) -> list[Flag]:
    """Whether volumes of MRI rest on long axes alone, in which the shape of the ventricle is assumed."""
    names = [
        view.view_name for view in found.views if view.modality is Modality.MR and view.ejection_percent is not None
    ]
    if not names or found.stack.key_frames:
        return []
    text = f"volumes and ejection fraction rest on {' and '.join(names)}, without a short-axis stack, which is surer"
    return [flag("no-stack", text)]


def _left_out_flags(found: _Found) -> list[Flag]:
    """Images that are not measured, and why where there is nothing else."""
    left_out = found.traced.left_out
    flags = [flag("not-measured", f"{item.name}: {_what(item)} is not measured", about=item.name) for item in left_out]
    if found.traced.is_empty and not found.vessels:
        text = "no labelled image shows a left ventricle: nothing was measured"
        if left_out:
            text = "nothing was measured: apical views, other long axes in one plane, and short axes can be"
        flags.append(flag("nothing-measured", text))
    return flags


def _what(image: ExamImage) -> str:
    depth = image.image.grid_shape[1]
    view = f"view {image.image.view_name}"
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


def _body_m2(patient: Patient) -> float | None:
    """Surface of the body; None where it is not known, or no human body has it."""
    height_cm, weight_kg = patient.height_cm, patient.weight_kg
    # Of a negative height and weight the product would be a surface.
    if not height_cm or not weight_kg or height_cm < 0 or weight_kg < 0:
        return None
    area_m2 = body_surface_area_m2(height_cm, weight_kg)
    return None if not np.isfinite(area_m2) or RULES["body-impossible"].breaks(area_m2) else area_m2


def _with_times(exam: Exam) -> Exam:
    """The exam with the instants of all frames that its frame rate tells, so that beats have lengths."""
    return replace(exam, images=tuple(_timed(image, exam.frame_rate_hz) for image in exam.images))


def _time_flags(exam: Exam, labels: Mapping[str, LabelMap]) -> list[Flag]:
    """Films whose times are not used."""
    text = "the times of the frames do not run on from frame to frame: they are not used"
    names = [image.name for image in exam.images if image.name in labels and not _runs_on(image)]
    return [flag("times-stand", f"{name}: {text}") for name in names]


def _runs_on(image: ExamImage) -> bool:
    """Whether each frame comes after the one before, as far as times are stated."""
    times_ms = image.image.times_ms
    return times_ms is None or len(times_ms) < 2 or bool((np.diff(times_ms) > 0).all())


def _timed(image: ExamImage, frame_rate_hz: float | None) -> ExamImage:
    if not _runs_on(image):
        image = replace(image, image=replace(image.image, times_ms=None))
    times_ms = frame_times_ms(image, frame_rate_hz)
    if image.image.times_ms is not None or times_ms is None or len(times_ms) == 1:
        return image
    return replace(image, image=replace(image.image, times_ms=np.array(times_ms)))


def _indexed(quantities: Sequence[Quantity], patient: Patient) -> list[Quantity]:
    """The preferred volumes and mass per square metre of body surface, where height and weight are known."""
    area_m2 = _body_m2(patient)
    if area_m2 is None:
        return []
    preferred = {item.name: item for item in reversed(quantities) if item.unit in ("ml", "g")}
    return [
        replace(found, name=f"{name}_index", value=found.value / area_m2, unit=f"{found.unit}/m2")
        for name in _INDEXED
        if (found := preferred.get(name)) is not None
    ]
