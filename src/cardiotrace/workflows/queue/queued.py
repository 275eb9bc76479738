"""A training of a queue with all that it needs, as a value that travels."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.config import known_only, to_plain
from cardiotrace.core.contract import RECIPE, SPLIT
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelScheme, scheme_from_mapping
from cardiotrace.core.licence import Terms
from cardiotrace.datasets.compressed import Bits
from cardiotrace.datasets.split import PARTS, Split, split_text
from cardiotrace.inference.model_file import Model
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, portable, recipe_from_plain
from cardiotrace.learning.training.run import CheckedRun, InitialWeights, is_trained


@dataclass(frozen=True)
class DataFacts:
    """What a training asks of a data set besides its images."""

    scheme: LabelScheme
    mirror_axes: tuple[str, ...] = ()
    terms: Terms = field(default_factory=Terms)

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        values = {str(structure): value for structure, value in self.scheme.values.items()}
        scheme = {"name": self.scheme.name, "values": values}
        return {"scheme": scheme, "mirror_axes": list(self.mirror_axes), "terms": asdict(self.terms)}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> "DataFacts":
        """What `to_plain` wrote."""
        scheme = scheme_from_mapping(plain["scheme"]["name"], plain["scheme"]["values"])
        return cls(scheme, tuple(plain["mirror_axes"]), Terms(**known_only(Terms, plain["terms"])))


@dataclass(frozen=True)
class QueuedRun:
    """One training that waits for its turn."""

    name: str
    """Of its folder, below that of all runs."""
    recipe: Recipe
    split: Split
    facts: DataFacts
    cache: str = ""
    """Name of its packed cache, once that is made."""
    fold: int | None = None
    """Which fold the split is, if it is one."""
    is_of_crossval: bool = False
    """Whether it is tested too when it is finished."""
    bits: Bits = 16
    """Of its images."""
    start: InitialWeights | None = None
    """What it begins with; None: seeded random weights."""
    localiser: Model | None = None
    """What finds the heart in its images, where they are cropped around it."""

    def __str__(self) -> str:
        return self.name

    def folder(self, out: Path) -> RunFolder:
        """Where it is trained."""
        return RunFolder(out / self.name)

    def is_trained(self, out: Path) -> bool:
        """Whether it was trained to its end.

        Raises:
            UsageError: the folder holds another run.
        """
        return is_trained(CheckedRun(self.recipe, self.folder(out)), self.split)

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "recipe": RECIPE.stamp(to_plain(portable(self.recipe))),
            "split": json.loads(split_text(self.split)),
            "facts": self.facts.to_plain(),
            "cache": self.cache,
            "fold": self.fold,
            "is_of_crossval": self.is_of_crossval,
            "bits": self.bits,
        }

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> "QueuedRun":
        """What `to_plain` wrote.

        Raises:
            InputError: a part cannot be read.
            KeyError, TypeError: something is missing.
        """
        split = SPLIT.read(plain["split"])
        parts = {key: tuple(split[key]) for key in (*PARTS, "missing") if key in split}
        rest = {key: plain[key] for key in ("fold", "is_of_crossval", "bits")}
        recipe, facts = recipe_from_plain(plain["recipe"]), DataFacts.of_plain(plain["facts"])
        return cls(_safe(plain["name"]), recipe, Split(**parts), facts, _safe(plain["cache"]), **rest)


def _safe(name: str) -> str:
    """The name of a run's or a cache's folder, which must lie below that of all.

    Raises:
        InputError: it would not.
    """
    place = Path(name)
    if place.is_absolute() or ".." in place.parts or not place.parts:
        raise InputError(f"{name!r} is no name of a folder of a queue")
    return name
