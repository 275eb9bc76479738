"""One TOML file says all of a training run; this is the dataclass tree that it is read into."""

import dataclasses
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import tomli_w
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import brief, from_plain, to_plain
from cardiotrace.core.contract import RECIPE
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.former import present_key, with_present_keys
from cardiotrace.core.plain import read_toml
from cardiotrace.core.terms import View
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import LeftOut, fold_seed
from cardiotrace.learning.augmentation import Augmentation
from cardiotrace.learning.augmentation.style import levels_of
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.blocks import Axes
from cardiotrace.learning.models.catalog import ARCHITECTURES, axes_of, make_network
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.models.sides import Divisor, all_sides, check_size, nearest_sides
from cardiotrace.learning.training.adaptation.catalog import ADAPTATIONS
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.balance import Balance, Shares
from cardiotrace.learning.training.distillation import Distillation
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.pseudo_labels import PseudoLabels
from cardiotrace.learning.training.settings import TrainingSettings
from cardiotrace.learning.training.shapes import ShapeLearning
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preprocessing import MOST_NEIGHBOURS, NeighboursOf, Preprocessing, channels_with_neighbours


@dataclass(frozen=True)
class DataSettings:
    """What to learn from."""

    dataset: Choice
    """Data set and its options; where it lies is said on the command line."""
    split: str = "official"
    """Name of one of the data set's own splits, "k-fold" for folds made by patient, or a .json file with the lists
    `training`, `validation` and `testing`, here or beside the recipe."""
    folds: int = 5
    """Number of folds when the split is "k-fold"."""
    seed: int | None = None
    """Who is in which fold when the split is "k-fold"; by default the recipe's own seed."""
    training_patients: int | None = None
    """Learn from only so many patients of the training part, drawn by the seed of the folds; all by default."""
    stratify: tuple[str, ...] = ()
    """Group keys, such as "pathology", that made folds and drawn validation patients hold in equal shares."""
    validation_patients: int | None = None
    """How many of those who are not tested on validate, drawn by the seed of the folds; all others are learned from. By
    default those of the split, which for "k-fold" are a whole further fold. 0 is for `training.keep = "last"`."""
    leave_out: LeftOut | None = None
    """{ key = "vendor", value = "Siemens" } tests on all patients of that group and learns from the others, whatever
    `split` says; a key is any group key, such as vendor, dataset, centre or pathology."""
    pseudo_labels: PseudoLabels | None = None
    """{ teacher = "NAME", lowest_confidence = 0.9 } lets a model label the images of the training part that have no
    reference, where it is sure. By default they are left out."""
    balance: str | None = None
    """Group key, such as "dataset" or "vendor": each epoch draws as many samples of every group. An epoch has as many
    samples as without it, so that a small group is seen more than once, a large one in part. None by default."""
    balance_shares: Shares = "equal"
    """Or "square-root": a group's share is as the root of its size, between equal shares and those of the data."""

    def __post_init__(self) -> None:
        if self.seed is not None and not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must lie in [0, 2^32), got {self.seed}")
        if self.validation_patients is not None and self.validation_patients < 0:
            raise ValueError(f"validation_patients must not be negative, got {self.validation_patients}")

    @property
    def balanced(self) -> Balance | None:
        """How groups are balanced; None where they are not."""
        return None if self.balance is None else Balance(self.balance, self.balance_shares)


