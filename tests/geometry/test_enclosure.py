import numpy as np
import pytest

from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import ACDC, CAMUS, MNMS, SUNNYBROOK, LabelMap
from cardiotrace.core.terms import Structure, View
from cardiotrace.geometry.enclosure import enclosed_by_myocardium, exchanged_cavity, fitting_schemes, order_doubt
from tests.fake.heart import apical, short_axis

EXCHANGED = np.array([0, 3, 2, 1], np.uint8)


def stack(scheme, values=(3, 2, 1)):
    return LabelMap(short_axis(values=values)[np.newaxis], scheme, NO_GEOMETRY)


def plane(array, scheme=CAMUS):
    return LabelMap(array[np.newaxis, np.newaxis], scheme, NO_GEOMETRY)


def test_a_ring_encloses_what_lies_inside_it():
    counts = enclosed_by_myocardium(stack(ACDC), View.SAX)
    assert counts == {Structure.LV: int((short_axis() == 3).sum()), Structure.RV: 0}
    assert exchanged_cavity(stack(ACDC), View.SAX) is None


@pytest.mark.parametrize("view", [View.SAX, View.UNKNOWN])
def test_labels_of_another_data_set_are_told_with_its_name(view):
    doubt = "the myocardium encloses what is labelled RV, not LV: are these acdc labels?"
    assert order_doubt(stack(MNMS), view) == doubt
    assert order_doubt(stack(MNMS, values=(1, 2, 3)), view) is None


def test_an_apical_view_is_open_at_the_base_and_what_touches_counts():
    assert order_doubt(plane(apical()), View.FOUR_CHAMBER) is None
    doubt = "the myocardium encloses what is labelled LA, not LV"
    assert order_doubt(plane(EXCHANGED[apical()]), View.FOUR_CHAMBER) == doubt
    assert order_doubt(plane(EXCHANGED[apical()]), View.UNKNOWN) == doubt


def test_a_long_axis_of_mri_exchanged_is_told_too():
    four_chamber = np.where(apical() == 3, 0, apical()).astype(np.uint8)
    four_chamber[20:30, 33:40] = 3  # a right ventricle beside the wall
    assert order_doubt(plane(four_chamber, MNMS), View.FOUR_CHAMBER) is None
    doubt = order_doubt(plane(four_chamber, ACDC), View.FOUR_CHAMBER)
    assert doubt == "the myocardium encloses what is labelled RV, not LV: are these mnms labels?"


def test_nothing_is_said_without_myocardium_or_left_ventricle():
    assert order_doubt(LabelMap(np.minimum(short_axis(), 1)[np.newaxis], SUNNYBROOK, NO_GEOMETRY), View.SAX) is None
    assert order_doubt(plane(np.where(apical() == 2, 0, apical()).astype(np.uint8)), View.FOUR_CHAMBER) is None
    assert order_doubt(plane(apical() * 0), View.FOUR_CHAMBER) is None


def test_schemes_that_fit_values_view_and_anatomy():
    assert fitting_schemes(stack(ACDC).array, View.SAX) == ("acdc",)
    assert fitting_schemes(stack(MNMS, values=(1, 2, 3)).array, View.SAX) == ("mnms",)
    assert fitting_schemes(np.full((1, 2, 3, 3), 255, np.uint8), View.SAX) == ()
    assert fitting_schemes(np.full((1, 1, 3, 3), 255, np.uint8), View.FUNDUS) == ("vessel255",)
    assert "camus" in fitting_schemes(plane(apical()).array, View.FOUR_CHAMBER)
