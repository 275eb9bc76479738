"""What a data set holds: tables, and a figure of it."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.config import to_plain
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.description import DatasetDescription, describe
from cardiotrace.io import write_text
from cardiotrace.workflows.data import DatasetConfig
from cardiotrace.workflows.services.figure_folder import figures_in, require_ours

if TYPE_CHECKING:
    from cardiotrace.report.distribution import CountPanel, SizePanel

FIGURE, TABLES = "description.png", "description.json"


@dataclass(frozen=True, kw_only=True)
class DescribeConfig(DatasetConfig):
    """Which data set, and where its tables and figure go."""

    out: Path | None = None
    """Write the tables (description.json) and a figure of them (description.png) to this folder."""


def describe_dataset(config: DescribeConfig, reporter: ProgressReporter = SILENT) -> DatasetDescription:
    """Describe a data set from its tables and the headers of its files; no pixels are read.

    Raises:
        InputError: the folder does not hold the data set.
        UsageError: files of somebody else's would be replaced.
        WorkError: nothing can be written.
    """
    dataset = config.open()
    if config.out is not None:
        require_ours(config.out, option="--out", certain=(FIGURE, TABLES))
    with reporter.stage(f"reading the headers of {dataset.name}") as on_progress:
        described = describe(dataset, on_progress=on_progress)
    if config.out is not None:
        with figures_in(config.out, option="--out") as folder:
            write_text(folder / TABLES, json.dumps(to_plain(described), indent=1, ensure_ascii=False) + "\n")
            _draw(described, folder / FIGURE)
    return described


def _draw(described: DatasetDescription, path: Path) -> None:
    from cardiotrace.report.distribution import draw_distributions

    panels: list[CountPanel | SizePanel] = [*_counts(described), *_sizes(described)]
    draw_distributions(panels, path, title=described.headline)


def _counts(described: DatasetDescription) -> Iterator["CountPanel"]:
    """Patients by every key that the data set knows; scanners are too many for a figure."""
    from cardiotrace.report.distribution import CountPanel

    rows = described.row_key.replace("_", " ") or "all"
    for key in [key for key in described.column_keys if key != "scanner"] or [""]:
        by = f" by {key.replace('_', ' ')}" if key else ""
        yield CountPanel(f"patients: {rows}{by}", described.counts(key))


def _sizes(described: DatasetDescription) -> Iterator["SizePanel"]:
    """Pixels, slices, fields of view and instants, with a layer for each view or phase."""
    from cardiotrace.report.distribution import SizePanel

    headers = described.headers
    pixels = [(header.view, header.spacing_mm[1]) for header in headers if header.spacing_mm is not None]
    yield SizePanel("pixels", "pixel height, mm", _series(pixels))
    heights = [(header.view, header.shape[1]) for header in headers if header.shape is not None]
    yield SizePanel("matrices", "height, pixels", _series(heights))
    stacks = [header for header in headers if header.is_stack]
    depths = [(header.view, header.shape[0]) for header in stacks if header.shape is not None]
    yield SizePanel("stacks", "slices", _series(depths), is_whole=True)
    distances = [(header.view, header.spacing_mm[0]) for header in stacks if header.spacing_mm is not None]
    yield SizePanel("slice distances", "mm", _series(distances))
    instants = [header for header in headers if header.phase is not Phase.OTHER]
    frames = [(str(header.phase), header.frame) for header in instants if header.frame is not None]
    yield SizePanel("ED and ES in the cine", "frame, from 0", _series(frames), is_whole=True)
    counts = [(header.view, header.frame_count) for header in headers if header.frame_count is not None]
    yield SizePanel("cines", "frames", _series(counts), is_whole=True)


def _series(pairs: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    """Numbers by series, what is no number left out."""
    found: dict[str, list[float]] = {}
    for name, value in pairs:
        if not math.isnan(value):
            found.setdefault(name, []).append(value)
    return found
