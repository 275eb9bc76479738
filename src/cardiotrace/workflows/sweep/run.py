"""A recipe with a `[sweep]` in; a run folder for each combination and seed, tables and figures out."""

import dataclasses
import json
from functools import partial
from pathlib import Path

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import UsageError
from cardiotrace.evaluation.sweep import RunResult, collapse_of
from cardiotrace.learning.training.sweep import SweepPlan, read_plan
from cardiotrace.workflows.processes import in_processes
from cardiotrace.workflows.services.dataset import open_dataset, pack
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter
from cardiotrace.workflows.sweep.example import first_image
from cardiotrace.workflows.sweep.job import Job, SweepConfig, finish_run, read_result, result_line, split_of_run
from cardiotrace.workflows.sweep.report import SweepReport, write_report


def run_sweep(config: SweepConfig, watch: ProgressReporter = SILENT) -> SweepReport:
    """Train and test every combination with every seed; runs that are finished already are not run again.

    Returns:
        Tables of runs, variants and comparisons; they and the figures are written into the folder of the runs.

    Raises:
        UsageError: the folder holds runs of another sweep, or `jobs` is below 1.
        ConfigError: a combination is no valid recipe.
        InputError: the data cannot be used.
        WorkError: nothing can be written.
    """
    if config.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {config.jobs}")
    plan = read_plan(config.recipe, config.overrides)
    out = config.out or Path("runs") / plan.name
    jobs = [Job(run, out / run.name, config) for run in plan.runs]
    results = {job.run.name: finished for job in jobs if (finished := read_result(job)) is not None}
    waiting = [job for job in jobs if job.run.name not in results]
    if results:
        watch.say(f"{len(results)} of {len(jobs)} runs are finished already")
    _pack_all(waiting, watch)
    with watch.stage(f"sweep {plan.name}") as tick:
        tick(len(results), len(jobs))
        for result in in_processes(finish_run, waiting, jobs=config.jobs):
            results[result.name] = result
            tick(len(results), len(jobs))
            watch.say(result_line(_judged(result, plan)))
    judged = [_judged(results[run.name], plan) for run in plan.runs]
    imaged = [job for job in jobs if job.run.seed == plan.sweep.seeds[0]]
    return write_report(plan, judged, out, partial(first_image, imaged))


def _judged(result: RunResult, plan: SweepPlan) -> RunResult:
    """The result with the verdict that the sweep's own margin gives."""
    verdict = collapse_of(
        validation_dice=result.validation_dice,
        constant_dice=result.constant_dice,
        margin=plan.sweep.collapse_margin,
        shares=(result.lowest_share, result.highest_share),
        is_diverged=result.is_diverged,
    )
    return dataclasses.replace(result, collapse=verdict)


def _pack_all(jobs: list[Job], watch: ProgressReporter) -> None:
    """Make every cache before processes look for them at the same time."""
    seen = set()
    for job in jobs:
        recipe = job.run.recipe
        key = json.dumps([to_plain(recipe.data.dataset), to_plain(recipe.preprocessing)], sort_keys=True)
        if key not in seen:
            seen.add(key)
            dataset = open_dataset(recipe.data.dataset, job.config.data)
            split_of_run(job.run, dataset)
            pack(dataset, recipe.preprocessing, cache=job.config.cache, watch=watch)
