"""Trainings one after the other until they are done or time is over; needs neither the data nor an exporter."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.io import write_text
from cardiotrace.io.atomic import as_work_error
from cardiotrace.learning.training.device import forget_compiled
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.run import CheckedRun, Pace, RunCallbacks, TrainingData, TrainingResult, train
from cardiotrace.learning.training.training_log import Row, TrainingLog
from cardiotrace.workflows.queue.queued import QueuedRun
from cardiotrace.workflows.training_report import epoch_line

_LOG = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 20.0
"""Least time between two checkpoints: on a GPU an epoch may take less time than writing one."""
SAID_SECONDS = 10.0
"""Least time between two lines about epochs."""
EIGHT_BITS = "images travelled as 8 bits a pixel, each stretched between its quantiles"
TABLE = "queue.txt"
"""File in the folder of the runs that says what is done and what waits."""

_ANY = Hardware()
State = Literal["done", "trained", "running", "stopped", "failed", "waiting"]


@dataclass(frozen=True)
class QueueRow:
    """How far one training of a queue is."""

    name: str
    state: State
    """"trained" has its weights and is not exported yet; "stopped" goes on at the next call."""
    epochs: int
    """Complete ones."""
    of: int
    best_score: float
    """Mean validation Dice of the epoch whose weights are kept, 0..1; NaN before the first, and where nobody
    validates."""
    images_per_second: float
    """Of its last epoch."""
    problem: str = ""
    """Why it failed."""


@dataclass
class _Progress:
    """What is known while a queue is worked through."""

    out: Path
    problems: dict[str, str] = field(default_factory=dict)
    first_epoch: float = 0.0
    """Longest time from the start of a training to the end of its first epoch: what beginning another may cost."""


def work_through(
    runs: Sequence[QueuedRun],
    packed_of: Callable[[QueuedRun], PackedDataset],
    out: Path,
    *,
    deadline: float = math.inf,
    hardware: Hardware = _ANY,
    reporter: ProgressReporter = SILENT,
) -> tuple[QueueRow, ...]:
    """Train what is not trained yet, in the given order; one that diverges makes room for the next.

    Args:
        runs: those that come first in front.
        packed_of: the packed cache of a run.
        out: folder of the runs.
        deadline: of `time.monotonic`; what is under way then keeps its checkpoint and goes on at the next call.
        hardware: devices.
        reporter: told of progress.

    Returns:
        A row for each run.

    Raises:
        UsageError: a folder holds another run.
        InputError: a cache or a checkpoint is damaged.
        WorkError: nothing can be written.
    """
    progress = _Progress(out)
    waiting = [run for run in runs if not run.is_trained(out)]
    with reporter.stage("queue") as on_progress:
        for done, run in enumerate(waiting):
            on_progress(done, len(waiting))
            if time.monotonic() + progress.first_epoch >= deadline:
                break
            _write_table(queue_rows(runs, out, running=run, problems=progress.problems), out)
            pace = Pace(deadline, CHECKPOINT_SECONDS)
            if not _train_one(run, packed_of(run), progress, pace, hardware, reporter):
                break
    rows = queue_rows(runs, out, problems=progress.problems)
    _write_table(rows, out)
    return rows


def _train_one(
    run: QueuedRun,
    packed: PackedDataset,
    progress: _Progress,
    pace: Pace,
    hardware: Hardware,
    reporter: ProgressReporter,
) -> bool:
    """Train one run as far as time allows, and say how that went; whether there is time for another."""
    from cardiotrace.learning.training.loop import DivergedError

    folder = run.folder(progress.out)
    with as_work_error(folder.path):
        folder.path.mkdir(parents=True, exist_ok=True)
    facts, note = run.facts, EIGHT_BITS if run.bits == 8 else ""
    data = TrainingData(
        packed,
        run.split,
        facts.scheme,
        facts.mirror_axes,
        run.start,
        facts.terms,
        run.fold,
        localiser=run.localiser,
        note=note,
    )
    teller = _Teller(run, reporter)
    with reporter.stage(f"training {run.name}") as on_progress:
        callbacks = RunCallbacks(lambda done, total, loss: on_progress(done, total), teller, reporter.say)
        try:
            checked = CheckedRun(run.recipe, folder)
            result = train(checked, data, callbacks=callbacks, hardware=hardware, pace=pace)
        except DivergedError as error:
            _LOG.info("%s diverged: %s", run.name, error)
            progress.problems[run.name] = error.what
            reporter.say(f"{run.name}: {error.what}")
            return True
        finally:
            forget_compiled()
    progress.first_epoch = max(progress.first_epoch, teller.first_epoch)
    reporter.say(_ended(run, result))
    return result.is_complete


def _ended(run: QueuedRun, result: TrainingResult) -> str:
    if not result.best_epoch:
        return f"{run.name}: there was no time for an epoch"
    scored = f", Dice {result.best_score:.4f}" if result.best_score >= 0 else ""
    told = f"{run.name}: the weights of epoch {result.best_epoch} are kept{scored}"
    return told if result.is_complete else f"{told}; time is over, it goes on from its checkpoint at the next call"


class _Teller:
    """Told of each finished epoch: says one in a while.

    Args:
        run: that is trained.
        reporter: who hears of it.
    """

    def __init__(self, run: QueuedRun, reporter: ProgressReporter) -> None:
        self.run, self.reporter = run, reporter
        self.began, self.said, self.first_epoch = time.monotonic(), -math.inf, 0.0

    def __call__(self, rows: Sequence[Row], is_kept: bool) -> None:
        """Tell of the last of the epochs so far."""
        now, epochs = time.monotonic(), self.run.recipe.training.epochs
        self.first_epoch = self.first_epoch or now - self.began
        if now - self.said >= SAID_SECONDS or rows[-1]["epoch"] == epochs:
            self.said = now
            is_chosen = is_kept and self.run.recipe.training.keep == "best"
            self.reporter.say(f"{self.run.name}: {epoch_line(rows[-1], is_chosen, epochs=epochs)}")


def queue_rows(
    runs: Sequence[QueuedRun], out: Path, *, running: QueuedRun | None = None, problems: dict[str, str] | None = None
) -> tuple[QueueRow, ...]:
    """How far each run is, from its folder.

    Args:
        runs: in order.
        out: folder of the runs.
        running: the one that is being trained.
        problems: why runs failed, by name.

    Raises:
        UsageError: a folder holds another run.
        InputError: a log cannot be read.
    """
    return tuple(_row(run, out, running == run, (problems or {}).get(run.name, "")) for run in runs)


def _row(run: QueuedRun, out: Path, is_running: bool, problem: str) -> QueueRow:
    rows = TrainingLog(run.folder(out).journal).rows()
    last = rows[-1] if rows else {}
    return QueueRow(
        run.name,
        _state(run, out, is_running=is_running, is_begun=bool(rows), problem=problem),
        int(last.get("epoch", 0)),
        run.recipe.training.epochs,
        _kept_score(rows, run.recipe.training.keep),
        float(last.get("images_per_second", math.nan)),
        problem,
    )


def _kept_score(rows: Sequence[Row], keep: Literal["best", "last"]) -> float:
    eligible = rows[-1:] if keep == "last" else rows
    return max((float(row["score"]) for row in eligible if "score" in row), default=math.nan)


def _state(run: QueuedRun, out: Path, *, is_running: bool, is_begun: bool, problem: str) -> State:
    if problem:
        return "failed"
    if is_running:
        return "running"
    if run.is_trained(out):
        folder = run.folder(out)
        last = folder.testing if run.is_of_crossval else folder.model
        return "done" if last.exists() else "trained"
    return "stopped" if is_begun else "waiting"


def table_text(rows: Sequence[QueueRow]) -> str:
    """The rows as plain text.

    Example:
        >>> print(table_text([QueueRow("camus-unet1", "stopped", 5, 24, 0.91234, 2500.4)]))
        run          state       epochs    Dice   images/s
        camus-unet1  stopped       5/24  0.9123       2500
    """
    width = max([len("run"), *(len(row.name) for row in rows)])
    lines = [f"{'run':<{width}}  {'state':<8}  {'epochs':>8}  {'Dice':>6}  {'images/s':>9}"]
    for row in rows:
        epochs = f"{row.epochs}/{row.of}"
        score = "" if math.isnan(row.best_score) else f"{row.best_score:.4f}"
        speed = "" if math.isnan(row.images_per_second) else f"{row.images_per_second:.0f}"
        lines.append(
            f"{row.name:<{width}}  {row.state:<8}  {epochs:>8}  {score:>6}  {speed:>9}  {row.problem}".rstrip()
        )
    return "\n".join(lines)


def _write_table(rows: Sequence[QueueRow], out: Path) -> None:
    with as_work_error(out):
        out.mkdir(parents=True, exist_ok=True)
    write_text(out / TABLE, table_text(rows) + "\n")
