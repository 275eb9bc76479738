"""Tables of several methods side by side, and beside what is published."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.text import some
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.compare import Comparison, compare
from cardiotrace.evaluation.gap import GapRow, gap_rows
from cardiotrace.evaluation.limits import DEFAULT, OutlierLimits, combined, preset
from cardiotrace.evaluation.published import PaperTable, Published, described, paper_tables, read_published
from cardiotrace.evaluation.selection import GroupFilter, select_rows
from cardiotrace.evaluation.table import (
    comparison_rows,
    outlier_rows,
    read_case_table,
    readable_comparisons,
    readable_gap,
    readable_outliers,
    to_text,
)
from cardiotrace.io import write_text
from cardiotrace.metrics import short_name
from cardiotrace.workflows.services.limits import named_limits

TABLES = ("testing.json", "validation.json")
"""Tables that a run folder may hold, the preferred one first."""
TITLE = "# Comparison"
TEST_WORDS = (
    "Two-sided Wilcoxon signed-rank tests, paired by patient; p of Holm is corrected for all comparisons made here."
)

GAP_WORDS = (
    "Dice by patient over all regions and seeds; gain over the source alone, and its share of what labels of the"
    " targets gain; 95 % intervals, patients drawn anew."
)


@dataclass(frozen=True)
class CompareConfig:
    """Which methods, and what of them to compare."""

    runs: tuple[Path, ...]
    """Run folders, or tables that `evaluate --out FILE.json` wrote; a method is named after its folder or file."""
    scores: tuple[str, ...] = ("dice",)
    """What to test: dice, hausdorff_mm, mean_absolute_mm, ..., or all; the correction spans everything tested."""
    only: GroupFilter = field(default_factory=dict)
    """Keep some groups only, such as quality=good,medium."""
    published: str | None = None
    """Show the runs beside the published scores of a data set (acdc, camus, mnms2); a single run is enough then."""
    protocols: tuple[str, ...] = ()
    """Published scores of these protocols only, such as ten-folds or official-test."""
    limits: tuple[str, ...] = ()
    """What counts as an outlier, the same for all runs: names of limits or models; default: what the runs brought."""
    group: str = "pathology"
    """Of models that were adapted: group key of the worst group, such as vendor or quality."""
    out: Path | None = None
    """Write everything to a page of Markdown."""


@dataclass(frozen=True)
class MethodComparison:
    """What came of a comparison."""

    tables: Mapping[str, CaseTable]
    comparisons: tuple[Comparison, ...]
    limits: OutlierLimits
    """The same for all methods."""
    outliers: list[dict[str, Any]]
    """One row for each method and phase; empty where the limits say nothing of the tables."""
    published: Published | None
    papers: tuple[PaperTable, ...]
    """Published and measured scores, protocol by protocol."""
    gap: tuple[GapRow, ...] = ()
    """What adaptation is worth, where the runs are of adapted models and one of the source alone."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Which cases each method was scored on, and what else must be known to read the tables."""
        about = [f"{name}: {described(table)}" for name, table in self.tables.items()]
        about += [line for pair in itertools.combinations(self.tables.items(), 2) for line in _apart(*pair)]
        if self.outliers:
            about.append(f"outliers by the limits of {self.limits.name}")
        return (*about, *([self.published.remark] if self.published and self.published.remark else []))


def compare_runs(config: CompareConfig) -> MethodComparison:
    """Compare every pair of methods, count their outliers by the same limits, show them beside published ones.

    Raises:
        UsageError: fewer than two runs without published scores to set them against, or another file in the page's
            place.
        InputError: one holds no table or a score that cannot be, they have nothing in common, or nothing is left of a
            group.
        WorkError: the page cannot be written.
    """
    if len(config.runs) < (1 if config.published else 2):
        raise UsageError("a comparison needs at least two runs", remedy="name run folders, or tables of cases.")
    if config.out is not None:
        require_replaceable(config.out, begins=(TITLE,), what="comparison")
    published = read_published(config.published) if config.published else None
    tables = {name: select_rows(table, config.only) for name, table in _read(config.runs).items()}
    done = _compared(config, tables, published)
    if config.out is not None:
        write_text(config.out, page(done))
    return done


