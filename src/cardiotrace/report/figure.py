"""Plots: curves of a training, agreement of two observers. Matplotlib is loaded when one is drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.core.number import fixed
from cardiotrace.report.canvas import INK, TEXT, blank_figure, plain_axes, save_png
from cardiotrace.report.colour import LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS = (
    ("loss", ("loss",), False),
    ("score", ("dice", "jaccard", "iou"), False),
    ("learning rate", ("lr", "learning_rate"), True),
)


def draw_curves(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plot a training log: losses, scores and learning rate over epochs, one panel each.

    Args:
        rows: one mapping per epoch; keys with "loss", "dice" (or "jaccard", "iou") and "lr" in them are drawn, over
            "epoch" where it is given. A key may be absent from some rows.
        path: the PNG to be.

    Raises:
        InputError: nothing in the rows can be drawn.
    """
    panels = [(title, _log_lines(rows, words), is_log) for title, words, is_log in _PANELS]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        raise InputError("the log has no loss, dice or learning rate to draw", where=path)
    figure = blank_figure(4.4 * len(panels), 3.2)
    for place, (title, lines, is_log) in enumerate(panels):
        axes = plain_axes(figure, (1, len(panels), place + 1), x="epoch", y=title)
        for number, (name, (epochs, values)) in enumerate(lines.items()):
            colour = LINES[number % len(LINES)]
            axes.plot(epochs, values, color=colour, linewidth=1.6, label=name, marker="o" if len(epochs) < 3 else "")
        if is_log:
            axes.set_yscale("log")
        axes.legend(frameon=False, fontsize=TEXT, loc="upper left" if is_log else "center right")
    save_png(figure, path)


@dataclass(frozen=True)
class PairedValues:
    """One quantity of several cases, measured and as a reference has it."""

    predicted: Float[np.ndarray, "cases"]
    reference: Float[np.ndarray, "others"]
    """Of the same cases; pairs with a missing value are left out."""
    quantity: str
    """What they are, such as "ejection fraction"."""
    unit: str
    """Of both, such as "%"."""
    reference_name: str = "reference"
    """What the reference is, in words."""


def draw_agreement(values: PairedValues, path: Path) -> None:
    """Plot agreement with a reference: correlation on the left, Bland-Altman on the right.

    Args:
        values: what agrees, or does not.
        path: the PNG to be.

    Raises:
        InputError: fewer than three complete pairs, or unequal numbers of cases.
    """
    pairs = _pairs(values.predicted, values.reference, path)
    quantity, unit = values.quantity, values.unit
    figure = blank_figure(9.0, 4.0)
    words = {"x": f"{quantity}, {values.reference_name}, {unit}", "y": f"{quantity}, predicted, {unit}"}
    correlation_panel(plain_axes(figure, (1, 2, 1), **words), *pairs)
    words = {"x": f"mean of both, {unit}", "y": f"predicted - reference, {unit}"}
    bland_altman_panel(plain_axes(figure, (1, 2, 2), **words), *pairs)
    save_png(figure, path)


def correlation_panel(
    axes: "Axes", predicted: Float[np.ndarray, "cases"], reference: Float[np.ndarray, "cases"]
) -> None:
    """Draw predicted over reference, the line of identity, and Pearson's r."""
    low = float(min(predicted.min(), reference.min()))
    high = float(max(predicted.max(), reference.max()))
    pad = 0.05 * (high - low or 1.0)
    axes.plot([low - pad, high + pad], [low - pad, high + pad], color=INK, linewidth=0.9, linestyle="--")
    axes.scatter(reference, predicted, s=22, color=LINES[0], alpha=0.7, linewidths=0)
    axes.set_aspect("equal", adjustable="box")
    varies = min(predicted.std(), reference.std()) > 0
    words = f"r = {np.corrcoef(predicted, reference)[0, 1]:.3f}" if varies else "r undefined"
    axes.set_title(f"{words}, n = {len(predicted)}", fontsize=TEXT + 1, color=INK)


def bland_altman_panel(
    axes: "Axes", predicted: Float[np.ndarray, "cases"], reference: Float[np.ndarray, "cases"]
) -> None:
    """Draw differences over means, the bias and the limits of agreement, bias +- 1.96 SD."""
    difference = predicted - reference
    bias, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    axes.scatter((predicted + reference) / 2, difference, s=22, color=LINES[0], alpha=0.7, linewidths=0)
    for value, style in ((bias, "-"), (bias - spread, "--"), (bias + spread, "--")):
        axes.axhline(value, color=LINES[1], linewidth=1.2, linestyle=style)
        axes.annotate(
            fixed(value, 1, signed=True),
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(3, -3),
            textcoords="offset points",
            fontsize=TEXT,
            color=LINES[1],
        )
    axes.axhline(0, color=INK, linewidth=0.6)
    words = [fixed(value, 1, signed=True) for value in (bias, bias - spread, bias + spread)]
    axes.set_title(f"bias {words[0]}, limits {words[1]} to {words[2]}", fontsize=TEXT + 1, color=INK)


def _pairs(
    predicted: Float[np.ndarray, "cases"], reference: Float[np.ndarray, "others"], path: Path
) -> tuple[Float[np.ndarray, "pairs"], Float[np.ndarray, "pairs"]]:
    first, second = np.asarray(predicted, np.float64), np.asarray(reference, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise InputError(f"{first.shape} predicted for {second.shape} reference values", where=path)
    complete = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(complete) < 3:
        raise InputError(f"{np.count_nonzero(complete)} complete pairs are too few to compare", where=path)
    return first[complete], second[complete]


def _log_lines(rows: Sequence[Mapping[str, Any]], words: tuple[str, ...]) -> dict[str, tuple[list[float], list[float]]]:
    """Epochs and values of every key that holds one of the words, finite numbers only."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for place, row in enumerate(rows):
        for key, value in _numbers(row, words):
            epochs, values = lines.setdefault(key, ([], []))
            epochs.append(float(row.get("epoch", place + 1)))
            values.append(value)
    return lines


def _numbers(row: Mapping[str, Any], words: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """The finite numbers of an epoch whose key holds one of the words, such as "val_dice" or "LV Dice" for "dice"."""
    for key, value in row.items():
        parts = key.lower().replace("/", "_").split("_")
        is_wanted = any(word in parts or key.lower().endswith(word) for word in words)
        if is_wanted and isinstance(value, int | float) and np.isfinite(value):
            yield key, float(value)
