"""Words of a command line to the configurations of workflows."""

import dataclasses
import importlib
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.cli.analyse import AnalyseOptions
from cardiotrace.cli.compare import CompareOptions
from cardiotrace.cli.evaluate import EvaluateOptions
from cardiotrace.cli.fields import read_options
from cardiotrace.cli.main import VERBS, main
from cardiotrace.cli.measure import MeasureOptions
from cardiotrace.cli.phantom import CmrOptions, EchoOptions, FundusOptions
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.reading import Reading
from cardiotrace.workflows.segment import SegmentConfig


def read(kind, *words):
    return read_options(kind, [str(word) for word in words], program="cardiotrace x", description="x")


def options_of(verb):
    """The class that holds the options of a verb."""
    word = verb.name.partition(" ")[2] or verb.name
    name = "".join(map(str.capitalize, word.split("-")))
    return getattr(importlib.import_module(f"cardiotrace.cli.{verb.module}"), f"{name}Options")


def test_what_is_read_is_the_workflows_own_configuration():
    options = read(
        AnalyseOptions, *("a", "b"), *("--view", "SAX"), *("--spacing-mm", "1.4", "1.5", "8"), *("--sex", "F"),
        *("--age-years", "61"), *("--pictures", "stills"), *("--third-axis", "time"), *("--model", "m"), "--overwrite",
    )  # fmt: skip
    patient = Patient("F", 61.0)
    reading = Reading(View.SAX, Modality.MR, (8.0, 1.4, 1.5), "time", "stills", patient)
    expected = SegmentConfig(exams=(Path("a"), Path("b")), reading=reading, model="m", overwrite=True)
    assert isinstance(options, SegmentConfig)
    assert type(options.reading) is Reading
    fields = [item.name for item in dataclasses.fields(SegmentConfig)]
    assert [getattr(options, name) for name in fields] == [getattr(expected, name) for name in fields]
    assert options.given == expected.given
    assert options.given["spacing_mm"] == [8.0, 1.4, 1.5]


def test_nothing_said_is_nothing_known_better():
    assert read(AnalyseOptions, "a").reading == Reading()
    assert read(AnalyseOptions, "a").given == {}


@pytest.mark.parametrize(
    ("words", "view", "modality"),
    [
        (("--view", "A4C"), View.FOUR_CHAMBER, Modality.US),  # an apical four-chamber view is echo
        (("--view", "4ch"), View.FOUR_CHAMBER, None),  # either
        (("--view", "A4C", "--modality", "mri"), View.FOUR_CHAMBER, Modality.MR),  # what is said outright counts
        (("--modality", "echo"), None, Modality.US),
        ((), None, None),
    ],
)
def test_a_word_for_a_view_may_say_the_modality(words, view, modality):
    reading = read(AnalyseOptions, "a", *words).reading
    assert (reading.view, reading.modality) == (view, modality)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--view", "A9C"), "--view: 'A9C' is no word for a view"),
        (("--modality", "xray"), "'xray' is no word for a modality"),
        (("--spacing-mm", "0.3"), "takes 2 numbers"),
        (("--spacing-mm", "0.3", "0.3", "b"), "takes numbers, got 0.3 0.3 b"),  # an exam behind it
        (("--spacing-mm", "0.3", "inf"), "no pixel or slice distance is like this"),
        (("--age-years", "610"), "an age of 610 years cannot be"),
        (("--scheme", "camsu"), "there is no label scheme 'camsu'"),
    ],
)
def test_words_that_cannot_be(words, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        read(AnalyseOptions, "a", *words)


def test_every_verb_on_exams_needs_one():
    for kind, more in ((AnalyseOptions, ()), (MeasureOptions, ("--labels", "x"))):
        with pytest.raises(UsageError, match="no EXAM is given"):
            read(kind, *more)


_NAMES = st.text("abcdefgh-", min_size=1).filter(lambda name: not name.startswith("-"))


@given(st.dictionaries(_NAMES, st.lists(_NAMES, min_size=1, max_size=3).map(tuple), max_size=3), st.lists(_NAMES))
def test_groups_and_lists_come_through_as_they_were_said(only, limits):
    """Given all at once, or each for itself: an option that is repeated is gone on with."""
    pairs = [f"{key}={','.join(names)}" for key, names in only.items()]
    words = [("--only", pair) for pair in pairs] + [("--limits", name) for name in limits]
    apart = read(CompareOptions, "r", *itertools.chain.from_iterable(words))
    lists = [("--only", *pairs)] * bool(pairs) + [("--limits", *limits)] * bool(limits)
    together = read(CompareOptions, "r", *itertools.chain.from_iterable(lists))
    assert together == apart
    assert (together.only, together.limits) == (only, tuple(limits))


def test_options_of_a_data_set_are_toml_or_bare_words():
    options = read(EvaluateOptions, "p", "r", "--option", 'views=["4CH"]', "fold=2", "--option", "release=legacy")
    assert options.options == {"views": ["4CH"], "fold": 2, "release": "legacy"}
    assert (options.predicted, options.reference, options.third_axis) == ("p", Path("r"), "auto")
    assert read(EvaluateOptions, "p", "r", "--third-axis", "time", "--spacing-mm", "1", "2").spacing_mm == (None, 1, 2)


def test_each_kind_of_phantom_has_its_own_options(capsys):
    echo = read(EchoOptions, "--out", "x", "-n", "3", "--quality", "good", "--quality", "poor", "--pathology", "normal")
    assert (echo.phantoms.kind, echo.phantoms.count, echo.phantoms.frame_count) == ("echo", 3, 20)
    assert (echo.phantoms.qualities, echo.phantoms.views) == (("good", "poor"), ())
    cmr = read(CmrOptions, "--out", "x", "--layout", "mnms2", "--frames", "12")
    assert (cmr.phantoms.kind, cmr.layout, cmr.phantoms.frame_count) == ("cmr", "mnms2", 12)
    for kind, words in (
        (FundusOptions, ("--frames", "3")),
        (EchoOptions, ("--kind", "cmr")),
    ):
        with pytest.raises(SystemExit):
            read(kind, "--out", "x", *words)
        assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_options_are_declared_once(verb):
    """A class of options adds to a configuration what only the command line has; it repeats no field of it."""
    kind = options_of(verb)
    for base in kind.__bases__:
        if base.__module__.startswith("cardiotrace.workflows"):
            assert set(kind.__annotations__) <= {"by", "json", "phantoms", "layout"}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_tells_of_every_option(verb, capsys, monkeypatch):
    """Every option is explained, by the docstring of its field."""
    monkeypatch.setenv("COLUMNS", "400")
    assert main([*verb.name.split(), "--help"]) == 0
    lines = [line.strip("│ ") for line in capsys.readouterr().out.splitlines()[5:]]
    places = [place for place, line in enumerate(lines) if re.match(r"-{1,2}[a-z]|[A-Z]{3,}(\.\.\.)?( |$)", line)]
    assert len(places) >= (verb.name != "models verify") + 1
    for place in places:
        # What a long option means stands on the next line.
        told = [*re.split(r"  +", lines[place], maxsplit=1), lines[place + 1]][1]
        words = re.sub(r"\((default: .*|required)\)$", "", told).split()
        assert len(words) >= 2, lines[place]
        assert words[0][0] not in "-(", lines[place]


def test_what_a_field_means_flows_on_where_its_source_begins_a_new_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        read(EvaluateOptions, "--help")
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "the worst, the median" in line)
    assert "all slices predicted above reference, and a page that shows them, to this folder." in line
