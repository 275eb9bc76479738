"""A finished run to one sealed model file, scored on the run's validation part at native resolution."""

import dataclasses
import datetime
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.licence import Terms
from cardiotrace.core.terms import View
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.limits import shape_limits_to_plain
from cardiotrace.evaluation.outlier import fit_limits
from cardiotrace.evaluation.quantity import QUANTITIES
from cardiotrace.evaluation.table import outlier_rows, table_to_json
from cardiotrace.evaluation.threshold import best_threshold
from cardiotrace.inference.model_file import Model, open_seal, seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import ModelSpec, SchemeSpec, TrainingSpec
from cardiotrace.io import write_bytes, write_text
from cardiotrace.learning.export import sealed_model
from cardiotrace.learning.training.environment import read_environment
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, portable, without_places
from cardiotrace.learning.training.run import trained_model
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.metrics import Agreement
from cardiotrace.workflows.services.dataset import cases_of
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter
from cardiotrace.workflows.trained_run import TrainedRun, read_run

MODEL_SUFFIX = ".onnx"
PARITY_EXAMPLES = 8
"""Validation images on which the exported model must agree with the trained one."""


@dataclass(frozen=True)
class ExportConfig:
    """Which run, its data, and where the model goes."""

    run: Path
    data: Path | None = None
    out: Path | None = None
    """By default model.onnx in the run folder."""
    half_weights: bool = True
    cache: Path | None = None
    default_for: tuple[View, ...] = ()
    """Views for which the model is to be preferred over others."""


@dataclass(frozen=True)
class ExportResult:
    """The model and how it did."""

    path: Path
    spec: ModelSpec
    validation: CaseTable


def export_run(config: ExportConfig, watch: ProgressReporter = SILENT) -> ExportResult:
    """Export the best weights of a run, check parity with torch, score on validation, seal.

    Raises:
        UsageError: what is in the model's place is no model.
        InputError: the folder holds no finished epoch, or the data cannot be used.
        WorkError: the exported model differs from the trained one, or nothing can be written.
    """
    if config.out is not None:
        require_model_place(config.out)
    run = read_run(config.run, config.data, cache=config.cache, reporter=watch)
    return seal_run(run, config.out, half_weights=config.half_weights, default_for=config.default_for, watch=watch)


def seal_run(
    run: TrainedRun,
    out: Path | None = None,
    *,
    half_weights: bool = True,
    default_for: tuple[View, ...] = (),
    watch: ProgressReporter = SILENT,
) -> ExportResult:
    """Export the best weights of a run, check parity with torch, score on validation, seal.

    Args:
        run: the finished run.
        out: the model file; by default model.onnx in the run folder.
        half_weights: store the weights in float16.
        default_for: views for which the model is to be preferred over others.
        watch: told of progress.

    Raises:
        WorkError: the exported model differs from the trained one, or nothing can be written.
    """
    channels, classes = run.packed.images.shape[1], run.dataset.scheme.class_count
    network = trained_model(run.recipe, run.folder, channels=channels, classes=classes)
    spec = describe(run.recipe, run.dataset, run.split, run.folder)
    examples = _examples(run.packed, run.split, run.recipe)
    with watch.stage("exporting"):
        unscored = sealed_model(network, spec, examples=examples, half_weights=half_weights)
    model, table = calibrated(unscored, run.dataset, run.split, watch)
    path = out or run.folder.model
    spec = write_model(model, path, default_for, watch)
    write_text(run.folder.validation, table_to_json(table))
    return ExportResult(path, spec, table)


def calibrated(model: Model, dataset: Dataset, split: Split, watch: ProgressReporter) -> tuple[Model, CaseTable]:
    """A model with all that its training and validation parts tell: threshold, limits of shapes, scores.

    Returns:
        The model, and the table of its validation part.
    """
    cases = cases_of(dataset, split.validation)
    model = _with_threshold(model, cases, watch)
    model = _with_shape_limits(model, [*cases_of(dataset, split.training), *cases], watch)
    table = _score(model, cases, watch)
    sure = [row.confidence for row in table.rows if not math.isnan(row.confidence)]
    # Rounded down, or the very image would be called less sure than itself.
    lowest = math.floor(min(sure) * 1e4) / 1e4 if sure else None
    return resealed(model, scores={"validation": scores_of(table)}, lowest_confidence=lowest), table


def require_model_place(path: Path) -> None:
    """Refuse a place where no model can be named, or where a file lies that is none.

    Raises:
        UsageError: the name does not end in .onnx, or another file is there.
        WorkError: there is no folder for it.
    """
    if path.suffix != MODEL_SUFFIX:
        remedy = f"let it end in {MODEL_SUFFIX}: models are found by that."
        raise UsageError(f"--out {path.name} names no model file", remedy=remedy)
    require_replaceable(path, begins=("\x08",), what="model")


