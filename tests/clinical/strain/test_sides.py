"""Which wall is on which side: by the right ventricle, the patient, the atrium, the convention; mirrored or not."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.strain.sides import Evidence, agreeing, find_sides
from cardiotrace.clinical.strain.wall import trace_wall
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.label import CHAMBERS, LV_ONLY, LabelMap
from cardiotrace.core.terms import Modality, Structure, View
from tests.clinical.analytic import Shape, image_of

SIZE = 1.0
SHAPE = Shape()


def patient_place(view: View, *, mirrored: bool = False) -> Geometry:
    """Of an upright image whose plane lies in the patient as hearts lie."""
    turned = {View.FOUR_CHAMBER: 5, View.TWO_CHAMBER: 66, View.THREE_CHAMBER: 128}[view]
    axis = np.array([-0.63, 0.60, -0.49]) / np.linalg.norm([0.63, 0.60, 0.49])
    left = np.array([-1.0, 0, 0]) + axis[0] * axis
    left /= np.linalg.norm(left)
    angle = np.radians(turned)
    across = (np.cos(angle) * left + np.sin(angle) * np.cross(axis, left)) * (-1 if mirrored else 1)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = np.cross(across, axis), -axis * SIZE, across * SIZE
    return Geometry(affine, orientation=Known.FILE)


def cine(
    view: View,
    *,
    modality: Modality = Modality.US,
    right: int = 0,
    atrium: float | None = None,
    place: Geometry | None = None,
    turns: int = 0,
) -> TracedCine:
    """A ventricle; a right one on the left (-1) or right (1) of it, an atrium so far to the right, mm."""
    drawn = SHAPE.draw((SIZE, SIZE))
    plane = np.zeros_like(drawn)
    plane[drawn == 1], plane[drawn == 2] = CHAMBERS.value(Structure.LV), CHAMBERS.value(Structure.MYO)
    middle = plane.shape[1] // 2
    if right:
        columns = slice(middle + 38, middle + 60) if right > 0 else slice(middle - 60, middle - 38)
        plane[60:118, columns] = CHAMBERS.value(Structure.RV)
    if atrium is not None:
        start = middle + round(atrium) - 15
        plane[126:150, start : start + 30] = CHAMBERS.value(Structure.LA)
    plane = np.rot90(plane, turns)
    labels = LabelMap(plane[None, None].copy(), CHAMBERS, place or Geometry.of_spacing((1.0, SIZE, SIZE)))
    return TracedCine(image_of(labels, view=view, modality=modality), labels, np.zeros(1, bool))


def sides_of(found: TracedCine):
    wall = trace_wall(found, 0)
    assert wall is not None
    return find_sides(found, wall)


@pytest.mark.parametrize(
    ("view", "left"),
    [(View.FOUR_CHAMBER, "inferoseptal"), (View.TWO_CHAMBER, "inferior"), (View.THREE_CHAMBER, "inferolateral")],
)
def test_an_apical_view_follows_the_convention_and_says_so(view: View, left: str) -> None:
    sides, flags = sides_of(cine(view))
    assert (sides.left.name, sides.by) == (left, Evidence.CONVENTION)
    assert [item.rule for item in flags] == ["walls-by-convention"]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_right_ventricle_lies_beside_the_septum_however_the_image_is_turned(turns: int) -> None:
    for right, septal_first in ((-1, True), (1, False)):
        sides, flags = sides_of(cine(View.FOUR_CHAMBER, modality=Modality.MR, right=right, turns=turns))
        assert (sides.left.name == "inferoseptal") is septal_first
        assert (sides.by, flags) == (Evidence.RIGHT_VENTRICLE, ())
        sides, _ = sides_of(cine(View.THREE_CHAMBER, modality=Modality.MR, right=right, turns=turns))
        assert (sides.left.name == "anteroseptal") is septal_first


def test_a_mirrored_apical_view_is_known_by_its_right_ventricle() -> None:
    sides, flags = sides_of(cine(View.FOUR_CHAMBER, right=1))
    assert sides.segments == (6, 12, 16, 3, 9, 14)
    assert [item.rule for item in flags] == ["view-mirrored"]


def test_the_atrium_can_be_against_the_convention_in_three_chambers() -> None:
    for offset in (-8.0, 0.0):
        sides, _ = sides_of(cine(View.THREE_CHAMBER, atrium=offset))
        assert (sides.left.name, sides.by) == ("inferolateral", Evidence.CONVENTION)
    sides, (found,) = sides_of(cine(View.THREE_CHAMBER, atrium=8.0))
    assert sides is None
    assert found.rule == "walls-contradict"
    # Below two chambers it lies anywhere, and alone it tells nothing.
    assert sides_of(cine(View.TWO_CHAMBER, atrium=8.0))[0].by is Evidence.CONVENTION
    sides, (found,) = sides_of(cine(View.THREE_CHAMBER, modality=Modality.MR, atrium=8.0))
    assert (sides, found.rule) == (None, "walls-unknown")


def test_a_right_ventricle_counts_more_than_an_atrium() -> None:
    """On one volunteer's three chambers a network took the aorta for the atrium."""
    sides, _ = sides_of(cine(View.THREE_CHAMBER, modality=Modality.MR, right=1, atrium=8.0))
    assert (sides.right.name, sides.by) == ("anteroseptal", Evidence.RIGHT_VENTRICLE)


@pytest.mark.parametrize("view", [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_place_in_the_patient_tells(view: View, mirrored: bool) -> None:
    sides, flags = sides_of(cine(view, modality=Modality.MR, place=patient_place(view, mirrored=mirrored)))
    assert (sides.by, sides.is_mirrored, flags) == (Evidence.PATIENT, mirrored, ())


def test_what_nothing_tells_is_not_named() -> None:
    sides, (found,) = sides_of(cine(View.TWO_CHAMBER, modality=Modality.MR))
    assert sides is None
    assert found.rule == "walls-unknown"
    # Upside down, as some show children: no convention tells whether it is mirrored, too.
    upside_down = cine(View.FOUR_CHAMBER, atrium=0.0, turns=2)
    assert sides_of(upside_down)[0] is None


def test_evidence_that_disagrees_names_nothing() -> None:
    place = patient_place(View.FOUR_CHAMBER)
    sides, (found,) = sides_of(cine(View.FOUR_CHAMBER, modality=Modality.MR, right=1, place=place))
    assert sides is None
    assert found.rule == "walls-contradict"


def test_a_plane_that_lies_as_no_view_of_its_name_tells_nothing() -> None:
    place = patient_place(View.TWO_CHAMBER)
    turned = np.eye(4)
    # A quarter of a turn about the rows of the image, which run along the axis.
    turned[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    off = replace(place, affine=place.affine @ turned)
    assert sides_of(cine(View.TWO_CHAMBER, modality=Modality.MR, place=off))[0] is None


def test_a_mirrored_view_takes_the_convention_from_the_others() -> None:
    mirrored, _ = sides_of(cine(View.FOUR_CHAMBER, right=1))
    two, _ = sides_of(cine(View.TWO_CHAMBER))
    assert agreeing([mirrored, two]) == ((mirrored, False), (None, True))
    upright, _ = sides_of(cine(View.FOUR_CHAMBER, right=-1))
    assert agreeing([upright, two]) == ((upright, False), (two, False))


def test_other_views_have_no_named_walls() -> None:
    assert sides_of(cine(View.UNKNOWN)) == (None, ())
    lone = cine(View.FOUR_CHAMBER).labels.to(LV_ONLY)
    assert sides_of(TracedCine(image_of(lone), lone, np.zeros(1, bool)))[0].by is Evidence.CONVENTION
