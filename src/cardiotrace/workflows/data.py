"""Data sets: which there are, what would spoil training on one, who is in which part, images prepared once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.lint import Finding, Severity, lint
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split, k_folds, patient_groups, split_text
from cardiotrace.io import write_new_text
from cardiotrace.io.atomic import as_work_error
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.services.dataset import SamplePlan, open_dataset, pack


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """One data set on disk."""

    name: str
    """Name of the data set, see `cardiotrace data list`."""
    path: Path
    """Its folder."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of the data set, such as views=["4CH"]."""

    def open(self) -> Dataset:
        """The data set.

        Raises:
            ConfigError: no such data set or option.
            InputError: the folder does not hold it.
        """
        return open_dataset(Choice(self.name, self.options), self.path)


@dataclass(frozen=True)
class Linted:
    """What was found in a data set."""

    findings: tuple[Finding, ...]
    """The worst first."""
    cases: int

    @property
    def counts(self) -> dict[Severity, int]:
        """Findings of each severity."""
        return {severity: sum(item.severity is severity for item in self.findings) for severity in Severity}


def lint_dataset(config: DatasetConfig, reporter: ProgressReporter = SILENT) -> Linted:
    """Look for what spoils training silently: masks of 0 and 255, bad spacing, swapped ED and ES, leaks.

    Raises:
        InputError: the folder does not hold the data set.
    """
    dataset = config.open()
    with reporter.stage(f"looking through {dataset.name}") as on_progress:
        findings = lint(dataset, on_progress=on_progress)
    order = list(Severity)
    return Linted(tuple(sorted(findings, key=lambda item: order.index(item.severity))), len(dataset.cases()))


@dataclass(frozen=True, kw_only=True)
class SplitConfig(DatasetConfig):
    """Which parts of a data set, and where their lists go."""

    out: Path | None = None
    """Write one JSON file per split or fold into this folder."""
    folds: int | None = None
    """Make this many folds by patient instead of the published splits."""
    stratify: tuple[str, ...] = ()
    """Group keys kept in equal shares in all folds, such as quality ef_class."""
    seed: int = 0
    """Of the shuffle."""


def split_dataset(config: SplitConfig) -> Mapping[str, Split]:
    """The published splits of a data set, or folds made by patient; written if a folder is given.

    Lists that are there and differ are not replaced.

    Raises:
        InputError: the folder does not hold the data set, or it has too few patients for the folds.
        UsageError: another list is there.
        WorkError: nothing can be written.
    """
    dataset = config.open()
    splits = dict(dataset.splits())
    if config.folds is not None:
        groups = patient_groups(dataset.cases())
        made = k_folds(groups, folds=config.folds, seed=config.seed, stratify=config.stratify)
        splits = {f"fold{number}": split for number, split in enumerate(made, start=1)}
    if config.out is not None:
        with as_work_error(config.out):
            config.out.mkdir(parents=True, exist_ok=True)
        for name, split in splits.items():
            write_new_text(config.out / f"{name}.json", split_text(split))
    return splits


@dataclass(frozen=True, kw_only=True)
class PackConfig(DatasetConfig):
    """How images are prepared, and where to."""

    height: int = 256
    """Height of the prepared images."""
    width: int = 256
    """Width of the prepared images."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""


def pack_dataset(config: PackConfig, reporter: ProgressReporter = SILENT) -> PackedDataset:
    """Prepare all labelled images once, or find them prepared already.

    Raises:
        InputError: the folder does not hold the data set, or an image cannot be read.
        WorkError: nothing can be written.
    """
    preprocessing = Preprocessing([Choice("resize", {"height": config.height, "width": config.width})])
    return pack(config.open(), SamplePlan(preprocessing), cache=config.cache, reporter=reporter)