def write_model(model: Model, path: Path, default_for: tuple[View, ...], watch: ProgressReporter) -> ModelSpec:
    """Write a model file that is to be preferred for some views; returns its description."""
    model = resealed(model, default_for=default_for)
    write_bytes(path, model.content)
    watch.say(f"model: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return model.spec


def describe(recipe: Recipe, dataset: Dataset, split: Split, folder: RunFolder) -> ModelSpec:
    """What the model file says of itself, scores left out."""
    made = read_environment(folder.environment)
    rows = TrainingLog(folder.journal).rows()
    best = max(rows, key=lambda row: float(row["score"]))
    terms = Terms(**made["terms"]) if "terms" in made else Terms(dataset.licence, dataset.citation)
    counts = f"{len(split.training)} patients for training, {len(split.validation)} for validation"
    return ModelSpec(
        name=recipe.name,
        summary=recipe.summary,
        scheme=SchemeSpec(dataset.scheme.name, {str(key): value for key, value in dataset.scheme.values.items()}),
        views=dataset.views,
        modality=dataset.modality,
        classes=dataset.scheme.class_count,
        channels=recipe.preprocessing.channels(dataset.channels),
        preprocessing=recipe.preprocessing,
        postprocessing=recipe.postprocessing,
        mirror_axes=dataset.mirror_axes,
        within_field_of_view=any(case.read_field_of_view is not None for case in dataset.cases()),
        sector=None if recipe.augmentation.sector is None else recipe.augmentation.sector.variants(),
        architecture=recipe.architecture,
        training=TrainingSpec(
            data_set=dataset.name,
            split=f"{portable(recipe).data.split} ({counts})",
            fold=made.get("fold"),
            recipe=without_places(recipe),
            commit=made["commit"],
            seed=recipe.seed,
            versions=made["packages"],
            epochs=int(best["epoch"]),
            started_from=made.get("started_from", ""),
        ),
        licence=terms.licence,
        citation=terms.citation,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def scores_of(table: CaseTable) -> dict[str, Any]:
    """The scores that travel in a model file: region -> group -> score, agreement of EF, and outliers by phase."""
    regions: dict[str, Any] = {}
    joined = any("data_set" in row.groups for row in table.rows)
    for by in ("all", "phase", "data_set") if joined else ("all", "phase"):
        for item in table.summaries(by, scores=table.headline()):
            if item.score not in table.headline(item.region):
                continue
            group = regions.setdefault(item.region, {}).setdefault(item.group, {})
            if item.summary.count:
                group[item.score] = {"mean": round(item.summary.mean, 6), "sd": round(item.summary.sd, 6)}
            group |= {
                "n": item.summary.count,
                "absent": item.summary.absent,
                "false_negative": item.summary.false_negative,
            }
            group |= {"false_positive": item.summary.false_positive}
    scores: dict[str, Any] = {"regions": regions}
    agreement = table.agreement("left_ventricular_ejection_fraction_percent", "stated")
    if agreement.count:
        scores["left_ventricular_ejection_fraction_percent"] = _agreement(agreement)
    traced = {key: table.agreement(key, "traced") for key in QUANTITIES}
    if any(found.count for found in traced.values()):
        scores["against_reference_labels"] = {key: _agreement(found) for key, found in traced.items() if found.count}
    outliers = outlier_rows(table)
    return scores | ({"outliers": outliers} if outliers else {})


def _agreement(found: Agreement) -> dict[str, Any]:
    names = ("correlation", "bias", "sd", "mean_absolute_error")
    return {"n": found.count, **{name: round(getattr(found, name), 6) for name in names}}


def _examples(packed: PackedDataset, split: Split, recipe: Recipe) -> torch.Tensor:
    indices = packed.indices_of(split.validation)[:PARITY_EXAMPLES]
    return torch.from_numpy(recipe.preprocessing.normalise(packed.unit_images(indices)))


def _with_threshold(model: Model, cases: list[Case], watch: ProgressReporter) -> Model:
    """The model with the threshold that fits the validation part best, if it has a single structure."""
    if model.spec.classes != 2:
        return model
    with watch.stage("choosing the threshold") as tick:
        threshold = best_threshold(Predictor(model), cases, on_progress=tick)
    return resealed(model, threshold=threshold)


def _with_shape_limits(model: Model, cases: list[Case], watch: ProgressReporter) -> Model:
    """The model with the least simplicity and convexity of all references that it was made with."""
    with watch.stage("fitting the limits of shapes") as tick:
        limits = fit_limits(cases, on_progress=tick)
    return resealed(model, shape_limits=shape_limits_to_plain(limits))


def resealed(model: Model, **changes: Any) -> Model:
    """The model with other words about itself."""
    content = seal(model.content, dataclasses.replace(model.spec, **changes))
    return Model(open_seal(content), content)


def _score(model: Model, cases: list[Case], watch: ProgressReporter) -> CaseTable:
    with watch.stage("scoring on the validation part") as tick:
        return evaluate_predictor(Predictor(model), cases, on_progress=tick)
