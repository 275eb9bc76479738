"""A run folder: everything about one training in one place, resumable at any time."""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cardiotrace.core.config import to_plain
from cardiotrace.core.contract import ENVIRONMENT
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.file import read_limited
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.licence import Terms
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split, write_split
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import Model, read_model
from cardiotrace.inference.spec import AdaptationSpec
from cardiotrace.inference.zoo import load_model
from cardiotrace.io import write_bytes, write_json, write_text
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.models.sides import all_sides, nearest_sides
from cardiotrace.learning.training import state as states
from cardiotrace.learning.training.adaptation.domains import Adaptation, described, learned_from, without_target_labels
from cardiotrace.learning.training.build import ObjectiveContext, ObjectiveMaker, build_model, make_objective
from cardiotrace.learning.training.device import flushed_denormals, make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds, TrainingOrder
from cardiotrace.learning.training.distillation import StudentRequirements, load_teachers, teacher_identities
from cardiotrace.learning.training.environment import environment, read_environment
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.folder import RunFolder, check_folder, check_same_run
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.loop import OnStep, TrainingTask, is_complete, run_epochs
from cardiotrace.learning.training.recipe import Recipe, read_recipe, recipe_text
from cardiotrace.learning.training.training_log import Row, TrainingLog
from cardiotrace.learning.training.weights import LARGEST, Weights, load_fitting_weights, load_weights, save_weights

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class InitialWeights:
    """The finished run that another begins with."""

    weights: Path
    name: str
    """Of its recipe, and what it learned from."""
    sha256: str
    """Of the weights."""
    terms: Terms

    def put_into(self, network: Network, *, only_fitting: bool) -> str:
        """Begin with them, in place.

        Args:
            network: what begins.
            only_fitting: take what has a place in the network; else all must.

        Returns:
            What was left out, in words; empty where nothing was.

        Raises:
            InputError: they are damaged, or do not fit.
        """
        if only_fitting:
            return load_fitting_weights(network, self.weights)
        load_weights(network, self.weights)
        return ""


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from."""

    packed: PackedDataset
    split: Split
    scheme: LabelScheme
    mirror_axes: tuple[str, ...]
    start: InitialWeights | None = None
    """None starts from seeded random weights."""
    terms: Terms = field(default_factory=Terms)
    """Of the data set alone."""
    fold: int | None = None
    """Which fold the split is, if it is one."""
    pseudo_labels: str = ""
    """What came of labels that a teacher made, in words; empty where there are none."""
    with_unlabelled: bool = False
    """Whether samples without labels are learned from as well, for objectives that can."""
    localiser: Model | None = None
    """What found the heart in the images, where they are cropped around it."""
    adaptation: AdaptationSpec | None = None
    """What the model is adapted to; filled in where the recipe says so."""
    classes: tuple[str, ...] = ()
    """Foreground classes of the labels where those are no structures of the scheme."""
    note: str = ""
    """What was done to the images that the recipe does not tell, such as 8 bits in place of 16."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Foreground classes, in order of their index from 1."""
        return self.classes or tuple(map(str, self.scheme.structures))

    @property
    def all_terms(self) -> Terms:
        """Of the data set and of all that the first weights come from, and of the localiser, which travels along."""
        start = [] if self.start is None else [self.start.terms]
        localiser = [] if self.localiser is None else [self.localiser.spec.terms]
        return Terms.together([self.terms, *start, *localiser])


def _unheard(done: int, total: int, loss: float) -> None:
    """What the further processes of a run would say, the first says."""


@dataclass(frozen=True)
class RunCallbacks:
    """Who is told how it goes."""

    on_step: OnStep = _unheard
    on_epoch: Callable[[Sequence[Row], bool], None] = lambda rows, is_kept: None
    """Called with the rows of the training log so far, and whether the weights of the last are those to keep."""
    say: Callable[[str], None] = lambda text: None
    """Told what somebody should know, such as weights that were left out."""


