from dataclasses import dataclass

import pytest

from cardiotrace.core.catalog import Catalog, Choice, Entry, choices_from_plain
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError


@dataclass(frozen=True)
class Power:
    exponent: float = 2.0


@dataclass(frozen=True)
class Nothing:
    pass


FUNCTIONS: Catalog[float] = Catalog(
    "function",
    [
        Entry("power", Power, lambda config, value, *, plus=0.0: value**config.exponent + plus, "x to the power."),
        Entry("zero", Nothing, lambda config, value: 0.0, "Nothing.", "Nobody 1900"),
    ],
)


def test_makes_what_the_name_and_options_say():
    assert FUNCTIONS.make(Choice("power"), 3.0) == 9.0
    assert FUNCTIONS.make(Choice("power", {"exponent": 3}), 2.0, plus=1.0) == 9.0
    assert FUNCTIONS.make(Choice("zero"), 5.0) == 0.0


def test_resolving_writes_out_defaults():
    assert FUNCTIONS.resolve(Choice("power")) == Choice("power", {"exponent": 2.0})
    assert to_plain(FUNCTIONS.resolve(Choice("power"))) == {"name": "power", "exponent": 2.0}


def test_table_keeps_its_order():
    assert FUNCTIONS.names == ("power", "zero")
    assert [entry.name for entry in FUNCTIONS] == ["power", "zero"]
    assert "zero" in FUNCTIONS
    assert "one" not in FUNCTIONS


def test_unknown_name_lists_what_there_is():
    with pytest.raises(ConfigError, match=r"there is no function 'one'\nchoose from: power, zero\."):
        FUNCTIONS.make(Choice("one"), 1.0)


def test_option_of_another_entry_is_unknown():
    with pytest.raises(ConfigError, match=r"unknown key 'step\.exponent'"):
        FUNCTIONS.make(Choice("zero", {"exponent": 2}), 1.0, path="step")
    with pytest.raises(ConfigError, match=r"unknown key 'function\.base'"):
        FUNCTIONS.config(Choice("power", {"base": 2}))


def test_a_name_stands_once():
    with pytest.raises(ValueError, match="twice"):
        Catalog("thing", [Entry("a", Nothing, lambda config: 1, ""), Entry("a", Nothing, lambda config: 2, "")])


@pytest.mark.parametrize("value", ["power", {"name": "power"}])
def test_choice_reads_a_name_or_a_table(value):
    assert Choice.__from_plain__(value, "step") == Choice("power")


@pytest.mark.parametrize("value", [3, {}, {"name": 3}, ["power"], None])
def test_choice_needs_a_name(value):
    with pytest.raises(ConfigError, match=r"^step: expected a name"):
        Choice.__from_plain__(value, "step")


def test_lists_of_choices():
    assert choices_from_plain(["zero", {"name": "power", "exponent": 3}], "steps") == (
        Choice("zero"),
        Choice("power", {"exponent": 3}),
    )
    with pytest.raises(ConfigError, match=r"^steps: expected a list"):
        choices_from_plain("zero", "steps")
    with pytest.raises(ConfigError, match=r"^steps\[1\]: expected a name"):
        choices_from_plain(["zero", 4], "steps")
