"""Rates of labels that are no heart's, beside the scores."""

import json

import numpy as np
import pytest

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, CAMUS, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.table import case_rows, read_case_table, readable_validity, table_to_json, validity_rows
from cardiotrace.evaluation.validity import joined, validity_of
from tests.clinical.anatomy.test_criterion import long_axis, short_axis


def case(name: str, view: View, modality: Modality) -> Case:
    return Case(name, view, Phase.ED, {"patient": name}, unread, modality=modality)


def unread() -> Image:
    raise AssertionError("the labels are given")


def stack(*planes: np.ndarray) -> LabelMap:
    return LabelMap(np.stack(planes)[None], ACDC, Geometry.of_spacing((8.0, 1.5, 1.5)))


def film(*planes: np.ndarray) -> LabelMap:
    return LabelMap(np.stack(planes)[:, None], CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5)))


def holed() -> np.ndarray:
    plane = short_axis()
    plane[8, 14] = 0
    return plane


EMPTY = np.zeros((20, 24), np.uint8)


def table_of(*parts) -> CaseTable:
    return CaseTable((), validity=joined(parts))


def rate(table: CaseTable, of: str, criterion: str, limits: str, whose: str) -> tuple[int, int]:
    keys = {"of": of, "criterion": criterion, "limits": limits, "whose": whose}
    (row,) = [row for row in validity_rows(table) if keys.items() <= row.items()]
    return row["failed"], row["total"]


def test_slices_and_stacks_are_counted_apart() -> None:
    short = case("a", View.SAX, Modality.MR)
    table = table_of(validity_of(short, stack(holed(), short_axis(), EMPTY), stack(short_axis(), short_axis(), EMPTY)))
    assert rate(table, "slices", "any", "published", "predicted") == (1, 2)
    assert rate(table, "slices", "holes_in_lv", "published", "predicted") == (1, 2)
    assert rate(table, "slices", "any", "published", "reference") == (0, 2)
    assert rate(table, "stacks", "any", "published", "predicted") == (1, 1)
    # A hole of one pixel, 2 mm2, is nothing that the fitted limits speak of; they have no long axis to speak of either.
    assert rate(table, "slices", "holes_in_lv", "references", "predicted") == (0, 2)
    assert {row["of"] for row in validity_rows(table)} == {"slices", "stacks"}


def test_films_are_judged_frame_by_frame() -> None:
    apical = case("b", View.FOUR_CHAMBER, Modality.US)
    lost = film(long_axis(), long_axis(), np.zeros_like(long_axis()), long_axis(), long_axis())
    sound = film(*[long_axis()] * 5)
    table = table_of(validity_of(apical, lost, sound))
    assert rate(table, "films", "any", "rl4seg3d", "predicted") == (1, 1)
    assert rate(table, "films", "any", "rl4seg3d", "reference") == (0, 1)
    assert rate(table, "frames", "lv_area", "rl4seg3d", "predicted") == (3, 5)
    assert rate(table, "planes", "any", "published", "predicted") == (0, 4)


def test_widths_are_not_counted_where_the_apex_may_lie_anywhere() -> None:
    found = validity_of(case("c", View.FOUR_CHAMBER, Modality.MR), film(*[long_axis()] * 4), film(*[long_axis()] * 4))
    assert {plane.axis for plane in found.planes} == {Axis.LONG}
    assert found.films == ()


def test_other_views_have_none() -> None:
    table = table_of(validity_of(case("d", View.FUNDUS, Modality.PHOTOGRAPH), film(long_axis()), film(long_axis())))
    assert validity_rows(table) == []
    assert validity_rows(CaseTable(())) == []


def test_the_table_keeps_it(tmp_path) -> None:
    short = case("a", View.SAX, Modality.MR)
    table = table_of(validity_of(short, stack(holed(), short_axis()), stack(short_axis(), short_axis())))
    path = tmp_path / "table.json"
    path.write_text(table_to_json(table), encoding="utf-8")
    assert read_case_table(path).validity == table.validity
    assert json.loads(path.read_text(encoding="utf-8"))["validity_rates"] == validity_rows(table)


def test_what_is_printed_leaves_out_what_nothing_fails() -> None:
    short = case("a", View.SAX, Modality.MR)
    table = table_of(validity_of(short, stack(holed(), short_axis()), stack(short_axis(), short_axis())))
    rows = readable_validity(validity_rows(table))
    published = {row["criterion"]: row for row in rows if row["limits"] == "published" and row["of"] != "stacks"}
    assert list(published) == ["any", "holes_in_lv", "holes_in_myo", "frontier_lv_background"]
    assert published["any"]["predicted"] == "1 of 2 (50.0 %)"
    assert published["any"]["reference"] == "0 of 2 (0.0 %)"


@pytest.mark.parametrize("whose", ["predicted", "reference"])
def test_criteria_stand_beside_each_row(whose: str) -> None:
    short = case("a", View.SAX, Modality.MR)
    found = validity_of(short, stack(holed()), stack(short_axis()))
    names = found.failed()["a", 0, whose]
    assert names == ("frontier_lv_background holes_in_lv holes_in_myo" if whose == "predicted" else "")
    assert case_rows(CaseTable(())) == []
