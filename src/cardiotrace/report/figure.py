"""Plots: curves of an exam and of a training, agreement of two observers. Matplotlib is loaded when one is drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.key_frames import KeyFrame
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
    """Plot a training journal: losses, scores and learning rate over epochs, one panel each.

    Args:
        rows: one mapping per epoch; keys with "loss", "dice" (or "jaccard", "iou") and "lr" in them are drawn, over
            "epoch" where it is given. A key may be absent from some rows.
        path: the PNG to be.

    Raises:
        InputError: nothing in the rows can be drawn.
    """
    panels = [(title, _journal(rows, words), is_log) for title, words, is_log in _PANELS]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        raise InputError("the journal has no loss, dice or learning rate to draw", where=path)
    figure = blank_figure(4.4 * len(panels), 3.2)
    for place, (title, lines, is_log) in enumerate(panels):
        axes = plain_axes(figure, (1, len(panels), place + 1), x="epoch", y=title)
        for colour, (name, (epochs, values)) in zip(_cycled(len(lines)), lines.items(), strict=True):
            axes.plot(epochs, values, color=colour, linewidth=1.6, label=name, marker="o" if len(epochs) < 3 else "")
        if is_log:
            axes.set_yscale("log")
        axes.legend(frameon=False, fontsize=TEXT, loc="upper left" if is_log else "center right")
    save_png(figure, path)


def draw_exam_curve(curve: Curve, instants: Sequence[KeyFrame], path: Path) -> None:
    """Plot volumes of the ventricles, or areas of ventricle and atrium, over time with ED and ES marked.

    Args:
        curve: the values of one cine.
        instants: the measured frames; those of other images are not drawn.
        path: the PNG to be.
    """
    along = np.arange(len(next(iter(curve.series.values())))) if curve.times_ms is None else np.array(curve.times_ms)
    names = [name for name in curve.series if "_length" not in name]
    left = [name for name in names if "volume" in name] or [name for name in names if "ventricular_area" in name]
    right = [name for name in names if "area" in name and name not in left]
    # As wide as two stand side by side on the page, so that letters keep their size there.
    figure = blank_figure(4.6, 3.1, dots=200)
    label = _axis_label(left[0]) if len(left) == 1 else _axis_label(left[0]).replace("LV ", "")
    axes = plain_axes(figure, (1, 1, 1), x="frame" if curve.times_ms is None else "time, ms", y=label)
    handles = [
        _line(axes, along, curve.series[name], colour, _word(name))
        for name, colour in zip(left, (LINES[0], LINES[1]), strict=False)
    ]
    if right:
        other = axes.twinx()
        other.set_ylabel(_axis_label(right[0]).replace("LV ", ""), color=INK, fontsize=TEXT)
        other.tick_params(colors=INK, labelsize=TEXT)
        other.spines[["top", "left", "bottom"]].set_visible(False)
        colours = (LINES[5], LINES[3])
        handles += [
            _line(other, along, curve.series[name], colour, _word(name), dashed=True)
            for name, colour in zip(right, colours, strict=False)
        ]
        other.set_ylim(bottom=0)
    axes.set_ylim(bottom=0)
    for instant in instants:
        if instant.image == curve.image:
            axes.axvline(along[instant.frame], color=INK, linewidth=0.9, linestyle=":")
            axes.annotate(
                instant.phase.value,
                (along[instant.frame], 0.02),
                xycoords=("data", "axes fraction"),
                fontsize=TEXT,
                xytext=(3, 0),
                textcoords="offset points",
                color=INK,
            )
    figure.legend(handles=handles, frameon=False, fontsize=TEXT, ncols=3, loc="outside upper center")
    save_png(figure, path)


def draw_agreement(
    predicted: Float[np.ndarray, "cases"],
    reference: Float[np.ndarray, "others"],
    path: Path,
    *,
    quantity: str,
    unit: str,
    reference_name: str = "reference",
) -> None:
    """Plot agreement with a reference: correlation on the left, Bland-Altman on the right.

    Args:
        predicted: one value per case.
        reference: the reference of the same cases; pairs with a missing value are left out.
        path: the PNG to be.
        quantity: what they are, such as "ejection fraction".
        unit: of both, such as "%".
        reference_name: what the reference is, in words.

    Raises:
        InputError: fewer than three complete pairs, or unequal numbers of cases.
    """
    pairs = _pairs(predicted, reference, path)
    figure = blank_figure(9.0, 4.0)
    axes = plain_axes(figure, (1, 2, 1), x=f"{quantity}, {reference_name}, {unit}", y=f"{quantity}, predicted, {unit}")
    correlation_panel(axes, *pairs)
    bland_altman_panel(
        plain_axes(figure, (1, 2, 2), x=f"mean of both, {unit}", y=f"predicted - reference, {unit}"), *pairs
    )
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


def _journal(rows: Sequence[Mapping[str, Any]], words: tuple[str, ...]) -> dict[str, tuple[list[float], list[float]]]:
    """Epochs and values of every key that holds one of the words, finite numbers only."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for place, row in enumerate(rows):
        epoch = float(row.get("epoch", place + 1))
        for key, value in row.items():
            parts = key.lower().replace("/", "_").split("_")
            is_wanted = any(word in parts or key.lower().endswith(word) for word in words)
            if is_wanted and isinstance(value, int | float) and np.isfinite(value):
                epochs, values = lines.setdefault(key, ([], []))
                epochs.append(epoch)
                values.append(float(value))
    return lines


def _cycled(count: int) -> list[str]:
    return [LINES[place % len(LINES)] for place in range(count)]


def _line(
    axes: "Axes",
    along: Float[np.ndarray, "frames"] | Any,
    values: Sequence[float | None],
    colour: str,
    name: str,
    *,
    dashed: bool = False,
) -> Any:
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    (line,) = axes.plot(
        along, numbers, color=colour, linewidth=1.3 if dashed else 2.0, linestyle="--" if dashed else "-", label=name
    )
    return line


def _word(name: str) -> str:
    """Words of a name and unit: "left_ventricular_area_cm2" is "LV area"."""
    words = name.rsplit("_", 1)[0].replace("_", " ")
    for long, short in (("left ventricular", "LV"), ("right ventricular", "RV"), ("left atrial", "LA")):
        words = words.replace(long, short)
    return words


def _axis_label(name: str) -> str:
    return f"{_word(name)}, {name.rsplit('_', 1)[1].replace('2', '²')}"
