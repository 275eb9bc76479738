"""A recipe with a `[sweep]` in; a run folder for each combination and seed, tables and figures out."""

import dataclasses
import json
import math
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch.nn import Module

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.score import Judged, score_case
from cardiotrace.evaluation.sweep import RunResult, best_constant_dice, collapse_of
from cardiotrace.evaluation.table import table_to_json
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.predictor import Predictor
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.predict import TorchEngine, predict_planes
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.journal import Journal
from cardiotrace.learning.training.loop import DivergedError
from cardiotrace.learning.training.recipe import Recipe
from cardiotrace.learning.training.run import Hardware, Material, RunWatch, train, trained_model
from cardiotrace.learning.training.sweep import SweepPlan, SweepRun, read_plan
from cardiotrace.metrics import dice
from cardiotrace.report.sweep import Cell, Example
from cardiotrace.workflows.data import cases_of, open_dataset, pack
from cardiotrace.workflows.export import describe
from cardiotrace.workflows.processes import in_processes
from cardiotrace.workflows.sweep_report import SweepReport, cell_of, write_report
from cardiotrace.workflows.train import material_of, split_of
from cardiotrace.workflows.watch import SILENT, Watch

RESULT, GRID, NATIVE = "result.json", "testing-grid.json", "testing.json"
"""Files of a finished run: what came of it, and its testing part on the network's grid and on the images' own."""


@dataclass(frozen=True)
class SweepConfig:
    """Which sweep, on what, how many runs at a time."""

    recipe: Path
    data: Path | None = None
    out: Path | None = None
    """By default runs/<name of the recipe>; one folder per run is made in it."""
    jobs: int = 1
    """Processes, each with its share of the processors."""
    overrides: dict[str, Any] = field(default_factory=dict)
    cache: Path | None = None
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class Job:
    """One run and all that a process needs for it."""

    run: SweepRun
    folder: Path
    config: SweepConfig


def run_sweep(config: SweepConfig, watch: Watch = SILENT) -> SweepReport:
    """Train and test every combination with every seed; runs that are finished already are not run again.

    Returns:
        Tables of runs, variants and comparisons; they and the figures are written into the folder of the runs.

    Raises:
        UsageError: the folder holds runs of another sweep, or `jobs` is below 1.
        ConfigError: a combination is no valid recipe.
        InputError: the data cannot be used.
        WorkError: nothing can be written.
    """
    if config.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {config.jobs}")
    plan = read_plan(config.recipe, config.overrides)
    out = config.out or Path("runs") / plan.name
    jobs = [Job(run, out / run.name, config) for run in plan.runs]
    results = {job.run.name: finished for job in jobs if (finished := read_result(job)) is not None}
    waiting = [job for job in jobs if job.run.name not in results]
    if results:
        watch.say(f"{len(results)} of {len(jobs)} runs are finished already")
    _pack_all(waiting, watch)
    with watch.stage(f"sweep {plan.name}") as tick:
        tick(len(results), len(jobs))
        for result in in_processes(finish_run, waiting, jobs=config.jobs):
            results[result.name] = result
            tick(len(results), len(jobs))
            watch.say(result_line(_judged(result, plan)))
    judged = [_judged(results[run.name], plan) for run in plan.runs]
    return write_report(plan, judged, out, partial(_example, plan, out, config))


def read_result(job: Job) -> RunResult | None:
    """What a finished run gave; None where it is not finished.

    Raises:
        UsageError: the folder holds a run of another recipe.
    """
    path = job.folder / RESULT
    if not path.exists():
        return None
    stored = json.loads(path.read_text())
    if stored.pop("recipe") != job.run.recipe.digest():
        raise UsageError(
            "holds a run of another recipe", where=job.folder, remedy="choose another --out, or delete that run."
        )
    return from_plain(RunResult, stored, path=str(path))


def finish_run(job: Job) -> RunResult:
    """Train one run from where it is, test it, and write down what came of it."""
    started = time.perf_counter()
    recipe, folder = job.run.recipe, RunFolder(job.folder)
    dataset = open_dataset(recipe.data.dataset, job.config.data)
    packed = pack(dataset, recipe.preparation, cache=job.config.cache)
    material = material_of(dataset, packed, _split(job.run, dataset), fold=job.run.fold)
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        train(recipe, material, folder, watch=_UNWATCHED, hardware=job.config.hardware, resume=True)
        is_diverged = False
    except DivergedError:
        is_diverged = True
    result = _tested(job, dataset, material, is_diverged=is_diverged)
    result = dataclasses.replace(result, seconds=round(time.perf_counter() - started, 1))
    write_json(folder.path / RESULT, {"recipe": recipe.digest(), **to_plain(result)})
    folder.checkpoint.unlink(missing_ok=True)  # larger than all else together, and of no more use
    return result


_UNWATCHED = RunWatch(lambda done, total, loss: None, lambda row, is_best: None)


def _split(run: SweepRun, dataset: Dataset) -> Split:
    return split_of(run.recipe.data, dataset, run.fold, seed=run.recipe.fold_seed)


def _tested(job: Job, dataset: Dataset, material: Material, *, is_diverged: bool) -> RunResult:
    recipe, folder, packed = job.run.recipe, RunFolder(job.folder), material.packed
    testing = packed.indices_of(material.split.testing)
    rows = Journal(folder.journal).rows()
    shares, scores = [0.0], dict.fromkeys(("dice", "jaccard", "native_dice", "native_jaccard"), 0.0)
    if folder.best.exists():
        network = _trained(recipe, folder, dataset, packed)
        predicted = predict_planes(network, packed, testing, recipe.preparation)
        counted = packed.labels[testing] != IGNORED
        shares = [float((plane > 0)[inside].mean()) for plane, inside in zip(predicted, counted, strict=True)]
        on_grid = grid_table(dataset, packed, testing, predicted)
        native = _native_table(job, dataset, material, network)
        for name, table in ((GRID, on_grid), (NATIVE, native)):
            write_text(folder.path / name, table_to_json(table))
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


