"""Earlier keys are read under their present names, in their table or in another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import ConfigError
from cardiotrace.core.former import present_key, with_present_keys

MOVED = {"threshold": "calibration.threshold", "old.limit": "calibration.limit", "rate": "learning_rate"}


def test_keys_move_into_a_table_that_is_made_or_joined() -> None:
    assert with_present_keys({"threshold": 0.4, "old": {"limit": 2, "other": 3}}, MOVED) == {
        "old": {"other": 3},
        "calibration": {"threshold": 0.4, "limit": 2},
    }
    assert with_present_keys({"rate": 1, "calibration": {"extra": 5}, "threshold": None}, MOVED) == {
        "learning_rate": 1,
        "calibration": {"extra": 5, "threshold": None},
    }


def test_what_is_given_stays_as_it_is() -> None:
    given = {"threshold": 0.4, "old": {"limit": [1]}}
    with_present_keys(given, MOVED)["calibration"]["limit"].append(2)
    assert given == {"threshold": 0.4, "old": {"limit": [1]}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"threshold": 1, "calibration": {"threshold": 1}}, r"both 'calibration\.threshold' and 'threshold'"),
        ({"rate": 1, "learning_rate": 2}, "both 'learning_rate' and 'rate'"),
        ({"threshold": 1, "calibration": 7}, r"calibration should be a table, since it holds 'calibration\.threshold'"),
    ],
)
def test_two_names_for_one_key_or_no_table_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_present_keys(values, MOVED)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "calibration", "old"]), st.integers() | st.dictionaries(st.just("x"), st.integers())
    )
)
def test_values_without_earlier_keys_come_back_equal(values: dict[str, object]) -> None:
    assert with_present_keys(values, MOVED) == values


def test_only_whole_words_are_renamed() -> None:
    assert present_key("rate.0", MOVED) == "learning_rate.0"
    assert present_key("rates", MOVED) == "rates"
