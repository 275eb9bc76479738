from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.rule import KINDS, RULES, doubting
from cardiotrace.clinical.scale import Scale
from cardiotrace.clinical.traced_cine import TracedCine, base_direction
from cardiotrace.clinical.validity import (
    atrium_flags,
    biplane_flags,
    change_flags,
    ejection_flags,
    jump_flags,
    length_flags,
    trace_flags,
    volume_flags,
)
from cardiotrace.core.flag import Grade, worst
from cardiotrace.core.label import LabelMap
from cardiotrace.geometry.sector import lit_area
from tests.clinical.ventricle import Ventricle, image_of, label_map

MILLIMETRES = Scale((1.0, 1.0), is_known=True)


def traced(labels: LabelMap) -> TracedCine:
    return TracedCine(image_of("still", labels), labels, np.zeros(len(labels.array), bool))


def flags_of(labels: LabelMap) -> list[str]:
    return [flag.text for flag in trace_flags(traced(labels), 0)]


def test_a_sound_ventricle_raises_nothing() -> None:
    labels = label_map([Ventricle(tilt_deg=12).draw()])
    assert flags_of(labels) == []
    assert atrium_flags(traced(labels), 0) == ()


def test_no_ventricle() -> None:
    assert flags_of(label_map([np.zeros((50, 50), np.uint8)])) == ["no left ventricle was found"]


def test_pieces_are_told_with_their_share() -> None:
    plane = Ventricle().draw()
    plane[5:45, 5:45] = 1
    (flag,) = flags_of(label_map([plane]))
    share = 100 * 40 * 40 / np.count_nonzero(plane == 1)
    assert flag == f"{share:.1f} % of the left ventricle lie apart from its largest piece"


def test_a_wall_in_two_pieces_doubts_the_strain_alone() -> None:
    plane = Ventricle().draw()
    roof = plane[: np.flatnonzero((plane == 1).any(axis=1))[0] + 5]
    roof[roof == 2] = 0
    found = trace_flags(traced(label_map([plane])), 0)
    walls = [flag for flag in found if flag.rule == "anatomy-wall"]
    assert any("of the myocardium lie apart" in flag.text for flag in walls)
    assert not doubting(walls, "ejection")
    assert doubting(walls, "strain")


def test_an_atrium_in_pieces_is_a_note() -> None:
    plane = Ventricle().draw()
    plane[-20:, :20] = 3
    (flag,) = atrium_flags(traced(label_map([plane])), 0)
    assert "of the left atrium lie apart from its largest piece" in flag.text
    assert (flag.grade, flag.about, flag.rule) == (Grade.NOTE, "LA", "anatomy-atrium")


def test_missing_half_of_the_wall() -> None:
    plane = Ventricle().draw()
    middle = plane.shape[1] // 2
    plane[:, middle:][plane[:, middle:] == 2] = 0
    assert any("bordered by myocardium" in flag for flag in flags_of(label_map([plane])))


def test_wrong_spacing_shows_in_the_annulus() -> None:
    plane = Ventricle().draw()
    (flag,) = flags_of(label_map([plane], (1.0, 0.04, 0.04)))
    assert flag == "the mitral annulus is 5 mm wide, outside 10-55 mm"


def test_cut_by_the_edge_of_the_image() -> None:
    plane = Ventricle().draw()
    top = np.flatnonzero((plane == 1).any(axis=1))[0] + 10
    cut = label_map([plane[top:]])
    assert any("reaches the edge of the image" in flag for flag in flags_of(cut))


def test_atrium_cut_off_below() -> None:
    plane = Ventricle().draw()
    bottom = np.flatnonzero((plane == 3).any(axis=1))[-1] - 15
    cut = label_map([plane[:bottom]])
    (flag,) = atrium_flags(traced(cut), 0)
    assert flag.text.endswith("its size is a lower limit")
    assert (flag.grade, flag.about) == (Grade.NOTE, "LA")


def test_sector_is_what_lies_between_bright_pixels() -> None:
    rows, columns = np.mgrid[:60, :80]
    fan = np.abs(columns - 40) <= rows * 0.6
    speckle = np.random.default_rng(0).integers(0, 255, (3, 60, 80)) * fan
    found = lit_area(speckle.astype(np.uint8))
    assert np.count_nonzero(found & ~fan) == 0
    assert np.count_nonzero(found & fan) > 0.98 * np.count_nonzero(fan)
    assert lit_area(np.full((1, 5, 5, 3), 9, np.uint8)).all()
    assert lit_area(np.zeros((2, 4, 6), np.uint8)).all()