@dataclass(frozen=True)
class Recipe:
    """A training run. Equal recipes on equal data give equal models."""

    name: str
    data: DataSettings
    architecture: Choice
    preprocessing: Preprocessing
    summary: str = ""
    seed: int = 0
    neighbours: int = 0
    """Planes on each side of a plane that the network sees as channels beside its own, such as 1 for the slices above
    and below; at the ends of a stack or film the last one stands again. For images in grey."""
    neighbours_of: NeighboursOf = "slices"
    """Or "frames": the neighbours are the frames before and after, for data sets whose cases are films."""
    loss: Choice = field(default_factory=lambda: Choice("dice+cross-entropy"))
    optimiser: Choice = field(default_factory=lambda: Choice("adam"))
    schedule: Choice = field(default_factory=lambda: Choice("one-cycle"))
    postprocessing: Postprocessing = field(default_factory=Postprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    distillation: Distillation | None = None
    """Other models that teach this one; none by default."""
    adaptation: Adaptation | None = None
    """Other domains that the model is to serve, whose labels are not looked at; none by default."""
    shapes: ShapeLearning | None = None
    """Learn from label maps alone, for a model that corrects them; by default from images."""
    views: tuple[View, ...] | None = None
    """What the model is for; by default the views of the data set. Empty for a model that analyses no exam by itself,
    such as a localiser."""
    localiser: str | None = None
    """Name or path of the model that finds the heart, for a preprocessing that crops around it; it travels in the model
    that is made. None by default."""

    def __post_init__(self) -> None:
        require_name(self.name)
        if self.preprocessing.needs_centre and self.localiser is None:
            raise ValueError('preprocessing crops around the heart: say what finds it, `localiser = "heart-localiser"`')
        if self.localiser is not None and not self.preprocessing.needs_centre:
            raise ValueError('localiser has no effect: no step of the preprocessing has `around = "heart"`')
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must lie in [0, 2^32), got {self.seed}")
        if self.augmentation.sector is not None and self.training.crop is not None:
            raise ValueError("augmentation.sector changes whole sectors: leave out training.crop")
        if not 0 <= self.neighbours <= MOST_NEIGHBOURS:
            raise ValueError(f"neighbours must be 0 to {MOST_NEIGHBOURS}, got {self.neighbours}")
        if self.neighbours and self.augmentation.changes_colours:
            raise ValueError("augmentation changes colours, and neighbours are planes in grey: leave out one of them")
        if self.neighbours_of != "slices" and not self.neighbours:
            raise ValueError("neighbours_of has no effect without neighbours: give their number")
        if self.data.validation_patients == 0:
            self._require_no_choice()
        self._require_one_teacher()

    def _require_no_choice(self) -> None:
        """Where nobody validates nothing can be chosen by it."""
        if self.training.keep != "last":
            raise ValueError('data.validation_patients = 0 leaves nobody to choose by: set training.keep = "last"')
        if self.schedule.name == "plateau":
            raise ValueError('data.validation_patients = 0 leaves no score to follow: choose a schedule but "plateau"')

    def _require_one_teacher(self) -> None:
        """What is done with a batch is one thing."""
        if self.augmentation.maxstyle is not None and self.distillation is not None:
            raise ValueError("augmentation.maxstyle searches by labels alone: leave out distillation")
        if self.adaptation is None:
            return
        others = {
            "distillation": self.distillation,
            "shapes": self.shapes,
            "augmentation.maxstyle": self.augmentation.maxstyle,
            "data.pseudo_labels": self.data.pseudo_labels,
        }
        if given := [key for key, value in others.items() if value is not None]:
            raise ValueError(f"adaptation says what images without labels are for: leave out {given[0]}")

    @property
    def axes(self) -> Axes:
        """Of a sample: 2 where the network sees planes, 3 where it sees volumes."""
        return axes_of(self.architecture)

    @property
    def adaptation_config(self) -> MethodConfig:
        """The options of its adaptation."""
        config: MethodConfig = ADAPTATIONS.config(self.adaptation.method if self.adaptation else Choice("none"))
        return config

    @property
    def unlabelled_per_batch(self) -> int:
        """Images without labels that stand beside the labelled ones of a batch."""
        sees = self.adaptation is not None and self.adaptation_config.sees_targets
        return self.adaptation.unlabelled_in(self.training.batch_size) if self.adaptation and sees else 0

    @property
    def fold_seed(self) -> int:
        """Says who is in which fold, and who is drawn where only some patients are learned from."""
        return fold_seed(self.data.seed, self.seed)

    def channels_seen(self, channels: int) -> int:
        """Channels of the network's input, where a prepared plane has `channels`.

        Raises:
            InputError: neighbours of planes in colour.
        """
        return channels_with_neighbours(channels, self.neighbours)

    def digest(self) -> str:
        """Fingerprint of all that shapes the weights; a checkpoint remembers it."""
        # Under the names that keys had at first: a run that was begun under them goes on.
        plain = with_present_keys(to_plain(portable(self)), {now: before for before, now in FORMER_KEYS.items()})
        for dotted, neutral in _LATER_KEYS.items():
            *tables, key = dotted.split(".")
            place = plain[tables[0]] if tables else plain
            if place.get(key) == neutral:
                del place[key]
        shaping = {key: value for key, value in plain.items() if key not in _AFTER_TRAINING}
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()


SHAPES = "shape-autoencoder"
"""The architecture that learns from label maps alone."""
SPLIT_FILE = ".json"
"""How the name of a split ends that is a file of the user's own."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_LONGEST_NAME = 200
_AFTER_TRAINING = ("name", "summary", "postprocessing", "views")
_LATER_KEYS: dict[str, Any] = {
    "neighbours": 0,
    "neighbours_of": "slices",
    "data.stratify": [],
    "data.balance_shares": "equal",
    "training.keep": "best",
}
"""Keys that the first recipes did not have, and what they trained by: a run that was begun without them goes on."""
_IMAGES = (((7, 97, 131), (9.0, 1.0, 1.0)), ((12, 480, 640), (5.0, 0.3, 0.5)))
"""Two unlike stacks, (depth, height, width) and mm: what both are prepared to is the size that all are."""
_CATALOGS = (
    ("architecture", ARCHITECTURES),
    ("loss", LOSSES),
    ("optimiser", OPTIMISERS),
    ("schedule", SCHEDULES),
)


_DEFAULT_CHOICES: dict[str, str] = {
    item.name: item.default_factory().name
    for item in dataclasses.fields(Recipe)
    if item.name in dict(_CATALOGS) and item.default_factory is not dataclasses.MISSING
}


FORMER_KEYS = {
    "preparation": "preprocessing",
    "optimiser.rate": "optimiser.learning_rate",
    "training.average_decay": "training.ema_decay",
    "architecture.dil": "architecture.dilation",
    "architecture.further_dils": "architecture.further_dilations",
}
"""Keys of recipes as they were called before, and as they are called now."""


def require_name(name: str) -> None:
    """Refuse a name that files and folders cannot have everywhere.

    Raises:
        ConfigError: it has other signs than letters, digits and a few more, or too many.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        allowed = f"at most {_LONGEST_NAME} letters, digits, '.', '_', '+' and '-'"
        raise ConfigError(f"name must be {allowed}, got {brief(name)}: files and folders are named so")


def recipe_from_plain(values: dict[str, Any]) -> Recipe:
    """Read a recipe and write out every default of every choice.

    Raises:
        ConfigError: naming the dotted key; also where the prepared images do not fit the network.
    """
    values = RECIPE.read(values, kind=ConfigError)
    recipe = from_plain(Recipe, with_present_keys(values, FORMER_KEYS))
    resolved: dict[str, Any] = {key: catalog.resolve(getattr(recipe, key), path=key) for key, catalog in _CATALOGS}
    recipe = dataclasses.replace(recipe, **resolved)
    if recipe.adaptation is not None:
        method = ADAPTATIONS.resolve(recipe.adaptation.method, path="adaptation.method")
        recipe = dataclasses.replace(recipe, adaptation=dataclasses.replace(recipe.adaptation, method=method))
    dataset = recipe.data.dataset
    DATASETS.config(dataset, path="data.dataset")
    dataset = dataclasses.replace(dataset, package=DATASETS.entry(dataset).package)
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, dataset=dataset))
    _check_network(recipe)
    return recipe


