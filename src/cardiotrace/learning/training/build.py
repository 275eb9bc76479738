"""From a recipe to what learns: the network, its learner, and the objective that the recipe asks for."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import PackedSample
from cardiotrace.inference.model_file import Model
from cardiotrace.learning.augmentation.style import attach_mixstyle
from cardiotrace.learning.losses import LOSSES, Loss
from cardiotrace.learning.models.blocks import with_channels_last
from cardiotrace.learning.models.catalog import make_network
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.training.adaptation.catalog import ADAPTATIONS
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.adaptation.parts import AdaptationParts
from cardiotrace.learning.training.distillation import DistillationObjective, Teacher
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.objective import Objective
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.recipe import Recipe, input_size
from cardiotrace.learning.training.shapes import ShapeObjective
from cardiotrace.learning.training.styling import StyledObjective
from cardiotrace.learning.training.supervision import SupervisedObjective

Module = TypeVar("Module", bound=torch.nn.Module)


def build_model(recipe: Recipe, *, channels: int, classes: int) -> Network:
    """The recipe's network with its first, seeded weights.

    Args:
        recipe: names it.
        channels: of one prepared plane; what the recipe's neighbours add is added here.
        classes: of the output, background included.
    """
    torch.manual_seed(recipe.seed)
    seen = recipe.channels_seen(channels) if recipe.shapes is None else classes
    spec = NetworkSpec(seen, classes, input_size(recipe))
    return make_network(recipe.architecture, spec)


@dataclass(frozen=True)
class ObjectiveContext:
    """What an objective is made of."""

    fabric: Fabric
    """Launched."""
    recipe: Recipe
    network: Network
    """That the recipe names, with its first weights."""
    samples: tuple[PackedSample, ...] = ()
    """What the training part consists of: which domains there are."""
    teachers: tuple[Model, ...] = ()
    class_names: tuple[str, ...] = ()
    """Foreground classes, in order of their index from 1."""
    sample_shape: tuple[int, ...] = ()
    """(channels, *space) of what the network sees."""

    def learner(self, network: Module) -> Learner[Module]:
        """A network that learns as the recipe says, in its memory layout, compiled where it asks for that."""
        settings = self.recipe.training
        if settings.channels_last:
            network = with_channels_last(network)
        optimiser = OPTIMISERS.make(self.recipe.optimiser, network.parameters(), path="optimiser")
        if settings.compile == "on" or (settings.compile == "auto" and compiles(self.fabric.device)):
            network.compile()  # in place: a wrapper would rename the weights
        schedule = SCHEDULES.make(self.recipe.schedule, path="schedule")
        return Learner(self.fabric, network, optimiser, schedule, settings.gradient_clip)


def compiles(device: torch.device) -> bool:
    """Whether compiling pays on a device: on GPUs, where the compiler's own back end is there."""
    return device.type == "cuda" and importlib.util.find_spec("triton") is not None


ObjectiveMaker = Callable[[ObjectiveContext], Objective]


def make_objective(context: ObjectiveContext) -> Objective:
    """The objective that a recipe asks for: shapes, an adaptation, distillation by teachers, else supervised training.

    Raises:
        InputError: the network learns from whole label maps, and some samples do not tell of all structures.
    """
    _require_complete(context)
    recipe = context.recipe
    if recipe.augmentation.mixstyle is not None:
        attach_mixstyle(context.network, recipe.augmentation.mixstyle)
    learner = context.learner(context.network)
    loss = LOSSES.make(recipe.loss, path="loss")
    if recipe.shapes is not None:
        return ShapeObjective(context.fabric, learner, loss, recipe.shapes, context.class_names)
    if recipe.adaptation is not None:
        return ADAPTATIONS.make(recipe.adaptation.method, _parts(context, learner, loss, recipe.adaptation))
    if recipe.distillation is not None and context.teachers:
        teacher = Teacher.of(context.teachers, recipe.distillation)
        return DistillationObjective(context.fabric, learner, loss, teacher, context.class_names)
    if recipe.augmentation.maxstyle is not None:
        return StyledObjective(context.fabric, learner, loss, recipe.augmentation.maxstyle, context.class_names)
    return SupervisedObjective(context.fabric, learner, loss, context.class_names)


def _parts(context: ObjectiveContext, learner: Learner[Network], loss: Loss, adaptation: Adaptation) -> AdaptationParts:
    return AdaptationParts(
        context.fabric,
        learner,
        loss,
        adaptation,
        context.samples,
        context.sample_shape,
        context.learner,
        context.class_names,
        context.recipe.seed,
        context.recipe.training.epochs,
    )


def _require_complete(context: ObjectiveContext) -> None:
    """Losses of a network's own take labels for the whole truth: they would teach absence where nothing is known."""
    partial = next((sample for sample in context.samples if not sample.is_complete), None)
    if partial is not None and type(context.network).auxiliary_losses is not Network.auxiliary_losses:
        raise InputError(
            f"architecture {context.recipe.architecture.name!r} learns from whole label maps, and the reference of"
            f" {partial.case} tells of {', '.join(partial.structures)} alone",
            remedy="choose another architecture, or data sets that label the same structures.",
        )
