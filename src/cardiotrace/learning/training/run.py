"""A run folder: everything about one training in one place, resumable at any time."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric

from cardiotrace.core.contract import ENVIRONMENT
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.file import read_limited
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.licence import Terms
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split, write_split
from cardiotrace.inference.model_file import Model
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.training import state as states
from cardiotrace.learning.training.device import flushed_denormals, make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.distillation import StudentRequirements, Teacher, load_teachers, teacher_identities
from cardiotrace.learning.training.environment import environment, read_environment
from cardiotrace.learning.training.folder import RunFolder, check_folder
from cardiotrace.learning.training.loop import OnStep, TrainingTask, run_epochs
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.recipe import Recipe, read_recipe, recipe_text
from cardiotrace.learning.training.training_log import Row, TrainingLog


@dataclass(frozen=True)
class InitialWeights:
    """The finished run that another begins with."""

    weights: Path
    name: str
    """Of its recipe, and what it learned from."""
    sha256: str
    """Of the weights."""
    terms: Terms


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

    @property
    def all_terms(self) -> Terms:
        """Of the data set and of all that the first weights come from."""
        return self.terms if self.start is None else Terms.together([self.terms, self.start.terms])


@dataclass(frozen=True)
class Hardware:
    """Where a run computes."""

    accelerator: str = "auto"
    processes: int = 1


@dataclass(frozen=True)
class RunCallbacks:
    """Who is told how it goes."""

    on_step: OnStep
    on_epoch: Callable[[Row, bool], None]


def finished_weights(folder: RunFolder) -> InitialWeights:
    """What another run needs to begin with the best weights of this one.

    Raises:
        InputError: it has none.
    """
    try:
        digest = hashlib.sha256(read_limited(folder.best, largest=states.LARGEST)).hexdigest()
        terms = Terms(**read_environment(folder.environment)["terms"])
    except (InputError, KeyError, TypeError):
        raise InputError("holds no finished run to start from", where=folder.path) from None
    recipe = read_recipe(folder.recipe)
    return InitialWeights(folder.best, f"{recipe.name} ({recipe.data.dataset.name})", digest, terms)


def build_model(recipe: Recipe, *, channels: int, classes: int) -> torch.nn.Module:
    """The recipe's network with its first, seeded weights."""
    torch.manual_seed(recipe.seed)
    return ARCHITECTURES.make(recipe.architecture, channels, classes, path="architecture")


def trained_model(recipe: Recipe, folder: RunFolder, *, channels: int, classes: int) -> torch.nn.Module:
    """The recipe's network with the best weights of a run.

    Raises:
        InputError: the weights are damaged, or of another network.
    """
    network = build_model(recipe, channels=channels, classes=classes)
    states.load_weights(network, folder.best)
    return network


@flushed_denormals()  # from the start: making the network starts threads
def train(
    recipe: Recipe,
    material: TrainingData,
    folder: RunFolder,
    *,
    watch: RunCallbacks,
    hardware: Hardware,
    resume: bool,
) -> bool:
    """Train and leave the run folder with its best weights, journal and last checkpoint.

    Args:
        recipe: the resolved recipe.
        material: packed data and split.
        folder: where to write; an unfinished run there is continued with `resume`, refused without.
        watch: callbacks for progress.
        hardware: devices.
        resume: continue from the checkpoint if there is one.

    Returns:
        Whether this is the first process of the run, the one that goes on to export the model.

    Raises:
        UsageError: the folder holds a run already and `resume` is off, or the run is of another recipe or split.
        InputError: a part of the split has no planes, or the checkpoint is damaged.
        WorkError: the loss is no longer a number, or the folder cannot be written.
    """
    check_folder(folder, recipe, material.split, resume=resume)
    teachers = teachers_of(recipe, material.scheme, material.packed.images.shape[1])
    _check_teachers(folder, teachers)
    fabric = make_fabric(recipe.training, accelerator=hardware.accelerator, processes=hardware.processes)
    fabric.launch()
    task, state = _assemble(fabric, recipe, material, teachers)
    journal = TrainingLog(folder.journal)
    digest = recipe.digest()
    if folder.checkpoint.exists():
        states.load(state, folder.checkpoint, recipe=digest)
    if fabric.is_global_zero:
        _write_head(recipe, material, folder, teachers)
        journal.cut(state.epoch)

    def finish_epoch(row: Row, is_best: bool) -> None:
        if fabric.is_global_zero:
            # The checkpoint comes last: what stands here without it is written again, to the byte, by a resumed run.
            if is_best:
                states.save_weights(state.weights(), folder.best)
            journal.add(row)
            states.save(state, folder.checkpoint, recipe=digest)
            watch.on_epoch(row, is_best)
        fabric.barrier()

    run_epochs(task, state, on_step=watch.on_step if fabric.is_global_zero else _unheard, on_epoch=finish_epoch)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    return bool(fabric.is_global_zero)


