"""Exams in, label maps out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any

from cardiotrace.clinical.expected import Doubt
from cardiotrace.core.errors import NoModelError, UsageError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import SCHEMES, LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.exam_discovery import FoundExam, Reading, find_exams
from cardiotrace.datasets.grouping import ImageFilesAs
from cardiotrace.inference.model_file import read_checksum
from cardiotrace.inference.predictor import Predictor, Progress, open_predictor
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.inference.zoo import default_model, find_model, list_models
from cardiotrace.io import labels_path, write_labels
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.results import Staging, read_manifest
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.workflows.batch import BatchResult, ExamTask, Tell, for_each_exam, refuse_images_in, tell_nobody
from cardiotrace.workflows.progress import SILENT, ProgressReporter
from cardiotrace.workflows.provenance import given_in, reading_flags

MUCH_REMOVED = 0.1
"""Share of a structure that post-processing may remove before the frame is flagged."""


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
    image_files: ImageFilesAs = "auto"
    """What numbered images in one folder are."""
    patient: Patient = field(default_factory=Patient)
    """What is known of the person better than files say it."""
    scheme: str | None = None
    """Label scheme of the written maps; by default the model's."""
    test_time_augmentation: bool = False
    overwrite: bool = False
    """Replace also results that were changed by hand, and do again what is done."""

    def __post_init__(self) -> None:
        if self.scheme is not None:
            known_scheme(self.scheme)

    @property
    def reading(self) -> Reading:
        """What is known better than the files."""
        spacing_mm = given_spacing(self.spacing_mm)
        return Reading(self.view, self.modality, spacing_mm, self.third_axis, self.image_files, self.patient)

    @property
    def given(self) -> dict[str, Any]:
        """What was said in place of what files and models say, as plain data."""
        words = {"model": self.model and Path(self.model).name, "scheme": self.scheme}
        given = given_in(self.reading) | {name: word for name, word in words.items() if word}
        return given | ({"test_time_augmentation": True} if self.test_time_augmentation else {})

    @cached_property
    def models(self) -> "Models":
        """The predictors of this run."""
        return Models(self.model)

    def task(self, verb: str, certain: tuple[str, ...]) -> ExamTask:
        """The verb with all that its results depend on."""
        settings = {"given": self.given, "models": self.models.fingerprint()}
        return ExamTask(verb, self.out, settings, self.overwrite, certain=certain)


class Models:
    """Predictors by model file, each built once.

    Args:
        named: name or path of the model for every image; None takes the default of each image's view.
    """

    def __init__(self, named: str | None = None) -> None:
        self._named = named
        self._built: dict[Path, Predictor] = {}
        self._lock = Lock()

    def predictor(self, view: View, modality: Modality = Modality.UNKNOWN) -> Predictor:
        """The predictor for a view of a modality.

        Raises:
            NoModelError: there is no model for it.
            ModelFileError: the model file is damaged.
        """
        path = default_model(view, modality) if self._named is None else find_model(self._named)
        with self._lock:
            if path not in self._built:
                self._built[path] = open_predictor(path)
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

    def fingerprint(self) -> dict[str, str]:
        """What changes when another model might be taken: checksums of the models that can be, by name."""
        if self._named is not None:
            path = find_model(self._named)
            return {path.name: read_checksum(path)}
        return {listed.path.name: read_checksum(listed.path) for listed in list_models() if listed.spec is not None}

    def used(self, segmentations: Iterable[Segmentation]) -> list[Predictor]:
        """The predictors that made the segmentations."""
        names = {segmentation.model for segmentation in segmentations}
        return [predictor for predictor in self._built.values() if predictor.spec.name in names]


@dataclass(frozen=True)
class Segmented:
    """The label maps of one exam, written."""

    name: str
    folder: Path
    files: tuple[str, ...]
    """Names of the label maps in the folder."""
    flags: tuple[Flag, ...] = ()
    """What speaks against trusting them; of an earlier run, none."""
    is_new: bool = True
    """Whether this run made them, and not an earlier one."""


def segment_exam(
    exam: Exam, models: Models, *, test_time_augmentation: bool = False, on_progress: Progress | None = None
) -> dict[str, Segmentation]:
    """Label the images of an exam; those of a view that no model is at hand for are left out if others are not.

    Args:
        exam: the exam.
        models: predictors to use.
        test_time_augmentation: average over slightly changed versions of each image.
        on_progress: told how many planes are done, of all planes of the exam.

    Raises:
        NoModelError: there is no model for any of the views.
        InputError: an image that the model cannot take.
        ModelFileError: a model file is damaged.
    """
    segmentations: dict[str, Segmentation] = {}
    lacking: NoModelError | None = None
    planes = [math.prod(image.cine.grid_shape[:2]) for image in exam.images]
    for index, image in enumerate(exam.images):
        try:
            predictor = models.predictor(image.cine.view, image.cine.modality)
        except NoModelError as error:
            lacking = error
            continue
        segmentations[image.name] = predictor.segment(
            image.cine,
            test_time_augmentation=test_time_augmentation,
            on_progress=on_progress and partial(_onward, on_progress, sum(planes[:index]), sum(planes)),
        )
    if lacking is not None and not segmentations:
        raise lacking
    return segmentations


