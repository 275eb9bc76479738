"""cardiotrace measure EXAM... --labels DIR."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.cli.analyse import run_and_tell
from cardiotrace.cli.exams import ExamOptions
from cardiotrace.workflows.measure import MeasureConfig, measure_exams


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(ExamOptions):
    """Volumes, ejection fraction, images and a report of exams from label maps that are there already."""

    labels: Path
    """Folder of label maps X_labels.nii.gz (or _gt, _seg, _mask) of images X; one folder per exam may lie in it."""
    scheme: str | None = None
    """What the label values mean: camus, acdc, mnms, ...; default: camus for apical views."""


def run(options: MeasureOptions) -> int:
    """Measure, print the headline of each exam and where its report is."""
    view, modality = options.plane
    config = MeasureConfig(
        exams=options.exams,
        labels=options.labels,
        out=options.out,
        scheme=options.scheme,
        view=view,
        modality=modality,
        spacing_mm=options.spacing_mm,
        third_axis=options.third_axis,
        image_files=options.image_files,
        patient=options.patient,
        overwrite=options.overwrite,
    )
    return run_and_tell(lambda terminal, tell: measure_exams(config, terminal, tell), as_json=options.json)
