"""Diagrams of how sure a model is: reliability of probabilities, and what referring patients removes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cardiotrace.metrics.reliability import Reliability
from cardiotrace.report.canvas import INK, TEXT, blank_figure, plain_axes, save_png
from cardiotrace.report.colour import LINES


def draw_reliability(pixels: Mapping[str, tuple[Reliability, Reliability]], path: Path) -> None:
    """Share of right ones over confidence, before and after scaling; on the diagonal words mean what they say.

    Args:
        pixels: before and after, by what they are of.
        path: the PNG to be.
    """
    figure = blank_figure(4.4 * len(pixels), 3.8)
    for place, (name, both) in enumerate(pixels.items(), start=1):
        axes = plain_axes(figure, (1, len(pixels), place), x=f"confidence, {name}", y="share of right pixels")
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle="--")
        for found, word, colour in zip(both, ("as it is", "scaled"), LINES, strict=False):
            rows = np.array(found.rows()).reshape(-1, 3)
            label = f"{word}, ECE {found.expected_error:.3f}"
            axes.plot(rows[:, 0], rows[:, 1], color=colour, marker="o", markersize=3, label=label)
        axes.legend(frameon=False, fontsize=TEXT)
    save_png(figure, path)


def draw_referral(curves: Mapping[str, tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]], path: Path) -> None:
    """Mean absolute error of the ejection fraction of those who are not referred.

    Args:
        curves: share referred, and error of those that are left, points; by what the error is.
        path: the PNG to be.
    """
    figure = blank_figure(5.2, 3.8)
    axes = plain_axes(figure, (1, 1, 1), x="least sure patients referred, %", y="mean absolute error of EF, points")
    for (name, (referred, error)), colour in zip(curves.items(), LINES, strict=False):
        # Of the last few patients a mean says nothing.
        shown = referred <= 0.9
        axes.plot(100 * referred[shown], error[shown], color=colour, label=name)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=TEXT)
    save_png(figure, path)
