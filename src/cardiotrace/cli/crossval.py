"""cardiotrace crossval RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.recipes import RecipeOptions
from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.evaluation.case_table import require_group


@dataclass(frozen=True, kw_only=True)
class CrossvalOptions(RecipeOptions):
    """Train and test every fold, by patient; finished folds are kept, an interrupted one goes on where it was."""

    folds: int = 10
    """Number of folds: the data set's own where it publishes as many, else made by patient."""
    only: tuple[int, ...] = ()
    """Run only these folds."""
    jobs: int = 1
    """Folds at a time, each in a process with its share of the processors."""
    by: str = "phase"
    """Group the scores by phase, fold, patient, or a group key such as quality or ef-class."""


def run(options: CrossvalOptions) -> None:
    """Run the folds, print the scores of all testing parts together."""
    from cardiotrace.learning.training.run import Hardware
    from cardiotrace.workflows.crossval import CrossvalConfig, crossval

    config = CrossvalConfig(
        folds=options.folds,
        only=options.only,
        jobs=options.jobs,
        **options.common,
        hardware=Hardware(options.accelerator),
    )
    with Terminal() as terminal:
        table = crossval(config, terminal)
    require_group(options.by, (row.groups for row in table.rows))
    print_scores(table, by=options.by)
