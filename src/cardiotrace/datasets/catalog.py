"""The data sets that can be chosen by name."""

import dataclasses
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Catalog, Choice
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.folder import Folder, FolderConfig
from cardiotrace.datasets.joined import Joined, JoinedConfig
from cardiotrace.datasets.phantom import Phantom
from cardiotrace.datasets.published import PUBLISHED, DatasetEntry
from cardiotrace.phantoms.choice import PhantomConfig


class DatasetCatalog(Catalog[Dataset]):
    """Data sets by name; `make` is given the folder that the data set lies in: `DATASETS.make(choice, root)`."""

    def config(self, choice: Choice, *, path: str = "") -> Any:
        """The data set's options; `root`, which recipes held among them before, is none of them.

        Raises:
            ConfigError: no such name, unknown option, wrong type or bad value.
        """
        options = {key: value for key, value in choice.options.items() if key != "root"}
        return super().config(dataclasses.replace(choice, options=options), path=path)

    def needs_folder(self, name: str) -> bool:
        """Whether a data set reads files.

        Raises:
            ConfigError: no such name.
        """
        entry = self[name]
        return not isinstance(entry, DatasetEntry) or entry.needs_folder


def _joined(options: JoinedConfig, root: Path) -> Joined:
    root = root.expanduser()
    parts = (
        DATASETS.make(part, root / str(part.options.get("root", part.name)), path=f"data set joined: parts[{index}]")
        for index, part in enumerate(options.parts)
    )
    return Joined(root, options, tuple(parts))


DATASETS = DatasetCatalog(
    "data set",
    [
        *PUBLISHED,
        DatasetEntry(
            "phantom",
            PhantomConfig,
            lambda options, root: Phantom(root, options),
            "Phantom hearts in echo or cine-MRI, phantom eyes: rendered when asked for, every number known.",
            needs_folder=False,
        ),
        DatasetEntry("joined", JoinedConfig, _joined, "Several of these as one, such as real and phantom patients."),
        DatasetEntry(
            "folder",
            FolderConfig,
            lambda options, root: Folder(root, options),
            "Your own folder of images and masks of the same names.",
        ),
    ],
    group="cardiotrace.datasets",
)
