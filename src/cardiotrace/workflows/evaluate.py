"""Labels or a model against a reference."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Case
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_labels, evaluate_observer, evaluate_predictor
from cardiotrace.evaluation.pairing import folder_cases, label_files
from cardiotrace.evaluation.table import case_rows, table_to_json, to_text
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.zoo import find_model, load_model
from cardiotrace.io import write_text
from cardiotrace.workflows.data import cases_of, choose_split, open_dataset
from cardiotrace.workflows.segment import known_scheme
from cardiotrace.workflows.watch import SILENT, Watch

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
    split: str = "official"
    """Name of one of the data set's own splits, or "k-fold"."""
    fold: int | None = None
    """Number of a fold, from 1."""
    folds: int = 5
    """Number of folds, for "k-fold"."""
    fold_seed: int = 0
    """Who is in which fold, for "k-fold": the seed of the recipe."""
    scheme: str | None = None
    test_time_augmentation: bool = False
    out: Path | None = None
    """Where the table of cases goes: .json (can be compared later) or .csv; that of a second observer goes beside it
    with "_observer" in its name."""


@dataclass(frozen=True)
class Evaluated:
    """Scores of predictions, and of a second observer on the same cases."""

    table: CaseTable
    observer: CaseTable | None = None
    """How far people agree; None where only one has traced the cases."""


def evaluate(config: EvaluateConfig, watch: Watch = SILENT) -> Evaluated:
    """Score predictions case by case, and a second observer where the data set has one.

    Raises:
        UsageError: a model without a data set, or a part without one.
        InputError: nothing to compare.
    """
    done = _evaluate(config, watch)
    if config.out is not None:
        _write(done.table, config.out)
        if done.observer is not None:
            _write(done.observer, config.out.with_stem(f"{config.out.stem}_observer"))
    return done


def _write(table: CaseTable, path: Path) -> None:
    write_text(path, to_text(case_rows(table), "csv") if path.suffix == ".csv" else table_to_json(table))


def _evaluate(config: EvaluateConfig, watch: Watch) -> Evaluated:
    folder = Path(config.predicted)
    if config.dataset is None:
        if not folder.is_dir():
            raise UsageError("a model is scored on a data set", remedy="say which one REFERENCE is with --dataset.")
        if config.scheme is None:
            raise UsageError("two folders of labels need a scheme", remedy="say what the values mean with --scheme.")
        scheme = known_scheme(config.scheme)
        with watch.stage("scoring") as tick:
            cases = folder_cases(label_files(config.reference), scheme)
            return Evaluated(evaluate_labels(folder, cases, scheme, on_progress=tick))
    dataset = open_dataset(Choice(config.dataset, config.options), config.reference)
    cases = _cases(dataset, config)
    with watch.stage("scoring") as tick:
        if folder.is_dir():
            table = evaluate_labels(folder, cases, dataset.scheme, on_progress=tick)
        else:
            table = evaluate_predictor(
                Predictor(load_model(find_model(config.predicted))),
                cases,
                test_time_augmentation=config.test_time_augmentation,
                on_progress=tick,
            )
    scored = set(table.cases)
    return Evaluated(table, evaluate_observer([case for case in cases if case.name in scored]))


def _cases(dataset: Dataset, config: EvaluateConfig) -> list[Case]:
    if config.part == "all":
        return dataset.cases()
    split = choose_split(dataset, config.split, folds=config.folds, fold=config.fold, seed=config.fold_seed)
    return cases_of(dataset, getattr(split, config.part))
