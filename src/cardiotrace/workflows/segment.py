"""Exams in, label maps out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.flag import Flag
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.io.results import Manifest, read_manifest
from cardiotrace.workflows.adapters import adapter_of
from cardiotrace.workflows.services.adaptation import adaptation_flags
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.batch import (
    REPORT,
    BatchResult,
    ExamTask,
    Tell,
    for_each_exam,
    is_of_a_report,
    tell_nobody,
)
from cardiotrace.workflows.services.correction import Correctors, correction_flags
from cardiotrace.workflows.services.exams import ExamConfig, known_scheme
from cardiotrace.workflows.services.label_maps import (
    label_maps_in,
    spare_images,
    write_labels_of,
    write_uncorrected_of,
)
from cardiotrace.workflows.services.provenance import reading_flags
from cardiotrace.workflows.services.tracing import Models


@dataclass(frozen=True, kw_only=True)
class SegmentConfig(ExamConfig):
    """Which exams, with which model, to where."""

    model: str | None = None
    """Name or path of a model; default: the one for each image's view."""
    scheme: str | None = None
    """Label scheme of the written maps, such as acdc; default: the model's."""
    test_time_augmentation: bool = False
    """Average over slightly changed versions of each image: four times slower, a little better."""
    correct: str | None = None
    """Correct frames whose labels can be no heart's: "auto" by the corrector of each image's view, or name or path of
    one. What was labelled before is kept beside; default: nothing is corrected."""
    adapt: str | None = None
    """Adapt the model to each image before it labels it: styles, tones, statistics, or, with torch, entropy or reward;
    twice the time or more. Taken back, and said, where labels go too far; default: models are used as they are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheme is not None:
            known_scheme(self.scheme)

    @property
    def given(self) -> dict[str, Any]:
        """What was said in place of what files and models say, as plain data."""
        named = {"model": self.model, "correct": self.correct, "adapt": self.adapt}
        words = {"scheme": self.scheme} | {key: name and Path(name).name for key, name in named.items()}
        given = super().given | {name: word for name, word in words.items() if word}
        return given | ({"test_time_augmentation": True} if self.test_time_augmentation else {})

    def analyser(self, verb: str) -> Analyser:
        """What traces, with the named model loaded.

        Raises:
            InputError: there is no model of the name.
            ModelFileError: the named model file is damaged.
        """
        correctors = None if self.correct is None else Correctors(self.correct).ready()
        adapter = None if self.adapt is None else adapter_of(Choice(self.adapt))
        models = Models(self.model).ready()
        return Analyser(models, self.test_time_augmentation, verb, self.given, correctors=correctors, adapter=adapter)

    def task(self, analyser: Analyser, **more: Any) -> ExamTask:
        """What the analyser is for, with all that its results depend on."""
        settings = {"given": self.given, "models": analyser.models.fingerprint()}
        if analyser.correctors is not None:
            settings |= {"correctors": analyser.correctors.fingerprint()}
        return ExamTask(analyser.verb, self.out, settings, self.overwrite, **more)


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
    removed: tuple[str, ...] = ()
    """Files of a report that told of the label maps that lay there before."""


def segment(
    config: SegmentConfig, reporter: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Segmented]:
    """Write label maps of all exams into one folder per exam.

    A report of labels that were given (`measure`) stays; one of the label maps that are replaced (`analyse`) does not.

    Args:
        config: which exams, how, and to where.
        reporter: told how far the work is.
        tell: called with each result or failure as soon as an exam ends.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: there is no such label scheme.
        InputError: there is no such model.
        ModelFileError: the named model file is damaged.
    """
    analyser = config.analyser("segment")
    task = config.task(analyser, keeps=_tells_of_other_labels, certain=())

    def one(found: FoundExam) -> Segmented:
        folder = task.folder(found.name)
        if task.is_done(found):
            return Segmented(found.name, folder, label_maps_in(read_manifest(folder).files), is_new=False)
        report = _report_in(folder)
        with task.results(found) as staging:
            exam = found.read()
            spare_images(staging, exam)
            tracing = analyser.trace(exam)
            write_uncorrected_of(tracing.exam.images, tracing.uncorrected, staging.folder, scheme=config.scheme)
            files = write_labels_of(tracing.exam.images, tracing.labels, staging.folder, scheme=config.scheme)
        changes = (*adaptation_flags(tracing.adaptations), *correction_flags(tracing.corrections))
        flags = (*reading_flags(tracing.exam), *tracing.flags, *changes)
        gone = tuple(name for name in report if not (folder / name).exists())
        return Segmented(found.name, folder, files, flags, removed=gone)

    return for_each_exam(config.find(), one, reporter, title="segmenting", tell=tell)


def _tells_of_other_labels(before: Manifest, name: str) -> bool:
    """Whether a file is of a report that says nothing of the label maps that are replaced: that of given labels."""
    return is_of_a_report(name) and before.made.get("verb") != "analyse"


def _report_in(folder: Path) -> list[str]:
    return [name for name in REPORT if (folder / name).exists()]
