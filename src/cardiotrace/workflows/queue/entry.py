"""The list of a queue: which recipes are trained, how, and which first."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.core.plain import read_toml
from cardiotrace.datasets.compressed import Bits

Training = Literal["train", "crossval"]


@dataclass(frozen=True)
class QueueEntry:
    """One or several trainings of one recipe, as they stand under `[[runs]]` of a list.

    Example:
        >>> from cardiotrace.core.config import from_plain
        >>> from_plain(QueueEntry, {"recipe": "camus-unet1.toml", "verb": "crossval", "only": [1, 2]}).wants(3)
        False
    """

    recipe: Path
    """A recipe, here or beside the list."""
    verb: Training = "train"
    """"train" for one run, "crossval" for a run of each fold."""
    name: str = ""
    """Of the run and its folder; by default that of the recipe."""
    priority: int = 1
    """1 comes before 2; equal ones in the order of the list."""
    fold: int | None = None
    """Of "train": the fold to hold out, from 1."""
    folds: int = 10
    """Of "crossval": how many."""
    only: tuple[int, ...] = ()
    """Of "crossval": only these folds; by default all."""
    pixels: int | None = None
    """Height and width of the prepared images, in place of the recipe's."""
    bits: Bits = 16
    """8 lets images of 16 bits travel as bytes, each stretched between its quantiles: half the size, and the network
    learns from what 8 bits hold."""
    start_from: Path | None = None
    """Of "train": folder of a finished run that this one begins with, or the name of one of the same list, which is
    then trained first."""
    set: dict[str, Any] = field(default_factory=dict)
    """Changes to the recipe, dotted key to value."""

    def __post_init__(self) -> None:
        if self.verb == "train" and self.only:
            raise ValueError('"only" is of verb = "crossval"; with "train" name one fold')
        if self.verb == "crossval" and (self.fold is not None or self.start_from is not None):
            raise ValueError('"fold" and "start_from" are of verb = "train"; with "crossval" name folds in "only"')
        if self.pixels is not None and self.pixels < 1:
            raise ValueError(f"pixels must be at least 1, got {self.pixels}")

    def wants(self, fold: int) -> bool:
        """Whether a fold of a cross-validation is in the queue."""
        return not self.only or fold in self.only


def read_queue(path: Path, *, pixels: int | None = None) -> tuple[QueueEntry, ...]:
    """The entries of a list, those that come first in front.

    Args:
        path: a .toml file with tables `[[runs]]`.
        pixels: takes the place of that of every entry.

    Raises:
        ConfigError: the file cannot be read, or a key is unknown or bad.
    """
    values = read_toml(path)
    runs = values.pop("runs", None)
    if values or not isinstance(runs, list) or not runs:
        raise ConfigError("is no list of trainings", where=path, remedy="write a table [[runs]] for each of them.")
    entries = [from_plain(QueueEntry, one, path=f"runs[{number}]") for number, one in enumerate(runs)]
    found = (replace(entry, recipe=_place(entry.recipe, path.parent)) for entry in entries)
    sized = [entry if pixels is None else replace(entry, pixels=pixels) for entry in found]
    return tuple(sorted(sized, key=lambda entry: entry.priority))


def _place(recipe: Path, folder: Path) -> Path:
    """The recipe as it is named, or the one of that name beside the list."""
    return recipe if recipe.exists() else folder / recipe


def overrides_of(entry: QueueEntry, values: dict[str, Any]) -> dict[str, Any]:
    """All changes of an entry to its recipe, dotted key to value.

    Args:
        entry: of the list.
        values: tables of its recipe.

    Raises:
        ConfigError: a size is wanted and no step of the preprocessing sets one.
    """
    changes = dict(entry.set)
    if entry.name:
        changes["name"] = entry.name
    if entry.pixels is not None:
        steps = values.get("preprocessing", [])
        sized = [
            place for place, step in enumerate(steps) if isinstance(step, dict) and {"height", "width"} <= set(step)
        ]
        if not sized:
            raise ConfigError(
                "no step of its preprocessing sets a size", where=entry.recipe, remedy="leave out pixels."
            )
        for place in sized:
            changes |= {f"preprocessing.{place}.{side}": entry.pixels for side in ("height", "width")}
    return changes
