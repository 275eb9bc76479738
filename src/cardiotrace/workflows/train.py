"""Recipe in, run folder with a sealed and scored model out."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.errors import UsageError, WorkError
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.licence import Terms
from cardiotrace.core.text import some
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split, read_split
from cardiotrace.learning.training.distillation import StudentRequirements
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import SPLIT_FILE, DataSettings, Recipe, read_recipe
from cardiotrace.learning.training.run import (
    Hardware,
    InitialWeights,
    RunCallbacks,
    TrainingData,
    check_run,
    finished_weights,
    train,
)
from cardiotrace.learning.training.training_log import Row
from cardiotrace.report.figure import draw_curves
from cardiotrace.workflows.data import choose_split, open_dataset, pack
from cardiotrace.workflows.progress import SILENT, ProgressReporter


@dataclass(frozen=True)
class RecipeConfig:
    """What all that train take: a recipe, changes to it, and where everything lies."""

    recipe: Path
    data: Path | None = None
    out: Path | None = None
    """Folder of the run, or of all of them; by default runs/<name of the recipe>."""
    overrides: dict[str, Any] = field(default_factory=dict)
    cache: Path | None = None
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class TrainConfig(RecipeConfig):
    """One training run."""

    fold: int | None = None
    resume: bool = False
    start_from: Path | None = None
    """Folder of a finished run whose best weights this one begins with; not looked at by a resumed run."""


def run_training(config: TrainConfig, watch: ProgressReporter = SILENT) -> RunFolder | None:
    """Train as the recipe says.

    Args:
        config: what to train, on what, where to.
        watch: told of progress.

    Returns:
        The run folder; None in the further processes of a distributed run, which have nothing left to do.

    Raises:
        ConfigError: the recipe is wrong.
        UsageError: the folder holds another run, or is no place for one.
        InputError: the data cannot be used.
        WorkError: training diverged, or nothing can be written.
    """
    recipe = read_recipe(config.recipe, config.overrides)
    dataset = open_dataset(recipe.data.dataset, config.data)
    split = split_of(recipe.data, dataset, config.fold, seed=recipe.fold_seed)
    folder = RunFolder(config.out or default_folder(recipe, config.fold))
    if folder.path.resolve() == dataset.root.resolve():
        raise UsageError("is the folder of the data set itself", where=folder.path, remedy="choose another --out.")
    channels = recipe.preprocessing.channels(dataset.channels)
    student = StudentRequirements(dataset.scheme, recipe.preprocessing, channels)
    run = check_run(recipe, folder, split, student, resume=config.resume)
    start = None if config.start_from is None else finished_weights(RunFolder(config.start_from))
    for remark in _remarks(split, {case.patient for case in dataset.cases()}):
        watch.say(remark)
    _create(folder)
    packed = pack(dataset, recipe.preprocessing, cache=config.cache, watch=watch)
    for remark in _unlabelled(packed, split, dataset.scheme):
        watch.say(remark)
    material = training_data_of(dataset, packed, split, start=start, fold=config.fold)
    with watch.stage(f"training {recipe.name}") as tick:

        def on_step(done: int, total: int, loss: float) -> None:
            tick(done, total)

        def on_epoch(rows: Sequence[Row], is_best: bool) -> None:
            watch.say(epoch_line(rows[-1], is_best, epochs=recipe.training.epochs))
            draw_curves([drawn(row) for row in rows], folder.curves)

        told = RunCallbacks(on_step, on_epoch, watch.say)
        result = train(run, material, callbacks=told, hardware=config.hardware)
    return folder if result.is_first_process else None


def split_of(data: DataSettings, dataset: Dataset, fold: int | None, *, seed: int) -> Split:
    """Who is trained and tested on, of the patients at hand.

    Args:
        data: what to learn from.
        dataset: the same, opened.
        fold: number of a fold, from 1.
        seed: who is in which fold, see `DataSettings.fold_seed`.

    Raises:
        InputError: there is no such split or fold, or a file of the user's own names a patient who is not there.
    """
    if data.split.endswith(SPLIT_FILE):
        split = _own_split(Path(data.split), dataset, fold)
    else:
        split = choose_split(dataset, data.split, folds=data.folds, fold=fold, seed=seed)
    count = data.training_patients
    return split if count is None else split.with_fewer_training_patients(count, seed=seed)


def _own_split(path: Path, dataset: Dataset, fold: int | None) -> Split:
    if fold is not None:
        raise UsageError(f"there is no fold {fold}: {path} is one split", remedy="name another file in data.split.")
    return read_split(path).require({case.patient for case in dataset.cases()}, where=path).validated()


def _remarks(split: Split, at_hand: Set[str]) -> list[str]:
    """A line for each thing that a split on paper is not with the data at hand."""
    lines = []
    if names := split.missing:
        lines.append(f"{len(names)} patients of the split are not in the data and are left out: {some(names)}")
    if others := sorted(at_hand - set(split.patients)):
        lines.append(f"{len(others)} patients of the data are in no part of the split and are left out: {some(others)}")
    if split.drawn:
        lines.append(f"nobody at hand validates in this split: {len(split.drawn)} of its training patients do")
    return lines


def _unlabelled(packed: PackedDataset, split: Split, scheme: LabelScheme) -> list[str]:
    """A line for each part of the split in which structures have no pixel at all: nothing can be learned of them."""
    lines = []
    for part in ("training", "validation"):
        absent = dict(enumerate(scheme.structures, start=1))
        indices = packed.indices_of(getattr(split, part))
        if not len(indices):
            continue  # training refuses that in words of its own
        for index in indices:
            if not absent:
                break
            for value in np.unique(packed.labels[index]).tolist():
                absent.pop(value, None)
        if len(absent) == len(scheme.structures):
            lines.append(f"warning: no label of the {part} part holds anything: look with `cardiotrace data lint`")
        elif absent:
            lines.append(f"warning: no label of the {part} part holds {', '.join(absent.values())}")
    return lines


def training_data_of(
    dataset: Dataset,
    packed: PackedDataset,
    split: Split,
    *,
    start: InitialWeights | None = None,
    fold: int | None = None,
) -> TrainingData:
    """What a run learns from, with the terms of its data."""
    terms = Terms(dataset.licence, dataset.citation)
    return TrainingData(packed, split, dataset.scheme, dataset.mirror_axes, start, terms, fold)


def default_folder(recipe: Recipe, fold: int | None) -> Path:
    """Where a run goes when nothing else is said: runs/<name>, or runs/<name>/fold-<k>."""
    folder = Path("runs") / recipe.name
    return folder if fold is None else folder / f"fold-{fold}"


def drawn(row: Row) -> dict[str, float]:
    """What the training curves show of a journal row, under the names that stand in their legends."""
    scores = {f"{name} Dice": value for name, value in row["dice"].items()}
    return {
        "epoch": row["epoch"],
        "loss": row["loss"],
        **scores,
        "mean Dice": row["score"],
        "learning_rate": row["rate"],
    }


def epoch_line(row: Row, is_best: bool, *, epochs: int) -> str:
    """One line about a finished epoch."""
    dice = "  ".join(f"{name} {value:.4f}" for name, value in row["dice"].items())
    mark = "  best so far" if is_best else ""
    return (
        f"epoch {row['epoch']:>3}/{epochs}  loss {row['loss']:.4f}  Dice {dice}"
        f"  {row['seconds']:.0f} s ({row['images_per_second']:.1f} images/s){mark}"
    )


def _create(folder: RunFolder) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot be made: {error.strerror}", where=folder.path, remedy="use another --out.") from None
