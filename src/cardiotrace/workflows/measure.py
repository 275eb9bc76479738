"""Exams and label maps made elsewhere in, numbers, images and a report out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.clinical.labelling import labels_in_place
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import CAMUS, CHAMBERS, SCHEMES, LabelMap, LabelScheme
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.evaluation.pairing import label_files, labels_below
from cardiotrace.geometry.enclosure import fitting_schemes
from cardiotrace.io import ReadOptions, read_image, read_labels_of
from cardiotrace.io.results import Manifest
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.workflows.services.analysis import Analysed, for_given_labels, measured
from cardiotrace.workflows.services.batch import (
    BatchResult,
    ExamTask,
    Tell,
    for_each_exam,
    is_of_a_report,
    tell_nobody,
)
from cardiotrace.workflows.services.cohort import with_summary
from cardiotrace.workflows.services.exams import ExamConfig, known_scheme
from cardiotrace.workflows.services.identity import IdentityConfig, identity_settings, with_identity
from cardiotrace.workflows.services.label_maps import spare_images
from cardiotrace.workflows.services.provenance import provenance_of
from cardiotrace.workflows.services.report_form import USUAL, ReportConfig
from cardiotrace.workflows.services.stamp import stamp_of

_SEGMENTATION = "_seg.dcm"
"""What follows the name of an image in that of its segmentation in DICOM, as `analyse --dicom` writes it."""


@dataclass(frozen=True, kw_only=True)
class MeasureConfig(IdentityConfig, ExamConfig):
    """Which exams, with which labels, to where."""

    labels: Path
    """Folder of label maps X_labels.nii.gz (or _gt, _seg, _mask) of images X, or of DICOM segmentations X_seg.dcm of
    DICOM images; one folder per exam may lie in it."""
    scheme: str | None = None
    """What the label values mean: camus, acdc, mnms, ...; default: camus for apical views. Segmentations say it."""
    tracking: bool = False
    """Measure strain a second time, following the wall through each long-axis film: seconds for every film."""
    report: ReportConfig = USUAL
    """How the report is written, and what it is compared with."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheme is not None:
            known_scheme(self.scheme)

    @property
    def given(self) -> dict[str, Any]:
        """What was said in place of what files say, as plain data."""
        given = super().given | ({"scheme": self.scheme} if self.scheme else {})
        return given | ({"tracking": True} if self.tracking else {}) | self.report.given


def measure_exams(
    config: MeasureConfig, reporter: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Analysed]:
    """Measure and report every exam from given label maps into a folder of its own below `config.out`.

    Label maps that lie there stay as they are, whoever made them.

    Args:
        config: which exams, with which labels, and to where.
        reporter: told how far the work is.
        tell: called with each result or failure as soon as an exam ends.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.
    """
    exams = config.find()
    config.report.require(len(exams))
    settings = {
        "given": config.given,
        "labels": str(config.labels.resolve()),
        **identity_settings(config),
        **config.report.settings,
    }
    task = ExamTask("measure", config.out, settings, config.overwrite, keeps=_is_no_report, beside_images=True)

    def one(found: FoundExam) -> Analysed:
        folder = task.folder(found.name)
        stamp = config.report.prior_stamp(found.name)
        if task.is_done(found, lambda made: made.get("prior") == stamp and _same_labels(found.name, config, made)):
            return Analysed.stored(found.name, folder)
        with task.results(found) as staging:
            exam = found.read()
            spare_images(staging, exam)
            files = _files(exam, config)
            staging.inputs.extend(files.values())
            staging.made.update({} if stamp is None else {"prior": stamp})
            staging.made["labels"] = _stamped(exam.name, [image.name for image in exam.images], config)
            labels = _read(exam, files, config)
            exam = for_given_labels(exam, files)
            names = {name: path.name for name, path in files.items()}
            provenance = provenance_of(exam, names, verb="measure", given=config.given)
            traced = measured(exam, labels, provenance, tracking=config.tracking)
            analysis = config.report.completed(with_identity(traced, config))
            page = analysis.write(staging.folder, config.report)
        return Analysed.written(folder / page.name, analysis)

    batch = for_each_exam(exams, one, reporter, title="measuring", tell=tell)
    return with_summary(batch, config.out, overwrite=config.overwrite)


def _is_no_report(_: Manifest, name: str) -> bool:
    return not is_of_a_report(name)


def labels_of(exam: Exam, config: MeasureConfig) -> dict[str, LabelMap]:
    """The given label maps of an exam's images, by name of the image.

    Raises:
        InputError: there is none, or one cannot be read, or lies elsewhere than its image.
        UsageError: it is not said what the values mean.
    """
    return _read(exam, _files(exam, config), config)


