"""Only pieces beside a larger one disappear."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS, LV_ONLY
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.component import LargestComponent, keep_largest

FRAMES = arrays(np.uint8, (2, 7, 8), elements=st.integers(0, 3))


def frame(*rows: str) -> np.ndarray:
    return np.array([[[int(sign) for sign in row] for row in rows]], np.uint8)


def test_each_structure_keeps_its_largest_piece() -> None:
    labels = frame("1102", "0000", "2220")
    cleaned = keep_largest(LargestComponent(), labels, CAMUS)
    np.testing.assert_array_equal(cleaned, frame("1100", "0000", "2220"))


def test_only_the_structures_named_change() -> None:
    labels = frame("1102", "0000", "2221")
    cleaned = keep_largest(LargestComponent(structures=(Structure.LV,)), labels, CAMUS)
    np.testing.assert_array_equal(cleaned, frame("1102", "0000", "2220"))


def test_together_a_small_piece_that_touches_the_heart_stays() -> None:
    labels = frame("12100", "00001", "00000")
    config = LargestComponent(structures=(Structure.LV, Structure.MYO), together=True)
    np.testing.assert_array_equal(keep_largest(config, labels, CAMUS), frame("12100", "00000", "00000"))


@pytest.mark.parametrize(("diagonal", "kept"), [(True, 2), (False, 1)])
def test_corners_join_if_diagonal(diagonal: bool, kept: int) -> None:
    labels = frame("10", "01")
    assert keep_largest(LargestComponent(diagonal=diagonal), labels, LV_ONLY).sum() == kept


def test_a_volume_is_one_object_and_planes_are_not() -> None:
    labels = np.concatenate([frame("1100"), frame("1001"), frame("0001")])
    assert keep_largest(LargestComponent(space="volume"), labels, LV_ONLY).tolist() == [
        [[1, 1, 0, 0]],
        [[1, 0, 0, 0]],
        [[0, 0, 0, 0]],
    ]
    assert keep_largest(LargestComponent(), labels, LV_ONLY).sum() == 4


def test_a_structure_the_scheme_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="has no LA"):
        keep_largest(LargestComponent(structures=(Structure.LA,)), frame("1"), LV_ONLY)


@settings(max_examples=50, deadline=None)
@given(FRAMES, st.booleans(), st.sampled_from(["plane", "volume"]))
def test_laws(labels: np.ndarray, together: bool, space: str) -> None:
    config = LargestComponent(together=together, space=space)  # type: ignore[arg-type]
    before = labels.copy()
    cleaned = keep_largest(config, labels, CAMUS)
    np.testing.assert_array_equal(labels, before)
    assert np.all((cleaned == labels) | (cleaned == 0))
    np.testing.assert_array_equal(keep_largest(config, cleaned, CAMUS), cleaned)
    if not together:
        assert set(np.unique(cleaned)) | {0} == set(np.unique(labels)) | {0}
