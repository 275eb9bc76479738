"""A recipe with a `[sweep]` in; a run folder for each combination and seed, tables and figures out."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.evaluation.sweep import collapse_of
from cardiotrace.learning.allocator import keep_freed_memory
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.sweep import SweepPlan, read_plan
from cardiotrace.parallel import make_executor
from cardiotrace.workflows.configs import SweepConfig
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.sweep.example import first_image
from cardiotrace.workflows.sweep.job import (
    Job,
    JobResult,
    finish_run,
    kept_result,
    result_line,
    split_of_run,
)
from cardiotrace.workflows.sweep.report import SweepReport, write_sweep_report


def run_sweep(config: SweepConfig, reporter: ProgressReporter = SILENT) -> SweepReport:
    """Train and test every combination with every seed; runs that are finished already are not run again.

    Args:
        config: which sweep, on what, how many runs at a time.
        reporter: told of progress, also of runs in other processes.

    Returns:
        Tables of runs, variants and comparisons; they and the figures are written into the folder of the runs.

    Raises:
        UsageError: the folder holds runs of another sweep.
        ConfigError: a combination is no valid recipe.
        InputError: the data cannot be used.
        WorkError: nothing can be written.
    """
    plan, opener = read_plan(config.recipe, config.overrides), DataOpener(config.data, config.cache)
    out = config.out or Path("runs") / plan.name
    jobs = [Job(run, RunFolder(out / run.name), config.hardware) for run in plan.runs]
    results = {str(job): kept for job in jobs if (kept := kept_result(job)) is not None}
    if results:
        reporter.say(f"{len(results)} of {len(jobs)} runs are finished already")
    waiting = [job for job in jobs if str(job) not in results]
    _pack_all(waiting, opener, reporter)
    executor = make_executor(config.jobs, initialiser=keep_freed_memory)
    with reporter.stage(f"sweep {plan.name}") as on_progress:
        on_progress(len(results), len(jobs))
        for result in executor.map_unordered(partial(finish_run, opener=opener), waiting, reporter):
            results[result.row.name] = result
            on_progress(len(results), len(jobs))
            reporter.say(result_line(_with_verdict(result, plan).row))
    return _report(plan, [results[str(job)] for job in jobs], jobs, out, opener)


def _report(
    plan: SweepPlan, results: Sequence[JobResult], jobs: Sequence[Job], out: Path, opener: DataOpener
) -> SweepReport:
    """Verdicts, tables and figures; the strips show the runs of the first seed."""
    with_verdicts = [_with_verdict(result, plan) for result in results]
    imaged = [job for job in jobs if job.run.seed == plan.sweep.seeds[0]]
    return write_sweep_report(plan, with_verdicts, out, partial(first_image, imaged, opener))


def _with_verdict(result: JobResult, plan: SweepPlan) -> JobResult:
    """The result with the verdict on its collapse that the sweep's own margin gives."""
    row = result.row
    verdict = collapse_of(
        validation_dice=row.validation_dice,
        constant_dice=row.constant_dice,
        margin=plan.sweep.collapse_margin,
        shares=(row.lowest_share, row.highest_share),
        is_diverged=row.is_diverged,
    )
    return dataclasses.replace(result, row=dataclasses.replace(row, collapse=verdict))


def _pack_all(jobs: Sequence[Job], opener: DataOpener, reporter: ProgressReporter) -> None:
    """Make every cache before processes look for them at the same time; refuse what has no split."""
    for job in jobs:
        recipe = job.run.recipe
        split_of_run(job.run, opener.dataset(recipe.data.dataset))
        opener.packed(recipe, reporter)
