"""cardiotrace compare RUN RUN..."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from cardiotrace.cli.terminal import table
from cardiotrace.evaluation.table import comparison_rows, to_text
from cardiotrace.workflows.compare import compare_runs


@dataclass(frozen=True)
class Options:
    """Compare methods on the patients they have in common: paired Wilcoxon tests with Holm's correction."""

    runs: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN...")]]
    """Run folders, or tables that `evaluate --out FILE.json` wrote."""
    score: str = "dice"
    """dice, hausdorff_mm, mean_absolute_mm, ..."""
    json: bool = False
    """Print as JSON."""


def run(options: Options) -> None:
    """Compare and print."""
    rows = comparison_rows(compare_runs(options.runs, score=options.score))
    if options.json:
        print(to_text(rows, "json"), end="")
    else:
        table(list(rows[0]), rows)
