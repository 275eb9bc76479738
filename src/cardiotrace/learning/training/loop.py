"""The loop: step, validate, write down, keep the best, stop early or when something breaks."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric

from cardiotrace.core.errors import WorkError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.training.device_dataset import DeviceDataset, Images, TrainingBatch, TrainingOrder
from cardiotrace.learning.training.distillation import DistillLoss
from cardiotrace.learning.training.settings import TrainingSettings
from cardiotrace.learning.training.state import State
from cardiotrace.learning.training.supervision import supervised_loss
from cardiotrace.learning.training.training_log import Row

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
OnStep = Callable[[int, int, float], None]
"""Called with (steps taken, steps of the whole training, loss)."""


@dataclass(frozen=True)
class TrainingTask:
    """All that the loop needs and does not change."""

    fabric: Fabric
    settings: TrainingSettings
    loss: Loss
    order: TrainingOrder
    training: DeviceDataset
    validation: DeviceDataset
    class_names: tuple[str, ...]
    """Foreground classes, in order of their index from 1."""
    base_rate: float
    teach: DistillLoss | None = None
    """Makes a batch's loss from its images and `loss`, so that other models can teach."""

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch."""
        return self.order.steps_per_epoch(self.training.units.numel())

    @property
    def validation_batch_size(self) -> int:
        """Planes that are validated at once: as many as hold no more pixels than a training batch, at least one."""
        if self.order.crop is None:
            return self.settings.batch_size
        return max(1, self.settings.batch_size * math.prod(self.order.crop) // math.prod(self.validation.shape))

    def laid_out(self, images: Images) -> Images:
        """Images in the memory layout that the settings ask for."""
        return images.contiguous(memory_format=torch.channels_last) if self.settings.channels_last else images


def run_epochs(task: TrainingTask, state: State, *, on_step: OnStep, on_epoch: Callable[[Row, bool], None]) -> None:
    """Train from the state's epoch to the last, or until patience runs out.

    Args:
        task: what to do.
        state: changed in place.
        on_step: for the progress bar.
        on_epoch: called after each epoch with its journal row and whether it is the best so far; here
            checkpoints are written.

    Raises:
        DivergedError: the loss or a weight is no longer a number.
    """
    while state.epoch < task.settings.epochs and not _out_of_patience(task.settings, state):
        started = time.perf_counter()
        loss, rate = _train_epoch(task, state, on_step)
        seconds = time.perf_counter() - started
        dice = validate(task, state)
        score = sum(dice.values()) / max(1, len(dice))
        state.schedule.observe(score)
        state.epoch += 1
        is_best = score > state.best_score
        if is_best:
            state.best_score, state.best_epoch = score, state.epoch
        planes = task.settings.batch_size * task.steps_per_epoch
        if task.settings.steps_per_epoch is None:
            planes = min(planes, task.training.units.numel())
        row: Row = {
            "epoch": state.epoch,
            "step": state.step,
            "rate": rate,
            "loss": loss,
            "score": score,
            "dice": dice,
            "seconds": round(time.perf_counter() - started, 3),
            "images_per_second": round(planes / seconds, 3),
        }
        on_epoch(row, is_best)


def _out_of_patience(settings: TrainingSettings, state: State) -> bool:
    return 0 < settings.patience <= state.epoch - state.best_epoch


def _train_epoch(task: TrainingTask, state: State, on_step: OnStep) -> tuple[float, float]:
    """One pass; returns the mean loss and the last learning rate."""
    state.model.train()
    torch.manual_seed(task.order.seed * 100_003 + state.epoch)  # dropout draws from the global generator
    total = task.steps_per_epoch * task.settings.epochs
    losses: list[torch.Tensor] = []
    cases, rate = [], 0.0
    for index, batch in enumerate(task.order.batches(task.training, state.epoch)):
        rate = task.base_rate * state.schedule.factor(state.step / max(1, total - 1))
        losses.append(step(task, state, batch, rate))
        cases.append(batch.cases)
        # A float here waits for the device: on GPUs only every tenth step is looked at.
        if task.fabric.device.type == "cpu" or index % 10 == 0 or index + 1 == task.steps_per_epoch:
            on_step(state.step, total, _finite(task, losses, cases, state.epoch + 1))
    _agree_on_buffers(task, state)
    _check_weights(state)
    return _mean_over_processes(task, torch.stack(losses).mean()), rate


def step(task: TrainingTask, state: State, batch: TrainingBatch, rate: float) -> torch.Tensor:
    """One optimiser step; returns the detached loss, weighted as the batch is."""
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    images = task.laid_out(batch.images)
    distillation_loss = task.loss if task.teach is None else task.teach(images, task.loss)
    loss = supervised_loss(state.bare_model, state.model(images), batch.labels, distillation_loss) * batch.weight
    state.optimiser.zero_grad(set_to_none=True)
    task.fabric.backward(loss)
    if task.settings.gradient_clip:
        task.fabric.clip_gradients(state.model, state.optimiser, max_norm=task.settings.gradient_clip)
    state.optimiser.step()
    state.step += 1
    if task.settings.ema_decay:
        _update_average(state, task.settings.ema_decay)
    return loss.detach()


def _mean_over_processes(task: TrainingTask, value: torch.Tensor) -> float:
    return float(task.fabric.all_reduce(value.clone(), reduce_op="mean"))


def _finite(task: TrainingTask, losses: list[torch.Tensor], cases: list[tuple[str, ...]], epoch: int) -> float:
    """The last loss as a number; where it is none, the first batch that went wrong is named."""
    # Of all processes: if only one gave up, the others would wait for it in the next step.
    value = _mean_over_processes(task, losses[-1])
    if math.isfinite(value):
        return value
    # Not every step is looked at: the one that went wrong may lie before.
    wrong = torch.stack(losses).isfinite().logical_not().float()
    index = int((task.fabric.all_reduce(wrong, reduce_op="sum") > 0).int().argmax())
    names = ", ".join(cases[index][:_NAMED]) + (", ..." if len(cases[index]) > _NAMED else "")
    raise _diverged(f"the loss became {value} in epoch {epoch}, batch {index + 1} ({names})")


_NAMED = 4
"""Cases of a batch that a message names."""


def _check_weights(state: State) -> None:
    """The last step of an epoch may spoil the weights with no loss after it to show it."""
    if not all(bool(weight.isfinite().all()) for weight in state.model.parameters()):
        raise _diverged(f"a weight became infinite or no number at the end of epoch {state.epoch + 1}")


class DivergedError(WorkError):
    """The loss or a weight is no longer a number."""


def _diverged(what: str) -> DivergedError:
    remedy = (
        "the state after the last complete epoch is kept; lower optimiser.learning_rate or set training.gradient_clip."
    )
    return DivergedError(what, remedy=remedy)


def _agree_on_buffers(task: TrainingTask, state: State) -> None:
    """Average what batch norms have counted: each process has seen other planes."""
    if task.fabric.world_size == 1:
        return
    for name, buffer in state.bare_model.named_buffers():
        for value in (buffer, state.average.get(name)):
            if value is not None and value.is_floating_point():
                value.copy_(task.fabric.all_reduce(value.clone(), reduce_op="mean"))


def _update_average(state: State, decay: float) -> None:
    # Young averages forget faster, or the random first weights would stay in for long.
    decay = min(decay, (1 + state.step) / (10 + state.step))
    weights = state.model.state_dict()
    if not state.average:
        state.average = {key: value.detach().clone() for key, value in weights.items()}
        return
    for key, value in weights.items():
        if value.is_floating_point():
            state.average[key].lerp_(value.detach(), 1 - decay)
        else:
            state.average[key].copy_(value)


@contextmanager
def averaged_weights(state: State) -> Iterator[None]:
    """Puts the model into evaluation mode with the weights to validate; its own weights come back afterwards."""
    own = {key: value.detach().clone() for key, value in state.model.state_dict().items()} if state.average else {}
    if own:
        state.model.load_state_dict(state.average)
    state.model.eval()
    try:
        yield
    finally:
        if own:
            state.model.load_state_dict(own)


def validate(task: TrainingTask, state: State) -> dict[str, float]:
    """Mean Dice of each class over the validation planes, on the network's grid, in 0..1.

    Pixels outside the field of view do not count. A plane where neither has the class does not count; one where only
    one has it counts as 0.
    """
    sums = torch.zeros(2, len(task.class_names), dtype=torch.float64, device=task.fabric.device)
    rank, world = task.fabric.global_rank, task.fabric.world_size
    mine = torch.arange(len(task.validation))[rank::world]
    with averaged_weights(state), torch.inference_mode(), task.fabric.autocast():
        for start in range(0, len(mine), task.validation_batch_size):
            picked = mine[start : start + task.validation_batch_size]
            images, labels = task.validation.unit(picked.to(task.fabric.device))
            images = task.laid_out(task.validation.normalise(images))
            sums += _dice_sums(state.bare_model(images).argmax(1), labels, len(task.class_names))
    total: Any = task.fabric.all_reduce(sums, reduce_op="sum")
    return {
        name: float(total[0, index] / total[1, index]) if total[1, index] else 0.0
        for index, name in enumerate(task.class_names)
    }


def _dice_sums(predicted: torch.Tensor, reference: torch.Tensor, classes: int) -> torch.Tensor:
    """(2, classes): sum of Dice over planes, and number of planes that count."""
    sums = torch.zeros(2, classes, dtype=torch.float64, device=predicted.device)
    counts = reference != IGNORED
    for index in range(classes):
        mine, theirs = (predicted == index + 1) & counts, reference == index + 1
        size = mine.sum((1, 2)) + theirs.sum((1, 2))
        both = (mine & theirs).sum((1, 2))
        counted = size > 0
        sums[0, index] = (2 * both[counted].double() / size[counted]).sum()
        sums[1, index] = counted.sum()
    return sums
