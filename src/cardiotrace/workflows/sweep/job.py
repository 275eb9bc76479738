"""One run of a sweep: trained, tested, and what came of it."""

import dataclasses
import math
import time
from dataclasses import dataclass

import numpy as np
from torch.nn import Module

from cardiotrace.core.config import from_plain, known_only, to_plain
from cardiotrace.core.contract import SWEEP_RESULT
from cardiotrace.core.errors import UsageError
from cardiotrace.core.plain import read_json
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.sweep import RUN_SCORES, RunResult, best_constant_dice
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.predict import TorchEngine, predict_planes
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.loop import DivergedError
from cardiotrace.learning.training.run import RunCallbacks, TrainingData, localiser_of, train, trained_model
from cardiotrace.learning.training.sweep import SweepRun
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.export import describe
from cardiotrace.workflows.services.dataset import cases_of
from cardiotrace.workflows.sweep.grid import grid_table
from cardiotrace.workflows.train import PlannedRun, check_planned, split_of_recipe, training_data

RESULT, GRID = "result.json", "testing-grid.json"
"""Files of a finished run: what came of it, and its testing part on the network's grid."""


@dataclass(frozen=True)
class Job:
    """One run and all that a process needs for it."""

    run: SweepRun
    folder: RunFolder
    hardware: Hardware

    def __str__(self) -> str:
        return self.run.name


@dataclass(frozen=True)
class JobResult:
    """What came of a run: its row of the tables, and what comparisons and plots are made of."""

    row: RunResult
    on_grid: CaseTable | None
    """The testing part on the network's grid; None where no epoch was finished."""
    curve: tuple[float, ...]
    """Validation score of each epoch, 0..1."""


def kept_result(job: Job) -> JobResult | None:
    """What a finished run gave, from its folder; None where it is not finished.

    Raises:
        UsageError: the folder holds a run of another recipe.
        InputError: its result cannot be read.
    """
    path = job.folder.path / RESULT
    if not path.exists():
        return None
    stored = read_json(path)
    stored = SWEEP_RESULT.read(stored, where=path)
    if stored.pop("recipe", None) != job.run.recipe.digest():
        raise UsageError(
            "holds a run of another recipe", where=job.folder.path, remedy="choose another --out, or delete that run."
        )
    grid = job.folder.path / GRID
    on_grid = read_case_table(grid) if grid.exists() else None
    return JobResult(from_plain(RunResult, known_only(RunResult, stored), path=str(path)), on_grid, _curve(job.folder))


def finish_run(job: Job, reporter: ProgressReporter = SILENT, *, opener: DataOpener) -> JobResult:
    """Train one run from where it is and test it; the result is kept in its folder.

    Args:
        job: which one.
        reporter: told of progress.
        opener: of the data.
    """
    started = time.perf_counter()
    folder, dataset = job.folder, opener.dataset(job.run.recipe.data.dataset)
    planned = planned_run(job, dataset)
    data = training_data(planned, opener, labeller=check_planned(planned, dataset).labeller)
    folder.path.mkdir(parents=True, exist_ok=True)
    is_diverged = not _trained(planned, dataset, data, reporter)
    tested = _tested(job, dataset, data) if folder.best.exists() else None
    row = _row(job, data, tested, is_diverged=is_diverged)
    row = dataclasses.replace(row, seconds=round(time.perf_counter() - started, 1))
    if tested is not None:
        write_text(folder.path / GRID, table_to_json(tested.on_grid))
        write_text(folder.testing, table_to_json(tested.native))
    write_json(folder.path / RESULT, SWEEP_RESULT.stamp({"recipe": job.run.recipe.digest(), **to_plain(row)}))
    folder.checkpoint.unlink(missing_ok=True)  # larger than all else together, and of no more use
    return JobResult(row, None if tested is None else tested.on_grid, _curve(folder))


def planned_run(job: Job, dataset: Dataset) -> PlannedRun:
    """The run as any other training, continued where it is."""
    split = split_of_run(job.run, dataset)
    return PlannedRun(job.run.recipe, split, job.folder, job.run.fold, resume=True, hardware=job.hardware)


def split_of_run(run: SweepRun, dataset: Dataset) -> Split:
    """Who trains, validates and tests it."""
    return split_of_recipe(run.recipe, dataset, run.fold)