@pytest.mark.parametrize(("areas", "count"), [([30, 28, 26, 28], 0), ([30, 12, 28], 1), ([30, 0, 28], 1), ([30], 0)])
def test_jumps(areas: list[float], count: int) -> None:
    assert len(jump_flags(areas)) == count


def long(length_mm: float) -> LongAxisTrace:
    return LongAxisTrace(
        MILLIMETRES, 1.0, LongAxis(np.array([[length_mm, -20.0], [length_mm, 20.0]]), np.zeros(2), "annulus")
    )


@pytest.mark.parametrize(
    ("diastole_mm", "systole_mm", "rules"),
    [
        (80, 65, []),
        (80, 82, []),
        (80, 85, ["long-axis-grows"]),
        (80, 55, ["long-axis-shortening"]),
        (80, 56, []),
        (38, 33, ["long-axis-length", "long-axis-length"]),
        (400, 330, ["long-axis-impossible", "long-axis-impossible"]),
    ],
)
def test_lengths(diastole_mm: float, systole_mm: float, rules: list[str]) -> None:
    assert [flag.rule for flag in length_flags(long(diastole_mm), long(systole_mm))] == rules


def test_planes_of_different_lengths() -> None:
    assert biplane_flags(8.0, 7.3, phase="ED") == ()
    assert [flag.rule for flag in biplane_flags(8.0, 7.1, phase="ED")] == ["foreshortened"]


@pytest.mark.parametrize(
    ("percent", "grade"),
    [
        (-102.0, Grade.NOT_USABLE),
        (3.0, Grade.LOOK_TWICE),
        (50.0, None),
        (88.0, Grade.LOOK_TWICE),
        (100.0, Grade.NOT_USABLE),
    ],
)
def test_grades_of_ejection_fractions(percent: float, grade: Grade | None) -> None:
    assert worst(ejection_flags(percent)) is grade


@pytest.mark.parametrize(
    ("volume_ml", "grade"),
    [
        (178534.0, Grade.NOT_USABLE),
        (2.0, Grade.NOT_USABLE),
        (5.7, Grade.LOOK_TWICE),
        (120.0, None),
        (450.0, Grade.LOOK_TWICE),
    ],
)
def test_grades_of_volumes(volume_ml: float, grade: Grade | None) -> None:
    assert worst(volume_flags(volume_ml, None)) is grade


def test_what_changes_more_than_in_any_reference() -> None:
    diastole = replace(long(80), area=3000.0, myocardium_area=2000.0)
    assert change_flags(diastole, replace(long(70), area=1800.0, myocardium_area=2000.0)) == ()
    (wall,) = change_flags(diastole, replace(long(70), area=1800.0, myocardium_area=1400.0))
    assert wall.rule == "wall-area"
    assert "70 % as large" in wall.text
    # Muscle keeps its volume: a plane shows a third more of it where two thirds are ejected.
    assert change_flags(diastole, replace(long(70), area=1500.0, myocardium_area=1.35 * 2000)) == ()
    grown = change_flags(diastole, replace(long(70), area=1500.0, myocardium_area=1.45 * 2000))
    assert [item.rule for item in grown] == ["wall-area"]
    (outer,) = change_flags(diastole, replace(long(70), area=700.0, myocardium_area=2000.0))
    assert outer.rule == "outer-area"
    narrow = LongAxis(np.array([[70.0, -10.0], [70.0, 10.0]]), np.zeros(2), "annulus")
    (annulus,) = change_flags(diastole, LongAxisTrace(MILLIMETRES, 2000.0, narrow))
    assert annulus.rule == "annulus-change"


def test_an_apical_image_that_stands_on_its_head_is_known_by_its_atrium() -> None:
    upright = Ventricle().draw()
    for turns, expected in ((0, (1.0, 0.0)), (2, (-1.0, 0.0))):
        labels = label_map([np.rot90(upright, turns)])
        direction = base_direction(image_of("still", labels), labels)
        assert direction == pytest.approx(expected, abs=0.01)
        assert flags_of(labels) == []


def test_every_rule_has_words_and_a_kind() -> None:
    for rule in RULES.values():
        assert "{" not in rule.words
        assert set(rule.of) <= set(KINDS)
    # What the edge cuts off the atrium is no doubt about the ventricle.
    assert RULES["atrium-cut"].of == ("atrium",)
    assert RULES["atrium-cut"].grade is Grade.NOTE
