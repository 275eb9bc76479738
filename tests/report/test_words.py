"""No string is missing in either language."""

import datetime
import re
from importlib.resources import files
from pathlib import Path

import pytest

import cardiotrace
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.rule import RULES
from cardiotrace.clinical.term import TERMS
from cardiotrace.core.errors import UsageError
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Structure
from cardiotrace.report.words import BORROWED, LANGUAGES, Words, digits_of, string_table

SOURCES = [path for path in files("cardiotrace.report").iterdir() if path.name.endswith((".py", ".jinja"))]
PLACES = re.compile(r"\{(\w+)\}")


def test_every_string_is_there_in_every_language_with_the_same_places() -> None:
    for key, strings in string_table().items():
        wanted = set(LANGUAGES[1:]) if key.split(".")[0] in BORROWED else set(LANGUAGES)
        assert wanted <= strings.keys() <= set(LANGUAGES), key
        places = {language: sorted(PLACES.findall(text)) for language, text in strings.items()}
        assert len(set(map(tuple, places.values()))) == 1, key
        assert key == "language.colon" or all(text and text == text.strip() for text in strings.values()), key


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("term", TERMS),
        ("method", [method.value for method in Method if method is not Method.UNKNOWN]),
        ("note", [method.value for method in Method if method.note]),
        ("rule", RULES),
        ("grade", Grade),
        ("known", Known),
        ("structure", Structure),
    ],
)
def test_what_the_program_can_say_is_in_the_table(section, names) -> None:
    missing = [name for name in map(str, names) if f"{section}.{name}" not in string_table()]
    assert missing == []


def test_every_key_that_is_asked_for_is_there() -> None:
    asked = set()
    for source in SOURCES:
        text = source.read_text("utf-8")
        asked |= set(re.findall(r"""(?:\bt|words)\(f?["']([a-z_]+\.[A-Za-z_]+)["']""", text))
    assert len(asked) > 60
    assert asked - string_table().keys() == set()


def test_a_language_writes_numbers_and_dates_its_own_way() -> None:
    english, french, day = Words(), Words("fr"), datetime.date(2026, 8, 1)
    assert (english.date(day), french.date(day)) == ("1 August 2026", "1er août 2026")
    assert (english.value(30.82, "cm2"), french.value(30.82, "cm2")) == ("30.8", "30,8")
    assert french.value(-1.0, "ml", signed=True) == "−1"
    assert english.value(4.0, "ml", signed=True) == "+4"
    assert french.interval(-20.1, -16.8, "percent", "longitudinal_strain") == "−20,1 à −16,8"
    assert english.number(float("nan")) == "-"
    assert french.decimals("0.31 x 0.154 mm, v. 2") == "0,31 x 0,154 mm, v. 2"


def test_digits_are_those_worth_reading() -> None:
    assert digits_of("percent", "left_ventricular_ejection_fraction") == 0
    assert digits_of("percent", "left_ventricular_global_longitudinal_strain") == 1
    assert [digits_of(unit) for unit in ("ml", "ml/m2", "g", "mm", "cm", "cm2", "l/min", "ratio")] == [
        *(0, 0, 0, 0),
        *(1, 1, 1, 2),
    ]


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="choose from: en, fr"):
        Words("de")


def test_what_has_no_words_is_called_by_its_name() -> None:
    french = Words("fr")
    assert french.term("left_ventricular_ejection_fraction") == "Fraction d'éjection"
    assert french.term("some_new_quantity") == "Some new quantity"
    assert (french.method(Method.SUM_OF_SLICES), french.view("A4C")) == ("somme des coupes", "A4C")
    assert Words().method(Method.SUM_OF_SLICES) == "slices"


def test_flags_that_are_raised_by_name_are_in_the_table() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(cardiotrace.__file__).parent.rglob("*.py"))
    raised = set(re.findall(r"""Flag\(Grade\.\w+, [^()"]*(?:"[^"]*"|\w+\([^()]*\)|\w+), "([a-z-]+)\"""", sources))
    assert len(raised) >= 8
    assert {name for name in raised if f"rule.{name}" not in string_table()} == set()
