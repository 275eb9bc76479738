"""Print a table of cases as papers do."""

import sys

from cardiotrace.cli.terminal import table
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.table import ejection_rows, headline_rows


def print_scores(scored: CaseTable, *, by: str = "phase", of: str = "") -> None:
    """Scores of each region over all cases and by group, agreement of the ejection fraction, and problems.

    Args:
        scored: the table.
        by: how to group.
        of: whose scores they are, where that must be said.
    """
    words = "mean ± standard deviation"
    if any(score.endswith("_mm") for score in scored.headline()):
        words += "; distances in mm, inf or missing structures counted"
    for group in dict.fromkeys(("all", by)):
        rows = headline_rows(scored, by=group)
        table(list(rows[0]), rows, title=f"{of}: {words}" if of else words)
    agreement = ejection_rows(scored)
    if agreement:
        table(list(agreement[0]), agreement, title="ejection fraction, percent")
    print_problems(scored)


def print_problems(scored: CaseTable) -> None:
    """What could not be scored, on standard error."""
    if scored.problems:
        print(f"cardiotrace: {len(scored.problems)} could not be scored:", file=sys.stderr)
    for problem in scored.problems:
        print(f"  {problem}", file=sys.stderr)
