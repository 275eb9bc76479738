"""Data sets and their packed caches, each opened once however many trainings ask for it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.training.recipe import Recipe
from cardiotrace.workflows.services.dataset import SamplePlan, open_dataset, pack


@dataclass(frozen=True)
class DataOpener:
    """Opens data sets, and keeps what it has opened: a cache is packed once, and hashed once in a process.

    Sent to another process it takes the places along, not what it holds: memory maps are opened again there.
    """

    root: Path | None = None
    """Where the data set lies; by default below the folder in CARDIOTRACE_DATA."""
    cache: Path | None = None
    """Folder of packed data, see `cache_folder`."""
    _datasets: dict[str, Dataset] = field(default_factory=dict, init=False, repr=False, compare=False)
    _packed: dict[str, PackedDataset] = field(default_factory=dict, init=False, repr=False, compare=False)
    _localisers: dict[str, Model] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __reduce__(self) -> Any:
        return DataOpener, (self.root, self.cache)

    def dataset(self, choice: Choice) -> Dataset:
        """The data set of a recipe.

        Raises:
            ConfigError: no such data set or option.
            InputError: the folder does not hold it.
        """
        key = json.dumps(to_plain(choice), sort_keys=True)
        if key not in self._datasets:
            self._datasets[key] = open_dataset(choice, self.root)
        return self._datasets[key]

    def localiser(self, name: str) -> Model:
        """The model file of the localiser that a recipe names.

        Raises:
            InputError: there is no such model, or it is damaged.
        """
        if name not in self._localisers:
            self._localisers[name] = load_model(name)
        return self._localisers[name]

    def packed(self, recipe: Recipe, reporter: ProgressReporter = SILENT) -> PackedDataset:
        """The packed cache of a recipe's data set, made where it is not there yet.

        Args:
            recipe: says which data, and how they become samples.
            reporter: told of progress.

        Raises:
            InputError: the data cannot be packed, or there is no such localiser.
            WorkError: the cache cannot be written.
        """
        dataset = self.dataset(recipe.data.dataset)
        # Recipes that differ in their intensities alone share a cache: these steps come after it.
        stored = to_plain(recipe.preprocessing.stored_choices)
        with_unlabelled = recipe.data.pseudo_labels is not None or recipe.adaptation is not None
        channels = recipe.preprocessing.channels(dataset.channels)
        settings = [to_plain(recipe.data.dataset), stored, channels, recipe.axes, recipe.localiser, with_unlabelled]
        key = json.dumps(settings, sort_keys=True)
        if key not in self._packed:
            finder = None if recipe.localiser is None else Localiser.of(self.localiser(recipe.localiser))
            plan = SamplePlan(recipe.preprocessing, recipe.axes, finder, with_unlabelled)
            self._packed[key] = pack(dataset, plan, cache=self.cache, reporter=reporter)
        return self._packed[key]
