"""A run folder: the names of its files, and whether a training may go on in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import UsageError
from cardiotrace.datasets.split import Split, read_split
from cardiotrace.learning.training.recipe import Recipe, portable, read_recipe


@dataclass(frozen=True)
class RunFolder:
    """Names of the files of a run."""

    path: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them but `testing`, which may be a table of several runs."""
        first = (self.recipe, self.environment, self.split, self.journal, self.checkpoint, self.best)
        return (*first, self.localiser, self.judge, self.judge_facts, self.curves, self.model, self.validation)

    @property
    def is_begun(self) -> bool:
        """Whether a run was begun here: the first file that it writes is there."""
        return self.environment.exists()

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def environment(self) -> Path:
        """Versions, commit, seed."""
        return self.path / "environment.json"

    @property
    def split(self) -> Path:
        """Patients of each part."""
        return self.path / "split.json"

    @property
    def journal(self) -> Path:
        """One JSON line an epoch."""
        return self.path / "journal.jsonl"

    @property
    def checkpoint(self) -> Path:
        """The whole state after the last complete epoch."""
        return self.path / "checkpoint.safetensors"

    @property
    def best(self) -> Path:
        """Weights of the epoch with the best validation score, or of the last where the recipe keeps that."""
        return self.path / "best.safetensors"

    @property
    def localiser(self) -> Path:
        """The model that found the heart in its images, where one did."""
        return self.path / "localiser.onnx"

    @property
    def judge(self) -> Path:
        """The network that tells where answers are probably wrong, where a training ends with one."""
        return self.path / "judge.onnx"

    @property
    def judge_facts(self) -> Path:
        """What is to be known of it, see `JudgeSpec`."""
        return self.path / "judge.json"

    @property
    def curves(self) -> Path:
        """Loss, Dice and learning rate as an image."""
        return self.path / "curves.png"

    @property
    def model(self) -> Path:
        """The exported model."""
        return self.path / "model.onnx"

    @property
    def validation(self) -> Path:
        """Scores of the validation part at native resolution."""
        return self.path / "validation.json"

    @property
    def testing(self) -> Path:
        """Scores of the testing part at native resolution; of all folds in the folder that holds theirs."""
        return self.path / "testing.json"


def check_folder(folder: RunFolder, recipe: Recipe, split: Split, *, resume: bool) -> None:
    """Refuse a folder that must not be trained into; worth asking before any work is done.

    Raises:
        UsageError: it holds a run and `resume` is off, a run of another recipe or split, or files of something else
            that a run would overwrite.
    """
    if not folder.checkpoint.exists():
        _check_files(folder)
    elif resume:
        check_same_run(folder, recipe, split)
    else:
        raise UsageError(
            "holds a run already", where=folder.path, remedy="continue it with --resume, or choose another."
        )


def _check_files(folder: RunFolder) -> None:
    """Refuse a folder without a run that holds files named as those of a run."""
    if not folder.is_begun and (others := [file.name for file in folder.files if file.exists()]):
        raise UsageError(
            f"holds {others[0]}, which no run wrote: it would be overwritten",
            where=folder.path,
            remedy="choose another --out.",
        )


def check_same_run(folder: RunFolder, recipe: Recipe, split: Split) -> None:
    """Refuse a run of another recipe or of other patients.

    Raises:
        UsageError: naming what differs.
    """
    stored = read_recipe(folder.recipe)
    differing = _differing(to_plain(portable(stored)), to_plain(portable(recipe)))
    if differing and stored.digest() != recipe.digest():
        raise UsageError(
            f"holds a run of another recipe: {', '.join(differing[:5])} differs",
            where=folder.path,
            remedy="resume with the same recipe, or choose another folder.",
        )
    known = read_split(folder.split)
    if (known.training, known.validation) != (split.training, split.validation):
        raise UsageError(
            "holds a run on other patients", where=folder.path, remedy="resume with the same split, fold and data."
        )


def _differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Dotted keys whose values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = [*one, *(key for key in other if key not in one)]
        return [found for key in keys for found in _differing(one.get(key), other.get(key), f"{path}.{key}")]
    return [] if one == other else [path.removeprefix(".")]
