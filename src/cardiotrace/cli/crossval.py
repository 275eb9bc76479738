"""cardiotrace crossval RECIPE."""

from dataclasses import dataclass

from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import Terminal, table
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

    if options.leave_one_out is not None:
        _leave_one_out(options, options.leave_one_out.replace("-", "_"))
        return
    with Terminal() as terminal:
        scored = crossval(options, terminal)
    require_group(options.by, (row.groups for row in scored.rows))
    print_scores(scored, by=options.by)


def _leave_one_out(options: CrossvalOptions, key: str) -> None:
    """Run once for each domain, print what each loses by being new."""
    from cardiotrace.workflows.leave_one_out import drop_rows, leave_one_out

    with Terminal() as terminal:
        result = leave_one_out(options, key, terminal)
    print_scores(result.table, by=key)
    table(drop_rows(result), title=f"each {key} left out in turn", keys=2)