@dataclass(frozen=True)
class CheckedRun:
    """A run that may go ahead: nothing in its folder is lost by it, and its teachers are at hand."""

    recipe: Recipe
    folder: RunFolder
    teachers: tuple[Model, ...] = ()
    labeller: Model | None = None
    """Who labels the images without a reference."""

    @property
    def others(self) -> tuple[Model, ...]:
        """All models that the run learns from."""
        return self.teachers if self.labeller is None else (*self.teachers, self.labeller)


@dataclass(frozen=True)
class Pace:
    """How long a training may go on this time, and how often it is made safe."""

    deadline: float = math.inf
    """Of `time.monotonic`; a training that is stopped by it goes on when it is called again."""
    checkpoint_seconds: float = 0.0
    """Least time between two checkpoints; 0 writes one after every epoch. The last epoch always has one; where a
    training breaks in between, it goes on from the one before."""


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended."""

    is_first_process: bool
    """The one that goes on to export the model; a distributed run has more, which have nothing left to do."""
    best_epoch: int
    """Whose weights are kept, from 1."""
    best_score: float
    """Its mean validation Dice on the network's grid, 0..1; -1 where nobody validates."""
    is_complete: bool = True
    """Whether it had all its epochs; else time ran out, and it goes on from its checkpoint."""


def check_run(
    recipe: Recipe, folder: RunFolder, split: Split, student: StudentRequirements, *, resume: bool
) -> CheckedRun:
    """All that can be refused before any work is done.

    Args:
        recipe: the resolved recipe.
        folder: where to write; an unfinished run there is continued with `resume`, refused without.
        split: who is trained and validated on.
        student: what the network shares with those who teach it.
        resume: continue from the checkpoint if there is one.

    Raises:
        UsageError: the folder holds a run already and `resume` is off, or the run is of another recipe, split,
            localiser or teachers.
        InputError: a teacher is missing or does not fit, see `load_teachers`; or the localiser.
    """
    check_folder(folder, recipe, split, resume=resume)
    teachers = () if recipe.distillation is None else load_teachers(recipe.distillation.teachers, student)
    pseudo = recipe.data.pseudo_labels
    run = CheckedRun(recipe, folder, teachers, None if pseudo is None else load_teachers([pseudo.teacher], student)[0])
    _check_teachers(folder, run.others)
    check_localiser(folder, None if recipe.localiser is None else load_model(recipe.localiser))
    return run


def localiser_of(recipe: Recipe, folder: RunFolder) -> Localiser | None:
    """What found the heart in the images of a run, as its folder keeps it; None where nobody looked.

    Raises:
        InputError: it is not there, or damaged.
    """
    return None if recipe.localiser is None else Localiser.of(read_model(folder.localiser))


def finished_weights(folder: RunFolder) -> InitialWeights:
    """What another run needs to begin with the best weights of this one.

    Raises:
        InputError: it has none.
    """
    try:
        digest = hashlib.sha256(read_limited(folder.best, largest=LARGEST)).hexdigest()
        terms = Terms(**read_environment(folder.environment)["terms"])
    except (InputError, KeyError, TypeError):
        raise InputError("holds no finished run to start from", where=folder.path) from None
    recipe = read_recipe(folder.recipe)
    return InitialWeights(folder.best, f"{recipe.name} ({recipe.data.dataset.name})", digest, terms)


def best_of(folder: RunFolder) -> states.BestEpoch:
    """The epoch whose weights a run folder keeps; from the log where the checkpoint was deleted to save space.

    Raises:
        InputError: no epoch was finished.
    """
    if folder.checkpoint.exists():
        return states.read_best(folder.checkpoint)
    rows = TrainingLog(folder.journal).rows()
    if not rows:
        raise InputError("holds no finished epoch", where=folder.path, remedy="train first: `cardiotrace train`.")
    keeps_last = folder.recipe.exists() and read_recipe(folder.recipe).training.keep == "last"
    return _best_row(rows, keeps_last=keeps_last)


