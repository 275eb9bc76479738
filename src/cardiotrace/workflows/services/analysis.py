"""One exam, traced and measured in memory: what the command line, Python and the demo all go through."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardiotrace.clinical import measure
from cardiotrace.clinical.adaptation import Adaptation
from cardiotrace.clinical.comparison import Comparison
from cardiotrace.clinical.correction import Correction, Moved, moved
from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.groups.reading import GroupReading
from cardiotrace.clinical.intervals.filling import with_intervals
from cardiotrace.clinical.measure import usable_first
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.record import record_of
from cardiotrace.core.exam import Exam
from cardiotrace.core.findings import ExamFindings
from cardiotrace.core.flag import Flag
from cardiotrace.core.identity import Identity
from cardiotrace.core.label import LabelMap
from cardiotrace.core.progress import OnProgress, in_two
from cardiotrace.core.trust import ErrorMap, ErrorMaps, ImageTrust
from cardiotrace.datasets.leftover import LABELS
from cardiotrace.io.results import FIGURES, REPORT_PAGE
from cardiotrace.workflows.services.adaptation import Adapter, adaptation_flags, adapted
from cardiotrace.workflows.services.correction import Correctors, corrected, correction_flags
from cardiotrace.workflows.services.provenance import Provenance, provenance_of, reading_flags
from cardiotrace.workflows.services.record import read_record
from cardiotrace.workflows.services.report_form import USUAL, ReportConfig
from cardiotrace.workflows.services.tracing import Models, Tracing, trace_exam

if TYPE_CHECKING:
    from cardiotrace.report import ExamReport

LOG = logging.getLogger(__name__)


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
    trust: Mapping[str, ImageTrust] = field(default_factory=dict)
    """What the models expect of their labels, by name of the image; nothing of labels that a person drew."""
    identity: Identity | None = None
    """Whose the exam is, for results that are to say it; None unless somebody asks for that."""
    comparison: Comparison | None = None
    """With an earlier exam; see `ReportConfig.compared`."""
    not_compared: str = ""
    """Why there is none that was asked for."""
    groups: GroupReading | None = None
    """Which groups of patients it is like; see `ReportConfig.grouped`."""
    automatic: Mapping[str, LabelMap] = field(default_factory=dict)
    """Labels before a person corrected them, of the images that were corrected."""
    correction: Correction | None = None
    """What a corrector did to the labels; None unless somebody asks for one."""
    errors: ErrorMaps = field(default_factory=dict)
    """Where labels of key frames are probably wrong, of images whose model's file holds what judges them."""
    adaptation: Adaptation | None = None
    """What adapting the models to the images did to the labels; None unless somebody asks for that."""

    @property
    def uncorrected(self) -> dict[str, LabelMap]:
        """Labels of the corrected images as they were before, by name."""
        images = {} if self.correction is None else self.correction.images
        return {name: done.before for name, done in images.items() if done.corrected}

    def to_plain(self) -> dict[str, Any]:
        """What `measures.json` holds."""
        return record_of(
            self.measures,
            provenance=self.provenance.to_plain(),
            trust=self.trust,
            identity=self.identity,
            comparison=self.comparison,
            groups=self.groups,
            correction=self.correction,
            adaptation=self.adaptation,
        )

    def report(self, form: ReportConfig = USUAL, *, truth: Mapping[str, float] | None = None) -> "ExamReport":
        """Values, figures and the page, in memory.

        Args:
            form: the language, and what else the page depends on.
            truth: true values by name and unit, shown beside the measured ones.
        """
        from cardiotrace.report import render_report  # draws: not needed for the values alone

        return render_report(self.exam, self.labels, self.measures, form.context(self, truth))

    def write(self, folder: Path, form: ReportConfig = USUAL, *, truth: Mapping[str, float] | None = None) -> Path:
        """Write values, figures and the page into a folder.

        Args:
            folder: where to; made if it is not there.
            form: the language, and what is written beside the usual files.
            truth: true values by name and unit, shown beside the measured ones.

        Returns:
            Path of the page.

        Raises:
            UsageError: a PDF is wanted, and there is no browser to print it.
            WorkError: nothing can be written there.
        """
        from cardiotrace.report.write import made_folder, save_report

        made_folder(folder / FIGURES)  # before any figure is drawn: a folder that cannot be is no reason to wait
        return save_report(self.report(form, truth=truth), folder, forms=form.files)


