"""Rules for the ends of a stack."""

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import ACDC, CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.slices import RemoveAlone, TrimEnds, remove_alone, trim_ends

RV, MYO, LV = 1, 2, 3


def stack(*planes: list[int]) -> np.ndarray:
    return np.array([[plane] for plane in planes], np.uint8)


def test_a_right_ventricle_goes_where_neither_wall_nor_cavity_is_beside_it() -> None:
    config = RemoveAlone((Structure.RV,), (Structure.LV, Structure.MYO))
    labels = stack([RV, 0, 0], [RV, MYO, 0], [RV, 0, LV], [0, MYO, LV])
    assert (
        remove_alone(config, labels, ACDC).tolist() == stack([0] * 3, [RV, MYO, 0], [RV, 0, LV], [0, MYO, LV]).tolist()
    )


def test_a_structure_that_the_scheme_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="RV"):
        remove_alone(RemoveAlone((Structure.RV,), (Structure.LV,)), stack([1]), CAMUS)


def test_specks_at_both_ends_go_one_after_the_other_and_no_slice_within() -> None:
    areas = (1, 1, 15, 40, 2, 40, 20, 1)
    labels = np.zeros((8, 1, 40), np.uint8)
    for plane, area in zip(labels, areas, strict=True):
        plane[0, :area] = LV
    trimmed = trim_ends(TrimEnds(share=0.1), labels, ACDC)
    # The first slice is as large as the second, which is the speck: what lies beyond a speck stays judged by its own.
    assert np.count_nonzero(trimmed, axis=(1, 2)).tolist() == [1, 1, 15, 40, 2, 40, 20, 0]


def test_a_structure_in_one_slice_stays() -> None:
    labels = stack([0, 0], [RV, 0], [0, 0])
    assert trim_ends(TrimEnds(), labels, ACDC).tolist() == labels.tolist()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_that_empties_all_or_nothing_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        TrimEnds(share=share)
