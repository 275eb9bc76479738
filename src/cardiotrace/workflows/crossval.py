"""Every fold of a data set: trained, exported, and scored on the patients it never saw."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.limits import combined
from cardiotrace.evaluation.table import read_table, table_to_json
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.zoo import load_model
from cardiotrace.io import write_text
from cardiotrace.learning.training.folder import RunFolder, check_folder
from cardiotrace.learning.training.recipe import Recipe, read_recipe
from cardiotrace.workflows.export import ExportConfig, export_run
from cardiotrace.workflows.processes import in_processes
from cardiotrace.workflows.services.dataset import cases_of, open_dataset, pack
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter
from cardiotrace.workflows.train import RecipeConfig, TrainConfig, run_training, split_of


@dataclass(frozen=True)
class CrossvalConfig(RecipeConfig):
    """Which recipe, on what, how many folds; one folder per fold is made in `out`."""

    folds: int = 10
    only: tuple[int, ...] = ()
    """Numbers of the folds to run; empty runs all."""
    jobs: int = 1
    """Processes, each with its share of the processors."""


@dataclass(frozen=True)
class Fold:
    """One fold and all that a process needs for it."""

    number: int
    folder: Path
    config: CrossvalConfig


def crossval(config: CrossvalConfig, watch: ProgressReporter = SILENT) -> CaseTable:
    """Train fold by fold; folds that are finished already are not trained again.

    Folds are the data set's own where it publishes as many, else made by patient. A published fold whose testing
    patients are not at hand is left out.

    Returns:
        The cases of the testing parts of all finished folds together, also written to `testing.json`.

    Raises:
        ConfigError: the recipe is wrong.
        UsageError: a folder holds a fold of another recipe or of other patients, `only` names a fold that there is
            not, `jobs` is below 1, or `folds` below 2.
        InputError: the data cannot be used.
        WorkError: a training diverged, or nothing can be written.
    """
    if config.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {config.jobs}")
    if config.folds < 2:
        raise UsageError(f"--folds must be at least 2, got {config.folds}")
    recipe = read_recipe(config.recipe, config.overrides)
    dataset = open_dataset(recipe.data.dataset, config.data)
    published = dataset.splits()
    overrides = dict(config.overrides)
    if f"fold{config.folds}" not in published or f"fold{config.folds + 1}" in published:
        overrides |= {"data.split": "k-fold", "data.folds": config.folds}
        recipe = read_recipe(config.recipe, overrides)
    out = config.out or Path("runs") / recipe.name
    config = dataclasses.replace(config, overrides=overrides)
    folds = _folds(recipe, dataset, config, out, watch)
    wanted = [fold for fold in folds if not config.only or fold.number in config.only]
    if not wanted:
        raise InputError("no fold has a testing patient in the data", where=dataset.root)
    tables = {fold.number: read_table(path) for fold in folds if (path := RunFolder(fold.folder).testing).exists()}
    waiting = [fold for fold in wanted if fold.number not in tables]
    if waiting and config.jobs > 1:  # before several processes look for it
        pack(dataset, recipe.preprocessing, cache=config.cache, watch=watch)
    # A fold in a process of its own has nobody to tell of its epochs: what is shown then is the folds.
    alone = config.jobs == 1
    finish = partial(finish_fold, watch=watch) if alone else finish_fold
    with (SILENT if alone else watch).stage(f"folds of {recipe.name}") as tick:
        done = len(wanted) - len(waiting)
        tick(done, len(wanted))
        for number, table in in_processes(finish, waiting, jobs=config.jobs):
            tables[number] = table
            done += 1
            tick(done, len(wanted))
            watch.say(f"fold {number}: {_dice_line(table)}; {done} of {len(wanted)} folds are finished")
    together = _together(dict(sorted(tables.items())), recipe.name, dataset.name)
    write_text(RunFolder(out).testing, table_to_json(together))
    return together


def _folds(recipe: Recipe, dataset: Dataset, config: CrossvalConfig, out: Path, watch: ProgressReporter) -> list[Fold]:
    """All folds with somebody to test, their folders checked."""
    numbers = range(1, config.folds + 1)
    for number in config.only:
        if number not in numbers:
            raise UsageError(f"there is no fold {number}: folds are 1 to {config.folds}")
    folds = []
    for number in numbers:
        split = split_of(recipe.data, dataset, number, seed=recipe.fold_seed)
        if split.testing:
            fold = Fold(number, out / f"fold-{number}", config)
            check_folder(RunFolder(fold.folder), recipe, split, resume=True)
            folds.append(fold)
        elif not config.only or number in config.only:
            watch.say(f"fold {number} is left out: none of its testing patients is in the data")
    return folds


def finish_fold(fold: Fold, watch: ProgressReporter = SILENT) -> tuple[int, CaseTable]:
    """Train one fold from where it is, export it, test it.

    Returns:
        Its number, and the table of its testing part, which is also in its folder.
    """
    config, folder = fold.config, RunFolder(fold.folder)
    watch.say(f"fold {fold.number}: {folder.path}")
    run_training(
        TrainConfig(
            recipe=config.recipe,
            data=config.data,
            out=folder.path,
            fold=fold.number,
            resume=folder.checkpoint.exists(),
            overrides=config.overrides,
            cache=config.cache,
            hardware=config.hardware,
        ),
        watch,
    )
    exported = export_run(ExportConfig(folder.path, config.data, cache=config.cache), watch)
    dataset = open_dataset(read_recipe(folder.recipe).data.dataset, config.data)
    cases = cases_of(dataset, read_split(folder.split).testing)
    with watch.stage(f"scoring fold {fold.number} on its testing part") as tick:
        table = evaluate_predictor(Predictor(load_model(exported.path)), cases, on_progress=tick)
    write_text(folder.testing, table_to_json(table))
    return fold.number, table


def _together(tables: Mapping[int, CaseTable], predicted: str, reference: str) -> CaseTable:
    """One table of all folds, in which `fold` is a group of its own."""
    return CaseTable(
        rows=tuple(
            dataclasses.replace(row, groups={**row.groups, "fold": f"{number:02d}"})
            for number, table in tables.items()
            for row in table.rows
        ),
        quantities=tuple(item for table in tables.values() for item in table.quantities),
        problems=tuple(problem for table in tables.values() for problem in table.problems),
        facts={"predicted": predicted, "reference": f"{len(tables)} folds of {reference}"},
        limits=combined(table.limits for table in tables.values() if table.limits is not None),
    )


def _dice_line(table: CaseTable) -> str:
    """Mean Dice of each region, in words."""
    found = [item for item in table.summaries("all", scores=("dice",)) if not math.isnan(item.summary.mean)]
    return "Dice " + "  ".join(f"{item.region} {item.summary.mean:.3f}" for item in found)
