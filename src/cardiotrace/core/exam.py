"""One patient visit, and one item of a data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool

from cardiotrace.core.image import Grid, Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View


@dataclass(frozen=True)
class Patient:
    """What is known of the person; everything optional, nothing that identifies."""

    sex: str | None = None
    """The patient's, for normal ranges: "F" or "M"."""
    age_years: float | None = None
    """The patient's age."""
    height_cm: float | None = None
    """The patient's height, for values by body surface."""
    weight_kg: float | None = None
    """The patient's weight, for values by body surface."""


Place = tuple[float, float]
"""(row, column) in pixels of the image, from the centre of its first one."""


@dataclass(frozen=True)
class Landmarks:
    """Ends of the left ventricle's long axis that a person placed in one frame; what is None is found."""

    apex: Place | None = None
    annulus: tuple[Place, Place] | None = None
    """Both corners of the cavity at its base."""


@dataclass(frozen=True)
class ExamImage:
    """One image of an exam, still or moving, with the instants that are named in it."""

    name: str
    """Unique in the exam, such as "patient0100_4CH_ED"; results are named after it."""
    image: Image
    phases: Mapping[Phase, int] = field(default_factory=dict)
    """Frame index of each named phase."""
    shown_in: str = ""
    """Name of the video of the exam that holds this very image as one of its frames."""
    landmarks: Mapping[int, Landmarks] = field(default_factory=dict)
    """By frame, what a person placed there."""
    rejected: frozenset[int] = frozenset()
    """Frames that a person refused: they are no key frames, in no curve, and nothing is measured in them."""


@dataclass(frozen=True)
class Exam:
    """The images of one patient visit, keyed by a name that is safe as a folder name."""

    name: str
    images: tuple[ExamImage, ...]
    patient: Patient = field(default_factory=Patient)
    frame_rate_hz: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """Whatever else the data set says: image quality, reference EF, vendor."""
    left_out: tuple[str, ...] = ()
    """Files beside the images that are none of the exam's, each with the reason: "notes.pdf: no image"."""

    def distinct(self) -> "Exam":
        """The exam without stills that are frames of its videos, which are told of in `left_out`.

        Example:
            >>> Exam("patient0001", (), left_out=("notes.pdf: no image",)).distinct().left_out
            ('notes.pdf: no image',)
        """
        repeated = [image for image in self.images if image.shown_in]
        told = tuple(f"{image.name}: a frame of {image.shown_in}, which is taken as a whole" for image in repeated)
        images = tuple(image for image in self.images if not image.shown_in)
        return replace(self, images=images, left_out=(*self.left_out, *told))


@dataclass(frozen=True)
class Instant:
    """Where a still lies in the cine that it was taken from, as far as the data set says; everything optional."""

    frame: int | None = None
    """Its number in the cine, from zero."""
    frame_count: int | None = None
    """How many frames the cine has."""
    cine: str | None = None
    """The cine's file where it is at hand, relative to the data set's root."""


NO_INSTANT = Instant()
"""Nothing is known."""


@dataclass(frozen=True)
class Case:
    """What a data set yields: one image with its reference, read only when asked for.

    `groups` always holds "patient"; splits keep a patient together.
    """

    name: str
    view: View
    phase: Phase
    groups: Mapping[str, str]
    """Group keys: patient, and where known centre, vendor, quality, pathology, sex, ef_class."""
    read_image: Callable[[], Image] = field(repr=False)
    read_labels: Callable[[], LabelMap] | None = field(repr=False, default=None)
    """In the image's own voxel order; None for an unlabelled case."""
    read_stored_labels: Callable[[], LabelMap] | None = field(repr=False, default=None)
    """The label file as it is, for who checks files; None where `read_labels` has nothing to put in order."""
    read_grid: Callable[[], Grid] | None = field(repr=False, default=None)
    """Where the image's voxels lie, from its header alone; None where only reading the image tells."""
    read_second_labels: Callable[[], LabelMap] | None = field(repr=False, default=None)
    """The same image traced by another observer: how far people agree. None where there is but one."""
    read_field_of_view: Callable[[], Bool[np.ndarray, "depth height width"]] | None = field(repr=False, default=None)
    """The pixels that count in scores, in losses and in measures, such as the disc of a retinal photograph; None
    where all of them do."""
    files: tuple[str, ...] = ()
    """Paths relative to the data set's root: what a cache must reporter."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Reference numbers, such as ejection_fraction_percent."""
    modality: Modality = Modality.UNKNOWN
    instant: Instant = NO_INSTANT
    """Which frame of which cine it is."""

    @property
    def patient(self) -> str:
        """The patient this case belongs to."""
        return self.groups["patient"]
