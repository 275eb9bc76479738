"""cardiotrace demo."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.demo import DemoConfig, demo


@dataclass(frozen=True)
class Options:
    """A phantom heart whose volumes are known: rendered as echo, traced, measured, reported."""

    out: Path = Path("out/demo")
    """Folder for the results."""
    end_diastolic_ml: float = 130.0
    """True end-diastolic volume."""
    ejection_fraction_percent: float = 58.0
    """True ejection fraction."""
    seed: int = 1
    """Another seed, another heart."""
    model: str | None = None
    """Name or path of a model; default: the one for four-chamber echo."""


def run(options: Options) -> None:
    """Run it, print measured beside true."""
    config = DemoConfig(
        options.out, options.end_diastolic_ml, options.ejection_fraction_percent, options.seed, options.model
    )
    with Terminal() as terminal:
        result = demo(config, terminal)
    measures, truth = result.analysed.measures, result.truth
    print(f"A phantom heart over one beat, {result.frames} frames, traced by a model that never saw a phantom:")
    rows = (
        ("ejection fraction", measures.ejection_fraction_percent, truth["ejection_fraction_percent"], "%"),
        ("end-diastolic volume", measures.end_diastolic_volume_ml, truth["end_diastolic_volume_ml"], "ml"),
        ("end-systolic volume", measures.end_systolic_volume_ml, truth["end_systolic_volume_ml"], "ml"),
    )
    for name, value, true, unit in rows:
        measured = "not measured" if value is None else f"{value:6.1f} {unit}"
        print(f"  {name:<21} measured {measured:<12} true {true:6.1f} {unit}")
    for flag in measures.flags:
        print(f"  warning: {flag}")
    print(f"Report: {result.analysed.report}")