def _compared(config: CompareConfig, tables: Mapping[str, CaseTable], published: Published | None) -> MethodComparison:
    limits = named_limits(config.limits) or combined(table.limits or preset(DEFAULT) for table in tables.values())
    papers = paper_tables(published, tables, limits, protocols=config.protocols) if published else []
    tests = compare(tables, score=config.scores) if len(tables) > 1 else ()
    outliers = [{"method": name, **row} for name, table in tables.items() for row in outlier_rows(table, limits)]
    gap = gap_rows(tables, by=config.group)
    return MethodComparison(tables, tests, limits, outliers, published, tuple(papers), gap)


def _apart(first: tuple[str, CaseTable], second: tuple[str, CaseTable]) -> Iterator[str]:
    """What two tables cannot be compared on, as only one of them has it: who could not be scored may be hardest."""
    for (name, table), (other, beside) in ((first, second), (second, first)):
        images = {(row.patient, row.case, row.frame) for row in beside.rows}
        alone = sorted({row.case for row in table.rows if (row.patient, row.case, row.frame) not in images})
        if alone:
            yield f"left out, as {other} has no scores of them: {len(alone)} images of {name} ({some(alone)})"
        regions = [region for region in table.regions if region not in beside.regions]
        if regions:
            yield f"left out, as {other} does not tell of them: {', '.join(regions)} of {name}"


def page(compared: MethodComparison) -> str:
    """Everything as Markdown."""
    parts = [TITLE, "\n".join(f"- {note}" for note in compared.notes)]
    for item in compared.papers:
        parts += [f"## {item.title[:1].upper()}{item.title[1:]}", to_text(item.rows, "markdown")]
    if compared.gap:
        parts += ["## Adaptation", GAP_WORDS, to_text(readable_gap(compared.gap), "markdown")]
    if compared.outliers:
        parts += ["## Outliers", to_text(readable_outliers(compared.outliers), "markdown")]
    if compared.comparisons:
        tests = readable_comparisons(comparison_rows(compared.comparisons))
        parts += ["## Tests", TEST_WORDS, to_text(tests, "markdown")]
    if compared.published is not None:
        parts += ["## Sources", "\n".join(_sources(compared.published, compared.papers))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sources(published: Published, papers: Sequence[PaperTable]) -> Iterator[str]:
    """The papers that a row of the tables is from."""
    used = {row["source"].removeprefix("published, ") for item in papers for row in item.rows}
    yield from (f"- {key}: {text}" for key, text in published.sources.items() if key in used)


def _read(paths: Sequence[Path]) -> dict[str, CaseTable]:
    tables: dict[str, CaseTable] = {}
    for path in paths:
        file = path if path.is_file() else _table_in(path)
        name = path.stem if path.is_file() else path.resolve().name
        table = read_case_table(file)
        _require_possible(table, file)
        tables[name if name not in tables else str(path)] = table
    return tables


_LARGEST = dict.fromkeys(
    ("dice", "jaccard", "precision", "recall", "specificity", "accuracy", "roc_auc", "average_precision", "cldice"), 1.0
)
"""Scores that are fractions; distances may be infinite, and shapes of pixels be rounder than a circle."""
_ROUNDING = 1e-6


def _require_possible(table: CaseTable, file: Path) -> None:
    """Refuse a score that no prediction has: a mean over it would look like any other.

    Raises:
        InputError: naming the first one.
    """
    for row in table.rows:
        for name, value in row.scores.items():
            largest = _LARGEST.get(name, math.inf)
            if not math.isnan(value) and not -_ROUNDING <= value <= largest + _ROUNDING:
                span = "at least 0" if largest == math.inf else f"0 to {largest:g}"
                raise InputError(
                    f"{row.case}, {row.region}: a {short_name(name)} of {value:g} cannot be, it is {span}", where=file
                )


def _table_in(folder: Path) -> Path:
    for name in TABLES:
        if (folder / name).exists():
            return folder / name
    raise InputError("holds no table of cases", where=folder, remedy="export the run, or evaluate with --out.")
