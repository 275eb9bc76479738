import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.config import from_plain, known_only, to_plain
from cardiotrace.core.errors import ConfigError


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Leaf:
    size: int = 3
    share: float = 0.5
    name: str = "leaf"
    is_green: bool = True

    def __post_init__(self):
        if self.size < 0:
            raise ValueError(f"size must not be negative, got {self.size}")


@dataclass(frozen=True)
class Tree:
    kind: str
    leaf: Leaf = field(default_factory=Leaf)
    leaves: tuple[Leaf, ...] = ()
    pair: tuple[int, float] = (1, 2.0)
    colour: Colour = Colour.RED
    mode: Literal["fast", "exact"] = "fast"
    limit: int | None = None
    either: int | str = 0
    where: Path | None = None
    table: dict[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def read(**values):
    return from_plain(Tree, {"kind": "oak", **values})


@dataclass(frozen=True)
class Bare:
    """Nothing can be set."""


def test_what_has_no_keys_says_so():
    with pytest.raises(ConfigError, match=r"^unknown key 'zzz'\nit has no keys\.$"):
        from_plain(Bare, {"zzz": 1})


def test_defaults_stand_in():
    assert from_plain(Tree, {"kind": "oak"}) == Tree("oak")


def test_values_convert_where_nothing_is_lost():
    tree = read(
        leaf={"share": 1},
        leaves=[{"size": 1}, {"size": 2}],
        pair=[4, 5],
        colour="green",
        where="a/b",
        table={"x": 1},
        either="text",
        limit=7,
    )
    assert isinstance(tree.leaf.share, float)
    assert [leaf.size for leaf in tree.leaves] == [1, 2]
    assert tree.pair == (4, 5.0)
    assert isinstance(tree.pair[1], float)
    assert tree.colour is Colour.GREEN
    assert tree.where == Path("a/b")
    assert tree.table == {"x": 1.0}
    assert (tree.either, tree.limit) == ("text", 7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"leef": {}}, r"unknown key 'leef'\ndid you mean 'leaf'\?"),
        ({"leaf": {"syze": 1}}, r"unknown key 'leaf\.syze'\ndid you mean 'size'\?"),
        ({"leaf": {"zzz": 1}}, r"unknown key 'leaf\.zzz'\nknown keys: size, share, name, is_green\."),
        ({"leaves": [{}, {"size": "big"}]}, r"^leaves\[1\]\.size: expected int, got str 'big'"),
        ({"leaf": 3}, r"^leaf: expected a table, got int 3"),
        ({"leaves": {"size": 1}}, r"^leaves: expected a list"),
        ({"pair": [1]}, r"^pair: expected 2 values, got 1"),
        ({"pair": [1, "x"]}, r"^pair\[1\]: expected float"),
        ({"colour": "blue"}, r"^colour: 'blue' is not one of 'red', 'green'"),
        ({"mode": "slow"}, r"^mode: 'slow' is not one of 'fast', 'exact'"),
        ({"limit": "none"}, r"^limit: expected int"),
        ({"either": 1.5}, r"^either: expected int"),
        ({"table": {"x": "y"}}, r"^table\.x: expected float"),
        ({"table": []}, r"^table: expected a table"),
        ({"leaf": {"size": -1}}, r"^leaf: size must not be negative, got -1"),
        ({"leaf": {"size": True}}, r"^leaf\.size: expected int, got bool True"),
        ({"leaf": {"share": False}}, r"^leaf\.share: expected float, got bool False"),
        ({"leaf": {"is_green": 1}}, r"^leaf\.is_green: expected bool, got int 1"),
        ({"leaf": {"size": 1.0}}, r"^leaf\.size: expected int, got float 1\.0"),
        ({"kind": 4}, r"^kind: expected str"),
        ({"where": 4}, r"^where: expected Path"),
    ],
)
def test_mistakes_are_named_by_their_dotted_key(values, message):
    with pytest.raises(ConfigError, match=message):
        read(**values)


def test_missing_key_is_named_with_its_path():
    with pytest.raises(ConfigError, match=r"missing key 'trees\.oak\.kind'"):
        from_plain(Tree, {}, path="trees.oak")


