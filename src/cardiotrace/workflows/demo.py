"""A phantom patient whose every number is known, by echo and by cine-MRI, through the whole of the work."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Exam
from cardiotrace.io.results import read_manifest, refuse_changed, staged_results
from cardiotrace.phantoms import CmrPhantom, EchoPhantom, Pathology, biplane_exam, cmr_exam, sample_patient
from cardiotrace.workflows.services.analysis import Analysed, Analyser
from cardiotrace.workflows.services.label_maps import write_labels_of
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter
from cardiotrace.workflows.services.tracing import Models

NAME = "phantom"
FRAMES = 20
"""Of every video, so that echo and cine-MRI show the same instants."""


@dataclass(frozen=True)
class DemoConfig:
    """The phantom, and where the report goes."""

    out: Path = Path("out/demo")
    """Folder for the results."""
    pathology: str = "normal"
    """Disease of the heart: normal, dilated, hypertrophic, infarct, rv-dilated."""
    seed: int = 1
    """Another seed, another patient."""
    end_diastolic_ml: float | None = None
    """True end-diastolic volume; default: the patient's."""
    ejection_fraction_percent: float | None = None
    """True ejection fraction; default: the patient's."""
    model: str | None = None
    """Name or path of the model for every image; default: the one for each image's view."""
    overwrite: bool = False
    """Replace results also where they were changed by hand."""


@dataclass(frozen=True)
class DemoResult:
    """What was measured beside what is true."""

    analysed: Analysed
    truth: Mapping[str, float]
    """By name and unit, as in `Measures`."""
    frames: int


def demo(config: DemoConfig, reporter: ProgressReporter = SILENT) -> DemoResult:
    """Image a phantom patient by biplane echo and short-axis cine-MRI; segment, measure and report both together.

    Raises:
        InputError: a volume or ejection fraction that cannot be, or there is no such model.
        UsageError: there is no such disease, or a result there was changed by hand.
        WorkError: nothing can be written there.
    """
    analyser = Analyser(Models(config.model).ready(), verb="demo")
    with reporter.stage("picturing a beating heart"):
        exam, truth = phantom_study(config)
    with reporter.stage("tracing, measuring, reporting"):
        folder = config.out / exam.name
        if not config.overwrite:
            refuse_changed(folder, read_manifest(folder))
        with staged_results(folder, overwrite=config.overwrite) as staging:
            analysis = analyser.analyse(exam)
            write_labels_of(exam.images, analysis.labels, staging.folder, scheme=None)
            page = analysis.write(staging.folder, truth=truth)
    analysed = Analysed.written(folder / page.name, analysis)
    return DemoResult(analysed, truth, sum(image.image.grid_shape[0] for image in exam.images))


def phantom_study(config: DemoConfig) -> tuple[Exam, dict[str, float]]:
    """Echo in two views and a stack of cine-MRI of one heart, with its true numbers by name and unit."""
    if config.pathology not in tuple(Pathology):
        raise UsageError(f"there is no phantom disease {config.pathology!r}", remedy=f"give {', '.join(Pathology)}.")
    if config.seed < 0:
        raise UsageError(f"seed: {config.seed} is negative", remedy="give 0 or more.")
    heart = _heart(config)
    echo = biplane_exam(EchoPhantom(**heart, frame_count=FRAMES, seed=config.seed))
    cmr = cmr_exam(CmrPhantom(**heart, frame_count=FRAMES, seed=config.seed))
    exam = replace(echo.exam, name=NAME, images=(*echo.exam.images, *cmr.exam.images))
    seen, first, last = cmr.truth, cmr.truth.end_diastolic_frame, cmr.truth.end_systolic_frame
    truth = {
        "left_ventricular_ejection_fraction_percent": seen.ejection_fraction_percent,
        "left_ventricular_end_diastolic_volume_ml": seen.end_diastolic_ml,
        "left_ventricular_end_systolic_volume_ml": seen.end_systolic_ml,
        "left_ventricular_stroke_volume_ml": seen.end_diastolic_ml - seen.end_systolic_ml,
        "left_ventricular_mass_g": seen.mass_g,
        "right_ventricular_ejection_fraction_percent": seen.right_ejection_fraction_percent,
        "right_ventricular_end_diastolic_volume_ml": float(seen.right_ml[first]),
        "right_ventricular_end_systolic_volume_ml": float(seen.right_ml[last]),
        "right_ventricular_stroke_volume_ml": float(seen.right_ml[first] - seen.right_ml[last]),
    }
    return exam, truth


def _heart(config: DemoConfig) -> dict[str, Any]:
    sampled = sample_patient(config.pathology, config.seed).heart
    names = ("end_diastolic_ml", "ejection_fraction_percent")
    given = {name: value for name in names if (value := getattr(config, name)) is not None}
    return sampled.as_keywords() | given
