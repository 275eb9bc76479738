"""Where labels are probably wrong: the colour lies there, the worst slice is shown, the share is right."""

import numpy as np
import pytest

from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import View
from cardiotrace.report.error_map import error_picture, expected_share
from cardiotrace.report.framing import Box, LabelledFrame
from cardiotrace.report.overlay import draw_overlay
from cardiotrace.report.words import Words

GEOMETRY = Geometry.of_spacing((8.0, 1.0, 1.0))


def exam(depth: int = 1) -> tuple[ExamImage, LabelMap]:
    image = Image(np.full((1, depth, 40, 40), 90, np.uint8), GEOMETRY, view=View.FOUR_CHAMBER)
    labels = np.zeros((1, depth, 40, 40), np.uint8)
    labels[..., 10:30, 10:30] = 1
    return ExamImage("four", image), LabelMap(labels, CAMUS, GEOMETRY)


def redness(picture, row: float, column: float) -> int:
    """Red over green at a place, as shares of the picture's sides."""
    red, green, _ = picture.getpixel((int(column * picture.width), int(row * picture.height)))
    return red - green


def error(depth: int = 1, *, at: int = 0) -> np.ndarray:
    found = np.zeros((depth, 40, 40))
    found[at, 14:20, 24:28] = 0.9
    return found


def test_the_colour_lies_where_the_error_is():
    image, labels = exam()
    picture, note = error_picture(image, labels, 0, error(), caption="", words=Words("en"))
    assert redness(picture, 17 / 40, 26 / 40) > 80
    assert redness(picture, 17 / 40, 15 / 40) == 0
    assert redness(picture, 35 / 40, 35 / 40) == 0
    assert "expected at 5.4 % of the labelled pixels" in note  # 24 pixels at 0.9 of 400


def test_of_a_stack_the_worst_slice_is_shown_and_named():
    image, labels = exam(3)
    found = error(3, at=2)
    found[0] = 0.001
    picture, note = error_picture(image, labels, 0, found, caption="", words=Words("fr"))
    assert redness(picture, 17 / 40, 26 / 40) > 80
    assert note.startswith("four, coupe 2, ")


def test_a_part_of_the_image_shows_the_same_part_of_the_error():
    image, labels = exam()
    shown = LabelledFrame(image.image, labels, error=error()[0]).cropped(Box(10, 30, 20, 40))
    assert shown.error.shape == (20, 20)
    picture = draw_overlay(shown)
    assert redness(picture, 7 / 20, 6 / 20) > 80
    assert redness(picture, 17 / 20, 15 / 20) == 0


def test_of_a_frame_without_labels_no_share_is_told():
    _, labels = exam()
    labels.array[:] = 0
    assert expected_share(error(), labels, 0) == pytest.approx(0)
