import numpy as np
import pytest

from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.evaluation.readers import Reading, reader_agreement


def labels(*shifts):
    array = np.zeros((len(shifts), 1, 40, 40), np.uint8)
    for frame, shift in enumerate(shifts):
        if shift is not None:
            array[frame, 0, 10:20, 10 + shift : 20 + shift] = 1
    return LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5)))


def test_outlines_are_compared_where_both_drew():
    readings = [Reading("A", "1", {"loop": labels(0, 0, None)}), Reading("B", "1", {"loop": labels(1, None, 2)})]
    rows = [row for row in reader_agreement(readings) if row["name"] == "LV"]
    assert [(row["frames"], row["images"]) for row in rows] == [(1, 1)]
    assert rows[0]["dice"] == pytest.approx(0.9)
    assert rows[0]["hausdorff_mm"] == pytest.approx(0.5)


def test_a_ventricle_with_its_wall_is_compared_only_where_both_drew_a_wall():
    cavity, walled = labels(0, 0), labels(1, 1)
    walled.array[1, 0, 8:10, 10:20] = 2
    names = [
        row["name"]
        for row in reader_agreement([Reading("A", "1", {"loop": cavity}), Reading("B", "1", {"loop": walled})])
    ]
    assert names == ["LV"]
    both = [Reading("A", "1", {"loop": walled}), Reading("B", "1", {"loop": walled})]
    rows = {row["name"]: row["frames"] for row in reader_agreement(both)}
    assert rows == {"LV": 2, "LV_EPI": 1}


def test_outlines_that_do_not_meet_disagree_and_are_not_left_out():
    far = labels(15)
    readings = [Reading("A", "1", {"still": labels(0)}), Reading("B", "1", {"still": far})]
    (row,) = reader_agreement(readings)
    assert row["dice"] == 0
    assert row["hausdorff_mm"] == pytest.approx(7.5)


def test_quantities_of_three_readers_are_compared_by_pairs():
    values = {"A": [50.0, 60.0, 40.0], "B": [53.0, 61.0, 44.0], "C": [50.0, 60.0, 40.0]}
    readings = [
        Reading(name, str(exam), {}, {"ef": value}) for name, each in values.items() for exam, value in enumerate(each)
    ]
    rows = {(row["first"], row["second"]): row for row in reader_agreement(readings)}
    assert rows.keys() == {("A", "B"), ("A", "C"), ("B", "C")}
    differences = np.array([3.0, 1.0, 4.0])
    assert rows["A", "B"]["bias"] == pytest.approx(differences.mean())
    assert rows["A", "B"]["upper_limit"] == pytest.approx(differences.mean() + 1.96 * differences.std(ddof=1))
    assert rows["A", "C"]["icc"] == pytest.approx(1.0)
    assert rows["B", "C"]["bias"] == pytest.approx(-differences.mean())


def test_exams_that_only_one_has_read_do_not_count():
    readings = [Reading("A", "1", {}, {"ef": 1.0}), Reading("B", "2", {}, {"ef": 2.0})]
    assert reader_agreement(readings) == []
