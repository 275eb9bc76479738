"""cardiotrace export RUN."""

from dataclasses import dataclass

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.configs import ExportConfig


@dataclass(frozen=True, kw_only=True)
class ExportOptions(ExportConfig):
    """Write the best weights of a run as one ONNX file, checked against torch and scored on validation."""


def run(options: ExportOptions) -> None:
    """Export and print the scores."""
    from cardiotrace.workflows.export import export_run

    with Terminal() as terminal:
        result = export_run(options, terminal)
    if result.validation.rows:
        print_scores(result.validation)
