"""cardiotrace train RECIPE."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.cli.recipes import RecipeOptions
from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RecipeOptions):
    """Train a network as a recipe says; the run folder ends with a sealed, scored model."""

    fold: int | None = None
    """Fold to hold out, from 1."""
    resume: bool = False
    """Continue the run in the folder."""
    start_from: Path | None = None
    """Folder of a finished run of the same network: its best weights are the first ones of this run."""
    processes: int = 1
    """Devices, or processes on the CPU, to train with in parallel."""


def run(options: TrainOptions) -> None:
    """Train, then export and score the model."""
    from cardiotrace.learning.training.run import Hardware
    from cardiotrace.workflows.train import TrainConfig, train_model

    config = TrainConfig(
        fold=options.fold,
        resume=options.resume,
        start_from=options.start_from,
        **options.common,
        hardware=Hardware(options.accelerator, options.processes),
    )
    with Terminal() as terminal:
        model = train_model(config, terminal)
    if model is not None:  # further processes of a distributed run have nothing left to do
        print_scores(model.validation)
