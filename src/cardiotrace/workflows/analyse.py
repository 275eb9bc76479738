"""Exams in; label maps, numbers, pictures and a report out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cardiotrace.clinical import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.datasets.found import FoundExam, find_exams
from cardiotrace.inference.predictor import Segmentation
from cardiotrace.report import write_report
from cardiotrace.workflows.batch import Batch, for_each_exam, result_folder
from cardiotrace.workflows.segment import Models, SegmentConfig, segment_exam, write_label_maps
from cardiotrace.workflows.watch import SILENT, Watch

MUCH_REMOVED = 0.1
"""Share of a structure that post-processing may remove before the frame is flagged."""


@dataclass(frozen=True)
class Analysed:
    """One exam, done."""

    name: str
    measures: Measures
    report: Path


def analyse(config: SegmentConfig, watch: Watch = SILENT) -> Batch[Analysed]:
    """Segment, measure and report every exam into a folder of its own below `config.out`.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: there is no such label scheme.
        InputError: there is no such model.
        ModelFileError: the named model file is damaged.
    """
    models = config.models.ready()

    def one(found: FoundExam) -> Analysed:
        with result_folder(config.out, found.name) as folder:
            exam = replace(found.read(), name=found.name)
            measures = analyse_into(folder, exam, config, models)
        return Analysed(found.name, measures, config.out / found.name / "report.html")

    return for_each_exam(find_exams(config.exams, config.reading), one, watch, title="analysing")


def analyse_into(
    folder: Path, exam: Exam, config: SegmentConfig, models: Models, *, truth: Mapping[str, float] | None = None
) -> Measures:
    """Segment, measure and report one exam that is already read.

    Args:
        folder: where label maps, values, figures and the page go.
        exam: the exam; its name heads the page.
        config: how.
        models: predictors to use.
        truth: true values by name and unit, shown beside the measured ones.
    """
    segmentations = segment_exam(exam, models, test_time_augmentation=config.test_time_augmentation)
    labels = {name: segmentation.labels for name, segmentation in segmentations.items()}
    measures = measure(exam, labels, doubts={name: found.doubt for name, found in segmentations.items()})
    flags = dict.fromkeys((*measures.flags, *segmentation_flags(exam, segmentations)))
    measures = replace(measures, flags=tuple(flags))
    write_label_maps(exam.images, segmentations, folder, scheme=config.scheme)
    write_report(exam, labels, measures, folder, model=models.described(), truth=truth)
    return measures


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


def _removal_flags(name: str, segmentation: Segmentation) -> list[Flag]:
    flags = []
    for structure, removed in segmentation.removed.items():
        after = segmentation.labels.mask(structure).sum(axis=(1, 2, 3))
        share = (removed / (after + removed).clip(min=1)).max()
        if share > MUCH_REMOVED:
            text = f"{name}: {share:.0%} of {structure} lay apart from the rest and was removed"
            flags.append(Flag(Grade.LOOK_TWICE, text, "much-removed", structure.value))
    return flags
