"""A phantom exam whose every number is known, through the whole of the work."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.phantoms import EchoPhantom, echo_exam
from cardiotrace.workflows.analyse import Analysed, analyse_into
from cardiotrace.workflows.batch import result_folder
from cardiotrace.workflows.segment import Models, SegmentConfig
from cardiotrace.workflows.watch import SILENT, Watch


@dataclass(frozen=True)
class DemoConfig:
    """The phantom, and where the report goes."""

    out: Path = Path("out/demo")
    end_diastolic_ml: float = 130.0
    ejection_fraction_percent: float = 58.0
    seed: int = 1
    model: str | None = None


@dataclass(frozen=True)
class DemoResult:
    """What was measured beside what is true."""

    analysed: Analysed
    truth: Mapping[str, float]
    frames: int


def demo(config: DemoConfig, watch: Watch = SILENT) -> DemoResult:
    """Render a phantom exam, segment, measure and report it.

    Raises:
        InputError: there is no such model, or a volume or ejection fraction that cannot be.
        UsageError: something else than results stands where the report goes.
        WorkError: nothing can be written there.
    """
    phantom_config = EchoPhantom(
        end_diastolic_ml=config.end_diastolic_ml,
        ejection_fraction_percent=config.ejection_fraction_percent,
        seed=config.seed,
    )
    with watch.stage("rendering a beating heart"):
        phantom = echo_exam(phantom_config)
    truth = {
        "ejection_fraction_percent": phantom.truth.ejection_fraction_percent,
        "end_diastolic_volume_ml": phantom.truth.end_diastolic_ml,
        "end_systolic_volume_ml": phantom.truth.end_systolic_ml,
    }
    with watch.stage("tracing, measuring, reporting"):
        settings = SegmentConfig(exams=(), out=config.out, model=config.model)
        with result_folder(config.out, phantom.exam.name) as folder:
            measures = analyse_into(folder, phantom.exam, settings, Models(config.model), truth=truth)
    analysed = Analysed(phantom.exam.name, measures, config.out / phantom.exam.name / "report.html")
    frames = sum(len(image.cine.frames) for image in phantom.exam.images)
    return DemoResult(analysed, truth, frames)
