"""Labels or a model against a reference."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.label import LabelScheme
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import CaseTable, require_group
from cardiotrace.evaluation.evaluate import (
    PredictCase,
    evaluate_labels,
    evaluate_observer,
    evaluate_predictor,
    predict_from_labels,
    predict_with_model,
)
from cardiotrace.evaluation.limits import OutlierLimits
from cardiotrace.evaluation.pairing import folder_cases, label_files
from cardiotrace.evaluation.score import case_groups
from cardiotrace.evaluation.selection import GroupFilter, select_items
from cardiotrace.evaluation.table import TABLE_BEGINS, case_rows, table_to_json, to_text
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.io import write_text
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.workflows.data import K_FOLD, OFFICIAL, cases_of, choose_split, open_dataset
from cardiotrace.workflows.limits import FIT, named_limits
from cardiotrace.workflows.progress import SILENT, ProgressReporter, Tick
from cardiotrace.workflows.segment import given_spacing, known_scheme

Part = Literal["training", "validation", "testing", "all"]


@dataclass(frozen=True)
class EvaluateConfig:
    """What to score against what."""

    predicted: str
    """A folder of label maps, or the name or path of a model."""
    reference: Path
    """A folder of label maps, or the folder of a data set."""
    dataset: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    part: Part = "all"
    split: str = OFFICIAL
    """Name of one of the data set's own splits, or "k-fold"."""
    fold: int | None = None
    """Number of a fold, from 1."""
    folds: int | None = None
    """Number of folds, for "k-fold"; 5 if nothing is said."""
    fold_seed: int | None = None
    """Who is in which fold, for "k-fold": the seed of the recipe; 0 if nothing is said."""
    scheme: str | None = None
    spacing_mm: tuple[float, ...] | None = None
    """(height, width) or (height, width, slice distance), mm, of two folders of label maps."""
    test_time_augmentation: bool = False
    only: GroupFilter = field(default_factory=dict)
    """Groups to score, by group key; empty scores all."""
    limits: tuple[str, ...] = ()
    """What counts as an outlier: names of presets, of models, or "fit"; empty takes what comes with the prediction."""
    by: str = "phase"
    """Groups of the plots."""
    out: Path | None = None
    """Where the table of cases goes: .json (can be compared later) or .csv; that of a second observer goes beside it
    with "_observer" in its name."""
    plots: Path | None = None
    """Folder for box plots and plots of agreement."""
    gallery: Path | None = None
    """Folder for images of the worst cases."""
    worst: int = 10
    """How many of them."""


@dataclass(frozen=True)
class Evaluated:
    """Scores of predictions, and of a second observer on the same cases."""

    table: CaseTable
    observer: CaseTable | None = None
    """How far people agree; None where only one has traced the cases."""


@dataclass(frozen=True)
class _EvaluationTask:
    """What is to be scored, and how its predictions come about."""

    cases: list[Case]
    judge: PredictCase
    score: Callable[[list[Case], Tick], CaseTable]
    limits: OutlierLimits | None


def evaluate(config: EvaluateConfig, watch: ProgressReporter = SILENT) -> Evaluated:
    """Score predictions case by case, and a second observer where the data set has one.

    Raises:
        UsageError: a model without a data set, words that would have no effect, groups that no case has, limits that
            cannot be had, or a file in the table's place that is none.
        InputError: nothing to compare.
        WorkError: nothing can be written.
    """
    if config.worst < 1:
        raise UsageError(f"the worst {config.worst} cases cannot be shown", remedy="give --worst 1 or more.")
    _require_used(config)
    if config.out is not None:
        _require_table(config.out)
    task = _task(config, watch)
    require_group(config.by, map(case_groups, task.cases))
    for folder in (config.plots, config.gallery):
        if folder is not None:
            with as_work_error(folder):  # before the work, not after it
                folder.mkdir(parents=True, exist_ok=True)
    with watch.stage("scoring") as tick:
        table = task.score(task.cases, tick)
    if task.limits is not None:
        table = replace(table, limits=task.limits)
    scored = set(table.cases)
    done = Evaluated(table, evaluate_observer([case for case in task.cases if case.name in scored]))
    if config.out is not None:
        _write(done.table, config.out)
        if done.observer is not None:
            _write(done.observer, _observer_path(config.out))
    _draw(done.table, task, config, watch)
    return done


