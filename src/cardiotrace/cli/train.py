"""cardiotrace train RECIPE."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.settings import settings
from cardiotrace.cli.terminal import Terminal
from cardiotrace.learning.training.run import Hardware
from cardiotrace.workflows.export import ExportConfig, export_run
from cardiotrace.workflows.train import TrainConfig, run_training


@dataclass(frozen=True)
class Options:
    """Train a network as a recipe says; the run folder ends with a sealed, scored model."""

    recipe: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RECIPE")]]
    """A .toml file, such as recipes/camus-unet1.toml."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Run folder; default: runs/<name of the recipe>."""
    fold: int | None = None
    """Fold to hold out, from 1."""
    resume: bool = False
    """Continue the run in the folder."""
    start_from: Path | None = None
    """Folder of a finished run of the same network: its best weights are the first ones of this run."""
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """Changes to the recipe, such as training.epochs=2."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    processes: int = 1
    """Devices, or processes on the CPU, to train with in parallel."""


def run(options: Options) -> None:
    """Train, then export and score the model."""
    config = TrainConfig(
        recipe=options.recipe,
        data=options.data,
        out=options.out,
        fold=options.fold,
        resume=options.resume,
        start_from=options.start_from,
        overrides=settings(options.set),
        cache=options.cache,
        hardware=Hardware(options.accelerator, options.processes),
    )
    with Terminal() as terminal:
        folder = run_training(config, terminal)
        if folder is not None:  # further processes of a distributed run have nothing left to do
            result = export_run(ExportConfig(folder.path, options.data, cache=options.cache), terminal)
    if folder is not None:
        print_scores(result.validation)
