"""The runs of a sweep to tables, plots and one page that shows them together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.sweep import Rows, RunResult, compare_along, readable, result_rows, variant_rows
from cardiotrace.evaluation.table import TextFormat, read_case_table, to_text
from cardiotrace.io import write_text
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.sweep import SweepPlan
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.report.sweep import Cell, Example, Runs, cell_of, draw_bars, draw_strips, draw_validation
from cardiotrace.workflows.sweep.job import GRID

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


def write_sweep_report(
    plan: SweepPlan, results: Sequence[RunResult], folder: Path, example: Callable[[], Example | None]
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
    tables = {item.name: read_case_table(path) for item in results if (path := _grid_table(folder, item)).exists()}
    comparisons = _comparisons(plan, results, tables)
    report = SweepReport(folder, tuple(results), variant_rows(results), comparisons)
    for name, rows in (("runs", result_rows(results)), ("summary", report.summary), ("comparisons", comparisons)):
        for ending, form in FORMATS:
            write_text(folder / f"{name}.{ending}", to_text(rows, form) if rows else "")
    _draw(plan, report, example)
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


def _grid_table(folder: Path, result: RunResult) -> Path:
    return folder / result.name / GRID


def _comparisons(plan: SweepPlan, results: Sequence[RunResult], tables: Mapping[str, CaseTable]) -> Rows:
    return [
        row
        for axis, values in plan.sweep.axes.items()
        if len(values.values) > 1
        for row in compare_along(tables, results, axis)
    ]


def _draw(plan: SweepPlan, report: SweepReport, example: Callable[[], Example | None]) -> None:
    constant = float(np.mean([item.constant_dice for item in report.results]))
    for score, word in (("dice", "Dice"), ("jaccard", "IoU")):
        marks = {**(plan.sweep.marks if score == "dice" else {}), "best constant answer": constant}
        if score == "jaccard":
            marks = {name: value / (2 - value) for name, value in {**plan.sweep.marks, **marks}.items()}
        words = f"{word}, testing part, network's grid"
        draw_bars(_runs(report, score), report.folder / f"{score}.png", score=words, marks=marks)
    draw_validation(_runs(report, "dice"), report.folder / "validation.png")
    shown = example()
    if shown is not None:
        draw_strips(shown, report.folder / "strips.png")


def _runs(report: SweepReport, score: str) -> dict[Cell, Runs]:
    grouped: dict[Cell, list[RunResult]] = {}
    for item in report.results:
        grouped.setdefault(cell_of(item.settings), []).append(item)
    return {
        cell: Runs(
            values=[item.scores.get(score, 0.0) for item in items],
            collapsed=[bool(item.collapse) for item in items],
            curves=[_curve(report.folder / item.name) for item in items],
        )
        for cell, items in grouped.items()
    }


def _curve(folder: Path) -> list[float]:
    return [float(row["score"]) for row in TrainingLog(RunFolder(folder).journal).rows()]