def _check_network(recipe: Recipe) -> None:
    """The network is made without memory to ask what it needs."""
    _check_axes(recipe)
    _check_shapes(recipe)
    with torch.device("meta"):
        network = make_network(recipe.architecture, NetworkSpec(recipe.channels_seen(1), 2, input_size(recipe)))
    if network.group not in (None, recipe.training.group):
        raise ConfigError(
            f"architecture {recipe.architecture.name!r} learns from planes that belong together",
            remedy=f'set training.group = "{network.group}".',
        )
    if network.group is not None and recipe.neighbours:
        raise ConfigError(
            f"architecture {recipe.architecture.name!r} compares a slice with itself in another phase, and not its"
            " neighbours",
            remedy="set neighbours = 0.",
        )
    for name in ("mixstyle", "maxstyle"):
        if (style := getattr(recipe.augmentation, name)) is not None:
            levels_of(network, style.levels, f"augmentation.{name}")
    _check_adaptation(recipe, network)
    _check_sides(recipe, network)


def _check_adaptation(recipe: Recipe, network: Network) -> None:
    """What a network adds to its loss by itself takes labels for the whole truth; an upper bound adapts to nothing."""
    if recipe.adaptation is not None and recipe.adaptation.target_labels and recipe.adaptation_config.sees_targets:
        raise ConfigError(
            f"adaptation.target_labels is the upper bound, and {recipe.adaptation.method.name} adapts without them",
            remedy='set adaptation.method = "none", or target_labels = false.',
        )
    adds = type(network).auxiliary_losses is not Network.auxiliary_losses
    if adds and recipe.adaptation is not None and recipe.adaptation_config.sees_targets:
        raise ConfigError(
            f"architecture {recipe.architecture.name!r} learns from whole label maps, and targets of an adaptation have"
            " none",
            remedy="choose another architecture, such as unet.",
        )


