"""A network with the optimiser that changes it and the schedule of its learning rates."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import torch

from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.objective import Progress, Snapshot, tensors_below
from cardiotrace.learning.training.optimiser import Schedule
from cardiotrace.learning.training.weights import laid_out_like, require_same

Module = TypeVar("Module", bound=torch.nn.Module)


class Learner(Generic[Module]):
    """A network and how it learns; what objectives are made of.

    Args:
        fabric: launched.
        network: as it is at the start.
        optimiser: of its parameters. Groups of them keep their own learning rates: the schedule's factor acts on each.
        schedule: factor on the learning rates.
        gradient_clip: largest norm of the gradient, 0 for none.
    """

    def __init__(
        self,
        fabric: Fabric,
        network: Module,
        optimiser: torch.optim.Optimizer,
        schedule: Schedule,
        gradient_clip: float = 0.0,
    ) -> None:
        self.schedule, self.gradient_clip = schedule, gradient_clip
        self.base_rates = [float(group["lr"]) for group in optimiser.param_groups]
        """Learning rate of each group of parameters where the schedule's factor is 1."""
        self._fabric = fabric
        self.network = network
        """The network without what spreads it over processes: calling it waits for no other process."""
        self.model, self.optimiser = fabric.setup(network, optimiser)
        """The network as it is to be called in training, where it may be spread over processes."""

    @property
    def learning_rate(self) -> float:
        """Of the first group of parameters, as last used."""
        return float(self.optimiser.param_groups[0]["lr"])

    def advance(self, progress: Progress) -> None:
        """One step of the optimiser along the gradient at hand."""
        # Each group's own rate is multiplied: a pre-trained part that learns more slowly does so to the end.
        factor = self.schedule.factor(progress.share)
        for group, rate in zip(self.optimiser.param_groups, self.base_rates, strict=True):
            group["lr"] = rate * factor
        if self.gradient_clip:
            self._fabric.clip_gradients(self.model, self.optimiser, max_norm=self.gradient_clip)
        self.optimiser.step()

    def state(self) -> Snapshot:
        """Weights, moments of the optimiser, and what the schedule remembers."""
        tensors = {f"model.{key}": value for key, value in self.network.state_dict().items()}
        numbers: dict[str, dict[str, Any]] = {}
        for index, slots in self.optimiser.state_dict()["state"].items():
            for key, value in slots.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"optimiser.{index}.{key}"] = value
                elif value is not None:
                    numbers.setdefault(str(index), {})[key] = value
        return Snapshot(tensors, {"schedule": self.schedule.state(), "optimiser_numbers": numbers})

    def restore(self, state: Snapshot) -> None:
        """Go on from a state, in place.

        Raises:
            InputError: it is of another network.
            KeyError, IndexError, ValueError: something is missing.
        """
        weights = tensors_below(state.tensors, "model.")
        require_same(self.network, weights)
        self.network.load_state_dict(weights)
        self._restore_optimiser(tensors_below(state.tensors, "optimiser."), state.numbers["optimiser_numbers"])
        self.schedule.restore(state.numbers["schedule"])

    def _restore_optimiser(self, tensors: dict[str, torch.Tensor], numbers: dict[str, dict[str, Any]]) -> None:
        # Moments get the layout of their weights: sums in another order would differ in the last bit.
        parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        slots: dict[int, dict[str, Any]] = {}
        for key, value in tensors.items():
            index, name = key.split(".", 1)
            slots.setdefault(int(index), {})[name] = laid_out_like(value, parameters[int(index)])
        for number, values in numbers.items():
            slots.setdefault(int(number), {}).update(values)
        # Groups stay as the recipe makes them: stored rates are those of the last step, the schedule's factor included.
        self.optimiser.load_state_dict({"state": slots, "param_groups": self.optimiser.state_dict()["param_groups"]})


def descend(fabric: Fabric, loss: torch.Tensor, progress: Progress, learners: Sequence[Learner[Any]]) -> None:
    """One step of each learner down the gradient of a loss that they share."""
    for learner in learners:
        learner.optimiser.zero_grad(set_to_none=True)
    fabric.backward(loss)
    for learner in learners:
        learner.advance(progress)
