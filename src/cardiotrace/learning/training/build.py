"""From a recipe to what learns: the network, its learner, and the objective that the recipe asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from lightning_fabric import Fabric

from cardiotrace.datasets.packed import PackedSample
from cardiotrace.inference.model_file import Model
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.blocks import with_channels_last
from cardiotrace.learning.models.catalog import make_network
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.training.distillation import DistillationObjective, Teacher
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.objective import Objective
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.recipe import Recipe, input_size
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
    spec = NetworkSpec(recipe.channels_seen(channels), classes, input_size(recipe))
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

    def learner(self, network: Module) -> Learner[Module]:
        """A network that learns as the recipe says, in its memory layout, compiled where it asks for that."""
        settings = self.recipe.training
        if settings.channels_last:
            network = with_channels_last(network)
        optimiser = OPTIMISERS.make(self.recipe.optimiser, network.parameters(), path="optimiser")
        if settings.compile == "on" or (settings.compile == "auto" and self.fabric.device.type == "cuda"):
            network.compile()  # in place: a wrapper would rename the weights
        schedule = SCHEDULES.make(self.recipe.schedule, path="schedule")
        return Learner(self.fabric, network, optimiser, schedule, settings.gradient_clip)


ObjectiveMaker = Callable[[ObjectiveContext], Objective]


def make_objective(context: ObjectiveContext) -> Objective:
    """The objective that a recipe asks for: distillation where it names teachers, else supervised training."""
    recipe, learner = context.recipe, context.learner(context.network)
    loss = LOSSES.make(recipe.loss, path="loss")
    if recipe.distillation is not None and context.teachers:
        teacher = Teacher.of(context.teachers, recipe.distillation)
        return DistillationObjective(context.fabric, learner, loss, teacher)
    return SupervisedObjective(context.fabric, learner, loss)
