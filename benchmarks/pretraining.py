"""What phantoms teach: models of phantoms alone on real patients, and few patients with and without phantoms first.

    python -m benchmarks.pretraining --data ../shared/data --out runs/pretraining

Every training is a run folder below --out, resumed if it was broken off. Nothing is chosen on the patients that are
scored: four-chamber echo is scored on 100 patients of CAMUS's training list that no run learned from or was stopped on,
cine-MRI on the testing part of the first of four folds of ACDC.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.exam import Case
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation import CaseTable, compare
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.io import write_text
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.services.dataset import MadeFolds, cases_of, choose_split, open_dataset
from cardiotrace.workflows.train import train_model

RECIPES = Path(__file__).parents[1] / "recipes"
SCORED_PATIENTS = 100


@dataclass(frozen=True)
class Field:
    """One kind of image: the school of phantoms, the real data, how many real patients."""

    name: str
    school: str
    """Recipe that learns from phantoms."""
    dataset: Choice
    split: dict[str, Any]
    sizes: tuple[int, ...]
    regions: tuple[str, ...]


FIELDS = (
    Field(
        "echo", "phantom-echo", Choice("camus", {"views": ["4CH"]}), {"data.split": "official"}, (10, 25, 50),
        ("LV", "LV_EPI", "LA"),
    ),
    Field(
        "cmr", "phantom-cmr", Choice("acdc"), {"data.split": "k-fold", "data.folds": 4}, (10, 20),
        ("LV", "MYO", "RV"),
    ),
)  # fmt: skip
BUDGET = {"training.epochs": 10, "training.steps_per_epoch": 20}
"""The same number of steps for all: 200, of 10 images each."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not trained yet, score, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds camus and acdc")
    parser.add_argument("--out", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--only", choices=[field.name for field in FIELDS])
    options = parser.parse_args(arguments)
    for field in FIELDS:
        if options.only in (None, field.name):
            print(_table(field, _study(field, options.data, options.out / field.name, options.cache)), flush=True)


def _study(field: Field, data: Path, out: Path, cache: Path | None) -> dict[str, CaseTable]:
    """Table of each model, by what it learned from."""
    root = data / field.dataset.name
    cases = _scored_cases(field, root)
    school = _trained(TrainConfig(recipe=RECIPES / f"{field.school}.toml", out=out / "phantoms", cache=cache))
    tables = {"phantoms alone": _scored(school, cases)}
    for size in field.sizes:
        for words, start in (("", None), (", phantoms first", school.path)):
            changes = {
                "name": f"{field.name}-{size}{'-started' if start else ''}",
                "data.dataset": {"name": field.dataset.name, **field.dataset.options},
                "data.training_patients": size,
                **field.split,
                **BUDGET,
            }
            fold = 1 if "data.folds" in field.split else None
            folder = out / f"{size}{'-started' if start else ''}"
            config = TrainConfig(
                recipe=RECIPES / f"{field.school}.toml",
                data=root,
                out=folder,
                overrides=changes,
                cache=cache,
                fold=fold,
                start_from=start,
            )
            tables[f"{size} patients{words}"] = _scored(_trained(config), cases)
    return tables


def _scored_cases(field: Field, root: Path) -> list[Case]:
    dataset = open_dataset(field.dataset, root)
    if "data.folds" in field.split:
        wanted = choose_split(dataset, "k-fold", fold=1, made=MadeFolds(field.split["data.folds"], 1)).testing
    else:
        split = choose_split(dataset, "official").on_disk(dataset.exams())
        wanted = _left_over(split, max(field.sizes))
    return cases_of(dataset, wanted)


def _left_over(split: Split, learned: int) -> tuple[str, ...]:
    """Training patients outside the largest draw; the smaller draws are parts of it."""
    used = set(split.with_fewer_training_patients(learned, seed=1).training)
    return tuple(name for name in split.training if name not in used)[:SCORED_PATIENTS]


def _trained(config: TrainConfig) -> RunFolder:
    assert config.out is not None
    folder = RunFolder(config.out)
    if not folder.model.exists():
        resumed = TrainConfig(**{**vars(config), "resume": folder.checkpoint.exists()})
        train_model(resumed)
    return folder


def _scored(folder: RunFolder, cases: list[Case]) -> CaseTable:
    path = folder.path / "scored.json"
    if not path.exists():
        write_text(path, table_to_json(evaluate_predictor(open_predictor(folder.model), cases)))
        print(f"scored {folder.path}", flush=True)
    return read_case_table(path)


def _table(field: Field, tables: dict[str, CaseTable]) -> str:
    lines = [
        f"| learned from | {' | '.join(field.regions)} | p of {', '.join(field.regions)} |",
        "| --- |" + " ---: |" * len(field.regions) + " --- |",
    ]
    for name, table in tables.items():
        found = {item.region: item.summary for item in table.summaries("all", scores=("dice",)) if item.group == "all"}
        cells = [f"{found[region].mean:.3f} ± {found[region].sd:.3f}" for region in field.regions]
        plain = name.removesuffix(", phantoms first")
        p = ""
        if plain != name:
            made = compare({name: table, plain: tables[plain]}, score="dice", regions=list(field.regions))
            p = ", ".join(f"{item.p_holm:.2g}" for item in made)
        lines.append(f"| {name} | {' | '.join(cells)} | {p} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
