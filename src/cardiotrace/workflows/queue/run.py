"""A queue from its list, or from a folder that was packed elsewhere, to trained, exported and scored models."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.errors import UsageError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.workflows.configs import CrossvalConfig, ExportConfig, QueueConfig
from cardiotrace.workflows.queue.bring import bring, take
from cardiotrace.workflows.queue.parcel import Parcel, read_parcel, write_parcel
from cardiotrace.workflows.queue.queued import QueuedRun
from cardiotrace.workflows.queue.work import QueueRow, queue_rows, work_through

if TYPE_CHECKING:  # it knows how models are exported, which a machine that only trains need not
    from cardiotrace.workflows.queue.plan import PlannedEntry


@dataclass(frozen=True)
class QueueReport:
    """How far the trainings of a queue are."""

    rows: tuple[QueueRow, ...]


def run_queue(config: QueueConfig, reporter: ProgressReporter = SILENT) -> QueueReport:
    """Train what waits in a queue, in order and as long as there is time; or pack it, take it home, show it.

    Args:
        config: which trainings, for how long, and whether they travel.
        reporter: told of progress.

    Returns:
        A row for each training.

    Raises:
        ConfigError: the list or a recipe is wrong.
        UsageError: a folder holds another run, or a packed folder is to be packed.
        InputError: the data, a parcel or what was brought cannot be used.
        WorkError: an exported model differs from the trained one, or nothing can be written.
    """
    deadline = math.inf if config.minutes is None else time.monotonic() + 60 * config.minutes
    if config.queue.is_dir():
        return _away(config, deadline, reporter)
    return _at_home(config, deadline, reporter)


def _away(config: QueueConfig, deadline: float, reporter: ProgressReporter) -> QueueReport:
    """Work through a parcel: nothing is exported or scored, for that takes the data."""
    if config.pack is not None or config.take is not None:
        remedy = "give the .toml list that it was made of."
        raise UsageError("--pack and --take are of the machine with the data", where=config.queue, remedy=remedy)
    parcel = read_parcel(config.queue)
    if config.show:
        return QueueReport(queue_rows(parcel.runs, config.out))
    parcel.lay_out_begun(config.out)
    rows = _worked(parcel.runs, parcel.packed, config, deadline, reporter)
    reporter.say("weights and logs are in the run folders; at home `cardiotrace queue LIST --take` exports and scores")
    return QueueReport(rows)


def _worked(
    runs: Sequence[QueuedRun],
    packed_of: Callable[[QueuedRun], PackedDataset],
    config: QueueConfig,
    deadline: float,
    reporter: ProgressReporter,
) -> tuple[QueueRow, ...]:
    """Train, and bring what there is whatever ends the training."""
    try:
        return work_through(runs, packed_of, config.out, deadline=deadline, hardware=config.hardware, reporter=reporter)
    finally:
        if config.bring is not None:
            sizes = {"most_mib": config.most_mib, "file_mib": config.file_mib}
            bring(runs, config.out, config.bring, **sizes, reporter=reporter)


def _at_home(config: QueueConfig, deadline: float, reporter: ProgressReporter) -> QueueReport:
    from cardiotrace.workflows.queue.plan import plan_queue

    entries = plan_queue(config, reporter)
    runs = tuple(run for entry in entries for run in entry.runs)
    owners = {run.name: entry for entry in entries for run in entry.runs}
    if config.pack is not None:
        _pack(runs, owners, config.pack, config.out, reporter)
    elif config.take is not None:
        take(config.take, config.out, runs, reporter)
    elif not config.show:
        _worked(runs, lambda run: owners[run.name].packed(run, reporter), config, deadline, reporter)
    if config.pack is None and not config.show:
        for entry in entries:
            _finish(entry, config.out, reporter)
        # Who begins with a run of this list could not be planned before that was trained.
        if config.take is None and len(plan_queue(config)) > len(entries):
            return _at_home(config, deadline, reporter)
    return QueueReport(queue_rows(runs, config.out))


def _pack(
    runs: Sequence[QueuedRun],
    owners: "dict[str, PlannedEntry]",
    folder: Path,
    out: Path,
    reporter: ProgressReporter,
) -> Parcel | None:
    waiting = [run for run in runs if not run.is_trained(out)]
    if not waiting:
        reporter.say("nothing waits: all trainings of the list are done")
        return None
    caches = {run.name: owners[run.name].packed(run, reporter) for run in waiting}
    return write_parcel(waiting, caches, folder, out, reporter)


def _finish(entry: "PlannedEntry", out: Path, reporter: ProgressReporter) -> None:
    """Export and score the trained runs of an entry that are not done, as the verbs that train them do."""
    from cardiotrace.workflows.crossval import crossval
    from cardiotrace.workflows.export import export_run

    trained = [run for run in entry.runs if run.is_trained(out)]
    if isinstance(entry.config, CrossvalConfig):
        folds = tuple(run.fold for run in trained if run.fold is not None)
        if any(not run.folder(out).testing.exists() for run in trained):
            crossval(replace(entry.config, only=folds), reporter)
        return
    for run in trained:
        if not run.folder(out).model.exists():
            export_run(
                ExportConfig(run=run.folder(out).path, data=entry.config.data, cache=entry.config.cache), reporter
            )
