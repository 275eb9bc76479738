"""One run of a sweep: trained, tested, and what came of it."""

import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch.nn import Module

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.plain import read_json
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.sweep import RunResult, best_constant_dice
from cardiotrace.evaluation.table import table_to_json
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.predictor import Predictor
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.predict import TorchEngine, predict_planes
from cardiotrace.learning.training.distillation import StudentRequirements
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.loop import DivergedError
from cardiotrace.learning.training.run import TrainingData, check_run, train, trained_model
from cardiotrace.learning.training.sweep import SweepRun
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.workflows.data import cases_of, open_dataset, pack
from cardiotrace.workflows.export import describe
from cardiotrace.workflows.sweep.grid import grid_table
from cardiotrace.workflows.train import RecipeConfig, split_of, training_data_of

RESULT, GRID = "result.json", "testing-grid.json"
"""Files of a finished run: what came of it, and its testing part on the network's grid."""


@dataclass(frozen=True)
class SweepConfig(RecipeConfig):
    """Which sweep, on what, how many runs at a time; one folder per run is made in `out`."""

    jobs: int = 1
    """Processes, each with its share of the processors."""


@dataclass(frozen=True)
class Job:
    """One run and all that a process needs for it."""

    run: SweepRun
    folder: Path
    config: SweepConfig


def read_result(job: Job) -> RunResult | None:
    """What a finished run gave; None where it is not finished.

    Raises:
        UsageError: the folder holds a run of another recipe.
        InputError: its result cannot be read.
    """
    path = job.folder / RESULT
    if not path.exists():
        return None
    stored = read_json(path)
    if not isinstance(stored, dict):
        raise InputError("is no result of a run", where=path, remedy="delete it, and the run is tested again.")
    if stored.pop("recipe", None) != job.run.recipe.digest():
        raise UsageError(
            "holds a run of another recipe", where=job.folder, remedy="choose another --out, or delete that run."
        )
    return from_plain(RunResult, stored, path=str(path))


def finish_run(job: Job) -> RunResult:
    """Train one run from where it is, test it, and write down what came of it."""
    started = time.perf_counter()
    recipe, folder = job.run.recipe, RunFolder(job.folder)
    dataset = open_dataset(recipe.data.dataset, job.config.data)
    packed = pack(dataset, recipe.preprocessing, cache=job.config.cache)
    material = training_data_of(dataset, packed, split_of_run(job.run, dataset), fold=job.run.fold)
    folder.path.mkdir(parents=True, exist_ok=True)
    student = StudentRequirements(dataset.scheme, recipe.preprocessing, packed.images.shape[1])
    try:
        train(check_run(recipe, folder, material.split, student, resume=True), material, hardware=job.config.hardware)
        is_diverged = False
    except DivergedError:
        is_diverged = True
    result = _tested(job, dataset, material, is_diverged=is_diverged)
    result = dataclasses.replace(result, seconds=round(time.perf_counter() - started, 1))
    write_json(folder.path / RESULT, {"recipe": recipe.digest(), **to_plain(result)})
    folder.checkpoint.unlink(missing_ok=True)  # larger than all else together, and of no more use
    return result


def split_of_run(run: SweepRun, dataset: Dataset) -> Split:
    """Who trains, validates and tests it."""
    return split_of(run.recipe.data, dataset, run.fold, seed=run.recipe.fold_seed)


def _tested(job: Job, dataset: Dataset, material: TrainingData, *, is_diverged: bool) -> RunResult:
    recipe, folder, packed = job.run.recipe, RunFolder(job.folder), material.packed
    testing = packed.indices_of(material.split.testing)
    rows = TrainingLog(folder.journal).rows()
    shares, scores = [0.0], dict.fromkeys(("dice", "jaccard", "native_dice", "native_jaccard"), 0.0)
    if folder.best.exists():
        network = network_of(job, dataset, packed)
        predicted = predict_planes(network, packed, testing, recipe.preprocessing)
        counted = packed.labels[testing] != IGNORED
        shares = [float((plane > 0)[inside].mean()) for plane, inside in zip(predicted, counted, strict=True)]
        on_grid = grid_table(dataset, packed, testing, predicted)
        native = _native_table(job, dataset, material, network)
        for path, table in ((folder.path / GRID, on_grid), (folder.testing, native)):
            write_text(path, table_to_json(table))
        scores = {**_means(on_grid, ""), **_means(native, "native_")}
    best = max(rows, key=lambda row: float(row["score"]), default={"score": 0.0, "epoch": 0})
    validation = packed.labels[packed.indices_of(material.split.validation)]
    return RunResult(
        name=job.run.name,
        variant=job.run.variant,
        settings=job.run.settings,
        seed=job.run.seed,
        fold=job.run.fold,
        epochs=len(rows),
        best_epoch=int(best["epoch"]),
        validation_dice=float(best["score"]),
        constant_dice=best_constant_dice(np.asarray(validation), dataset.scheme.class_count, ignore=IGNORED),
        lowest_share=min(shares),
        highest_share=max(shares),
        is_diverged=is_diverged,
        scores=scores,
    )


def network_of(job: Job, dataset: Dataset, packed: PackedDataset) -> Module:
    """The best weights of a run.

    Raises:
        InputError: there are none.
    """
    channels, classes = packed.images.shape[1], dataset.scheme.class_count
    return trained_model(job.run.recipe, RunFolder(job.folder), channels=channels, classes=classes)


def _native_table(job: Job, dataset: Dataset, material: TrainingData, network: Module) -> CaseTable:
    spec = describe(job.run.recipe, dataset, material.split, RunFolder(job.folder))
    predictor = Predictor(Model(spec, b""), engine=TorchEngine(network))
    return evaluate_predictor(predictor, cases_of(dataset, material.split.testing))


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
