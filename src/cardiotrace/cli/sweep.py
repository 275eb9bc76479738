"""cardiotrace sweep RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.output import say
from cardiotrace.cli.recipes import RecipeOptions
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.evaluation.sweep import readable


@dataclass(frozen=True, kw_only=True)
class SweepOptions(RecipeOptions):
    """Train every combination of a recipe's [sweep] with every seed, test each, compare; finished runs are kept."""

    jobs: int = 1
    """Runs at a time, each in a process with its share of the processors."""


def run(options: SweepOptions) -> None:
    """Run the sweep, print mean and spread of every variant."""
    from cardiotrace.learning.training.run import Hardware
    from cardiotrace.workflows.sweep import SweepConfig, run_sweep

    config = SweepConfig(
        jobs=options.jobs,
        **options.common,
        hardware=Hardware(options.accelerator),
    )
    with Terminal() as terminal:
        report = run_sweep(config, terminal)
    rows = readable(report.summary)
    table(
        rows,
        title="testing parts: mean ± standard deviation over runs, collapsed ones included",
        keys=list(rows[0]).index("runs"),
    )
    say(f"tables and plots: {report.folder / 'sweep.md'}")