def input_size(recipe: Recipe) -> tuple[int, ...] | None:
    """Sides of all that the recipe's network sees, in training and after it; None where any of them varies."""
    prepared = _prepared_size(recipe)
    sides = tuple(side for side in prepared if side is not None)
    if len(sides) < len(prepared):
        return None
    return sides if recipe.training.crop in (None, sides) else None


def window_of(recipe: Recipe, stored: tuple[int, ...], divisor: Divisor) -> tuple[int, ...] | None:
    """Sides of what the network is to see at once in use, so that it slides over whatever is larger.

    Args:
        recipe: the recipe.
        stored: sides of the packed samples.
        divisor: of its network.

    Returns:
        Those of the windows that it learned from, or of the deepest stack; None for planes that it sees whole.
    """
    if recipe.axes == 2:
        return recipe.training.crop if recipe.training.sliding else None
    return recipe.training.crop or (nearest_sides(stored[0], all_sides(divisor, 3)[0])[1], *stored[1:])


def _prepared_size(recipe: Recipe) -> tuple[int | None, ...]:
    """What every sample is prepared to along each axis; None where each comes out at a size of its own."""
    images = ((shape[-recipe.axes :], spacing[-recipe.axes :]) for shape, spacing in _IMAGES)
    placed = [recipe.preprocessing.shape_for(shape, spacing) for shape, spacing in images]
    return tuple(sides[0] if len(set(sides)) == 1 else None for sides in zip(*placed, strict=True))


def _check_sides(recipe: Recipe, network: Network) -> None:
    prepared = _prepared_size(recipe)
    # Where every image comes out at its own size, packing will say so; stacks are filled up to what fits.
    known = tuple(one for one in prepared[-2:] if one is not None)
    sides: dict[str, tuple[int, ...]] = {"preprocessing": known} if len(known) == 2 else {}
    if recipe.training.crop is not None:
        sides["training.crop"] = recipe.training.crop
    divisors = all_sides(network.divisor, len(prepared))
    for key, size in sides.items():
        try:
            check_size(size, divisors[-len(size) :])
        except InputError as error:
            raise ConfigError(f"{key}: {error.what}", remedy=error.remedy) from None


def _check_shapes(recipe: Recipe) -> None:
    """Who learns from label maps must be able to, and images do not matter."""
    if recipe.shapes is not None and recipe.architecture.name != SHAPES:
        raise ConfigError(
            f"shapes are learned by {SHAPES}, not by {recipe.architecture.name}",
            remedy=f'set architecture = "{SHAPES}", or leave out [shapes].',
        )
    if recipe.shapes is not None and recipe.distillation is not None:
        raise ConfigError("shapes are learned from labels alone: leave out distillation")


def _check_axes(recipe: Recipe) -> None:
    """What planes and volumes do not have in common."""
    axes, crop = recipe.axes, recipe.training.crop
    if crop is not None and len(crop) != axes:
        kinds = {2: "planes: height and width", 3: "volumes: depth, height and width"}
        raise ConfigError(f"training.crop has {len(crop)} sides, and {recipe.architecture.name} sees {kinds[axes]}")
    if axes == 3 and recipe.neighbours:
        raise ConfigError(f"neighbours are about planes, and {recipe.architecture.name} sees volumes")
    if axes == 3 and recipe.data.pseudo_labels is not None:
        raise ConfigError(f"data.pseudo_labels are made of planes, and {recipe.architecture.name} sees volumes")
    if axes == 3 and recipe.augmentation.sector is not None:
        raise ConfigError(f"augmentation.sector is about planes, and {recipe.architecture.name} sees volumes")