def _read(exam: Exam, files: Mapping[str, Path], config: MeasureConfig) -> dict[str, LabelMap]:
    if not files:
        expected = f"{exam.images[0].name}_labels.nii.gz" if exam.images else "X_labels.nii.gz for an image X"
        where = _folders(exam.name, config)[0]
        raise InputError(f"holds no labels of exam {exam.name}", where=where, remedy=f"expected is {expected}.")
    read = {image.name: _labels(image, files[image.name], config) for image in exam.images if image.name in files}
    return labels_in_place(exam, read)


def _files(exam: Exam, config: MeasureConfig) -> dict[str, Path]:
    """Label file, or folder of label images, of each image that has one; images are no labels of themselves."""
    files = _given(exam.name, [image.name for image in exam.images], config)
    sources = {image.name: image.image.source for image in exam.images}

    def is_itself(name: str, path: Path) -> bool:
        source = sources[name]
        return source is not None and source.path.exists() and source.path.samefile(path)

    return {name: path for name, path in files.items() if not is_itself(name, path)}


def _given(exam: str, images: Sequence[str], config: MeasureConfig) -> dict[str, Path]:
    """What the folder of labels holds under the names of images: first of all in a folder of the exam's name."""
    for folder in _folders(exam, config):
        beside = {name: folder / f"{name}_labels" for name in images}
        segmentations = {name: path for name in images if (path := folder / f"{name}{_SEGMENTATION}").is_file()}
        # The folder of an exam may hold its results alone.
        labels = label_files if folder == config.labels and not segmentations else labels_below
        maps = labels(folder) | {name: path for name, path in beside.items() if path.is_dir()}
        _require_one(maps, segmentations, folder)
        found = maps | segmentations
        files = {name: found[name] for name in images if name in found}
        if files:
            return files
    return {}


def _require_one(maps: Mapping[str, Path], segmentations: Mapping[str, Path], folder: Path) -> None:
    """Refuse two label maps of one image.

    Raises:
        InputError: there are.
    """
    for name in maps.keys() & segmentations.keys():
        told = f"{maps[name].relative_to(folder)} and {segmentations[name].name} are both labels of {name}"
        raise InputError(told, where=folder, remedy="keep one of them, or give the folder of one of them.")


def _folders(exam: str, config: MeasureConfig) -> list[Path]:
    own = config.labels / exam
    return [own, config.labels] if own.is_dir() else [config.labels]


def _stamped(exam: str, images: Sequence[str], config: MeasureConfig) -> dict[str, Any]:
    """What tells whether the labels of images are the same as at an earlier run."""
    files = _given(exam, images, config)
    return {name: [str(files[name]), *stamp_of(files[name])] if name in files else None for name in images}


def _same_labels(exam: str, config: MeasureConfig, made: Mapping[str, Any]) -> bool:
    before = made.get("labels")
    return isinstance(before, dict) and _stamped(exam, list(before), config) == before


def _labels(image: ExamImage, path: Path, config: MeasureConfig) -> LabelMap:
    """As the file holds them, with the sizes that are known better than its header."""
    frames, depth, _, _ = image.image.grid_shape
    axis: ThirdAxis = "time" if frames > 1 and depth == 1 else "depth"
    scheme = _scheme(image, path, config)
    if scheme is None:
        raise _unsaid_scheme(image, path, axis)
    options = ReadOptions(third_axis=axis, spacing_mm=config.reading.spacing_mm)
    return read_labels_of(path, scheme, lambda: image.image.grid, options)


def _scheme(image: ExamImage, path: Path, config: MeasureConfig) -> LabelScheme | None:
    if config.scheme is not None:
        return known_scheme(config.scheme)
    if path.name.endswith(_SEGMENTATION):
        return CHAMBERS  # segments have names, and each that is measured has a value here
    return CAMUS if image.image.is_apical else None


def _unsaid_scheme(image: ExamImage, path: Path, axis: ThirdAxis) -> UsageError:
    """Ask for the scheme, and name those that the values and the anatomy allow."""
    values = read_image(path, third_axis=axis).frames
    fitting = fitting_schemes(values.astype(np.uint8), image.image.view) if values.ndim == 4 else ()
    known = f"its values and the anatomy fit {', '.join(fitting)}" if fitting else f"known: {', '.join(SCHEMES)}"
    return UsageError(
        f"what do the label values of {image.name} (view {image.image.view_name}) mean?",
        remedy=f"say it with --scheme; {known}.",
    )
