"""What is done with a batch, as an object: losses, one or several networks, their optimisers and schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch

from cardiotrace.learning.models.network import Network
from cardiotrace.learning.training.device_dataset import TrainingBatch

Losses = Mapping[str, torch.Tensor]
"""Detached scalars by name, as the training log tells them; `TOTAL` is always among them."""
TOTAL = "loss"
"""Name of the loss that is watched: where it is no number, training stops."""


@dataclass(frozen=True)
class Progress:
    """How far a training is when a batch comes."""

    step: int
    """Batches seen before this one."""
    steps: int
    """Of the whole training."""
    epoch: int = 0
    """Complete epochs: what goes in phases asks for it."""

    @property
    def share(self) -> float:
        """0 at the first batch, 1 at the last.

        Example:
            >>> [Progress(step, 5).share for step in (0, 2, 4)]
            [0.0, 0.5, 1.0]
        """
        # Of the last batch and not of what would come after it: a schedule ends where the training does.
        return self.step / max(1, self.steps - 1)


@dataclass(frozen=True)
class Snapshot:
    """All that a checkpoint must hold of an objective, or of a part of one."""

    tensors: dict[str, torch.Tensor]
    numbers: dict[str, Any]
    """Plain data, as JSON holds it."""

    @classmethod
    def of_parts(cls, parts: Mapping[str, "Snapshot"]) -> "Snapshot":
        """The snapshots of several learners as one; `part` takes them apart again.

        Example:
            >>> both = Snapshot.of_parts({"actor": Snapshot({}, {"a": 1}), "critic": Snapshot({}, {"a": 2})})
            >>> both.part("critic").numbers
            {'a': 2}
        """
        tensors = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.tensors.items()}
        return cls(tensors, {name: part.numbers for name, part in parts.items()})

    def part(self, name: str) -> "Snapshot":
        """What went into `of_parts` under a name.

        Raises:
            KeyError: there was no such part.
        """
        return Snapshot(tensors_below(self.tensors, f"{name}."), self.numbers[name])


def tensors_below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those whose names begin with the prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


@runtime_checkable  # for checks of types while tests run
class Objective(Protocol):
    """Learns from batches; the loop around it validates, averages weights, writes log and checkpoints, and stops.

    It draws no random numbers but from torch's global generator, which the loop seeds before each epoch: then a
    resumed run goes on bit for bit.
    """

    @property
    def network(self) -> Network:
        """What is validated, averaged, kept and exported; without wrappers."""
        ...

    @property
    def networks(self) -> Sequence[torch.nn.Module]:
        """All that learn, without wrappers; `network` among them."""
        ...

    @property
    def learning_rate(self) -> float:
        """Of the last step on `network`, for the log."""
        ...

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """Learn from a batch, by one gradient step or several.

        Args:
            batch: images, labels, and what each sample is. Multiply losses by `batch.weight`.
            progress: how far the training is.
        """
        ...

    def observe(self, score: float) -> None:
        """Told the validation score of `network` after each epoch, higher is better."""
        ...

    def state(self) -> Snapshot:
        """All that the next step depends on."""
        ...

    def restore(self, state: Snapshot) -> None:
        """Go on from a state.

        Raises:
            InputError: it holds weights of another network.
            KeyError, IndexError, ValueError: something is missing.
        """
        ...