def _best_row(rows: Sequence[Row], *, keeps_last: bool) -> states.BestEpoch:
    row = rows[-1] if keeps_last else max(rows, key=_score_of)
    return states.BestEpoch(int(row["epoch"]), _score_of(row))


def _score_of(row: Row) -> float:
    return float(row.get("score", states.NOT_VALIDATED))


def is_trained(run: CheckedRun, split: Split) -> bool:
    """Whether a run was trained to its end already; its checkpoint may be gone, as where it came from another machine.

    Args:
        run: as it is wanted.
        split: of its patients.

    Raises:
        UsageError: the folder holds a run of another recipe or of other patients.
        InputError: its log cannot be read.
    """
    folder, settings = run.folder, run.recipe.training
    rows = TrainingLog(folder.journal).rows() if folder.is_begun and folder.best.exists() else []
    if not rows:
        return False
    check_same_run(folder, run.recipe, split)
    # By the log alone: a checkpoint may be older, where the run came home from another machine.
    waited = int(rows[-1]["epoch"]) - _best_row(rows, keeps_last=settings.keep == "last").epoch
    return rows[-1]["epoch"] >= settings.epochs or 0 < settings.patience <= waited


def trained_model(recipe: Recipe, folder: RunFolder, *, channels: int, classes: int) -> Network:
    """The recipe's network with the best weights of a run.

    Raises:
        InputError: the weights are damaged, or of another network.
    """
    network = build_model(recipe, channels=channels, classes=classes)
    load_weights(network, folder.best)
    return network


_ANY = Hardware()
"""CUDA where there is any, in one process."""


@flushed_denormals()  # from the start: making the network starts threads
def train(
    run: CheckedRun,
    data: TrainingData,
    *,
    callbacks: RunCallbacks = RunCallbacks(),
    hardware: Hardware = _ANY,
    objective: ObjectiveMaker = make_objective,
    pace: Pace = Pace(),
) -> TrainingResult:
    """Train and leave the run folder with its best weights, training log and last checkpoint.

    Args:
        run: from `check_run`.
        data: packed data and split.
        callbacks: for progress.
        hardware: devices.
        objective: makes what is done with the batches; by default what the recipe asks for.
        pace: how long it may take, and how often it writes.

    Raises:
        InputError: a part of the split has no samples, or the checkpoint is damaged.
        WorkError: the loss is no longer a number, or the folder cannot be written.
    """
    recipe, folder = run.recipe, run.folder
    data = as_seen(data, recipe.adaptation)
    fabric = make_fabric(recipe.training, accelerator=hardware.accelerator, processes=hardware.processes)
    fabric.launch()
    network = build_model(recipe, channels=data.packed.images.shape[1], classes=len(data.class_names) + 1)
    left_out = _start(run, data, network)
    task = _task(fabric, recipe, data, network)
    shape = (recipe.channels_seen(data.packed.images.shape[1]), *(recipe.training.crop or task.training.shape))
    context = ObjectiveContext(fabric, recipe, network, task.training.samples, run.teachers, task.class_names, shape)
    state = states.State(objective(context))
    if folder.checkpoint.exists():
        states.load(state, folder.checkpoint, recipe=recipe.digest())
        _LOG.info("%s goes on after epoch %d", folder.path, state.epoch)
    writer = _RunWriter(run, fabric, callbacks, pace.checkpoint_seconds)
    writer.begin(data, state, left_out)
    run_epochs(
        task,
        state,
        on_step=callbacks.on_step if fabric.is_global_zero else _unheard,
        on_epoch=lambda row, is_best: writer.finish_epoch(state, row, is_best),
        deadline=pace.deadline,
    )
    writer.write(state)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    complete = is_complete(recipe.training, state)
    return TrainingResult(bool(fabric.is_global_zero), state.best_epoch, state.best_score, complete)


