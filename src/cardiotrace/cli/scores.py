"""Print a table of cases as papers do."""

from cardiotrace.cli.output import complain
from cardiotrace.cli.terminal import table
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.outlier import limited_regions
from cardiotrace.evaluation.table import Rows, ejection_rows, headline_rows, outlier_rows, volume_rows


def print_scores(scored: CaseTable, *, by: str = "phase", of: str = "") -> None:
    """Scores of each region over all cases and by group, outliers, agreement of EF and volumes, and problems.

    Args:
        scored: the table.
        by: how to group.
        of: whose scores they are, where that must be said.
    """
    words = "mean ± standard deviation [95 % interval of the mean, by patient]"
    if any(score.endswith("_mm") for score in scored.headline()):
        words += "; distances in mm, inf or missing structures counted"
    for group in dict.fromkeys(("all", by)):
        rows = headline_rows(scored, by=group)
        table(list(rows[0]), rows, title=f"{of}: {words}" if of else words)
    _print_outliers(scored, by=by)
    print_rows(ejection_rows(scored), title="ejection fraction, percent")
    print_rows(volume_rows(scored), title="left ventricle, ml, against the reference labels")
    print_problems(scored)


def _print_outliers(scored: CaseTable, *, by: str) -> None:
    if scored.limits is not None:
        limits = scored.limits
        judged = limited_regions(scored, limits)
        unjudged = sorted((limits.distances.keys() | limits.shapes.keys()) - set(judged))
        regions = f"({', '.join(judged)}{'; not in this table: ' + ', '.join(unjudged) if unjudged else ''})"
        print_rows(outlier_rows(scored, by=by), title=f"outliers by the limits of {limits.name} {regions}")


def print_rows(rows: Rows, *, title: str = "") -> None:
    """Print a table, or nothing where there are no rows."""
    if rows:
        table(list(rows[0]), rows, title=title)


def print_problems(scored: CaseTable) -> None:
    """What could not be scored and what speaks against the labels, on standard error."""
    for note in scored.notes:
        complain(f"cardiotrace: {note}")
    if scored.problems:
        complain(f"cardiotrace: {len(scored.problems)} could not be scored:")
    for problem in scored.problems:
        complain(f"  {problem}")
