"""Tables of several methods side by side, and beside what is published."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.text import some
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.compare import Comparison, compare
from cardiotrace.evaluation.limits import DEFAULT, OutlierLimits, combined, preset
from cardiotrace.evaluation.published import PaperTable, Published, described, paper_tables, read_published
from cardiotrace.evaluation.selection import GroupFilter, select_rows
from cardiotrace.evaluation.table import (
    comparison_rows,
    outlier_rows,
    read_case_table,
    readable_comparisons,
    readable_outliers,
    to_text,
)
from cardiotrace.io import write_text
from cardiotrace.workflows.limits import named_limits

TABLES = ("testing.json", "validation.json")
"""Tables that a run folder may hold, the preferred one first."""
TITLE = "# Comparison"
TEST_WORDS = (
    "Two-sided Wilcoxon signed-rank tests, paired by patient; p of Holm is corrected for all comparisons made here."
)


@dataclass(frozen=True)
class CompareConfig:
    """Which methods, and what of them to compare."""

    runs: tuple[Path, ...]
    """Run folders or table files; a method is named after its folder or file."""
    scores: tuple[str, ...] = ("dice",)
    """What to test: names of scores, or "all"."""
    only: GroupFilter = field(default_factory=dict)
    """Groups to keep, by group key; empty keeps all."""
    limits: tuple[str, ...] = ()
    """What counts as an outlier: names of presets or models; empty takes what the tables brought with them."""
    published: str | None = None
    """Data set whose published scores are shown beside; a single run is enough then."""
    protocols: tuple[str, ...] = ()
    """Protocols of the published scores; empty shows all, each in tables of its own."""
    out: Path | None = None
    """Where the tables go as a page of Markdown."""


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
        InputError: one holds no table, they have nothing in common, or nothing is left of a group.
        WorkError: the page cannot be written.
    """
    if len(config.runs) < (1 if config.published else 2):
        raise UsageError("a comparison needs at least two runs", remedy="name run folders, or tables of cases.")
    if config.out is not None:
        require_replaceable(config.out, begins=(TITLE,), what="comparison")
    published = read_published(config.published) if config.published else None
    tables = {name: select_rows(table, config.only) for name, table in _read(config.runs).items()}
    limits = named_limits(config.limits) or combined(table.limits or preset(DEFAULT) for table in tables.values())
    papers = paper_tables(published, tables, limits, protocols=config.protocols) if published else []
    done = MethodComparison(
        tables,
        compare(tables, score=config.scores) if len(tables) > 1 else (),
        limits,
        [{"method": name, **row} for name, table in tables.items() for row in outlier_rows(table, limits)],
        published,
        tuple(papers),
    )
    if config.out is not None:
        write_text(config.out, page(done))
    return done


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
    if compared.outliers:
        parts += ["## Outliers", to_text(readable_outliers(compared.outliers), "markdown")]
    if compared.comparisons:
        parts += [
            "## Tests",
            TEST_WORDS,
            to_text(readable_comparisons(comparison_rows(compared.comparisons)), "markdown"),
        ]
    if compared.published is not None:
        used = {row["source"].removeprefix("published, ") for item in compared.papers for row in item.rows}
        sources = [f"- {key}: {text}" for key, text in compared.published.sources.items() if key in used]
        parts += ["## Sources", "\n".join(sources)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _read(paths: Sequence[Path]) -> dict[str, CaseTable]:
    tables: dict[str, CaseTable] = {}
    for path in paths:
        file = path if path.is_file() else _table_in(path)
        name = path.stem if path.is_file() else path.resolve().name
        tables[name if name not in tables else str(path)] = read_case_table(file)
    return tables


def _table_in(folder: Path) -> Path:
    for name in TABLES:
        if (folder / name).exists():
            return folder / name
    raise InputError("holds no table of cases", where=folder, remedy="export the run, or evaluate with --out.")