class _RunWriter:
    """Keeps a run folder; only the first process writes.

    Args:
        run: what is trained, and where.
        fabric: launched.
        callbacks: who is told.
        seconds: least time between two checkpoints.
    """

    def __init__(self, run: CheckedRun, fabric: Fabric, callbacks: RunCallbacks, seconds: float) -> None:
        self.run, self.fabric, self.callbacks, self.seconds = run, fabric, callbacks, seconds
        self.log = TrainingLog(run.folder.journal)
        self.rows: list[Row] = []
        self._waiting: list[Row] = []
        self._best: Weights = {}
        self._written = time.monotonic()

    def begin(self, data: TrainingData, state: states.State, left_out: str) -> None:
        """Write what a run tells of itself before its first epoch."""
        if not self.fabric.is_global_zero:
            return
        if left_out:
            self.callbacks.say(f"initial weights: {left_out}")
        write_head(self.run, data, left_out)
        self.rows = self.log.cut(state.epoch)

    def finish_epoch(self, state: states.State, row: Row, is_kept: bool) -> None:
        """Write what an epoch has changed, or keep it for later where something was just written."""
        if self.fabric.is_global_zero:
            if is_kept:  # a copy: the next epoch changes the weights in place
                self._best = {key: value.detach().clone() for key, value in state.weights().items()}
            self._waiting.append(row)
            self.rows.append(row)
            if time.monotonic() - self._written >= self.seconds:
                self.write(state)
            self.callbacks.on_epoch(self.rows, is_kept)
        self.fabric.barrier()

    def write(self, state: states.State) -> None:
        """Write what waits, after an epoch; nothing where nothing does."""
        if not (self.fabric.is_global_zero and self._waiting):
            return
        folder = self.run.folder
        # The checkpoint comes last: what stands here without it is written again, to the byte, by a resumed run.
        if self._best:
            save_weights(self._best, folder.best)
        for row in self._waiting:
            self.log.add(row)
        states.save(state, folder.checkpoint, recipe=self.run.recipe.digest())
        self._best, self._waiting, self._written = {}, [], time.monotonic()


def _check_teachers(folder: RunFolder, teachers: Sequence[Model]) -> None:
    """The recipe tells names only: a run goes on with the very models that it began with."""
    if not (teachers and folder.checkpoint.exists()):
        return
    if read_environment(folder.environment).get("taught_by") != teacher_identities(teachers):
        raise UsageError(
            "holds a run that other models of these names taught",
            where=folder.path,
            remedy="resume with the same models, or choose another folder.",
        )


def check_localiser(folder: RunFolder, localiser: Model | None) -> None:
    """A run goes on with the very localiser that it began with: another one would move every crop.

    Raises:
        UsageError: the folder holds a run of another one.
        InputError: the model is no localiser, or that of the run is damaged.
    """
    if localiser is None:
        return
    named = Localiser.of(localiser)
    if folder.checkpoint.exists() and read_model(folder.localiser).sha256 != named.sha256:
        raise UsageError(
            "holds a run for which another localiser of this name found the heart",
            where=folder.path,
            remedy="resume with the same one, kept there as localiser.onnx, or choose another folder.",
        )


def _start(run: CheckedRun, data: TrainingData, network: Network) -> str:
    """Put the weights of another run into the network, in place, where a run begins with them; tells what is left."""
    if data.start is None or run.folder.checkpoint.exists():
        return ""
    return data.start.put_into(network, only_fitting=run.recipe.training.initial_weights == "fitting")


def as_seen(data: TrainingData, adaptation: Adaptation | None) -> TrainingData:
    """The data as an adaptation may see them; here, so that nobody can train with labels that it must not know."""
    if adaptation is None:
        return data
    packed = without_target_labels(data.packed, adaptation)
    told = described(packed, data.split.training, adaptation)
    return replace(data, packed=packed, adaptation=told, with_unlabelled=not adaptation.target_labels)


