"""The runs of a sweep to tables, plots and one page that shows them together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.sweep import Rows, RunResult, compare_along, readable, result_rows, summary_rows
from cardiotrace.evaluation.table import TextFormat, to_text
from cardiotrace.io import write_text
from cardiotrace.learning.training.sweep import SweepPlan
from cardiotrace.report.sweep import Cell, Example, Runs, cell_of, draw_bars, draw_strips, draw_validation
from cardiotrace.workflows.sweep.job import JobResult

FORMATS: tuple[tuple[str, TextFormat], ...] = (("csv", "csv"), ("json", "json"), ("md", "markdown"))


@dataclass(frozen=True)
class SweepReport:
    """What came of a sweep."""

    folder: Path
    results: tuple[RunResult, ...]
    summary: Rows
    """One row for each variant."""
    comparisons: Rows
    """One row for each pair of values of an axis; empty where no patient was tested by both."""


def write_report(
    plan: SweepPlan, results: Sequence[JobResult], folder: Path, example: Callable[[], Example | None]
) -> SweepReport:
    """Write tables (CSV, JSON, Markdown), plots (PNG) and `sweep.md` into the folder of the runs.

    Args:
        plan: the sweep.
        results: of all its runs, in order.
        folder: where they lie.
        example: makes the image of the strips.

    Raises:
        WorkError: nothing can be written.
    """
    runs = [result.row for result in results]
    tables = {result.row.name: result.on_grid for result in results if result.on_grid is not None}
    report = SweepReport(folder, tuple(runs), summary_rows(runs), _comparisons(plan, runs, tables))
    for name, rows in (("runs", result_rows(runs)), ("summary", report.summary), ("comparisons", report.comparisons)):
        for ending, form in FORMATS:
            write_text(folder / f"{name}.{ending}", to_text(rows, form) if rows else "")
    _draw(plan, results, folder)
    if (shown := example()) is not None:
        draw_strips(shown, folder / "strips.png")
    write_text(folder / "sweep.md", page(plan, report))
    return report


def page(plan: SweepPlan, report: SweepReport) -> str:
    """The summary, the comparisons and the plots as one Markdown page."""
    seeds = ", ".join(map(str, plan.sweep.seeds))
    collapsed = sum(bool(item.collapse) for item in report.results)
    constant = float(np.mean([item.constant_dice for item in report.results]))
    parts = [
        f"# {plan.name}",
        f"{len(report.results)} runs, seeds {seeds}; {collapsed} collapsed. Scores of testing parts, mean ± standard"
        " deviation over runs, collapsed ones included: dice and jaccard on the network's grid, native ones on the"
        " images' own.",
        to_text(readable(report.summary), "markdown"),
        "A run has collapsed if a number became none, if it predicts the same everywhere, or if its best validation"
        f" Dice is at most {plan.sweep.collapse_margin:g} above that of the best constant answer, {constant:.3f} here.",
        "![Dice](dice.png)\n\n![Jaccard](jaccard.png)\n\n![Validation](validation.png)\n\n![Strips](strips.png)",
    ]
    if report.comparisons:
        parts += [
            "## Comparisons",
            "Dice on the network's grid, paired by patient, seed and fold: two-sided Wilcoxon signed-rank test,"
            " Holm's correction along each axis.",
            to_text(report.comparisons, "markdown"),
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _comparisons(plan: SweepPlan, results: Sequence[RunResult], tables: Mapping[str, CaseTable]) -> Rows:
    return [
        row
        for axis, values in plan.sweep.axes.items()
        if len(values.values) > 1
        for row in compare_along(tables, results, axis)
    ]


def _draw(plan: SweepPlan, results: Sequence[JobResult], folder: Path) -> None:
    constant = float(np.mean([result.row.constant_dice for result in results]))
    for score, word in (("dice", "Dice"), ("jaccard", "IoU")):
        marks = {**(plan.sweep.marks if score == "dice" else {}), "best constant answer": constant}
        if score == "jaccard":  # of one structure in one image it is Dice / (2 - Dice)
            marks = {name: value / (2 - value) for name, value in {**plan.sweep.marks, **marks}.items()}
        words = f"{word}, testing part, network's grid"
        draw_bars(_runs(results, score), folder / f"{score}.png", score=words, marks=marks)
    draw_validation(_runs(results, "dice"), folder / "validation.png")


def _runs(results: Sequence[JobResult], score: str) -> dict[Cell, Runs]:
    """The runs of each variant as the plots show them."""
    grouped: dict[Cell, list[JobResult]] = {}
    for result in results:
        grouped.setdefault(cell_of(result.row.settings), []).append(result)
    return {
        cell: Runs(
            values=[result.row.scores.get(score, 0.0) for result in group],
            collapsed=[bool(result.row.collapse) for result in group],
            curves=[result.curve for result in group],
        )
        for cell, group in grouped.items()
    }
