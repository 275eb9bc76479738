from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.long_axis_trace import trace_long_axis
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import LV_ONLY, LabelMap
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.framing import Box, LabelledFrame, display_grey
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from tests.clinical.ventricle import Ventricle, image_of, label_map

PLAIN = OverlayStyle(width=400, height=400, has_legend=False, has_scale=False, fill=0.0)


@pytest.mark.parametrize("spacing_mm", [(0.5, 1.0), (1.0, 0.5), (1.0, 1.0)])
def test_pixels_become_square_millimetres(spacing_mm: tuple[float, float]) -> None:
    labels = label_map([Ventricle().draw(spacing_mm)], (1.0, *spacing_mm))
    image = draw_overlay(LabelledFrame(image_of("a", labels).image, labels), style=PLAIN)
    assert image.size == (400, 400)
    assert image.mode == "RGB"


def test_outline_lies_on_the_border_of_the_mask() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    black = Image(np.zeros(labels.array.shape, np.uint8), labels.geometry)
    cavity = labels.array[0, 0] == 1
    pixels = np.asarray(draw_overlay(LabelledFrame(black, labels), style=PLAIN)).astype(int)
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
    without = np.asarray(draw_overlay(LabelledFrame(black, labels), style=PLAIN)).astype(int)
    with_axis = np.asarray(draw_overlay(LabelledFrame(black, labels), trace=found, style=PLAIN)).astype(int)
    row, column = ((axis.apex * 0.5 + axis.base * 0.5 + 0.5) * 400 / 150).round().astype(int)
    window = np.s_[row - 2 : row + 3, column - 2 : column + 3]
    assert with_axis[window].max() > without[window].max() + 100


def test_axis_of_a_cropped_image_lies_where_it_was_measured() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    black = Image(np.zeros(labels.array.shape, np.uint8), labels.geometry)
    traced = trace_long_axis(labels, 0)
    axis = traced.axis
    assert axis is not None
    part = LabelledFrame(black, labels).cropped(Box(30, 130, 25, 125))
    assert part.corner_mm == (30.0, 25.0)
    drawn = [
        np.asarray(draw_overlay(shown, trace=traced, style=PLAIN)).astype(int)
        for shown in (part, replace(part, corner_mm=(0.0, 0.0)))
    ]
    assert drawn[0].shape == (400, 400, 3)
    middle_mm = axis.apex * 0.5 + axis.base * 0.5
    row, column = ((middle_mm - (30, 25) + 0.5) * 400 / 100).round().astype(int)
    right, wrong = (image[row - 2 : row + 3, column - 2 : column + 3].max() for image in drawn)
    assert right > wrong + 100


def test_legend_and_scale_only_where_they_mean_something() -> None:
    labels = label_map([Ventricle().draw((1.0, 1.0))], None)
    cine = image_of("a", labels).image
    unscaled = np.asarray(
        draw_overlay(LabelledFrame(cine, labels), style=OverlayStyle(width=400, height=400, has_legend=False))
    )
    plain = np.asarray(
        draw_overlay(LabelledFrame(cine, labels), style=OverlayStyle(400, 400, has_legend=False, has_scale=False))
    )
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
    image = draw_overlay(LabelledFrame(photo, labels), style=PLAIN)
    assert image.getpixel((2, 2)) == (120, 10, 10)


def black_image() -> LabelledFrame:
    labels = label_map([Ventricle().draw((1.0, 1.0))], (1.0, 1.0, 1.0))
    return LabelledFrame(Image(np.zeros(labels.array.shape, np.uint8), labels.geometry), labels)


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    # 150 mm on 400 pixels: a quarter of the width holds three whole centimetres, 80 pixels.
    style = OverlayStyle(width=400, height=400, has_legend=False, has_scale=True, fill=0.0)
    with_bar = np.asarray(draw_overlay(black_image(), style=style)).astype(int)
    without = np.asarray(draw_overlay(black_image(), style=PLAIN)).astype(int)
    rows, columns = np.nonzero((with_bar.min(axis=2) > 250) & (without.max(axis=2) == 0))
    bar = columns[rows == rows.max()]
    assert np.ptp(bar) + 1 == pytest.approx(80, abs=2)
    assert bar.max() > 380
    # A tick at each centimetre, both ends included.
    above = np.unique(columns[rows == rows.max() - 3])
    assert np.count_nonzero(np.diff(above) > 1) + 1 == 4


def test_the_legend_names_what_is_there_in_its_colour() -> None:
    shown = black_image()
    without_atrium = replace(shown.labels, array=np.where(shown.labels.array == 3, 0, shown.labels.array))
    style = OverlayStyle(width=400, height=400, has_legend=True, has_scale=False, fill=0.0)
    for labels, expected in ((shown.labels, 3), (without_atrium, 2)):
        found = np.asarray(draw_overlay(replace(shown, labels=labels), style=style))
        plain = np.asarray(draw_overlay(replace(shown, labels=labels), style=PLAIN))
        keys = {tuple(colour) for colour in found[(found != plain).any(axis=2)].tolist()}
        told = keys & set(STRUCTURE_COLOURS.values())
        assert len(told) == expected


def test_a_caption_stands_in_the_upper_left_corner_alone() -> None:
    with_words = np.asarray(draw_overlay(black_image(), caption="A4C end-diastole", style=PLAIN)).astype(int)
    changed = np.abs(with_words - np.asarray(draw_overlay(black_image(), style=PLAIN))).sum(axis=2) > 0
    rows, columns = np.nonzero(changed)
    assert rows.max() < 40
    assert columns.min() < 15
    assert columns.max() < 250


def test_cropping_twice_keeps_the_place() -> None:
    part = black_image().cropped(Box(30, 130, 25, 125)).cropped(Box(10, 60, 5, 55))
    assert part.corner_mm == (40.0, 30.0)
    assert part.image.grid_shape == (1, 1, 50, 50)
    np.testing.assert_array_equal(part.labels.array, black_image().labels.array[:, :, 40:90, 30:80])


def test_what_a_person_corrected_is_dashed_as_it_was() -> None:
    geometry = Geometry.of_spacing((1.0, 1.0, 1.0))
    array = np.zeros((1, 1, 80, 80), np.uint8)
    array[..., 20:60, 20:60] = 1
    wider = array.copy()
    wider[..., 10:70, 10:70] = 1
    shown = LabelledFrame(Image(np.full((1, 1, 80, 80), 90, np.uint8), geometry), LabelMap(array, LV_ONLY, geometry))
    same = np.asarray(draw_overlay(shown))
    assert np.array_equal(np.asarray(draw_overlay(replace(shown, former=shown.labels))), same)
    dashed = np.asarray(draw_overlay(replace(shown, former=LabelMap(wider, LV_ONLY, geometry))))
    scale = dashed.shape[0] / 80
    row = dashed[round(10 * scale)].astype(int)
    changed = np.abs(row - same[round(10 * scale)]).sum(axis=1) > 60
    along = changed[round(14 * scale) : round(66 * scale)]
    assert 0.25 < along.mean() < 0.75
    assert np.count_nonzero(np.diff(along.astype(int))) > 8