def _onward(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def segment(
    config: SegmentConfig, watch: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Segmented]:
    """Write label maps of all exams into one folder per exam.

    Args:
        config: which exams, how, and to where.
        watch: told how far the work is.
        tell: called with each result or failure as soon as an exam ends.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: there is no such label scheme.
        InputError: there is no such model.
        ModelFileError: the named model file is damaged.
    """
    models = config.models.ready()
    task = config.task("segment", certain=())

    def one(found: FoundExam) -> Segmented:
        folder = task.folder(found.name)
        if task.is_done(found):
            return Segmented(found.name, folder, label_maps_in(read_manifest(folder).files), is_new=False)
        with task.results(found) as staging:
            exam = replace(found.read().distinct(), name=found.name)
            spare_images(staging, exam)
            segmentations = segment_exam(exam, models, test_time_augmentation=config.test_time_augmentation)
            labels = {name: segmentation.labels for name, segmentation in segmentations.items()}
            write_labels_of(exam.images, labels, staging.folder, scheme=config.scheme)
            files = label_maps_in(entry.name for entry in staging.folder.iterdir())
        return Segmented(found.name, folder, files, (*reading_flags(exam), *segmentation_flags(exam, segmentations)))

    return for_each_exam(find_exams(config.exams, config.reading), one, watch, title="segmenting", tell=tell)


def segmentation_flags(exam: Exam, segmentations: Mapping[str, Segmentation]) -> list[Flag]:
    """What the network and the post-processing say against trusting the labels, and what was left out."""
    left_out = [image for image in exam.images if image.name not in segmentations]
    flags = [
        Flag(
            Grade.LOOK_TWICE,
            f"{image.name} was left out: no model is at hand for view {image.cine.view_name}",
            "left-out",
            image.name,
        )
        for image in left_out
    ]
    for name, segmentation in segmentations.items():
        flags.extend(replace(flag.of(name), about=name) for flag in segmentation.warnings)
        flags.extend(_removal_flags(name, segmentation))
    return list(dict.fromkeys(flags))


def doubts_of(segmentations: Mapping[str, Segmentation]) -> dict[str, Doubt]:
    """How unsure the models were of each frame, by name of the image."""
    return {name: segmentation.doubt for name, segmentation in segmentations.items()}


def _removal_flags(name: str, segmentation: Segmentation) -> list[Flag]:
    flags = []
    for structure, removed in segmentation.removed.items():
        after = segmentation.labels.mask(structure).sum(axis=(1, 2, 3))
        share = (removed / (after + removed).clip(min=1)).max()
        if share > MUCH_REMOVED:
            text = f"{name}: {share:.0%} of {structure} lay apart from the rest and was removed"
            flags.append(Flag(Grade.LOOK_TWICE, text, "much-removed", structure.value))
    return flags


def label_maps_in(names: Iterable[str]) -> tuple[str, ...]:
    """Label maps among files of a folder of results; one that is a folder of images counts once."""
    return tuple(sorted({name.partition("/")[0] for name in names}))


def spare_images(staging: Staging, exam: Exam) -> None:
    """See to it that results neither replace an image nor come to lie beside it.

    Raises:
        UsageError: the folder of results is that of the images.
    """
    sources = [image.cine.source for image in exam.images if image.cine.source is not None]
    files = [source.path for source in sources]
    files += [source.pixel_file for source in sources if source.pixel_file is not None]
    refuse_images_in(staging.target, files)
    staging.inputs.extend(files)


def write_labels_of(
    images: Sequence[ExamImage], labels: Mapping[str, LabelMap], folder: Path, *, scheme: str | None
) -> None:
    """Write the label map of each image that has one, named after the file it came from.

    Raises:
        UsageError: there is no such label scheme.
    """
    for image in images:
        if image.name not in labels:
            continue
        written = labels[image.name]
        if scheme is not None:
            written = written.to(known_scheme(scheme))
        if written.source is None:
            write_labels(written, folder / f"{image.name}_labels.nii.gz")
        else:
            path = labels_path(written.source, folder)
            write_labels(written, path.with_name(image.name + path.name.removeprefix(written.source.stem)))


SMALLEST_MM, LARGEST_MM = 1e-4, 1e3
"""Between the pixels of a microscope, a tenth of a micrometre, and a slice distance that no body has room for."""


def given_spacing(spacing_mm: tuple[float, ...] | None) -> GivenSpacing | None:
    """What the command line says of sizes (height, width[, depth]) as the readers take it (depth, height, width).

    Raises:
        UsageError: neither two nor three sizes, or one that no image has.

    Example:
        >>> given_spacing((0.3, 0.2)), given_spacing((1.4, 1.4, 8.0))
        ((None, 0.3, 0.2), (8.0, 1.4, 1.4))
    """
    if spacing_mm is None:
        return None
    if len(spacing_mm) not in (2, 3):
        raise UsageError(
            f"--spacing-mm takes 2 numbers (height, width) or 3 (and slice distance), got {len(spacing_mm)}"
        )
    if not all(SMALLEST_MM <= size <= LARGEST_MM for size in spacing_mm):
        shown = " ".join(f"{size:g}" for size in spacing_mm)
        raise UsageError(
            f"--spacing-mm {shown}: no pixel or slice distance is like this",
            remedy=f"give sizes in mm, {SMALLEST_MM:g} to {LARGEST_MM:g}.",
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
