"""Every fold of a data set: trained, exported, and scored on the patients it never saw."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.limits import combined
from cardiotrace.evaluation.table import read_table, table_to_json
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.zoo import load_model
from cardiotrace.io import write_text
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.learning.training.run import Hardware
from cardiotrace.workflows.data import cases_of, open_dataset
from cardiotrace.workflows.export import ExportConfig, export_run
from cardiotrace.workflows.train import TrainConfig, run_training
from cardiotrace.workflows.watch import SILENT, Watch


@dataclass(frozen=True)
class CrossvalConfig:
    """Which recipe, on what, how many folds."""

    recipe: Path
    data: Path | None = None
    out: Path | None = None
    """By default runs/<name of the recipe>; one folder per fold is made in it."""
    folds: int = 10
    only: tuple[int, ...] = ()
    """Numbers of the folds to run; empty runs all."""
    overrides: dict[str, Any] = field(default_factory=dict)
    cache: Path | None = None
    hardware: Hardware = field(default_factory=Hardware)


def crossval(config: CrossvalConfig, watch: Watch = SILENT) -> CaseTable:
    """Train fold by fold; folds that are finished already are not trained again.

    Folds are the data set's own where it publishes as many, else made by patient.

    Returns:
        The cases of all folds' testing parts together, also written to `testing.json`.

    Raises:
        ConfigError: the recipe is wrong.
        InputError: the data cannot be used.
        WorkError: a training diverged, or nothing can be written.
    """
    recipe = read_recipe(config.recipe, config.overrides)
    published = open_dataset(recipe.data.dataset, config.data).splits()
    overrides = dict(config.overrides)
    if f"fold{config.folds}" not in published or f"fold{config.folds + 1}" in published:
        overrides |= {"data.split": "k-fold", "data.folds": config.folds}
    out = config.out or Path("runs") / recipe.name
    config = dataclasses.replace(config, overrides=overrides, out=out)
    tables = [_fold(config, out, fold, watch) for fold in config.only or range(1, config.folds + 1)]
    together = CaseTable(
        rows=tuple(row for table in tables for row in table.rows),
        ejections=tuple(item for table in tables for item in table.ejections),
        problems=tuple(problem for table in tables for problem in table.problems),
        facts={"predicted": recipe.name, "reference": f"{len(tables)} folds of {recipe.data.dataset.name}"},
        limits=combined(table.limits for table in tables if table.limits is not None),
    )
    write_text(out / "testing.json", table_to_json(together))
    return together


def _fold(config: CrossvalConfig, out: Path, fold: int, watch: Watch) -> CaseTable:
    """One fold: its table on the testing part, read again if it is there."""
    folder = RunFolder(out / f"fold-{fold}")
    finished = folder.path / "testing.json"
    if finished.exists():
        return read_table(finished)
    watch.say(f"fold {fold}: {folder.path}")
    run_training(
        TrainConfig(
            recipe=config.recipe,
            data=config.data,
            out=folder.path,
            fold=fold,
            resume=folder.checkpoint.exists(),
            overrides=config.overrides,
            cache=config.cache,
            hardware=config.hardware,
        ),
        watch,
    )
    exported = export_run(ExportConfig(folder.path, config.data, cache=config.cache), watch)
    dataset = open_dataset(read_recipe(folder.recipe).data.dataset, config.data)
    cases = cases_of(dataset, read_split(folder.split).testing)
    with watch.stage(f"scoring fold {fold} on its testing part") as tick:
        table = evaluate_predictor(Predictor(load_model(exported.path)), cases, on_progress=tick)
    write_text(finished, table_to_json(table))
    return table
