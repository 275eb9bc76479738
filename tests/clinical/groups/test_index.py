"""Indices are taken from the view that a classifier learned from, and from nothing else."""

import numpy as np
import pytest

from cardiotrace.clinical.groups.index import FEWEST_SEGMENTS, SHORT_AXIS, Index, indices_of
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.segment import SegmentValues
from tests.clinical.groups.classifiers import BAD, EF, VOLUME, exam, quantity


def thickening(values, flags=()):
    return SegmentValues("wall_thickening", "percent", Method.CENTRELINE, "SAX", values, flags=tuple(flags))


def test_another_view_s_values_are_not_taken_and_indices_are_made_from_the_view_s_own():
    """The exam's own index is that of the preferred volume, to the mitral plane: the area follows from it."""
    name = "left_ventricular_end_diastolic_volume"
    preferred = (quantity(name, 150.0, "ml", "SAX+4CH"), quantity(f"{name}_index", 75.0, "ml/m2", "SAX+4CH"))
    found = indices_of(Measures("p", (*preferred, quantity(name, 140.0, "ml"))), "SAX")
    assert found[f"{name}_ml"].value == 140.0
    assert found[VOLUME].value == pytest.approx(70.0)
    assert VOLUME not in indices_of(exam(area=None), "SAX")
    assert indices_of(exam(), "PSAX") == {}


def test_statistics_of_segments_need_most_of_them():
    values = dict(enumerate(np.linspace(10.0, 40.0, 16).tolist(), start=1))
    found = indices_of(Measures("p", (), segments=(thickening(values),)), "SAX")
    told = [found[f"segment_{word}_wall_thickening_percent"].value for word in ("mean", "least", "greatest", "spread")]
    assert told == pytest.approx([25.0, 10.0, 40.0, np.std(list(values.values()), ddof=1)])
    few = dict.fromkeys(range(1, FEWEST_SEGMENTS), 20.0)
    assert indices_of(Measures("p", (), segments=(thickening(few),)), "SAX") == {}


def test_what_speaks_against_a_part_speaks_against_the_ratio():
    left, right = (f"{side}_ventricular_end_diastolic_volume" for side in ("left", "right"))
    found = indices_of(Measures("p", (quantity(left, 100.0, "ml", flags=[BAD]), quantity(right, 90.0, "ml"))), "SAX")
    assert not found["right_to_left_end_diastolic_volume_ratio"].is_usable
    assert found[f"{right}_ml"].is_usable
    assert found[f"{right}_ml"].is_doubted is False


@pytest.mark.parametrize("key", SHORT_AXIS)
def test_a_name_says_what_an_index_is(key):
    index = Index.of(key)
    assert index.unit
    assert index.is_per_body == ("_index_" in key)
    assert bool(index.statistic) == key.startswith("segment_")


def test_a_column_of_somebody_s_own_is_an_index_without_a_unit():
    assert Index.of("troponin") == Index("troponin", "troponin", "")
    assert Index.of(EF).unit == "percent"
