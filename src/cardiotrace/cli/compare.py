"""cardiotrace compare RUN RUN..."""

import json
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.output import say
from cardiotrace.cli.scores import score_head
from cardiotrace.cli.terminal import print_text, table
from cardiotrace.evaluation.table import comparison_rows, readable_comparisons, readable_gap, readable_outliers, to_text
from cardiotrace.workflows.compare import GAP_WORDS, TEST_WORDS, CompareConfig, MethodComparison, compare_runs

_HEADS = {
    "count": "patients",
    "left_out": "left out",
    "first_mean": "first",
    "second_mean": "second",
    "mean_difference": "difference",
    "p_value": "p",
    "p_holm": "p (Holm)",
}
"""What columns of tests are called."""


@dataclass(frozen=True)
class CompareOptions(CompareConfig):
    """Compare methods on the patients they have in common: paired Wilcoxon tests with Holm's correction."""

    json: bool = False
    """Print as JSON."""


def run(options: CompareOptions) -> None:
    """Compare and print."""
    done = compare_runs(options)
    if not options.json:
        _print(done)
    elif options.published is None:
        say(to_text(comparison_rows(done.comparisons), "json"), end="")
    else:
        papers = [{"title": item.title, "rows": item.rows} for item in done.papers]
        say(json.dumps({"notes": done.notes, "tables": papers}, indent=2, ensure_ascii=False))


def _print(done: MethodComparison) -> None:
    for item in done.papers:
        table(item.rows, title=item.title)
    table(readable_gap(done.gap), title=GAP_WORDS)
    _print_tests(done)
    table(readable_outliers(done.outliers), title="outliers", keys=2)
    for note in done.notes:
        print_text(note)


def _print_tests(done: MethodComparison) -> None:
    """One table for each pair of methods: their names are too long to stand in every row."""
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in readable_comparisons(comparison_rows(done.comparisons)):
        cells = {_HEADS.get(key, key): value for key, value in row.items() if key not in ("first", "second")}
        cells["score"] = score_head(row["score"])
        pairs.setdefault((row["first"], row["second"]), []).append(cells)
    for (first, second), rows in pairs.items():
        table(rows, title=f"{first} (first) and {second} (second), first minus second", keys=2)
    if pairs:
        print_text(TEST_WORDS)
