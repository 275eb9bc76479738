"""Exams in; label maps, numbers, images and a report out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cardiotrace.clinical import measure
from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.licence import Terms
from cardiotrace.datasets.exam_discovery import FoundExam, find_exams
from cardiotrace.inference.predictor import Predictor, Progress
from cardiotrace.report import ReportContext, write_report
from cardiotrace.workflows.batch import REPORT, BatchResult, Tell, for_each_exam, tell_nobody
from cardiotrace.workflows.cohort import with_summary
from cardiotrace.workflows.progress import SILENT, ProgressReporter
from cardiotrace.workflows.provenance import Provenance, provenance_of, reading_flags
from cardiotrace.workflows.record import read_record
from cardiotrace.workflows.segment import (
    Models,
    SegmentConfig,
    doubts_of,
    segment_exam,
    segmentation_flags,
    spare_images,
    write_labels_of,
)


@dataclass(frozen=True)
class Analysis:
    """One exam with all that was found in it, in memory."""

    exam: Exam
    labels: Mapping[str, LabelMap]
    """By name of the image."""
    measures: Measures
    """With the flags of reading and tracing."""
    provenance: Provenance
    terms: Mapping[str, str] | None = None
    """Name, licence and citation of what made the labels; None where a person drew them."""

    def to_plain(self) -> dict[str, Any]:
        """What `measures.json` holds."""
        return self.measures.to_plain() | {"provenance": self.provenance.to_plain()}

    def write(self, folder: Path, *, truth: Mapping[str, float] | None = None) -> None:
        """Write values, figures and the page into a folder.

        Args:
            folder: where to; made if it is not there.
            truth: true values by name and unit, shown beside the measured ones.

        Raises:
            WorkError: nothing can be written there.
        """
        write_report(
            self.exam,
            self.labels,
            self.measures,
            folder,
            ReportContext(model=self.terms, truth=truth, provenance=self.provenance.to_plain()),
        )


@dataclass(frozen=True)
class Analyser:
    """Traces and measures exams, without writing anything."""

    models: Models = field(default_factory=Models)
    test_time_augmentation: bool = False
    verb: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What the user said in place of what files and models say: for the provenance."""

    def analyse(self, exam: Exam, on_progress: Progress | None = None) -> Analysis:
        """Trace and measure one exam.

        Args:
            exam: as it was read.
            on_progress: told how many planes are traced, of all.

        Raises:
            NoModelError: there is no model for any of its views.
            InputError: an image that the model cannot take.
            ModelFileError: a model file is damaged.
        """
        segmentations = segment_exam(
            exam, self.models, test_time_augmentation=self.test_time_augmentation, on_progress=on_progress
        )
        models = self.models.used(segmentations.values())
        provenance = provenance_of(
            exam,
            {name: segmentation.model for name, segmentation in segmentations.items()},
            verb=self.verb,
            models=models,
            given=self.given,
        )
        labels = {name: segmentation.labels for name, segmentation in segmentations.items()}
        return measured(
            exam,
            labels,
            provenance,
            flags=segmentation_flags(exam, segmentations),
            doubts=doubts_of(segmentations),
            terms=terms_of(models),
        )


def measured(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    provenance: Provenance,
    *,
    flags: Sequence[Flag] = (),
    doubts: Mapping[str, Doubt] | None = None,
    terms: Mapping[str, str] | None = None,
) -> Analysis:
    """Measure labels of an exam; what the reading says against the values is among the flags.

    Args:
        exam: as it was read.
        labels: by name of the image.
        provenance: where they came from.
        flags: what else speaks against them.
        doubts: how unsure the model was of each frame, by name of the image.
        terms: name, licence and citation of what made them.
    """
    measures = measure(exam, labels, doubts=doubts or {})
    together = dict.fromkeys([*measures.flags, *reading_flags(exam, of_sizes=False), *flags])
    return Analysis(exam, labels, replace(measures, flags=tuple(together)), provenance, terms)


def terms_of(models: Sequence[Predictor]) -> dict[str, str] | None:
    """Names, licence and citation of the models that made labels, for the page; None where there are none."""
    if not models:
        return None
    terms = Terms.together(model.spec.terms for model in models)
    name = ", ".join(model.spec.name for model in models)
    return {"name": name, "licence": terms.licence, "citation": terms.citation}


@dataclass(frozen=True)
class Analysed:
    """One exam, done."""

    name: str
    measures: Measures
    """Of an earlier run, without instants and curves."""
    report: Path
    plain: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """What its `measures.json` holds."""
    is_new: bool = True
    """Whether this run did it, and not an earlier one."""

    @classmethod
    def written(cls, name: str, folder: Path, analysis: Analysis) -> "Analysed":
        """What was written just now."""
        return cls(name, analysis.measures, folder / "report.html", analysis.to_plain())

    @classmethod
    def stored(cls, name: str, folder: Path) -> "Analysed":
        """What an earlier run wrote.

        Raises:
            InputError: it cannot be read.
        """
        record = read_record(folder)
        return cls(name, record.measures, folder / "report.html", record.plain, is_new=False)


def analyse(config: SegmentConfig, watch: ProgressReporter = SILENT, tell: Tell = tell_nobody) -> BatchResult[Analysed]:
    """Segment, measure and report every exam into a folder of its own below `config.out`.

    What an earlier run did with the same files and settings is not done again. Where there are several exams, a
    summary of all of them is written beside their folders.

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
    analyser = Analyser(config.models.ready(), config.test_time_augmentation, "analyse", config.given)
    task = config.task("analyse", REPORT)

    def one(found: FoundExam) -> Analysed:
        folder = task.folder(found.name)
        if task.is_done(found):
            return Analysed.stored(found.name, folder)
        with task.results(found) as staging:
            exam = replace(found.read().distinct(), name=found.name)
            spare_images(staging, exam)
            analysis = analyser.analyse(exam)
            write_labels_of(exam.images, analysis.labels, staging.folder, scheme=config.scheme)
            analysis.write(staging.folder)
        return Analysed.written(found.name, folder, analysis)

    exams = find_exams(config.exams, config.reading)
    batch = for_each_exam(exams, one, watch, title="analysing", tell=tell)
    return with_summary(batch, config.out, overwrite=config.overwrite)
