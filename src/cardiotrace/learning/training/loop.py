"""The loop: step, validate, write down, keep the best, stop early or when something breaks."""

import dataclasses
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from cardiotrace.core.errors import WorkError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.training.annotation import known_classes
from cardiotrace.learning.training.device_dataset import DeviceDataset, Images, TrainingBatch, TrainingOrder
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.objective import TOTAL, Losses, Progress
from cardiotrace.learning.training.settings import TrainingSettings
from cardiotrace.learning.training.state import NOT_VALIDATED, State
from cardiotrace.learning.training.training_log import Row
from cardiotrace.learning.training.weights import follow

OnStep = Callable[[int, int, float], None]
"""Called with (steps taken, steps of the whole training, loss)."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingTask:
    """All that the loop needs and does not change."""

    fabric: Fabric
    settings: TrainingSettings
    order: TrainingOrder
    training: DeviceDataset
    validation: DeviceDataset
    class_names: tuple[str, ...]
    """Foreground classes, in order of their index from 1."""

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return self.order.steps_per_epoch(self.order.passed_over(self.training))

    @property
    def steps(self) -> int:
        """Batches of the whole training."""
        return self.steps_per_epoch * self.settings.epochs

    @property
    def samples_per_epoch(self) -> int:
        """How many samples are seen in an epoch, over all processes together."""
        labelled = self.settings.batch_size * self.steps_per_epoch
        if self.settings.steps_per_epoch is None:
            labelled = min(labelled, self.order.passed_over(self.training))
        return labelled + self.order.unlabelled * self.steps_per_epoch

    @property
    def validation_batch_size(self) -> int:
        """Samples that are validated at once: as many as hold no more pixels than a training batch, at least one."""
        if self.order.crop is None:
            return self.settings.batch_size
        return max(1, self.settings.batch_size * math.prod(self.order.crop) // math.prod(self.validation.shape))

    def laid_out(self, images: Images) -> Images:
        """Images in the memory layout that the settings ask for."""
        layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
        return images.contiguous(memory_format=layouts[images.ndim]) if self.settings.channels_last else images


def run_epochs(
    task: TrainingTask,
    state: State,
    *,
    on_step: OnStep,
    on_epoch: Callable[[Row, bool], None],
    deadline: float = math.inf,
) -> None:
    """Train from the state's epoch to the last, or until patience or time runs out.

    Args:
        task: what to do.
        state: changed in place.
        on_step: for the progress bar.
        on_epoch: called after each epoch with its row of the training log and whether its weights are those to keep
            so far; here checkpoints are written.
        deadline: of `time.monotonic`: no epoch is begun that would last beyond it if it took as long as the one before.

    Raises:
        DivergedError: the loss or a weight is no longer a number.
    """
    lasted = 0.0
    while not is_complete(task.settings, state) and time.monotonic() + lasted < deadline:
        began, started = time.monotonic(), time.perf_counter()
        losses = _train_epoch(task, state, on_step)
        seconds = time.perf_counter() - started
        told = _validated(task, state)
        state.epoch += 1
        is_kept = _is_kept(task.settings, state, told.get("score"))
        row: Row = {
            "epoch": state.epoch,
            "step": state.step,
            "learning_rate": state.objective.learning_rate,
            **_told(losses),
            **told,
            "seconds": round(time.perf_counter() - started, 3),
            "images_per_second": round(task.samples_per_epoch / seconds, 3),
        }
        _LOG.debug("epoch %d: loss %.4g, score %s", state.epoch, losses[TOTAL], told.get("score"))
        on_epoch(row, is_kept)
        lasted = time.monotonic() - began


def _validated(task: TrainingTask, state: State) -> Row:
    """Dice by class and their mean, for the log, of which the objective is told; empty where nobody validates."""
    if not len(task.validation):
        return {}
    dice = validate(task, state)
    score = sum(dice.values()) / max(1, len(dice))
    state.objective.observe(score)
    return {"score": score, "dice": dice}


def _is_kept(settings: TrainingSettings, state: State, score: float | None) -> bool:
    """Whether the weights of the epoch are those to keep so far, which the state then remembers, in place."""
    # Strictly: of epochs that are equal the first is kept, and patience counts from there.
    is_kept = settings.keep == "last" or (score is not None and score > state.best_score)
    if is_kept:
        state.best_score, state.best_epoch = NOT_VALIDATED if score is None else score, state.epoch
    return is_kept


def _told(losses: Mapping[str, float]) -> Row:
    """The total for the log, and the further losses below "losses" where the objective names any."""
    others = {name: value for name, value in losses.items() if name != TOTAL}
    return {TOTAL: losses[TOTAL], **({"losses": others} if others else {})}


def is_complete(settings: TrainingSettings, state: State) -> bool:
    """Whether a training has had all its epochs, or waited long enough for a better one."""
    return state.epoch >= settings.epochs or 0 < settings.patience <= state.epoch - state.best_epoch


def _train_epoch(task: TrainingTask, state: State, on_step: OnStep) -> dict[str, float]:
    """One pass; returns the mean of each loss over the steps that told it."""
    for network in state.objective.networks:
        network.train()
    torch.manual_seed(task.order.seed * 100_003 + state.epoch)  # dropout draws from the global generator
    losses: dict[str, list[torch.Tensor]] = {}
    cases = []
    for index, batch in enumerate(task.order.batches(task.training, state.epoch)):
        for name, value in step(task, state, batch).items():
            losses.setdefault(name, []).append(value)
        cases.append(batch.cases)
        # A float here waits for the device: on GPUs few steps are looked at.
        if task.fabric.device.type == "cpu" or index % _LOOKED_AT == 0 or index + 1 == task.steps_per_epoch:
            on_step(state.step, task.steps, _finite(task, losses[TOTAL], cases, state.epoch + 1))
    _agree_on_buffers(task, state)
    _check_weights(state)
    return {name: _mean_over_processes(task, torch.stack(values).mean()) for name, values in losses.items()}


_LOOKED_AT = 32
"""Of so many steps on a GPU, one loss is looked at before the epoch ends."""


def step(task: TrainingTask, state: State, batch: TrainingBatch) -> Losses:
    """The objective learns from a batch, and the average follows; returns the objective's losses."""
    batch = dataclasses.replace(batch, images=task.laid_out(batch.images))
    losses = state.objective.step(batch, Progress(state.step, task.steps, state.epoch))
    state.step += 1
    if task.settings.ema_decay:
        _update_average(state, task.settings.ema_decay)
    return losses


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
    weights = (weight for network in state.objective.networks for weight in network.parameters())
    if not all(bool(weight.isfinite().all()) for weight in weights):
        raise _diverged(f"a weight became infinite or no number at the end of epoch {state.epoch + 1}")


