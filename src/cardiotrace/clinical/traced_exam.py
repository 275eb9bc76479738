"""The images of an exam in which a left ventricle is measured, each traced once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Bool

from cardiotrace.clinical.curve import Curve, long_axis_curve, stack_curve
from cardiotrace.clinical.key_frames import find_key_frames
from cardiotrace.clinical.plane_measurement import plane_series
from cardiotrace.clinical.regional.measurement import strain_series
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.findings import ImageFindings
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Structure, View
from cardiotrace.geometry.blank import blank_planes

LONG_AXIS_VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER, View.FIVE_CHAMBER, View.UNKNOWN)
"""Views whose single plane gives a volume, the preferred one first."""

Blank = Mapping[str, Bool[np.ndarray, "time depth"]]
"""Planes without an image, by image name."""


@dataclass(frozen=True)
class TracedExam:
    """Long and short axes of one exam."""

    cines: Mapping[View, Sequence[TracedCine]]
    """Long-axis images by view, in order of preference."""
    stacks: Sequence[TracedStack]
    """Short-axis images."""
    left_out: Sequence[ExamImage]
    """Images whose labels can hold a left ventricle, of views that are not measured."""

    @classmethod
    def of(
        cls, exam: Exam, labels: Mapping[str, LabelMap], blank: Blank, findings: Mapping[str, ImageFindings]
    ) -> "TracedExam":
        """Trace the images of an exam that show something and have labels that can hold a left ventricle.

        Args:
            exam: the images.
            labels: in their images' voxel order, by image name.
            blank: see `find_blank`.
            findings: what is known of each already.
        """
        cines: dict[View, list[TracedCine]] = {view: [] for view in LONG_AXIS_VIEWS}
        stacks: list[TracedStack] = []
        left_out: list[ExamImage] = []
        for image in _with_ventricle(exam, labels, blank):
            held, dark = labels[image.name], blank[image.name]
            if _is_short_axis(image):
                stacks.append(TracedStack(image, held, dark, findings[image.name]))
            elif image.image.view in cines and dark.shape[1] == 1:
                cines[image.image.view].append(TracedCine(image, held, dark[:, 0], findings[image.name]))
            else:
                left_out.append(image)
        return cls({view: found for view, found in cines.items() if found}, stacks, left_out)

    @property
    def sources(self) -> Sequence[TracedCine | TracedStack]:
        """All of them, long axes first."""
        return [*(cine for found in self.cines.values() for cine in found), *self.stacks]

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it can be measured."""
        return not self.cines and not self.stacks

    @property
    def is_mri(self) -> bool:
        """Whether there is a stack, and not of ultrasound: then the sum of its slices is preferred."""
        return bool(self.stacks) and self.stacks[0].image.image.modality is not Modality.US

    def curves(self, frame_rate_hz: float | None) -> tuple[Curve, ...]:
        """One of each moving image, long axis first; the rate gives times to images that have none."""
        cines = (cine for found in self.cines.values() for cine in found if len(cine.blank) > 1)
        stacks = (stack for stack in self.stacks if len(stack.blank) > 1)
        return (
            *(long_axis_curve(cine, frame_rate_hz=frame_rate_hz) for cine in cines),
            *(self._stack_curve(stack, frame_rate_hz) for stack in stacks),
        )

    def _stack_curve(self, stack: TracedStack, frame_rate_hz: float | None) -> Curve:
        """Volumes, and what follows from rings and long axes."""
        curve = stack_curve(stack, frame_rate_hz=frame_rate_hz)
        planes = plane_series(stack, [cine for found in self.cines.values() for cine in found])
        # The frame that the values of the wall are measured against, for the curve to meet them.
        key_frames = find_key_frames([stack])
        diastole = None if key_frames is None else key_frames.end_diastole
        strains = {} if diastole is None else strain_series(stack, diastole.frame)
        return replace(curve, series={**curve.series, **planes, **strains})


def find_blank(exam: Exam, findings: Mapping[str, ImageFindings], *, has_images: bool) -> Blank:
    """Planes of labelled images that show no image; none where images stand for labels alone."""
    cines = {image.name: image.image for image in exam.images if image.name in findings}
    if not has_images:
        return {name: np.zeros(cine.grid_shape[:2], bool) for name, cine in cines.items()}
    return {name: findings[name].image.get("blank", partial(blank_planes, cine.frames)) for name, cine in cines.items()}


def without_rejected(exam: Exam, blank: Blank) -> Blank:
    """The planes in which nothing is measured: those without an image, and all of the frames that a person refused.

    A frame of a stack of which one slice is refused has no volume: its other slices are left out as well.
    """
    refused = {image.name: sorted(image.rejected) for image in exam.images if image.rejected and image.name in blank}
    return {name: _with_frames(dark, refused[name]) if name in refused else dark for name, dark in blank.items()}


def _with_frames(dark: Bool[np.ndarray, "time depth"], frames: Sequence[int]) -> Bool[np.ndarray, "time depth"]:
    found = dark.copy()
    found[list(frames)] = True
    return found


def without_blank_phases(exam: Exam, blank: Blank) -> Exam:
    """The exam without phases that name a frame without an image."""
    return replace(exam, images=tuple(_without_blank_phases(image, blank.get(image.name)) for image in exam.images))


def _without_blank_phases(image: ExamImage, dark: Bool[np.ndarray, "time depth"] | None) -> ExamImage:
    if dark is None:
        return image
    kept = {phase: frame for phase, frame in image.phases.items() if not dark[frame].all()}
    return replace(image, phases=kept)


def _with_ventricle(exam: Exam, labels: Mapping[str, LabelMap], blank: Blank) -> Iterator[ExamImage]:
    for image in exam.images:
        found = labels.get(image.name)
        if found is not None and Structure.LV in found.scheme.values and not blank[image.name].all():
            yield image


def _is_short_axis(image: ExamImage) -> bool:
    """Whether slices are to be added; a stack of an unknown view can hardly be anything else."""
    is_unknown_stack = image.image.view is View.UNKNOWN and image.image.grid_shape[1] > 1
    return image.image.view is View.SAX or is_unknown_stack
