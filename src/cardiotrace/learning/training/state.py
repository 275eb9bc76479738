"""What a checkpoint holds: everything that the next epoch depends on, in one safetensors file."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from cardiotrace.core.contract import CHECKPOINT
from cardiotrace.core.errors import InputError
from cardiotrace.core.file import require_regular_file
from cardiotrace.io import write_bytes
from cardiotrace.learning.training.objective import Objective, Snapshot, tensors_below
from cardiotrace.learning.training.weights import Weights, laid_out_like, require_same

NOT_VALIDATED = -1.0
"""Less than any score: that of an epoch that nobody validated, and of none."""


@dataclass
class State:
    """A run between two steps. Random numbers need no state: every step seeds its own."""

    objective: Objective
    average: Weights = field(default_factory=dict)
    """Running average of the network's weights; empty when averaging is off."""
    epoch: int = 0
    """Complete epochs."""
    step: int = 0
    """Batches learned from."""
    best_score: float = NOT_VALIDATED
    best_epoch: int = 0
    """Whose weights are kept."""

    def weights(self) -> Weights:
        """The weights to validate, keep and export."""
        return self.average or dict(self.objective.network.state_dict())


@dataclass(frozen=True)
class BestEpoch:
    """The epoch whose weights a run keeps."""

    epoch: int
    """Number from 1; 0 before the first."""
    score: float
    """Mean validation Dice, 0..1; `NOT_VALIDATED` before the first epoch, and where nobody validates."""


def save(state: State, path: Path, *, recipe: str) -> None:
    """Write the state; the file is complete or not there.

    Args:
        state: the run.
        path: a .safetensors file.
        recipe: digest of the recipe, so that another recipe's checkpoint is refused.
    """
    snapshot = state.objective.state()
    tensors = {f"objective.{key}": value for key, value in snapshot.tensors.items()}
    tensors |= {f"average.{key}": value for key, value in state.average.items()}
    about = {
        "recipe": recipe,
        "epoch": state.epoch,
        "step": state.step,
        "best_score": state.best_score,
        "best_epoch": state.best_epoch,
        "objective": snapshot.numbers,
    }
    # safetensors holds dense tensors alone, and channels-last weights are strided: `laid_out_like` brings their
    # layout back.
    contiguous = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    metadata = {"state": json.dumps(CHECKPOINT.stamp(about))}
    write_bytes(path, safetensors.torch.save(contiguous, metadata=metadata))


def load(state: State, path: Path, *, recipe: str) -> None:
    """Continue from a checkpoint, in place.

    Raises:
        InputError: damaged, of another recipe, of another architecture, or of a newer version.
    """
    about, tensors = _read(path)
    version = CHECKPOINT.version_of(about, where=path)
    # Before any weight is touched: a run must not go on half restored.
    if about.get("recipe") != recipe:
        raise InputError(
            "the checkpoint belongs to another recipe",
            where=path,
            remedy="choose another run folder, or do not resume.",
        )
    try:
        state.objective.restore(_snapshot(about, tensors, version))
        state.epoch, state.step = _count(about, "epoch"), _count(about, "step")
        best = _best(about)
        state.best_score, state.best_epoch = best.score, best.epoch
        averages = tensors_below(tensors, "average.")
        if averages:
            require_same(state.objective.network, averages)
        weights = state.objective.network.state_dict()
        state.average = {key: laid_out_like(value, weights[key]) for key, value in averages.items()}
    except InputError as error:
        raise InputError(error.what, where=path, remedy=error.remedy) from None
    except _NOT_WHOLE as error:
        raise InputError(f"is not a whole checkpoint: {error!r}", where=path) from None


def read_best(path: Path) -> BestEpoch:
    """The best epoch so far, as a checkpoint remembers it.

    Raises:
        InputError: it is no checkpoint.
    """
    about, _ = _read(path, tensors=False)
    try:
        return _best(about)
    except _NOT_WHOLE as error:
        raise InputError(f"is not a whole checkpoint: {error!r}", where=path) from None


_NOT_WHOLE = (AttributeError, KeyError, IndexError, TypeError, ValueError)
"""What plain data of another form raises, here and where an objective takes it up."""


def _best(about: dict[str, Any]) -> BestEpoch:
    return BestEpoch(_count(about, "best_epoch"), float(about["best_score"]))


def _count(about: dict[str, Any], key: str) -> int:
    value = about[key]
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is {value!r}")
    return value


def _snapshot(about: dict[str, Any], tensors: Weights, version: int) -> Snapshot:
    """What the file holds of the objective."""
    # Version 1 knew one network and one optimiser, whose tensors and numbers stood at the top.
    if version == 1:
        own = {key: value for key, value in tensors.items() if not key.startswith("average.")}
        return Snapshot(own, {key: about[key] for key in ("schedule", "optimiser_numbers")})
    return Snapshot(tensors_below(tensors, "objective."), about["objective"])


def _read(path: Path, *, tensors: bool = True) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    require_regular_file(path)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = dict(json.loads(file.metadata()["state"]))
            keys = file.keys() if tensors else ()
            return about, {key: file.get_tensor(key) for key in keys}
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"is not a checkpoint: {error}", where=path) from None
