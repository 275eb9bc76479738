"""Find, open and prepare data sets."""

import itertools
import logging
import os
from collections.abc import Container, Iterable
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


def pack(
    dataset: Dataset,
    preprocessing: Preprocessing,
    *,
    axes: Axes = 2,
    cache: Path | None = None,
    reporter: ProgressReporter = SILENT,
) -> PackedDataset:
    """The packed cache of a data set's labelled cases, made where it is not there yet.

    Args:
        dataset: where cases come from.
        preprocessing: what they go through.
        axes: of a sample: 2 for planes, 3 for volumes.
        cache: folder of caches, see `cache_folder`.
        reporter: told of progress.

    Raises:
        InputError: the images are not in the channels that the data set states.
    """
    cases = [case for case in dataset.cases() if case.read_labels is not None]
    expected = preprocessing.channels(dataset.channels)
    with reporter.stage(f"packing {dataset.name}") as on_progress:
        options = {"channels": dataset.channels, **reading_options(dataset)}
        packing = Packing(dataset.root, dataset.scheme, preprocessing, options, axes)
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


def choose_split(dataset: Dataset, name: str, *, folds: int = 5, fold: int | None = None, seed: int = 0) -> Split:
    """A published split, a published fold, or a fold made by patient; of the patients at hand.

    Where nobody at hand can validate, a tenth of the training patients do, see `Split.validated`.

    Args:
        dataset: where patients and published splits come from.
        name: "k-fold", or one of the data set's own.
        folds: how many, for "k-fold".
        fold: number of a fold, from 1; takes the place of `name` where the data set publishes folds.
        seed: of "k-fold".

    Raises:
        InputError: there is no such split or fold.
    """
    published = dataset.splits()
    if name not in (*published, OFFICIAL, K_FOLD):
        raise _no_split(dataset, name, published)
    if name == K_FOLD:
        return _made_fold(dataset, 1 if fold is None else fold, folds, seed)
    # A number takes the place of the name where the data set publishes folds, such as the ten of CAMUS.
    wanted = name if fold is None else f"fold{fold}"
    if wanted not in published:
        if fold is not None and name not in published:
            return _made_fold(dataset, fold, folds, seed)
        raise _no_split(dataset, name, published) if fold is None else _no_fold(dataset, fold, published)
    return published[wanted].on_disk({case.patient for case in dataset.cases()}).validated()


def _made_fold(dataset: Dataset, fold: int, folds: int, seed: int) -> Split:
    if not 1 <= fold <= folds:
        raise InputError(f"there is no fold {fold}: folds are 1 to {folds}")
    return k_folds(patient_groups(dataset.cases()), folds=folds, seed=seed)[fold - 1]


def _no_fold(dataset: Dataset, fold: int, published: Container[str]) -> InputError:
    last = next(number for number in itertools.count() if f"fold{number + 1}" not in published)
    there = f"folds are 1 to {last}" if last else "it publishes none"
    return InputError(f"{dataset.name} has no fold {fold}: {there}", remedy='or use data.split = "k-fold".')


def _no_split(dataset: Dataset, name: str, published: Iterable[str]) -> InputError:
    there = ", ".join(published) or "none"
    return InputError(f"{dataset.name} has no split {name!r}", remedy=f'it has {there}; or use "{K_FOLD}".')
