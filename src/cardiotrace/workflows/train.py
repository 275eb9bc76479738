"""Recipe in, run folder with a sealed and scored model out."""

import logging
import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from cardiotrace.core.errors import UsageError, WorkError
from cardiotrace.core.licence import Terms
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.text import some
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split, leave_out, patient_groups, read_split, require_group_of
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.inference.engine import make_engine
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.learning.training.adaptation.domains import Adaptation, adapted_split
from cardiotrace.learning.training.distillation import StudentRequirements
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.pseudo_labels import LabelTeacher, PseudoLabelled, pseudo_labelled
from cardiotrace.learning.training.recipe import SPLIT_FILE, DataSettings, Recipe, read_recipe
from cardiotrace.learning.training.run import (
    CheckedRun,
    InitialWeights,
    RunCallbacks,
    TrainingData,
    check_run,
    finished_weights,
    is_trained,
    train,
)
from cardiotrace.parallel import led_by_parent
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.export import seal_run
from cardiotrace.workflows.services.dataset import MadeFolds, choose_split
from cardiotrace.workflows.trained_run import TrainedRun
from cardiotrace.workflows.training_report import EpochReport, adaptation_remarks, split_remarks, unlabelled_remarks

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedRun:
    """One training with all that it depends on decided: no recipe and no split is read again."""

    recipe: Recipe
    split: Split
    folder: RunFolder
    fold: int | None = None
    """Which fold the split is, if it is one."""
    start: InitialWeights | None = None
    resume: bool = False
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class TrainedModel:
    """What a training ends in: one sealed model file, and how it did on the validation part."""

    run: TrainedRun
    path: Path
    spec: ModelSpec
    validation: CaseTable
    """Without rows where nobody validates."""
    testing: CaseTable = field(default_factory=lambda: CaseTable(()))
    """Of the targets' testing patients, where the recipe adapts; without rows elsewhere."""


def train_model(config: TrainConfig, reporter: ProgressReporter = SILENT) -> TrainedModel | None:
    """Train as the recipe says, export the weights that are kept, score them on the validation part, seal the model.

    Args:
        config: what to train, on what, where to.
        reporter: told of progress.

    Returns:
        The model; None in the further processes of a distributed run, which have nothing left to do.

    Raises:
        ConfigError: the recipe is wrong.
        UsageError: the folder holds another run, or is no place for one.
        InputError: the data cannot be used.
        WorkError: training diverged, the exported model differs from the trained one, or nothing can be written.
    """
    run = run_training(config, reporter)
    return None if run is None else sealed_and_scored(run, reporter)


def sealed_and_scored(run: TrainedRun, reporter: ProgressReporter = SILENT) -> TrainedModel:
    """The model of a finished run, in its folder.

    Raises:
        WorkError: the exported model differs from the trained one, or nothing can be written.
    """
    exported = seal_run(run, reporter=reporter)
    return TrainedModel(run, exported.path, exported.spec, exported.validation, exported.testing)


def run_training(config: TrainConfig, reporter: ProgressReporter = SILENT) -> TrainedRun | None:
    """The training alone: the run folder ends with its best weights, its log and its last checkpoint.

    Args:
        config: what to train, on what, where to.
        reporter: told of progress.

    Returns:
        The run; None in the further processes of a distributed run.

    Raises:
        CardioTraceError: see `train_model`.
    """
    # PyTorch starts the further processes of a distributed run as this very command, told apart by a variable.
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"
    opener = DataOpener(config.data, config.cache)
    with nullcontext() if is_first else led_by_parent():
        return train_planned(plan_run(config, opener), opener, reporter)


def plan_run(config: TrainConfig, opener: DataOpener) -> PlannedRun:
    """Read all that a run depends on; nothing is packed or written yet.

    Args:
        config: what to train, on what, where to.
        opener: of the data.

    Raises:
        CardioTraceError: see `train_model`.
    """
    recipe = read_recipe(config.recipe, config.overrides)
    dataset = opener.dataset(recipe.data.dataset)
    split = split_of_recipe(recipe, dataset, config.fold)
    folder = RunFolder(config.out or default_folder(recipe, config.fold))
    if folder.path.resolve() == dataset.root.resolve():
        raise UsageError("is the folder of the data set itself", where=folder.path, remedy="choose another --out.")
    start = None if config.start_from is None else weights_for(RunFolder(config.start_from), recipe, split)
    return PlannedRun(recipe, split, folder, config.fold, start, config.resume, config.hardware)


def weights_for(earlier: RunFolder, recipe: Recipe, split: Split) -> InitialWeights:
    """The weights of a finished run, which for an adaptation nobody has taught who is tested on.

    Raises:
        InputError: there are none, or a testing patient of the adaptation was learned from.
    """
    weights = finished_weights(earlier)
    if recipe.adaptation is not None:
        require_unseen(earlier, split.testing)
    return weights


