"""From the list of a queue to its trainings, where the data are at hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import ConfigError, UsageError
from cardiotrace.core.licence import Terms
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.compressed import in_bytes
from cardiotrace.datasets.joined import JoinedConfig
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.learning.training.recipe import Recipe, read_recipe, recipe_values
from cardiotrace.learning.training.run import check_localiser
from cardiotrace.workflows.configs import CrossvalConfig, QueueConfig, TrainConfig
from cardiotrace.workflows.crossval import plan_folds
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.queue.entry import QueueEntry, overrides_of, read_queue
from cardiotrace.workflows.queue.queued import DataFacts, QueuedRun
from cardiotrace.workflows.train import PlannedRun, plan_run, require_balanced


@dataclass(frozen=True)
class PlannedEntry:
    """An entry of the list with all that its trainings depend on decided."""

    config: TrainConfig | CrossvalConfig
    """As the verb of the entry reads it."""
    opener: DataOpener
    runs: tuple[QueuedRun, ...]

    def packed(self, run: QueuedRun, reporter: ProgressReporter = SILENT) -> PackedDataset:
        """The packed cache of a run, made where it is not there yet.

        Raises:
            InputError: the data cannot be packed.
            WorkError: the cache cannot be written.
        """
        cache = self.opener.packed(run.recipe, reporter)
        return cache if run.bits == 16 else in_bytes(cache, cache.folder.with_name(f"{cache.folder.name}-8bit"))


def plan_queue(config: QueueConfig, reporter: ProgressReporter = SILENT) -> tuple[PlannedEntry, ...]:
    """Read the list and all that its trainings depend on; nothing is packed or written yet.

    Args:
        config: where the list and the data are.
        reporter: told of folds that are left out.

    Raises:
        ConfigError: the list or a recipe is wrong.
        UsageError: two trainings would go into one folder, a folder holds another run, or one would wait for ever.
        InputError: the data cannot be used.
    """
    openers: dict[Path | None, DataOpener] = {}
    entries = read_queue(config.queue, pixels=config.pixels)
    waiting = _begin_with_others(entries)
    planned = [_planned(entry, config, openers, reporter) for entry in entries if entry not in waiting]
    while begun := [entry for entry in waiting if _is_ready(str(entry.start_from), planned, config.out)]:
        waiting = [entry for entry in waiting if entry not in begun]
        placed = [replace(entry, start_from=config.out / str(entry.start_from)) for entry in begun]
        planned.extend(_planned(entry, config, openers, reporter) for entry in placed)
    for entry in waiting:
        reporter.say(f"{entry.name or entry.recipe.stem} waits for {entry.start_from}, with which it begins")
    names = [run.name for entry in planned for run in entry.runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two trainings of the list are called {twice}", remedy="give one of them another `name`.")
    return tuple(planned)


def _begin_with_others(entries: Sequence[QueueEntry]) -> list[QueueEntry]:
    """Those that begin with a run of the same list.

    Raises:
        UsageError: one would wait for ever: for itself, or for folds.
    """
    named = {entry.name: entry for entry in entries if entry.name}
    waiting = [entry for entry in entries if str(entry.start_from) in named]
    for entry in waiting:
        before: QueueEntry | None = named[str(entry.start_from)]
        for _ in entries:
            if before is None:
                break
            if before.verb == "crossval" or before.fold is not None:
                raise UsageError(
                    f"{entry.name or entry.recipe.stem} begins with {before.name}, of which there are folds",
                    remedy="give the folder of one of them as start_from.",
                )
            before = named.get(str(before.start_from))
        if before is not None:
            raise UsageError(
                f"{entry.name or entry.recipe.stem} begins with what begins with itself",
                remedy="let start_from name a run that begins with none of these.",
            )
    return waiting


def _is_ready(name: str, planned: Sequence[PlannedEntry], out: Path) -> bool:
    """Whether a run of the list is trained to its end."""
    return any(run.name == name and run.is_trained(out) for entry in planned for run in entry.runs)


def _planned(
    entry: QueueEntry, config: QueueConfig, openers: dict[Path | None, DataOpener], reporter: ProgressReporter
) -> PlannedEntry:
    overrides = overrides_of(entry, recipe_values(entry.recipe))
    recipe = read_recipe(entry.recipe, overrides)
    if recipe.distillation is not None or recipe.data.pseudo_labels is not None:
        remedy = "train it with `cardiotrace train`."
        raise ConfigError("a student of other models cannot stand in a queue", where=entry.recipe, remedy=remedy)
    root = _root(config.data, recipe)
    opener = openers.setdefault(root, DataOpener(root, config.cache))
    shared: dict[str, Any] = {"recipe": entry.recipe, "data": root, "overrides": overrides, "cache": config.cache}
    shared |= {"accelerator": config.accelerator, "out": config.out / recipe.name}
    if entry.verb == "train":
        return _planned_training(entry, shared, opener, config.out)
    several = CrossvalConfig(**shared, folds=entry.folds, only=entry.only)
    folds = plan_folds(several, opener, reporter)
    plans = [fold.run for fold in folds.folds if several.wants(fold.number)]
    return PlannedEntry(several, opener, tuple(_queued(plans, entry, config.out, opener)))


def _planned_training(entry: QueueEntry, shared: dict[str, Any], opener: DataOpener, out: Path) -> PlannedEntry:
    one = TrainConfig(**shared, fold=entry.fold, resume=True, start_from=entry.start_from)
    if entry.fold is not None:
        one = replace(one, out=shared["out"] / f"fold-{entry.fold}")
    return PlannedEntry(one, opener, tuple(_queued([plan_run(one, opener)], entry, out, opener)))


def _queued(plans: list[PlannedRun], entry: QueueEntry, out: Path, opener: DataOpener) -> Iterator[QueuedRun]:
    dataset = opener.dataset(plans[0].recipe.data.dataset)
    facts = DataFacts(dataset.scheme, tuple(dataset.mirror_axes), Terms(dataset.licence, dataset.citation))
    for plan in plans:
        require_balanced(plan, dataset)
        recipe, name = plan.recipe, plan.folder.path.relative_to(out).as_posix()
        localiser = None if recipe.localiser is None else opener.localiser(recipe.localiser)
        check_localiser(plan.folder, localiser)
        is_fold = entry.verb == "crossval"
        yield QueuedRun(name, recipe, plan.split, facts, "", plan.fold, is_fold, entry.bits, plan.start, localiser)


def _root(data: Path | None, recipe: Recipe) -> Path | None:
    """Where the data set of a recipe lies below the given folder; joined ones name their parts below it."""
    name = recipe.data.dataset.name
    return None if data is None else data if DATASETS[name].config is JoinedConfig else data / name
