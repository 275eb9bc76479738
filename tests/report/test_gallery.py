import numpy as np
import pytest
from PIL import Image as PilImage

from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LV_ONLY, VESSEL, LabelMap
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.gallery import ComparedImage, draw_compared

SPACING_MM = (4.0, 1.0, 0.5)


def labels(array, scheme=CAMUS, spacing_mm=SPACING_MM):
    return LabelMap(array.astype(np.uint8), scheme, Geometry.of_spacing(spacing_mm))


def nested(shift=0):
    array = np.zeros((1, 1, 60, 60), np.uint8)
    array[..., 10:40, 10 + shift : 50] = 2
    array[..., 16:40, 18 + shift : 40] = 1
    array[..., 42:55, 20:40] = 3
    return array


def colours_of(path):
    with PilImage.open(path) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(1 << 24)}


def test_both_outlines_are_drawn_on_pixels_of_their_true_shape(tmp_path):
    image = Image(np.full((1, 1, 60, 60), 90, np.uint8), Geometry.of_spacing(SPACING_MM))
    compared = ComparedImage(image, labels(nested(4)), labels(nested()))
    assert [region.name for region in compared.regions] == ["LV", "LV_EPI", "LA"]
    draw_compared(compared, tmp_path / "tall.png", title="case", notes=["LV: Dice 0.9"])
    found = colours_of(tmp_path / "tall.png")
    assert (255, 255, 255) in found
    assert {STRUCTURE_COLOURS[region.structures[-1]] for region in compared.regions} <= found
    wide = ComparedImage(
        Image(image.frames, NO_GEOMETRY), labels(nested(4), spacing_mm=None), labels(nested(), spacing_mm=None)
    )
    draw_compared(wide, tmp_path / "square.png", title="case", notes=["LV: Dice 0.9"])
    with PilImage.open(tmp_path / "tall.png") as tall, PilImage.open(tmp_path / "square.png") as square:
        assert tall.height > 1.5 * square.height


def test_thin_structures_are_painted(tmp_path):
    reference = np.zeros((1, 1, 40, 40), np.uint8)
    reference[..., 18:21, :] = 1
    photograph = Image(np.full((1, 1, 40, 40, 3), (120, 60, 30), np.uint8), NO_GEOMETRY)
    predicted = labels(np.roll(reference, 2, axis=2), VESSEL, None)
    draw_compared(
        ComparedImage(photograph, predicted, labels(reference, VESSEL, None)), tmp_path / "eye.png", title="eye"
    )
    assert {(255, 255, 255), (213, 94, 0), (86, 180, 233), (120, 60, 30)} <= colours_of(tmp_path / "eye.png")


def test_the_slice_with_most_differences_is_shown_and_schemes_may_differ():
    predicted, reference = np.zeros((2, 2, 3, 8, 8), np.uint8)
    reference[1, 2, 2:6, 2:6] = 1
    reference[1, 0, 2, 2] = 1
    image = Image(np.zeros((2, 3, 8, 8), np.uint8), Geometry.of_spacing(SPACING_MM))
    compared = ComparedImage(image, labels(predicted, LV_ONLY), labels(reference), frame=1)
    assert compared.depth == 2
    assert [region.name for region in compared.regions] == ["LV"]


@pytest.mark.parametrize("shape", [(2, 2), (300, 40)])
def test_odd_shapes_can_be_drawn(tmp_path, shape):
    image = Image(np.zeros((1, 1, *shape), np.uint8), NO_GEOMETRY)
    empty = labels(np.zeros((1, 1, *shape)), spacing_mm=None)
    draw_compared(ComparedImage(image, empty, empty), tmp_path / "odd.png", title="x")
    with PilImage.open(tmp_path / "odd.png") as raster:
        colours = {colour: count for count, colour in raster.convert("RGB").getcolors(1 << 24)}
        assert raster.height <= 1800
    # The image is black, on both sides alike; what is around it is not.
    assert colours[0, 0, 0] > 10_000
    assert (18, 22, 27) in colours


def test_only_the_heart_of_a_stack_is_shown(tmp_path):
    array = np.zeros((1, 3, 200, 200))
    array[0, 1, 90:110, 60:90] = 1
    frames = np.full(array.shape, 90, np.uint8)
    frames[0, 1, :40] = 200  # far from the heart
    reference = labels(array, spacing_mm=(8.0, 1.0, 1.0))
    predicted = labels(np.roll(array, 5, axis=3), spacing_mm=(8.0, 1.0, 1.0))
    compared = ComparedImage(Image(frames, reference.geometry), predicted, reference)
    shown = compared.around_the_heart()
    assert shown.image.grid_shape == (1, 3, 70, 70)
    assert shown.reference.array.sum() == reference.array.sum()
    draw_compared(compared, tmp_path / "x.png", title="case")
    with PilImage.open(tmp_path / "x.png") as image:
        pixels = np.asarray(image.convert("L"))
    # What lies far from the heart is brighter than anything but lines and letters.
    assert np.count_nonzero(np.abs(pixels.astype(int) - 90) <= 1) > 100_000
    assert np.count_nonzero(np.abs(pixels.astype(int) - 200) <= 1) < 2_000
