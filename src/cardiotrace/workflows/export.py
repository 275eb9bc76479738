"""A finished run to one sealed model file, scored on the run's validation part at native resolution."""

import datetime
import logging
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cardiotrace.clinical.anatomy.flags import FLAGGED_BY
from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import CardioTraceError, InputError, ModelFileError, WorkError
from cardiotrace.core.exam import Case
from cardiotrace.core.licence import Terms
from cardiotrace.core.plain import parse_json
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.terms import View
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.limits import shape_limits_to_plain
from cardiotrace.evaluation.outlier import SHAPE_QUANTILE, fit_limits
from cardiotrace.evaluation.quality import FEWEST_PATIENTS, held_out_frames
from cardiotrace.evaluation.quantity import QUANTITIES
from cardiotrace.evaluation.shapes import shape_scores, valid_shapes
from cardiotrace.evaluation.table import outlier_rows, table_to_json
from cardiotrace.evaluation.threshold import best_threshold
from cardiotrace.inference.corrector import DECODER, Corrector
from cardiotrace.inference.model_file import JUDGE, LOCALISER, seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.shape_bank import ShapeBank
from cardiotrace.inference.sliding import filled
from cardiotrace.inference.spec import AdaptationSpec, Calibration, JudgeSpec, ModelSpec, SchemeSpec, TrainingSpec
from cardiotrace.io import write_text
from cardiotrace.learning.export import export_network, export_shapes
from cardiotrace.learning.features import with_features
from cardiotrace.learning.models.shape_autoencoder import ShapeAutoencoder
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.environment import read_environment
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, portable, window_of, without_places
from cardiotrace.learning.training.run import best_of, localiser_of, trained_model
from cardiotrace.learning.training.shapes import ShapeLearning
from cardiotrace.metrics import Agreement, Summary
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.report.card import REDRAWN
from cardiotrace.workflows.configs import ExportConfig
from cardiotrace.workflows.quality import known_rows, learned_of, trusted
from cardiotrace.workflows.services.dataset import cases_of
from cardiotrace.workflows.services.model_place import require_model_place, write_model
from cardiotrace.workflows.services.steps import read_postprocessing
from cardiotrace.workflows.targets import target_scores
from cardiotrace.workflows.trained_run import TrainedRun, read_run

_LOG = logging.getLogger(__name__)
PARITY_EXAMPLES = 8
"""Images on which the exported model must agree with the trained one: of validation, of training where nobody does."""
PARITY_VOLUMES = 2
"""The same of volumes, each of which shows as much."""


@dataclass(frozen=True)
class ExportResult:
    """The model and how it did."""

    path: Path
    spec: ModelSpec
    validation: CaseTable
    """Without rows where nobody validates."""
    testing: CaseTable = field(default_factory=lambda: CaseTable(()))
    """Of the targets' testing patients, where the recipe adapts; without rows elsewhere."""


def export_run(config: ExportConfig, reporter: ProgressReporter = SILENT) -> ExportResult:
    """Export the best weights of a run, check parity with torch, score on validation, seal.

    Raises:
        UsageError: what is in the model's place is no model.
        InputError: the folder holds no finished epoch, or the data cannot be used.
        WorkError: the exported model differs from the trained one, or nothing can be written.
    """
    if config.out is not None:
        require_model_place(config.out)
    run = read_run(config.run, config.data, cache=config.cache, reporter=reporter)
    if config.postprocessing is not None:
        run = replace(run, recipe=replace(run.recipe, postprocessing=read_postprocessing(config.postprocessing)))
    return seal_run(
        run, config.out, half_weights=config.half_weights, default_for=config.default_for, reporter=reporter
    )


