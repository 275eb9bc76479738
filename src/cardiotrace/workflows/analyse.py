"""Exams in; label maps, numbers, images and a report out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.io import write_json
from cardiotrace.io.results import DICOM, FHIR
from cardiotrace.workflows.segment import SegmentConfig
from cardiotrace.workflows.services.analysis import Analysed, Analyser, Analysis
from cardiotrace.workflows.services.archive import authors_of, moment, require_dicom, write_archive
from cardiotrace.workflows.services.batch import BatchResult, ExamTask, Tell, for_each_exam, tell_nobody
from cardiotrace.workflows.services.cohort import with_summary
from cardiotrace.workflows.services.identity import IdentityConfig, identity_settings, with_identity
from cardiotrace.workflows.services.label_maps import spare_images, write_labels_of, write_uncorrected_of
from cardiotrace.workflows.services.report_form import USUAL, ReportConfig


@dataclass(frozen=True, kw_only=True)
class AnalyseConfig(IdentityConfig, SegmentConfig):
    """Which exams, with which model, to where, and in which forms beside the usual ones."""

    dicom: bool = False
    """Write outlines, measures and report as DICOM as well, for the study that the images came from."""
    fhir: bool = False
    """Write the measures as a FHIR bundle as well, which names nobody."""
    tracking: bool = False
    """Measure strain a second time, following the wall through each long-axis film: seconds for every film."""
    report: ReportConfig = USUAL
    """How the report is written, and what it is compared with."""

    @property
    def given(self) -> dict[str, Any]:
        """What was said in place of what files and models say, as plain data."""
        return super().given | ({"tracking": True} if self.tracking else {}) | self.report.given

    def analyser(self, verb: str) -> Analyser:
        """What traces, with the named model loaded, and measures.

        Raises:
            InputError: there is no model of the name.
            ModelFileError: the named model file is damaged.
        """
        return replace(super().analyser(verb), tracking=self.tracking)

    def task(self, analyser: Analyser, **more: Any) -> ExamTask:
        """What the analyser is for, with all that its results depend on."""
        task = super().task(analyser, **more)
        also = {name: True for name in ("dicom", "fhir") if getattr(self, name)}
        kept = {**also, **identity_settings(self), **self.report.settings}
        return replace(task, settings={**task.settings, **kept})


def analyse(
    config: SegmentConfig, reporter: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Analysed]:
    """Segment, measure and report every exam into a folder of its own below `config.out`.

    What an earlier run did with the same files and settings is not done again. Where there are several exams, a
    summary of all of them is written beside their folders.

    Args:
        config: which exams, how, and to where; an `AnalyseConfig` where other forms are wanted as well.
        reporter: told how far the work is.
        tell: called with each result or failure as soon as an exam ends.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: there is no such label scheme.
        UsageError: a PDF is wanted, and there is no browser to print it.
        InputError: there is no such model; or the earlier exam cannot be read.
        ModelFileError: the named model file is damaged.
    """
    analyser = config.analyser("analyse")
    task = config.task(analyser)
    forms = config if isinstance(config, AnalyseConfig) else AnalyseConfig(exams=config.exams)
    exams = config.find()
    forms.report.require(len(exams))

    def one(found: FoundExam) -> Analysed:
        folder = task.folder(found.name)
        stamp = forms.report.prior_stamp(found.name)
        if task.is_done(found, lambda made: made.get("prior") == stamp):
            return Analysed.stored(found.name, folder)
        with task.results(found) as staging:
            exam = found.read()
            if forms.dicom:
                require_dicom(exam)
            spare_images(staging, exam)
            staging.made.update({} if stamp is None else {"prior": stamp})
            analysis = forms.report.completed(with_identity(analyser.analyse(exam), forms))
            images, scheme = analysis.exam.images, config.scheme
            write_uncorrected_of(images, analysis.uncorrected, staging.folder, scheme=scheme)
            write_labels_of(images, analysis.labels, staging.folder, scheme=scheme)
            page = _write(analysis, staging.folder, forms)
        return Analysed.written(folder / page.name, analysis)

    batch = for_each_exam(exams, one, reporter, title="analysing", tell=tell)
    return with_summary(batch, config.out, overwrite=config.overwrite)


def _write(analysis: Analysis, folder: Path, forms: AnalyseConfig) -> Path:
    """Write the report of an exam, in other forms as well where they are wanted; gives the path of the page."""
    from cardiotrace.report.fhir import fhir_bundle
    from cardiotrace.report.write import save_report

    report = analysis.report(forms.report)
    if forms.dicom:
        write_archive(analysis, report, folder / DICOM, made=moment())
    if forms.fhir:
        write_json(folder / FHIR, fhir_bundle(analysis.exam, analysis.measures, authors_of(analysis)))
    return save_report(report, folder, forms=forms.report.files)