def require_unseen(earlier: RunFolder, tested: Iterable[str]) -> None:
    """Refuse weights that have learned from, or were chosen by, a patient who is to be tested on.

    Raises:
        InputError: naming them.
    """
    split = read_split(earlier.split)
    if seen := sorted({*split.training, *split.validation} & {*tested}):
        raise InputError(
            f"these weights have learned from {some(seen)}, to be tested here",
            where=earlier.path,
            remedy="start from a run of the same patients: the same data.seed, data.stratify and number of folds.",
        )


def train_planned(planned: PlannedRun, opener: DataOpener, reporter: ProgressReporter = SILENT) -> TrainedRun | None:
    """Train, a line and new curves after each epoch.

    Args:
        planned: the run.
        opener: of the data.
        reporter: told of progress.

    Returns:
        The run; None in the further processes of a distributed run.

    Raises:
        UsageError: the folder holds another run, or is no place for one.
        InputError: the data cannot be used.
        WorkError: training diverged, or nothing can be written.
    """
    recipe, split = planned.recipe, planned.split
    dataset = opener.dataset(recipe.data.dataset)
    # All that can be refused is refused here, before anything is packed or written.
    checked = check_planned(planned, dataset)
    _LOG.info("%s: %s on %d patients", planned.folder.path, recipe.name, len(split.training))
    remarks = (*split_remarks(split, {case.patient for case in dataset.cases()}), *_start_remarks(planned))
    for remark in (*remarks, *adaptation_remarks(recipe.adaptation, split, dataset.cases())):
        reporter.say(remark)
    _create(planned.folder)
    data = training_data(planned, opener, reporter, labeller=checked.labeller)
    if data.pseudo_labels:
        reporter.say(f"pseudo-labels: {data.pseudo_labels}")
    for remark in unlabelled_remarks(data.packed, split, dataset.scheme):
        reporter.say(remark)
    with reporter.stage(f"training {recipe.name}") as on_progress:
        callbacks = RunCallbacks(
            lambda done, total, loss: on_progress(done, total),
            EpochReport(planned.folder, recipe.training.epochs, reporter, recipe.training.keep == "last"),
            reporter.say,
        )
        result = train(checked, data, callbacks=callbacks, hardware=planned.hardware)
    return TrainedRun(recipe, dataset, data.packed, split, planned.folder) if result.is_first_process else None


def trained_elsewhere(
    planned: PlannedRun, opener: DataOpener, reporter: ProgressReporter = SILENT
) -> TrainedRun | None:
    """A run that is trained to its end and has no checkpoint to go on from; None where there is none.

    Args:
        planned: the run.
        opener: of the data.
        reporter: told of progress.

    Raises:
        UsageError: the folder holds another run.
        InputError: the data cannot be used.
    """
    recipe, folder = planned.recipe, planned.folder
    if folder.checkpoint.exists() or not is_trained(CheckedRun(recipe, folder), planned.split):
        return None
    packed = opener.packed(recipe, reporter)
    return TrainedRun(recipe, opener.dataset(recipe.data.dataset), packed, planned.split, folder)


def _start_remarks(planned: PlannedRun) -> list[str]:
    """What the recipe says of first weights, where there are none."""
    wanted = planned.recipe.training.initial_weights
    if wanted is None or planned.start is not None or planned.folder.checkpoint.exists():
        return []
    return [f'warning: training.initial_weights = "{wanted}" has no effect: no run is given with --start-from']


def check_planned(planned: PlannedRun, dataset: Dataset) -> CheckedRun:
    """The run with its teachers loaded, its folder fit for it.

    Raises:
        UsageError: the folder holds another run, or is no place for one.
        InputError: a teacher is not there, or does not fit; neighbours are asked for of images in colour; or an image
            is of no group to be balanced by.
    """
    recipe, preprocessing = planned.recipe, planned.recipe.preprocessing
    require_balanced(planned, dataset)
    channels = recipe.channels_seen(preprocessing.channels(dataset.channels))
    student = StudentRequirements(
        dataset.scheme, preprocessing, channels, recipe.neighbours, recipe.neighbours_of, recipe.axes
    )
    return check_run(recipe, planned.folder, planned.split, student, resume=planned.resume)


def require_balanced(planned: PlannedRun, dataset: Dataset) -> None:
    """Refuse to balance groups of which an image is in none.

    Raises:
        InputError: naming the first image that is of no such group.
    """
    if planned.recipe.data.balance is not None:
        require_group_of(dataset.cases(), planned.split.training, planned.recipe.data.balance)