def seal_run(
    run: TrainedRun,
    out: Path | None = None,
    *,
    half_weights: bool = True,
    default_for: tuple[View, ...] = (),
    reporter: ProgressReporter = SILENT,
) -> ExportResult:
    """Export the best weights of a run, check parity with torch, score on validation, seal.

    Args:
        run: the finished run.
        out: the model file; by default model.onnx in the run folder.
        half_weights: store the weights in float16.
        default_for: views for which the model is to be preferred over others.
        reporter: told of progress.

    Raises:
        WorkError: the exported model differs from the trained one, or nothing can be written.
    """
    if run.recipe.shapes is not None:
        return _sealed_corrector(run, run.recipe.shapes, out or run.folder.model, reporter)
    channels, classes = run.packed.images.shape[1], run.dataset.scheme.class_count
    network = trained_model(run.recipe, run.folder, channels=channels, classes=classes)
    window = window_of(run.recipe, run.packed.labels.shape[1:], network.divisor)
    draft = describe(run.recipe, run.dataset, run.split, run.folder)
    judge = _judge_of(run.folder)
    draft = replace(draft, default_for=default_for, dimensions=run.recipe.axes, window=window, judge=judge)
    examples = _examples(run, window)
    with reporter.stage("exporting"):
        graph = with_features(
            export_network(network, draft.preprocessing, examples=examples, half_weights=half_weights, window=window)
        )
    localiser = localiser_of(run.recipe, run.folder)
    predictor = Predictor.of_graph(draft, graph, localiser=localiser)
    spec, table = calibrated(predictor, run.dataset, run.split, reporter, adaptation=run.recipe.adaptation)
    spec = _with_learned(predictor.described_by(spec), graph, cases_of(run.dataset, run.split.training), reporter)
    path = out or run.folder.model
    further = {} if localiser is None else {LOCALISER: localiser.graph}
    if judge is not None:
        further[JUDGE] = run.folder.judge.read_bytes()
    write_model(path, seal(graph, spec, graphs=further), reporter)
    if table.rows:
        write_text(run.folder.validation, table_to_json(table))
    return ExportResult(path, spec, table, target_scores(run, path, reporter))


def _judge_of(folder: RunFolder) -> JudgeSpec | None:
    """What is to be known of the network that judges answers; None where the training made none.

    Raises:
        InputError: it is damaged.
    """
    if not folder.judge_facts.exists():
        return None
    try:
        return from_plain(JudgeSpec, parse_json(folder.judge_facts.read_bytes()))
    except (OSError, CardioTraceError) as error:
        raise InputError(f"is no description of a judge: {error}", where=folder.judge_facts) from None


def _sealed_corrector(run: TrainedRun, shapes: ShapeLearning, path: Path, reporter: ProgressReporter) -> ExportResult:
    """The corrector of a finished run, with the valid shapes of its training part."""
    classes = run.dataset.scheme.class_count
    network = trained_model(run.recipe, run.folder, channels=classes, classes=classes)
    if not isinstance(network, ShapeAutoencoder):
        raise WorkError(f"architecture {run.recipe.architecture.name!r} codes no shapes")
    draft = describe(run.recipe, run.dataset, run.split, run.folder)
    empty = ShapeBank(draft.views, network.config.side, network.config.code, FLAGGED_BY, shapes.lowest_dice)
    # It analyses no exam by itself, and sees no images: what was done to those beside its labels is nothing to it.
    draft = replace(draft, views=(), preprocessing=Preprocessing([]), channels=classes, mirror_axes=(), corrects=empty)
    with reporter.stage("exporting"):
        indices = run.packed.indices_of(run.split.training)[:PARITY_EXAMPLES]
        maps = network.averaged(torch.from_numpy(run.packed.labels[indices].astype(np.int64)))
        encoder, decoder = export_shapes(network, maps)
    corrector = Corrector(draft, encoder, decoder)
    with reporter.stage("coding the valid shapes") as on_progress:
        bank = valid_shapes(corrector, cases_of(run.dataset, run.split.training), on_progress, most=shapes.known)
    spec = replace(draft, corrects=bank)
    validation = cases_of(run.dataset, run.split.validation)
    if validation:
        with reporter.stage("scoring on the validation part") as on_progress:
            scores = shape_scores(corrector.described_by(spec), validation, on_progress)
        spec = replace(spec, scores={REDRAWN: scores})
    write_model(path, seal(encoder, spec, graphs={DECODER: decoder}), reporter)
    return ExportResult(path, spec, CaseTable(()))


