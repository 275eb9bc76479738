"""What the verbs that train have in common: a recipe, changes to it, and where everything lies."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

Accelerator = Literal["auto", "cpu", "cuda"]


class Common(TypedDict):
    """Arguments that all workflows that train take."""

    recipe: Path
    data: Path | None
    out: Path | None
    overrides: dict[str, Any]
    cache: Path | None


@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """Which recipe, on which data, and to where."""

    recipe: Path
    """A .toml file, such as recipes/camus-unet1.toml."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Folder of the run, or of all of them; default: runs/<name of the recipe>."""
    set: dict[str, Any] = field(default_factory=dict)
    """Changes to the recipe, such as training.epochs=2."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""
    accelerator: Accelerator = "auto"
    """Where to compute."""

    @property
    def common(self) -> Common:
        """The options, by the names of the arguments of these workflows."""
        return Common(recipe=self.recipe, data=self.data, out=self.out, overrides=self.set, cache=self.cache)