def _trained(recipe: Recipe, folder: RunFolder, dataset: Dataset, packed: PackedDataset) -> Module:
    return trained_model(recipe, folder, channels=packed.images.shape[1], classes=dataset.scheme.class_count)


def grid_table(
    dataset: Dataset, packed: PackedDataset, indices: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]
) -> CaseTable:
    """Scores of predictions on the network's grid, where the packed labels are the reference."""
    cases = {case.name: case for case in dataset.cases()}
    named: dict[str, list[int]] = {}
    for place, index in enumerate(indices):
        named.setdefault(packed.planes[index].case, []).append(place)
    rows = []
    for name, places in named.items():
        planes = [packed.planes[indices[place]] for place in places]
        shape = (max(plane.time for plane in planes) + 1, max(plane.depth for plane in planes) + 1)
        found, known = (np.full((*shape, *predicted.shape[1:]), IGNORED, np.uint8) for _ in range(2))
        for place, plane in zip(places, planes, strict=True):
            found[plane.time, plane.depth] = predicted[place]
            known[plane.time, plane.depth] = packed.labels[indices[place]]
        rows += score_case(_judged_on_grid(cases[name], found, known, dataset.scheme))
    return CaseTable(tuple(rows), facts={"predicted": "on the network's grid", "reference": dataset.name})


def _judged_on_grid(
    case: Case, found: np.ndarray[Any, Any], known: np.ndarray[Any, Any], scheme: LabelScheme
) -> Judged:
    values = np.zeros(256, np.uint8)
    values[1 : scheme.class_count] = [scheme.value(structure) for structure in scheme.structures]
    inside = (known != IGNORED).all(axis=0)
    found, known = found * inside, known * inside
    kept = dataclasses.replace(case, read_field_of_view=lambda: inside)
    return Judged(kept, LabelMap(values[found], scheme, None), LabelMap(values[known], scheme, None))


def _native_table(job: Job, dataset: Dataset, material: Material, network: Module) -> CaseTable:
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


def _judged(result: RunResult, plan: SweepPlan) -> RunResult:
    """The result with the verdict that the sweep's own margin gives."""
    verdict = collapse_of(
        validation_dice=result.validation_dice,
        constant_dice=result.constant_dice,
        margin=plan.sweep.collapse_margin,
        shares=(result.lowest_share, result.highest_share),
        is_diverged=result.is_diverged,
    )
    return dataclasses.replace(result, collapse=verdict)


def result_line(result: RunResult) -> str:
    """One line about a finished run."""
    scores = f"Dice {result.scores.get('dice', math.nan):.3f}  IoU {result.scores.get('jaccard', math.nan):.3f}"
    verdict = f"  collapsed: {result.collapse}" if result.collapse else ""
    return (
        f"{result.name}  {scores}  best of {result.epochs} epochs: {result.best_epoch}  {result.seconds:.0f} s{verdict}"
    )


def _example(plan: SweepPlan, out: Path, config: SweepConfig) -> Example | None:
    """The first testing image of the first seed as every variant sees it; None where no variant learned anything."""
    found: dict[Cell, np.ndarray[Any, Any]] = {}
    pictures: list[np.ndarray[Any, Any]] = []
    known: list[np.ndarray[Any, Any]] = []
    for run in plan.runs:
        folder = RunFolder(out / run.name)
        if run.seed != plan.sweep.seeds[0] or not folder.best.exists():
            continue
        dataset = open_dataset(run.recipe.data.dataset, config.data)
        packed = pack(dataset, run.recipe.preparation, cache=config.cache)
        first = packed.indices_of(_split(run, dataset).testing)[:1]
        network = _trained(run.recipe, folder, dataset, packed)
        predicted = predict_planes(network, packed, first, run.recipe.preparation)[0]
        found[cell_of(run.settings)] = predicted
        pictures.append(packed.unit_images(first)[0])
        known.append(np.asarray(packed.labels[first[0]]))
    sizes = {picture.shape[1:] for picture in pictures}
    if len(sizes) != 1:
        return None  # nothing learned, or variants of unlike sizes, which have no picture in common
    return example_of(max(pictures, key=len), known[0], found)


def example_of(
    image: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], found: dict[Cell, np.ndarray[Any, Any]]
) -> Example:
    """The example with its scores; `image` is (channels, height, width) in unit range."""
    counts = labels != IGNORED
    colours = np.moveaxis(image if len(image) == 3 else np.repeat(image[:1], 3, axis=0), 0, -1)
    scores = {cell: dice((classes > 0)[counts], (labels > 0)[counts]) for cell, classes in found.items()}
    return Example(colours, labels * counts, counts, found, scores)


def _pack_all(jobs: list[Job], watch: Watch) -> None:
    """Make every cache before processes look for them at the same time."""
    seen = set()
    for job in jobs:
        recipe = job.run.recipe
        key = json.dumps([to_plain(recipe.data.dataset), to_plain(recipe.preparation)], sort_keys=True)
        if key not in seen:
            seen.add(key)
            dataset = open_dataset(recipe.data.dataset, job.config.data)
            _split(job.run, dataset)
            pack(dataset, recipe.preparation, cache=job.config.cache, watch=watch)