def test_error_carries_the_exit_status_of_bad_input():
    with pytest.raises(ConfigError) as caught:
        read(leef=1)
    assert caught.value.exit_status == 3


names = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=5)
floats = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.builds(Leaf, st.integers(0, 99), floats, st.text(max_size=4), st.booleans())
trees = st.builds(
    Tree,
    kind=names,
    leaf=leaves,
    leaves=st.lists(leaves, max_size=3).map(tuple),
    pair=st.tuples(st.integers(), floats),
    colour=st.sampled_from(Colour),
    mode=st.sampled_from(["fast", "exact"]),
    limit=st.none() | st.integers(),
    either=st.integers() | names,
    where=st.none() | names.map(Path),
    table=st.dictionaries(names, floats, max_size=3),
    options=st.dictionaries(names, st.integers() | st.booleans() | names, max_size=3),
)


@given(trees)
def test_plain_form_reads_back(tree):
    plain = to_plain(tree)
    assert from_plain(Tree, plain) == tree
    assert to_plain(from_plain(Tree, plain)) == plain
    assert None not in plain.values()


@given(trees)
def test_whole_dataclasses_are_taken_as_they_are(tree):
    assert from_plain(Tree, {"kind": "oak", "leaf": tree.leaf}).leaf is tree.leaf


def test_fields_that_are_not_arguments_are_no_keys():
    @dataclass
    class Counted:
        start: int = 0
        count: int = dataclasses.field(default=0, init=False)

    with pytest.raises(ConfigError, match="unknown key 'count'"):
        from_plain(Counted, {"count": 1})


def test_numbers_too_large_and_paths_that_cannot_be():
    @dataclass(frozen=True)
    class Settings:
        rate: float = 1.0
        folder: Path = Path()
        count: int = 1

    for values, said in (
        ({"rate": 10**400}, "rate: 1000.*\\.\\.\\. is too large a number"),
        ({"rate": 10**5000}, "rate: a number of thousands of digits is too large a number"),
        ({"folder": "a\0b"}, "folder: no path holds a null character"),
        ({"count": "x" * 1000}, "count: expected int, got str 'xxx.*\\.\\.\\.$"),
    ):
        with pytest.raises(ConfigError, match=said):
            from_plain(Settings, values)


def test_unknown_keys_of_a_newer_program_are_left_out_at_every_level():
    @dataclass(frozen=True)
    class Inner:
        known: int = 0

    @dataclass(frozen=True)
    class Outer:
        inner: Inner = Inner()
        name: str = ""

    values = {"inner": {"known": 1, "new": 2}, "name": "x", "new": {"known": 1}}
    assert known_only(Outer, values) == {"inner": {"known": 1}, "name": "x"}
    assert known_only(Outer, {"inner": 5}) == {"inner": 5}  # wrong types are told by from_plain


def test_what_a_newer_program_added_to_items_of_a_list_is_passed_over():
    @dataclass(frozen=True)
    class Inner:
        known: int = 0

    @dataclass(frozen=True)
    class Outer:
        inner: tuple[Inner, ...] = ()
        pair: tuple[int, int] = (0, 0)

    values = {"inner": [{"known": 1, "new": 2}, {"new": 3}], "pair": [1, 2]}
    assert known_only(Outer, values) == {"inner": [{"known": 1}, {}], "pair": [1, 2]}
    assert known_only(Outer, {"inner": 5}) == {"inner": 5}


def test_nothing_is_kept_where_the_language_has_a_word_for_it():
    @dataclass(frozen=True)
    class Facts:
        rate: float | None = None
        place: Path = Path("a/b")
        inner: tuple[Mapping[str, int | None], ...] = ({"x": None, "y": 1},)

    assert to_plain(Facts()) == {"place": "a/b", "inner": [{"y": 1}]}
    assert to_plain(Facts(), with_none=True) == {"rate": None, "place": "a/b", "inner": [{"x": None, "y": 1}]}


@pytest.mark.parametrize("value", [True, 1.0, "3"])
def test_words_and_numbers_that_are_nearly_a_choice_are_none(value):
    @dataclass(frozen=True)
    class Choice:
        axes: Literal[2, 3] = 2

    with pytest.raises(ConfigError, match=r"axes: .* is not one of 2, 3"):
        from_plain(Choice, {"axes": value})
