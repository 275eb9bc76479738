"""cardiotrace compare RUN RUN..."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from cardiotrace.cli.output import say
from cardiotrace.cli.scores import print_rows
from cardiotrace.cli.settings import groups
from cardiotrace.evaluation.table import comparison_rows, to_text
from cardiotrace.workflows.compare import CompareConfig, Compared, compare_runs


@dataclass(frozen=True)
class Options:
    """Compare methods on the patients they have in common: paired Wilcoxon tests with Holm's correction."""

    runs: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN...")]]
    """Run folders, or tables that `evaluate --out FILE.json` wrote."""
    score: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SCORE...")] = ("dice",)
    """What to test: dice, hausdorff_mm, mean_absolute_mm, ..., or all; the correction spans everything tested."""
    only: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=GROUP,...")] = ()
    """Keep some groups only, such as quality=good,medium."""
    published: str | None = None
    """Show the runs beside the published scores of a data set (camus); a single run is enough then."""
    protocol: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME...")] = ()
    """Published scores of these protocols only, such as ten-folds or official-test."""
    limits: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME...")] = ()
    """What counts as an outlier, the same for all runs: names of limits or models; default: what the runs brought."""
    out: Path | None = None
    """Write everything to a page of Markdown."""
    json: bool = False
    """Print as JSON."""


def run(options: Options) -> None:
    """Compare and print."""
    done = compare_runs(
        CompareConfig(
            runs=options.runs,
            scores=options.score,
            only=groups(options.only),
            limits=options.limits,
            published=options.published,
            protocols=options.protocol,
            out=options.out,
        )
    )
    if not options.json:
        _print(done)
    elif options.published is None:
        say(to_text(comparison_rows(done.comparisons), "json"), end="")
    else:
        papers = [{"title": item.title, "rows": item.rows} for item in done.papers]
        say(json.dumps({"notes": done.notes, "tables": papers}, indent=2, ensure_ascii=False))


def _print(done: Compared) -> None:
    for item in done.papers:
        print_rows(item.rows, title=item.title)
    print_rows(comparison_rows(done.comparisons))
    print_rows(done.outliers, title="outliers")
    for note in done.notes:
        say(note)
