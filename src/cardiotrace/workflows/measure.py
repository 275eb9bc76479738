"""Exams and label maps made elsewhere in, numbers, pictures and a report out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cardiotrace.clinical import measure
from cardiotrace.clinical.labelling import labels_in_place
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.label import CAMUS, SCHEMES, LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.found import FoundExam, Reading, find_exams
from cardiotrace.datasets.grouping import PicturesAs
from cardiotrace.evaluation.pairing import label_files
from cardiotrace.geometry.enclosure import fitting_schemes
from cardiotrace.io import read_image, read_labels
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.report import write_report
from cardiotrace.workflows.analyse import Analysed
from cardiotrace.workflows.batch import Batch, for_each_exam, result_folder
from cardiotrace.workflows.segment import given_spacing, known_scheme
from cardiotrace.workflows.watch import SILENT, Watch


@dataclass(frozen=True)
class MeasureConfig:
    """Which exams, with which labels, to where."""

    exams: tuple[Path, ...]
    labels: Path
    """Folder of label maps `X_labels.nii.gz` (or _gt, _seg, _mask) of images X; one folder per exam may lie in it."""
    out: Path
    scheme: str | None = None
    """What the values mean; by default `camus` for apical views, and a must for others."""
    view: View | None = None
    modality: Modality | None = None
    """How all images were made, where nothing says it."""
    spacing_mm: tuple[float, ...] | None = None
    """(height, width) or (height, width, slice distance), mm."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is, and what files of one plane each are together."""
    pictures: PicturesAs = "auto"
    """What numbered pictures in one folder are."""
    patient: Patient = field(default_factory=Patient)
    """What is known of the person better than files say it."""

    def __post_init__(self) -> None:
        if self.scheme is not None:
            known_scheme(self.scheme)

    @property
    def reading(self) -> Reading:
        """What is known better than the files."""
        spacing_mm = given_spacing(self.spacing_mm)
        return Reading(self.view, self.modality, spacing_mm, self.third_axis, self.pictures, self.patient)


def measure_exams(config: MeasureConfig, watch: Watch = SILENT) -> Batch[Analysed]:
    """Measure and report every exam from given label maps into a folder of its own below `config.out`.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.
    """

    def one(found: FoundExam) -> Analysed:
        with result_folder(config.out, found.name) as folder:
            exam = replace(found.read(), name=found.name)
            labels = labels_of(exam, config)
            measures = measure(exam, labels)
            write_report(exam, labels, measures, folder)
        return Analysed(found.name, measures, config.out / found.name / "report.html")

    return for_each_exam(find_exams(config.exams, config.reading), one, watch, title="measuring")


def labels_of(exam: Exam, config: MeasureConfig) -> dict[str, LabelMap]:
    """The given label maps of an exam's images, by name of the image.

    Raises:
        InputError: there is none, or one cannot be read, or lies elsewhere than its image.
        UsageError: it is not said what the values mean.
    """
    own = config.labels / exam.name
    folder = own if own.is_dir() else config.labels
    files = _files(folder, exam)
    if not files:
        expected = f"{exam.images[0].name}_labels.nii.gz" if exam.images else "X_labels.nii.gz for an image X"
        raise InputError(f"holds no labels of exam {exam.name}", where=folder, remedy=f"expected is {expected}.")
    read = {image.name: _labels(image, files[image.name], config) for image in exam.images if image.name in files}
    return labels_in_place(exam, read)


def _files(folder: Path, exam: Exam) -> Mapping[str, Path]:
    """Label file, or folder of label pictures, of each image that has one; images are no labels of themselves."""
    found = label_files(folder)
    files: dict[str, Path] = {}
    for image in exam.images:
        beside = folder / f"{image.name}_labels"
        path = beside if beside.is_dir() else found.get(image.name)
        source = image.cine.source
        is_itself = path is not None and source is not None and source.path.exists() and source.path.samefile(path)
        if path is not None and not is_itself:
            files[image.name] = path
    return files


def _labels(image: ExamImage, path: Path, config: MeasureConfig) -> LabelMap:
    """As the file holds them, with the sizes that are known better than its header."""
    frames, depth, _, _ = image.cine.grid_shape
    axis: ThirdAxis = "time" if frames > 1 and depth == 1 else "depth"
    scheme = _scheme(image, config)
    if scheme is None:
        raise _unsaid_scheme(image, path, axis)
    return read_labels(path, scheme, third_axis=axis, spacing_mm=given_spacing(config.spacing_mm))


def _scheme(image: ExamImage, config: MeasureConfig) -> LabelScheme | None:
    if config.scheme is not None:
        return known_scheme(config.scheme)
    return CAMUS if image.cine.is_apical else None


def _unsaid_scheme(image: ExamImage, path: Path, axis: ThirdAxis) -> UsageError:
    """Ask for the scheme, and name those that the values and the anatomy allow."""
    values = read_image(path, third_axis=axis).frames
    fitting = fitting_schemes(values.astype(np.uint8), image.cine.view) if values.ndim == 4 else ()
    known = f"its values and the anatomy fit {', '.join(fitting)}" if fitting else f"known: {', '.join(SCHEMES)}"
    return UsageError(
        f"what do the label values of {image.name} (view {image.cine.view_name}) mean?",
        remedy=f"say it with --scheme; {known}.",
    )
