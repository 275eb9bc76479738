"""Exams in, label maps out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cardiotrace.core.errors import NoModelError, UsageError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.label import SCHEMES, LabelMap, LabelScheme
from cardiotrace.core.licence import Terms
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.found import FoundExam, Reading, find_exams
from cardiotrace.datasets.grouping import PicturesAs
from cardiotrace.inference.predictor import Predictor, Segmentation
from cardiotrace.inference.zoo import default_model, find_model, load_model
from cardiotrace.io import labels_path, write_labels
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.workflows.batch import Batch, for_each_exam, result_folder
from cardiotrace.workflows.watch import SILENT, Watch


@dataclass(frozen=True)
class SegmentConfig:
    """Which exams, with which model, to where."""

    exams: tuple[Path, ...]
    out: Path
    model: str | None = None
    """Name or path; by default the one for each image's view."""
    view: View | None = None
    """View of all images, where the files' names do not say."""
    modality: Modality | None = None
    """How all images were made, where nothing says it."""
    spacing_mm: tuple[float, ...] | None = None
    """(height, width) of a pixel, mm, in place of what the files say; a third is the distance between slices."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is, and what files of one plane each are together."""
    pictures: PicturesAs = "auto"
    """What numbered pictures in one folder are."""
    patient: Patient = field(default_factory=Patient)
    """What is known of the person better than files say it."""
    scheme: str | None = None
    """Label scheme of the written maps; by default the model's."""
    test_time_augmentation: bool = False

    def __post_init__(self) -> None:
        if self.scheme is not None:
            known_scheme(self.scheme)

    @property
    def reading(self) -> Reading:
        """What is known better than the files."""
        spacing_mm = given_spacing(self.spacing_mm)
        return Reading(self.view, self.modality, spacing_mm, self.third_axis, self.pictures, self.patient)

    @cached_property
    def models(self) -> "Models":
        """The predictors of this run."""
        return Models(self.model)


class Models:
    """Predictors by model file, each built once.

    Args:
        named: name or path of the model for every image; None takes the default of each image's view.
    """

    def __init__(self, named: str | None = None) -> None:
        self._named = named
        self._built: dict[Path, Predictor] = {}

    def predictor(self, view: View, modality: Modality = Modality.UNKNOWN) -> Predictor:
        """The predictor for a view of a modality.

        Raises:
            NoModelError: there is no model for it.
            ModelFileError: the model file is damaged.
        """
        path = default_model(view, modality) if self._named is None else find_model(self._named)
        if path not in self._built:
            self._built[path] = Predictor(load_model(path))
        return self._built[path]

    def ready(self) -> "Models":
        """Load the named model now, so that a wrong name or a damaged file ends the work before it begins.

        Raises:
            InputError: there is no model of the name.
            ModelFileError: the model file is damaged.
        """
        if self._named is not None:
            self.predictor(View.UNKNOWN)
        return self

    def described(self) -> dict[str, str]:
        """What a report says of the models used so far."""
        specs = [predictor.spec for predictor in self._built.values()]
        terms = Terms.together(spec.terms for spec in specs)
        return {
            "name": ", ".join(spec.name for spec in specs),
            "licence": terms.licence,
            "citation": terms.citation,
        }


@dataclass(frozen=True)
class Segmented:
    """The label maps of one exam."""

    exam: Exam
    segmentations: Mapping[str, Segmentation]
    """By name of the image."""
    folder: Path

    @property
    def labels(self) -> dict[str, LabelMap]:
        """Label map of each image."""
        return {name: segmentation.labels for name, segmentation in self.segmentations.items()}


def segment_exam(exam: Exam, models: Models, *, test_time_augmentation: bool = False) -> dict[str, Segmentation]:
    """Label the images of an exam; those of a view that no model is at hand for are left out if others are not.

    Raises:
        NoModelError: there is no model for any of the views.
        InputError: an image that the model cannot take.
        ModelFileError: a model file is damaged.
    """
    segmentations: dict[str, Segmentation] = {}
    lacking: NoModelError | None = None
    for image in exam.images:
        try:
            predictor = models.predictor(image.cine.view, image.cine.modality)
        except NoModelError as error:
            lacking = error
            continue
        segmentations[image.name] = predictor.segment(image.cine, test_time_augmentation=test_time_augmentation)
    if lacking is not None and not segmentations:
        raise lacking
    return segmentations


def segment(config: SegmentConfig, watch: Watch = SILENT) -> Batch[Segmented]:
    """Write label maps of all exams into one folder per exam.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: there is no such label scheme.
        InputError: there is no such model.
        ModelFileError: the named model file is damaged.
    """
    models = config.models.ready()

    def one(found: FoundExam) -> Segmented:
        with result_folder(config.out, found.name) as folder:
            exam = found.read().distinct()
            segmentations = segment_exam(exam, models, test_time_augmentation=config.test_time_augmentation)
            write_label_maps(exam.images, segmentations, folder, scheme=config.scheme)
        return Segmented(exam, segmentations, config.out / found.name)

    return for_each_exam(find_exams(config.exams, config.reading), one, watch, title="segmenting")


def write_label_maps(
    images: Sequence[ExamImage], segmentations: Mapping[str, Segmentation], folder: Path, *, scheme: str | None
) -> None:
    """Write the label map of each image, named after the file it came from.

    Raises:
        UsageError: there is no such label scheme.
    """
    for image in images:
        if image.name not in segmentations:
            continue
        labels = segmentations[image.name].labels
        if scheme is not None:
            labels = labels.to(known_scheme(scheme))
        if labels.source is None:
            write_labels(labels, folder / f"{image.name}_labels.nii.gz")
        else:
            path = labels_path(labels.source, folder)
            write_labels(labels, path.with_name(image.name + path.name.removeprefix(labels.source.stem)))


def given_spacing(spacing_mm: tuple[float, ...] | None) -> GivenSpacing | None:
    """What the command line says of sizes (height, width[, depth]) as the readers take it (depth, height, width).

    Raises:
        UsageError: neither two nor three sizes.

    Example:
        >>> given_spacing((0.3, 0.2)), given_spacing((1.4, 1.4, 8.0))
        ((None, 0.3, 0.2), (8.0, 1.4, 1.4))
    """
    if spacing_mm is None:
        return None
    if len(spacing_mm) not in (2, 3):
        raise UsageError(
            f"--spacing-mm takes height and width, or height, width and slice distance, got {len(spacing_mm)} numbers"
        )
    height, width, *depth = spacing_mm
    return depth[0] if depth else None, height, width


def known_scheme(name: str) -> LabelScheme:
    """A label scheme by name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in SCHEMES:
        raise UsageError(f"there is no label scheme {name!r}", remedy=f"choose from: {', '.join(SCHEMES)}.")
    return SCHEMES[name]