def calibrated(
    predictor: Predictor,
    dataset: Dataset,
    split: Split,
    reporter: ProgressReporter,
    *,
    adaptation: Adaptation | None = None,
) -> tuple[ModelSpec, CaseTable]:
    """A draft completed by all that training and validation parts tell: threshold, limits of shapes, scores.

    Args:
        predictor: the network under its draft.
        dataset: what it learned from.
        split: in which parts.
        reporter: told of progress.
        adaptation: whose references are not looked at, here no more than in training.

    Returns:
        The description, ready to be sealed, and the table of its validation part: where nobody validates it is empty,
        and the description has neither scores nor threshold nor lowest confidence, and where fewer than
        `FEWEST_PATIENTS` do, it does not tell what is to be expected of labels.
    """
    seen = cases_of(dataset, split.training)
    known, cases = (
        group if adaptation is None else [case for case in group if adaptation.teaches(case)]
        for group in (seen, cases_of(dataset, split.validation))
    )
    calibration = Calibration(
        threshold=_best_threshold(predictor, cases, reporter) if cases else None,
        shape_limits=_shape_limits([*known, *cases], reporter),
        shape_quantile=SHAPE_QUANTILE,
    )
    # Scored with what was just fitted, as whoever opens the file will use it.
    spec = replace(predictor.spec, calibration=calibration)
    if not cases:
        return spec, CaseTable(())
    with reporter.stage("scoring on the validation part") as on_progress:
        table = evaluate_predictor(predictor.described_by(spec), cases, on_progress=on_progress)
    lowest = replace(calibration, lowest_confidence=_lowest_confidence(table))
    if len({case.patient for case in cases}) >= FEWEST_PATIENTS:
        with reporter.stage("fitting what is to be expected of labels") as on_progress:
            frames = held_out_frames(predictor.described_by(spec), cases, on_progress=on_progress)
        rows = known_rows(predictor, seen, reporter)
        lowest = trusted(replace(spec, calibration=lowest), frames, rows)
    return replace(spec, calibration=lowest, scores={"validation": scores_of(table)}), table


def _with_learned(predictor: Predictor, graph: bytes, learned: list[Case], reporter: ProgressReporter) -> ModelSpec:
    """The description with what the training images are like, where the network can be adapted to others."""
    try:
        found = learned_of(predictor, graph, learned, reporter)
    except ModelFileError as error:
        _LOG.info("it is not told what the training images are like: %s", error.what)
        return predictor.spec
    return replace(predictor.spec, calibration=replace(predictor.spec.calibration, learned=found))


def _best_threshold(predictor: Predictor, cases: list[Case], reporter: ProgressReporter) -> float | None:
    """The threshold that fits cases best, for a network of a single structure; None for others."""
    if predictor.spec.classes != 2:
        return None
    with reporter.stage("choosing the threshold") as on_progress:
        return best_threshold(predictor, cases, on_progress=on_progress)


def _shape_limits(cases: list[Case], reporter: ProgressReporter) -> dict[str, dict[str, float]]:
    """Limits of the shapes of references, as a description holds them."""
    with reporter.stage("fitting the limits of shapes") as on_progress:
        return shape_limits_to_plain(fit_limits(cases, on_progress=on_progress))


def _lowest_confidence(table: CaseTable) -> float | None:
    sure = [row.confidence for row in table.rows if not math.isnan(row.confidence)]
    # Rounded down, or the very image would be called less sure than itself.
    return math.floor(min(sure) * 1e4) / 1e4 if sure else None


