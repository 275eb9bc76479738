"""Data sets and their packed caches, each opened once however many trainings ask for it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.packed import Axes, PackedDataset
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.services.dataset import open_dataset, pack


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

    def packed(
        self, choice: Choice, preprocessing: Preprocessing, reporter: ProgressReporter = SILENT, *, axes: Axes = 2
    ) -> PackedDataset:
        """The packed cache of a data set, made where it is not there yet.

        Args:
            choice: the data set of a recipe.
            preprocessing: the recipe's.
            reporter: told of progress.
            axes: of a sample: 2 for planes, 3 for volumes.

        Raises:
            InputError: the data cannot be packed.
            WorkError: the cache cannot be written.
        """
        dataset = self.dataset(choice)
        # Recipes that differ in their intensities alone share a cache: these steps come after it.
        stored = to_plain(preprocessing.stored_choices)
        settings = [to_plain(choice), stored, preprocessing.channels(dataset.channels), axes]
        key = json.dumps(settings, sort_keys=True)
        if key not in self._packed:
            self._packed[key] = pack(dataset, preprocessing, axes=axes, cache=self.cache, reporter=reporter)
        return self._packed[key]
