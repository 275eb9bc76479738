"""How patients and images are distributed: stacked bars of counts, histograms of sizes, side by side in one figure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.report.canvas import INK, TEXT, blank_figure, plain_axes, save_png
from cardiotrace.report.colour import LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

_COLUMNS = 3
_WIDTH = 4.4
"""Of a panel, inches."""
_MOST_GROUPS = 8
"""Told apart by colours in one panel; the smallest of more are drawn together."""
_BINS = 14


@dataclass(frozen=True)
class CountPanel:
    """How many there are of each row, and in each of its groups: a bar with a piece for each group."""

    title: str
    counts: Mapping[str, Mapping[str, int]]
    """Row to group to number."""


@dataclass(frozen=True)
class SizePanel:
    """How a number is distributed over images: a histogram with a layer for each series."""

    title: str
    axis: str
    """The number with its unit."""
    values: Mapping[str, Sequence[float]]
    """Series to numbers."""
    is_whole: bool = False
    """Whether they are counts: a bin for each, where there is room."""


def draw_distributions(panels: Sequence[CountPanel | SizePanel], path: Path, *, title: str) -> None:
    """Draw panels side by side, three in a row.

    Args:
        panels: those without any number are left out.
        path: the PNG to be.
        title: one line above.

    Raises:
        InputError: there is nothing to draw.
    """
    shown = [panel for panel in panels if _numbers(panel)]
    if not shown:
        raise InputError("there is nothing to draw", where=path)
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = blank_figure(_WIDTH * columns, 0.5 + 3.3 * rows, dots=130)
    for place, panel in enumerate(shown, start=1):
        words = {"x": panel.axis, "y": "images"} if isinstance(panel, SizePanel) else {"x": "patients", "y": ""}
        axes = plain_axes(figure, (rows, columns, place), **words)
        axes.set_title(panel.title, fontsize=TEXT + 1, color=INK, loc="left")
        if isinstance(panel, SizePanel):
            _draw_histogram(axes, panel)
        else:
            _draw_bars(axes, panel)
    figure.suptitle(title, fontsize=TEXT + 3, color=INK)
    save_png(figure, path)


def _numbers(panel: CountPanel | SizePanel) -> int:
    return sum(map(len, (panel.values if isinstance(panel, SizePanel) else panel.counts).values()))


def _draw_bars(axes: "Axes", panel: CountPanel) -> None:
    """Rows from top to bottom, the groups of each one behind the other with their numbers in them."""
    groups = _groups(panel.counts)
    rows = list(panel.counts)
    starts = np.zeros(len(rows))
    most = max(sum(counts.values()) for counts in panel.counts.values())
    for number, (group, members) in enumerate(groups.items()):
        lengths = np.array([sum(panel.counts[row].get(name, 0) for name in members) for row in rows])
        axes.barh(
            rows, lengths, left=starts, color=LINES[number % len(LINES)], alpha=_alpha(number), label=group or None
        )
        for place, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            if length >= 0.06 * most:
                axes.text(
                    start + length / 2, place, f"{length}", ha="center", va="center", fontsize=TEXT, color="white"
                )
        starts += lengths
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(_whole_numbers())
    if len(groups) > 1:
        _legend(axes, len(groups))


def _draw_histogram(axes: "Axes", panel: SizePanel) -> None:
    """A stacked histogram; a number that all images share is one bar."""
    everything = np.concatenate([np.asarray(values, np.float64) for values in panel.values.values()])
    low, high = float(everything.min()), float(everything.max())
    if panel.is_whole and high - low <= 3 * _BINS:
        edges = np.arange(low, high + 2) - 0.5
    elif high > low:
        edges = np.linspace(low, high, _BINS + 1)
    else:
        edges = low + np.array([-0.5, 0.5]) * max(abs(low) * 0.02, 1e-6)
        axes.set_xlim(low - 10 * np.ptp(edges), low + 10 * np.ptp(edges))
    colours = [LINES[number % len(LINES)] for number in range(len(panel.values))]
    axes.hist(list(panel.values.values()), bins=edges.tolist(), stacked=True, color=colours, label=list(panel.values))
    axes.grid(visible=False, axis="x")
    if panel.is_whole:
        axes.xaxis.set_major_locator(_whole_numbers())
    axes.yaxis.set_major_locator(_whole_numbers())
    if len(panel.values) > 1:
        _legend(axes, len(panel.values))


def _groups(counts: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[str, ...]]:
    """Groups in order, each with the names it stands for; the smallest of many stand together."""
    totals: dict[str, int] = {}
    for row in counts.values():
        for group, number in row.items():
            totals[group] = totals.get(group, 0) + number
    if len(totals) <= _MOST_GROUPS:
        return {group: (group,) for group in sorted(totals)}
    largest = sorted(totals, key=totals.__getitem__, reverse=True)[: _MOST_GROUPS - 1]
    others = tuple(group for group in totals if group not in largest)
    return {group: (group,) for group in sorted(largest)} | {f"{len(others)} others": others}


def _whole_numbers() -> "MaxNLocator":
    """Ticks at whole numbers alone, as there is no half patient."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True, min_n_ticks=1)


def _alpha(number: int) -> float:
    """Paler where colours come a second time."""
    return 0.85 if number < len(LINES) else 0.5


def _legend(axes: "Axes", count: int) -> None:
    axes.legend(
        frameon=False, fontsize=TEXT - 1, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=min(count, 4),
        columnspacing=1.0, handlelength=1.2,
    )  # fmt: skip
