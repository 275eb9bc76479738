"""cardiotrace adapt METHOD RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.configs import AdaptConfig


@dataclass(frozen=True, kw_only=True)
class AdaptOptions(AdaptConfig):
    """Train a network for domains whose labels it never sees, as the table [adaptation] of a recipe says."""


def run(options: AdaptOptions) -> None:
    """Adapt, then print the scores on the targets' testing patients."""
    from cardiotrace.workflows.adapt import adapt_model

    with Terminal() as terminal:
        model = adapt_model(options, terminal)
    # Further processes of a distributed run have nothing left to do; where nobody has labels, nothing was scored.
    for table in () if model is None else (model.validation, model.testing):
        if table.rows:
            print_scores(table)
