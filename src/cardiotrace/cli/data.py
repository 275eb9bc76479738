"""cardiotrace data list | describe | lint | split | pack | export-nnunet."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import Terminal, print_text, table
from cardiotrace.core.config import to_plain
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.description import group_rows, instant_rows, size_rows
from cardiotrace.datasets.lint import Severity
from cardiotrace.workflows.data import (
    DatasetConfig,
    PackConfig,
    SplitConfig,
    lint_dataset,
    pack_dataset,
    split_dataset,
)
from cardiotrace.workflows.describe import DescribeConfig, describe_dataset
from cardiotrace.workflows.nnunet import NnunetConfig, export_for_nnunet


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


@dataclass(frozen=True, kw_only=True)
class DescribeOptions(DescribeConfig):
    """Tables and a figure of a data set: patients by pathology, centre, vendor and field strength, sizes, ED and ES."""

    json: bool = False
    """Print as JSON."""


def run_describe(options: DescribeOptions) -> None:
    """Print the tables, or all that is known of each case as JSON."""
    with Terminal() as terminal:
        described = describe_dataset(options, terminal)
    if options.json:
        say(json.dumps(to_plain(described), indent=2, ensure_ascii=False))
        return
    say(described.headline)
    print_text(described.licence)
    say("")
    table([_cells(row) for row in group_rows(described)], title="patients")
    table([_cells(row) for row in size_rows(described)], title="images; sizes: least - median - largest")
    table(
        instant_rows(described),
        title="instants in the cine, frames counted from 0: least - median - largest",
        keys=2,
    )
    for header in described.headers:
        if header.problem:
            complain(f"cardiotrace: {header.name}: {header.problem}")


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is read: units behind the words, and nothing where nothing was counted."""
    return {_heading(key): "" if value == 0 else value for key, value in row.items()}


def _heading(key: str) -> str:
    name, _, unit = key.rpartition("_")
    return f"{name.replace('_', ' ')}, mm" if unit == "mm" else key.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class LintOptions(DatasetConfig):
    """Look for what spoils training silently: masks of 0 and 255, bad spacing, swapped ED and ES, leaks."""

    json: bool = False
    """Print as JSON."""


def run_lint(options: LintOptions) -> int:
    """Print the findings, the worst first; status 3 if one of them is an error."""
    with Terminal() as terminal:
        linted = lint_dataset(options, terminal)
    rows: list[dict[str, Any]] = [
        {key: str(value) for key, value in asdict(finding).items()} for finding in linted.findings
    ]
    if options.json:
        say(json.dumps(rows, indent=2))
    else:
        table(rows, below=("what", "remedy"))
        counts = (f"{count} x {severity}" for severity, count in linted.counts.items())
        say(f"{linted.cases} cases: {', '.join(counts)}")
    return 3 if linted.counts[Severity.ERROR] else 0


@dataclass(frozen=True, kw_only=True)
class SplitOptions(SplitConfig):
    """Show the published splits, or write folds made by patient."""


_PARTS = ("training", "validation", "testing", "missing")


def run_split(options: SplitOptions) -> None:
    """Print the sizes; lists that are there and differ are not replaced."""
    splits = split_dataset(options)
    rows = [{"split": name, **{part: len(getattr(split, part)) for part in _PARTS}} for name, split in splits.items()]
    if rows:
        table(rows, title="patients")
    else:
        say(f"{options.name} has no published split; --folds makes one.")


@dataclass(frozen=True, kw_only=True)
class PackOptions(PackConfig):
    """Prepare all labelled images once and keep them memory-mapped for training."""


def run_pack(options: PackOptions) -> None:
    """Pack, or find it packed already."""
    with Terminal() as terminal:
        packed = pack_dataset(options, terminal)
    say(f"{packed.folder}: {len(packed)} planes, {packed.images.nbytes + packed.labels.nbytes:,} bytes")


@dataclass(frozen=True, kw_only=True)
class ExportNnunetOptions(NnunetConfig):
    """Write the data set as nnU-Net v2 reads it; an interrupted export goes on where it was."""


def run_export_nnunet(options: ExportNnunetOptions) -> None:
    """Write it, and say what to do with it."""
    with Terminal() as terminal:
        done = export_for_nnunet(options, terminal)
    there = f" ({done.kept} were there already)" if done.kept else ""
    say(f"{done.folder}: {done.training} images for training, {done.testing} for testing{there}")
    for line in done.left_out:
        print_text(line)
    print_text(
        "copy splits_final.json into the folder that nnUNetv2_plan_and_preprocess makes, so that no patient leaks."
    )
