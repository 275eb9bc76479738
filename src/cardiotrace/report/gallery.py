"""One frame with what a person traced and what was predicted: both outlines on it, or all slices of both."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.geometry.contour import contours
from cardiotrace.io import write_bytes
from cardiotrace.metrics import Region, regions_of
from cardiotrace.report.canvas import TEXT, blank_figure, save_png
from cardiotrace.report.colour import STRUCTURE_COLOURS, hexadecimal
from cardiotrace.report.framing import LabelledFrame, box_to_show, cropped, display_grey
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.sheet import base_to_apex, draw_sheet, put_together
from cardiotrace.report.sweep import painted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_DARK, _LIGHT = "#12161b", "#f2f2f2"
_WORDS = ("predicted", "reference")
_WIDTH = 9.5
"""Of the image, inches."""


@dataclass(frozen=True)
class ComparedImage:
    """A frame with two labellings on its grid."""

    image: Image
    predicted: LabelMap
    reference: LabelMap
    frame: int = 0

    @property
    def depth(self) -> int:
        """The slice in which the two differ most."""
        differs = self.reference.to(self.predicted.scheme).array[self.frame] != self.predicted.array[self.frame]
        return int(np.argmax(differs.sum(axis=(1, 2))))

    def around_the_heart(self) -> "ComparedImage":
        """The same, of MRI only what lies around the labels of both."""
        box = box_to_show(self.image, (self.predicted, self.reference))
        if box is None:
            return self
        cine, predicted = cropped(self.image, self.predicted, box)
        return ComparedImage(cine, predicted, cropped(self.image, self.reference, box)[1], self.frame)

    @property
    def regions(self) -> tuple[Region, ...]:
        """What both can hold."""
        held = set(self.predicted.scheme.structures)
        return tuple(region for region in regions_of(self.reference.scheme) if held.issuperset(region.structures))

    @property
    def is_thin(self) -> bool:
        """Whether both hold long thin structures alone, whose outlines would hide them."""
        return bool(self.regions) and all(region.is_thin for region in self.regions)


def draw_compared(compared: ComparedImage, path: Path, *, title: str, notes: Sequence[str] = ()) -> None:
    """Draw a frame, and the same with the outlines of the reference, white, and of the prediction, coloured.

    Long thin structures are painted instead: found white, false vermilion, missed blue.

    Args:
        compared: image, prediction and reference.
        path: the PNG to be.
        title: one line above.
        notes: further lines, such as scores.
    """
    compared = compared.around_the_heart()
    rows_mm, columns_mm = _size_mm(compared.image)
    height = 0.5 * _WIDTH * rows_mm / columns_mm + 0.75 + 0.17 * len(notes)
    figure = blank_figure(_WIDTH, min(max(height, 3.0), 12.0))
    figure.set_facecolor(_DARK)
    left, right = (_dark_axes(axes) for axes in figure.subplots(1, 2))
    plane = display_grey(compared.image)[compared.frame, compared.depth]
    extent = (0.0, columns_mm, rows_mm, 0.0)
    left.imshow(plane, cmap="gray", vmin=0, vmax=255, extent=extent)
    if compared.is_thin:
        right.imshow(_painted(compared), extent=extent, interpolation="nearest")
        right.set_xlabel("found white, false vermilion, missed blue", color=_LIGHT, fontsize=TEXT)
    else:
        right.imshow(plane, cmap="gray", vmin=0, vmax=255, extent=extent)
        _draw_outlines(figure, right, compared)
    if compared.image.grid_shape[1] > 1:
        left.set_xlabel(f"slice {compared.depth}, where the two differ most", color=_LIGHT, fontsize=TEXT)
    figure.suptitle("\n".join([title, *notes]), color=_LIGHT, fontsize=10)
    save_png(figure, path)


def draw_all_slices(compared: ComparedImage, path: Path, *, title: str) -> None:
    """Draw every slice of a frame with the predicted outlines, and below with those of the reference.

    A planar image stands beside itself: as it is, predicted, reference.

    Args:
        compared: image, prediction and reference.
        path: the PNG to be.
        title: one line above.
    """
    predicted, reference = compared.predicted, compared.reference
    if set(predicted.scheme.structures) == set(reference.scheme.structures):
        predicted = predicted.to(reference.scheme)  # so that both legends have one order
    shown = [LabelledFrame(compared.image, labels, compared.frame) for labels in (predicted, reference)]
    box = box_to_show(compared.image, (compared.predicted, compared.reference))
    if compared.image.grid_shape[1] > 1:
        order = base_to_apex([compared.reference, compared.predicted])
        parts = [draw_sheet(each, caption=word, box=box, order=order) for each, word in zip(shown, _WORDS, strict=True)]
        whole = put_together(parts, title=title, columns=1)
    else:
        bare = replace(shown[1], labels=replace(compared.reference, array=np.zeros_like(compared.reference.array)))
        style = OverlayStyle(width=520, height=520)
        words = ("image", *_WORDS)
        parts = [
            draw_overlay(each.cropped(box), caption=word, style=style)
            for each, word in zip((bare, *shown), words, strict=True)
        ]
        whole = put_together(parts, title=title, columns=len(parts))
    stream = io.BytesIO()
    whole.save(stream, format="PNG")
    write_bytes(path, stream.getvalue())


def _draw_outlines(figure: "Figure", axes: "Axes", compared: ComparedImage) -> None:
    """Draw the outlines of all regions, and tell them apart below."""
    handles = [_outlines(axes, compared, region) for region in compared.regions]
    if handles:
        reference = handles[0][0]
        figure.legend(
            handles=[reference, *(predicted for _, predicted in handles)], loc="outside lower center", ncols=6,
            fontsize=TEXT, frameon=False, labelcolor=_LIGHT,
        )  # fmt: skip


def _outlines(axes: "Axes", compared: ComparedImage, region: Region) -> tuple["Line2D", "Line2D"]:
    """Draw one region's two outlines; gives a line of the reference and one of the prediction for the legend."""
    frame, depth = compared.frame, compared.depth
    colour = hexadecimal(STRUCTURE_COLOURS[region.structures[-1]])
    drawn = []
    for labels, shade, word, width in (
        (compared.reference, "white", "reference", 1.1),
        (compared.predicted, colour, f"predicted {region.name}", 1.5),
    ):
        mask = region.mask(labels.array[frame, depth], labels.scheme)
        for ring in _rings_mm(mask, compared.image):
            axes.plot(ring[:, 1], ring[:, 0], color="black", linewidth=width + 1.2, alpha=0.45)
            axes.plot(ring[:, 1], ring[:, 0], color=shade, linewidth=width)
        drawn += axes.plot([], [], color=shade, linewidth=width, label=word)
    return drawn[0], drawn[1]


def _rings_mm(mask: Bool[np.ndarray, "height width"], cine: Image) -> list[np.ndarray]:
    """Level lines in mm from the image's upper left corner."""
    return [(ring + 0.5) * np.array(cine.geometry.pixel_mm) for ring in contours(mask)]


def _painted(compared: ComparedImage) -> np.ndarray:
    frame, depth = compared.frame, compared.depth
    masks = [
        np.any([region.mask(labels.array[frame, depth], labels.scheme) for region in compared.regions], axis=0)
        for labels in (compared.predicted, compared.reference)
    ]
    predicted, reference = (mask.astype(np.uint8) for mask in masks)
    return painted(predicted, reference, np.ones(predicted.shape, bool))


def _dark_axes(axes: "Axes") -> "Axes":
    axes.set_facecolor(_DARK)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes


def _size_mm(cine: Image) -> tuple[float, float]:
    height, width = cine.grid_shape[2:]
    row, column = cine.geometry.pixel_mm
    return height * row, width * column