class DivergedError(WorkError):
    """The loss or a weight is no longer a number."""


def _diverged(what: str) -> DivergedError:
    remedy = (
        "the state after the last complete epoch is kept; lower optimiser.learning_rate or set training.gradient_clip."
    )
    return DivergedError(what, remedy=remedy)


def _agree_on_buffers(task: TrainingTask, state: State) -> None:
    """Average what batch norms have counted: each process has seen other samples."""
    if task.fabric.world_size == 1:
        return
    for value in _counted_by_norms(state):
        if value.is_floating_point():
            value.copy_(task.fabric.all_reduce(value.clone(), reduce_op="mean"))


def _counted_by_norms(state: State) -> Iterable[torch.Tensor]:
    """Buffers of all networks, and their averages."""
    for network in state.objective.networks:
        average = state.average if network is state.objective.network else {}
        for name, buffer in network.named_buffers():
            yield buffer
            if name in average:
                yield average[name]


def _update_average(state: State, decay: float) -> None:
    weights = state.objective.network.state_dict()
    if not state.average:
        state.average = {key: value.detach().clone() for key, value in weights.items()}
        return
    follow(state.average, weights, decay=decay, step=state.step)


@contextmanager
def averaged_weights(state: State) -> Iterator[None]:
    """Puts the network into evaluation mode with the weights to validate; its own weights come back afterwards."""
    network = state.objective.network
    own = {key: value.detach().clone() for key, value in network.state_dict().items()} if state.average else {}
    if own:
        network.load_state_dict(state.average)
    network.eval()
    try:
        yield
    finally:
        if own:
            network.load_state_dict(own)


def validate(task: TrainingTask, state: State) -> dict[str, float]:
    """Mean Dice of each class over the validation samples, on the network's grid, in 0..1.

    Pixels outside the field of view do not count. A sample where neither has the class does not count; one where only
    one has it counts as 0. A structure that a sample's reference does not tell of does not count there, and is left out
    where none tells of it.
    """
    sums = torch.zeros(2, len(task.class_names), dtype=torch.float64, device=task.fabric.device)
    rank, world = task.fabric.global_rank, task.fabric.world_size
    mine = torch.arange(len(task.validation))[rank::world]
    with averaged_weights(state), torch.inference_mode(), task.fabric.autocast(), _as_written(task.fabric.device):
        for start in range(0, len(mine), task.validation_batch_size):
            picked = mine[start : start + task.validation_batch_size]
            images, labels = task.validation.unit(picked)
            images = task.laid_out(task.validation.normalise(images, task.validation.slices_of(picked)))
            images, labels = state.objective.network.seen(images, labels)
            samples = [task.validation.samples[index] for index in picked.tolist()]
            known = known_classes(samples, task.class_names, labels.device)
            sums += _dice_sums(state.objective.network(images).argmax(1), labels, len(task.class_names), known)
    total: Any = task.fabric.all_reduce(sums, reduce_op="sum")
    return {
        name: float(total[0, index] / total[1, index]) if total[1, index] else 0.0
        for index, name in enumerate(task.class_names)
        if any(sample.tells_of(name) for sample in task.validation.samples)
    }


def _as_written(device: torch.device) -> AbstractContextManager[Any]:
    """Where networks run as they are written: compiling for the sizes of validation would take longer than it saves."""
    return torch.compiler.set_stance("force_eager") if device.type == "cuda" else nullcontext()


def _dice_sums(
    predicted: torch.Tensor, reference: torch.Tensor, classes: int, known: torch.Tensor | None = None
) -> torch.Tensor:
    """(2, classes): sum of Dice over samples, and number of samples that count; `known` as of `known_classes`."""
    sums = torch.zeros(2, classes, dtype=torch.float64, device=predicted.device)
    counts = reference != IGNORED
    for index in range(classes):
        mine, theirs = (predicted == index + 1) & counts, reference == index + 1
        size = mine.flatten(1).sum(1) + theirs.flatten(1).sum(1)
        both = (mine & theirs).flatten(1).sum(1)
        counted = size > 0 if known is None else (size > 0) & known[:, index + 1]
        sums[0, index] = (2 * both[counted].double() / size[counted]).sum()
        sums[1, index] = counted.sum()
    return sums
