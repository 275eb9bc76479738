"""Box plots of scores: regions side by side, a box for each group."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.report.canvas import INK, TEXT, blank_figure, plain_axes, save_png
from cardiotrace.report.colour import LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_boxes(values: Mapping[str, Mapping[str, Sequence[float]]], path: Path, *, score: str) -> None:
    """Plot one score as boxes: quartiles and median, whiskers to 1.5 times their distance, a point for all beyond.

    Values that are not finite (absent, missed and false-positive structures) cannot be drawn; all but absent ones are
    counted below.

    Args:
        values: region to group to one value for each image.
        path: the PNG to be.
        score: words for the axis, such as "HD, mm".

    Raises:
        InputError: no value can be drawn.
    """
    groups = list(dict.fromkeys(group for by_group in values.values() for group in by_group))
    if not any(map(_any_finite, values.values())):
        raise InputError(f"there is no {score} to draw", where=path)
    figure = blank_figure(max(4.0, 1.0 + len(values) * max(0.9, 0.45 * len(groups))), 3.8)
    axes = plain_axes(figure, (1, 1, 1), x="", y=score)
    for number, group in enumerate(groups):
        _boxes_of(axes, [by_group.get(group, ()) for by_group in values.values()], number, len(groups))
        if len(groups) > 1:
            axes.scatter([], [], marker="s", s=60, color=_colour(number), alpha=0.45, label=group)
    axes.set_xticks(range(len(values)), [f"{region}{_missed(by_group)}" for region, by_group in values.items()])
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.grid(visible=False, axis="x")
    if len(groups) > 1:
        figure.legend(frameon=False, fontsize=TEXT, loc="outside lower center", ncols=min(6, len(groups)))
    save_png(figure, path)


def _any_finite(by_group: Mapping[str, Sequence[float]]) -> bool:
    return any(np.isfinite(list(found)).any() for found in by_group.values())


def _colour(number: int) -> str:
    return LINES[number % len(LINES)]


def _boxes_of(axes: "Axes", by_region: Sequence[Sequence[float]], number: int, groups: int) -> None:
    """The boxes of one group, the same way off the middle of every region: groups share eight tenths of the width."""
    width = 0.8 / groups
    shift = (number - (groups - 1) / 2) * width
    for place, found in enumerate(by_region):
        _box(axes, place + shift, 0.85 * width, found, _colour(number))


def _box(axes: "Axes", x: float, width: float, values: Sequence[float], colour: str) -> None:
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return
    line = {"color": INK, "linewidth": 1.0}
    points = {"marker": "o", "markersize": 3, "markerfacecolor": colour, "markeredgewidth": 0, "alpha": 0.7}
    drawn = axes.boxplot(
        [known], positions=[x], widths=width, patch_artist=True, manage_ticks=False, flierprops=points,
        medianprops={"color": INK, "linewidth": 1.6}, whiskerprops=line, capprops=line,
    )  # fmt: skip
    for patch in drawn["boxes"]:
        patch.set(facecolor=colour, alpha=0.45, edgecolor=INK)


def _missed(by_group: Mapping[str, Sequence[float]]) -> str:
    count = sum(int(np.isinf(np.asarray(values, np.float64)).sum()) for values in by_group.values())
    return f"\n{count} missed or false" if count else ""
