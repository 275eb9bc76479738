"""cardiotrace crossval RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.evaluation.case_table import require_group
from cardiotrace.workflows.configs import CrossvalConfig


@dataclass(frozen=True, kw_only=True)
class CrossvalOptions(CrossvalConfig):
    """Train and test every fold, by patient; finished folds are kept, an interrupted one goes on where it was."""

    by: str = "phase"
    """Group the scores by phase, fold, patient, or a group key such as quality or ef-class."""


def run(options: CrossvalOptions) -> None:
    """Run the folds, print the scores of all testing parts together."""
    from cardiotrace.workflows.crossval import crossval

    with Terminal() as terminal:
        table = crossval(options, terminal)
    require_group(options.by, (row.groups for row in table.rows))
    print_scores(table, by=options.by)
