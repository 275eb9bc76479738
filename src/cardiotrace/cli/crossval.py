"""cardiotrace crossval RECIPE."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.settings import settings
from cardiotrace.cli.terminal import Terminal
from cardiotrace.learning.training.run import Hardware
from cardiotrace.workflows.crossval import CrossvalConfig, crossval


@dataclass(frozen=True)
class Options:
    """Train and test every fold, by patient; finished folds are kept, an interrupted one goes on where it was."""

    recipe: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RECIPE")]]
    """A .toml file."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Folder of the runs; default: runs/<name of the recipe>."""
    folds: int = 10
    """Number of folds: the data set's own where it publishes as many, else made by patient."""
    only: tuple[int, ...] = ()
    """Run only these folds."""
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """Changes to the recipe, such as training.epochs=2."""
    cache: Path | None = None
    """Folder for packed data."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""


def run(options: Options) -> None:
    """Run the folds, print the scores of all testing parts together."""
    config = CrossvalConfig(
        recipe=options.recipe,
        data=options.data,
        out=options.out,
        folds=options.folds,
        only=options.only,
        overrides=settings(options.set),
        cache=options.cache,
        hardware=Hardware(options.accelerator),
    )
    with Terminal() as terminal:
        table = crossval(config, terminal)
    print_scores(table)