def teachers_of(recipe: Recipe, scheme: LabelScheme, channels: int) -> tuple[Model, ...]:
    """The models that teach the recipe's, none where it names none; worth asking for before any work is done.

    Args:
        recipe: the resolved recipe.
        scheme: of the data.
        channels: of the network's input.

    Raises:
        InputError: see `load_teachers`.
    """
    if recipe.distillation is None:
        return ()
    return load_teachers(recipe.distillation, StudentRequirements(scheme, recipe.preprocessing, channels))


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


def _unheard(done: int, total: int, loss: float) -> None:
    """What the further processes of a run would say, the first says."""


def _assemble(
    fabric: Fabric, recipe: Recipe, material: TrainingData, teachers: Sequence[Model]
) -> tuple[TrainingTask, states.State]:
    model = build_model(recipe, channels=material.packed.images.shape[1], classes=material.scheme.class_count)
    if material.start is not None:
        states.load_weights(model, material.start.weights)
    if recipe.training.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = OPTIMISERS.make(recipe.optimiser, model.parameters(), path="optimiser")
    base_rate = float(optimiser.param_groups[0]["lr"])
    if recipe.training.compile == "on" or (recipe.training.compile == "auto" and fabric.device.type == "cuda"):
        model.compile()  # in place: a wrapper would rename the weights
    model, optimiser = fabric.setup(model, optimiser)
    training, validation = (
        _feed(material, patients, recipe, fabric, part)
        for patients, part in ((material.split.training, "training"), (material.split.validation, "validation"))
    )
    order = TrainingOrder(
        recipe.seed,
        recipe.training.batch_size,
        recipe.augmentation,
        material.mirror_axes,
        fabric.global_rank,
        fabric.world_size,
        recipe.training.steps_per_epoch,
        recipe.training.crop,
    )
    task = TrainingTask(
        fabric=fabric,
        settings=recipe.training,
        loss=LOSSES.make(recipe.loss, path="loss"),
        order=order,
        training=training,
        validation=validation,
        class_names=tuple(str(structure) for structure in material.scheme.structures),
        base_rate=base_rate,
        teach=Teacher.of(teachers, recipe.distillation).distillation_loss if teachers and recipe.distillation else None,
    )
    return task, states.State(model, optimiser, SCHEDULES.make(recipe.schedule, path="schedule"))


def _feed(material: TrainingData, patients: Sequence[str], recipe: Recipe, fabric: Fabric, part: str) -> DeviceDataset:
    indices = material.packed.indices_of(patients)
    if not len(indices):
        raise InputError(
            f"the {part} part of the split has no labelled image", remedy="look at `cardiotrace data split`."
        )
    if part != "training":
        return DeviceDataset(material.packed, indices, recipe.preprocessing, fabric.device)
    apex = None if recipe.augmentation.sector is None else recipe.augmentation.sector.apex
    return DeviceDataset(
        material.packed, indices, recipe.preprocessing, fabric.device, group=recipe.training.group, apex=apex
    )


def _write_head(recipe: Recipe, material: TrainingData, folder: RunFolder, teachers: Sequence[Model]) -> None:
    if not folder.checkpoint.exists():  # a resumed run keeps what it once started from
        start = material.start
        came = "" if start is None else f"{start.name}, weights with sha256 {start.sha256}"
        terms = Terms.together([material.all_terms, *(model.spec.terms for model in teachers)])
        made = {**environment(recipe.seed), "started_from": came, "terms": asdict(terms)}
        made |= {"taught_by": teacher_identities(teachers)} if teachers else {}
        made |= {} if material.fold is None else {"fold": material.fold}
        write_json(folder.environment, ENVIRONMENT.stamp(made))  # the first file of a run, see `RunFolder.is_begun`
    write_text(folder.recipe, recipe_text(recipe))
    write_split(material.split, folder.split)
