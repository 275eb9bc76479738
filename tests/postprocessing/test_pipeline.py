"""Steps in order, read from plain data, with every changed pixel counted."""

import numpy as np
import pytest

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing import STEPS, Postprocessing

PLAIN = [{"name": "largest-component", "structures": ["LV"]}, "fill-holes"]


def test_reads_and_writes_plain_data_with_every_option() -> None:
    steps = Postprocessing.__from_plain__(PLAIN, "postprocessing")
    assert to_plain(steps) == [
        {"name": "largest-component", "structures": ["LV"], "together": False, "space": "plane", "diagonal": True},
        {"name": "fill-holes", "structures": [], "together": False},
    ]
    assert Postprocessing.__from_plain__(to_plain(steps), "p").choices == steps.choices


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ([{"name": "polish"}], "there is no post-processing step 'polish'"),
        ([{"name": "fill-holes", "structure": ["LV"]}], r"postprocessing\[0\].structure"),
        ([{"name": "largest-component", "space": "time"}], "'time' is not one of 'plane', 'volume'"),
        ("fill-holes", "expected a list of steps"),
    ],
)
def test_bad_plain_data_names_the_key(plain: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Postprocessing.__from_plain__(plain, "postprocessing")


def test_counts_what_came_and_went_in_each_frame() -> None:
    array = np.zeros((3, 1, 7, 7), np.uint8)
    array[0, 0, 1:4, 1:4] = 1
    array[0, 0, 2, 2] = 0  # a hole
    array[0, 0, 6, 5:7] = 1  # an island
    array[1, 0, 0, 0] = 2
    labels = LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 1.0, 1.0)))
    before = array.copy()
    processed = Postprocessing.__from_plain__(PLAIN, "").apply(labels)
    np.testing.assert_array_equal(array, before)
    assert processed.removed[Structure.LV].tolist() == [2, 0, 0]
    assert processed.added[Structure.LV].tolist() == [1, 0, 0]
    assert processed.removed[Structure.MYO].tolist() == [0, 0, 0]
    assert processed.labels.array[0].sum() == 9
    assert processed.labels.spacing_mm == labels.spacing_mm


def test_no_steps_change_nothing() -> None:
    array = np.random.default_rng(0).integers(0, 4, (2, 3, 5, 6), np.uint8)
    processed = Postprocessing().apply(LabelMap(array, CAMUS, NO_GEOMETRY))
    np.testing.assert_array_equal(processed.labels.array, array)
    assert processed.labels.array is not array


def test_order_matters() -> None:
    """An island inside a ring: filling first keeps the ring whole, and the island is part of the filled disc."""
    array = np.zeros((1, 1, 7, 7), np.uint8)
    array[0, 0, 0:7, 0:7] = 1
    array[0, 0, 1:6, 1:6] = 0
    array[0, 0, 3, 3] = 1
    fill_first = Postprocessing.__from_plain__(["fill-holes", "largest-component"], "").apply(
        LabelMap(array, CAMUS, NO_GEOMETRY)
    )
    assert fill_first.removed[Structure.LV].tolist() == [0]
    keep_first = Postprocessing.__from_plain__(["largest-component", "fill-holes"], "").apply(
        LabelMap(array, CAMUS, NO_GEOMETRY)
    )
    assert keep_first.added[Structure.LV].tolist() == [25 - 1]
    assert keep_first.labels.array.sum() == 49


def test_every_step_has_a_summary_and_a_source() -> None:
    assert all(entry.summary.endswith(".") and entry.source for entry in STEPS)


def test_steps_see_a_border_only_where_the_image_has_one() -> None:
    """Frames are worked on in the box of their labels: a gap at its edge is as open as it was."""
    array = np.zeros((2, 1, 9, 9), np.uint8)
    array[0, 0, 3:6, 3:6] = array[1, 0, 2:5, 4:7] = CAMUS.value(Structure.LV)
    array[0, 0, 4, 4] = 0  # enclosed
    array[1, 0, 3, 4] = 0  # open to the left, at the edge of its own labels
    labels = LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 1.0, 1.0)))
    done = Postprocessing.__from_plain__(["largest-component", "fill-holes"], "postprocessing").apply(labels)
    assert done.labels.array[0, 0, 4, 4] == CAMUS.value(Structure.LV)
    assert done.labels.array[1, 0, 3, 4] == 0
    assert done.added[Structure.LV].tolist() == [1, 0]


def test_empty_labels_stay_empty() -> None:
    labels = LabelMap(np.zeros((2, 1, 4, 4), np.uint8), CAMUS, NO_GEOMETRY)
    assert not Postprocessing.__from_plain__(["largest-component", "fill-holes"], "").apply(labels).labels.array.any()


def test_a_blank_slice_does_not_cut_a_heart_in_two() -> None:
    array = np.zeros((1, 5, 8, 8), np.uint8)
    array[0, (0, 1, 3, 4), 2:5, 2:5] = 1
    array[0, 1, 7, 7] = 1
    labels = LabelMap(array, CAMUS, NO_GEOMETRY)
    steps = Postprocessing.__from_plain__([{"name": "largest-component", "space": "volume"}], "p")
    assert steps.apply(labels).removed[Structure.LV].tolist() == [9 + 9 + 1]
    blank = np.array([[False, False, True, False, False]])
    processed = steps.apply(labels, blank=blank)
    assert processed.removed[Structure.LV].tolist() == [1]
    assert processed.labels.array[0, :, 3, 3].tolist() == [1, 1, 0, 1, 1]
    assert steps.apply(labels, blank=np.ones_like(blank)).removed[Structure.LV].tolist() == [0]
