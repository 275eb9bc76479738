"""cardiotrace measure EXAM... --labels DIR."""

from dataclasses import dataclass

from cardiotrace.cli.analyse import run_and_tell
from cardiotrace.workflows.measure import MeasureConfig, measure_exams


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(MeasureConfig):
    """Volumes, ejection fraction, images and a report of exams from label maps that are there already."""

    json: bool = False
    """Print results as JSON."""


def run(options: MeasureOptions) -> int:
    """Measure, print the headline of each exam and where its report is."""
    return run_and_tell(lambda terminal, tell: measure_exams(options, terminal, tell), as_json=options.json)
