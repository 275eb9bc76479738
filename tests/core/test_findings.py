from dataclasses import replace

import numpy as np

from cardiotrace.core.findings import ExamFindings, Findings
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry, Known
from cardiotrace.core.label import CAMUS, LEFT_VENTRICLE, LabelMap


def labels(geometry=NO_GEOMETRY):
    return LabelMap(np.zeros((3, 2, 4, 5), np.uint8), CAMUS, geometry)


def kept(before, after):
    return [one is other for one, other in zip(before.planes, after.planes, strict=True)]


def test_what_is_known_is_not_found_again_and_what_depends_on_something_else_is():
    findings, asked = Findings(), []

    def find(answer):
        asked.append(answer)
        return answer

    assert [findings.get("a", lambda: find(None)) for _ in range(2)] == [None, None]
    assert [findings.get("b", lambda: find(2), given=1), findings.get("b", lambda: find(3), given=2)] == [2, 3]
    assert findings.get("b", lambda: find(4), given=1) == 4  # the former answer was not kept
    assert asked == [None, 2, 3, 4]


def test_only_the_planes_that_changed_are_forgotten():
    known, image = ExamFindings(), np.zeros((3, 2, 4, 5))
    before = known.of("a", image, labels())
    assert before.plane(1, 1) is before.planes[3]
    edited = labels()
    edited.array[1, 1, 2, 2] = 1
    after = known.of("a", image, edited)
    assert kept(before, after) == [True, True, True, False, True, True]
    assert after.image is before.image
    # And back again: what was there two edits ago is found anew, not taken for what is there now.
    assert kept(after, known.of("a", image, labels())) == [True, True, True, False, True, True]


def test_an_array_that_is_edited_in_place_is_seen_to_be_another():
    known, image, drawn = ExamFindings(), np.zeros((3, 2, 4, 5)), labels()
    before = known.of("a", image, drawn)
    drawn.array[0, 0, 0, 0] = 2
    assert kept(before, known.of("a", image, drawn)) == [False, True, True, True, True, True]


def test_equal_values_that_mean_something_else_are_not_the_same():
    image = np.zeros((3, 2, 4, 5))
    place = Geometry.of_spacing((8.0, 1.0, 1.0))
    others = (
        labels(Geometry.of_spacing((8.0, 1.0, 1.1))),
        labels(replace(place, slice_distance=Known.UNKNOWN)),
        LabelMap(labels().array, LEFT_VENTRICLE, place),
        LabelMap(np.zeros((3, 2, 5, 4), np.uint8), CAMUS, place),
    )
    for other in others:
        known = ExamFindings()
        before = known.of("a", image, labels(place))
        assert not any(kept(before, known.of("a", image, other)))


def test_another_image_is_another_and_keeps_what_is_known_of_the_labels():
    known = ExamFindings()
    before = known.of("a", np.zeros((3, 2, 4, 5)), labels())
    after = known.of("a", np.zeros((3, 2, 4, 5)), labels())
    assert after.image is not before.image
    assert all(kept(before, after))
    assert not any(kept(before, known.of("b", np.zeros((3, 2, 4, 5)), labels())))
