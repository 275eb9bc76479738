"""The verbs as functions on values in memory, for use from Python."""

from collections.abc import Mapping
from pathlib import Path

from cardiotrace.clinical import Measures
from cardiotrace.clinical.labelling import labels_in_place
from cardiotrace.core.exam import Exam
from cardiotrace.core.label import LabelMap
from cardiotrace.report import write_report as write_whole_report
from cardiotrace.workflows.segment import Models, segment_exam


def segment(exam: Exam, model: str | None = None, *, test_time_augmentation: bool = False) -> dict[str, LabelMap]:
    """Label every image of an exam.

    Args:
        exam: from `read_exam`.
        model: name or path; by default the one for each image's view.
        test_time_augmentation: average over slightly changed versions of each image.

    Returns:
        Label map of each image, by its name.

    Raises:
        InputError: no model for a view, or an image that the model cannot take.
    """
    segmentations = segment_exam(exam, Models(model), test_time_augmentation=test_time_augmentation)
    return {name: segmentation.labels for name, segmentation in segmentations.items()}


def write_report(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, folder: str | Path) -> Path:
    """Write `report.html`, `measures.json`, `measures.csv` and figures into a folder.

    Returns:
        Path of the page.

    Raises:
        InputError: labels that belong to no image, or lie elsewhere than theirs.
        WorkError: the folder cannot be written to.
    """
    return write_whole_report(exam, labels_in_place(exam, labels), measures, Path(folder))
