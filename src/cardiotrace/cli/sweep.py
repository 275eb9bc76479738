"""cardiotrace sweep RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.evaluation.sweep import readable
from cardiotrace.workflows.configs import SweepConfig


@dataclass(frozen=True, kw_only=True)
class SweepOptions(SweepConfig):
    """Train every combination of a recipe's [sweep] with every seed, test each, compare; finished runs are kept."""


def run(options: SweepOptions) -> None:
    """Run the sweep, print mean and spread of every variant."""
    from cardiotrace.workflows.sweep import run_sweep

    with Terminal() as terminal:
        report = run_sweep(options, terminal)
    rows = readable(report.summary)
    table(
        rows,
        title="testing parts: mean ± standard deviation over runs, collapsed ones included",
        keys=list(rows[0]).index("runs"),
    )
    say(f"tables and plots: {report.folder / 'sweep.md'}")