def read_recipe(path: Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe file.

    Args:
        path: a .toml file.
        overrides: dotted key to value, applied on top, such as {"training.epochs": 2, "preprocessing.0.height": 128}.

    Raises:
        ConfigError: the file cannot be read, or a key is unknown or bad.
    """
    values = recipe_values(path, overrides)
    values.pop("sweep", None)
    return recipe_from_plain(values)


def portable(recipe: Recipe) -> Recipe:
    """The recipe as run folders and model files hold it: a file of this machine is told by its name alone.

    Example:
        >>> from cardiotrace.learning.training.recipe import _name_alone
        >>> _name_alone("/home/anna/mine.json"), _name_alone("splits/mine.json"), _name_alone("official")
        ('mine.json', 'splits/mine.json', 'official')
    """
    data = dataclasses.replace(recipe.data, split=_name_alone(recipe.data.split))
    if data.pseudo_labels is not None:
        named = dataclasses.replace(data.pseudo_labels, teacher=_name_alone(data.pseudo_labels.teacher))
        data = dataclasses.replace(data, pseudo_labels=named)
    taught = recipe.distillation
    if taught is not None:
        taught = dataclasses.replace(taught, teachers=tuple(map(_name_alone, taught.teachers)))
    localiser = None if recipe.localiser is None else _name_alone(recipe.localiser)
    return dataclasses.replace(recipe, data=data, distillation=taught, localiser=localiser)


def without_places(recipe: Recipe) -> dict[str, Any]:
    """The portable recipe as plain data, without where parts of a joined data set lie: what a model file tells."""
    plain: dict[str, Any] = to_plain(portable(recipe))
    for part in plain["data"]["dataset"].get("parts", ()):
        part.pop("root", None)
    plain["data"]["dataset"].pop("root", None)
    return plain


def _name_alone(text: str) -> str:
    """The name of a file where the text is its absolute path, else the text."""
    is_absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute() or text.startswith("~")
    return PureWindowsPath(text).name if is_absolute else text


def recipe_values(path: Path, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """The tables of a recipe file as they stand there, with a `[sweep]` where it has one, and `overrides` on top.

    Raises:
        ConfigError: the file cannot be read, or a key cannot be set.
    """
    values = with_present_keys(RECIPE.read(read_toml(path), where=path, kind=ConfigError), FORMER_KEYS)
    _find_split(values, path.parent)
    for dotted, value in (overrides or {}).items():
        override(values, dotted, value)
    return values


def _find_split(values: dict[str, Any], folder: Path) -> None:
    """A split file that is not here may lie beside the recipe that names it, in place."""
    data = values.get("data")
    split = data.get("split") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(split, str) and split.endswith(SPLIT_FILE) and "\0" not in split:
        neighbour = folder / split
        # Not pathlib's: it raises for names that are too long.
        if not os.path.exists(split) and os.path.exists(neighbour):  # noqa: PTH110
            data["split"] = str(neighbour.resolve())


def override(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Set one key, in place; a choice that stands as a bare name becomes a table of that name."""
    *parents, last = present_key(dotted, FORMER_KEYS).split(".")
    place: Any = values
    if parents and parents[0] in _DEFAULT_CHOICES:
        values.setdefault(parents[0], _DEFAULT_CHOICES[parents[0]])
    try:
        for parent in parents:
            if isinstance(place, list):
                place = place[int(parent)]
                continue
            if isinstance(place.get(parent), str):
                place[parent] = {"name": place[parent]}
            place = place.setdefault(parent, {})
        place[int(last) if isinstance(place, list) else last] = value
    except (AttributeError, IndexError, TypeError, ValueError):
        raise ConfigError(f"there is no key {dotted!r} to change") from None


def recipe_text(recipe: Recipe) -> str:
    """The resolved recipe as TOML that reads back as the same recipe, see `portable`."""
    return tomli_w.dumps(RECIPE.stamp(to_plain(portable(recipe))))
