"""The `[sweep]` table of a recipe: axes of values and seeds, to one recipe for each combination."""

import copy
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.recipe import Recipe, override, recipe_from_plain, recipe_values

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


@dataclass(frozen=True)
class Axis:
    """One key of the recipe and the values it takes, or several keys that change together."""

    values: Mapping[str, Any]
    """Short label to value; a list of plain values is labelled by the values themselves."""
    key: str = ""
    """Dotted key, such as "architecture.levels"; empty where every value is a table of dotted keys to their values."""

    @classmethod
    def __from_plain__(cls, value: Any, path: str) -> "Axis":
        """Read a table with `key` and `values`."""
        if isinstance(value, Mapping) and isinstance(value.get("values"), list):
            value = {**value, "values": {str(item): item for item in value["values"]}}
        return from_plain(cls, value, path=path)

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("an axis needs at least one value")
        for label in self.values:
            taken = [key for key in self.changes(label) if key.split(".")[0] in _TAKEN]
            if taken:
                raise ValueError(f"{taken[0]} is set by the sweep itself")
        wrong = [label for label in self.values if not _LABEL.fullmatch(label)]
        if wrong:
            raise ValueError(
                f"labels must be letters, digits, '.', '+' and '-', got {wrong[0]!r}: folders are named so"
            )

    def changes(self, label: str) -> Mapping[str, Any]:
        """Dotted keys to their values under a label.

        Raises:
            ValueError: the axis has no key of its own, and its value is no table.

        Example:
            >>> Axis({"2": 2, "3": 3}, key="architecture.levels").changes("3")
            {'architecture.levels': 3}
        """
        value = self.values[label]
        if self.key:
            return {self.key: value}
        if not isinstance(value, Mapping):
            raise ValueError(f"an axis without a key needs tables of keys as values, got {value!r} for {label!r}")
        return value


_TAKEN = ("name", "seed", "sweep")


@dataclass(frozen=True)
class Sweep:
    """Which recipes to train, and when a run counts as collapsed."""

    axes: Mapping[str, Axis]
    """Name of the axis to its key and values; every combination is trained."""
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    """Each combination is trained once with each; the i-th seed also chooses fold i, in turn."""
    collapse_margin: float = 0.05
    """A run has collapsed if its best validation Dice is at most that of the best constant answer plus this."""
    marks: Mapping[str, float] = field(default_factory=dict)
    """Dice values to draw across the bar plot, by what they are: a published result."""

    def __post_init__(self) -> None:
        if not self.axes or not self.seeds:
            raise ValueError("a sweep needs axes and seeds")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"a seed stands twice: {list(self.seeds)}")
        if not 0 <= self.collapse_margin < 1:
            raise ValueError(f"collapse_margin must lie in [0, 1), got {self.collapse_margin}")


@dataclass(frozen=True)
class SweepRun:
    """One training of a sweep."""

    settings: Mapping[str, str]
    """Axis to label, in order of the axes."""
    seed: int
    fold: int
    """From 1: the same for all variants with this seed."""
    recipe: Recipe

    @property
    def variant(self) -> str:
        """What all seeds of a combination share, such as "levels-3_scaling-none"."""
        return variant_name(self.settings)

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return f"{self.variant}-seed{self.seed}"


@dataclass(frozen=True)
class SweepPlan:
    """A sweep with all its runs."""

    name: str
    sweep: Sweep
    runs: tuple[SweepRun, ...]
    """Seed by seed, so that a sweep that is cut short has tried every variant."""


def variant_name(settings: Mapping[str, str]) -> str:
    """A combination of labels as one word.

    Example:
        >>> variant_name({"levels": "3", "scaling": "none"})
        'levels-3_scaling-none'
    """
    return "_".join(f"{axis}-{label}" for axis, label in settings.items())


def read_plan(path: Path, overrides: dict[str, Any] | None = None) -> SweepPlan:
    """Read a recipe with a `[sweep]` table and make the recipe of every run.

    With `data.split = "k-fold"` patients are dealt to `data.folds` folds with `data.seed` (by default the recipe's
    seed), alike for all runs; with any other split the folds are those that the data set publishes.

    Args:
        path: a .toml file.
        overrides: dotted key to value, applied first; "sweep.seeds" and the like are keys as well.

    Raises:
        ConfigError: the file has no `[sweep]`, or a combination is no valid recipe.
    """
    values = recipe_values(path, overrides)
    if "sweep" not in values:
        raise ConfigError("has no [sweep] table", where=path, remedy="add one, or use `cardiotrace train`.")
    sweep = from_plain(Sweep, values.pop("sweep"), path="sweep")
    base = recipe_from_plain(values)
    override(values, "data.seed", base.fold_seed)
    runs = tuple(_runs(values, sweep, base))
    for run in runs:
        _check_run(run, path)
    return SweepPlan(base.name, sweep, runs)


def _check_run(run: SweepRun, path: Path) -> None:
    """Refuse what an axis may ask for as well as the recipe itself."""
    if run.recipe.data.validation_patients == 0:
        raise ConfigError("a sweep judges its runs by validation patients, and data.validation_patients is 0")
    if run.recipe.axes != 2:
        raise ConfigError(f"a sweep compares networks of planes, and that of {run.variant} sees volumes", where=path)


def _runs(values: dict[str, Any], sweep: Sweep, base: Recipe) -> Iterator[SweepRun]:
    combinations = list(itertools.product(*(axis.values for axis in sweep.axes.values())))
    for index, seed in enumerate(sweep.seeds):
        for labels in combinations:
            settings = dict(zip(sweep.axes, labels, strict=True))
            changed = copy.deepcopy(values)
            for name, axis in sweep.axes.items():
                for key, value in axis.changes(settings[name]).items():
                    override(changed, key, copy.deepcopy(value))
            changed |= {"seed": seed, "name": f"{base.name}_{variant_name(settings)}-seed{seed}"}
            yield SweepRun(settings, seed, index % base.data.folds + 1, recipe_from_plain(changed))