def describe(recipe: Recipe, dataset: Dataset, split: Split, folder: RunFolder) -> ModelSpec:
    """What the model file says of itself, scores left out."""
    environment = read_environment(folder.environment)
    terms = Terms(**environment["terms"]) if "terms" in environment else Terms(dataset.licence, dataset.citation)
    localiser = localiser_of(recipe, folder)
    return ModelSpec(
        name=recipe.name,
        summary=recipe.summary,
        scheme=SchemeSpec(dataset.scheme.name, {str(key): value for key, value in dataset.scheme.values.items()}),
        views=dataset.views if recipe.views is None else recipe.views,
        modality=dataset.modality,
        classes=dataset.scheme.class_count,
        channels=recipe.channels_seen(recipe.preprocessing.channels(dataset.channels)),
        neighbours=recipe.neighbours,
        neighbours_of=recipe.neighbours_of,
        preprocessing=recipe.preprocessing,
        postprocessing=recipe.postprocessing,
        mirror_axes=dataset.mirror_axes,
        localiser=None if localiser is None else localiser.spec,
        within_field_of_view=any(case.read_field_of_view is not None for case in dataset.cases()),
        sector=None if recipe.augmentation.sector is None else recipe.augmentation.sector.variants(),
        architecture=recipe.architecture,
        training=_training_of(recipe, dataset, split, environment, best_of(folder).epoch),
        licence=terms.licence,
        citation=terms.citation,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def _training_of(
    recipe: Recipe, dataset: Dataset, split: Split, environment: dict[str, Any], epochs: int
) -> TrainingSpec:
    counts = f"{len(split.training)} patients for training, {len(split.validation)} for validation"
    return TrainingSpec(
        data_set=dataset.name,
        split=f"{recipe.data.leave_out or portable(recipe).data.split} ({counts})",
        fold=environment.get("fold"),
        recipe=without_places(recipe),
        commit=environment["commit"],
        seed=recipe.seed,
        versions=environment["packages"],
        epochs=epochs,
        started_from=environment.get("started_from", ""),
        pseudo_labels=environment.get("pseudo_labels", ""),
        adaptation=from_plain(AdaptationSpec, told) if (told := environment.get("adaptation")) else None,
    )


def scores_of(table: CaseTable) -> dict[str, Any]:
    """The scores that travel in a model file: region -> group -> score, agreement of EF, and outliers by phase."""
    scores: dict[str, Any] = {"regions": _region_scores(table)}
    agreement = table.agreement("left_ventricular_ejection_fraction_percent", "stated")
    if agreement.count:
        scores["left_ventricular_ejection_fraction_percent"] = _agreement(agreement)
    traced = {key: table.agreement(key, "traced") for key in QUANTITIES}
    if any(found.count for found in traced.values()):
        scores["against_reference_labels"] = {key: _agreement(found) for key, found in traced.items() if found.count}
    outliers = outlier_rows(table)
    return scores | ({"outliers": outliers} if outliers else {})


def _region_scores(table: CaseTable) -> dict[str, Any]:
    """Region -> group -> score: mean and SD, and how many images it was counted on."""
    regions: dict[str, Any] = {}
    # Tables of older programs call the part of a joined data set "data_set".
    joined = [key for key in ("dataset", "data_set") if any(key in row.groups for row in table.rows)]
    for by in ("all", "phase", *joined):
        for item in table.summaries(by, scores=table.headline()):
            if item.score in table.headline(item.region):
                group = regions.setdefault(item.region, {}).setdefault(item.group, {})
                group |= _summary_entries(item.score, item.summary)
    return regions


def _summary_entries(score: str, summary: Summary) -> dict[str, Any]:
    counts = {
        "n": summary.count,
        "absent": summary.absent,
        "false_negative": summary.false_negative,
        "false_positive": summary.false_positive,
    }
    mean = {"mean": round(summary.mean, 6), "sd": round(summary.sd, 6)}
    return ({score: mean} if summary.count else {}) | counts


def _agreement(found: Agreement) -> dict[str, Any]:
    """Its numbers; of one patient alone there is no correlation and no spread."""
    names = ("correlation", "bias", "sd", "mean_absolute_error")
    numbers = {name: round(getattr(found, name), 6) for name in names}
    return {"n": found.count, **{name: number for name, number in numbers.items() if math.isfinite(number)}}


def _examples(run: TrainedRun, window: tuple[int, ...] | None) -> torch.Tensor:
    """Prepared images, as large as the window where the network sees one."""
    count = PARITY_EXAMPLES if run.recipe.axes == 2 else PARITY_VOLUMES
    indices = run.packed.indices_of(run.split.validation or run.split.training)[:count]
    recipe = run.recipe
    images = run.packed.unit_images(indices, neighbours=recipe.neighbours, along=recipe.neighbours_of)
    preprocessing = recipe.preprocessing
    if window is None:
        return torch.from_numpy(preprocessing.normalise(images))
    parts = (image[(slice(None), *map(slice, window))] for image in images)
    return torch.from_numpy(np.stack([filled(preprocessing.normalised(part), window) for part in parts]))
