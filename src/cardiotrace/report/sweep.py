"""Plots of a sweep: bars with every run as a point, validation curves by variant, strips of predictions."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.core.errors import InputError
from cardiotrace.report.canvas import INK, TEXT, blank_figure, plain_axes, save_png
from cardiotrace.report.colour import LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cell = tuple[str, str]
"""(label of the group, label within the group)."""
_FOUND, _FALSE, _MISSED = (255, 255, 255), (213, 94, 0), (86, 180, 233)


@dataclass(frozen=True)
class Runs:
    """The runs of one variant."""

    values: Sequence[float]
    """One score for each run."""
    collapsed: Sequence[bool]
    """Which of them collapsed."""
    curves: Sequence[Sequence[float]] = ()
    """Validation score over the epochs, for each run."""


def cell_of(settings: Mapping[str, str]) -> Cell:
    """Where a variant stands in the plots: grouped by all axes but the first, told apart by the first.

    Example:
        >>> cell_of({"levels": "3", "scaling": "none"})
        ('scaling none', 'levels 3')
    """
    first, *others = settings
    return ", ".join(f"{axis} {settings[axis]}" for axis in others), f"{first} {settings[first]}"


def draw_bars(variants: Mapping[Cell, Runs], path: Path, *, score: str, marks: Mapping[str, float]) -> None:
    """Plot mean and standard deviation of each variant as a bar, its runs as points, collapsed runs as crosses.

    Args:
        variants: by group and by label within the group.
        path: the PNG to be.
        score: words for the axis.
        marks: values to draw across, by what they are.

    Raises:
        InputError: there is nothing to draw.
    """
    groups, members = _labels(variants, path)
    figure = blank_figure(max(5.0, 0.4 * len(variants) + 0.9 * len(groups)), 4.0)
    axes = plain_axes(figure, (1, 1, 1), x="", y=score)
    width = 0.8 / len(members)
    for number, member in enumerate(members):
        colour = LINES[number % len(LINES)]
        for place, group in enumerate(groups):
            runs = variants.get((group, member))
            if runs is not None and len(runs.values):
                _bar(axes, place + (number - (len(members) - 1) / 2) * width, width, runs, colour)
        axes.bar(0, 0, color=colour, alpha=0.45, label=member)
    axes.scatter([], [], marker="x", color=INK, label="collapsed run")
    for number, (name, value) in enumerate(marks.items()):
        axes.axhline(value, color=INK, linewidth=1.0, linestyle=("--", ":", "-.")[number % 3], label=name)
    axes.set_xticks(range(len(groups)), [group.replace(", ", "\n") for group in groups])
    axes.set_ylim(0, 1)
    axes.grid(visible=False, axis="x")
    figure.legend(frameon=False, fontsize=TEXT, loc="outside lower center", ncols=3)
    save_png(figure, path)


def _bar(axes: "Axes", x: float, width: float, runs: Runs, colour: str) -> None:
    values, collapsed = np.asarray(runs.values, np.float64), np.asarray(runs.collapsed, bool)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    axes.bar(x, values.mean(), 0.9 * width, color=colour, alpha=0.45)
    if spread:
        axes.errorbar(x, values.mean(), spread, color=INK, linewidth=1.1, capsize=3)
    places = x + np.linspace(-0.28, 0.28, len(values)) * width if len(values) > 1 else np.array([x])
    axes.scatter(
        places[~collapsed], values[~collapsed], s=11, color=colour, edgecolors="white", linewidths=0.4, zorder=3
    )
    axes.scatter(
        places[collapsed], values[collapsed], s=22, color=INK, marker="x", linewidths=1.3, zorder=3, clip_on=False
    )


def draw_validation(variants: Mapping[Cell, Runs], path: Path) -> None:
    """Plot the validation Dice of every run over its epochs, one panel a variant, collapsed runs dashed.

    Raises:
        InputError: there is nothing to draw.
    """
    groups, members = _labels(variants, path)
    figure = blank_figure(max(4.5, 2.3 * len(members)), 1.9 * len(groups) + 0.3)
    longest = max((len(curve) for runs in variants.values() for curve in runs.curves), default=1)
    for number, (group, member) in enumerate(itertools.product(groups, members), start=1):
        is_first, is_last = (number - 1) % len(members) == 0, number > len(members) * (len(groups) - 1)
        y = f"{group}\nvalidation Dice" if is_first else ""
        axes = plain_axes(figure, (len(groups), len(members), number), x="epoch" if is_last else "", y=y)
        _validation_panel(axes, member, variants.get((group, member), Runs((), ())))
        axes.set_xlim(1, max(2, longest))
    save_png(figure, path)


def _validation_panel(axes: "Axes", member: str, runs: Runs) -> None:
    """The curves of one variant; its title counts collapsed runs."""
    for curve, is_collapsed in zip(runs.curves, runs.collapsed, strict=True):
        colour, style = (LINES[1], "--") if is_collapsed else (LINES[0], "-")
        axes.plot(range(1, len(curve) + 1), curve, color=colour, linestyle=style, linewidth=1.1, alpha=0.8)
    axes.set_ylim(-0.02, 1)
    axes.locator_params(axis="x", integer=True)
    failed = sum(runs.collapsed)
    note = f", {failed} of {len(runs.collapsed)} collapsed" if failed else ""
    axes.set_title(f"{member}{note}", fontsize=TEXT, color=LINES[1] if failed else INK)


def draw_traces(
    traces: Mapping[str, Mapping[str, Sequence[float]]], path: Path, *, logarithmic: Sequence[str] = ()
) -> None:
    """Plot several measures of several trainings over their epochs: a panel for each measure, a line for each training.

    Args:
        traces: name of the training to measure to one value an epoch; values that are no number are left out.
        path: the PNG to be.
        logarithmic: measures on a logarithmic axis.

    Raises:
        InputError: there is nothing to draw.
    """
    measures = list(dict.fromkeys(measure for trace in traces.values() for measure in trace))
    if not measures:
        raise InputError("there is no trace to draw", where=path)
    columns = min(4, len(measures))
    rows = -(-len(measures) // columns)
    figure = blank_figure(3.4 * columns, 2.7 * rows + 0.22 * len(traces))
    for place, measure in enumerate(measures):
        axes = plain_axes(figure, (rows, columns, place + 1), x="epoch", y=measure)
        for number, (name, trace) in enumerate(traces.items()):
            values = trace.get(measure, ())
            colour, style = LINES[number % len(LINES)], ("-", "--", ":")[number // len(LINES) % 3]
            axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, linewidth=1.4, label=name)
        axes.locator_params(axis="x", integer=True)
        if measure in logarithmic:
            axes.set_yscale("log")
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, fontsize=TEXT, loc="outside lower center", ncols=2)
    save_png(figure, path)


@dataclass(frozen=True)
class Example:
    """One image with its reference and what each variant predicts."""

    image: Float[np.ndarray, "height width 3"]
    """Red, green, blue in 0..1."""
    reference: UInt8[np.ndarray, "height width"]
    """Class indices, 0 for background."""
    counts: Bool[np.ndarray, "height width"]
    """Pixels that count; the others are drawn grey."""
    predicted: Mapping[Cell, UInt8[np.ndarray, "height width"]]
    scores: Mapping[Cell, float]
    """Dice of this image."""


def draw_strips(example: Example, path: Path) -> None:
    """Draw image, reference and every prediction side by side, one row a group.

    Right pixels are white, false ones vermilion, missed ones blue.

    Raises:
        InputError: there is no prediction to draw.
    """
    groups, members = _labels(example.predicted, path)
    columns = 2 + len(members)
    figure = blank_figure(1.55 * columns, 1.75 * len(groups) + 0.3)
    for row, group in enumerate(groups):
        for column, (title, image) in enumerate(_strip(example, group, members)):
            axes = figure.add_subplot(len(groups), columns, row * columns + column + 1)
            axes.imshow(image, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(title, fontsize=TEXT, color=INK)
            if column == 0:
                axes.set_ylabel(group, fontsize=TEXT, color=INK)
    figure.supxlabel(
        "Dice above each prediction. White: found, vermilion: false, blue: missed.", fontsize=TEXT, color=INK
    )
    save_png(figure, path)


def _strip(example: Example, group: str, members: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Titles and images of one row."""
    yield "image", example.image
    yield "reference", painted(example.reference, example.reference, example.counts)
    for cell in ((group, member) for member in members):
        if cell in example.predicted:
            image = painted(example.predicted[cell], example.reference, example.counts)
            yield f"{cell[1]}: {example.scores[cell]:.2f}", image


def painted(
    predicted: UInt8[np.ndarray, "height width"],
    reference: UInt8[np.ndarray, "height width"],
    counts: Bool[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width 3"]:
    """A prediction in three colours: found, false, missed.

    Example:
        >>> ones = np.ones((1, 2), np.uint8)
        >>> painted(ones, np.array([[1, 0]], np.uint8), ones > 0).tolist()
        [[[255, 255, 255], [213, 94, 0]]]
    """
    image = np.zeros((*predicted.shape, 3), np.uint8)
    image[(predicted == reference) & (predicted > 0)] = _FOUND
    image[(predicted != reference) & (predicted > 0)] = _FALSE
    image[(predicted == 0) & (reference > 0)] = _MISSED
    image[~counts] = 90
    return image


def _labels(cells: Mapping[Cell, object], path: Path) -> tuple[list[str], list[str]]:
    if not cells:
        raise InputError("there is no run to draw", where=path)
    return list(dict.fromkeys(group for group, _ in cells)), list(dict.fromkeys(member for _, member in cells))