def training_data(
    planned: PlannedRun, opener: DataOpener, reporter: ProgressReporter = SILENT, *, labeller: Model | None = None
) -> TrainingData:
    """What a run learns from, with the terms of its data.

    Args:
        planned: the run.
        opener: of the data.
        reporter: told of progress.
        labeller: who labels the images of the training part that have no reference; None leaves them out.

    Raises:
        InputError: the data cannot be used.
        WorkError: the cache cannot be written.
    """
    recipe = planned.recipe
    dataset, packed = opener.dataset(recipe.data.dataset), opener.packed(recipe, reporter)
    labelled = None if labeller is None else _labelled_by(labeller, planned, packed, reporter)
    return TrainingData(
        packed=packed if labelled is None else labelled.packed,
        split=planned.split,
        scheme=dataset.scheme,
        mirror_axes=dataset.mirror_axes,
        start=planned.start,
        terms=Terms(dataset.licence, dataset.citation),
        fold=planned.fold,
        pseudo_labels="" if labelled is None or labeller is None else f"{labelled.told()}, by {labeller.spec.name}",
        localiser=None if recipe.localiser is None else opener.localiser(recipe.localiser),
    )


def _labelled_by(
    labeller: Model, planned: PlannedRun, packed: PackedDataset, reporter: ProgressReporter
) -> PseudoLabelled | None:
    """The samples with what a teacher is sure of in the training part; None where the recipe asks for none."""
    recipe, settings = planned.recipe, planned.recipe.data.pseudo_labels
    if settings is None:
        return None
    teacher = LabelTeacher(
        make_engine(labeller.graph(), where=labeller.path),
        settings,
        recipe.preprocessing,
        recipe.neighbours,
        recipe.neighbours_of,
    )
    with reporter.stage(f"labelling by {labeller.spec.name}") as on_progress:
        return pseudo_labelled(packed, planned.split.training, teacher, on_progress)


def split_of_recipe(recipe: Recipe, dataset: Dataset, fold: int | None) -> Split:
    """Who is trained and tested on, see `split_of`."""
    return split_of(recipe.data, dataset, fold, seed=recipe.fold_seed, adaptation=recipe.adaptation)


def split_of(
    data: DataSettings, dataset: Dataset, fold: int | None, *, seed: int, adaptation: Adaptation | None = None
) -> Split:
    """Who is trained and tested on, of the patients at hand.

    Args:
        data: what to learn from.
        dataset: the same, opened.
        fold: number of a fold, from 1.
        seed: who is in which fold, see `fold_seed`.
        adaptation: whose labels must not be looked at, see `adapted_split`.

    Raises:
        InputError: there is no such split or fold, a file of the user's own names a patient who is not there, or the
            domains of an adaptation cannot be had.
    """
    split = _split_before_draws(data, dataset, fold, seed)
    if data.validation_patients is not None:
        cases = dataset.cases()
        # Of patients without labels, such as those for pseudo-labels, nothing could be chosen by.
        labelled = {case.patient for case in cases if case.read_labels is not None}
        split = split.validated_by(
            data.validation_patients, patient_groups(cases), stratify=data.stratify, seed=seed, among=labelled
        )
    count = data.training_patients
    split = split if count is None else split.with_fewer_training_patients(count, seed=seed)
    return split if adaptation is None else adapted_split(split, dataset.cases(), adaptation)


def _split_before_draws(data: DataSettings, dataset: Dataset, fold: int | None, seed: int) -> Split:
    """Who is tested on, and who validates where the recipe does not say how many do."""
    if data.leave_out is not None:
        if fold is not None:
            raise UsageError(f"there is no fold {fold}: data.leave_out says who is tested on")
        return leave_out(dataset.cases(), data.leave_out).validated()
    if data.split.endswith(SPLIT_FILE):
        return _own_split(Path(data.split), dataset, fold)
    made = MadeFolds(data.folds, seed, data.stratify, validation=data.validation_patients is None)
    return choose_split(dataset, data.split, fold=fold, made=made)


def _own_split(path: Path, dataset: Dataset, fold: int | None) -> Split:
    if fold is not None:
        raise UsageError(f"there is no fold {fold}: {path} is one split", remedy="name another file in data.split.")
    return read_split(path).require({case.patient for case in dataset.cases()}, where=path).validated()


def default_folder(recipe: Recipe, fold: int | None) -> Path:
    """Where a run goes when nothing else is said: runs/<name>, or runs/<name>/fold-<k>."""
    folder = Path("runs") / recipe.name
    return folder if fold is None else folder / f"fold-{fold}"


def _create(folder: RunFolder) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot be made: {error.strerror}", where=folder.path, remedy="use another --out.") from None
