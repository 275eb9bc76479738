"""cardiotrace data list | lint | split | pack | export-nnunet."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from cardiotrace.cli.output import say
from cardiotrace.cli.settings import settings
from cardiotrace.cli.terminal import Terminal, print_text, table
from cardiotrace.core.catalog import Choice
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.lint import Severity, lint
from cardiotrace.datasets.split import k_folds, patient_groups, split_text
from cardiotrace.io import write_new_text
from cardiotrace.io.atomic import as_work_error
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.data import open_dataset, pack
from cardiotrace.workflows.nnunet import export_nnunet, nnunet_splits


@dataclass(frozen=True)
class ListOptions:
    """List the data sets that are known by name."""

    json: bool = False
    """Print as JSON."""


def run_list(options: ListOptions) -> None:
    """Print the list."""
    rows = [{"data set": entry.name, "summary": entry.summary, "source": entry.source} for entry in DATASETS]
    if options.json:
        say(json.dumps(rows, indent=2))
    else:
        table(rows, below=("summary", "source"))


@dataclass(frozen=True)
class SetOptions:
    """One data set on disk."""

    name: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="NAME")]]
    """Name of the data set, see `cardiotrace data list`."""
    path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="PATH")]]
    """Its folder."""
    option: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """Options of the data set, such as views=["4CH"]."""

    def open(self) -> Dataset:
        """The data set."""
        return open_dataset(Choice(self.name, settings(self.option)), self.path)


@dataclass(frozen=True)
class LintOptions(SetOptions):
    """Look for what spoils training silently: masks of 0 and 255, bad spacing, swapped ED and ES, leaks."""

    json: bool = False
    """Print as JSON."""


def run_lint(options: LintOptions) -> int:
    """Print the findings, the worst first; status 3 if one of them is an error."""
    dataset = options.open()
    with Terminal() as terminal, terminal.stage(f"looking through {dataset.name}") as tick:
        findings = lint(dataset, on_progress=tick)
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.severity))
    rows: list[dict[str, Any]] = [{key: str(value) for key, value in asdict(finding).items()} for finding in findings]
    if options.json:
        say(json.dumps(rows, indent=2))
    elif rows:
        table(rows, below=("what", "remedy"))
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    if not options.json:
        cases = len(dataset.cases())
        say(f"{cases} cases: " + ", ".join(f"{count} x {severity}" for severity, count in counts.items()))
    return 3 if counts[Severity.ERROR] else 0


@dataclass(frozen=True)
class SplitOptions(SetOptions):
    """Show the published splits, or write folds made by patient."""

    out: Path | None = None
    """Write one JSON file per split or fold into this folder."""
    folds: int | None = None
    """Make this many folds by patient instead of the published splits."""
    stratify: tuple[str, ...] = ()
    """Group keys kept in equal shares in all folds, such as quality ef_class."""
    seed: int = 0
    """Of the shuffle."""


def run_split(options: SplitOptions) -> None:
    """Print the sizes, write the lists if asked for; lists that are there and differ are not replaced."""
    dataset = options.open()
    splits = dict(dataset.splits())
    if options.folds is not None:
        groups = patient_groups(dataset.cases())
        made = k_folds(groups, folds=options.folds, seed=options.seed, stratify=options.stratify)
        splits = {f"fold{number}": split for number, split in enumerate(made, start=1)}
    rows = [
        {
            "split": name,
            "training": len(split.training),
            "validation": len(split.validation),
            "testing": len(split.testing),
            "missing": len(split.missing),
        }
        for name, split in splits.items()
    ]
    if rows:
        table(rows, title="patients")
    else:
        say(f"{dataset.name} has no published split; --folds makes one.")
    if options.out is not None:
        with as_work_error(options.out):
            options.out.mkdir(parents=True, exist_ok=True)
        for name, split in splits.items():
            write_new_text(options.out / f"{name}.json", split_text(split))


@dataclass(frozen=True)
class PackOptions(SetOptions):
    """Prepare all labelled images once and keep them memory-mapped for training."""

    height: int = 256
    """Height of the prepared images."""
    width: int = 256
    """Width of the prepared images."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""


def run_pack(options: PackOptions) -> None:
    """Pack, or find it packed already."""
    dataset = options.open()
    preprocessing = Preprocessing([Choice("resize", {"height": options.height, "width": options.width})])
    with Terminal() as terminal:
        packed = pack(dataset, preprocessing, cache=options.cache, watch=terminal)
    say(f"{packed.folder}: {len(packed)} planes, {packed.images.nbytes + packed.labels.nbytes:,} bytes")


@dataclass(frozen=True, kw_only=True)
class ExportNnunetOptions(SetOptions):
    """Write the data set as nnU-Net v2 reads it; an interrupted export goes on where it was."""

    out: Path
    """The folder to be, such as nnUNet_raw/Dataset101_CAMUS."""
    split: str = "official"
    """Published split: its testing part goes to imagesTs and labelsTs."""
    folds: int | None = None
    """Make this many folds by patient instead, none kept for testing."""
    seed: int = 0
    """Of the shuffle of the folds."""


def run_export_nnunet(options: ExportNnunetOptions) -> None:
    """Write it, and say what to do with it."""
    dataset = options.open()
    splits = nnunet_splits(dataset, split=options.split, folds=options.folds, seed=options.seed)
    with Terminal() as terminal:
        done = export_nnunet(dataset, options.out, splits, terminal)
    there = f" ({done.kept} were there already)" if done.kept else ""
    say(f"{done.folder}: {done.training} images for training, {done.testing} for testing{there}")
    for line in done.left_out:
        print_text(line)
    print_text(
        "copy splits_final.json into the folder that nnUNetv2_plan_and_preprocess makes, so that no patient leaks."
    )
