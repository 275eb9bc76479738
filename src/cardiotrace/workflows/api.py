"""The verbs as functions on values in memory, for use from Python."""

from collections.abc import Mapping
from pathlib import Path

from cardiotrace.clinical import Measures
from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.labelling import labels_in_place
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.inference.predictor import Predictor
from cardiotrace.workflows.analyse import measured, terms_of
from cardiotrace.workflows.provenance import Provenance, provenance_of
from cardiotrace.workflows.segment import Models, doubts_of, segment_exam, segmentation_flags


class Labels(dict[str, LabelMap]):
    """Label maps of an exam's images by name, with what speaks against trusting them."""

    def __init__(
        self,
        labels: Mapping[str, LabelMap],
        flags: tuple[Flag, ...] = (),
        made_by: Mapping[str, str] | None = None,
        models: tuple[Predictor, ...] = (),
        doubts: Mapping[str, Doubt] | None = None,
    ) -> None:
        super().__init__(labels)
        self.flags = flags
        """What network and post-processing say, and which images were left out."""
        self.made_by = dict(made_by or {})
        """Name of the model of each image."""
        self.models = models
        self.doubts = dict(doubts or {})
        """How unsure the model was of each frame, by name of the image."""


def segment(exam: Exam, model: str | None = None, *, test_time_augmentation: bool = False) -> Labels:
    """Label every image of an exam.

    Args:
        exam: from `read_exam`.
        model: name or path; by default the one for each image's view.
        test_time_augmentation: average over slightly changed versions of each image.

    Returns:
        Label map of each image by its name; `flags` of it say what speaks against trusting them.

    Raises:
        InputError: no model for a view, or an image that the model cannot take.
    """
    models = Models(model)
    found = segment_exam(exam, models, test_time_augmentation=test_time_augmentation)
    return Labels(
        {name: segmentation.labels for name, segmentation in found.items()},
        tuple(segmentation_flags(exam, found)),
        {name: segmentation.model for name, segmentation in found.items()},
        tuple(models.used(found.values())),
        doubts_of(found),
    )


def measure(exam: Exam, labels: Mapping[str, LabelMap]) -> Measures:
    """Measure an exam; all that reading, network and measuring say against the values is among its flags.

    Args:
        exam: from `read_exam`.
        labels: from `segment`, or read or drawn, by name of the image; images without labels are skipped.

    Returns:
        The quantities, the preferred method of each first. Without pixel spacing only areas in pixels and the ejection
        fraction. See `clinical.measure`.

    Raises:
        InputError: labels that belong to no image, or lie on another grid than theirs.
    """
    if not isinstance(labels, Labels):
        return measured(exam, labels, Provenance()).measures
    return measured(exam, labels, Provenance(), flags=labels.flags, doubts=labels.doubts).measures


def write_report(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, folder: str | Path) -> Path:
    """Write `report.html`, `measures.json`, `measures.csv` and figures into a folder.

    Files of these names are replaced.

    Returns:
        Path of the page.

    Raises:
        InputError: labels that belong to no image, or lie elsewhere than theirs.
        WorkError: the folder cannot be written to.
    """
    from cardiotrace.report import ReportContext
    from cardiotrace.report import write_report as write_whole_report

    made_by, models = (labels.made_by, labels.models) if isinstance(labels, Labels) else ({}, ())
    provenance = provenance_of(exam, made_by, models=models)
    return write_whole_report(
        exam,
        labels_in_place(exam, labels),
        measures,
        Path(folder),
        ReportContext(model=terms_of(models), provenance=provenance.to_plain()),
    )
