"""The sentences of flags in French: of what the program really says, with the numbers of the case."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import cardiotrace
from cardiotrace.clinical.anatomy.flags import long_axis_anatomy_flags
from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.rule import RULES
from cardiotrace.clinical.scale import Scale
from cardiotrace.clinical.validity import (
    agreement_flags,
    biplane_flags,
    change_flags,
    edge_flags,
    ejection_flags,
    jump_flags,
    length_flags,
    volume_flags,
)
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import LV_ONLY, LabelMap
from cardiotrace.core.terms import Phase, Structure
from cardiotrace.report.sentences import flag_sentence, part_table, sentence_table
from cardiotrace.report.words import LANGUAGES, Words

FRENCH = Words("fr")
PLACE = re.compile(r"\{(\w+)\}")


def trace(length_mm: float, *, area: float = 3000.0, wall: float = 2000.0, width_mm: float = 30.0) -> LongAxisTrace:
    corners = np.array([[length_mm, -width_mm / 2], [length_mm, width_mm / 2]])
    axis = LongAxis(corners, np.zeros(2), "annulus")
    return LongAxisTrace(Scale((1.0, 1.0), is_known=True), area, axis, myocardium_area=wall)


PIECES = np.zeros((8, 8), bool)
PIECES[0:4, 2:6] = PIECES[6, 6] = True
IN_PIECES = LabelMap(PIECES[None, None].astype(np.uint8), LV_ONLY, NO_GEOMETRY)
SAID = [
    *length_flags(trace(80), trace(86)),
    *length_flags(trace(80), trace(50)),
    *length_flags(trace(800), trace(700)),
    *change_flags(trace(80), trace(70, area=700, wall=1000, width_mm=12)),
    *ejection_flags(-3.0),
    *ejection_flags(92.0),
    *volume_flags(178534.0, None),
    *volume_flags(450.0, 440.0),
    *agreement_flags("methods-disagree", 60.0, 48.0, between="disks and area-length"),
    *agreement_flags("planes-disagree", 60.0, 40.0, between="A4C and A2C"),
    *(item.of("biplane") for item in biplane_flags(8.0, 6.0, phase=Phase.ES)),
    *jump_flags([30.0, 29.0, 12.0, 28.0, 30.0], what="volume"),
    *jump_flags([30.0, None, 12.0]),
    *(item.of("A4C ED") for item in edge_flags(PIECES, "right ventricle", about="RV")),
    *(item.of("A4C ED") for item in long_axis_anatomy_flags(IN_PIECES, 0, (Structure.LV,))),
]


def test_what_checks_say_is_said_in_french_with_its_numbers() -> None:
    assert len({item.rule for item in SAID}) >= 15
    for item in SAID:
        text, language = flag_sentence(item, FRENCH)
        assert language == "fr", item.text
        assert sorted(re.findall(r"\d+", text)) == sorted(re.findall(r"\d+", item.text)), item.text
        assert not {"the", "of", "is"} & set(text.split()), text
        assert flag_sentence(item, Words()) == (item.text, "en")


@pytest.mark.parametrize(
    ("rule", "text", "french"),
    [
        (
            "foreshortened",
            "biplane: the long axes of the two planes differ by 12.5 % at ED: one view may be foreshortened",
            "biplan : les grands axes des deux plans diffèrent de 12,5 % en télédiastole : l'une des vues est peut-être"
            " raccourcie",
        ),
        (
            "no-rates",
            "A4C: no rates of ejection and filling: 24 frames a beat are fewer than 30",
            "A4C : pas de débits d'éjection ni de remplissage : 24 images par battement, moins que 30",
        ),
        ("no-atrium", "A2C ES: no left atrium was found", "A2C TS : aucune oreillette gauche n'a été trouvée"),
    ],
)
def test_headings_and_decimals_are_french(rule: str, text: str, french: str) -> None:
    assert flag_sentence(Flag(Grade.NOTE, text, rule), FRENCH) == (french, "fr")


def test_what_the_table_does_not_know_stays_english() -> None:
    for flag in (
        Flag(Grade.NOTE, "said otherwise by an older program", "no-atrium"),
        Flag(Grade.NOTE, "a rule of tomorrow speaks", "of-tomorrow"),
    ):
        assert flag_sentence(flag, FRENCH) == (flag.text, "en")


def test_places_are_the_same_in_every_language_and_rules_are_known() -> None:
    for rule, sentences in sentence_table().items():
        assert rule in RULES or rule in ("confidence", "other-view", "interval-unlike"), rule
        for sentence in sentences:
            assert sentence.others.keys() == set(LANGUAGES[1:]), rule
            for text in sentence.others.values():
                assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(sentence.english)), rule
    assert all(part.keys() == set(LANGUAGES[1:]) for part in part_table().values())


class _Strings(ast.NodeVisitor):
    """All strings of a module in the order that they stand in; of f-strings what is not filled in."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.append(node.value)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        self.visit(node.value)


def _source() -> str:
    strings = _Strings()
    for path in sorted(Path(cardiotrace.__file__).parent.rglob("*.py")):
        if "report" not in path.parts:
            strings.visit(ast.parse(path.read_text("utf-8")))
    return "".join(strings.found)


def test_every_sentence_is_one_that_the_program_says() -> None:
    """Else one that is worded anew would turn English in silence: words that stand together do so in the source."""
    source, lost = _source(), []
    for rule, sentences in sentence_table().items():
        for english in (sentence.english for sentence in sentences):
            pieces = [piece.split() for piece in re.split(r"\{\w+\}|[:;] | and (?=the emptiest)", english)]
            pairs = [" ".join(pair) for words in pieces for pair in pairwise(words)]
            missing = [pair for pair in pairs if pair not in source]
            # A sentence with places may be put together of two or three strings.
            if len(missing) > (2 if PLACE.search(english) else 0):
                lost.append((rule, missing))
    assert lost == []
