"""Find, open and prepare data sets."""

import itertools
import logging
import os
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.joined import JoinedConfig
from cardiotrace.datasets.packed import Axes, PackedDataset, Packing, packed
from cardiotrace.datasets.split import Split, k_folds, patient_groups
from cardiotrace.inference.localiser import Localiser
from cardiotrace.preprocessing import Preprocessing

LOG = logging.getLogger(__name__)
OFFICIAL, K_FOLD = "official", "k-fold"
"""Words for a split: the published one that most data sets have, and folds that are made by patient."""


def data_root(name: str, given: Path | None) -> Path:
    """Where a data set lies: the given folder, or the one of its name below the folder in CARDIOTRACE_DATA.

    Joined data sets lie where their parts do.

    Raises:
        InputError: neither is there.
    """
    if given is not None:
        return given
    home = os.environ.get("CARDIOTRACE_DATA")
    if not home:
        raise InputError(
            f"where does the data set {name} lie?",
            remedy="give --data PATH, or set CARDIOTRACE_DATA to its parent folder.",
        )
    return Path(home) if DATASETS[name].config is JoinedConfig else Path(home) / name


def open_dataset(choice: Choice, root: Path | None) -> Dataset:
    """The data set of a recipe or a command line, at its place.

    Raises:
        ConfigError: no such data set or option.
        InputError: the folder does not hold it.
    """
    LOG.debug("opening %s with %s", choice.name, dict(choice.options))
    needs_folder = DATASETS.needs_folder(choice.name)
    return DATASETS.make(choice, data_root(choice.name, root) if needs_folder else root or Path())


def cache_folder(given: Path | None) -> Path:
    """Where packed data goes: the given folder, CARDIOTRACE_CACHE, or the user's cache folder."""
    if given is not None:
        return given
    if os.environ.get("CARDIOTRACE_CACHE"):
        return Path(os.environ["CARDIOTRACE_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "cardiotrace"


@dataclass(frozen=True)
class SamplePlan:
    """How images become samples."""

    preprocessing: Preprocessing
    axes: Axes = 2
    """Of a sample: 2 for planes, 3 for volumes."""
    localiser: Localiser | None = None
    """What finds the heart, where the preprocessing crops around it."""
    with_unlabelled: bool = False
    """Whether cases without labels come too, every pixel of them ignored."""


def pack(
    dataset: Dataset, plan: SamplePlan, *, cache: Path | None = None, reporter: ProgressReporter = SILENT
) -> PackedDataset:
    """The packed cache of a data set's cases, made where it is not there yet.

    Args:
        dataset: whose cases.
        plan: how they become samples.
        cache: folder of packed data, see `cache_folder`.
        reporter: told of progress.

    Raises:
        InputError: the images are not in the channels that the data set states.
    """
    cases = [case for case in dataset.cases() if plan.with_unlabelled or case.read_labels is not None]
    expected = plan.preprocessing.channels(dataset.channels)
    with reporter.stage(f"packing {dataset.name}") as on_progress:
        options = {"channels": dataset.channels, **reading_options(dataset)}
        packing = Packing(dataset.root, dataset.scheme, plan.preprocessing, options, plan.axes, plan.localiser)
        data = packed(cases, packing, cache=cache_folder(cache), name=dataset.name, on_progress=on_progress)
    LOG.debug("%s is packed in %s", dataset.name, data.folder)
    if data.images.shape[1] != expected:  # said now, as the network could be trained and never exported
        raise InputError(
            f"its images come out in {data.images.shape[1]} channels, where the data set states {expected}",
            where=dataset.root,
            remedy="state the channels of the data set: 1 for grey, 3 for colour.",
        )
    return data


def reading_options(dataset: Dataset) -> dict[str, Any]:
    """The options of a data set as plain data."""
    config = to_plain(getattr(dataset, "config", {}))
    return config if isinstance(config, dict) else {}


def cases_of(dataset: Dataset, patients: Iterable[str]) -> list[Case]:
    """The cases of some patients, in the data set's order."""
    wanted = set(patients)
    return [case for case in dataset.cases() if case.patient in wanted]


@dataclass(frozen=True)
class MadeFolds:
    """How folds are made by patient."""

    count: int = 5
    """How many there are."""
    seed: int = 0
    """Says who is in which."""
    stratify: tuple[str, ...] = ()
    """Group keys that all folds hold in equal shares."""
    validation: bool = True
    """Whether the fold after the tested one validates; else nobody does."""

    def split(self, dataset: Dataset, number: int) -> Split:
        """One of the folds, from 1.

        Raises:
            InputError: there is no such fold, or the patients do not make so many.
        """
        if not 1 <= number <= self.count:
            raise InputError(f"there is no fold {number}: folds are 1 to {self.count}")
        patients = patient_groups(dataset.cases())
        made = k_folds(patients, folds=self.count, seed=self.seed, stratify=self.stratify, validation=self.validation)
        return made[number - 1]


def choose_split(dataset: Dataset, name: str, *, fold: int | None = None, made: MadeFolds = MadeFolds()) -> Split:
    """A published split, a published fold, or a fold made by patient; of the patients at hand.

    Where nobody at hand can validate, a tenth of the training patients do, see `Split.validated`.

    Args:
        dataset: where patients and published splits come from.
        name: "k-fold", or one of the data set's own.
        fold: number of a fold, from 1; takes the place of `name` where the data set publishes folds.
        made: how folds are made where none are published, or where "k-fold" asks for it.

    Raises:
        InputError: there is no such split or fold.
    """
    published = dataset.splits()
    if name not in (*published, OFFICIAL, K_FOLD):
        raise _no_split(dataset, name, published)
    if name == K_FOLD:
        return made.split(dataset, 1 if fold is None else fold)
    # A number takes the place of the name where the data set publishes folds, such as the ten of CAMUS.
    wanted = name if fold is None else f"fold{fold}"
    if wanted not in published:
        if fold is not None and name not in published:
            return made.split(dataset, fold)
        raise _no_split(dataset, name, published) if fold is None else _no_fold(dataset, fold, published)
    return published[wanted].on_disk({case.patient for case in dataset.cases()}).validated()


def _no_fold(dataset: Dataset, fold: int, published: Container[str]) -> InputError:
    last = next(number for number in itertools.count() if f"fold{number + 1}" not in published)
    there = f"folds are 1 to {last}" if last else "it publishes none"
    return InputError(f"{dataset.name} has no fold {fold}: {there}", remedy='or use data.split = "k-fold".')


def _no_split(dataset: Dataset, name: str, published: Iterable[str]) -> InputError:
    there = ", ".join(published) or "none"
    return InputError(f"{dataset.name} has no split {name!r}", remedy=f'it has {there}; or use "{K_FOLD}".')
