"""Choose post-processing by what it does to the held-out patients of a cross-validation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.adoption import Adoption, HeldOut, Trial, adopt
from cardiotrace.evaluation.evaluate import predict_with_model
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.io import write_text
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.workflows.services.dataset import cases_of, open_dataset

FILE = "postprocessing.toml"
"""Name of the file that holds what was chosen, in the folder of the cross-validation."""


@dataclass(frozen=True, kw_only=True)
class PostprocessConfig:
    """Which cross-validation, and its data."""

    run: Path
    """Folder of a cross-validation whose folds are finished."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    test_time_augmentation: bool = False
    """Average each model over slightly changed versions of each image."""
    out: Path | None = None
    """File of the chosen steps; default: postprocessing.toml in the folder of the cross-validation."""

    @property
    def place(self) -> Path:
        """Where the chosen steps are written."""
        return self.out or self.run / FILE


def choose_postprocessing(config: PostprocessConfig, reporter: ProgressReporter = SILENT) -> Adoption:
    """Label the testing part of every fold with the fold's own model, and keep the steps that better those labels.

    The models' own post-processing is left out. What is chosen is written as the lines that a recipe holds.

    Raises:
        InputError: no fold is finished, or the data cannot be used.
        UsageError: another file lies in the place of the result.
        WorkError: nothing can be written.
    """
    folds = _finished_folds(config.run)
    require_replaceable(config.place, begins=("#", "postprocessing"), what="list of post-processing steps")
    dataset = open_dataset(read_recipe(folds[0].recipe).data.dataset, config.data)
    held_out = [item for fold in folds for item in _held_out(fold, dataset, config, reporter)]
    with reporter.stage("trying steps"):
        adoption = adopt(held_out, dataset.scheme)
    write_text(config.place, _text(adoption, config.run))
    return adoption


def _finished_folds(folder: Path) -> list[RunFolder]:
    folds = [RunFolder(path) for path in sorted(folder.glob("fold-*"), key=lambda path: (len(path.name), path.name))]
    finished = [fold for fold in folds if fold.testing.exists() and fold.model.exists()]
    if not finished:
        raise InputError(
            "holds no finished fold", where=folder, remedy="run `cardiotrace crossval` first, with this as its --out."
        )
    return finished


def _held_out(
    fold: RunFolder, dataset: Dataset, config: PostprocessConfig, reporter: ProgressReporter
) -> Iterator[HeldOut]:
    predictor = open_predictor(fold.model)
    raw = predictor.described_by(replace(predictor.spec, postprocessing=Postprocessing()))
    predict = predict_with_model(raw, test_time_augmentation=config.test_time_augmentation)
    cases = [case for case in cases_of(dataset, read_split(fold.split).testing) if case.read_labels is not None]
    with reporter.stage(f"labelling the testing part of {fold.path.name}") as on_progress:
        for case in counted(cases, on_progress):
            found = predict(case)
            yield HeldOut(case.name, found.predicted, found.reference)


def _text(adoption: Adoption, run: Path) -> str:
    steps = to_plain(adoption.postprocessing)
    told = [f"#   {line}" for line in map(trial_words, adoption.trials)]
    head = [
        f"# Chosen by the held-out patients of {run.name}; each step was tried on what those before it left.",
        *told,
    ]
    return "\n".join(head) + "\n" + tomli_w.dumps({"postprocessing": steps})


def trial_words(trial: Trial) -> str:
    """One line: the step, what it changed, whether it was adopted."""
    options = {key: value for key, value in trial.step.options.items() if key not in ("structures", "beside")}
    how = " ".join(f"{key}={value}" for key, value in options.items())
    name = f"{trial.step.name} {how}".strip()
    verdict = "adopted" if trial.is_adopted else "left out"
    verdict += f" as it costs {' and '.join(trial.harmed)}" if trial.harmed else ""
    dice, distance = trial.dice, trial.hausdorff_mm
    return (
        f"{trial.structure} {name}: {verdict}, Dice {dice[0]:.4f} to {dice[1]:.4f}, Hausdorff distance"
        f" {distance[0]:.2f} to {distance[1]:.2f} mm, {trial.changed} of {trial.cases} cases changed"
    )