@dataclass(frozen=True)
class Analyser:
    """Traces and measures exams, without writing anything; may be used by several threads at a time.

    Args:
        models: what traces; each is loaded once.
        test_time_augmentation: average over slightly changed versions of each image.
        verb: what is done, for the provenance.
        given: what the user said in place of what files and models say, for the provenance.
        tracking: measure longitudinal strain by following the wall through films as well.
        correctors: of labels that can be no heart's; None leaves all labels as the models made them.
        adapter: how models are adapted to each image; None: not at all.
    """

    models: Models = field(default_factory=Models)
    test_time_augmentation: bool = False
    verb: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    tracking: bool = False
    correctors: Correctors | None = None
    adapter: Adapter | None = None

    def trace(self, exam: Exam, on_progress: OnProgress | None = None) -> Tracing:
        """Trace one exam; stills that are frames of its videos are taken with these.

        Args:
            exam: as it was read.
            on_progress: told how many planes are traced, of all.

        Raises:
            NoModelError: there is no model for any of its views.
            InputError: an image that the model cannot take.
            ModelFileError: a model file is damaged.
        """
        first, second = (on_progress, None) if self.adapter is None else in_two(on_progress)
        tracing = trace_exam(
            exam.distinct(), self.models, test_time_augmentation=self.test_time_augmentation, on_progress=first
        )
        if self.adapter is not None:
            tracing = adapted(tracing, self.models, self.adapter, second)
        return tracing if self.correctors is None else corrected(tracing, self.correctors)

    def analyse(self, exam: Exam, on_progress: OnProgress | None = None) -> Analysis:
        """Trace and measure one exam.

        Args:
            exam: as it was read.
            on_progress: told how many planes are traced, of all.

        Raises:
            NoModelError: there is no model for any of its views.
            InputError: an image that the model cannot take.
            ModelFileError: a model file is damaged.
        """
        return self.measured(self.trace(exam, on_progress))

    def measured(self, tracing: Tracing) -> Analysis:
        """Measure what was traced."""
        provenance = provenance_of(
            tracing.exam, tracing.traced_by, verb=self.verb, models=tracing.models, given=self.given
        )
        analysis = measured(
            tracing.exam,
            tracing.labels,
            provenance,
            flags=(*tracing.flags, *adaptation_flags(tracing.adaptations), *correction_flags(tracing.corrections)),
            doubts=tracing.doubts,
            tracking=self.tracking,
        )
        # Behind the measuring: labels that a person drew go through the same, and have no model's intervals.
        quality = tracing.exam.facts.get("quality", "")
        with_limits = with_intervals(analysis.measures, tracing.traced_with, quality=quality)
        analysis = replace(analysis, measures=usable_first(with_limits))
        return replace(
            analysis,
            terms=tracing.terms,
            trust=tracing.trust,
            correction=self._correction(tracing, analysis),
            errors=self._errors(tracing, analysis),
            adaptation=self._adaptation(tracing, analysis),
        )

    def _errors(self, tracing: Tracing, analysis: Analysis) -> ErrorMaps:
        """Where the labels of key frames are probably wrong, as they are now; by name of the image and frame."""
        found: dict[tuple[str, int], ErrorMap] = {}
        for image in tracing.exam.images:
            frames = [key_frame.frame for key_frame in analysis.measures.key_frames if key_frame.image == image.name]
            judge = self.models.judge(image.image.view, image.image.modality) if frames else None
            if judge is not None:
                made = judge.errors(image.image, tracing.labels[image.name], sorted(set(frames)))
                found |= {(image.name, frame): error for frame, error in made.items()}
        return found

    def _adaptation(self, tracing: Tracing, analysis: Analysis) -> Adaptation | None:
        """What adapting did, and what would have been measured without."""
        if self.adapter is None:
            return None
        adaptation = Adaptation(tracing.adaptations)
        if not adaptation.has_adapted:
            return adaptation
        return replace(adaptation, moved=self._moved(tracing, tracing.unadapted, analysis))

    def _moved(self, tracing: Tracing, former: Mapping[str, LabelMap], analysis: Analysis) -> tuple[Moved, ...]:
        """Quantities that are other ones than on labels as they were."""
        before = {**tracing.labels, **former}
        found = measure(tracing.exam, before, doubts=tracing.doubts, tracking=self.tracking)
        return moved(found, analysis.measures)

    def _correction(self, tracing: Tracing, analysis: Analysis) -> Correction | None:
        """What was corrected, and what would have been measured without."""
        if self.correctors is None:
            return None
        correction = Correction(tracing.corrections)
        if not correction.has_corrected:
            return correction
        return replace(correction, moved=self._moved(tracing, tracing.uncorrected, analysis))


def measured(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    provenance: Provenance,
    *,
    flags: Sequence[Flag] = (),
    doubts: Mapping[str, Doubt] | None = None,
    tracking: bool = False,
    known: ExamFindings | None = None,
) -> Analysis:
    """Measure labels of an exam; what the reading says against the values is among the flags.

    Args:
        exam: as it was read.
        labels: by name of the image.
        provenance: where they came from.
        flags: what else speaks against them.
        doubts: how unsure the model was of each frame, by name of the image.
        tracking: measure longitudinal strain by following the wall through films as well.
        known: what earlier measurements of this exam found; see `measure`.
    """
    measures = measure(exam, labels, doubts=doubts or {}, tracking=tracking, known=known)
    together = dict.fromkeys([*measures.flags, *reading_flags(exam, of_sizes=False), *flags])
    LOG.debug("%s: %d values of %d images, %d flags", exam.name, len(measures.quantities), len(labels), len(together))
    return Analysis(exam, labels, replace(measures, flags=tuple(together)), provenance)


def for_given_labels(exam: Exam, labelled: Collection[str]) -> Exam:
    """An exam whose labels were given: it says which images have none; frames of a labelled video need none.

    Args:
        exam: as it was read.
        labelled: names of the images that have labels.
    """
    # Label files beside the images are what is measured, not files that were left out.
    left_out = tuple(line for line in exam.left_out if not line.endswith(LABELS))
    lacking = [image.name for image in exam.images if not {image.name, image.shown_in} & set(labelled)]
    told = tuple(f"{name}: no labels of it were given, so that it is not measured" for name in lacking)
    return replace(exam, left_out=(*left_out, *told))


@dataclass(frozen=True)
class Analysed:
    """One exam, done."""

    name: str
    measures: Measures
    """Of an earlier run, without key frames and curves."""
    report: Path
    plain: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """What its `measures.json` holds."""
    is_new: bool = True
    """Whether this run did it, and not an earlier one."""

    @classmethod
    def written(cls, report: Path, analysis: Analysis) -> "Analysed":
        """What was written just now."""
        return cls(analysis.exam.name, analysis.measures, report, analysis.to_plain())

    @classmethod
    def stored(cls, name: str, folder: Path) -> "Analysed":
        """What an earlier run wrote.

        Raises:
            InputError: it cannot be read.
        """
        record = read_record(folder)
        return cls(name, record.measures, folder / REPORT_PAGE, record.plain, is_new=False)
