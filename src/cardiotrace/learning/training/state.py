"""What a checkpoint holds: everything that the next epoch depends on, in one safetensors file."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
import torch
from lightning_fabric.wrappers import _FabricModule

from cardiotrace.core.contract import CHECKPOINT
from cardiotrace.core.errors import InputError
from cardiotrace.core.file import require_regular_file
from cardiotrace.io import write_bytes
from cardiotrace.learning.training.optimiser import Schedule

LARGEST = 2**36
"""Bytes of weights that anything is done with."""


@dataclass
class State:
    """A run between two steps. Random numbers need no state: every step seeds its own."""

    model: torch.nn.Module
    optimiser: torch.optim.Optimizer
    schedule: Schedule
    average: dict[str, torch.Tensor] = field(default_factory=dict)
    """Running average of the weights; empty when averaging is off."""
    epoch: int = 0
    """Complete epochs."""
    step: int = 0
    """Optimiser steps taken."""
    best_score: float = -1.0
    best_epoch: int = 0

    @property
    def bare_model(self) -> torch.nn.Module:
        """The network without what spreads it over processes: calling it waits for no other process."""
        model = self.model.module if isinstance(self.model, _FabricModule) else self.model
        return cast(torch.nn.Module, model)

    def weights(self) -> dict[str, torch.Tensor]:
        """The weights to validate, keep and export."""
        return self.average or dict(self.model.state_dict())


def save(state: State, path: Path, *, recipe: str) -> None:
    """Write the state; the file is complete or not there.

    Args:
        state: the run.
        path: a .safetensors file.
        recipe: digest of the recipe, so that another recipe's checkpoint is refused.
    """
    tensors = {f"model.{key}": value for key, value in state.model.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in state.average.items()}
    numbers: dict[str, dict[str, Any]] = {}
    for index, slots in state.optimiser.state_dict()["state"].items():
        for key, value in slots.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimiser.{index}.{key}"] = value
            elif value is not None:
                numbers.setdefault(str(index), {})[key] = value
    about = {
        "recipe": recipe,
        "epoch": state.epoch,
        "step": state.step,
        "best_score": state.best_score,
        "best_epoch": state.best_epoch,
        "schedule": state.schedule.state(),
        "optimiser_numbers": numbers,
    }
    contiguous = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    metadata = {"state": json.dumps(CHECKPOINT.stamp(about))}
    write_bytes(path, safetensors.torch.save(contiguous, metadata=metadata))


def load(state: State, path: Path, *, recipe: str) -> None:
    """Continue from a checkpoint, in place.

    Raises:
        InputError: damaged, of another recipe, or of another architecture.
    """
    about, tensors = _read(path)
    about = CHECKPOINT.read(about, where=path)
    if about.get("recipe") != recipe:
        raise InputError(
            "the checkpoint belongs to another recipe",
            where=path,
            remedy="choose another run folder, or do not resume.",
        )
    found = _part(tensors, "model.")
    _check_weights(state.model, found, path)
    state.model.load_state_dict(found)
    weights = state.model.state_dict()
    averages = _part(tensors, "average.")
    state.average = {key: _laid_out(value, weights[key]) for key, value in averages.items()}
    try:
        _load_optimiser(state.optimiser, _part(tensors, "optimiser."), about["optimiser_numbers"])
        state.schedule.restore(about["schedule"])
        state.epoch, state.step = about["epoch"], about["step"]
        state.best_score, state.best_epoch = about["best_score"], about["best_epoch"]
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(f"is not a whole checkpoint: {error!r}", where=path) from None


def save_weights(weights: dict[str, torch.Tensor], path: Path) -> None:
    """Write weights alone."""
    contiguous = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
    write_bytes(path, safetensors.torch.save(contiguous))


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Read weights written by `save_weights`.

    Raises:
        InputError: damaged or of another architecture.
    """
    require_regular_file(path)
    try:
        found = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"these weights cannot be read: {error}", where=path) from None
    _check_weights(model, found, path)
    model.load_state_dict(found)


def _check_weights(model: torch.nn.Module, found: dict[str, torch.Tensor], path: Path) -> None:
    """Refuse weights of another network, in one line."""
    wanted = model.state_dict()
    differences = {
        "missing": [name for name in wanted if name not in found],
        "unknown": [name for name in found if name not in wanted],
        "of another shape": [name for name in wanted if name in found and wanted[name].shape != found[name].shape],
    }
    told = [f"{len(names)} {what}, such as {names[0]}" for what, names in differences.items() if names]
    if told:
        raise InputError(
            f"holds the weights of another architecture: {'; '.join(told)}",
            where=path,
            remedy="take the run of the recipe's own architecture, or change architecture in the recipe.",
        )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    require_regular_file(path)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = dict(json.loads(file.metadata()["state"]))
            return about, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 not a dictionary
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"is not a checkpoint: {error}", where=path) from None


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _laid_out(value: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """The value with the memory layout and device of its weight, as it was before it was written."""
    if value.shape != reference.shape:
        return value.clone()
    return torch.empty_like(reference, dtype=value.dtype, requires_grad=False).copy_(value)


def _load_optimiser(
    optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], numbers: dict[str, dict[str, Any]]
) -> None:
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    slots: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        slots.setdefault(int(index), {})[name] = _laid_out(value, parameters[int(index)])
    for number, values in numbers.items():
        slots.setdefault(int(number), {}).update(values)
    optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
