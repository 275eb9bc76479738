"""Text from outside is shown, never obeyed."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.core.text import (
    csv_text,
    markdown_cell,
    numbered,
    on_one_line,
    printable,
    spreadsheet_cell,
    told_apart,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Größe 4\n\tnext", "plain, Größe 4\n\tnext"),
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\x9b2J", "\\u009b2J"),
        ("a\rb\x08\x7f", "a\\u000db\\u0008\\u007f"),
        ("name\udcff", "name\\udcff"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert printable(text) == shown
    shown.encode("utf-8")


@given(st.text(st.characters()))
def test_anything_can_be_printed_and_json_stays_json(text):
    assert printable(text).encode("utf-8").decode() == printable(text)
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in on_one_line(text))
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text


def test_errors_show_what_they_quote():
    error = InputError("is \x1b[31mred", where="a\nb\x1b[0m", remedy="look \x07.")
    assert str(error) == "a\\nb\\u001b[0m: is \\u001b[31mred\nlook \\u0007."


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "  =1", "-"])
def test_a_formula_is_text_in_a_spreadsheet(text):
    assert spreadsheet_cell(text) == f"'{text}"
    head, row = csv.reader(io.StringIO(csv_text(("a", text), [{"a": text}]), newline=""))
    assert (head, row) == (["a", f"'{text}"], [f"'{text}", ""])


@pytest.mark.parametrize("value", ["-2.5", "+1e3", "", "patient-1", "inf", -2.5, 3, None, True])
def test_numbers_and_plain_words_stay(value):
    assert spreadsheet_cell(value) == value
    assert type(spreadsheet_cell(value)) is type(value)


def test_cells_hold_no_control_characters():
    assert spreadsheet_cell("\r=1\x1b") == "\\u000d=1\\u001b"


def test_cells_of_markdown_stay_in_their_row():
    assert markdown_cell("a|b\nc") == "a\\|b\\nc"


WORDS = st.lists(st.sampled_from(("a", "b", "a-2", "a-3", "a_b")), max_size=8)


@given(WORDS)
def test_numbered_names_are_unique_and_the_first_of_each_stays(names):
    result = numbered(names)
    assert len(set(result)) == len(result) == len(names)
    firsts = [index for index, name in enumerate(names) if name not in names[:index]]
    assert [result[index] for index in firsts] == [names[index] for index in firsts]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("pq")), max_size=6))
def test_as_few_words_are_put_before_as_tell_names_apart(places):
    names = [place[-1] for place in places]
    result = told_apart(names, [place[:-1] for place in places])
    for place, name, told in zip(places, names, result, strict=True):
        assert "_".join(place).endswith(told)
        assert (told == name) == (names.count(name) == 1)
    distinct = {told for place, told in zip(places, result, strict=True)}
    assert len(distinct) == len(set(places))


def test_names_that_nothing_tells_apart_stay_equal():
    assert told_apart(["a", "a"], [("x",), ("x",)]) == ["x_a", "x_a"]
    assert told_apart([], []) == []
