import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import (
    ACDC,
    CAMUS,
    LV_ONLY,
    MNMS,
    SCHEMES,
    VESSEL,
    VESSEL255,
    LabelMap,
    LabelScheme,
    scheme_from_mapping,
)
from cardiotrace.core.terms import Structure

LV, MYO, LA, RV = Structure.LV, Structure.MYO, Structure.LA, Structure.RV


def labels(values, scheme=CAMUS):
    return LabelMap(np.array(values, np.uint8)[None, None], scheme, NO_GEOMETRY)


def test_structures_come_in_order_of_value():
    assert ACDC.structures == (RV, MYO, LV)
    assert ACDC.class_count == 4
    assert ACDC.value(LV) == 3


def test_structure_that_a_scheme_lacks():
    with pytest.raises(InputError, match=r"label scheme acdc has no LA\nit has RV, MYO, LV"):
        ACDC.value(LA)


def test_dense_schemes_count_without_gaps():
    assert CAMUS.is_dense()
    assert not VESSEL255.is_dense()


@pytest.mark.parametrize("values", [{LV: 1, MYO: 1}, {LV: 0}, {LV: 256}, {LV: -1}])
def test_impossible_schemes(values):
    with pytest.raises(InputError, match=r"distinct integers in 1\.\.255"):
        LabelScheme("wrong", values)


def test_structures_keep_their_name_across_schemes():
    moved = labels([[0, 1, 2, 3]], ACDC).to(MNMS)
    assert moved.array[0, 0].tolist() == [[0, 3, 2, 1]]
    assert moved.scheme is MNMS


def test_structures_that_the_other_scheme_lacks_become_background():
    assert labels([[1, 2, 3]]).to(ACDC).array[0, 0].tolist() == [[3, 2, 0]]


@given(st.sampled_from(list(SCHEMES.values())), st.integers(0, 2**32 - 1))
def test_converting_to_itself_changes_nothing(scheme, seed):
    some = np.random.default_rng(seed).choice([0, *scheme.values.values()], (1, 2, 3, 4)).astype(np.uint8)
    assert np.array_equal(LabelMap(some, scheme, NO_GEOMETRY).to(scheme).array, some)


def test_mask_of_several_structures_is_their_union():
    some = labels([[0, 1, 2, 3]])
    assert some.mask(LV, MYO)[0, 0].tolist() == [[False, True, True, False]]
    assert some.mask().sum() == 0
    with pytest.raises(InputError, match="no RV"):
        some.mask(RV)


def test_values_that_the_scheme_does_not_know_are_refused():
    with pytest.raises(InputError, match=r"label values \[2, 255\] are not in scheme vessel"):
        labels([[0, 1, 2, 255]], VESSEL)


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.uint8), np.zeros((1, 1, 2, 2), np.int32)])
def test_wrong_axes_or_type_are_refused(array):
    with pytest.raises(InputError, match="labels need uint8 axes"):
        LabelMap(array, CAMUS, NO_GEOMETRY)


def test_scheme_from_plain_data():
    assert scheme_from_mapping("mine", {"LV": 2, "RV": 1}).structures == (RV, LV)
    with pytest.raises(InputError, match=r"unknown structure 'lv'\nknown structures: LV, MYO"):
        scheme_from_mapping("mine", {"lv": 1})


@pytest.mark.parametrize(
    ("value", "scheme", "remedy"),
    [
        (255, LV_ONLY, "save 1 in place of 255"),
        (255, VESSEL, "have the scheme vessel255"),
        (3, LV_ONLY, "these values fit camus or acdc or mnms"),
        (77, CAMUS, "correct the labels"),
    ],
)
def test_the_remedy_for_a_strange_value_exists(value, scheme, remedy):
    with pytest.raises(InputError, match=remedy) as caught:
        LabelMap(np.full((1, 1, 2, 2), value, np.uint8), scheme, NO_GEOMETRY)
    assert "binary255" not in str(caught.value)
