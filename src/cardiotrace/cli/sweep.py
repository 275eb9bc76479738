"""cardiotrace sweep RECIPE."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from cardiotrace.cli.settings import settings
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.evaluation.sweep import readable
from cardiotrace.learning.training.run import Hardware
from cardiotrace.workflows.sweep import SweepConfig, run_sweep


@dataclass(frozen=True)
class Options:
    """Train every combination of a recipe's [sweep] with every seed, test each, compare; finished runs are kept."""

    recipe: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RECIPE")]]
    """A .toml file with a [sweep] table."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Folder of the runs, tables and plots; default: runs/<name of the recipe>."""
    jobs: int = 1
    """Runs at a time, each in a process with its share of the processors."""
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """Changes to the recipe, such as training.epochs=2 or sweep.seeds=[1,2]."""
    cache: Path | None = None
    """Folder for packed data."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""


def run(options: Options) -> None:
    """Run the sweep, print mean and spread of every variant."""
    config = SweepConfig(
        recipe=options.recipe,
        data=options.data,
        out=options.out,
        jobs=options.jobs,
        overrides=settings(options.set),
        cache=options.cache,
        hardware=Hardware(options.accelerator),
    )
    with Terminal() as terminal:
        report = run_sweep(config, terminal)
    rows = readable(report.summary)
    table(list(rows[0]), rows, title="testing parts: mean ± standard deviation over runs, collapsed ones included")
    print(f"tables and plots: {report.folder / 'sweep.md'}")
