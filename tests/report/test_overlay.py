import numpy as np
import pytest

from cardiotrace.clinical.long_axis_trace import trace_long_axis
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.overlay import OverlayStyle, display_grey, draw_overlay
from cardiotrace.report.sheet import Box, cropped
from tests.clinical.ventricle import Ventricle, image_of, label_map

PLAIN = OverlayStyle(width=400, height=400, has_legend=False, has_scale=False, fill=0.0)


@pytest.mark.parametrize("spacing_mm", [(0.5, 1.0), (1.0, 0.5), (1.0, 1.0)])
def test_pixels_become_square_millimetres(spacing_mm: tuple[float, float]) -> None:
    labels = label_map([Ventricle().draw(spacing_mm)], (1.0, *spacing_mm))
    image = draw_overlay(image_of("a", labels).cine, labels, 0, style=PLAIN)
    assert image.size == (400, 400)
    assert image.mode == "RGB"


def test_outline_lies_on_the_border_of_the_mask() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    black = Image(np.zeros(labels.array.shape, np.uint8), labels.geometry)
    cavity = labels.array[0, 0] == 1
    pixels = np.asarray(draw_overlay(black, labels, 0, style=PLAIN)).astype(int)
    blue = np.argwhere(np.abs(pixels - STRUCTURE_COLOURS[labels.scheme.structures[0]]).sum(axis=2) < 60)
    assert len(blue) > 200
    # Pixel 0 is centred half a pixel from the image's corner.
    drawn_mm = (blue + 0.5) * 150 / 400 - 0.5
    rows, columns = np.flatnonzero(cavity.any(axis=1)), np.flatnonzero(cavity.any(axis=0))
    assert drawn_mm[:, 0].min() == pytest.approx(rows[0] - 0.5, abs=0.9)
    assert drawn_mm[:, 0].max() == pytest.approx(rows[-1] + 0.5, abs=0.9)
    assert drawn_mm[:, 1].min() == pytest.approx(columns[0] - 0.5, abs=0.9)
    assert drawn_mm[:, 1].max() == pytest.approx(columns[-1] + 0.5, abs=0.9)


def test_axis_is_drawn_where_it_is() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    black = Image(np.zeros(labels.array.shape, np.uint8), labels.geometry)
    found = trace_long_axis(labels, 0)
    axis = found.axis
    assert axis is not None
    without = np.asarray(draw_overlay(black, labels, 0, style=PLAIN)).astype(int)
    with_axis = np.asarray(draw_overlay(black, labels, 0, trace=found, style=PLAIN)).astype(int)
    row, column = ((axis.apex * 0.5 + axis.base * 0.5 + 0.5) * 400 / 150).round().astype(int)
    window = np.s_[row - 2 : row + 3, column - 2 : column + 3]
    assert with_axis[window].max() > without[window].max() + 100


def test_axis_of_a_cropped_image_lies_where_it_was_measured() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    black = Image(np.zeros(labels.array.shape, np.uint8), labels.geometry)
    traced = trace_long_axis(labels, 0)
    axis = traced.axis
    assert axis is not None
    part, held = cropped(black, labels, Box(30, 130, 25, 125))
    drawn = [
        np.asarray(draw_overlay(part, held, 0, trace=traced, style=PLAIN, corner_mm=corner)).astype(int)
        for corner in ((30.0, 25.0), (0.0, 0.0))
    ]
    assert drawn[0].shape == (400, 400, 3)
    middle_mm = axis.apex * 0.5 + axis.base * 0.5
    row, column = ((middle_mm - (30, 25) + 0.5) * 400 / 100).round().astype(int)
    right, wrong = (image[row - 2 : row + 3, column - 2 : column + 3].max() for image in drawn)
    assert right > wrong + 100


def test_legend_and_scale_only_where_they_mean_something() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], None)
    cine = image_of("a", labels).cine
    unscaled = np.asarray(draw_overlay(cine, labels, 0, style=OverlayStyle(width=400, height=400, has_legend=False)))
    plain = np.asarray(draw_overlay(cine, labels, 0, style=OverlayStyle(400, 400, has_legend=False, has_scale=False)))
    assert np.array_equal(unscaled, plain)


def test_grey_values_of_any_type() -> None:
    values = np.linspace(-500, 3000, 400).reshape(1, 1, 20, 20).astype(np.float32)
    shown = display_grey(Image(values, NO_GEOMETRY))
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.all(np.diff(shown.ravel().astype(int)) >= 0)
    assert display_grey(Image(np.full((1, 1, 4, 4), 7, np.uint16), NO_GEOMETRY)).max() <= 255


def test_colour_images_are_drawn_on() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    photo = Image(np.full((*labels.array.shape, 3), (120, 10, 10), np.uint8), labels.geometry)
    image = draw_overlay(photo, labels, 0, style=PLAIN)
    assert image.getpixel((2, 2)) == (120, 10, 10)
