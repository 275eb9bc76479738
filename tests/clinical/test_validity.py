import numpy as np
import pytest

from cardiotrace.clinical.section import section
from cardiotrace.clinical.validity import (
    atrium_flags,
    biplane_flags,
    jump_flags,
    length_flags,
    section_flags,
    sector,
)
from cardiotrace.core.flag import Grade
from cardiotrace.core.label import LabelMap
from tests.clinical.ventricle import Ventricle, image_of, label_map


def flags_of(labels: LabelMap) -> list[str]:
    return [flag.text for flag in section_flags(image_of("still", labels), labels, 0, section(labels, 0))]


def test_a_sound_ventricle_raises_nothing() -> None:
    labels = label_map([Ventricle(tilt_deg=12).draw()])
    assert flags_of(labels) == []
    assert atrium_flags(image_of("still", labels), labels, 0) == ()


def test_no_ventricle() -> None:
    assert flags_of(label_map([np.zeros((50, 50), np.uint8)])) == ["no left ventricle was found"]


def test_pieces_are_counted_with_the_share_of_the_largest() -> None:
    plane = Ventricle().draw()
    plane[5:45, 5:45] = 1
    (flag,) = flags_of(label_map([plane]))
    share = 100 * np.count_nonzero(Ventricle().draw() == 1) / np.count_nonzero(plane == 1)
    assert flag == f"the left ventricle falls into pieces; the largest holds {share:.0f} %"


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
    (flag,) = atrium_flags(image_of("still", cut), cut, 0)
    assert flag.text.endswith("its size is a lower limit")
    assert (flag.grade, flag.about) == (Grade.NOTE, "LA")


def test_sector_is_what_lies_between_bright_pixels() -> None:
    rows, columns = np.mgrid[:60, :80]
    fan = np.abs(columns - 40) <= rows * 0.6
    speckle = np.random.default_rng(0).integers(0, 255, (3, 60, 80)) * fan
    found = sector(speckle.astype(np.uint8))
    assert np.count_nonzero(found & ~fan) == 0
    assert np.count_nonzero(found & fan) > 0.98 * np.count_nonzero(fan)
    assert sector(np.full((1, 5, 5, 3), 9, np.uint8)).sum() in (0, 25)


@pytest.mark.parametrize(("areas", "count"), [([30, 28, 26, 28], 0), ([30, 12, 28], 1), ([30, 0, 28], 1), ([30], 0)])
def test_jumps(areas: list[float], count: int) -> None:
    assert len(jump_flags(areas)) == count


def test_lengths() -> None:
    assert length_flags(8.0, 6.5) == ()
    assert length_flags(8.0, 8.2) == ()
    assert len(length_flags(8.0, 8.5)) == 1
    assert len(length_flags(1.2, None)) == 1
    assert biplane_flags(8.0, 7.3, phase="ED") == ()
