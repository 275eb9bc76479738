"""A blank figure, axes in the house's style, and a way to disk: what every plot begins and ends with."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.io import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#33404d"
TEXT = 10
"""Size of the smallest letters of a plot, points."""
_GRID = "#e3e8ee"


def blank_figure(width: float, height: float, *, dots: int = 150) -> "Figure":
    """A figure of so many inches at so many dots per inch; matplotlib is loaded here."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dots, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain_axes(figure: "Figure", place: tuple[int, int, int], *, x: str, y: str) -> "Axes":
    """Axes at (rows, columns, number from 1) with their labels and a light grid."""
    axes: Axes = figure.add_subplot(*place)
    axes.set_xlabel(x, color=INK, fontsize=TEXT)
    axes.set_ylabel(y, color=INK, fontsize=TEXT)
    axes.tick_params(colors=INK, labelsize=TEXT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def png_of(figure: "Figure") -> bytes:
    """The figure as the bytes of a PNG file."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def save_png(figure: "Figure", path: Path) -> None:
    """Write the figure completely or not at all.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """
    write_bytes(path, png_of(figure))
