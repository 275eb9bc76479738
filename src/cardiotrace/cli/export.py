"""cardiotrace export RUN."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.core.terms import View


@dataclass(frozen=True)
class ExportOptions:
    """Write the best weights of a run as one ONNX file, checked against torch and scored on validation."""

    run: Path
    """Run folder."""
    out: Path | None = None
    """Model file; default: model.onnx in the run folder."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    half_weights: bool = True
    """Store weights in float16 (arithmetic stays float32): half the size."""
    cache: Path | None = None
    """Folder for packed data."""
    default_for: tuple[View, ...] = ()
    """Views for which it is preferred over other models, such as A4C."""


def run(options: ExportOptions) -> None:
    """Export and print the scores."""
    from cardiotrace.workflows.export import ExportConfig, export_run

    config = ExportConfig(
        options.run, options.data, options.out, options.half_weights, options.cache, options.default_for
    )
    with Terminal() as terminal:
        result = export_run(config, terminal)
    print_scores(result.validation)
