"""Tables and settings files as people and spreadsheets leave them."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.ejection import ejection_fraction_class
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Patient
from cardiotrace.datasets.reference import case_class, case_reference, exam_reference, person
from cardiotrace.datasets.table import known, number, read_rows, read_settings, read_table


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_a_spreadsheet_s_byte_order_mark_and_blanks(tmp_path):
    path = write(tmp_path / "t.csv", " FileName , EF\r\n a ,55\r\nb,\r\n", "utf-8-sig")
    assert read_table(path, key="FileName") == {
        "a": {"FileName": " a ", "EF": "55"},
        "b": {"FileName": "b", "EF": ""},
    }


def test_short_and_long_rows(tmp_path):
    path = write(tmp_path / "t.csv", "FileName,EF\na\nb,60,more,cells\n")
    rows = read_rows(path, columns=("FileName",))
    assert [(row["FileName"], row["EF"]) for row in rows] == [("a", ""), ("b", "60")]
    assert None not in rows[1]


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1e", "\x85", "\u2028"])
def test_only_ends_of_lines_end_a_row(tmp_path, inside):
    path = write(tmp_path / "t.csv", f"key,note\na,one{inside}two\nb,three\n")
    assert read_table(path, key="key") == {
        "a": {"key": "a", "note": f"one{inside}two"},
        "b": {"key": "b", "note": "three"},
    }


def test_only_lines_that_begin_so(tmp_path):
    path = write(tmp_path / "t.csv", "FileName,X\n" + "".join(f"v{index},{index}\n" for index in range(30)))
    assert [row["X"] for row in read_rows(path, columns=("X",), beginning="v2")] == ["2", *map(str, range(20, 30))]
    assert len(read_rows(path, columns=("X",))) == 30


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"has no column 'FileName'"),
        (b"Name;EF\na;55\n", r"has no column 'FileName'\n?.*its columns are: Name;EF"),
        (b"FileName\n\xff\xfe\n", r"is not UTF-8 text: byte 10 is 0xff"),
        (b"FileName\n" + b"a" * 200_000 + b"\n", r"cannot be read as a table: field larger than field limit"),
    ],
    ids=["empty", "semicolons", "latin", "endless cell"],
)
def test_what_is_no_such_table_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_table(path, key="FileName")
    assert error.match(f"(?s){message}")
    assert error.value.where == str(path)


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1), st.text())))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("key", "value"), *((key, repr(value)) for key, value in rows)])
    path = write(tmp_path_factory.mktemp("t") / "t.csv", text.getvalue())
    assert [(row["key"], row["value"]) for row in read_rows(path, columns=("key",))] == [
        (key, repr(value)) for key, value in rows
    ]


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_is_read_with_point_or_comma(value):
    assert number({"a": f" {value!r} "}, "a") == value
    if "e" not in repr(value):
        assert number({"a": repr(value).replace(".", ",")}, "a") == value


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-inf", "1,234.5", "1.234,5", "12 %", "0x10", "--", "\u0661\u0662,,3"]
)
def test_what_is_no_number(text):
    assert number({"a": text}, "a") is None
    assert number({}, "a") is None


def test_settings_in_any_case_and_with_colons(tmp_path):
    path = write(tmp_path / "Info.cfg", "\ufeffed: 1\nES:12\n# remark\nGroup: a:b \nnbframe : 30\n")
    assert read_settings(path) == {"ED": "1", "ES": "12", "Group": "a:b", "NbFrame": "30"}


def test_columns_that_say_nothing_are_left_out():
    assert known({"Vendor": "  ", "Centre": "1"}, {"vendor": "Vendor", "centre": "Centre", "sex": "Sex"}) == {
        "centre": "1"
    }


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "<=45"), (45, "<=45"), (45.01, "45-55"), (54.9, "45-55"), (55, ">=55"), (80, ">=55")]
)
def test_classes_of_ejection_fraction(value, expected):
    assert ejection_fraction_class(value) == expected == case_class(value)["ef_class"]
    assert math.isclose(case_reference(value)["left_ventricular_ejection_fraction_percent"], value)
    assert float(exam_reference(value)["reference_ejection_fraction_percent"]) == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"Sex": "F", "Age": "61", "Height": "1,72", "Weight": "x"}, Patient("F", 61.0, 1.72, None)),
        ({"Sex": " male "}, Patient("M")),
        ({"Sex": "O"}, Patient()),
        ({"Sex": "", "Age": "nan"}, Patient()),
        ({}, Patient()),
    ],
)
def test_what_a_table_says_of_a_person(row, expected):
    assert person(row) == expected
