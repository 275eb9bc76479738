"""cardiotrace train RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.configs import TrainConfig


@dataclass(frozen=True, kw_only=True)
class TrainOptions(TrainConfig):
    """Train a network as a recipe says; the run folder ends with a sealed, scored model."""


def run(options: TrainOptions) -> None:
    """Train, then export and score the model."""
    from cardiotrace.workflows.train import train_model

    with Terminal() as terminal:
        model = train_model(options, terminal)
    # Further processes of a distributed run have nothing left to do; where nobody validates, nothing was scored.
    if model is not None and model.validation.rows:
        print_scores(model.validation)