def _task(fabric: Fabric, recipe: Recipe, data: TrainingData, network: Network) -> TrainingTask:
    settings = recipe.training
    apex = None if recipe.augmentation.sector is None else recipe.augmentation.sector.apex
    depth = _depth(data, network, settings.crop)
    needs = TrainingNeeds(settings.group, apex, recipe.neighbours, recipe.neighbours_of, depth)
    validated = TrainingNeeds(neighbours=recipe.neighbours, neighbours_of=recipe.neighbours_of, depth=depth)
    return TrainingTask(
        fabric=fabric,
        settings=settings,
        order=TrainingOrder(
            recipe.seed,
            settings.batch_size,
            recipe.augmentation,
            data.mirror_axes,
            fabric.global_rank,
            fabric.world_size,
            settings.steps_per_epoch,
            settings.crop,
            recipe.data.balanced,
            settings.foreground or 0.0,
            recipe.unlabelled_per_batch,
        ),
        training=DeviceDataset(data.packed, _learned_from(data, recipe), recipe.preprocessing, fabric.device, needs),
        validation=DeviceDataset(data.packed, _chosen_by(data, recipe), recipe.preprocessing, fabric.device, validated),
        class_names=data.class_names,
    )


def _depth(data: TrainingData, network: Network, crop: tuple[int, ...] | None) -> int:
    """Slices of what the network is given in training: all that a stack has, a window's, and what it can halve."""
    stored = data.packed.labels.shape[1:]
    if len(stored) == 2:
        return 1
    deepest = stored[0] if crop is None else max(stored[0], crop[0])
    return nearest_sides(deepest, all_sides(network.divisor, 3)[0])[1]


def _learned_from(data: TrainingData, recipe: Recipe) -> NDArray[np.int64]:
    """Samples of the training part; without labels only where training learns from those too."""
    indices = data.packed.indices_of(data.split.training, labelled_only=not data.with_unlabelled)
    if recipe.adaptation is not None:
        with_targets = recipe.adaptation_config.sees_targets
        indices = learned_from(data.packed, indices, recipe.adaptation, with_unlabelled=with_targets)
    return _required(indices, "training")


def _chosen_by(data: TrainingData, recipe: Recipe) -> NDArray[np.int64]:
    """Samples of the validation part; none where nobody is to validate, which only the last weights can do without."""
    indices = data.packed.indices_of(data.split.validation)
    if recipe.adaptation is not None:  # a patient may have images of a domain that nothing is learned from
        indices = learned_from(data.packed, indices, recipe.adaptation, with_unlabelled=False)
    return indices if recipe.training.keep == "last" and not data.split.validation else _required(indices, "validation")


def _required(indices: NDArray[np.int64], part: str) -> NDArray[np.int64]:
    if not len(indices):
        raise InputError(
            f"the {part} part of the split has no labelled image", remedy="look at `cardiotrace data split`."
        )
    return indices


def write_head(run: CheckedRun, data: TrainingData, left_out: str) -> None:
    """What a run tells of itself before its first epoch.

    Args:
        run: and its folder.
        data: what it learns from.
        left_out: of the weights that it begins with, in words.

    Raises:
        WorkError: it cannot be written.
    """
    folder, teachers = run.folder, run.others
    if not folder.checkpoint.exists():  # a resumed run keeps what it once started from
        start = data.start
        came = "" if start is None else f"{start.name}, weights with sha256 {start.sha256}"
        came += f"; {left_out}" if left_out else ""
        terms = Terms.together([data.all_terms, *(model.spec.terms for model in teachers)])
        told = {**environment(run.recipe.seed), "started_from": came, "terms": asdict(terms)}
        told |= {"taught_by": teacher_identities(teachers)} if teachers else {}
        told |= {"pseudo_labels": data.pseudo_labels} if data.pseudo_labels else {}
        told |= {} if data.fold is None else {"fold": data.fold}
        told |= {"adaptation": to_plain(data.adaptation)} if data.adaptation else {}
        told |= {"images": data.note} if data.note else {}
        write_json(folder.environment, ENVIRONMENT.stamp(told))  # the first file of a run, see `RunFolder.is_begun`
    if data.localiser is not None:
        write_bytes(folder.localiser, data.localiser.content)
    write_text(folder.recipe, recipe_text(run.recipe))
    write_split(data.split, folder.split)
