"""Every slice of a stack, base to apex, cropped to the heart."""

import numpy as np
import pytest

from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Modality, View
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.framing import Box, LabelledFrame, box_to_show, cropped, heart_box
from cardiotrace.report.sheet import base_to_apex, draw_sheet

SPACING_MM = (10.0, 1.0, 2.0)


def stack(slices: int = 8, spacing_mm=SPACING_MM, rows=(80, 130), columns=(60, 80)) -> LabelMap:
    """A heart of 50 x 20 pixels in an image of 200 x 150, smaller from slice to slice; nothing in the last two."""
    array = np.zeros((2, slices, 200, 150), np.uint8)
    for depth in range(slices - 2):
        array[:, depth, rows[0] + 4 * depth : rows[1] - 2 * depth, columns[0] : columns[1]] = 3
    return LabelMap(array, ACDC, Geometry.of_spacing(spacing_mm) if spacing_mm else NO_GEOMETRY)


def image_of(labels: LabelMap, **facts) -> Image:
    """Grey values that tell the slice: 20 in the first, 30 in the second, ..."""
    frames = np.zeros(labels.array.shape, np.uint8)
    frames += (20 + 10 * np.arange(frames.shape[1], dtype=np.uint8))[None, :, None, None]
    return Image(frames, labels.geometry, view=View.SAX, **facts)


def test_the_box_is_square_in_millimetres_and_keeps_its_margin() -> None:
    box = heart_box([stack()])
    # 50 rows of 1 mm, 20 columns of 2 mm: 50 mm, 12 on both sides.
    assert (box.top, box.bottom) == (68, 142)
    assert (box.right - box.left) * 2 == pytest.approx(74, abs=2)
    assert box.left < 60 - 6
    assert box.right > 80 + 6


def test_both_phases_share_a_box_that_holds_both() -> None:
    first, second = stack(), stack(rows=(60, 90), columns=(70, 100))
    box = heart_box([first, second])
    assert box.top <= 60 - 12
    assert box.bottom >= 130 + 12
    assert box.left <= 60 - 6
    assert box.right >= 100 + 6
    assert box == heart_box([second, first])


def test_a_box_stays_in_the_image_and_few_pixels_do_not_fill_it() -> None:
    corner = np.zeros((1, 1, 100, 100), np.uint8)
    corner[..., 0, 99] = 3
    box = heart_box([LabelMap(corner, ACDC, Geometry.of_spacing((1.0, 1.0, 1.0)))])
    assert box == Box(0, 70, 30, 100)
    whole = np.full((1, 1, 40, 30), 3, np.uint8)
    assert heart_box([LabelMap(whole, ACDC, Geometry.of_spacing((1.0, 1.0, 1.0)))]) == Box(0, 40, 0, 30)
    assert heart_box([LabelMap(whole * 0, ACDC, NO_GEOMETRY)]) is None
    assert heart_box([stack(), stack(spacing_mm=None)]) is None


def test_cropping_moves_pixels_and_place_alike() -> None:
    labels = stack()
    box = heart_box([labels])
    cine, held = cropped(image_of(labels), labels, box)
    assert held.array.sum() == labels.array.sum()
    assert cine.grid_shape == held.array.shape
    where = np.argwhere(held.array[0, 0])[0]
    before = np.argwhere(labels.array[0, 0])[0]
    assert held.geometry.point_mm((0, *where)) == pytest.approx(labels.geometry.point_mm((0, *before)))


def test_slices_run_from_the_base_whatever_the_file_says() -> None:
    labels = stack()
    assert base_to_apex([labels]) == list(range(8))
    assert base_to_apex([LabelMap(labels.array[:, ::-1], ACDC, labels.geometry)]) == list(range(7, -1, -1))
    assert base_to_apex([LabelMap(labels.array * 0, ACDC, labels.geometry)]) == list(range(8))


@pytest.mark.parametrize("slices", [3, 8, 13, 20])
def test_every_slice_is_on_the_sheet(slices: int) -> None:
    labels = stack(slices)
    image = image_of(labels)
    sheet = np.asarray(
        draw_sheet(LabelledFrame(image, labels, 0), caption="SAX", box=heart_box([labels]), order=range(slices))
    )
    assert sheet.shape[1] <= 1600
    assert sheet.shape[0] <= 2000
    greys, counts = np.unique(sheet[46:][(sheet[46:] == sheet[46:, :, :1]).all(axis=2)], return_counts=True)
    known = dict(zip(greys.tolist(), counts.tolist(), strict=True))
    for depth in range(slices):
        assert known.get(20 + 10 * depth, 0) > 2000, f"slice {depth} is not shown"
    colours = {tuple(colour) for colour in sheet.reshape(-1, 3).tolist()}
    assert STRUCTURE_COLOURS[labels.scheme.structures[2]] in colours


def test_the_order_is_that_of_the_slices() -> None:
    labels = stack(4)
    image = image_of(labels, times_ms=np.array([0.0, 40.0]))
    sheet = np.asarray(draw_sheet(LabelledFrame(image, labels, 1), order=[3, 2, 1, 0]))
    row = sheet[200].max(axis=1)
    first = [int(row[row.size * place // 4 + 30]) for place in range(4)]
    assert first == [50, 40, 30, 20]


def test_very_deep_stacks_stay_bounded() -> None:
    array = np.ones((1, 300, 12, 12), np.uint8)
    labels = LabelMap(array, ACDC, Geometry.of_spacing((1.0, 1.0, 1.0)))
    sheet = draw_sheet(LabelledFrame(Image(array, labels.geometry), labels), order=range(300))
    assert sheet.width <= 1600
    assert sheet.height <= 2000


@pytest.mark.parametrize(
    ("modality", "slices", "is_cropped"),
    [(Modality.MR, 1, True), (Modality.MR, 8, True), (Modality.UNKNOWN, 8, True), (Modality.UNKNOWN, 1, False),
     (Modality.US, 1, False), (Modality.PHOTOGRAPH, 1, False)],
)  # fmt: skip
def test_only_images_of_the_chest_are_cropped(modality: Modality, slices: int, is_cropped: bool) -> None:
    labels = stack(8)
    part = LabelMap(labels.array[:, :slices], ACDC, labels.geometry)
    assert (box_to_show(image_of(part, modality=modality), [part]) is not None) == is_cropped
