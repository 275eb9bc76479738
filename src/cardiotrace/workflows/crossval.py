"""Every fold of a data set: trained, exported, and scored on the patients it never saw."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.limits import combined
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.io import write_text
from cardiotrace.learning.allocator import keep_freed_memory
from cardiotrace.learning.training.folder import RunFolder, check_folder
from cardiotrace.learning.training.recipe import Recipe, read_recipe
from cardiotrace.learning.training.run import InitialWeights, finished_weights
from cardiotrace.parallel import make_executor
from cardiotrace.workflows.configs import CrossvalConfig
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.services.dataset import K_FOLD, cases_of
from cardiotrace.workflows.train import (
    PlannedRun,
    require_unseen,
    sealed_and_scored,
    split_of_recipe,
    train_planned,
    trained_elsewhere,
)


@dataclass(frozen=True)
class Fold:
    """One fold and all that a process needs for it."""

    number: int
    run: PlannedRun
    name: str = ""
    """What it is called where it is none of several folds by patient, such as "without vendor Siemens"."""

    def __str__(self) -> str:
        return self.name or f"fold {self.number}"


@dataclass(frozen=True)
class FoldResult:
    """What came of a fold."""

    number: int
    testing: CaseTable
    """The patients that its model never saw."""
    model: Path
    name: str = ""
    """That of the fold."""


def crossval(config: CrossvalConfig, reporter: ProgressReporter = SILENT) -> CaseTable:
    """Train fold by fold; folds that are finished already are not trained again.

    Folds are the data set's own where it publishes as many, else made by patient. A published fold whose testing
    patients are not at hand is left out.

    Args:
        config: which recipe, on what, how many folds.
        reporter: told of progress, also of folds in other processes.

    Returns:
        The cases of the testing parts of all finished folds together, also written to `testing.json`.

    Raises:
        ConfigError: the recipe is wrong.
        UsageError: a folder holds a fold of another recipe or of other patients.
        InputError: the data cannot be used.
        WorkError: a training diverged, or nothing can be written.
    """
    opener = DataOpener(config.data, config.cache)
    plan = plan_folds(config, opener, reporter)
    wanted = {fold.number for fold in plan.folds if config.wants(fold.number)}
    ordered = finished_folds(plan, wanted, config.jobs, opener, reporter)
    together = _together(ordered, plan.recipe.name, plan.dataset.name)
    write_text(RunFolder(plan.out).testing, table_to_json(together))
    return together


@dataclass(frozen=True)
class FoldPlan:
    """A cross-validation, decided in full."""

    recipe: Recipe
    dataset: Dataset
    out: Path
    folds: tuple[Fold, ...]
    """All with somebody to test, also those that are not to be run now."""


def plan_folds(config: CrossvalConfig, opener: DataOpener, reporter: ProgressReporter = SILENT) -> FoldPlan:
    """Read all that the folds depend on; nothing is packed or written yet.

    Args:
        config: which recipe, on what, how many folds.
        opener: of the data.
        reporter: told of folds that are left out.

    Raises:
        CardioTraceError: see `crossval`.
    """
    recipe = read_recipe(config.recipe, config.overrides)
    dataset = opener.dataset(recipe.data.dataset)
    if not _publishes(dataset, config.folds):
        overrides = {**config.overrides, "data.split": K_FOLD, "data.folds": config.folds}
        recipe = read_recipe(config.recipe, overrides)
    out = config.out or Path("runs") / recipe.name
    folds = []
    for number in range(1, config.folds + 1):
        split = split_of_recipe(recipe, dataset, number)
        if split.testing:
            start = None if config.start_from is None else weights_of_fold(config.start_from, number, split)
            run = PlannedRun(recipe, split, RunFolder(out / f"fold-{number}"), number, start, True, config.hardware)
            folds.append(checked_fold(Fold(number, run)))
        elif config.wants(number):
            reporter.say(f"fold {number} is left out: none of its testing patients is in the data")
    if not any(config.wants(fold.number) for fold in folds):
        raise InputError("no fold has a testing patient in the data", where=dataset.root)
    return FoldPlan(recipe, dataset, out, tuple(folds))


def weights_of_fold(runs: Path, number: int, split: Split) -> InitialWeights:
    """The weights of another cross-validation's fold, which none of this fold's testing patients has taught.

    Raises:
        InputError: no such fold is finished, or it learned from a patient who is tested here.
    """
    folder = RunFolder(runs / f"fold-{number}")
    weights = finished_weights(folder)
    require_unseen(folder, split.testing)
    return weights


def checked_fold(fold: Fold) -> Fold:
    """The fold itself, if it may be trained: a folder that is refused must not come up after a night of training.

    Raises:
        UsageError: its folder holds something else.
    """
    check_folder(fold.run.folder, fold.run.recipe, fold.run.split, resume=True)
    return fold


def _publishes(dataset: Dataset, folds: int) -> bool:
    """Whether the data set has just so many folds of its own."""
    published = dataset.splits()
    return f"fold{folds}" in published and f"fold{folds + 1}" not in published


def finished_folds(
    plan: FoldPlan, wanted: Set[int], jobs: int, opener: DataOpener, reporter: ProgressReporter = SILENT
) -> list[FoldResult]:
    """What came of all finished folds, in their order, once those that are wanted are among them.

    Args:
        plan: the folds.
        wanted: numbers of those to be run; others count if they are finished.
        jobs: folds at a time.
        opener: of the data.
        reporter: told of progress, also of folds in other processes.
    """
    results = {fold.number: result for fold in plan.folds if (result := kept_result(fold)) is not None}
    waiting = [fold for fold in plan.folds if fold.number in wanted and fold.number not in results]
    if waiting:  # before several processes look for it
        opener.packed(plan.recipe, reporter)
    executor = make_executor(jobs, initialiser=keep_freed_memory)
    done = len(wanted) - len(waiting)
    with reporter.stage(f"folds of {plan.recipe.name}") as on_progress:
        on_progress(done, len(wanted))
        for result in executor.map_unordered(partial(finish_fold, opener=opener), waiting, reporter):
            results[result.number] = result
            done += 1
            on_progress(done, len(wanted))
            scores = _dice_line(result.testing)
            reporter.say(f"{result.name}: {scores}; {done} of {len(wanted)} folds are finished")
    # In the order of the folds, whatever the order in which they came.
    return [results[number] for number in sorted(results)]


def kept_result(fold: Fold) -> FoldResult | None:
    """What a finished fold gave, from its folder; None where it is not finished.

    Raises:
        InputError: its table cannot be read.
    """
    folder = fold.run.folder
    if not folder.testing.exists():
        return None
    return FoldResult(fold.number, read_case_table(folder.testing), folder.model, str(fold))


def finish_fold(fold: Fold, reporter: ProgressReporter = SILENT, *, opener: DataOpener) -> FoldResult:
    """Train one fold from where it is, export it, test it; the result is kept in its folder.

    Args:
        fold: which one.
        reporter: told of progress.
        opener: of the data.
    """
    reporter.say(f"run folder: {fold.run.folder.path}")
    # One that was trained on another machine comes home without its checkpoint.
    planned = fold.run
    run = trained_elsewhere(planned, opener, reporter) or train_planned(planned, opener, reporter)
    if run is None:
        raise UsageError("a fold is trained in one process", remedy="let several folds be trained at a time: --jobs.")
    model = sealed_and_scored(run, reporter)
    if run.recipe.adaptation is not None:  # who was adapted to has been tested already
        return FoldResult(fold.number, model.testing, model.path, str(fold))
    cases = cases_of(run.dataset, run.split.testing)
    with reporter.stage(f"scoring {fold} on its testing part") as on_progress:
        table = evaluate_predictor(open_predictor(model.path), cases, on_progress=on_progress)
    write_text(run.folder.testing, table_to_json(table))
    return FoldResult(fold.number, table, model.path, str(fold))


def _together(results: Sequence[FoldResult], predicted: str, reference: str) -> CaseTable:
    """One table of all folds, in which `fold` is a group of its own."""
    tables = [result.testing for result in results]
    return CaseTable(
        rows=tuple(chain.from_iterable(_with_fold(item, item.testing.rows) for item in results)),
        slices=tuple(chain.from_iterable(_with_fold(item, item.testing.slices) for item in results)),
        beats=tuple(chain.from_iterable(table.beats for table in tables)),
        quantities=tuple(chain.from_iterable(table.quantities for table in tables)),
        problems=tuple(chain.from_iterable(table.problems for table in tables)),
        facts={"predicted": predicted, "reference": f"{len(tables)} folds of {reference}"},
        limits=combined(table.limits for table in tables if table.limits is not None),
        notes=tuple(dict.fromkeys(chain.from_iterable(table.notes for table in tables))),
    )


def _with_fold(result: FoldResult, rows: Iterable[CaseRow]) -> Iterator[CaseRow]:
    for row in rows:
        yield dataclasses.replace(row, groups={**row.groups, "fold": f"{result.number:02d}"})


def _dice_line(table: CaseTable) -> str:
    """Mean Dice of each region, in words."""
    found = [item for item in table.summaries("all", scores=("dice",)) if not math.isnan(item.summary.mean)]
    return "Dice " + "  ".join(f"{item.region} {item.summary.mean:.3f}" for item in found)
