"""One TOML file says all of a training run; this is the dataclass tree that it is read into."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import from_plain, read_toml, to_plain
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.learning.augmentation import Augmentation
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.settings import TrainingSettings
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preparation import Preparation


@dataclass(frozen=True)
class DataSettings:
    """What to learn from."""

    dataset: Choice
    """Data set and its options; where it lies is said on the command line."""
    split: str = "official"
    """Name of one of the data set's own splits, or "k-fold" for folds made by patient."""
    folds: int = 5
    """Number of folds when the split is "k-fold"."""


@dataclass(frozen=True)
class Recipe:
    """A training run. Equal recipes on equal data give equal models."""

    name: str
    data: DataSettings
    architecture: Choice
    preparation: Preparation
    summary: str = ""
    seed: int = 0
    loss: Choice = field(default_factory=lambda: Choice("dice+cross-entropy"))
    optimiser: Choice = field(default_factory=lambda: Choice("adam"))
    schedule: Choice = field(default_factory=lambda: Choice("one-cycle"))
    postprocessing: Postprocessing = field(default_factory=Postprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def digest(self) -> str:
        """Fingerprint of all that shapes the weights; a checkpoint remembers it."""
        shaping = {key: value for key, value in to_plain(self).items() if key not in _AFTER_TRAINING}
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()


_AFTER_TRAINING = ("name", "summary", "postprocessing")
_CATALOGS = (
    ("architecture", ARCHITECTURES),
    ("loss", LOSSES),
    ("optimiser", OPTIMISERS),
    ("schedule", SCHEDULES),
)


def recipe_from_plain(values: dict[str, Any]) -> Recipe:
    """Read a recipe and write out every default of every choice.

    Raises:
        ConfigError: naming the dotted key.
    """
    recipe = from_plain(Recipe, values)
    resolved: dict[str, Any] = {key: catalog.resolve(getattr(recipe, key), path=key) for key, catalog in _CATALOGS}
    recipe = dataclasses.replace(recipe, **resolved)
    DATASETS.config(Choice(recipe.data.dataset.name, {**recipe.data.dataset.options, "root": "."}), path="data.dataset")
    return recipe


def read_recipe(path: Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe file.

    Args:
        path: a .toml file, or the name of a recipe that ships with the package.
        overrides: dotted key to value, applied on top, such as {"training.epochs": 2}.

    Raises:
        ConfigError: the file cannot be read, or a key is unknown or bad.
    """
    values = read_toml(path)
    for dotted, value in (overrides or {}).items():
        *parents, last = dotted.split(".")
        table = values
        for parent in parents:
            table = table.setdefault(parent, {})
        table[last] = value
    return recipe_from_plain(values)


def recipe_text(recipe: Recipe) -> str:
    """The resolved recipe as TOML that reads back as the same recipe."""
    return tomli_w.dumps(to_plain(recipe))