def _require_used(config: EvaluateConfig) -> None:
    """Refuse words that would be passed over: whoever gave them would take the scores for those of something else."""
    split = {
        "--part": None if config.part == "all" else config.part,
        "--split": None if config.split == OFFICIAL else config.split,
        "--fold": config.fold,
        "--folds": config.folds,
        "--fold-seed": config.fold_seed,
    }
    given = [name for name, value in split.items() if value is not None]
    if config.dataset is None and given:
        raise UsageError(f"{given[0]} is for data sets", remedy="say which one REFERENCE is with --dataset.")
    if config.dataset is not None and config.scheme is not None:
        raise UsageError("--scheme is for two folders of label maps", remedy="a data set has a scheme of its own.")
    if given and config.part == "all" and FIT not in config.limits:
        remedy = "say what of it to score on, such as --part testing."
        raise UsageError(f"{given[0]} has no effect with --part all", remedy=remedy)
    if (config.folds, config.fold_seed) != (None, None) and config.split != K_FOLD:
        name = "--folds" if config.folds is not None else "--fold-seed"
        raise UsageError(f"{name} is for folds that are made here", remedy=f"give --split {K_FOLD} with it.")


def _require_table(path: Path) -> None:
    """Refuse a place for the table before the work that would be lost, or a file in it that somebody needs."""
    if path.suffix not in (".json", ".csv"):
        raise UsageError(f"--out {path.name} names no kind of table", remedy="let it end in .json or .csv.")
    for file in (path, _observer_path(path)):
        require_replaceable(file, begins=TABLE_BEGINS, what="table of cases")


def _observer_path(path: Path) -> Path:
    return path.with_stem(f"{path.stem}_observer")


def _write(table: CaseTable, path: Path) -> None:
    write_text(path, to_text(case_rows(table), "csv") if path.suffix == ".csv" else table_to_json(table))


def _draw(table: CaseTable, task: _EvaluationTask, config: EvaluateConfig, watch: ProgressReporter) -> None:
    """Plots and gallery; what draws them is loaded only if they are wanted."""
    if config.plots is not None:
        from cardiotrace.workflows.plots import write_plots

        write_plots(table, config.plots, by=config.by)
    if config.gallery is not None:
        from cardiotrace.workflows.gallery import write_gallery

        with watch.stage("drawing the worst cases"):
            write_gallery(table, task.cases, task.judge, config.gallery, count=config.worst)


def _task(config: EvaluateConfig, watch: ProgressReporter) -> _EvaluationTask:
    folder = Path(config.predicted)
    if config.dataset is None:
        if not folder.is_dir():
            raise UsageError("a model is scored on a data set", remedy="say which one REFERENCE is with --dataset.")
        if config.scheme is None:
            raise UsageError("two folders of labels need a scheme", remedy="say what the values mean with --scheme.")
        scheme = known_scheme(config.scheme)
        spacing_mm = given_spacing(config.spacing_mm)
        cases = select_items(folder_cases(label_files(config.reference), scheme, spacing_mm=spacing_mm), config.only)
        return _label_task(folder, scheme, cases, named_limits(config.limits), spacing_mm)
    if config.spacing_mm is not None:
        raise UsageError(
            "--spacing-mm is for two folders of label maps",
            remedy="a data set of files takes --option spacing_mm=[DEPTH,HEIGHT,WIDTH].",
        )
    dataset = open_dataset(Choice(config.dataset, config.options), config.reference)
    cases = select_items(_cases(dataset, config), config.only)
    limits = named_limits(config.limits, _references(dataset, config), watch=watch)
    if folder.is_dir():
        return _label_task(folder, dataset.scheme, cases, limits)
    predictor = open_predictor(config.predicted)
    augmented = config.test_time_augmentation
    return _EvaluationTask(
        cases,
        predict_with_model(predictor, test_time_augmentation=augmented),
        lambda cases, tick: evaluate_predictor(predictor, cases, test_time_augmentation=augmented, on_progress=tick),
        limits,
    )


def _label_task(
    folder: Path,
    scheme: LabelScheme,
    cases: list[Case],
    limits: OutlierLimits | None,
    spacing_mm: GivenSpacing | None = None,
) -> _EvaluationTask:
    return _EvaluationTask(
        cases,
        predict_from_labels(label_files(folder), scheme, spacing_mm=spacing_mm),
        lambda cases, tick: evaluate_labels(folder, cases, scheme, spacing_mm=spacing_mm, on_progress=tick),
        limits,
    )


def _cases(dataset: Dataset, config: EvaluateConfig) -> list[Case]:
    if config.part == "all":
        return dataset.cases()
    return cases_of(dataset, getattr(_split(dataset, config), config.part))


def _references(dataset: Dataset, config: EvaluateConfig) -> Iterator[Case]:
    """The cases that limits are fitted on, found only when asked for."""
    split = _split(dataset, config)
    yield from cases_of(dataset, [*split.training, *split.validation])


def _split(dataset: Dataset, config: EvaluateConfig) -> Split:
    return choose_split(dataset, config.split, folds=config.folds or 5, fold=config.fold, seed=config.fold_seed or 0)
