"""That shapes are checked while tests run is a test of its own: a check that never fails checks nothing."""

import os
from dataclasses import dataclass

import jaxtyping
import numpy as np
import pytest
from jaxtyping import Float

from tests.shapes import checked


@checked
def product(rows: Float[np.ndarray, "n k"], columns: Float[np.ndarray, "k m"], scale: str) -> Float[np.ndarray, "n m"]:
    return np.asarray(rows @ columns if scale == "right" else rows)


@checked
@dataclass(frozen=True)
class Pair:
    first: Float[np.ndarray, " n"]
    second: Float[np.ndarray, " n"]


@checked
def without_arrays(text: str) -> int:
    return len(text)


def test_right_shapes_pass_and_what_is_no_array_is_not_looked_at():
    assert product(np.ones((2, 3)), np.ones((3, 4)), "right").shape == (2, 4)
    assert Pair(np.ones(2), np.ones(2)).second.sum() == 2.0
    assert without_arrays([1, 2]) == 2
    assert not hasattr(without_arrays, "__wrapped__")


@pytest.mark.parametrize(
    ("rows", "columns", "scale"),
    [
        (np.ones((2, 3)), np.ones((4, 4)), "right"),  # another k
        (np.ones((2, 3), int), np.ones((3, 4)), "right"),  # no floats
        (np.ones((2, 3)), [[1.0]], "right"),  # no array
        (np.ones((2, 3)), np.ones((3, 4)), "wrong"),  # gives (n, k)
    ],
)
def test_wrong_shapes_and_kinds_fail(rows, columns, scale):
    with pytest.raises(jaxtyping.TypeCheckError):
        product(rows, columns, scale)


def test_fields_of_a_dataclass_agree():
    with pytest.raises(jaxtyping.TypeCheckError):
        Pair(np.ones(2), np.ones(3))


@pytest.mark.skipif(os.environ.get("CARDIOTRACE_SHAPES") == "off", reason="shapes are not checked in this run")
def test_the_package_itself_is_checked():
    from cardiotrace.geometry.polygon import fill_polygon

    with pytest.raises(jaxtyping.TypeCheckError):
        fill_polygon(np.ones((4, 3)), (5, 5))
