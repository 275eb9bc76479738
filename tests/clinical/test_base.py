"""Where the base of a stack lies, for flags, segments, scores and pictures alike."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.base import base_contradicts, base_is_first, base_of
from cardiotrace.clinical.slices import Slices
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.short_axis import TYPICAL_AXIS, is_seen_from_apex, off_axis_degrees, runs_to_apex
from cardiotrace.core.terms import View
from cardiotrace.report.sheet import base_to_apex

WIDEST_AT_ITS_APEX = np.array([300, 340, 380, 420, 460])
RIGHT = np.array([500, 400, 300, 100, 0])


def placed(axis=TYPICAL_AXIS, *, mirrored=False):
    """A stack whose slices run along an axis and whose image is seen from where they end, or mirrored."""
    along = axis / np.linalg.norm(axis)
    right = np.cross([0.0, 0.0, 1.0], along)
    right /= np.linalg.norm(right)
    down = np.cross(along, right) * (-1 if mirrored else 1) * -1
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = 8 * along, 1.4 * -down, 1.4 * -right
    return Geometry(affine, orientation=Known.FILE)


def stack(geometry):
    array = np.zeros((1, 5, 40, 40), np.uint8)
    for depth, (left, right) in enumerate(zip(WIDEST_AT_ITS_APEX, RIGHT, strict=True)):
        plane = array[0, depth].reshape(-1)
        plane[:left], plane[left : left + right] = 3, 1
    return LabelMap(array, ACDC, geometry)


def test_the_place_in_the_patient_decides_then_the_right_ventricle_then_the_size():
    assert not base_is_first(WIDEST_AT_ITS_APEX)
    assert base_is_first(WIDEST_AT_ITS_APEX, RIGHT)
    assert base_is_first(WIDEST_AT_ITS_APEX, None, placed())
    assert not base_is_first(WIDEST_AT_ITS_APEX, RIGHT, placed(-TYPICAL_AXIS))


def test_a_place_that_is_no_short_axis_is_not_asked():
    sagittal = placed(np.array([-1.0, 0.1, 0.0]))
    assert off_axis_degrees(sagittal) == pytest.approx(50, abs=8)
    assert runs_to_apex(sagittal) is None
    assert is_seen_from_apex(sagittal) is None
    assert base_is_first(WIDEST_AT_ITS_APEX, RIGHT, sagittal)


def test_a_contradiction_is_seen():
    assert not base_contradicts(stack(placed()))
    assert base_contradicts(stack(placed(-TYPICAL_AXIS)))
    assert not base_contradicts(stack(Geometry.of_spacing((8.0, 1.4, 1.4))))


@pytest.mark.parametrize("geometry", [placed(), placed(-TYPICAL_AXIS), Geometry.of_spacing((8.0, 1.4, 1.4))])
def test_flags_and_pictures_have_one_rule(geometry):
    labels = stack(geometry)
    image = ExamImage("a", Image(np.zeros(labels.array.shape, np.uint8), geometry, view=View.SAX))
    found = Slices.of(TracedStack(image, labels, np.zeros((1, 5), bool)), 0)
    assert found.is_base_first is base_of([labels])
    assert base_to_apex([labels]) == (list(range(5)) if found.is_base_first else list(range(5))[::-1])


def test_mirroring_is_known_from_the_place_alone():
    seen = is_seen_from_apex(placed())
    assert seen is not None
    assert is_seen_from_apex(placed(mirrored=True)) is (not seen)
    assert is_seen_from_apex(replace(placed(), orientation=Known.UNKNOWN)) is None
    assert is_seen_from_apex(replace(placed(), orientation=Known.UNKNOWN, as_shown=Known.DATA_SET)) is True
