"""Text from outside is shown, never obeyed."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.core.text import csv_text, markdown_cell, on_one_line, printable, spreadsheet_cell


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
