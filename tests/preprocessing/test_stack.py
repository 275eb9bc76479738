"""Which slices are seen together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.preprocessing import channels_with_neighbours, planes_around


def test_the_ends_of_a_stack_stand_again() -> None:
    assert [planes_around(depth, 4, 1) for depth in range(4)] == [(0, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 3)]
    assert planes_around(1, 3, 3) == (0, 0, 0, 1, 2, 2, 2)
    assert planes_around(0, 1, 1) == (0, 0, 0)
    assert planes_around(2, 9, 0) == (2,)


@given(st.integers(1, 12), st.integers(0, 8), st.data())
def test_a_stack_that_is_turned_round_is_seen_turned_round(count: int, neighbours: int, data: st.DataObject) -> None:
    depth = data.draw(st.integers(0, count - 1))
    turned = planes_around(count - 1 - depth, count, neighbours)
    assert tuple(count - 1 - each for each in turned[::-1]) == planes_around(depth, count, neighbours)


def test_colours_have_no_neighbours() -> None:
    assert channels_with_neighbours(3, 0) == 3
    with pytest.raises(InputError, match="these images have 3 channels"):
        channels_with_neighbours(3, 1)