def network_of(job: Job, dataset: Dataset, packed: PackedDataset) -> Module:
    """The best weights of a run.

    Raises:
        InputError: there are none.
    """
    channels, classes = packed.images.shape[1], dataset.scheme.class_count
    return trained_model(job.run.recipe, job.folder, channels=channels, classes=classes)


def _trained(planned: PlannedRun, dataset: Dataset, data: TrainingData, reporter: ProgressReporter) -> bool:
    """Train to the end; False where a number became none, which is a result as well."""
    with reporter.stage("training") as on_progress:
        callbacks = RunCallbacks(lambda done, total, loss: on_progress(done, total))
        try:
            train(check_planned(planned, dataset), data, callbacks=callbacks, hardware=planned.hardware)
        except DivergedError:
            return False
    return True


@dataclass(frozen=True)
class _Tested:
    """The testing part as the best weights see it."""

    on_grid: CaseTable
    native: CaseTable
    shares: tuple[float, ...]
    """Share of foreground that was predicted in each plane, 0..1."""


def _tested(job: Job, dataset: Dataset, data: TrainingData) -> _Tested:
    packed, network = data.packed, network_of(job, dataset, data.packed)
    testing = packed.indices_of(data.split.testing)
    recipe = job.run.recipe
    predicted = predict_planes(
        network, packed, testing, recipe.preprocessing, neighbours=recipe.neighbours, neighbours_of=recipe.neighbours_of
    )
    counted = packed.labels[testing] != IGNORED
    shares = [float((plane > 0)[inside].mean()) for plane, inside in zip(predicted, counted, strict=True)]
    spec = describe(recipe, dataset, data.split, job.folder)
    predictor = _predictor(spec, network, localiser_of(recipe, job.folder))
    return _Tested(
        on_grid=grid_table(dataset, packed, testing, predicted),
        native=evaluate_predictor(predictor, cases_of(dataset, data.split.testing)),
        shares=tuple(shares),
    )


def _predictor(spec: ModelSpec, network: Module, localiser: Localiser | None = None) -> Predictor:
    """A network that is in no file, as if it were."""
    return Predictor(spec, TorchEngine(network), localiser=localiser)


def _row(job: Job, data: TrainingData, tested: _Tested | None, *, is_diverged: bool) -> RunResult:
    rows = TrainingLog(job.folder.journal).rows()
    kept = rows[-1:] if job.run.recipe.training.keep == "last" else rows
    best = max(kept, key=lambda row: float(row["score"]), default={"score": 0.0, "epoch": 0})
    validation = data.packed.labels[data.packed.indices_of(data.split.validation)]
    shares = (0.0,) if tested is None else tested.shares
    return RunResult(
        name=job.run.name,
        variant=job.run.variant,
        settings=job.run.settings,
        seed=job.run.seed,
        fold=job.run.fold,
        epochs=len(rows),
        best_epoch=int(best["epoch"]),
        validation_dice=float(best["score"]),
        constant_dice=best_constant_dice(np.asarray(validation), data.scheme.class_count, ignore=IGNORED),
        lowest_share=min(shares),
        highest_share=max(shares),
        is_diverged=is_diverged,
        scores=_scores(tested),
    )


def _scores(tested: _Tested | None) -> dict[str, float]:
    """Means by the names of `RUN_SCORES`; where nothing was learned, nothing was found."""
    if tested is None:
        return dict.fromkeys(RUN_SCORES, 0.0)
    return {**_means(tested.on_grid, ""), **_means(tested.native, "native_")}


def _curve(folder: RunFolder) -> tuple[float, ...]:
    return tuple(float(row["score"]) for row in TrainingLog(folder.journal).rows())


def _means(table: CaseTable, prefix: str) -> dict[str, float]:
    """Mean over images and regions; what is absent does not count."""
    means = {}
    for score in ("dice", "jaccard"):
        values = [row.scores[score] for row in table.rows if not math.isnan(row.scores[score])]
        if values:
            means[f"{prefix}{score}"] = float(np.mean(values))
    return means


def result_line(result: RunResult) -> str:
    """One line about a finished run."""
    scores = f"Dice {result.scores.get('dice', math.nan):.3f}  IoU {result.scores.get('jaccard', math.nan):.3f}"
    verdict = f"  collapsed: {result.collapse}" if result.collapse else ""
    return (
        f"{result.name}  {scores}  best of {result.epochs} epochs: {result.best_epoch}  {result.seconds:.0f} s{verdict}"
    )
