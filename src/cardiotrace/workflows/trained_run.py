"""A finished training run with all that was in memory when it ended, so that nothing need be read again."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split, read_split
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, read_recipe
from cardiotrace.learning.training.run import localiser_of
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.workflows.services.dataset import SamplePlan, open_dataset, pack


@dataclass(frozen=True)
class TrainedRun:
    """What a run learned from, and where its weights lie."""

    recipe: Recipe
    dataset: Dataset
    packed: PackedDataset
    split: Split
    folder: RunFolder


def read_run(
    path: Path, data: Path | None = None, *, cache: Path | None = None, reporter: ProgressReporter = SILENT
) -> TrainedRun:
    """A finished run from its folder.

    Args:
        path: the run folder.
        data: where its data set lies; by default in CARDIOTRACE_DATA.
        cache: folder of packed data.
        reporter: told of progress.

    Raises:
        InputError: the folder holds no finished epoch, or the data cannot be used or lack patients of the run.
    """
    folder = RunFolder(path)
    if not folder.best.exists() or not TrainingLog(folder.journal).rows():
        raise InputError("holds no trained weights", where=folder.path, remedy="train first: `cardiotrace train`.")
    recipe = read_recipe(folder.recipe)
    dataset, split = open_dataset(recipe.data.dataset, data), read_split(folder.split)
    # The model is scored and its limits are fitted on these: without some of them both would be another's.
    Split(split.training, split.validation).require({case.patient for case in dataset.cases()}, where=folder.split)
    plan = SamplePlan(recipe.preprocessing, recipe.axes, localiser_of(recipe, folder), recipe.adaptation is not None)
    packed = pack(dataset, plan, cache=cache, reporter=reporter)
    return TrainedRun(recipe, dataset, packed, split, folder)
