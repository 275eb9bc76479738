"""The verbs as functions on values in memory, for use from Python."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cardiotrace.clinical import Measures
from cardiotrace.clinical.labelling import labels_in_place
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.workflows.services.analysis import Analyser, Analysis, for_given_labels, measured
from cardiotrace.workflows.services.provenance import provenance_of
from cardiotrace.workflows.services.report_form import USUAL, ReportConfig
from cardiotrace.workflows.services.tracing import Models, Tracing

_MOST_KEPT = 8
"""Choices of a model whose networks stay in memory."""


class Labels(dict[str, LabelMap]):
    """Label maps of an exam's images by name, as models drew them, with what speaks against trusting them.

    Args:
        tracing: what the models said.
    """

    def __init__(self, tracing: Tracing) -> None:
        super().__init__(tracing.labels)
        self.tracing = tracing
        """All that is known of the labels: segmentations with their confidence, models, the exam as it was traced."""

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What network and post-processing say against the labels, and which images were left out."""
        return self.tracing.flags

    @property
    def traced_by(self) -> dict[str, str]:
        """Name of the model of each image whose labels are still the model's."""
        return {name: model for name, model in self.tracing.traced_by.items() if self.is_as_traced(name)}

    @property
    def licence(self) -> str:
        """Under which the models, and so what they drew, may be used."""
        return (self.tracing.terms or {}).get("licence", "")

    def is_as_traced(self, name: str) -> bool:
        """Whether the label map of an image is still the model's, and none that was put in its place."""
        return self.get(name) is self.tracing.labels.get(name)


def segment(exam: Exam, model: str | None = None, *, test_time_augmentation: bool = False) -> Labels:
    """Label the images of an exam, as the verb does; stills that are frames of a video are labelled as parts of it.

    Models stay in memory for the next call.

    Args:
        exam: from `read_exam`.
        model: name or path; by default the one for each image's view.
        test_time_augmentation: average over slightly changed versions of each image.

    Returns:
        Label map of each image by its name; `flags` of it say what speaks against trusting them, `traced_by` and
        `licence` who drew them and what they may be used for.

    Raises:
        NoModelError: no model for any of the views.
        InputError: an image that the model cannot take.
        ModelFileError: a model file is damaged.
    """
    return Labels(Analyser(_models(model), test_time_augmentation).trace(exam))


def measure(exam: Exam, labels: Mapping[str, LabelMap], *, tracking: bool = False) -> Measures:
    """Measure an exam; all that reading, network and measuring say against the values is among its flags.

    Args:
        exam: from `read_exam`.
        labels: from `segment`, or read or drawn, by name of the image; images without labels are skipped.
        tracking: measure longitudinal strain a second time, following the wall through each film; takes seconds.

    Returns:
        The quantities, the preferred method of each first. Without pixel spacing only areas in pixels and the ejection
        fraction. See `clinical.measure`.

    Raises:
        InputError: labels that belong to no image, or lie on another grid than theirs.
    """
    return _analysis(exam, labels, tracking=tracking).measures


def write_report(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    measures: Measures,
    folder: str | Path,
    *,
    form: ReportConfig = USUAL,
) -> Path:
    """Write `report.html`, `measures.json`, `measures.csv` and figures into a folder.

    Files of these names are replaced.

    Args:
        exam: from `read_exam`.
        labels: those that were measured, by name of the image.
        measures: from `measure`.
        folder: where to; made if it is not there.
        form: the language, an earlier exam to compare with, and what is written beside the usual files.

    Returns:
        Path of the page.

    Raises:
        UsageError: a PDF is wanted, and there is no browser to print it.
        InputError: labels that belong to no image, or lie elsewhere than theirs; an earlier exam that cannot be read.
        WorkError: the folder cannot be written to.
    """
    form.require(1)
    exam = _as_labelled(exam, labels)
    placed = labels_in_place(exam, labels)
    if isinstance(labels, Labels):
        provenance = provenance_of(exam, labels.traced_by, models=labels.tracing.models, given=form.given)
        trust = {name: each for name, each in labels.tracing.trust.items() if labels.is_as_traced(name)}
        analysis = Analysis(exam, placed, measures, provenance, labels.tracing.terms, trust=trust)
    else:
        analysis = Analysis(exam, placed, measures, provenance_of(exam, {}, given=form.given))
    return form.completed(analysis).write(Path(folder), form)


@lru_cache(maxsize=_MOST_KEPT)
def _models(model: str | None) -> Models:
    return Models(model)


def _as_labelled(exam: Exam, labels: Mapping[str, LabelMap]) -> Exam:
    """The exam as the verbs take it: `analyse` where a model drew the labels, `measure` where they were given."""
    return exam.distinct() if isinstance(labels, Labels) else for_given_labels(exam, labels)


def _analysis(exam: Exam, labels: Mapping[str, LabelMap], *, tracking: bool) -> Analysis:
    exam = _as_labelled(exam, labels)
    if not isinstance(labels, Labels):
        return measured(exam, labels, provenance_of(exam, {}), tracking=tracking)
    doubts = {name: labels.tracing.doubts[name] for name in labels.traced_by}
    provenance = provenance_of(exam, labels.traced_by)
    return measured(exam, labels, provenance, flags=labels.flags, doubts=doubts, tracking=tracking)
